"""Frames as the update of the mixtures reads them: bytes or single precision, rows filled up to whole groups."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.core.pixel_mixtures import PIXELS_PER_GROUP
from gaussmix.errors import FrameError
from gaussmix.tracking.background.background_options import BYTE_RANGE
from gaussmix.types import AnyArray

_COLOUR_CHANNELS = 3
_FRAME_TYPES = tuple(map(np.dtype, (np.uint8, np.float32, np.float64)))

# Largest value of a float frame in units of its range; its square is finite in single precision.
_MAX_RELATIVE_VALUE = 1e15


@dataclass(frozen=True)
class FrameFormat:
    """Shape and type that all frames of a video share."""

    shape: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, frame: AnyArray) -> "FrameFormat":
        """Return the format of a frame."""
        return cls(frame.shape, str(frame.dtype))

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.shape))} {self.dtype}"

    @property
    def n_channels(self) -> int:
        """Number of channels: 1 for grey, 3 for colour."""
        return self.shape[2] if len(self.shape) == 3 else 1

    def require_equal(self, other: "FrameFormat") -> None:
        """Raise FrameError if the format of a new frame differs."""
        if other != self:
            raise FrameError.different_format(str(other), str(self))


def parse_frame(frame: Any) -> AnyArray:
    """Return a frame as an array.

    Raises
    ------
    FrameError
        If it is neither grey (H, W) nor colour (H, W, 3), is empty, or holds neither uint8, float32 nor float64.
    """
    array = np.asarray(frame)
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == _COLOUR_CHANNELS)
    if not is_picture or array.size == 0:
        raise FrameError.wrong_shape(array.shape)
    if array.dtype not in _FRAME_TYPES:
        raise FrameError.wrong_type(array.dtype)
    return array


def pack_frame(array: AnyArray, value_range: float) -> AnyArray:
    """Return a frame with filled-up rows: bytes as they are, floats scaled to single-precision levels of bytes.

    Raises
    ------
    FrameError
        If a float is not finite, or far beyond the range.
    """
    if array.dtype != np.uint8:
        array = _scale_to_levels(array, value_range)
    padding = -array.shape[1] % PIXELS_PER_GROUP
    if padding:
        array = np.pad(array, [(0, 0), (0, padding)] + [(0, 0)] * (array.ndim - 2))
    return np.ascontiguousarray(array)


def _scale_to_levels(array: AnyArray, value_range: float) -> AnyArray:
    """Return floats as levels of bytes in single precision; raise FrameError if they cannot be used."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        levels = array.astype(np.float64) * (BYTE_RANGE / value_range)
        is_bad = ~(np.abs(levels) <= _MAX_RELATIVE_VALUE * BYTE_RANGE)
        if is_bad.any():
            n_bad = int(is_bad.reshape(*array.shape[:2], -1).any(axis=2).sum())
            raise FrameError.unusable_pixels(n_bad)
        return levels.astype(np.float32)
