"""Plot how many objects are there at each time, and with which probability each of them exists."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, OKABE_ITO_COLOURS
from gaussmix.plots.track_drawing import (
    check_estimates,
    choose_track_styles,
    make_track_legend,
    parse_times,
)
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.track_paths import TrackPath, collect_paths
from gaussmix.types import AnyArray, ArrayLike, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_target_numbers(
    estimates: Sequence[Estimates],
    true_numbers: ArrayLike | None = None,
    ax: "Axes | None" = None,
    *,
    times: ArrayLike | None = None,
    time_label: str = "time",
    legend: bool = True,
) -> "Axes":
    """Plot the number of reported objects, and the expected number of all objects if it differs, against time.

    The expected number counts objects that are too unlikely to be reported, each by its probability of existence, and
    those that have not been detected yet.

    Parameters
    ----------
    estimates : sequence of Estimates
        What ``run`` of a tracker returns.
    true_numbers : array-like of shape (n_scans,), optional
        True numbers of objects, if known.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    times : array-like of shape (n_scans,), optional
        Times of the scans, numbers or datetime64. Default: those of the estimates.
    time_label : str, default="time"
        Label of the time axis.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If an argument is something else, or has another number of scans.
    MissingPackageError
        If matplotlib is not installed.
    """
    scans = check_estimates(estimates)
    moments = parse_times(times, scans)
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.4, 3.4)
    if true_numbers is not None:
        truth = parse_times(true_numbers, scans)
        ax.step(moments, truth, where="post", color=GREY, linewidth=3.0, alpha=0.5, label="true number")
    numbers, expected = [len(each) for each in scans], [each.expected_number for each in scans]
    ax.step(moments, numbers, where="post", color=OKABE_ITO_COLOURS[0], linewidth=1.6, label="reported objects")
    line: dict[str, Any] = {"color": OKABE_ITO_COLOURS[5], "linewidth": 1.2, "linestyle": "--"}
    if not np.array_equal(numbers, expected):  # trackers of boxes report all that they expect
        ax.plot(moments, expected, label="expected number", **line)
    ax.set_ylim(bottom=0.0, top=1.08 * max(1.0, *numbers, *expected))
    _set_integer_y_ticks(ax)
    canvas.label_axes(ax, time_label, "number of objects")
    canvas.hide_top_right_spines(ax)
    if legend:
        canvas.draw_legend(ax, ax.get_legend_handles_labels()[0], is_own_axes)
    return ax


def plot_existence(
    estimates: Sequence[Estimates],
    ax: "Axes | None" = None,
    *,
    times: ArrayLike | None = None,
    time_label: str = "time",
    legend: bool = True,
) -> "Axes":
    """Plot the probability that each reported object exists against time.

    Parameters
    ----------
    estimates : sequence of Estimates
        What ``run`` of a tracker returns.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    times : array-like of shape (n_scans,), optional
        Times of the scans, numbers or datetime64. Default: those of the estimates.
    time_label : str, default="time"
        Label of the time axis.
    legend : bool, default=True
        Whether to draw a legend of the 16 longest tracks.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If an argument is something else, or has another number of scans.
    MissingPackageError
        If matplotlib is not installed.
    """
    scans = check_estimates(estimates)
    moments = parse_times(times, scans)
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.4, 3.4)
    paths = collect_paths(scans)
    styles = choose_track_styles(paths)
    for path, style in zip(paths, styles, strict=True):
        x, y = _break_at_gaps(path, moments)
        marker = "." if len(path) == 1 else None
        ax.plot(x, y, color=style.line_colour, linestyle=style.line_style, linewidth=1.3, marker=marker)
    ax.set_ylim(0.0, 1.03)
    if len(moments) > 1:
        ax.set_xlim(moments[0], moments[-1])
    canvas.label_axes(ax, time_label, "probability of existence")
    canvas.hide_top_right_spines(ax)
    if legend:
        canvas.draw_legend(ax, make_track_legend(paths, styles), is_own_axes)
    return ax


def _break_at_gaps(path: TrackPath, moments: AnyArray) -> tuple[AnyArray, N]:
    """Return times and existence, with NaN between scans that are not successive, which interrupts the line."""
    gaps = np.flatnonzero(np.diff(path.scans) > 1) + 1
    return np.insert(moments[path.scans], gaps, moments[path.scans[gaps]]), np.insert(path.existence, gaps, np.nan)


def _set_integer_y_ticks(ax: "Axes") -> None:
    """Restrict the ticks of the y axis to integers."""
    from matplotlib.ticker import MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
