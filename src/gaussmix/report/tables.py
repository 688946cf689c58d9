"""The numbers of a report as plain values: components, candidates, uncertain rows, and how a fit ended.

Lists of these go straight into a data frame (``pandas.DataFrame(components(...))``).
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.arrays import parse_rows, parse_weights
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.model.noise import named
from gaussmix.model.posterior import uncertainty
from gaussmix.plots.given import FitLike, MixtureLike, as_fit, as_mixture, as_selection
from gaussmix.report.formatting import listed, plural
from gaussmix.selection import CRITERIA, Candidate, Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

CERTAIN, UNCERTAIN = 0.05, 0.2
"""A row is certain below the first uncertainty (1 - largest responsibility), uncertain above the second."""

_ROUNDING = 1e-12  # a difference this small, relatively, is rounding and no difference
_SAME = 1e-9  # criteria this close, relatively, are one model by two names


@dataclass(frozen=True)
class ComponentRow:
    """One component, in the data's units.

    ``rows`` is the weight of the rows that it is most probable for, ``mass`` its responsibility
    summed over the weighted rows, ``mean_uncertainty`` the mean over its rows; None without data.
    """

    number: int
    weight: float
    rows: float | None
    mass: float | None
    mean_uncertainty: float | None
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class Summary:
    """A mixture and the rows it is to explain, in a few numbers; criteria are lower for better."""

    n_rows: int
    total_weight: float
    n_features: int
    n_components: int
    structure: str
    description: str
    n_parameters: int
    log_likelihood: float
    bic: float
    icl: float
    aic: float
    share_certain: float
    share_uncertain: float
    mean_uncertainty: float


@dataclass(frozen=True)
class CandidateRow:
    """One candidate of a search; ``difference`` is its criterion minus that of the chosen one."""

    rank: int
    structure: str
    n_components: int
    criterion: float | None
    difference: float | None
    log_likelihood: float | None
    n_parameters: int
    eligible: bool
    remark: str


@dataclass(frozen=True)
class UncertainRow:
    """A row between components: its number (from 0), the two most probable ones (-1 is noise), and its values."""

    row: int
    uncertainty: float
    first: int
    first_probability: float
    second: int
    second_probability: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class FitFacts:
    """How a fit ended."""

    outcome: str
    converged: bool
    passes: int
    seconds: float
    log_likelihood: float
    mean_log_likelihood: float
    n_parameters: int
    conditions: tuple[float, ...]
    on_floor: tuple[int, ...]
    small: tuple[int, ...]
    notes: tuple[str, ...]


def components(
    mixture: MixtureLike, X: ArrayLike | None = None, sample_weight: ArrayLike | None = None
) -> list[ComponentRow]:
    """What each component is and, given rows, what it holds.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D), optional
    sample_weight : array-like of shape (n,), optional
        How often each row counts.

    Returns
    -------
    list of ComponentRow
        In the order of the components.
    """
    mixture = as_mixture(mixture)
    means, spreads = mixture.means, mixture.standard_deviations
    held = [(None, None, None)] * mixture.n_components if X is None else _held(mixture, X, sample_weight)
    return [
        ComponentRow(k, float(mixture.weights[k]), *held[k], tuple(means[k].tolist()), tuple(spreads[k].tolist()))
        for k in range(mixture.n_components)
    ]


def _held(
    mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None
) -> list[tuple[float | None, float | None, float | None]]:
    """Rows, mass and mean uncertainty of each component."""
    soft = mixture.responsibilities(X)
    parsed = parse_weights(sample_weight, len(soft))
    weights = np.ones(len(soft)) if parsed is None else parsed
    labels, doubts = soft.argmax(axis=1), uncertainty(soft)
    rows = np.bincount(labels, weights, mixture.n_components)
    doubt = np.bincount(labels, weights * doubts, mixture.n_components)
    means = [float(d / r) if r > 0 else None for d, r in zip(doubt, rows, strict=True)]
    return list(zip(rows.tolist(), (weights @ soft).tolist(), means, strict=True))


def summary(mixture: MixtureLike, X: ArrayLike, sample_weight: ArrayLike | None = None) -> Summary:
    """A mixture and its rows in a few numbers.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
    sample_weight : array-like of shape (n,), optional
        How often each row counts.
    """
    mixture = as_mixture(mixture)
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    parsed = parse_weights(sample_weight, len(rows))
    weights = np.ones(len(rows)) if parsed is None else parsed
    doubts, total = mixture.uncertainty(rows), float(weights.sum())
    log_likelihood = float(weights @ mixture.log_density(rows))
    certainty = float(weights @ np.log1p(-doubts))
    free = mixture.n_parameters
    worth = {name: CRITERIA[name](log_likelihood, free, total, certainty) for name in ("bic", "icl", "aic")}
    return Summary(
        n_rows=len(rows),
        total_weight=total,
        n_features=mixture.n_features,
        n_components=mixture.n_components,
        structure=mixture.structure.label,
        description=mixture.structure.description,
        n_parameters=mixture.n_parameters,
        log_likelihood=log_likelihood,
        **worth,
        share_certain=float(weights @ (doubts < CERTAIN)) / total,
        share_uncertain=float(weights @ (doubts > UNCERTAIN)) / total,
        mean_uncertainty=float(weights @ doubts) / total,
    )


def candidates(selection: Selection) -> list[CandidateRow]:
    """The candidates of a search, best first, with what is to be said of each."""
    rule = as_selection(selection).criterion
    best = selection.best.criteria[rule]
    rows = []
    for rank, candidate in enumerate(selection.candidates):
        value = candidate.criteria.get(rule)
        rows.append(
            CandidateRow(
                rank=rank + 1,
                structure=candidate.structure.label,
                n_components=candidate.n_components,
                criterion=value,
                difference=None if value is None else _difference(value, best),
                log_likelihood=None if candidate.fit is None else candidate.fit.log_likelihood,
                n_parameters=candidate.n_parameters,
                eligible=candidate.is_eligible,
                remark=_remark(candidate, selection.candidates[:rank], rule),
            )
        )
    return rows


def _difference(value: float, best: float) -> float:
    return 0.0 if abs(value - best) <= _ROUNDING * abs(best) else value - best


def _remark(candidate: Candidate, better: tuple[Candidate, ...], rule: str) -> str:
    if candidate.fit is None:
        return f"not fitted: {candidate.reason}"
    if not candidate.is_eligible:
        return f"degenerate: {_degeneracy(candidate.fit)}"
    value = candidate.criteria[rule]
    for other in better:
        same = other.n_components == candidate.n_components and other.is_eligible
        if same and abs(other.criteria[rule] - value) <= _SAME * abs(value):
            return f"the same mixtures as {other.structure.label}"
    return "" if better else "chosen"


def _degeneracy(fit: Fit) -> str:
    floored = [str(k) for k, part in enumerate(fit.components) if part.on_floor]
    small = [str(k) for k, part in enumerate(fit.components) if part.is_small and not part.on_floor]
    whose = "its variance" if len(floored) == 1 else "their variances"
    said = [f"{plural('component', floored)} {listed(floored)} on the floor of {whose}"] if floored else []
    said += [f"{plural('component', small)} {listed(small)} of too few rows for a covariance"] if small else []
    return "; ".join(said)


def uncertain_rows(mixture: MixtureLike, X: ArrayLike, limit: int = 20) -> list[UncertainRow]:
    """The rows whose component is least certain, least certain first; none where K is 1.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
    limit : int, default=20
        Most rows returned.
    """
    mixture = as_mixture(mixture)
    if limit < 0:
        raise ParameterError.value("limit", limit, "a whole number of at least 0")
    if mixture.n_components == 1 and mixture.noise is None:
        return []
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    soft = mixture.responsibilities(rows)
    doubts = uncertainty(soft)
    chosen = np.argsort(-doubts, kind="stable")[:limit]
    order = named(np.argsort(-soft[chosen], axis=1, kind="stable")[:, :2], mixture.n_components)
    return [
        UncertainRow(
            row=int(i),
            uncertainty=float(doubts[i]),
            first=int(first),
            first_probability=float(soft[i, first]),
            second=int(second),
            second_probability=float(soft[i, second]),
            values=tuple(rows[i].tolist()),
        )
        for i, (first, second) in zip(chosen, order, strict=True)
    ]


def fit_facts(fit: FitLike, mixture: MixtureLike) -> FitFacts:
    """How a fit ended, and the state of its components."""
    fit, mixture = as_fit(fit), as_mixture(mixture)
    return FitFacts(
        outcome=str(fit.outcome),
        converged=fit.converged,
        passes=len(fit.trace),
        seconds=fit.seconds,
        log_likelihood=fit.log_likelihood,
        mean_log_likelihood=fit.bound,
        n_parameters=mixture.n_parameters,
        conditions=tuple(part.condition for part in fit.components),
        on_floor=tuple(k for k, part in enumerate(fit.components) if part.on_floor),
        small=tuple(k for k, part in enumerate(fit.components) if part.is_small),
        notes=fit.notes,
    )
