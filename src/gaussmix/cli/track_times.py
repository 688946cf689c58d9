"""Times of detections: numbers, dates, times of day, or texts that are dates."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from gaussmix.cli.table_columns import Column
from gaussmix.cli.table_reader import Table
from gaussmix.errors import DetectionTableError
from gaussmix.types import AnyArray, N

_MICROSECONDS = 1e-6
_OFFSET_PATTERN = re.compile(r":\d\d(\.\d+)?\s*[+-]\d\d:?\d\d\s*$")
_UTC_NOTE = "times with an offset are shown in coordinated universal time (UTC)."
_UNIX_SECONDS = (9.4e8, 4.1e9)  # the years 2000 to 2099
_UNIX_UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}


@dataclass(frozen=True, eq=False)
class Times:
    """Times of the rows of a file.

    Attributes
    ----------
    values : array of shape (n,)
        Numbers as in the file, or seconds since ``origin``; NaN if missing.
    unit : str
        ``seconds`` for dates and times of day, else empty: the unit of the column.
    origin : numpy.datetime64 or None
        The first date, in microseconds; None for numbers and times of day.
    notes : tuple of str
        Sentences for the user on how times were read.
    """

    values: N
    unit: str = ""
    origin: np.datetime64 | None = None
    notes: tuple[str, ...] = ()


def parse_times(table: Table, column: Column) -> Times:
    """Return the times in a column.

    Raises
    ------
    DetectionTableError
        If the column is empty, of another kind, or holds a text that is no date.
    """
    if column.is_numeric:
        return _parse_numbers(column)
    parse = _PARSERS.get(column.kind)
    if parse is None:
        raise DetectionTableError.no_times(column.name, column.kind)
    return parse(table, column)


def _parse_numbers(column: Column) -> Times:
    """Return numbers as they are, or as seconds since the first one if they are Unix times of this century."""
    values = np.where(np.isfinite(column.values), column.values, np.nan)
    for unit, per_second in _UNIX_UNITS.items():
        low, high = (bound * per_second for bound in _UNIX_SECONDS)
        if not np.isnan(values).all() and low <= np.nanmin(values) and np.nanmax(values) <= high:
            first = float(np.nanmin(values))
            origin = np.datetime64(0, "us") + np.timedelta64(round(first / per_second * 1e6), "us")
            note = f"column {column.name!r} is read as Unix time in {unit}."
            return Times((values - first) / per_second, "seconds", origin, (note,))
    return Times(values)


def _parse_dates(table: Table, column: Column) -> Times:
    """Return a column of dates as seconds since the first one."""
    cells = column.load_cells()
    assert cells is not None
    return _count_seconds(cells.astype("datetime64[us]"))


def _parse_times_of_day(table: Table, column: Column) -> Times:
    """Return a column of times of day as seconds since midnight, or with the dates of the only column that has some."""
    assert table.arrow_table is not None
    position = [name.strip() for name in table.arrow_table.schema.names].index(column.name)
    values = table.arrow_table.column(position)
    if not pa.types.is_time(values.type):
        raise DetectionTableError.no_times(column.name, column.kind)
    numbers = values.cast(pa.time64("us")).cast(pa.int64()).to_pylist()
    days = [other for other in table.columns if other.kind == "dates"]
    if len(days) == 1:
        return _add_days(days[0], np.array(numbers, dtype="timedelta64[us]"), column.name)
    return Times(np.array([np.nan if number is None else _MICROSECONDS * number for number in numbers]), "seconds")


def _add_days(days: Column, times_of_day: AnyArray, name: str) -> Times:
    """Return the times of day of a column on the dates of another one."""
    cells = days.load_cells()
    assert cells is not None
    moments = cells.astype("datetime64[D]").astype("datetime64[us]") + times_of_day
    note = f"dates of column {days.name!r} and times of day of column {name!r} count together."
    return replace(_count_seconds(moments), notes=(note,))


def _parse_texts(table: Table, column: Column) -> Times:
    """Return a column of texts that are dates as seconds since the first one."""
    known: dict[str | None, np.datetime64] = {None: np.datetime64("NaT", "us")}
    texts = column.load_texts()
    for row, text in enumerate(texts):
        if text not in known:
            moment = _parse_date(text or "")
            if moment is None:
                raise DetectionTableError.unordered_times(column.name, row + 1, text or "")
            known[text] = moment
    moments = _count_seconds(np.array([known[text] for text in texts], dtype="datetime64[us]"))
    has_offset = any(_OFFSET_PATTERN.search(text) for text in known if text)
    return replace(moments, notes=(_UTC_NOTE,)) if has_offset else moments


def _parse_date(text: str) -> np.datetime64 | None:
    """Return the moment that a text in ISO 8601 names, in coordinated universal time; None for other texts."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(moment, "us")


def _count_seconds(moments: AnyArray) -> Times:
    """Return moments (n,) as seconds since the earliest one, NaN if missing."""
    is_missing = np.isnat(moments)
    if is_missing.all():
        return Times(np.full(len(moments), np.nan), "seconds")
    origin = moments[~is_missing].min()
    seconds = (moments - origin).astype(np.int64) * _MICROSECONDS
    return Times(np.where(is_missing, np.nan, seconds), "seconds", origin)


_PARSERS: dict[str, Callable[[Table, Column], Times]] = {
    "dates": _parse_dates,
    "times": _parse_times_of_day,
    "text": _parse_texts,
}
