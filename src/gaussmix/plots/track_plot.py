"""Plot tracks in the plane, with their beginnings, ends and labels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, INK, Style
from gaussmix.plots.track_drawing import (
    MAX_LABELS,
    check_estimates,
    choose_track_styles,
    draw_detections,
    label_plane,
    parse_scans,
    to_plane,
)
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.track_paths import TrackPath, collect_paths
from gaussmix.types import ND, ArrayLike

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def plot_tracks(
    estimates: Sequence[Estimates],
    detections: Sequence[ArrayLike] | None = None,
    ax: "Axes | None" = None,
    *,
    names: Sequence[str] | None = None,
    legend: bool = True,
) -> "Axes":
    """Plot the tracks of a recording in the plane.

    A ring is the first position of a track, a square the last one; its label stands beside the square. The 30 longest
    tracks have labels. Grey dots are detections. Of three coordinates the first two are drawn, a single one is drawn
    over time.

    Parameters
    ----------
    estimates : sequence of Estimates
        What ``run`` of a tracker returns.
    detections : sequence of array-like of shape (n, p), optional
        Detections of each scan, to draw beneath the tracks.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    names : sequence of str, optional
        Names of the coordinates. Default: x, y.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If ``estimates`` is something else, or ``detections`` has another number of scans.
    MissingPackageError
        If matplotlib is not installed.
    """
    scans = check_estimates(estimates)
    rows = parse_scans(detections, len(scans))
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.4, 5.4)
    paths = collect_paths(scans)
    if any(len(row) for row in rows):
        draw_detections(ax, _place_detections(rows, scans))
    numbered = {path.label for path in sorted(paths, key=lambda path: -len(path))[:MAX_LABELS]}
    for path, style in zip(paths, choose_track_styles(paths), strict=True):
        _draw_path(ax, path, style, path.label in numbered)
    label_plane(ax, names, len(scans[0].layout.positions))
    if legend:
        canvas.draw_legend(ax, _legend_entries(len(paths), bool(rows)), is_own_axes)
    return ax


def _place_detections(rows: Sequence[ND], scans: Sequence[Estimates]) -> ND:
    """Return the detections of all scans as points (n, 2)."""
    return np.concatenate(
        [to_plane(row, np.full(len(row), scan.time)) for row, scan in zip(rows, scans, strict=True) if len(row)]
    )


def _draw_path(ax: "Axes", path: TrackPath, style: Style, is_numbered: bool) -> None:
    """Draw one track: its line, beginning, end and label."""
    points = to_plane(path.positions, path.times)
    colour = style.line_colour
    ax.plot(points[:, 0], points[:, 1], color=colour, linestyle=style.line_style, linewidth=1.6, zorder=3)
    ax.plot(*points[0], marker="o", markersize=5, markerfacecolor="white", markeredgecolor=colour, zorder=4)
    ax.plot(*points[-1], marker="s", markersize=4.5, color=colour, zorder=4)
    if is_numbered:
        offset: dict[str, Any] = {"xytext": (4, 4), "textcoords": "offset points"}
        ax.annotate(str(path.label), points[-1], fontsize=8, color=INK, zorder=5, **offset)


def _legend_entries(n_tracks: int, has_detections: bool) -> "list[Artist]":
    """Return the entries of the legend: line, beginning, end and detections."""
    from matplotlib.lines import Line2D

    ring: dict[str, Any] = {"marker": "o", "markerfacecolor": "white", "markeredgecolor": INK, "linestyle": "none"}
    entries = [
        Line2D([], [], color=INK, linewidth=1.6, label=canvas.format_count(n_tracks, "track")),
        Line2D([], [], label="first position", **ring),
        Line2D([], [], color=INK, marker="s", markersize=4.5, linestyle="none", label="last position and label"),
    ]
    if has_detections:
        entries.append(Line2D([], [], color=GREY, marker=".", linestyle="none", alpha=0.6, label="detections"))
    return list(entries)
