"""The state of a drift monitor as a frozen value, and the step from one state to the next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.drift_bets import BETS, bet_sequentially, initial_wealth
from gaussmix.anomaly.drift_ranks import RankBins, make_rank_bins, rank_sequentially
from gaussmix.anomaly.drift_report import (
    COMBINATIONS,
    DriftingColumn,
    DriftReport,
    describe_evidence,
    describe_new_values,
)
from gaussmix.types import ND, Array, BoolN, D, IntArray, N

SCORE_NAME = "score"

_MAX_BLOCK_ROWS = 4096
_MAX_BLOCK_CELLS = 2**22  # rows x columns x bets whose wealth is kept for a moment


@dataclass(frozen=True)
class DriftColumns:
    """The columns of the rows, and whether their score is watched, too.

    Attributes
    ----------
    n_features : int
    feature_names : tuple of str or None
        Names of a data frame's columns.
    score_name : str or None
        Name of the score of the rows, which is one more column, the last one; None if it is not watched.
    """

    n_features: int
    feature_names: tuple[str, ...] | None
    score_name: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the C watched columns: 'column 0' and so on for columns without names, then that of the score."""
        names = self.feature_names or tuple(f"column {column}" for column in range(self.n_features))
        return names if self.score_name is None else (*names, self.score_name)


@dataclass(frozen=True)
class DriftSetup:
    """What does not change during a stream.

    Attributes
    ----------
    bins : RankBins
    constant_values : array (C,)
        The value of each column that is constant in the reference, NaN for the others.
    columns : DriftColumns
    combination : str
        A key of `COMBINATIONS`.
    false_alarm_rate : float
    """

    bins: RankBins
    constant_values: D
    columns: DriftColumns
    combination: str
    false_alarm_rate: float

    @property
    def threshold(self) -> float:
        """The combined martingale that raises an alarm."""
        return 1.0 / self.false_alarm_rate


@dataclass(frozen=True)
class DriftState:
    """What changes during a stream.

    These are the counts (C, B) per bin, the wealth (C, bets), the number of values (C,) that were not missing, the
    number of rows without any value, and the first alarm, if any.
    """

    counts: IntArray
    wealth: Array
    n_values: IntArray
    n_empty_rows: int = 0
    n_rows: int = 0
    max_martingale: float = 1.0
    alarm_row: int | None = None
    alarm_columns: tuple[DriftingColumn, ...] = ()

    def to_report(self, setup: DriftSetup) -> DriftReport:
        """Return what was found so far."""
        names = zip(setup.columns.names, self.n_values.tolist(), strict=True)
        return DriftReport(
            self.alarm_row is not None,
            self.alarm_row,
            self.alarm_columns,
            self.n_rows,
            self.n_empty_rows,
            tuple(name for name, n_values in names if n_values == 0),
            self.max_martingale,
            setup.threshold,
        )


@dataclass(frozen=True, repr=False)
class DriftUpdate:
    """The martingales after each row of an update.

    Attributes
    ----------
    first_row : int
        Number of rows seen before this update.
    combined : array (n,)
        All martingales combined; an alarm is raised at 1 / false_alarm_rate.
    martingales : array (n, C)
        One for each column, and the last one for the score, if there is one.
    p_values : array (n, C)
        Sequential conformal p-values; near 0 for the smallest values, NaN for missing cells.
    has_new_value : array (n, C) of bool
        Whether the column was constant in the reference and has another value here.
    """

    first_row: int
    combined: N
    martingales: ND
    p_values: ND
    has_new_value: BoolN

    def __repr__(self) -> str:
        """Return the rows and the largest combined martingale; the arrays would fill pages."""
        if not len(self.combined):
            return "DriftUpdate(no rows)"
        last_row = self.first_row + len(self.combined) - 1
        return f"DriftUpdate(rows {self.first_row} to {last_row}, combined martingale up to {self.combined.max():.3g})"


class SetupAndState(NamedTuple):
    """A setup, and the state before the first row."""

    setup: DriftSetup
    state: DriftState


class StateAndUpdate(NamedTuple):
    """The state after some rows, and their martingales."""

    state: DriftState
    update: DriftUpdate


def initialize_state(
    reference: ND, columns: DriftColumns, combination: str, false_alarm_rate: float, seed: int
) -> SetupAndState:
    """Return the setup and the first state for a reference (n, C)."""
    bins, counts = make_rank_bins(reference, seed)
    smallest, largest = np.nanmin(reference, axis=0), np.nanmax(reference, axis=0)
    constant_values = np.where(smallest == largest, smallest, np.nan)
    setup = DriftSetup(bins, constant_values, columns, combination, false_alarm_rate)
    n_columns = reference.shape[1]
    return SetupAndState(setup, DriftState(counts, initial_wealth(n_columns), np.zeros(n_columns, dtype=np.int64)))


def advance_state(setup: DriftSetup, state: DriftState, values: ND) -> StateAndUpdate:
    """Return the state after the rows of ``values`` (n, C), and their martingales; n may be 0."""
    updates = []
    for block in _split_rows(values):
        state, update = _advance_block(setup, state, block)
        updates.append(update)
    return StateAndUpdate(state, _concatenate_updates(updates))


def _split_rows(values: ND) -> Iterator[ND]:
    """Yield blocks of rows, at least one."""
    n_rows = min(_MAX_BLOCK_ROWS, max(1, _MAX_BLOCK_CELLS // (values.shape[1] * len(BETS))))
    for start in range(0, max(1, len(values)), n_rows):
        yield values[start : start + n_rows]


def _advance_block(setup: DriftSetup, state: DriftState, values: ND) -> StateAndUpdate:
    """Return the state after a block of rows, and their martingales."""
    p_values, counts = rank_sequentially(values, state.n_rows, setup.bins, state.counts)
    martingales, wealth_path = bet_sequentially(p_values, state.n_rows, state.wealth)
    combined = COMBINATIONS[setup.combination](martingales)
    is_constant = ~np.isnan(setup.constant_values)
    is_missing = np.isnan(values)
    has_new_value = np.asarray(is_constant & ~is_missing & (values != setup.constant_values))
    update = DriftUpdate(state.n_rows, combined, martingales, p_values, has_new_value)
    after = _record_alarm(setup, state, update, wealth_path)
    return StateAndUpdate(
        replace(
            after,
            counts=counts,
            wealth=wealth_path[-1] if len(values) else state.wealth,
            n_rows=state.n_rows + len(values),
            n_values=state.n_values + (~is_missing).sum(axis=0),
            n_empty_rows=state.n_empty_rows + int(is_missing.all(axis=1).sum()),
            max_martingale=float(np.max(combined, initial=state.max_martingale)),
        ),
        update,
    )


def _record_alarm(setup: DriftSetup, state: DriftState, update: DriftUpdate, wealth_path: Array) -> DriftState:
    """Return the state with the first alarm of the stream, if it is one of these rows."""
    has_new_value = np.asarray(update.has_new_value.any(axis=1))
    is_alarm = has_new_value | (update.combined >= setup.threshold)
    if state.alarm_row is not None or not is_alarm.any():
        return state
    row = int(np.argmax(is_alarm))
    names = setup.columns.names
    if has_new_value[row]:
        columns = describe_new_values(update.has_new_value[row], names)
    else:
        columns = describe_evidence(wealth_path[row], names)
    return replace(state, alarm_row=update.first_row + row, alarm_columns=columns)


def _concatenate_updates(updates: list[DriftUpdate]) -> DriftUpdate:
    """Return consecutive updates as one."""
    return DriftUpdate(
        updates[0].first_row,
        np.concatenate([update.combined for update in updates]),
        np.concatenate([update.martingales for update in updates]),
        np.concatenate([update.p_values for update in updates]),
        np.concatenate([update.has_new_value for update in updates]),
    )
