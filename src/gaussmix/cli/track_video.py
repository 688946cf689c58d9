"""Track the moving objects of a video: background, boxes, tracks, annotated video."""

import warnings
from collections.abc import Iterator

import numpy as np
import typer

from gaussmix.cli import console
from gaussmix.cli.box_run import make_box_run, track_frames
from gaussmix.cli.output_paths import make_folder, require_writable_folder
from gaussmix.cli.text_formatting import format_fields
from gaussmix.cli.track_boxes import BOX_FILES, finish_boxes, make_box_tracker
from gaussmix.cli.track_listing import format_output_files
from gaussmix.cli.track_options import TrackOptions
from gaussmix.errors import VideoWarning
from gaussmix.errors.text import format_count
from gaussmix.tracking import BackgroundMixture, BlobDetector, Estimates, VideoReader, VideoWriter, draw_boxes
from gaussmix.tracking.boxes.recordings import RecordedFrame
from gaussmix.types import AnyArray

_ANNOTATED_FILE = "annotated.mp4"
_FILES = {_ANNOTATED_FILE: "the video with the box and label of each object", **BOX_FILES}


def track_video(options: TrackOptions) -> None:
    """Track the moving objects of a video, or of a folder of pictures."""
    require_writable_folder(options.folder, tuple(_FILES), input_paths=(options.file,))
    reader = VideoReader(options.file, options.frame_rate)
    tracker = make_box_tracker(options, reader.frame_rate)
    source = _FrameSource(reader, options.max_scans)
    make_folder(options.folder)
    estimates: list[Estimates] = []
    n_total = min(reader.n_expected or 0, options.max_scans or np.iinfo(np.int64).max)
    with (
        warnings.catch_warnings(record=True) as caught,
        VideoWriter(options.folder / _ANNOTATED_FILE, reader.frame_rate) as writer,
        console.progress_bar("tracking") as callback,
    ):
        warnings.simplefilter("always", VideoWarning)
        for found in track_frames(tracker, source, options.folder / "tracks.txt"):
            callback(len(estimates), max(n_total, len(estimates) + 1), f"frame {len(estimates) + 1}")
            writer.write(_annotate(source.pixels, found))
            estimates.append(found)
    notes = [str(warning.message) for warning in caught if issubclass(warning.category, VideoWarning)]
    console.print_notes(notes)
    height, width = reader.shape
    size = f"{format_count(len(estimates), 'frame')} of {width} x {height} pixels, {reader.frame_rate:.4g} per second"
    typer.echo(f"{format_fields([('Video', f'{options.file.name}: {size}')])}\n")
    finish_boxes(options, tracker, make_box_run(source.frames, estimates), notes)
    typer.echo(format_output_files(options.folder, _FILES, list(_FILES)))


class _FrameSource:
    """Iterates over the frames of a video with the boxes of their moving objects.

    Attributes
    ----------
    frames : list of RecordedFrame
        Frames so far; numbers count from 1.
    pixels : array of shape (H, W, 3)
        The last frame.
    """

    def __init__(self, reader: VideoReader, max_frames: int | None) -> None:
        self.reader, self.max_frames = reader, max_frames
        self.frames: list[RecordedFrame] = []
        self.pixels: AnyArray = np.zeros((0, 0, 3), dtype=np.uint8)

    def __iter__(self) -> Iterator[RecordedFrame]:
        """Yield frame after frame; the background learns each of them."""
        background, detector = BackgroundMixture(), BlobDetector()
        for frame in self.reader:
            self.pixels = frame.pixels
            boxes = detector.detect(background.apply(frame.pixels)).boxes
            self.frames.append(RecordedFrame(frame.number + 1, 1.0, boxes, None))
            yield self.frames[-1]
            if len(self.frames) == self.max_frames:
                return


def _annotate(pixels: AnyArray, found: Estimates) -> AnyArray:
    """Return a frame with the boxes and labels of its objects."""
    sizes = found.states[:, found.layout.extents]
    boxes = np.column_stack([found.positions - 0.5 * sizes, sizes])
    return draw_boxes(pixels, boxes, found.labels.tolist())
