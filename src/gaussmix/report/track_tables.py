"""Tables of a report on tracks: the tracks themselves, and the numbers of the model."""

from dataclasses import dataclass

import numpy as np

from gaussmix.report.formatting import format_number
from gaussmix.report.track_summary import ModelNumber, TrackSummary
from gaussmix.tracking.track_paths import TrackPath
from gaussmix.types import AnyArray

_TIME_DIGITS, _DIGITS = 6, 3


@dataclass(frozen=True)
class TrackRow:
    """A track as text.

    Attributes
    ----------
    label : str
    begin, end : str
        Times of the first and the last scan.
    duration : str
        Time between them; in seconds for dates.
    n_scans : str
        Number of scans from the first to the last one.
    n_detections, n_missed : str
        How many of them have a detection of the object, and how many have not.
    mean_speed : str
        In units of position per unit of time; '' without velocities.
    existence : str
        Mean probability that the object exists.
    """

    label: str
    begin: str
    end: str
    duration: str
    n_scans: str
    n_detections: str
    n_missed: str
    mean_speed: str
    existence: str


def track_table(summary: TrackSummary, max_rows: int | None = None) -> list[TrackRow]:
    """Return one row per track, the longest first, at most ``max_rows``."""
    paths = sorted(summary.paths, key=lambda path: (path.scans[0] - path.scans[-1], path.label))
    return [_track_row(path, summary.times) for path in paths[:max_rows]]


def _track_row(path: TrackPath, times: AnyArray) -> TrackRow:
    """Return a track as text."""
    speed, n_scans = path.mean_speed, int(path.scans[-1] - path.scans[0]) + 1
    return TrackRow(
        str(path.label),
        format_time(times[path.scans[0]]),
        format_time(times[path.scans[-1]]),
        format_number(path.duration, _DIGITS),
        str(n_scans),
        str(path.n_detections),
        str(n_scans - path.n_detections),
        format_number(speed, _DIGITS) if np.isfinite(speed) else "",
        f"{float(path.existence.mean()):.2f}",
    )


def format_time(value: object) -> str:
    """Return a time as text: a number, or a date with as many parts as it has."""
    if isinstance(value, np.datetime64):
        text = str(value.astype("datetime64[ms]")).replace("T", " ")
        return text.removesuffix(".000")
    if isinstance(value, float | np.floating) and value != round(float(value)):
        return format_number(float(value), _TIME_DIGITS).rstrip("0").rstrip(".")
    return f"{value:.0f}" if isinstance(value, float | np.floating) else str(value)


@dataclass(frozen=True)
class NumberRow:
    """A number of the model as text: its name, value with unit, and its 95 % interval or 'given'."""

    name: str
    value: str
    interval: str


def number_table(summary: TrackSummary) -> list[NumberRow]:
    """Return one row per number of the model."""
    return [NumberRow(each.name, _format_value(each), _format_interval(each)) for each in summary.numbers]


def _format_value(number: ModelNumber) -> str:
    """Return the value with its unit."""
    text = format_number(number.value, _DIGITS)
    return f"{text} {number.unit}".strip()


def _format_interval(number: ModelNumber) -> str:
    """Return the interval, 'given' for a number that the user has set, and '' if there is none."""
    if number.is_given:
        return "given"
    if number.low is None or number.high is None:
        return ""
    if number.low == 0.0:
        return f"at most {format_number(number.high, _DIGITS)}"
    return f"{format_number(number.low, _DIGITS)} to {format_number(number.high, _DIGITS)}"
