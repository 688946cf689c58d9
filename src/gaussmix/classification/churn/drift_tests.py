"""Tests that a column has the distribution of the training table: Kolmogorov-Smirnov, chi-square, stability index."""

from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, kolmogorov

from gaussmix.classification.churn.column_summary import CategoricalSummary, NumericSummary
from gaussmix.types import Array, N

_MIN_EXPECTED = 5.0  # in each cell of a contingency table; rarer levels count together
_ADDED_COUNT = 0.5  # in each bin of the stability index, so that an empty one is finite
_DECILES = np.arange(1, 10) / 10.0


class ColumnComparison(NamedTuple):
    """How a column of a new table differs from the training table.

    Attributes
    ----------
    distance : float
        Largest difference of the distribution functions, or half the sum of the differences of the levels' fractions.
    p_value : float
        Of the test that both tables have the same distribution.
    stability_index : float
        Population stability index: sum of (new - old) log(new / old) over bins. Above .1 counts as moderate, above .25
        as large (Siddiqi, "Credit Risk Scorecards", 2006).
    """

    distance: float
    p_value: float
    stability_index: float


def compare_numbers(summary: NumericSummary, values: N) -> ColumnComparison:
    """Return how numbers (n,), NaN where missing, differ from a summary.

    The p-value is twice the smaller one of a two-sample Kolmogorov-Smirnov test of the present cells (Stephens' form,
    Journal of the Royal Statistical Society B 32, 1970) and a chi-square test of the fraction of missing cells.
    """
    present = np.sort(values[~np.isnan(values)])
    n_missing = float(len(values) - len(present))
    missing_p = _chi_square(
        np.array([summary.n_present, summary.n_missing]), np.array([float(len(present)), n_missing])
    )
    old, new = _bin_counts(summary, present)
    index = _stability_index(np.append(old, summary.n_missing), np.append(new, n_missing))
    if not len(present) or not len(summary.points):
        return ColumnComparison(0.0, missing_p, index)
    distance = _largest_gap(summary, present)
    effective = summary.n_present * len(present) / (summary.n_present + len(present))
    root = np.sqrt(effective)
    p_value = float(kolmogorov((root + 0.12 + 0.11 / root) * distance))
    return ColumnComparison(distance, min(1.0, 2.0 * min(p_value, missing_p)), index)


def compare_levels(summary: CategoricalSummary, counts: Array, n_missing: float, n_unknown: float) -> ColumnComparison:
    """Return how counts (L,) of the known values, of missing cells and of unknown values differ from a summary."""
    old = np.r_[summary.counts, summary.n_missing, 0.0]
    new = np.r_[counts, n_missing, n_unknown]
    old_total, new_total = old.sum(), new.sum()
    distance = 0.5 * float(np.abs(new / new_total - old / old_total).sum())
    return ColumnComparison(distance, _chi_square(old, new), _stability_index(old, new))


def _largest_gap(summary: NumericSummary, present: N) -> float:
    """Return the largest difference of the distribution functions of the summary and of sorted numbers (n,).

    Where the summary has quantiles only, it is taken at these.
    """
    places = np.union1d(summary.points, present) if summary.is_complete else summary.points
    old = np.append(0.0, summary.cumulative)[np.searchsorted(summary.points, places, side="right")]
    new = np.searchsorted(present, places, side="right") / len(present)
    return float(np.abs(new - old).max())


def _bin_counts(summary: NumericSummary, present: N) -> tuple[Array, Array]:
    """Return the effective number of training cells, and of sorted numbers (n,), between the deciles of the former."""
    if not len(summary.points):
        return np.zeros(1), np.array([float(len(present))])
    edges = np.unique(summary.quantiles(_DECILES))
    below = np.searchsorted(summary.points, edges, side="right")
    fractions = np.diff(np.r_[0.0, np.append(0.0, summary.cumulative)[below], 1.0])
    counts = np.diff(np.r_[0, np.searchsorted(present, edges, side="right"), len(present)])
    return summary.n_present * fractions, counts.astype(np.float64)


def _stability_index(old: Array, new: Array) -> float:
    """Return the population stability index of two sets of counts (B,)."""
    return float(stability_terms(old, new).sum())


def stability_terms(old: Array, new: Array) -> Array:
    """Return what each of the bins (B,) adds to the population stability index of two sets of counts (B,)."""
    is_used = (old > 0) | (new > 0)
    terms = np.zeros(len(old))
    p, q = (counts[is_used] + _ADDED_COUNT for counts in (old, new))
    p, q = p / p.sum(), q / q.sum()
    terms[is_used] = (q - p) * np.log(q / p)
    return terms


def _chi_square(old: Array, new: Array) -> float:
    """Return the p-value of Pearson's test that two sets of counts (B,) have one distribution.

    Levels of less than five expected rows in one of the tables count together.
    """
    total, pooled = old.sum() + new.sum(), old + new
    smaller = min(old.sum(), new.sum())
    if not smaller > 0:
        return 1.0
    is_rare = pooled * smaller / total < _MIN_EXPECTED
    table = np.stack([np.append(counts[~is_rare], counts[is_rare].sum()) for counts in (old, new)])
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    n_free = table.shape[1] - 1
    if not n_free:
        return 1.0
    return float(chdtrc(n_free, ((table - expected) ** 2 / expected).sum()))
