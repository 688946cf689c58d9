"""What ``gaussmix track`` read, estimated and found, as text for a terminal."""

from collections.abc import Sequence

from gaussmix.cli.point_scans import PointScans
from gaussmix.cli.text_formatting import format_fields, format_table
from gaussmix.cli.track_model import TrackModel
from gaussmix.errors.text import format_count, join_with_and
from gaussmix.report.track_summary import TrackSummary
from gaussmix.report.track_tables import number_table, track_table
from gaussmix.report.track_text import describe_cautions, describe_lengths, describe_objects

_MAX_TRACKS_SHOWN = 10


def format_recording(file_name: str, recording: PointScans) -> str:
    """Return what was read, and which columns it is in."""
    names = join_with_and([repr(name) for name in recording.columns.names])
    coordinates = "coordinate" if len(recording.columns.names) == 1 else "coordinates"
    n_empty = sum(not len(scan) for scan in recording.scans)
    empty = f", {n_empty} of them empty" if n_empty else ""
    size = f"{format_count(recording.n_detections, 'detection')} in {format_count(len(recording.scans), 'scan')}{empty}"
    unit = f" (in {recording.unit})" if recording.unit else ""
    return format_fields(
        [
            ("File", f"{file_name}: {size}"),
            ("Columns", f"time: {recording.columns.time.name!r}{unit}; {coordinates}: {names}"),
        ]
    )


def format_model(model: TrackModel, summary: TrackSummary, n_scans: int) -> str:
    """Return the numbers of the model, with intervals."""
    rows = [[row.name, row.value, row.interval] for row in number_table(summary)]
    table = format_table(["model", "value", "95% interval"], rows)
    if model.fit is None or model.n_fitted_scans == n_scans:
        return table
    return f"{table}\nEstimated from the first {model.n_fitted_scans} of {n_scans} scans."


def format_result(summary: TrackSummary) -> str:
    """Return how many objects there are, how long their tracks are, and cautions."""
    fields = [("Objects", describe_objects(summary))]
    lengths = describe_lengths(summary)
    fields += [("Tracks", lengths)] if lengths else []
    cautions = describe_cautions(summary)
    fields += [("Caution" if index == 0 else "", sentence) for index, sentence in enumerate(cautions)]
    return format_fields(fields)


def format_tracks(summary: TrackSummary) -> str:
    """Return a table of the longest tracks; '' without tracks."""
    rows = track_table(summary, _MAX_TRACKS_SHOWN)
    if not rows:
        return ""
    header = ["track", "begins", "ends", f"{summary.scan_noun}s", "misses", "mean speed"]
    lines = [[row.label, row.begin, row.end, row.n_scans, row.n_missed, row.mean_speed] for row in rows]
    n_more = len(summary.paths) - len(rows)
    more = f"\n... and {format_count(n_more, 'shorter track')}; report.html has them" if n_more else ""
    return format_table(header, lines) + more


def format_output_files(folder: object, files: dict[str, str], written: Sequence[str]) -> str:
    """Return the names and descriptions of the files that were written."""
    lines = [f"  {name:<18}  {files[name]}" for name in written]
    return "\n".join([f"Wrote to {folder}:", *lines])
