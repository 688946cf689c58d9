"""Track the boxes of a MOTChallenge file: read, track, write and print."""

import warnings

import numpy as np
import typer

from gaussmix.cli import console
from gaussmix.cli.box_run import (
    BoxRun,
    make_box_run,
    smooth_box_run,
    summarize_boxes,
    track_frames,
    write_box_tables,
)
from gaussmix.cli.output_paths import make_folder, remove_partial_on_failure, require_writable_folder
from gaussmix.cli.text_formatting import format_fields
from gaussmix.cli.track_listing import format_output_files, format_result, format_tracks
from gaussmix.cli.track_options import TrackOptions
from gaussmix.errors import DetectionTableError, MotFileWarning
from gaussmix.errors.text import format_count
from gaussmix.report.track_page import write_track_report
from gaussmix.tracking import BoxTracker, Estimates, TrackTable, read_mot, write_mot
from gaussmix.tracking.boxes.recordings import RecordedFrame, iterate_frames

BOX_FILES = {
    "tracks.txt": "tracked boxes as MOTChallenge text",
    "tracks.csv": "the same as a table",
    "tracks.parquet": "the same",
    "report.html": "tables and pictures, for a browser",
}


def track_boxes(options: TrackOptions) -> None:
    """Track the boxes of a file."""
    require_writable_folder(options.folder, tuple(BOX_FILES), input_paths=(options.file,))
    tracker = make_box_tracker(options)
    frames, notes = _read_frames(options, tracker)
    console.print_notes(notes)
    make_folder(options.folder)
    with console.progress_bar("tracking") as callback:
        estimates: list[Estimates] = []
        for found in track_frames(tracker, frames, options.folder / "tracks.txt"):
            callback(len(estimates), len(frames), f"frame {len(estimates) + 1}")
            estimates.append(found)
    n_boxes = sum(len(frame.boxes) for frame in frames)
    size = f"{n_boxes} {'box' if n_boxes == 1 else 'boxes'} in {format_count(len(frames), 'frame')}"
    typer.echo(f"{format_fields([('File', f'{options.file.name}: {size}')])}\n")
    finish_boxes(options, tracker, make_box_run(frames, estimates), notes)
    typer.echo(format_output_files(options.folder, BOX_FILES, list(BOX_FILES)))


def make_box_tracker(options: TrackOptions, frame_rate: float | None = None) -> BoxTracker:
    """Return the tracker that the options ask for; the frame rate of a video counts if none is given."""
    rate = options.frame_rate if options.frame_rate is not None else frame_rate
    return BoxTracker(options.filter_name) if rate is None else BoxTracker(options.filter_name, frame_rate=rate)


def _read_frames(options: TrackOptions, tracker: BoxTracker) -> tuple[list[RecordedFrame], list[str]]:
    """Return the frames of a file, and sentences for the user."""
    with console.progress_bar(f"reading {options.file.name}"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MotFileWarning)
        detections = read_mot(options.file)
    notes = [str(warning.message) for warning in caught]
    detections, notes_on_sides = _drop_flat_boxes(options, detections)
    detections, notes_on_confidences = _drop_other_confidences(detections)
    frames = list(iterate_frames(detections, tracker.options.buffer))
    return frames[: options.max_scans], [*notes, *notes_on_sides, *notes_on_confidences]


def _drop_flat_boxes(options: TrackOptions, detections: TrackTable) -> tuple[TrackTable, list[str]]:
    """Return the boxes with width and height, and a note on the others."""
    if detections.boxes is None:
        raise DetectionTableError.no_boxes(options.file, len(detections))
    has_area = np.asarray((detections.boxes[:, 2:] > 0.0).all(axis=1))
    n_flat = int((~has_area).sum())
    if n_flat == len(detections):
        raise DetectionTableError.no_boxes(options.file, len(detections))
    if not n_flat:
        return detections, []
    flat = "1 box without width or height is" if n_flat == 1 else f"{n_flat} boxes without width or height are"
    return detections.select_rows(has_area), [f"{flat} left out."]


def _drop_other_confidences(detections: TrackTable) -> tuple[TrackTable, list[str]]:
    """Return the boxes without confidences if these are not from 0 to 1, and a note on that."""
    confidence = detections.confidence
    if confidence is None or not len(confidence) or (confidence.min() >= 0.0 and confidence.max() <= 1.0):
        return detections, []
    low, high = float(confidence.min()), float(confidence.max())
    note = f"confidences are from {low:.4g} to {high:.4g}, not from 0 to 1; all boxes count alike."
    return TrackTable(detections.frame, detections.label, boxes=detections.boxes), [note]


def finish_boxes(options: TrackOptions, tracker: BoxTracker, run: BoxRun, notes: list[str]) -> None:
    """Smooth tracks if asked to, write the tables and the report, and print what was found."""
    folder = options.folder
    if options.is_smoothed:
        run = smooth_box_run(tracker, run)
        write_mot(folder / "tracks.txt", run.table)
    write_box_tables(run, folder)
    summary = summarize_boxes(run, options.filter_name)
    for paragraph in (format_result(summary), format_tracks(summary)):
        if paragraph:
            typer.echo(f"{paragraph}\n")
    with console.progress_bar("writing the report"), remove_partial_on_failure(folder / "report.html") as path:
        write_track_report(path, summary, notes=notes, source_name=options.file.name, is_smoothed=options.is_smoothed)
