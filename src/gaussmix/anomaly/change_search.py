"""Search for the smallest change among candidates: which of them a detector calls normal, and how far they must go."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.change_candidates import Candidates
from gaussmix.anomaly.level_candidates import fix_levels
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.errors import ParameterError
from gaussmix.types import ND, ArrayLike, BoolN, IntArray, IntN, N

_BASE, _MAX_POWER = 16.0, 128  # a way of 1e100 standard deviations, divided by this power, is less than 1e-50
_N_BISECTIONS_OF_POWER, _N_BISECTIONS = 7, 17

IsNormal = Callable[[ND], BoolN]


@dataclass(frozen=True)
class NormalRule:
    """A rule on rows (n, D) in the data's units, asked about points (n, d) in working coordinates."""

    measured: MeasuredRows
    is_normal: IsNormal

    def to_rows(self, points: ND, rows: IntN) -> ND:
        """Return points (m, d) that ``rows`` (m,) become, as rows (m, D) of values that the columns can have."""
        changed = self.measured.restore_rows(points, rows)
        return self.measured.grids.restore(changed, changed != self.measured.values[rows])

    def judge_points(self, points: ND, rows: IntN) -> tuple[BoolN, ND]:
        """Return whether points (m, d) that ``rows`` become are normal, and these rows (m, D)."""
        changed = self.to_rows(points, rows)
        return self.are_rows_normal(changed) if len(points) else np.zeros(0, dtype=bool), changed

    def are_rows_normal(self, rows: ND) -> BoolN:
        """Return what the rule says of rows (n, D); raise ParameterError unless it is one bool for each."""
        return parse_answers("the result of is_normal", self.is_normal(rows), len(rows))


def parse_answers(name: str, answers: ArrayLike, n_rows: int) -> BoolN:
    """Return answers (n,) of a rule; raise ParameterError unless there is one bool for each row."""
    values = np.asarray(answers)
    if values.dtype != np.bool_ or values.shape != (n_rows,):
        found = f"{values.dtype.name} of shape {values.shape}"
        raise ParameterError.invalid_value(name, found, "one bool for each row")
    return values


def choose_changes(candidates: Candidates, detector: NormalRule, is_preferred: BoolN) -> tuple[IntN, ND, ND]:
    """Return the rows for which a candidate works, and for each the point (d,) of the smallest change and its target.

    Columns marked in ``is_preferred`` (n, d) come first.
    """
    measured = detector.measured
    parts = [_shorten(part, detector) for part in fix_levels(candidates, measured)]
    rows, points, targets = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    starts = measured.points[rows]
    is_second_choice = ((points != starts) & ~is_preferred[rows]).any(axis=1)
    sizes = np.sqrt(np.square((points - starts) / candidates.column_scales).sum(axis=1))
    order = np.lexsort((np.arange(len(rows)), sizes, is_second_choice, rows))
    found, first = np.unique(rows[order], return_index=True)
    return found, points[order][first], targets[order][first]


def _shorten(candidates: Candidates, detector: NormalRule) -> tuple[IntN, ND, ND]:
    """Return the rows, the points and the targets of the candidates that work, moved as little as possible."""
    targets = candidates.targets()
    works, _ = detector.judge_points(targets, candidates.rows)
    candidates, targets, rows = candidates.select(works), targets[works], candidates.rows[works]
    if not candidates.columns.shape[1] or not len(rows):
        return rows, targets, targets
    points = _bisect(candidates.points, targets, rows, detector)
    points, works = _round_whole_numbers(points, targets, candidates.columns, rows, detector)
    return rows[works], points[works], targets[works]


def _round_whole_numbers(
    points: ND, targets: ND, columns: IntArray, rows: IntN, detector: NormalRule
) -> tuple[ND, BoolN]:
    """Return the points with whole numbers in the columns that have only such, and which of them are normal.

    They are rounded further along, or if that is too far, their targets are rounded.
    """
    measured = detector.measured
    numbers = measured.independent_columns[columns]
    is_whole = measured.grids.is_whole[numbers]
    if not is_whole.any():
        return points, np.ones(len(points), dtype=bool)
    index, starts = np.arange(len(rows))[:, None], measured.values[rows]
    has_whole = np.atleast_1d(is_whole.any(axis=1))
    results, is_open = points.copy(), has_whole
    works = ~has_whole
    for ends, should_continue in ((points, True), (targets, False)):
        values = detector.to_rows(ends, rows)
        own, before = values[index, numbers], starts[index, numbers]
        onward = np.where(own > before, np.ceil(own), np.floor(own)) if should_continue else np.rint(own)
        values[index, numbers] = np.where(is_whole, onward, own)
        rounded = np.where(has_whole[:, None], measured.to_points(values), ends)
        is_normal, _ = detector.judge_points(rounded, rows)
        results[is_open & is_normal] = rounded[is_open & is_normal]
        works, is_open = np.logical_or(works, is_open & is_normal), np.logical_and(is_open, ~is_normal)
    return results, works


def _bisect(starts: ND, targets: ND, rows: IntN, detector: NormalRule) -> ND:
    """Return the first normal points (m, d) on the lines from ``starts`` to normal ``targets``.

    The part of the way that is left is found to a power of 16, and then between two of these.
    """
    low, high = np.zeros(len(starts)), np.full(len(starts), float(_MAX_POWER))
    for _ in range(_N_BISECTIONS_OF_POWER):
        middle = np.floor(0.5 * (low + high))
        is_normal, _changed = detector.judge_points(_move(starts, targets, _BASE**-middle), rows)
        low, high = np.where(is_normal, low, middle), np.where(is_normal, middle, high)
    left, beyond = np.where(high == _MAX_POWER, 0.0, _BASE**-high), _BASE**-low
    for _ in range(_N_BISECTIONS):
        middle = 0.5 * (left + beyond)
        is_normal, _changed = detector.judge_points(_move(starts, targets, middle), rows)
        left, beyond = np.where(is_normal, middle, left), np.where(is_normal, beyond, middle)
    return _move(starts, targets, left)


def _move(starts: ND, targets: ND, left: N) -> ND:
    """Return the points from which fractions (m,) of the way are left; exactly the targets at 0."""
    left = left[:, None]
    return np.where(left == 0.0, targets, targets + left * (starts - targets))
