"""Which columns of a file of detections are time and coordinates: named by the user, or found by name and kind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix.cli.column_selection import WAYS_OUT_WITHOUT_OPTIONS, require_columns, select_numeric_columns
from gaussmix.cli.table_columns import Column
from gaussmix.cli.table_reader import Table
from gaussmix.errors import DetectionTableError

# Names of times, the clearest ones first; compared without case and units in brackets.
_TIME_NAMES = (
    "timestamp", "time", "t", "datetime", "date_time", "date", "seconds", "second", "sec", "epoch",
    "frame", "frame_id", "frame_number", "scan", "scan_id", "step", "time_step", "k",
)  # fmt: skip
# Names of coordinates that belong together; more axes come first.
_COORDINATE_NAMES = (
    ("x", "y", "z"), ("x", "y"), ("easting", "northing"), ("east", "north"),
    ("lon", "lat"), ("lng", "lat"), ("longitude", "latitude"),
    ("pos_x", "pos_y"), ("px", "py"), ("cx", "cy"), ("x_center", "y_center"), ("u", "v"),
    ("col", "row"), ("column", "row"), ("x",),
)  # fmt: skip
_UNIT_PATTERN = re.compile(r"(?<=.)_(m|km|mm|cm|px|pix|pixels?|deg|degrees|s|sec|ms|utc)$")
_OTHER_MEANING_PATTERN = re.compile(
    r"(^|_)(id|nr|no|number|index|row|label|track|object|class|target|mmsi|score|confidence|conf|snr|speed|velocity|"
    r"course|heading|sog|cog|weight|area|count)(_|$)"
)


@dataclass(frozen=True)
class TrackColumns:
    """The columns of a file of detections.

    Attributes
    ----------
    time : Column
    coordinates : tuple of Column
        One to three columns of numbers.
    were_found : bool
        Whether at least one of them was found by its name, not named by the user.
    """

    time: Column
    coordinates: tuple[Column, ...]
    were_found: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(column.name for column in self.coordinates)


def choose_track_columns(table: Table, time: str | None, axes: Sequence[str | None]) -> TrackColumns:
    """Return the columns of time and coordinates.

    Parameters
    ----------
    table : Table
    time : str or None
        Name of the column of times; None to find it.
    axes : sequence of three str or None
        Names of the columns of x, y and z; all None to find them.

    Raises
    ------
    ColumnNameError
        If a named column does not exist.
    DetectionTableError, TableError
        If a column cannot be found, has two meanings, or coordinates are not numeric.
    """
    named = [name for name in (time, *axes) if name is not None]
    require_columns(table, named)
    for name in named:
        if named.count(name) > 1:
            raise DetectionTableError.repeated_column(name)
    time_column = _get_column(table, time) if time is not None else _find_time(table, named)
    names = _require_no_missing_axis(axes) or _find_coordinates(table, time_column)
    select_numeric_columns(_drop_missing(table, names), names, ways_out=WAYS_OUT_WITHOUT_OPTIONS)
    were_found = time is None or axes[0] is None
    return TrackColumns(time_column, tuple(_get_column(table, name) for name in names), were_found)


def _get_column(table: Table, name: str) -> Column:
    """Return the column of a name."""
    return table.columns[table.column_names.index(name)]


def _drop_missing(table: Table, names: Sequence[str]) -> Table:
    """Return the same columns without values, to check their kinds alone."""
    columns = tuple(
        Column(
            column.name,
            column.kind,
            column.values[:0],
            column.non_numeric_reason,
            column.n_numeric,
            column.n_non_missing,
        )
        for column in table.columns
        if column.name in names
    )
    return Table(table.path, 0, columns)


def _require_no_missing_axis(axes: Sequence[str | None]) -> list[str]:
    """Return the names of the given axes; raise DetectionTableError if y is given without x, or z without y."""
    options = ("--x", "--y", "--z")
    for position in range(1, len(axes)):
        if axes[position] is not None and axes[position - 1] is None:
            raise DetectionTableError.missing_axis(options[position], options[position - 1])
    return [name for name in axes if name is not None]


def _normalize_name(name: str) -> str:
    """Return a name in lower case, without its unit, with underscores between words: 'time' for 'Time [s]'."""
    words = re.sub(r"[\s\-.]+", "_", re.sub(r"[\[(].*?[\])]", "", name).strip().lower())
    return _UNIT_PATTERN.sub("", words)


def _find_time(table: Table, taken: Sequence[str]) -> Column:
    """Return the column whose name is that of a time, else the only column of dates."""
    free = [column for column in table.columns if column.name not in taken and column.kind != "empty"]
    by_name = {_normalize_name(column.name): column for column in reversed(free)}
    found = [by_name[name] for name in _TIME_NAMES if name in by_name]
    dates = [column for column in free if column.kind in ("dates", "times")]
    if not found and len(dates) == 1:
        found = dates
    if not found:
        raise DetectionTableError.no_time_column(table.path, table.column_names)
    return found[0]


def _find_coordinates(table: Table, time: Column) -> list[str]:
    """Return the names of columns with the names of coordinates, else of the only two columns of numbers.

    Columns with such names may be text; the reader of their values says why.
    """
    free = [column for column in table.columns if column is not time]
    by_name = {_normalize_name(column.name): column.name for column in reversed(free)}
    for names in _COORDINATE_NAMES:
        if all(name in by_name for name in names):
            return [by_name[name] for name in names]
    numeric = [column.name for column in free if column.is_numeric]
    others = [name for name in numeric if not _OTHER_MEANING_PATTERN.search(_normalize_name(name))]
    if len(others) == 2:
        return others
    raise DetectionTableError.no_coordinates(table.path, numeric)
