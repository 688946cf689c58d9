"""What the plots of tracks share: checks of their input, axis labels, styles of tracks, and times."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, LINE_STYLES, OKABE_ITO_COLOURS, Style, distinct_styles
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.track_paths import TrackPath
from gaussmix.types import ND, AnyArray, ArrayLike, N

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MAX_LABELS = 30  # more labels would be illegible
_MAX_LEGEND_ENTRIES = 16
_MAX_VECTOR_POINTS = 2000  # more points become a bitmap within a vector file


def check_estimates(estimates: Sequence[Estimates]) -> list[Estimates]:
    """Return the argument as a list; raise ParameterError unless it is a sequence of Estimates."""
    found = list(estimates) if isinstance(estimates, Sequence) else [estimates]
    wrong = [each for each in found if not isinstance(each, Estimates)]
    if wrong or not found:
        allowed = "a list of Estimates, as run of a tracker returns it"
        raise ParameterError.invalid_value("estimates", type(wrong[0]) if wrong else found, allowed)
    return found


def parse_scans(detections: Sequence[ArrayLike] | None, n_scans: int) -> list[ND]:
    """Return the detections of each scan as arrays (n, p); [] for None.

    Raises
    ------
    ParameterError
        If there is another number of scans.
    """
    if detections is None:
        return []
    if len(detections) != n_scans:
        allowed = f"detections of {n_scans} scans, one for each of the estimates"
        raise ParameterError.invalid_value("detections", f"{len(detections)} scans", allowed)
    scans = [np.asarray(scan, dtype=np.float64) for scan in detections]
    return [scan if scan.ndim == 2 else scan.reshape(0, 1) for scan in scans]


def parse_times(times: ArrayLike | None, estimates: Sequence[Estimates]) -> AnyArray:
    """Return the time of each scan, by default that of the estimates; numbers or datetime64."""
    if times is None:
        return np.array([each.time for each in estimates])
    values = np.asarray(times)
    if values.shape != (len(estimates),):
        raise ParameterError.wrong_shape("times", values.shape, (len(estimates),))
    return values


def choose_track_styles(paths: Sequence[TrackPath]) -> list[Style]:
    """Return a style for each track in the order of labels: eight colours, then the same ones with other lines."""
    colours = distinct_styles(len(OKABE_ITO_COLOURS))
    return [
        replace(colours[i % len(colours)], line_style=LINE_STYLES[i // len(colours) % len(LINE_STYLES)])
        for i in range(len(paths))
    ]


def to_plane(positions: ND, times: N) -> ND:
    """Return points (n, 2): the first two coordinates, or times and positions if there is one coordinate."""
    if positions.shape[1] == 1:
        return np.column_stack([times, positions[:, 0]])
    return np.asarray(positions[:, :2])


def label_plane(ax: "Axes", names: Sequence[str] | None, n_axes: int) -> None:
    """Label the axes of the plane; equal units on both axes if they are coordinates in space."""
    chosen = list(names) if names is not None else list("xyz")
    if n_axes == 1:
        canvas.label_axes(ax, "time", canvas.truncate_name(chosen[0]))
    else:
        canvas.label_axes(ax, canvas.truncate_name(chosen[0]), canvas.truncate_name(chosen[1]))
        ax.set_aspect("equal", adjustable="datalim")
    ax.ticklabel_format(useOffset=False)
    canvas.hide_top_right_spines(ax)


def draw_detections(ax: "Axes", points: ND) -> None:
    """Draw detections (n, 2) as small grey dots."""
    size = float(np.clip(3000 / max(len(points), 1), 1.5, 9.0))
    is_rasterized = len(points) > _MAX_VECTOR_POINTS
    ax.scatter(points[:, 0], points[:, 1], s=size, color=GREY, alpha=0.35, linewidths=0, rasterized=is_rasterized)


def make_track_legend(paths: Sequence[TrackPath], styles: Sequence[Style]) -> "list[Artist]":
    """Return a legend entry for each of the longest tracks, at most 16 of them, in the order of labels."""
    from matplotlib.lines import Line2D

    longest = sorted(range(len(paths)), key=lambda i: -len(paths[i]))[:_MAX_LEGEND_ENTRIES]
    lines: list[dict[str, Any]] = [{"color": style.line_colour, "linestyle": style.line_style} for style in styles]
    return [Line2D([], [], label=f"track {paths[i].label}", **lines[i]) for i in sorted(longest)]
