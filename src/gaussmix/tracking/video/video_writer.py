"""Write frames to a video file."""

from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import FrameError, ParameterError, VideoError
from gaussmix.tracking.video.opencv import import_opencv, swap_red_and_blue
from gaussmix.tracking.video.video_reader import DEFAULT_FRAME_RATE, MAX_FRAME_RATE

# Codecs by extension that the wheels of OpenCV contain.
CODECS = {".mp4": "mp4v", ".avi": "MJPG"}


class VideoWriter:
    """Writes frames to a video file, as a context manager. The file is complete once the block ends.

    Parameters
    ----------
    path : path-like
        The file; its name ends in .mp4 (MPEG-4) or .avi (Motion JPEG).
    frame_rate : float, default=25.0
        Frames per second.

    Raises
    ------
    MissingPackageError
        If OpenCV is not installed.
    VideoError
        If the extension is another one, or the file cannot be written.
    ParameterError
        If the frame rate is not a number above 0 and below 10 000.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from gaussmix.tracking import VideoWriter, read_frames
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.avi")
    >>> with VideoWriter(path, frame_rate=10) as writer:
    ...     for level in (0, 100, 200):
    ...         writer.write(np.full((48, 64), level, dtype=np.uint8))
    >>> [frame.time for frame in read_frames(path)]
    [0.0, 0.1, 0.2]
    """

    def __init__(self, path: str | PathLike[str], frame_rate: float = DEFAULT_FRAME_RATE) -> None:
        self.path, self.n_written = Path(path), 0
        if self.path.suffix.lower() not in CODECS:
            raise VideoError.unknown_output(path, list(CODECS))
        if not is_number_in(frame_rate, 0.0, MAX_FRAME_RATE):
            raise ParameterError.invalid_value(
                "frame_rate", frame_rate, f"a number above 0 and below {MAX_FRAME_RATE:g}"
            )
        if not self.path.parent.is_dir() or self.path.is_dir():
            raise VideoError.unwritable_video(path)
        self.frame_rate = float(frame_rate)
        self._cv2 = import_opencv()
        self._writer: Any = None
        self._shape: tuple[int, int] | None = None

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, frame: Any) -> None:
        """Append a frame of uint8, grey (H, W) or red, green and blue (H, W, 3).

        Raises
        ------
        FrameError
            If it is no picture of uint8.
        VideoError
            If its size differs from that of the first frame, or the file cannot be written.
        """
        array = np.asarray(frame)
        if array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)) or array.size == 0:
            raise FrameError.wrong_shape(array.shape)
        if array.dtype != np.uint8:
            raise FrameError.not_bytes(array.dtype)
        colour = np.repeat(array[:, :, None], 3, axis=2) if array.ndim == 2 else swap_red_and_blue(array)
        size = colour.shape[:2]
        if self._shape is None:
            self._open(size)
        elif size != self._shape:
            raise VideoError.different_size(self.path, f"{size[0]} x {size[1]}", f"{self._shape[0]} x {self._shape[1]}")
        self._writer.write(colour)
        self.n_written += 1

    def close(self) -> None:
        """Complete the file; frames cannot be written any more."""
        if self._writer is not None:
            self._writer.release()

    def _open(self, size: tuple[int, int]) -> None:
        """Open the file for frames of a size."""
        codec = self._cv2.VideoWriter_fourcc(*CODECS[self.path.suffix.lower()])
        self._writer = self._cv2.VideoWriter(str(self.path), codec, self.frame_rate, size[::-1])
        if not self._writer.isOpened():
            raise VideoError.unwritable_video(self.path)
        self._shape = size
