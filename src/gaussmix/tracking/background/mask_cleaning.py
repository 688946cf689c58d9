"""Foreground masks without speckle: a majority vote in a square window, which is the median of a binary picture."""

from typing import Any

import numpy as np
from scipy import ndimage

from gaussmix.core.pixel_mixtures import FOREGROUND
from gaussmix.errors import FrameError
from gaussmix.types import AnyArray

# Frame heights per pixel of the window of the vote: 3 pixels at 576 rows, 5 at 1080, 11 at 2160.
_ROWS_PER_WINDOW_PIXEL = 190

# Largest window whose counts fit into a byte.
MAX_WINDOW = 15


def choose_window(height: int) -> int:
    """Return the side of the window for frames of a height: odd, from 3 to 15."""
    return min(MAX_WINDOW, max(3, height // _ROWS_PER_WINDOW_PIXEL // 2 * 2 + 1))


def parse_mask(mask: Any) -> AnyArray:
    """Return a mask as bools, True where it is foreground.

    ``mask`` is bool, or uint8 as `BackgroundMixture.apply` returns it: 255 is foreground, so shadows are background.

    Raises
    ------
    FrameError
        If it does not have two axes, is empty, or is of another type.
    """
    array = np.asarray(mask)
    if array.ndim != 2 or array.size == 0 or array.dtype not in (np.dtype(np.bool_), np.dtype(np.uint8)):
        raise FrameError.wrong_mask(array.shape, array.dtype)
    return array if array.dtype == np.bool_ else array == FOREGROUND


def clean_mask(foreground: AnyArray, window: int, fill_holes: bool = False) -> AnyArray:
    """Return a mask (H, W) of bools in which every pixel is what most pixels of the window around it are.

    Parameters
    ----------
    foreground : ndarray (H, W) of bool
        The mask. Beyond its border is background.
    window : int
        Odd side of the window in pixels, from 1 to 15. It removes what is less than half as wide.
    fill_holes : bool, default=False
        Whether background without a connection to the border becomes foreground.
    """
    cleaned = _count_in_window(foreground, window) > window * window // 2 if window > 1 else foreground
    return ndimage.binary_fill_holes(cleaned) if fill_holes else cleaned


def _count_in_window(foreground: AnyArray, window: int) -> AnyArray:
    """Return the number of foreground pixels in the window around each pixel, in bytes."""
    radius, (height, width) = window // 2, foreground.shape
    padded = np.pad(foreground.view(np.uint8), radius)
    # Sums of shifted bytes take a tenth of the time of a general filter.
    rows = padded[:height].copy()
    for shift in range(1, window):
        rows += padded[shift : shift + height]
    counts = rows[:, :width].copy()
    for shift in range(1, window):
        counts += rows[:, shift : shift + width]
    return counts
