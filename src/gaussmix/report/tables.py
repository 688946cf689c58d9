"""The numbers of a report as plain values: components, candidates, uncertain rows, and how a fit ended.

Lists of these go straight into a data frame (``pandas.DataFrame(components(...))``).
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.model.noise import noise_to_minus_one
from gaussmix.model.prediction import uncertainty
from gaussmix.plots.validation import FitLike, MixtureLike, as_fit, as_mixture, check_selection
from gaussmix.report.formatting import join_words, pluralize
from gaussmix.selection import CRITERIA, Candidate, Selection
from gaussmix.solvers import Fit
from gaussmix.types import ArrayLike

CERTAIN_BELOW, UNCERTAIN_ABOVE = 0.05, 0.2
"""A row is certain below the first uncertainty (1 - largest responsibility), uncertain above the second."""

_ROUNDING_RTOL = 1e-12  # a difference this small, relatively, is rounding and no difference
_EQUAL_CRITERION_RTOL = 1e-9  # criteria this close, relatively, are one model by two names


@dataclass(frozen=True)
class ComponentRow:
    """One component, in the data's units.

    ``rows`` is the weight of the rows that it is most probable for, ``mass`` its responsibility
    summed over the weighted rows, ``mean_uncertainty`` the mean over its rows; None without data.
    """

    component: int
    weight: float
    assigned_weight: float | None
    responsibility_sum: float | None
    mean_uncertainty: float | None
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]


@dataclass(frozen=True)
class MixtureSummary:
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
    certain_fraction: float
    uncertain_fraction: float
    mean_uncertainty: float


@dataclass(frozen=True)
class CandidateRow:
    """One candidate of a search; ``difference`` is its criterion minus that of the chosen one."""

    rank: int
    structure: str
    n_components: int
    criterion_value: float | None
    difference_to_best: float | None
    log_likelihood: float | None
    n_parameters: int
    is_eligible: bool
    remark: str


@dataclass(frozen=True)
class UncertainRow:
    """A row between components: its number (from 0), the two most probable ones (-1 is noise), and its values."""

    row_index: int
    uncertainty: float
    first_component: int
    first_probability: float
    second_component: int
    second_probability: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class FitSummary:
    """How a fit ended."""

    outcome: str
    converged: bool
    n_iter: int
    seconds: float
    log_likelihood: float
    mean_log_likelihood: float
    n_parameters: int
    condition_numbers: tuple[float, ...]
    floored_components: tuple[int, ...]
    small_components: tuple[int, ...]
    notes: tuple[str, ...]


def component_table(
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
    held = (
        [(None, None, None)] * mixture.n_components
        if X is None
        else _component_row_statistics(mixture, X, sample_weight)
    )
    return [
        ComponentRow(k, float(mixture.weights[k]), *held[k], tuple(means[k].tolist()), tuple(spreads[k].tolist()))
        for k in range(mixture.n_components)
    ]


def _component_row_statistics(
    mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None
) -> list[tuple[float | None, float | None, float | None]]:
    """Rows, mass and mean uncertainty of each component."""
    soft = mixture.predict_proba(X)
    parsed = parse_weights(sample_weight, len(soft))
    weights = np.ones(len(soft)) if parsed is None else parsed
    labels, doubts = soft.argmax(axis=1), uncertainty(soft)
    rows = np.bincount(labels, weights, mixture.n_components)
    doubt = np.bincount(labels, weights * doubts, mixture.n_components)
    means = [float(d / r) if r > 0 else None for d, r in zip(doubt, rows, strict=True)]
    return list(zip(rows.tolist(), (weights @ soft).tolist(), means, strict=True))


def summarize_mixture(mixture: MixtureLike, X: ArrayLike, sample_weight: ArrayLike | None = None) -> MixtureSummary:
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
    log_likelihood = float(weights @ mixture.logpdf(rows))
    certainty = float(weights @ np.log1p(-doubts))
    free = mixture.n_parameters
    worth = {name: CRITERIA[name](log_likelihood, free, total, certainty) for name in ("bic", "icl", "aic")}
    return MixtureSummary(
        n_rows=len(rows),
        total_weight=total,
        n_features=mixture.n_features,
        n_components=mixture.n_components,
        structure=mixture.structure.display_name,
        description=mixture.structure.description,
        n_parameters=mixture.n_parameters,
        log_likelihood=log_likelihood,
        **worth,
        certain_fraction=float(weights @ (doubts < CERTAIN_BELOW)) / total,
        uncertain_fraction=float(weights @ (doubts > UNCERTAIN_ABOVE)) / total,
        mean_uncertainty=float(weights @ doubts) / total,
    )


def candidate_table(selection: Selection) -> list[CandidateRow]:
    """The candidates of a search, best first, with what is to be said of each."""
    rule = check_selection(selection).criterion
    best = selection.best.criteria[rule]
    rows = []
    for rank, candidate in enumerate(selection.candidates):
        value = candidate.criteria.get(rule)
        rows.append(
            CandidateRow(
                rank=rank + 1,
                structure=candidate.structure.display_name,
                n_components=candidate.n_components,
                criterion_value=value,
                difference_to_best=None if value is None else _difference_to_best(value, best),
                log_likelihood=None if candidate.fit is None else candidate.fit.log_likelihood,
                n_parameters=candidate.n_parameters,
                is_eligible=candidate.is_eligible,
                remark=_candidate_remark(candidate, selection.candidates[:rank], rule),
            )
        )
    return rows


def _difference_to_best(value: float, best_value: float) -> float:
    return 0.0 if abs(value - best_value) <= _ROUNDING_RTOL * abs(best_value) else value - best_value


def _candidate_remark(candidate: Candidate, better_candidates: tuple[Candidate, ...], criterion: str) -> str:
    if candidate.fit is None:
        return f"not fitted: {candidate.rejection_reason}"
    if not candidate.is_eligible:
        return f"degenerate: {_describe_degeneracy(candidate.fit)}"
    value = candidate.criteria[criterion]
    for other in better_candidates:
        same = other.n_components == candidate.n_components and other.is_eligible
        if same and abs(other.criteria[criterion] - value) <= _EQUAL_CRITERION_RTOL * abs(value):
            return f"the same mixtures as {other.structure.display_name}"
    return "" if better_candidates else "chosen"


def _describe_degeneracy(fit: Fit) -> str:
    floored = [str(k) for k, part in enumerate(fit.component_diagnostics) if part.is_floored]
    small = [
        str(k) for k, part in enumerate(fit.component_diagnostics) if part.has_too_few_rows and not part.is_floored
    ]
    whose = "its variance" if len(floored) == 1 else "their variances"
    said = [f"{pluralize('component', floored)} {join_words(floored)} on the floor of {whose}"] if floored else []
    said += [f"{pluralize('component', small)} {join_words(small)} of too few rows for a covariance"] if small else []
    return "; ".join(said)


def uncertain_rows(mixture: MixtureLike, X: ArrayLike, max_rows: int = 20) -> list[UncertainRow]:
    """The rows whose component is least certain, least certain first; none where K is 1.

    Parameters
    ----------
    mixture : Mixture or fitted estimator
    X : array-like of shape (n, D)
    max_rows : int, default=20
        Most rows returned.
    """
    mixture = as_mixture(mixture)
    if max_rows < 0:
        raise ParameterError.invalid_value("max_rows", max_rows, "a whole number of at least 0")
    if mixture.n_components == 1 and mixture.noise is None:
        return []
    rows = parse_rows(X, mixture.n_features, mixture.feature_names)
    soft = mixture.predict_proba(rows)
    doubts = uncertainty(soft)
    chosen = np.argsort(-doubts, kind="stable")[:max_rows]
    order = noise_to_minus_one(np.argsort(-soft[chosen], axis=1, kind="stable")[:, :2], mixture.n_components)
    return [
        UncertainRow(
            row_index=int(i),
            uncertainty=float(doubts[i]),
            first_component=int(first),
            first_probability=float(soft[i, first]),
            second_component=int(second),
            second_probability=float(soft[i, second]),
            values=tuple(rows[i].tolist()),
        )
        for i, (first, second) in zip(chosen, order, strict=True)
    ]


def summarize_fit(fit: FitLike, mixture: MixtureLike) -> FitSummary:
    """How a fit ended, and the state of its components."""
    fit, mixture = as_fit(fit), as_mixture(mixture)
    return FitSummary(
        outcome=str(fit.outcome),
        converged=fit.converged,
        n_iter=len(fit.trace),
        seconds=fit.seconds,
        log_likelihood=fit.log_likelihood,
        mean_log_likelihood=fit.mean_log_likelihood,
        n_parameters=mixture.n_parameters,
        condition_numbers=tuple(part.condition_number for part in fit.component_diagnostics),
        floored_components=tuple(k for k, part in enumerate(fit.component_diagnostics) if part.is_floored),
        small_components=tuple(k for k, part in enumerate(fit.component_diagnostics) if part.has_too_few_rows),
        notes=fit.notes,
    )
