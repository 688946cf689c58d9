"""Write tracks as an animated picture: detections, objects and their recent paths, scan by scan."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import FileError
from gaussmix.plots import canvas
from gaussmix.plots.picture_export import use_default_style
from gaussmix.plots.style import GREY, INK, Style
from gaussmix.plots.track_drawing import (
    check_estimates,
    choose_track_styles,
    label_plane,
    parse_scans,
    parse_times,
    to_plane,
)
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.track_paths import TrackPath, collect_paths
from gaussmix.types import ND, ArrayLike, IntN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE_INCHES, _DPI = (6.0, 4.6), 90
_MARGIN = 0.03  # of the range of each axis
_N_RECENT_FRAMES = 12  # length of the paths behind objects

ProgressCallback = Callable[[int, int, str], None]


def write_track_animation(
    path: str | PathLike[str],
    estimates: Sequence[Estimates],
    detections: Sequence[ArrayLike] | None = None,
    *,
    names: Sequence[str] | None = None,
    times: ArrayLike | None = None,
    max_frames: int = 60,
    frames_per_second: int = 10,
    progress: ProgressCallback | None = None,
) -> None:
    """Write an animated GIF that loops: the detections and objects of each scan, and their recent paths.

    Parameters
    ----------
    path : str or path-like
        File to write; an existing file is replaced.
    estimates : sequence of Estimates
        What ``run`` of a tracker returns.
    detections : sequence of array-like of shape (n, p), optional
        Detections of each scan.
    names : sequence of str, optional
        Names of the coordinates. Default: x, y.
    times : array-like of shape (n_scans,), optional
        Times of the scans, numbers or datetime64, for the titles. Default: those of the estimates.
    max_frames : int, default=60
        Largest number of frames; of more scans every second, third, ... one is drawn.
    frames_per_second : int, default=10
        Speed of the animation.
    progress : callable, optional
        Called as ``progress(n_done, n_total, step_name)``.

    Raises
    ------
    ParameterError
        If an argument is not allowed.
    FileError
        If the file cannot be written.
    MissingPackageError
        If matplotlib is not installed.
    """
    scans = check_estimates(estimates)
    rows = parse_scans(detections, len(scans))
    frames_per_second = require_integer("frames_per_second", frames_per_second, 1)
    chosen = _choose_frames(len(scans), require_integer("max_frames", max_frames, 1))
    partial = Path(path).with_name(f"{Path(path).name}.partial.gif")  # the suffix says the format
    try:
        with use_default_style():
            figure = canvas.create_figure(*_SIZE_INCHES)
            n_recent = _N_RECENT_FRAMES * max(1, len(scans) // len(chosen))
            titles = [_format_time(time) for time in parse_times(times, scans)]
            scene = _Scene(figure.add_subplot(), scans, rows, names, titles, n_recent)
            _write_frames(partial, figure, scene, chosen, frames_per_second, progress)
        partial.replace(path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise FileError.unwritable(path, error.strerror or error) from error
        raise


def _write_frames(
    path: Path,
    figure: "Figure",
    scene: "_Scene",
    chosen: IntN,
    frames_per_second: int,
    progress: ProgressCallback | None,
) -> None:
    """Draw the chosen scans one after the other, and write them as a GIF."""
    from matplotlib.animation import PillowWriter

    writer = PillowWriter(frames_per_second)
    with writer.saving(figure, str(path), _DPI):
        for number, scan in enumerate(chosen.tolist()):
            if progress is not None:
                progress(number, len(chosen), f"frame {number + 1}")
            scene.show(scan)
            writer.grab_frame()
            figure.set_layout_engine("none")  # the layout of the first frame; it costs most of the time of a frame


def _choose_frames(n_scans: int, max_frames: int) -> IntN:
    """Return the scans to draw, evenly spread; the last one is among them."""
    step = -(-n_scans // max_frames)
    return np.arange(n_scans - 1, -1, -step)[::-1]


def _format_time(time: object) -> str:
    """Return a time as the beginning of a title."""
    if isinstance(time, np.datetime64):
        return str(time.astype("datetime64[s]")).replace("T", " ")
    return f"time {float(time):g}"  # type: ignore[arg-type]


class _Scene:
    """The axes of an animation, and what changes on them from scan to scan."""

    def __init__(
        self,
        ax: "Axes",
        estimates: Sequence[Estimates],
        rows: Sequence[ND],
        names: Sequence[str] | None,
        titles: Sequence[str],
        n_recent: int,
    ) -> None:
        self.ax, self.estimates, self.rows, self.n_recent = ax, estimates, rows, n_recent
        self.titles = titles
        self.paths = collect_paths(estimates)
        self.styles = choose_track_styles(self.paths)
        self.changing: list[Any] = []
        self._set_limits()
        label_plane(ax, names, len(estimates[0].layout.positions))
        ax.set_aspect("equal" if len(estimates[0].layout.positions) > 1 else "auto", adjustable="box")

    def show(self, scan: int) -> None:
        """Draw one scan in place of the last one."""
        for artist in self.changing:
            artist.remove()
        time = self.estimates[scan].time
        self.changing = []
        n_objects = canvas.format_count(len(self.estimates[scan]), "object")
        self.ax.set_title(f"{self.titles[scan]}, {n_objects}", fontsize="medium")
        if self.rows and len(self.rows[scan]):
            points = to_plane(self.rows[scan], np.full(len(self.rows[scan]), time))
            self.changing.append(self.ax.scatter(points[:, 0], points[:, 1], s=8, color=GREY, alpha=0.7, linewidths=0))
        for path, style in zip(self.paths, self.styles, strict=True):
            if path.scans[0] <= scan <= path.scans[-1]:
                self.changing += self._draw_path(path, style, scan)

    def _draw_path(self, path: TrackPath, style: Style, scan: int) -> list[Any]:
        """Draw the recent part of a track, and its label if it is reported in this scan."""
        is_recent = (path.scans <= scan) & (path.scans > scan - self.n_recent)
        points = to_plane(path.positions, path.times)[is_recent]
        if not len(points):
            return []
        line: dict[str, Any] = {"color": style.line_colour, "linewidth": 1.5, "markersize": 5, "marker": "o"}
        drawn: list[Any] = self.ax.plot(points[:, 0], points[:, 1], markevery=[len(points) - 1], **line)
        if path.scans[is_recent][-1] == scan:
            offset: dict[str, Any] = {"xytext": (4, 4), "textcoords": "offset points"}
            drawn.append(self.ax.annotate(str(path.label), points[-1], fontsize=8, color=INK, **offset))
        return drawn

    def _set_limits(self) -> None:
        """Set limits that show all tracks and detections."""
        every = [to_plane(path.positions, path.times) for path in self.paths]
        times = [each.time for each in self.estimates]
        every += [to_plane(row, np.full(len(row), t)) for row, t in zip(self.rows, times, strict=False) if len(row)]
        points = np.concatenate(every) if every else np.array([[0.0, 0.0], [1.0, 1.0]])
        low, high = points.min(axis=0), points.max(axis=0)
        margin = np.where(high > low, _MARGIN * (high - low), 1.0)
        self.ax.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
