"""Criteria of agglomerative clustering: what each group of rows adds to a criterion, from its moments.

A criterion is a sum over groups of a function of mass and scatter. Merging two groups therefore changes
only their own terms. A group is its moments, never its rows: a row of weight 2 equals that row twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.group_costs import GroupCost, GroupCostKind, GroupMoments
from gaussmix.core.moments import MomentKind
from gaussmix.types import ND, Array, IntK, IntNC, K, N

MergedPairs = IntNC  # the two groups that each step merges, (m - 1, 2), as in scikit-learn's ``children_``

MAX_DETERMINANT_COLUMNS = 12  # with more columns a determinant is below 1e-7 of the trace term, and is left out
PRIOR_VARIANCE = 0.1  # for whitened rows, whose covariance is the identity
_RELATIVE_PIVOT_TOLERANCE = 1e-12  # a smaller pivot, relative to the variance of its column, is rounding error
_MIN_PIVOT = float(np.finfo(float).tiny)  # the inverse of a smaller pivot overflows


@dataclass(frozen=True)
class GroupStatistics:
    """Moments of m groups: ids (m,), mass (m,), mean (D, m), trace (m,), and scatter (D, D, m), (D, m) or None.

    ``trace`` is the trace of the scatter. The scatter is None where the criterion needs the trace alone, and its
    diagonals where it needs variances.
    """

    group_ids: IntK
    mass: K
    mean: Array
    trace: K
    scatter: Array | None

    @classmethod
    def from_rows(cls, rows: ND, weights: N, with_scatter: bool) -> "GroupStatistics":
        """Return each row (m, D) as a group of its own, with mass ``weights`` (m,) and no scatter."""
        n_rows, n_columns = rows.shape
        scatter = (
            np.zeros((n_columns, n_columns, n_rows)) if with_scatter and n_columns <= MAX_DETERMINANT_COLUMNS else None
        )
        return cls(np.arange(n_rows), weights.copy(), rows.T.copy(), np.zeros(n_rows), scatter)

    def take(self, indices: IntK) -> "GroupStatistics":
        """Return a copy of the groups at these positions, in this order."""
        scatter = None if self.scatter is None else self.scatter.take(indices, axis=-1)  # in C order, unlike an index
        mean = self.mean.take(indices, axis=-1)
        return GroupStatistics(self.group_ids[indices], self.mass[indices], mean, self.trace[indices], scatter)

    def merge_pairwise_with(self, others: "GroupStatistics") -> "GroupStatistics":
        """Return each group merged with that at the same position in ``others``; a single group is merged with each.

        The result has the ids of ``others``.
        """
        mass = self.mass + others.mass
        fraction = others.mass / mass
        differences = others.mean - self.mean
        weighted_differences = (self.mass * fraction) * differences
        trace = self.trace + others.trace + _column_products(weighted_differences, differences)
        scatter = None
        if self.scatter is not None and others.scatter is not None:
            pairs = weighted_differences if self.scatter.ndim == 2 else weighted_differences[:, None]
            scatter = pairs * differences
            scatter += self.scatter
            scatter += others.scatter
        return GroupStatistics(others.group_ids, mass, self.mean + fraction * differences, trace, scatter)

    def overwrite_groups_in_place(self, indices: IntK, groups: "GroupStatistics", group_ids: IntK) -> None:
        """Overwrite the entries at ``indices`` in place by the statistics of ``groups``, and by their new ids."""
        self.group_ids[indices], self.mass[indices], self.trace[indices] = group_ids, groups.mass, groups.trace
        self.mean[:, indices] = groups.mean
        if self.scatter is not None and groups.scatter is not None:
            self.scatter[..., indices] = groups.scatter

    def to_moments(self) -> GroupMoments:
        """Return the moments of the groups, without ids."""
        return GroupMoments(self.mass, self.mean, self.trace, self.scatter)


@dataclass(frozen=True)
class MergeCriterion:
    """A merge criterion: the sum over groups of ``group_costs(groups, mean_variance)``.

    ``cost_kind`` names the same function for an engine's agglomerator; None leaves all merges to NumPy.
    ``needs_scatter`` is True if the costs need the scatter and not only its trace. ``needs_whitening`` is
    True if rows must have the identity as covariance; otherwise rows are scaled as in mclust.
    """

    group_costs: Callable[[GroupStatistics, float], K]
    cost_kind: GroupCostKind | None = None
    needs_scatter: bool = False
    needs_whitening: bool = False

    def to_group_cost(self, n_columns: int, mean_variance: float) -> GroupCost | None:
        """Return the costs with their constants for an agglomerator; None without a ``cost_kind``."""
        if self.cost_kind is None:
            return None
        prior_mass = n_columns + 1.0
        return GroupCost(
            self.cost_kind,
            mean_variance,
            prior_mass * PRIOR_VARIANCE,
            prior_mass,
            _RELATIVE_PIVOT_TOLERANCE,
            _MIN_PIVOT,
        )


def _trace_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """Return the sum of squares within each group, (m,): Ward's criterion."""
    return groups.trace


def _spherical_volume_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """Return mass times log variance of each group, (m,); ``mean_variance`` keeps that of a single row positive."""
    return np.asarray(groups.mass * np.log((groups.trace + mean_variance) / groups.mass))


def _determinant_and_trace_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """Return mass times the log of determinant plus trace of each group, (m,); the trace keeps the logarithm finite.

    The determinant of a group with at most D rows counts as zero.
    """
    determinant = np.zeros(len(groups.mass))
    has_enough_rows = groups.mass > len(groups.mean)
    if groups.scatter is not None and has_enough_rows.any():
        selected = np.flatnonzero(has_enough_rows)
        scatter = groups.scatter.take(selected, axis=-1)
        determinant[selected] = _determinants_overwriting_input(scatter, groups.mass[selected])
    return np.asarray(groups.mass * np.log(determinant + (groups.trace + mean_variance) / groups.mass))


def _regularized_determinant_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """Return mass times the log determinant of each group's covariance, (m,), shrunk toward a small sphere.

    The sphere counts as D + 1 rows, so that small groups have a regular covariance too.
    """
    n_columns = len(groups.mean)
    scatter = np.zeros((n_columns, n_columns, len(groups.mass))) if groups.scatter is None else groups.scatter.copy()
    np.einsum("iim->im", scatter)[:] += (n_columns + 1) * PRIOR_VARIANCE
    return np.asarray(groups.mass * np.log(_determinants_overwriting_input(scatter, groups.mass + (n_columns + 1))))


def _regularized_variances_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """Return mass times the summed logs of each group's variances, (m,), shrunk like the determinant's covariance."""
    assert groups.scatter is not None
    n_columns = len(groups.mean)
    variances = (groups.scatter + (n_columns + 1) * PRIOR_VARIANCE) / (groups.mass + (n_columns + 1))
    return np.asarray(groups.mass * np.log(variances).sum(axis=0))


def _regularized_trace_cost(groups: GroupStatistics, mean_variance: float) -> K:
    """Return mass times the log of the trace of each group's covariance, (m,), shrunk like the determinant's."""
    n_columns = len(groups.mean)
    total = groups.trace + (n_columns + 1) * PRIOR_VARIANCE * n_columns
    return np.asarray(groups.mass * np.log(total / (groups.mass + (n_columns + 1))))


# The first three are those of Fraley (1998, sections 2 and 3, with alpha = beta = 1) for the structures of these names.
MERGE_CRITERIA = {
    "EII": MergeCriterion(_trace_cost, GroupCostKind.TRACE),
    "VII": MergeCriterion(_spherical_volume_cost, GroupCostKind.SPHERICAL_VOLUME),
    "VVV": MergeCriterion(_determinant_and_trace_cost, GroupCostKind.DETERMINANT_AND_TRACE, needs_scatter=True),
    "whitened": MergeCriterion(
        _regularized_determinant_cost,
        GroupCostKind.REGULARIZED_DETERMINANT,
        needs_scatter=True,
        needs_whitening=True,
    ),
}

WARD_CRITERION = MERGE_CRITERIA["EII"]

# By the kind of moments of groups whose pooled variances are PRIOR_VARIANCE (`mixture_reduction.py`).
LIKELIHOOD_CRITERIA = {
    MomentKind.FULL: MERGE_CRITERIA["whitened"],
    MomentKind.DIAGONAL: MergeCriterion(_regularized_variances_cost, GroupCostKind.REGULARIZED_VARIANCES),
    MomentKind.TRACE: MergeCriterion(_regularized_trace_cost, GroupCostKind.REGULARIZED_TRACE),
}


def _column_products(first: Array, second: Array) -> K:
    """Return the inner products (m,) of the columns of two arrays (D, m), added up from the first row to the last."""
    if first.shape[1] == 1:  # einsum would add up the rows of a single column in another order
        return np.asarray(np.add.accumulate(first * second)[-1])
    return np.asarray(np.einsum("im,im->m", first, second))


def _determinants_overwriting_input(matrices: Array, divisors: K) -> K:
    """Return determinants (m,) of semidefinite matrices (D, D, m) divided by ``divisors`` (m,), zero if singular.

    They are computed by Gaussian elimination, which overwrites the matrices.
    """
    min_pivots = np.maximum(_RELATIVE_PIVOT_TOLERANCE * np.einsum("iim->im", matrices), _MIN_PIVOT)
    determinant = np.ones(matrices.shape[2])
    for column, min_pivot in enumerate(min_pivots):
        pivot = matrices[column, column]
        pivot = np.where(pivot > min_pivot, pivot, 0.0)
        determinant *= pivot / divisors
        if column + 1 < len(matrices):
            remaining = matrices[column, column + 1 :]
            factors = remaining * (1.0 / np.where(pivot > 0, pivot, np.inf))
            matrices[column + 1 :, column + 1 :] -= factors[:, None] * remaining
    return determinant
