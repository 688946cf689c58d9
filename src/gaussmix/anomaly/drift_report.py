"""What a drift monitor found, and the rules by which its martingales are combined to one alarm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.drift_bets import BETS
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.types import ND, Array, BoolN, N

JOINT_NAME = "all columns together"  # the score that a monitor fits by itself
NEW_VALUE = "new value"  # the direction of a column that was constant in the reference
_MIN_SHARE = 0.05  # columns with less of the evidence are not named

# Several martingales (n, C) to one number per row (n,), which raises an alarm at 1 / false_alarm_rate.
COMBINATIONS: dict[str, Callable[[ND], N]] = {
    "average": lambda martingales: np.asarray(martingales.mean(axis=1)),
    "maximum": lambda martingales: np.asarray(martingales.max(axis=1) / martingales.shape[1]),
}


@dataclass(frozen=True)
class DriftingColumn:
    """A column that drives an alarm.

    Attributes
    ----------
    name : str
        Its name, such as 'column 0' without names; 'score' or 'all columns together' for the score of the rows.
    share : float
        Its part of the evidence, from 0 to 1.
    direction : str
        'up', 'down', 'wider', 'narrower', or 'new value' for a column that was constant in the reference.
    """

    name: str
    share: float
    direction: str


@dataclass(frozen=True)
class DriftReport:
    """Whether the rows still are what the reference was.

    Attributes
    ----------
    has_alarm : bool
    alarm_row : int or None
        Row of the first alarm, counted from 0 at the start of the stream.
    columns : tuple of DriftingColumn
        Columns that drove the first alarm, the largest share first; columns below 5 % are left out.
    n_rows : int
        Rows seen so far.
    n_empty_rows : int
        Those without any value, which say nothing about drift.
    empty_columns : tuple of str
        Columns without any value so far, and the score if no row had one.
    max_martingale : float
        Largest combined martingale so far.
    threshold : float
        The combined martingale that raises an alarm, 1 / false_alarm_rate.
    """

    has_alarm: bool
    alarm_row: int | None
    columns: tuple[DriftingColumn, ...]
    n_rows: int
    n_empty_rows: int
    empty_columns: tuple[str, ...]
    max_martingale: float
    threshold: float

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        rate = f"{1.0 / self.threshold:.3g}"
        if self.n_rows == self.n_empty_rows:
            found = f"{format_count(self.n_rows, 'row')} without values" if self.n_rows else "no rows"
            return f"Nothing is known about drift: the monitor has seen {found}."
        if not self.has_alarm:
            return (
                f"No drift in {format_count(self.n_rows - self.n_empty_rows, 'row')}: the martingale reached "
                f"{self.max_martingale:.3g}, and an alarm needs {self.threshold:.4g} (false-alarm rate {rate})."
                f"{self._describe_what_is_missing()}"
            )
        found = join_with_and([_describe_column(column) for column in self.columns])
        return f"Drift at row {self.alarm_row} (counted from 0): {found} (false-alarm rate {rate})."

    def _describe_what_is_missing(self) -> str:
        """Return sentences on rows and columns without values, if there are any."""
        rows = f" {format_count(self.n_empty_rows, 'more row')} had no values." if self.n_empty_rows else ""
        columns = (
            f" Not watched, for want of values: {join_with_and(self.empty_columns)}." if self.empty_columns else ""
        )
        return rows + columns

    def __str__(self) -> str:
        """Return the sentence."""
        return self.sentence


_PHRASES = {
    "up": "{name} moved up ({share:.0%} of the evidence)",
    "down": "{name} moved down ({share:.0%} of the evidence)",
    "wider": "{name} spreads wider ({share:.0%} of the evidence)",
    "narrower": "{name} became narrower ({share:.0%} of the evidence)",
    NEW_VALUE: "{name} was constant and has a new value",
}
_JOINT_PHRASE = "the columns together are unlike the reference ({share:.0%} of the evidence)"


def _describe_column(column: DriftingColumn) -> str:
    """Return what happened to a column, with its share of the evidence."""
    phrase = _JOINT_PHRASE if column.name == JOINT_NAME else _PHRASES[column.direction]
    return phrase.format(name=column.name, share=column.share)


def describe_evidence(wealth: Array, names: Sequence[str]) -> tuple[DriftingColumn, ...]:
    """Return the columns that own most of the wealth (C, bets), each with the direction whose bets won most."""
    shares = wealth.sum(axis=1) / wealth.sum()
    by_share = sorted(range(len(names)), key=lambda column: (-shares[column], column))
    chosen = [column for column in by_share if shares[column] >= _MIN_SHARE] or by_share[:1]
    return tuple(
        DriftingColumn(names[column], float(shares[column]), _winning_direction(wealth[column])) for column in chosen
    )


def describe_new_values(has_new_value: BoolN, names: Sequence[str]) -> tuple[DriftingColumn, ...]:
    """Return the columns (C,) that were constant in the reference and have a new value."""
    changed = np.flatnonzero(has_new_value).tolist()
    return tuple(DriftingColumn(names[column], 1.0 / len(changed), NEW_VALUE) for column in changed)


def _winning_direction(wealth: N) -> str:
    """Return the direction whose bets own most of a column's wealth (bets,)."""
    total: dict[str, float] = {}
    for bet, part in zip(BETS, wealth.tolist(), strict=True):
        total[bet.direction] = total.get(bet.direction, 0.0) + part
    return max(total, key=lambda direction: total[direction])
