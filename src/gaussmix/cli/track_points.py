"""Track the points of a table: read, estimate, filter, write and print."""

from pathlib import Path

import typer

from gaussmix.cli import console
from gaussmix.cli.output_paths import make_folder, remove_partial_on_failure, require_writable_folder
from gaussmix.cli.point_scans import PointScans, read_point_scans
from gaussmix.cli.table_format import input_name
from gaussmix.cli.table_writer import write_table_with_columns
from gaussmix.cli.track_listing import (
    format_model,
    format_output_files,
    format_recording,
    format_result,
    format_tracks,
)
from gaussmix.cli.track_model import TrackModel, make_track_model
from gaussmix.cli.track_options import FILTER_NAMES, TrackOptions
from gaussmix.cli.track_run import FilterRun, label_detections, run_filter
from gaussmix.cli.track_smoothing import smooth_run
from gaussmix.cli.track_writer import TrackWriter, copy_csv_to_parquet
from gaussmix.plots import write_track_animation
from gaussmix.report.track_page import write_track_report
from gaussmix.report.track_summary import TrackSummary, summarize_tracks
from gaussmix.tracking import InnovationTest, check_innovations

_FILES = {
    "tracks.csv": "each object in each scan: position, velocity, deviations, data row",
    "tracks.parquet": "the same",
    "detections.csv": "FILE's rows with the track of each",
    "tracks.gif": "the tracks as an animated picture",
    "report.html": "tables and pictures, for a browser",
}
_MAX_ANIMATION_FRAMES = 40  # a frame takes nearly a tenth of a second
_DEGREE_NAMES = {"lon", "lng", "longitude", "lat", "latitude"}


def track_points(options: TrackOptions) -> None:
    """Track the points of a file."""
    require_writable_folder(options.folder, tuple(_FILES), input_paths=(options.file,))
    with console.progress_bar(f"reading {input_name(options.file)}"):
        recording = read_point_scans(
            options.file, options.time, options.axes, options.scan_length, options.max_scans, options.table_format
        )
    notes = [*recording.notes, *_note_degrees(recording)]
    console.print_notes(notes)
    names, steps = recording.columns.names, recording.steps
    with console.progress_bar("estimating the model"):
        model = make_track_model(recording.scans, steps, names, recording.unit, options.given)
    make_folder(options.folder)
    with TrackWriter(options.folder / "tracks.csv", recording.columns.time.name, names) as writer:
        run = run_filter(
            model.target_model,
            options.filter_name,
            recording.scans,
            steps,
            recording.time_cells,
            recording.rows,
            writer,
        )
    innovations = check_innovations(model.target_model, run.estimates, recording.scans, steps)
    if options.is_smoothed:
        run = smooth_run(model.target_model, run, recording.scans, recording.times)
        _write_smoothed(options.folder / "tracks.csv", recording, run)
    summary = _summarize(options, recording, model, run, innovations)
    typer.echo(f"{format_recording(input_name(options.file), recording)}\n")
    for paragraph in (format_model(model, summary, len(steps)), format_result(summary), format_tracks(summary)):
        if paragraph:
            typer.echo(f"{paragraph}\n")
    _write_files(options, recording, run, summary, notes)
    typer.echo(format_output_files(options.folder, _FILES, list(_FILES)))


def _note_degrees(recording: PointScans) -> list[str]:
    """Return a note if coordinates are degrees, which are not equally long along both axes."""
    if not _DEGREE_NAMES & {name.lower() for name in recording.columns.names}:
        return []
    return ["coordinates in degrees are tracked as they are; convert them to metres if the region is large."]


def _write_smoothed(path: Path, recording: PointScans, run: FilterRun) -> None:
    """Replace the filtered tracks by smoothed ones."""
    with TrackWriter(path, recording.columns.time.name, recording.columns.names) as writer:
        for time, found, rows in zip(recording.time_cells, run.estimates, recording.rows, strict=True):
            writer.write(time, found, rows)


def _summarize(
    options: TrackOptions, recording: PointScans, model: TrackModel, run: FilterRun, innovations: InnovationTest
) -> TrackSummary:
    """Return what screen and report say."""
    return summarize_tracks(
        run.estimates,
        recording.scans,
        times=recording.time_cells,
        names=recording.columns.names,
        time_name=recording.columns.time.name,
        time_unit=recording.unit,
        filter_name=FILTER_NAMES[options.filter_name].removeprefix("GM"),
        numbers=model.numbers,
        moments=run.moments,
        innovations=innovations,
        has_converged=None if model.fit is None else model.fit.has_converged,
    )


def _write_files(
    options: TrackOptions, recording: PointScans, run: FilterRun, summary: TrackSummary, notes: list[str]
) -> None:
    """Write all files but the tracks, which are written already."""
    folder: Path = options.folder
    copy_csv_to_parquet(folder / "tracks.csv", folder / "tracks.parquet")
    columns = label_detections(run, recording.rows, recording.table.n_rows)
    write_table_with_columns(recording.table, columns, folder / "detections.csv")
    with console.progress_bar("drawing the animation") as callback:
        write_track_animation(
            folder / "tracks.gif",
            run.estimates,
            recording.scans,
            names=recording.columns.names,
            times=recording.time_cells,
            max_frames=_MAX_ANIMATION_FRAMES,
            progress=callback,
        )
    with console.progress_bar("writing the report"), remove_partial_on_failure(folder / "report.html") as path:
        write_track_report(
            path, summary, notes=notes, source_name=input_name(options.file), is_smoothed=options.is_smoothed
        )
