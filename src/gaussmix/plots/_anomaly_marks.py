"""Draw anomalies as numbered crosses, on axes that one huge value cannot stretch."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gaussmix.plots import _legend, canvas
from gaussmix.plots._layout import separate_points
from gaussmix.plots.style import GREY, INK, OKABE_ITO_COLOURS
from gaussmix.types import ND, Array, BoolN, IntN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MAX_NUMBERED_ANOMALIES = 20
ANOMALY_COLOUR = OKABE_ITO_COLOURS[5]  # vermillion
NORMAL_COLOUR = "#9A9A9A"
_MAX_EXTENSION_RATIO = 1.5  # anomalies extend an axis on each side by at most this multiple of its length
_MAX_EXTENSION_RATIO_OF_MOST = 9.0  # where most anomalies lie beyond that
_MARGIN_FRACTION = 0.05
_EDGE_FRACTION = 0.015  # of the axes, from the edge to the anomalies beyond it
_NUMBER_FONT_SIZE = 8.0
_NUMBER_SPACING_POINTS = 12.0
_MAX_NUMBER_DISTANCE_POINTS = 45.0
_MIN_NUMBERED_DISTANCE_POINTS = 4.0  # between anomalies that both have a number: nearer ones are one mark
_NUMBER_OFFSET_POINTS = (8.0, 6.0)
_LAYOUT_SHRINK_FACTOR = 0.75  # estimated size of the axes after the layout of the legend


def extend_axis_limits(limits: tuple[float, float], values: Array) -> tuple[float, float]:
    """Return the ends (low, high) of an axis, extended to ``values`` by at most 1.5 times its length on each side.

    If most values lie beyond that, it is at most nine times: a picture that shows none of them would show nothing.
    """
    low, high = limits
    if not len(values):
        return low, high
    room = _MAX_EXTENSION_RATIO * (high - low)
    if ((values < low - room) | (values > high + room)).mean() > 0.5:
        room *= _MAX_EXTENSION_RATIO_OF_MOST / _MAX_EXTENSION_RATIO
    first, last = max(float(values.min()), low - room), min(float(values.max()), high + room)
    margin = _MARGIN_FRACTION * (max(high, last) - min(low, first))
    return (first - margin if first < low else low), (last + margin if last > high else high)


class MarkedPoints(NamedTuple):
    """Points (m, 2) within the axes, and which of them (m,) lie beyond and are moved to the edge."""

    points: ND
    is_beyond: BoolN


def move_into_axes(ax: "Axes", points: ND) -> MarkedPoints:
    """Return the points (m, 2), those beyond the limits of the axes at the nearest place within them."""
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    is_beyond = ((points < low) | (points > high)).any(axis=1)
    if not is_beyond.any():
        return MarkedPoints(points, is_beyond)
    fractions = ax.transAxes.inverted().transform(ax.transData.transform(np.clip(points, low, high)))
    inside = np.clip(fractions, _EDGE_FRACTION, 1.0 - _EDGE_FRACTION)
    moved = ax.transData.inverted().transform(ax.transAxes.transform(inside))
    return MarkedPoints(np.where(is_beyond[:, None], moved, points), is_beyond)


def draw_anomalies(ax: "Axes", marked: MarkedPoints, numbered: IntN, is_rasterized: bool = False) -> None:
    """Draw crosses at the points, hollow ones at the edge, and beside some ``numbered`` points their number from 1."""
    size = float(np.clip(4000 / max(len(marked.points), 1), 12, 48))
    for is_edge, face in ((False, ANOMALY_COLOUR), (True, "white")):
        points = marked.points[marked.is_beyond == is_edge]
        edge = ANOMALY_COLOUR if is_edge else "white"
        width = 0.7 if is_edge or size > 20 else 0.2
        options: dict[str, Any] = {"marker": "X", "facecolors": face, "edgecolors": edge, "linewidths": width}
        ax.scatter(points[:, 0], points[:, 1], s=size, zorder=5, rasterized=is_rasterized, **options)
    if len(numbered):
        _draw_numbers(ax, marked.points[numbered], numbered + 1)


def _draw_numbers(ax: "Axes", points: ND, numbers: IntN) -> None:
    """Write numbers (m,) beside points (m, 2), moved apart where they would overlap; of equal points only the first."""
    box = ax.get_window_extent()
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    per_point = ax.figure.dpi / 72.0
    size = np.array([box.width, box.height]) / per_point * _LAYOUT_SHRINK_FACTOR
    places = (points - low) / (high - low) * size
    is_first = _mark_first_of_near(places)
    points, numbers, places = points[is_first], numbers[is_first], places[is_first]
    inwards = np.where(places > 0.9 * size, -1.0, 1.0)
    limits = np.stack([np.full(2, _NUMBER_SPACING_POINTS), size - _NUMBER_SPACING_POINTS])
    offsets = separate_points(places + inwards * _NUMBER_OFFSET_POINTS, _NUMBER_SPACING_POINTS, limits) - places
    for number, point, offset in zip(numbers.tolist(), points.tolist(), offsets.tolist(), strict=True):
        distance = np.hypot(*offset)
        if distance > _MAX_NUMBER_DISTANCE_POINTS:  # a number far away helps nobody
            continue
        has_moved = distance > 1.5 * _NUMBER_SPACING_POINTS
        ax.annotate(
            str(number),
            point,
            xytext=offset,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=_NUMBER_FONT_SIZE,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6} if has_moved else None,
            zorder=6,
        )


def _mark_first_of_near(places: ND) -> BoolN:
    """Return which places (m, 2), in points, have no marked place before them within a few points, (m,)."""
    is_marked = np.zeros(len(places), dtype=bool)
    for i, place in enumerate(places):
        distances = np.hypot(*(places[:i][is_marked[:i]] - place).T)
        is_marked[i] = not (distances < _MIN_NUMBERED_DISTANCE_POINTS).any()
    return is_marked


def normal_row_entry(count: int) -> "Artist":
    """Return the legend entry of the normal rows."""
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"marker": "o", "markersize": 4.0, "color": NORMAL_COLOUR, "linestyle": "none"}
    return Line2D([], [], label=f"normal: {canvas.format_count(count, 'row')}", **style)


def anomaly_entries(count: int, n_beyond: int, is_numbered: bool = True) -> "list[Artist]":
    """Return the legend entries of the crosses, and of hollow ones if there are any; a text if there is no anomaly."""
    from matplotlib.lines import Line2D

    if not count:
        return [_legend.text_entry("no anomalies at this rate")]
    style: dict[str, Any] = {"marker": "X", "markersize": 7.0, "color": ANOMALY_COLOUR, "linestyle": "none"}
    numbered = "" if not is_numbered else ", 1 = most unusual" if count > 1 else ""
    label = f"{'anomaly' if count == 1 else 'anomalies'}: {canvas.format_count(count, 'row')}{numbered}"
    entries: list[Artist] = [Line2D([], [], label=label, markeredgecolor="white", **style)]
    if n_beyond:
        hollow = style | {"markerfacecolor": "white"}
        entries.append(Line2D([], [], label=f"beyond the axes: {canvas.format_count(n_beyond, 'row')}", **hollow))
    return entries
