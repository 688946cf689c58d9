"""Tables of components, uncertain rows and the outcome of a fit, as lists of dataclasses.

``pandas.DataFrame(component_table(...))`` converts such a list to a data frame.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.input_arrays import parse_rows, parse_weights
from gaussmix.core.scalar_checks import require_integer
from gaussmix.model import Mixture
from gaussmix.model.noise import relabel_noise_as_minus_one
from gaussmix.model.prediction import uncertainty
from gaussmix.plots.validation import FitLike, MixtureLike, as_fit, as_mixture
from gaussmix.selection import CRITERIA
from gaussmix.types import ArrayLike

# Bounds of the uncertainty (1 - largest responsibility) of certain and of uncertain rows.
CERTAIN_BELOW, UNCERTAIN_ABOVE = 0.05, 0.2


@dataclass(frozen=True)
class ComponentRow:
    """Parameters of a component in the data's units, and statistics of the rows, which are None without data.

    Attributes
    ----------
    component : int
        Number of the component, from 0.
    weight : float
        Mixture weight.
    assigned_weight : float or None
        Total weight of the rows for which the component is the most probable one.
    responsibility_sum : float or None
        Weighted sum of the component's responsibilities.
    mean_uncertainty : float or None
        Weighted mean uncertainty of the assigned rows; None if there are none.
    mean, standard_deviation : tuple of float
        One value per column. For a transformed column they are the median, and half the distance of the quantiles one
        standard deviation below and above it.
    """

    component: int
    weight: float
    assigned_weight: float | None
    responsibility_sum: float | None
    mean_uncertainty: float | None
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]


@dataclass(frozen=True)
class FitQualitySummary:
    """Size, likelihood, criteria (lower is better) and uncertainty of a whole mixture on some rows."""

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
class UncertainRow:
    """A row that may belong to several components: its position, its two most probable components and its values.

    Component -1 is the noise.
    """

    row_index: int
    uncertainty: float
    first_component: int
    first_probability: float
    second_component: int
    second_probability: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class FitSummary:
    """Outcome of a fit, and the condition of its components."""

    outcome: str
    has_converged: bool
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
    """Return one record per component, with statistics of the rows if ``X`` is given.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
    X : array-like of shape (n, D), optional
        Rows in the data's units.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows. Default: 1.

    Returns
    -------
    list of ComponentRow
        In the order of the components.
    """
    mixture = as_mixture(mixture)
    means, deviations = mixture.medians.tolist(), mixture.half_widths.tolist()
    statistics = [_ComponentRowStatistics(None, None, None)] * mixture.n_components
    if X is not None:
        statistics = _component_row_statistics(mixture, X, sample_weight)
    return [
        ComponentRow(k, float(mixture.weights[k]), *statistics[k], tuple(means[k]), tuple(deviations[k]))
        for k in range(mixture.n_components)
    ]


def noise_table(mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None) -> list[ComponentRow]:
    """Return a record of the noise, component -1, which has no mean and deviation; empty without noise."""
    if mixture.noise is None:
        return []
    statistics = _component_row_statistics(mixture, X, sample_weight)[-1]
    return [ComponentRow(-1, mixture.noise.weight, *statistics, mean=(), standard_deviation=())]


class _ComponentRowStatistics(NamedTuple):
    """Statistics of the rows for one component; see `ComponentRow`. All are None without data."""

    assigned_weight: float | None
    responsibility_sum: float | None
    mean_uncertainty: float | None


def _component_row_statistics(
    mixture: Mixture, X: ArrayLike, sample_weight: ArrayLike | None
) -> list[_ComponentRowStatistics]:
    """Return statistics of the rows for each component, and for the noise, if there is one, as the last element."""
    responsibilities = mixture.predict_proba(X)
    weights = parse_weights(sample_weight, len(responsibilities))
    weights = np.ones(len(responsibilities)) if weights is None else weights
    labels, uncertainties = responsibilities.argmax(axis=1), uncertainty(responsibilities)
    n_parts = responsibilities.shape[1]  # the components, and the noise, to which perhaps no row belongs
    assigned = np.bincount(labels, weights, n_parts)
    totals = np.bincount(labels, weights * uncertainties, n_parts)
    means = [float(total / weight) if weight > 0 else None for total, weight in zip(totals, assigned, strict=True)]
    sums = (weights @ responsibilities).tolist()
    return [_ComponentRowStatistics(*values) for values in zip(assigned.tolist(), sums, means, strict=True)]


def summarize_fit_quality(
    mixture: MixtureLike, X: ArrayLike, sample_weight: ArrayLike | None = None
) -> FitQualitySummary:
    """Return the size, likelihood, criteria and uncertainty of a whole mixture on some rows.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
    X : array-like of shape (n, D)
        Rows in the data's units.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows. Default: 1.

    Returns
    -------
    FitQualitySummary
    """
    mixture = as_mixture(mixture)
    rows = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
    weights = parse_weights(sample_weight, len(rows))
    weights = np.ones(len(rows)) if weights is None else weights
    uncertainties, total_weight = mixture.uncertainty(rows), float(weights.sum())
    log_likelihood = float(weights @ mixture.logpdf(rows))
    certainty = float(weights @ np.log1p(-uncertainties))
    arguments = (log_likelihood, mixture.n_parameters, total_weight, certainty)
    criteria = {name: CRITERIA[name](*arguments) for name in ("bic", "icl", "aic")}
    return FitQualitySummary(
        n_rows=len(rows),
        total_weight=total_weight,
        n_features=mixture.n_features,
        n_components=mixture.n_components,
        structure=mixture.structure.name_with_alias_or_n_factors,
        description=mixture.structure.description,
        n_parameters=mixture.n_parameters,
        log_likelihood=log_likelihood,
        **criteria,
        certain_fraction=float(weights @ (uncertainties < CERTAIN_BELOW)) / total_weight,
        uncertain_fraction=float(weights @ (uncertainties > UNCERTAIN_ABOVE)) / total_weight,
        mean_uncertainty=float(weights @ uncertainties) / total_weight,
    )


def uncertain_rows(mixture: MixtureLike, X: ArrayLike, max_rows: int = 20) -> list[UncertainRow]:
    """Return a record for each of the ``max_rows`` most uncertain rows, most uncertain first.

    Parameters
    ----------
    mixture : Mixture, fitted estimator, Selection or Candidate
    X : array-like of shape (n, D)
        Rows in the data's units.
    max_rows : int, default=20
        Maximum number of rows.

    Returns
    -------
    list of UncertainRow
        Empty if the mixture has one component and no noise.
    """
    mixture = as_mixture(mixture)
    require_integer("max_rows", max_rows, 0)
    if mixture.n_components == 1 and mixture.noise is None:
        return []
    rows = parse_rows(X, mixture.n_features, mixture.feature_names, allow_missing=True)
    responsibilities = mixture.predict_proba(rows)
    uncertainties = uncertainty(responsibilities)
    indices = np.argsort(-uncertainties, kind="stable")[:max_rows]
    most_probable = np.argsort(-responsibilities[indices], axis=1, kind="stable")[:, :2]
    labels = relabel_noise_as_minus_one(most_probable, mixture.n_components)
    return [
        UncertainRow(
            row_index=int(i),
            uncertainty=float(uncertainties[i]),
            first_component=int(first),
            first_probability=float(responsibilities[i, first]),
            second_component=int(second),
            second_probability=float(responsibilities[i, second]),
            values=tuple(rows[i].tolist()),
        )
        for i, (first, second) in zip(indices, labels, strict=True)
    ]


def summarize_fit(fit: FitLike, mixture: MixtureLike) -> FitSummary:
    """Return the outcome of a fit, the condition of its components and the number of parameters of its mixture.

    Parameters
    ----------
    fit : Fit, fitted estimator, Selection or Candidate
    mixture : Mixture, fitted estimator, Selection or Candidate

    Returns
    -------
    FitSummary
    """
    fit, mixture = as_fit(fit), as_mixture(mixture)
    return FitSummary(
        outcome=str(fit.outcome),
        has_converged=fit.has_converged,
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
