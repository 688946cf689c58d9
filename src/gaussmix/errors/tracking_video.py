"""Errors about frames, models of the background, and files of video."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixWarning
from gaussmix.errors.data import DataError
from gaussmix.errors.files import FileError
from gaussmix.errors.text import format_count, join_with_commas


class FrameError(DataError):
    """A frame or mask that cannot be used."""

    @classmethod
    def wrong_shape(cls, shape: tuple[int, ...]) -> "FrameError":
        """Return the error that an array is no picture."""
        return cls(
            f"a frame must have the shape (height, width) for grey or (height, width, 3) for colour, but has {shape}; "
            "drop an alpha channel with frame[..., :3]"
        )

    @classmethod
    def wrong_type(cls, dtype: object) -> "FrameError":
        """Return the error that the numbers of a frame are neither bytes nor floats."""
        return cls(
            f"a frame must hold uint8, float32 or float64, but holds {dtype}; divide by its largest possible value to "
            "get floats from 0 to 1"
        )

    @classmethod
    def not_bytes(cls, dtype: object) -> "FrameError":
        """Return the error that a frame to write does not hold bytes."""
        return cls(f"a frame to write must hold uint8, but holds {dtype}; scale it to 0 to 255 and use astype('uint8')")

    @classmethod
    def different_format(cls, found: str, expected: str) -> "FrameError":
        """Return the error that shape or type of a frame differs from the frames before it."""
        return cls(
            f"the frame is {found}, but the background was learned from {expected}; convert the frame, or start a "
            "new BackgroundMixture"
        )

    @classmethod
    def unusable_pixels(cls, n_pixels: int) -> "FrameError":
        """Return the error that a frame contains NaN, infinity, or a number whose square overflows."""
        return cls(
            f"the frame has {format_count(n_pixels, 'pixel')} of NaN, infinity or more than 1e15 times the value "
            "range; replace them or drop the frame"
        )

    @classmethod
    def nothing_learned(cls) -> "FrameError":
        """Return the error that the background was asked for before any frame was learned."""
        return cls("no frame has been learned yet; call apply(frame) with a learning rate above 0 first")

    @classmethod
    def wrong_mask(cls, shape: tuple[int, ...], dtype: object) -> "FrameError":
        """Return the error that an array is no mask."""
        return cls(
            f"a mask must have two axes and hold bool or uint8, but has the shape {shape} and holds {dtype}; pass what "
            "BackgroundMixture.apply returns"
        )


class VideoError(FileError):
    """A file of video that cannot be read or written."""

    @classmethod
    def not_found(cls, path: object) -> "VideoError":
        """Return the error that the path does not exist."""
        return cls(f"there is no file or folder {path}; check its name")

    @classmethod
    def no_pictures(cls, path: object, extensions: Sequence[str]) -> "VideoError":
        """Return the error that a folder contains no pictures."""
        return cls(f"the folder {path} contains no pictures; their names must end in {join_with_commas(extensions)}")

    @classmethod
    def unreadable_video(cls, path: object) -> "VideoError":
        """Return the error that a file is no video, or needs a codec that is missing."""
        return cls(
            f"{path} cannot be read as video: it is damaged, no video, or needs a codec that OpenCV lacks; convert it, "
            "for example with: ffmpeg -i INPUT -c:v libx264 OUTPUT.mp4"
        )

    @classmethod
    def unreadable_picture(cls, path: object) -> "VideoError":
        """Return the error that the first picture of a folder cannot be read."""
        return cls(f"{path} cannot be read as a picture; remove it from the folder, or replace it")

    @classmethod
    def unknown_output(cls, path: object, extensions: Sequence[str]) -> "VideoError":
        """Return the error that a file name does not say which video to write."""
        return cls(f"the type of {path} cannot be written; the name must end in {join_with_commas(extensions)}")

    @classmethod
    def unwritable_video(cls, path: object) -> "VideoError":
        """Return the error that no video can be written to a path."""
        return cls(f"cannot write video to {path}; check that its folder exists and can be written")

    @classmethod
    def different_size(cls, path: object, found: str, expected: str) -> "VideoError":
        """Return the error that a frame differs from the first one of a video that is written."""
        return cls(f"every frame of {path} must be {expected} like the first one, but one is {found}; convert it")


class VideoWarning(GaussmixWarning):
    """A video of which only a part was read."""

    @classmethod
    def from_reason(cls, path: object, n_frames: int, reason: str) -> "VideoWarning":
        """Return the warning that says how many frames were read and why no more."""
        return cls(f"{path}: {format_count(n_frames, 'frame')} read, then {reason}; the result covers these frames")
