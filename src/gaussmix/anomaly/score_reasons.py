"""``ScoreReasons``: columns by which a score says that rows are unusual, where the groups of normal rows see nothing.

A detector scores rows by many mixtures, and explains them by a few groups of normal rows. A row may be ordinary to
these groups and still lie where few rows are. Its reason then follows from the score itself: a column takes its mean
given the other columns of a group, and the log tail of the score says what that changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.change_candidates import Candidates, extend_candidates, start_candidates
from gaussmix.anomaly.deviating_columns import DeviatingColumns
from gaussmix.anomaly.deviations import Deviations
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.types import ND, Array, BoolN, IntArray, IntN, N

LogTail = Callable[[ND], N]

MAX_REASON_COLUMNS = 3
_MAX_FRACTION_LEFT = 0.5  # of the log tail, after a change that accounts for it
MIN_CLEAR_Z = 2.0  # of a column that deviates from its group: smaller deviations are chance
_ORDINARY_LOG_TAIL = float(np.log(0.25))  # the score of a quarter of the normal rows is at least as unusual


@dataclass(frozen=True)
class ScoreReasons:
    """Reasons of m rows.

    Attributes
    ----------
    rows : ndarray of int of shape (m,)
        Positions among all rows, ascending.
    log_tails : ndarray of shape (m,)
        Log probability that a normal row is as unusual, in nats.
    columns : ndarray of int of shape (m, 3)
        Columns that account for the score, the one that changes it most first; -1 where there is none.
    groups : ndarray of int of shape (m, 3)
        The group whose conditional mean each column takes.
    targets : ndarray of shape (m, 3)
        These means, in working coordinates.
    is_joint : ndarray of bool of shape (m,)
        Whether the columns account for the score only together; else each of them does alone.
    confirmed : ndarray of int
        Positions of other rows, for whose score the columns account that deviate from their group.
    """

    rows: IntN
    log_tails: N
    columns: IntArray
    groups: IntArray
    targets: Array
    is_joint: BoolN
    confirmed: IntN

    @classmethod
    def none(cls) -> "ScoreReasons":
        """Return no reasons: of no rows."""
        no_columns = np.zeros((0, MAX_REASON_COLUMNS), dtype=np.int64)
        nothing, no_rows = np.zeros(no_columns.shape), no_columns[:, 0]
        return cls(no_rows, nothing[:, 0], no_columns, no_columns, nothing, np.zeros(0, bool), no_rows)

    @property
    def is_ordinary(self) -> BoolN:
        """Whether the score, too, calls each row ordinary, (m,)."""
        return np.asarray(self.log_tails > _ORDINARY_LOG_TAIL)

    @property
    def replaced_rows(self) -> IntN:
        """Positions of the rows whose deviations these reasons replace."""
        return self.rows[~self.is_ordinary]

    def replace_groups(self, groups: IntN) -> IntN:
        """Return groups (n,) with those of the first columns in place of those of these rows."""
        replaced = groups.copy()
        has_columns = self.columns[:, 0] >= 0
        replaced[self.rows[has_columns]] = self.groups[has_columns, 0]
        return replaced

    def replace_deviations(self, found: DeviatingColumns, deviations: Deviations, measured: MeasuredRows) -> None:
        """Write these columns and their deviations in place of those that the groups of normal rows suggest.

        Rows whose score is ordinary keep what their group suggests.
        """
        width = min(found.columns.shape[1], MAX_REASON_COLUMNS)
        rows, is_replaced = self.replaced_rows, ~self.is_ordinary
        columns, groups = self.columns[is_replaced, :width], self.groups[is_replaced, :width]
        targets = self.targets[is_replaced, :width]
        is_known, chosen = columns >= 0, np.maximum(columns, 0)
        units = deviations.shapes.conditional_deviations[groups, chosen]
        shifts = measured.points[rows[:, None], chosen] - targets
        own = {"columns": columns, "z": shifts / units, "expected": targets, "deviations": units}
        for name, values in own.items():
            empty = -1 if name == "columns" else 0.0
            getattr(found, name)[rows] = empty
            getattr(found, name)[rows, :width] = np.where(is_known, values, empty)
        found.partial_correlations[rows], found.is_rest_normal[rows] = 0.0, True


def find_score_reasons(measured: MeasuredRows, found: DeviatingColumns, rows: IntN, log_tail: LogTail) -> ScoreReasons:
    """Return the reasons of some ``rows`` (m,), ascending, by a score whose log tails a function gives.

    Where the columns that deviate from the group, ``found``, account for the score, they remain the reason.
    """
    log_tails = np.asarray(log_tail(measured.values[rows]), dtype=np.float64)
    is_ordinary = log_tails > _ORDINARY_LOG_TAIL
    is_confirmed = ~is_ordinary & _account_for_scores(measured, found, rows, log_tails, log_tail)
    confirmed, rows, log_tails = rows[is_confirmed], rows[~is_confirmed], log_tails[~is_confirmed]
    shape = (len(rows), MAX_REASON_COLUMNS)
    columns, groups = np.full(shape, -1), np.zeros(shape, dtype=np.int64)
    reasons = ScoreReasons(rows, log_tails, columns, groups, np.zeros(shape), np.zeros(len(rows), bool), confirmed)
    if reasons.is_ordinary.all():
        return reasons
    candidates = start_candidates(measured.mixture, measured.points, rows[~reasons.is_ordinary])
    for is_joint in (False, True):
        if is_joint and measured.points.shape[1] < 2:
            break
        candidates = extend_candidates(candidates)
        _fill_in(reasons, candidates, measured, log_tail, is_joint)
        candidates = candidates.select(np.isin(candidates.rows, rows[reasons.columns[:, 0] < 0]))
        if not len(candidates.rows):
            break
    return reasons


def _account_for_scores(
    measured: MeasuredRows, found: DeviatingColumns, rows: IntN, log_tails: N, log_tail: LogTail
) -> BoolN:
    """Return whether the columns that deviate clearly from the group account for the scores of ``rows`` (m,)."""
    points = measured.points[rows]
    index, places = np.nonzero(found.columns[rows] >= 0)
    points[index, found.columns[rows[index], places]] = found.expected[rows[index], places]
    after = np.asarray(log_tail(measured.restore_rows(points, rows)))
    is_clear = (np.abs(found.z[rows, 0]) >= MIN_CLEAR_Z) & found.is_rest_normal[rows]
    return np.asarray(is_clear & (after >= _MAX_FRACTION_LEFT * log_tails))


def _fill_in(
    found: ScoreReasons, candidates: Candidates, measured: MeasuredRows, log_tail: LogTail, is_joint: bool
) -> None:
    """Write the candidates that account for the scores: single columns, or the best pair of each row."""
    targets = candidates.targets()
    after = np.asarray(log_tail(measured.restore_rows(targets, candidates.rows)))
    positions = np.searchsorted(found.rows, candidates.rows)
    order = np.lexsort((np.arange(len(after)), -after.round(9), positions))
    for i in order[after[order] >= _MAX_FRACTION_LEFT * found.log_tails[positions[order]]].tolist():
        row, columns = positions[i], candidates.columns[i]
        n_known = int((found.columns[row] >= 0).sum())
        is_new = n_known == 0 if is_joint else n_known < MAX_REASON_COLUMNS and columns[0] not in found.columns[row]
        if is_new:
            places = slice(n_known, n_known + len(columns))
            found.columns[row, places], found.groups[row, places] = columns, candidates.groups[i]
            found.targets[row, places], found.is_joint[row] = targets[i, columns], is_joint
