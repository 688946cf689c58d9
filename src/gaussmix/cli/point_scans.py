"""The scans of a file of points: rows of equal time, with the empty scans that a constant time step implies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat
from gaussmix.cli.table_reader import Table, read_table
from gaussmix.cli.track_columns import TrackColumns, choose_track_columns
from gaussmix.cli.track_times import Times, parse_times
from gaussmix.errors import DetectionTableError
from gaussmix.errors.text import format_count
from gaussmix.tracking.model_fitting.far_detections import find_far_detections
from gaussmix.types import ND, AnyArray, BoolN, IntN, N

_STEP_TOLERANCE = 1e-3  # of a constant step, in fractions of it
_MIN_SINGLE_STEPS = 0.5  # fraction of the steps that have the length of the constant one
_MAX_LOG_IMPROBABILITY = 14.0  # one in a million
_MAX_EMPTY_PER_SCAN = 3.0  # more empty scans than that for each scan with detections are no empty scans


@dataclass(frozen=True, eq=False)
class PointScans:
    """A recording of points.

    Attributes
    ----------
    table : Table
        The file.
    columns : TrackColumns
    scans : list of arrays of shape (n, p)
        Positions of the detections of each scan, in the order of time.
    rows : list of int arrays of shape (n,)
        Rows of the file, from 0, of these detections.
    times : array of shape (n_scans,)
        In the unit of the column, or seconds.
    time_cells : array of shape (n_scans,)
        Times as they are written: numbers or datetime64.
    unit : str
        Unit of time; empty if it is that of the column.
    notes : tuple of str
        Sentences for the user on rows that were left out, the order of rows, and empty scans.
    """

    table: Table
    columns: TrackColumns
    scans: list[ND]
    rows: list[IntN]
    times: N
    time_cells: AnyArray
    unit: str
    notes: tuple[str, ...]

    @property
    def steps(self) -> N:
        """Time before each scan, (n_scans,); 0 before the first one."""
        return np.diff(self.times, prepend=self.times[:1])

    @property
    def n_detections(self) -> int:
        """Number of detections in all scans."""
        return sum(len(scan) for scan in self.scans)


def read_point_scans(
    path: Path,
    time: str | None,
    axes: Sequence[str | None],
    scan_length: float | None = None,
    max_scans: int | None = None,
    table_format: TableFormat = DEFAULT_FORMAT,
) -> PointScans:
    """Read a table of points.

    Parameters
    ----------
    path : Path
    time : str or None
        Column of times or frame numbers; None to find it.
    axes : sequence of three str or None
        Columns of x, y and z; all None to find them.
    scan_length : float, optional
        Rows within this time, counted from the first one, are one scan. Default: rows of equal time.
    max_scans : int, optional
        Read the first scans only.
    table_format : TableFormat

    Raises
    ------
    FileError, ColumnNameError
        If the file or a column cannot be used.
    """
    table = read_table(path, table_format)
    columns = choose_track_columns(table, time, axes)
    times = _round_times(parse_times(table, columns.time), scan_length)
    positions = np.column_stack([column.values for column in columns.coordinates])
    is_complete = np.isfinite(positions).all(axis=1) & ~np.isnan(times.values)
    notes = [*table.notes, *times.notes, *_note_missing(is_complete), *_note_order(times.values[is_complete])]
    kept = np.flatnonzero(is_complete)
    if not len(kept):
        raise DetectionTableError.no_detections(path, table.n_rows)
    is_far = find_far_detections(positions[kept])
    notes += _note_far(columns, kept[is_far], positions[kept[is_far]])
    kept = kept[~is_far]
    _require_movement(columns, times.values[kept], positions[kept])
    moments, members = np.unique(times.values[kept], return_inverse=True)
    every, gap_notes = _fill_empty_scans(moments, len(kept) / len(moments))
    notes += gap_notes
    n_scans = len(every) if max_scans is None else min(max_scans, len(every))
    slots = np.searchsorted(every, moments)[members]
    order = kept[np.argsort(slots, kind="stable")]
    borders = np.searchsorted(np.sort(slots), np.arange(1, len(every)))
    rows = np.split(order, borders)[:n_scans]
    scans = [positions[scan_rows] for scan_rows in rows]
    cells = _format_times(times, every[:n_scans])
    return PointScans(table, columns, scans, rows, every[:n_scans], cells, times.unit, tuple(notes))


def _round_times(times: Times, scan_length: float | None) -> Times:
    """Return each time as the beginning of its scan; the times themselves without a length of scans."""
    if scan_length is None or np.isnan(times.values).all():
        return times
    first = float(np.nanmin(times.values))
    numbers = np.floor((times.values - first) / scan_length + _STEP_TOLERANCE)  # rounding may put a border below it
    return replace(times, values=first + scan_length * numbers)


def _note_missing(is_complete: BoolN) -> list[str]:
    """Return a note on rows without a time or a coordinate."""
    n_missing = int((~is_complete).sum())
    if not n_missing:
        return []
    verb = "is" if n_missing == 1 else "are"
    return [f"{format_count(n_missing, 'row')} without a time or a finite coordinate {verb} left out."]


def _note_far(columns: TrackColumns, rows: IntN, positions: ND) -> list[str]:
    """Return a note on rows that are far from all others."""
    if not len(rows):
        return []
    values = ", ".join(f"{name} = {value:.4g}" for name, value in zip(columns.names, positions[0], strict=True))
    verb, first = ("is", "data row") if len(rows) == 1 else ("are", "the first is data row")
    return [f"{format_count(len(rows), 'row')} far from all others {verb} left out ({first} {rows[0] + 1}: {values})."]


def _note_order(times: N) -> list[str]:
    """Return a note if rows are not in the order of time."""
    return ["the rows are not in the order of time; they are sorted."] if (np.diff(times) < 0).any() else []


def _require_movement(columns: TrackColumns, times: N, positions: ND) -> None:
    """Raise DetectionTableError if all rows have one time, or the same value of a coordinate."""
    if (times == times[0]).all():
        raise DetectionTableError.one_scan(columns.time.name, len(times))
    is_constant = (positions == positions[0]).all(axis=0)
    if is_constant.any():
        names = [name for name, constant in zip(columns.names, is_constant, strict=True) if constant]
        raise DetectionTableError.constant_coordinates(names)


def _fill_empty_scans(moments: N, n_per_scan: float) -> tuple[N, list[str]]:
    """Return the times of all scans, with those between that a constant step implies, and notes on them.

    There is a constant step if all differences of successive times are multiples of the median one, and at least half
    of them are equal to it. So many successive scans without detections that a Poisson process with ``n_per_scan``
    detections a scan would hardly have them are a pause of the recording, and no empty scans.
    """
    differences = np.diff(moments)
    step = float(np.median(differences))
    multiples = np.round(differences / step)
    is_constant = (
        len(moments) > 2
        and bool((np.abs(differences / step - multiples) <= _STEP_TOLERANCE * np.maximum(multiples, 1)).all())
        and float((multiples == 1).mean()) >= _MIN_SINGLE_STEPS
    )
    is_pause = (multiples - 1.0) * n_per_scan > _MAX_LOG_IMPROBABILITY
    n_pauses, n_empty = int(is_pause.sum()), int((multiples[~is_pause] - 1.0).sum())
    if not is_constant or not (n_empty or n_pauses):
        return moments, []
    notes = [_describe_pauses(n_pauses)] if n_pauses else []
    if not n_empty:
        return moments, notes
    if n_empty > _MAX_EMPTY_PER_SCAN * len(moments):
        return moments, ["times have long gaps, which count as gaps in the recording, not as scans without detections."]
    counts = np.where(is_pause, 1, multiples).astype(int)
    fractions = [np.arange(1, count) / count for count in counts.tolist()]
    between = [moments[k] + fraction * differences[k] for k, fraction in enumerate(fractions) if len(fraction)]
    empty = "1 scan without detections counts" if n_empty == 1 else f"{n_empty} scans without detections count"
    note = f"times have a constant step of {step:.6g}; {empty} as empty."
    return np.sort(np.concatenate([moments, *between])), [note, *notes]


def _describe_pauses(n_pauses: int) -> str:
    """Return a note on pauses of the recording."""
    verb = "counts as a pause" if n_pauses == 1 else "count as pauses"
    return (
        f"{format_count(n_pauses, 'gap')} in the times {verb} of the recording: so many empty scans are too improbable."
    )


def _format_times(times: Times, moments: N) -> AnyArray:
    """Return times as they are written to files: numbers as in the file, or dates."""
    if times.origin is None:
        is_whole = bool((moments == np.round(moments)).all() and (np.abs(moments) < 2.0**53).all())
        return moments.astype(np.int64) if is_whole else moments
    return np.asarray(times.origin + np.round(moments * 1e6).astype("timedelta64[us]"))
