"""OpenCV, imported when it is first needed, and the order of its channels."""

import importlib
import os
from typing import Any

import numpy as np

from gaussmix.errors import MissingPackageError
from gaussmix.types import AnyArray

_SILENT = "-8"  # level of FFmpeg's messages; the readers say in a sentence what is wrong with a video


def import_opencv(purpose: str = "reading and writing video") -> Any:
    """Return the module ``cv2``.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _SILENT)
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        raise MissingPackageError.for_extra("opencv-python-headless", purpose, "video") from error


def swap_red_and_blue(picture: AnyArray) -> AnyArray:
    """Return a colour picture (H, W, 3) with its first and last channel exchanged, contiguous.

    OpenCV has blue, green and red; everything else has red, green and blue.
    """
    return np.ascontiguousarray(picture[..., ::-1])
