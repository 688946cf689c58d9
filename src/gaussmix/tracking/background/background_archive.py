"""Files of background mixtures: parameters, format of the frames, and the mixtures of all pixels."""

import json
from os import PathLike
from typing import NamedTuple

import numpy as np

from gaussmix.core.pixel_mixtures import MEAN, PixelMixtures
from gaussmix.errors import ArchiveError, DamagedModelError
from gaussmix.model.archive import DAMAGE_ERRORS, ArchiveContent, read_archive, verify_checksum, write_archive
from gaussmix.tracking.background.background_options import BackgroundOptions
from gaussmix.tracking.background.frames import FrameFormat

FORMAT, SCHEMA = "gaussmix background mixture", "1"


class StoredBackground(NamedTuple):
    """What a file contains."""

    options: BackgroundOptions
    frame_format: FrameFormat
    n_frames: int
    mixtures: PixelMixtures


def save_background(path: str | PathLike[str], stored: StoredBackground) -> None:
    """Write a background mixture to a file; raise FileError if that fails."""
    parameters = {name: _to_json_number(value) for name, value in vars(stored.options).items()}
    strings = {
        "format": FORMAT,
        "schema": SCHEMA,
        "parameters": json.dumps(parameters),
        "frame_shape": json.dumps(stored.frame_format.shape),
        "frame_type": stored.frame_format.dtype,
        "n_frames": str(stored.n_frames),
    }
    tensors = {"components": stored.mixtures.components, "n_slots": stored.mixtures.n_slots}
    write_archive(path, strings, tensors)


def load_background(path: str | PathLike[str]) -> StoredBackground:
    """Read a background mixture from a file that `save_background` wrote.

    Raises
    ------
    FileError
        If there is no such file.
    ArchiveError
        If it is no background mixture, is damaged or has a newer schema.
    """
    content = read_archive(path, FORMAT, [SCHEMA])
    try:
        return _unpack(verify_checksum(content))
    except DAMAGE_ERRORS as error:
        raise ArchiveError.invalid_content(path, error) from error


def _to_json_number(value: object) -> object:
    """Return a number of NumPy as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def _unpack(content: ArchiveContent) -> StoredBackground:
    """Return what a file contains; raise DamagedModelError if its arrays contradict each other."""
    strings, tensors = content
    options = BackgroundOptions(**json.loads(strings["parameters"]))
    frame_format = FrameFormat(tuple(json.loads(strings["frame_shape"])), strings["frame_type"])
    height, width = frame_format.shape[:2]
    expected = PixelMixtures.empty(options.n_components, height, width, frame_format.n_channels)
    for name in ("components", "n_slots"):
        actual, wanted = tensors[name], getattr(expected, name)
        if actual.shape != wanted.shape:
            raise DamagedModelError.wrong_shape(actual.shape, wanted.shape)
        if actual.dtype != wanted.dtype or not np.isfinite(actual).all():
            raise DamagedModelError.invalid_tensor(name, actual.dtype)
    mixtures = PixelMixtures(tensors["components"], tensors["n_slots"], width)
    if mixtures.n_slots.max() > options.n_components or mixtures.components.shape[2] <= MEAN:
        raise DamagedModelError.invalid_tensor("n_slots", mixtures.n_slots.dtype)
    return StoredBackground(options, frame_format, int(strings["n_frames"]), mixtures)
