"""The smallest change that makes a row normal: the fewest columns, moved as little as a detector requires.

A candidate is a group and a set of columns. Its target gives these columns their mean given the unchanged ones, which
minimises the distance from the group. The row moves straight to the target, so that the distance falls all the way,
until the detector calls it normal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.anomaly.change_candidates import Candidates, extend_candidates, start_candidates
from gaussmix.anomaly.change_sentences import describe_changes
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.types import ND, AnyArray, ArrayLike, BoolN, IntN, N

MAX_CHANGED_COLUMNS = 3
_BASE, _MAX_POWER = 16.0, 128  # a way of 1e100 standard deviations, divided by this power, is less than 1e-50
_N_BISECTIONS_OF_POWER, _N_BISECTIONS = 7, 17

IsNormal = Callable[[ND], BoolN]


@dataclass(frozen=True)
class SmallestChanges:
    """For each of n rows the smallest change that makes it normal; values are in the data's units.

    Attributes
    ----------
    names : tuple of str
        Names (D,) of the columns.
    values : ndarray of shape (n, D)
        The rows as they are.
    changed_values : ndarray of shape (n, D)
        The rows after the change; unchanged where there is none.
    n_changed : ndarray of int of shape (n,)
        Number of columns that change, 0 for normal rows and where nothing works. Columns that a linear relation gives
        follow and do not count.
    is_found : ndarray of bool of shape (n,)
        Whether the row is normal, or becomes normal by the change.
    sentences : tuple of str
    """

    names: tuple[str, ...]
    values: ND = field(repr=False)
    changed_values: ND = field(repr=False)
    n_changed: IntN
    is_found: BoolN
    sentences: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def to_table(self) -> dict[str, AnyArray]:
        """Return columns (n,) by name, to be written to a file; ``from_`` and ``to_`` values of each column."""
        table: dict[str, AnyArray] = {
            "is_found": self.is_found,
            "n_changed": self.n_changed,
            "sentence": np.array(self.sentences, dtype=object),
        }
        for j, name in enumerate(self.names):
            table |= {f"from_{name}": self.values[:, j], f"to_{name}": self.changed_values[:, j]}
        return table

    def __str__(self) -> str:
        return "\n".join(f"row {i}: {sentence}" for i, sentence in enumerate(self.sentences))


def find_smallest_changes(
    mixture: Mixture,
    rows: ArrayLike,
    is_normal: IsNormal,
    names: Sequence[str] | None = None,
    max_columns: int = MAX_CHANGED_COLUMNS,
    are_normal: ArrayLike | None = None,
) -> SmallestChanges:
    """Return the smallest change of each row for which a detector calls it normal.

    The fewest columns change. Among sets of equally many columns the one is chosen whose change is smallest, in
    standard deviations of the columns in the whole mixture. Broken linear relations are restored first.

    Parameters
    ----------
    mixture : Mixture
        The normal groups.
    rows : array-like of shape (n, D)
        In the data's units.
    is_normal : callable
        Takes rows (m, D) in the data's units and returns an array of bool (m,). A row on the way to the target that is
        normal must stay normal.
    names : sequence of str, optional
        Names of the columns; by default those of the mixture, or of a data frame.
    max_columns : int, default=3
        At most this many columns change.
    are_normal : array-like of bool of shape (n,), optional
        What ``is_normal`` says of the rows, if that is known: they are not judged again.

    Raises
    ------
    DataError
        If there are no rows, or they do not have the columns of the mixture.
    ParameterError
        If ``is_normal`` or ``are_normal`` is not one bool for each row, or ``max_columns`` is no positive integer.
    """
    measured = MeasuredRows.from_rows(mixture, rows, names)
    max_columns = min(require_integer("max_columns", max_columns, 1), measured.points.shape[1])
    detector = _Detector(measured, is_normal)
    is_found = (
        detector.are_rows_normal(measured.values)
        if are_normal is None
        else _parse_answers("are_normal", are_normal, len(measured.values))
    )
    was_normal, changed = is_found.copy(), measured.values.copy()
    n_changed = np.zeros(len(changed), dtype=np.int64)
    broken = np.flatnonzero(~is_found & measured.breaks_relation)
    is_restored, restored = detector.judge_points(measured.points[broken], broken)
    is_found[broken] = is_restored
    changed[broken[is_restored]] = restored[is_restored]
    candidates = start_candidates(measured.mixture, measured.points, np.flatnonzero(~is_found))
    for count in range(1, max_columns + 1):
        if not len(candidates.rows):
            break
        candidates = extend_candidates(candidates)
        found, points = _choose_changes(candidates, detector)
        changed[found], n_changed[found], is_found[found] = measured.restore_rows(points, found), count, True
        candidates = candidates.select(~np.isin(candidates.rows, found))
    sentences = describe_changes(measured, changed, was_normal, is_found, max_columns)
    return SmallestChanges(measured.names, measured.values, changed, n_changed, is_found, sentences)


@dataclass(frozen=True)
class _Detector:
    """A rule on rows (n, D) in the data's units, asked about points (n, d) in working coordinates."""

    measured: MeasuredRows
    is_normal: IsNormal

    def judge_points(self, points: ND, rows: IntN) -> tuple[BoolN, ND]:
        """Return whether points (m, d) that ``rows`` become are normal, and these rows (m, D)."""
        changed = self.measured.restore_rows(points, rows)
        return self.are_rows_normal(changed) if len(points) else np.zeros(0, dtype=bool), changed

    def are_rows_normal(self, rows: ND) -> BoolN:
        """Return what the rule says of rows (n, D); raise ParameterError unless it is one bool for each."""
        return _parse_answers("the result of is_normal", self.is_normal(rows), len(rows))


def _parse_answers(name: str, answers: ArrayLike, n_rows: int) -> BoolN:
    """Return answers (n,) of a rule; raise ParameterError unless there is one bool for each row."""
    values = np.asarray(answers)
    if values.dtype != np.bool_ or values.shape != (n_rows,):
        found = f"{values.dtype.name} of shape {values.shape}"
        raise ParameterError.invalid_value(name, found, "one bool for each row")
    return values


def _choose_changes(candidates: Candidates, detector: _Detector) -> tuple[IntN, ND]:
    """Return the rows for which a candidate works, and for each the changed point (d,) of the smallest change."""
    targets = candidates.targets()
    works, _ = detector.judge_points(targets, candidates.rows)
    candidates, targets = candidates.select(works), targets[works]
    rows = candidates.rows
    points = _bisect(candidates.points, targets, rows, detector)
    sizes = np.sqrt(np.square((points - candidates.points) / candidates.column_scales).sum(axis=1))
    order = np.lexsort((np.arange(len(rows)), sizes, rows))
    found, first = np.unique(rows[order], return_index=True)
    return found, points[order][first]


def _bisect(starts: ND, targets: ND, rows: IntN, detector: _Detector) -> ND:
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
