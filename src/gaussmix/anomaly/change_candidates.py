"""Candidates for the change of a row: a group, and a set of columns that take their mean given the other columns."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.anomaly.deviations import GroupShapes
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.core.linalg import inverses, solve_vectors
from gaussmix.errors import RowTooFarError
from gaussmix.model import Mixture
from gaussmix.types import ND, Array, BoolN, D, IntArray, IntN

_MAX_GROUPS = 3  # the nearest ones, to which a row may move
_BEAM_WIDTH = 8  # sets of columns of a row and group that are tried, and to which a column is added
_MIN_FREE_FRACTION = 1e-8  # of the variance of a column that the changed ones determine


@dataclass(frozen=True)
class Candidates:
    """m candidates: the row, the group and the changed columns of each.

    Attributes
    ----------
    shapes : GroupShapes
    column_scales : ndarray of shape (d,)
        Standard deviations of the columns in the whole mixture, in which changes are measured.
    rows, groups : ndarray of int of shape (m,)
    columns : ndarray of int of shape (m, s)
        Ascending.
    points : ndarray of shape (m, d)
        The rows as they are, in working coordinates.
    conditional_z : ndarray of shape (m, d)
        Of the rows as they are, within the group.
    """

    shapes: GroupShapes
    column_scales: D
    rows: IntN
    groups: IntN
    columns: IntArray
    points: ND
    conditional_z: ND

    def select(self, chosen: IntN | BoolN) -> "Candidates":
        """Return some of the candidates, by position or mark."""
        parts = {name: getattr(self, name)[chosen] for name in ("rows", "groups", "columns", "points", "conditional_z")}
        return replace(self, **parts)

    def with_points(self, points: ND, columns: IntArray) -> "Candidates":
        """Return the candidates of other points (m, d), of which other columns (m, s) change."""
        moved = replace(self, points=points, columns=columns[:, :0])
        return replace(moved, columns=columns, conditional_z=moved.conditional_z_from_center())

    def shifts(self) -> Array:
        """Return what changes: value minus mean given the unchanged columns (m, s), in conditional deviations."""
        index = np.arange(len(self.rows))[:, None]
        return solve_vectors(self.blocks(), self.conditional_z[index, self.columns])

    def conditional_z_from_center(self) -> ND:
        """Return the conditional z (m, d) after the changed columns have moved to the center of the group.

        What follows for the unchanged columns is the same as from the rows as they are, but no huge value hides it.
        """
        units = self.shapes.conditional_deviations[self.groups]
        scaled, z = (self.points - self.shapes.centers[self.groups]) / units, np.empty_like(self.points)
        scaled[np.arange(len(scaled))[:, None], self.columns] = 0.0
        for k in np.unique(self.groups):
            directions = self.shapes.directions[k]
            z[self.groups == k] = scaled[self.groups == k] @ directions @ directions.T
        return z

    def blocks(self) -> Array:
        """Return the scaled precisions of the changed columns, (m, s, s)."""
        groups = self.groups[:, None, None]
        return self.shapes.scaled_precisions[groups, self.columns[:, :, None], self.columns[:, None, :]]

    def targets(self) -> ND:
        """Return the points (m, d) after the whole change."""
        if not self.columns.shape[1]:
            return self.points
        targets, index, groups = self.points.copy(), np.arange(len(self.rows))[:, None], self.groups[:, None]
        shifts = solve_vectors(self.blocks(), self.conditional_z_from_center()[index, self.columns])
        units = self.shapes.conditional_deviations[groups, self.columns]
        targets[index, self.columns] = self.shapes.centers[groups, self.columns] - shifts * units
        return targets


def start_candidates(mixture: Mixture, points: ND, rows: IntN) -> Candidates:
    """Return one candidate for each of the ``rows`` among the points (n, d) and each near group, without columns."""
    shapes = GroupShapes.from_mixture(mixture)
    groups = np.flatnonzero(mixture.weights > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        whitened = [mixture.covariance.precision_root.whiten(points[rows] - shapes.centers[k], int(k)) for k in groups]
        distances = np.array([np.square(part).sum(axis=1) for part in whitened])
    is_representable = np.isfinite(distances).all(axis=0)
    if not is_representable.all():
        raise RowTooFarError.from_row(int(rows[np.argmin(is_representable)]))
    nearest = np.argsort(distances, axis=0, kind="stable")[:_MAX_GROUPS].T  # (len(rows), n_groups)
    index = np.repeat(np.arange(len(rows)), nearest.shape[1])
    chosen = nearest.ravel()
    z = np.array([part @ shapes.directions[k].T for k, part in zip(groups, whitened, strict=True)])
    no_columns = np.zeros((len(index), 0), dtype=np.int64)
    scales = shapes.overall_deviations(mixture.weights)
    return Candidates(shapes, scales, rows[index], groups[chosen], no_columns, points[rows[index]], z[chosen, index])


def find_expected_points(measured: MeasuredRows, rows: IntN, points: ND, groups: IntN) -> ND:
    """Return points (m, d) that ``rows`` (m,) become, with the changed columns at their mean in the ``groups`` (m,)."""
    starts = measured.points[rows]
    is_changed, expected = points != starts, points.copy()
    shapes = GroupShapes.from_mixture(measured.mixture)
    for count in np.unique(is_changed.sum(axis=1)).tolist():
        chosen = np.flatnonzero(is_changed.sum(axis=1) == count)
        columns = np.nonzero(is_changed[chosen])[1].reshape(len(chosen), count)
        scales = shapes.overall_deviations(measured.mixture.weights)
        group = Candidates(shapes, scales, rows[chosen], groups[chosen], columns, starts[chosen], starts[chosen])
        expected[chosen] = group.targets()
    return expected


def extend_candidates(candidates: Candidates) -> Candidates:
    """Return the candidates with one more column: for each row and group those that lower the distance most."""
    n_features = candidates.points.shape[1]
    gains = _gains_of_one_more_column(candidates)
    parents = np.repeat(np.arange(len(gains)), n_features)
    added = np.tile(np.arange(n_features), len(gains))
    is_possible = np.isfinite(gains.ravel())
    parents, added, gains = parents[is_possible], added[is_possible], gains.ravel()[is_possible]
    columns = np.sort(np.column_stack([candidates.columns[parents], added]), axis=1)
    sets = np.column_stack([candidates.rows[parents], candidates.groups[parents], columns])
    _, distinct = np.unique(sets, axis=0, return_index=True)
    best = distinct[np.lexsort((distinct, -gains[distinct], sets[distinct, 1], sets[distinct, 0]))]
    is_kept = _ranks_within(sets[best, :2]) < _BEAM_WIDTH
    chosen = best[is_kept]
    return replace(candidates.select(parents[chosen]), columns=columns[chosen])


def _gains_of_one_more_column(candidates: Candidates) -> ND:
    """Return by how much the squared distance falls (m, d) if one more column changes; minus infinity if it cannot."""
    z, columns = candidates.conditional_z, candidates.columns
    if not columns.shape[1]:
        return np.square(z)
    index = np.arange(len(z))[:, None]
    couplings = candidates.shapes.scaled_precisions[candidates.groups[:, None], columns]  # (m, s, d)
    links = np.matmul(inverses(candidates.blocks()), couplings)
    rest = candidates.conditional_z_from_center()
    remaining = rest - np.einsum("ms,msd->md", rest[index, columns], links)
    free = 1.0 - np.einsum("msd,msd->md", couplings, links)
    gains = np.einsum("ms,ms->m", z[index, columns], candidates.shifts())[:, None] + np.square(remaining) / np.maximum(
        free, _MIN_FREE_FRACTION
    )
    gains[free < _MIN_FREE_FRACTION] = -np.inf
    gains[index, columns] = -np.inf
    return np.asarray(gains)


def _ranks_within(keys: IntArray) -> IntN:
    """Return the rank (m,) of each entry among those of equal keys (m, 2), which lie together."""
    is_first = np.ones(len(keys), dtype=bool)
    is_first[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    starts = np.flatnonzero(is_first)
    return np.asarray(np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys)))))
