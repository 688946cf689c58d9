"""Pictures of a report on tracks: the plane, numbers of objects, existence, and the intensity at a few scans."""

from functools import partial
from typing import Any

import numpy as np

from gaussmix import plots
from gaussmix.errors.text import format_count
from gaussmix.plots.picture_export import draw_axes_picture
from gaussmix.report.page_template import CaptionedPicture
from gaussmix.report.track_summary import SceneMoment, TrackSummary
from gaussmix.report.track_tables import format_time

_MARGIN = 0.03  # of the range of each axis
_PLANE_SIZE_INCHES, _TIME_SIZE_INCHES, _MOMENT_SIZE_INCHES = (6.4, 5.0), (6.4, 2.8), (4.6, 4.0)


def draw_plane_picture(summary: TrackSummary) -> CaptionedPicture:
    """Return the picture of all tracks in the plane."""

    def draw(ax: Any) -> None:
        plots.plot_tracks(summary.estimates, summary.scans, ax, names=summary.names, legend=False)
        if summary.has_boxes:
            ax.invert_yaxis()  # rows of a picture count from the top

    alt_text = f"{format_count(len(summary.paths), 'track')} in the plane of {' and '.join(summary.names[:2])}."
    caption = (
        "Rings: first positions. Squares: last positions, with the labels of the 30 longest tracks. Grey: detections."
    )
    if len(summary.names) > 2:
        caption += f" The picture leaves {summary.names[2]} out."
    return CaptionedPicture(draw_axes_picture(draw, _PLANE_SIZE_INCHES, alt_text), caption)


def draw_time_pictures(summary: TrackSummary) -> list[CaptionedPicture]:
    """Return the pictures of the number of objects and of the existence of each track against time."""
    shared: dict[str, Any] = {"times": summary.times, "time_label": summary.time_label, "legend": False}
    numbers = partial(plots.plot_target_numbers, summary.estimates, **shared)
    existence = partial(plots.plot_existence, summary.estimates, **shared)
    alt_texts = (
        f"Number of objects against time; at most {summary.largest_number}.",
        "Probability of existence of each track against time.",
    )
    captions = (
        "Objects in each frame, without tracks that are not confirmed."
        if summary.has_boxes
        else "Solid: objects that are reported. Dashed: expected number of all objects, unlikely ones included.",
        "Probability that the object of each track exists. A track is reported above 0.5.",
    )
    pictures = [
        draw_axes_picture(lambda ax: numbers(ax=ax), _TIME_SIZE_INCHES, alt_texts[0]),
        draw_axes_picture(lambda ax: existence(ax=ax), _TIME_SIZE_INCHES, alt_texts[1]),
    ]
    n_pictures = 1 if summary.has_boxes else 2  # confidences are no probabilities of existence
    return [CaptionedPicture(*pair) for pair in zip(pictures[:n_pictures], captions, strict=False)]


def draw_moment_pictures(summary: TrackSummary) -> list[CaptionedPicture]:
    """Return pictures of the intensity at a few scans; [] for a single coordinate."""
    if len(summary.names) < 2:
        return []
    limits = _find_limits(summary)
    return [_draw_moment(summary, moment, *limits) for moment in summary.moments]


def _draw_moment(
    summary: TrackSummary, moment: SceneMoment, x_limits: tuple[float, float], y_limits: tuple[float, float]
) -> CaptionedPicture:
    """Return the picture of the intensity after one scan."""

    def draw(ax: Any) -> None:
        plots.plot_intensity(moment.intensity, ax, detections=summary.scans[moment.scan], names=summary.names)
        ax.set(xlim=x_limits, ylim=y_limits)
        ax.set_aspect("equal", adjustable="box")

    expected = summary.estimates[moment.scan].expected_number
    time = f"{summary.time_name} {format_time(summary.times[moment.scan])}"
    alt_text = f"Intensity of objects at {time}; {expected:.1f} objects are expected."
    caption = f"{time}: {expected:.1f} expected objects"
    return CaptionedPicture(draw_axes_picture(draw, _MOMENT_SIZE_INCHES, alt_text), caption)


def _find_limits(summary: TrackSummary) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of both axes that show all detections and tracks, the same for all moments."""
    points = np.concatenate([*summary.scans, *(path.positions for path in summary.paths)])[:, :2]
    if not len(points):
        return (0.0, 1.0), (0.0, 1.0)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = np.where(high > low, _MARGIN * (high - low), 1.0)
    x, y = zip((low - margin).tolist(), (high + margin).tolist(), strict=True)
    return x, y
