"""The smallest change that makes a row normal: the fewest columns, moved as little as a detector requires.

A candidate is a group and a set of columns. Its target gives these columns their mean given the unchanged ones, which
minimises the distance from the group. The row moves straight to the target, so that the distance falls all the way,
until the detector calls it normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gaussmix.anomaly.change_candidates import extend_candidates, find_expected_points, start_candidates
from gaussmix.anomaly.change_search import IsNormal, NormalRule, choose_changes, parse_answers
from gaussmix.anomaly.change_sentences import describe_changes
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.anomaly.value_grids import ValueGrids
from gaussmix.core.scalar_checks import require_integer
from gaussmix.model import Mixture
from gaussmix.types import ND, AnyArray, ArrayLike, BoolN, IntN

MAX_CHANGED_COLUMNS = 3


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
    expected_values : ndarray of shape (n, D)
        What the unchanged columns let expect in those that change; the changed values in all others.
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
    expected_values: ND = field(repr=False)
    n_changed: IntN
    is_found: BoolN
    sentences: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def to_table(self) -> dict[str, AnyArray]:
        """Return columns (n,) by name, for a file; ``from_``, ``to_`` and ``expected_`` values of each column."""
        table: dict[str, AnyArray] = {
            "is_found": self.is_found,
            "n_changed": self.n_changed,
            "sentence": np.array(self.sentences, dtype=object),
        }
        for j, name in enumerate(self.names):
            table |= {f"from_{name}": self.values[:, j], f"to_{name}": self.changed_values[:, j]}
            table[f"expected_{name}"] = self.expected_values[:, j]
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
    grids: ValueGrids | None = None,
    preferred_columns: ArrayLike | None = None,
    preferred_groups: IntN | None = None,
) -> SmallestChanges:
    """Return the smallest change of each row for which a detector calls it normal.

    The fewest columns change. Among sets of equally many columns those of preferred columns come first, then the one
    whose change is smallest, in standard deviations of the columns in the whole mixture. Broken linear relations are
    restored first.

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
    grids : ValueGrids, optional
        Which values the columns can have: few values that occur, or whole numbers. By default any.
    preferred_columns : array-like of bool of shape (n, d), optional
        Linearly independent columns of each row to change rather than others, such as those that its reason names.
    preferred_groups : ndarray of int of shape (n,), optional
        The group whose expectation is named, such as that of the reason; by default the one that the row moves to.

    Raises
    ------
    DataError
        If there are no rows, or they do not have the columns of the mixture.
    ParameterError
        If ``is_normal`` or ``are_normal`` is not one bool for each row, or ``max_columns`` is no positive integer.
    """
    measured = MeasuredRows.from_rows(mixture, rows, names, grids)
    max_columns = min(require_integer("max_columns", max_columns, 1), measured.points.shape[1])
    detector = NormalRule(measured, is_normal)
    is_found = (
        detector.are_rows_normal(measured.values)
        if are_normal is None
        else parse_answers("are_normal", are_normal, len(measured.values))
    )
    is_preferred = np.zeros(measured.points.shape, dtype=bool)
    if preferred_columns is not None:
        is_preferred[:] = preferred_columns
    was_normal, is_found = is_found, is_found.copy()
    changed, n_changed = _restore_relations(detector, is_found), np.zeros(len(is_found), dtype=np.int64)
    expected = changed.copy()
    candidates = start_candidates(measured.mixture, measured.points, np.flatnonzero(~is_found))
    for count in range(1, max_columns + 1):
        if not len(candidates.rows):
            break
        candidates = extend_candidates(candidates)
        found, points, targets = choose_changes(candidates, detector, is_preferred)
        changed[found], n_changed[found], is_found[found] = detector.to_rows(points, found), count, True
        if preferred_groups is not None:
            targets = find_expected_points(measured, found, points, preferred_groups[found])
        is_moved = changed[found] != measured.values[found]
        expected[found] = np.where(is_moved, detector.to_rows(targets, found), changed[found])
        candidates = candidates.select(~np.isin(candidates.rows, found))
    sentences = describe_changes(measured, changed, expected, was_normal, is_found, max_columns)
    return SmallestChanges(measured.names, measured.values, changed, expected, n_changed, is_found, sentences)


def _restore_relations(detector: NormalRule, is_found: BoolN) -> ND:
    """Return the rows (n, D), with restored relations where that is enough; mark these in ``is_found`` (n,)."""
    measured, changed = detector.measured, detector.measured.values.copy()
    broken = np.flatnonzero(~is_found & measured.breaks_relation)
    is_restored, restored = detector.judge_points(measured.points[broken], broken)
    is_found[broken] = is_restored
    changed[broken[is_restored]] = restored[is_restored]
    return changed
