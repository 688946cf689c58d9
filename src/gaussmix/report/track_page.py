"""The report on tracks as one HTML page with text, tables and embedded pictures."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from gaussmix.errors import ParameterError
from gaussmix.report.page_template import format_versions, load_template, write_page
from gaussmix.report.track_pictures import draw_moment_pictures, draw_plane_picture, draw_time_pictures
from gaussmix.report.track_summary import TrackSummary
from gaussmix.report.track_tables import number_table, track_table
from gaussmix.report.track_text import (
    describe_cautions,
    describe_lengths,
    describe_method,
    describe_objects,
    describe_table,
)

_TEMPLATE_FILE = "tracks.html"
_N_TRACKS_SHOWN, _MAX_TRACKS = 30, 500


def write_track_report(
    path: str | PathLike[str],
    summary: TrackSummary,
    *,
    notes: Sequence[str] = (),
    title: str | None = None,
    source_name: str | None = None,
    is_smoothed: bool = False,
) -> None:
    """Write the page that `render_track_html` returns to a file.

    A failure leaves no incomplete file.

    Parameters
    ----------
    path : str or path-like
        File to write; an existing file is replaced.
    summary, notes, title, source_name, is_smoothed
        See `render_track_html`.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    page = render_track_html(summary, notes=notes, title=title, source_name=source_name, is_smoothed=is_smoothed)
    write_page(path, page)


def render_track_html(
    summary: TrackSummary,
    *,
    notes: Sequence[str] = (),
    title: str | None = None,
    source_name: str | None = None,
    is_smoothed: bool = False,
) -> str:
    """Return a report on tracks as one HTML page with embedded pictures.

    Equal input gives equal pages. The page loads nothing from the network.

    Parameters
    ----------
    summary : TrackSummary
        What `summarize_tracks` returns.
    notes : sequence of str, optional
        Sentences on the recording.
    title : str, optional
        Title of the page. Default: 'Tracks', with the name of the source.
    source_name : str, optional
        Name of the recording, such as a file name.
    is_smoothed : bool, default=False
        Whether written tracks are smoothed.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If the summary is something else.
    MissingPackageError
        If matplotlib or jinja2 is not installed.
    """
    template = load_template(_TEMPLATE_FILE)
    if not isinstance(summary, TrackSummary):
        raise ParameterError.invalid_value("summary", type(summary), "what summarize_tracks returns")
    lengths = describe_lengths(summary)
    context: dict[str, Any] = {
        "title": title or ("Tracks" if source_name is None else f"Tracks in {source_name}"),
        "source_name": source_name,
        "sentences": [describe_objects(summary), *([lengths[0].upper() + lengths[1:]] if lengths else [])],
        "cautions": describe_cautions(summary),
        "notes": list(notes),
        "facts": _collect_facts(summary),
        "plane": draw_plane_picture(summary),
        "time_pictures": draw_time_pictures(summary),
        "moment_pictures": draw_moment_pictures(summary),
        "tracks": track_table(summary, _MAX_TRACKS),
        "n_tracks": len(summary.paths),
        "n_tracks_shown": _N_TRACKS_SHOWN,
        "table_sentence": describe_table(summary),
        "scan_noun": summary.scan_noun,
        "score_name": "confidence" if summary.has_boxes else "existence",
        "numbers": number_table(summary),
        "innovations": summary.innovations,
        "method": describe_method(summary, is_smoothed),
        "versions": format_versions(),
    }
    return str(template.render(context))


def _collect_facts(summary: TrackSummary) -> list[tuple[str, str]]:
    """Return the names and values of the most important numbers."""
    return [
        (f"{summary.scan_noun}s", f"{len(summary.scans):,}"),
        ("detections", f"{summary.n_detections:,}"),
        ("objects", f"{len(summary.paths):,}"),
        ("most at once", str(summary.largest_number)),
    ]
