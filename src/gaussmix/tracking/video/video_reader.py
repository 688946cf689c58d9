"""Read the frames of a video file, or of a folder of pictures, one after another."""

import math
import warnings
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from gaussmix.core.input_labels import natural_sort_key
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError, VideoError, VideoWarning
from gaussmix.tracking.video.opencv import import_opencv, swap_red_and_blue
from gaussmix.types import AnyArray

PICTURE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

# Frames per second where a file does not say it, and the largest credible rate.
DEFAULT_FRAME_RATE, MAX_FRAME_RATE = 25.0, 10_000.0

# The number of frames in a header is often an estimate; this fraction of it may be missing without a warning.
_HEADER_TOLERANCE = 0.02


class VideoFrame(NamedTuple):
    """A frame: its number from 0 on, its time in seconds, and its pixels (H, W, 3) of uint8, red, green and blue."""

    number: int
    time: float
    pixels: AnyArray


class VideoReader:
    """Iterates over the frames of a video file or of a folder of pictures; each iteration starts anew.

    A video that is cut off or damaged in the middle gives the frames before, then one `VideoWarning`.

    Attributes
    ----------
    path : Path
        The file or folder.
    frame_rate : float
        Frames per second: the given one, that of the file, or 25 if the file has none.
    shape : tuple of int
        Height and width in pixels.
    n_expected : int or None
        Number of frames by the header of the file, often an estimate; None if it says nothing.
    n_read : int
        Number of frames that the last iteration has read so far.
    end_reason : str or None
        Why the last iteration ended before the expected end; None if it did not.
    """

    def __init__(self, path: str | PathLike[str], frame_rate: float | None = None) -> None:
        if frame_rate is not None and not is_number_in(frame_rate, 0.0, MAX_FRAME_RATE):
            raise ParameterError.invalid_value(
                "frame_rate", frame_rate, f"a number above 0 and below {MAX_FRAME_RATE:g}"
            )
        self.path = Path(path)
        if not self.path.exists():
            raise VideoError.not_found(path)
        self._pictures = _list_pictures(self.path) if self.path.is_dir() else None
        self._given_rate = frame_rate
        self.n_read = 0
        self.end_reason: str | None = None
        self._open_and_describe()

    def __iter__(self) -> Iterator[VideoFrame]:
        self.n_read, self.end_reason = 0, None
        for pixels in self._read_pixels():
            if pixels is None or pixels.shape[:2] != self.shape:
                self.end_reason = self._describe_bad_picture("damaged" if pixels is None else "of another size")
                break
            yield VideoFrame(self.n_read, self.n_read / self.frame_rate, swap_red_and_blue(pixels))
            self.n_read += 1
        self._check_end()

    def _open_and_describe(self) -> None:
        """Set frame rate, shape and expected number of frames; raise VideoError if there is no readable frame."""
        cv2 = import_opencv()
        first = next(self._read_pixels(), None)
        if first is None:
            unreadable = VideoError.unreadable_video if self._pictures is None else VideoError.unreadable_picture
            raise unreadable(self.path if self._pictures is None else self._pictures[0])
        self.shape: tuple[int, int] = (int(first.shape[0]), int(first.shape[1]))
        rate, count = math.nan, float("nan" if self._pictures is None else len(self._pictures))
        if self._pictures is None:
            capture = cv2.VideoCapture(str(self.path))
            rate, count = (capture.get(name) for name in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
            capture.release()
        header_rate = rate if 0.0 < rate < MAX_FRAME_RATE else DEFAULT_FRAME_RATE
        self.frame_rate = float(header_rate if self._given_rate is None else self._given_rate)
        self.n_expected: int | None = int(count) if 0.0 < count < 2.0**53 else None

    def _read_pixels(self) -> Iterator[Any]:
        """Yield frames as OpenCV reads them, blue first; None for a picture that cannot be read."""
        cv2 = import_opencv()
        if self._pictures is not None:
            yield from (cv2.imread(str(picture), cv2.IMREAD_COLOR) for picture in self._pictures)
            return
        capture = cv2.VideoCapture(str(self.path))
        try:
            while (result := capture.read())[0]:
                yield result[1]
        finally:
            capture.release()

    def _describe_bad_picture(self, fault: str) -> str:
        """Return the sentence on the next picture, which cannot be used."""
        name = "a picture" if self._pictures is None else f"the picture {self._pictures[self.n_read].name}"
        return f"{name} is {fault}"

    def _check_end(self) -> None:
        """Warn if the video has ended early."""
        expected = self.n_expected or 0
        if self.end_reason is None and self.n_read < expected - max(1, math.ceil(_HEADER_TOLERANCE * expected)):
            self.end_reason = f"the file ended or is damaged, though its header says {expected}"
        if self.end_reason is not None:
            warnings.warn(VideoWarning.from_reason(self.path, self.n_read, self.end_reason), stacklevel=3)


def read_frames(path: str | PathLike[str], frame_rate: float | None = None) -> VideoReader:
    """Return the frames of a video, to iterate over; one frame at a time is in memory.

    Parameters
    ----------
    path : path-like
        A video file of any format that OpenCV reads, or a folder of pictures, which are read in natural order of their
        names ('2.png' before '10.png').
    frame_rate : float, optional
        Frames per second, from which times follow. None is that of the file; 25 for a folder.

    Returns
    -------
    VideoReader
        Iterable of `VideoFrame`, with frame rate, shape and number of frames.

    Raises
    ------
    MissingPackageError
        If OpenCV is not installed.
    VideoError
        If there is no such path, the file is no readable video, or the folder has no readable pictures.
    ParameterError
        If the frame rate is not a number above 0 and below 10 000.
    """
    return VideoReader(path, frame_rate)


def _list_pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder in natural order; raise VideoError if there are none."""
    pictures = [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_EXTENSIONS]
    if not pictures:
        raise VideoError.no_pictures(folder, PICTURE_EXTENSIONS)
    return sorted(pictures, key=lambda path: natural_sort_key(path.name))
