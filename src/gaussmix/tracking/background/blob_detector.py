"""`BlobDetector`: from the foreground mask of a frame to the boxes of its moving objects."""

from typing import Any, NamedTuple

import numpy as np

from gaussmix.core.scalar_checks import is_bool, is_integer, is_number_in
from gaussmix.errors import FrameError, ParameterError
from gaussmix.tracking.background.blob_merging import Pieces, find_pieces, merge_fragments
from gaussmix.tracking.background.blob_splitting import split_piece
from gaussmix.tracking.background.mask_cleaning import MAX_WINDOW, choose_window, clean_mask, parse_mask
from gaussmix.tracking.background.typical_size import (
    MAX_BOXES,
    TypicalSize,
    centre_rows,
    fit_typical_size,
)
from gaussmix.types import AnyArray, IntArray

# Fraction of the least area that a fragment must have.
_FRAGMENT_FRACTION = 0.1

# Foreground beyond this fraction of a frame is a change of the scene, not objects.
_MAX_FOREGROUND = 0.5

# Largest vertical gap within an object before the typical size is known, as a fraction of the frame height.
_FRAME_GAP = 0.02

# Frames between two looks at the sizes, and between two fits; neighbouring frames show the same boxes.
_FRAMES_PER_LOOK, _FRAMES_PER_FIT = 4, 24

# Least area of an object, as a fraction of the box of the typical size.
_MIN_FILLING = 0.15


class Blobs(NamedTuple):
    """Moving objects of a frame.

    ``boxes`` (n, 4) are left, top, width and height in pixels, and ``areas`` (n,) counts foreground pixels.
    """

    boxes: AnyArray
    areas: IntArray


class BlobDetector:
    """Finds the boxes of moving objects in foreground masks, frame after frame.

    A majority vote removes speckle, connected pieces are found, and fragments of one object are merged. The typical
    size of an object, by the image row, is learned from the boxes of the frames so far. Once it is known, pieces that
    are much smaller are dropped, and pieces that are much larger are split into objects of this size.

    Parameters
    ----------
    window : int, optional
        Odd side in pixels of the window of the vote, from 1 (no vote) to 15. None is 3 below 570 rows of the frame, and
        about a 190th of the rows above.
    min_area : float, default=0.0002
        Least number of foreground pixels of an object, as a fraction of the pixels of the frame.
    min_height : float, default=0.4
        Least height of an object, as a fraction of the typical height.
    max_gap : float, default=0.3
        Largest vertical gap between two fragments of one object, as a fraction of the typical height.
    should_split : bool, default=True
        Whether pieces of several objects are split.
    fill_holes : bool, default=False
        Whether holes count as foreground. It changes areas, but hardly boxes, and doubles the time.

    Attributes
    ----------
    typical_size_ : TypicalSize or None
        Typical width and height by the row of the centre; None before 40 boxes.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import BlobDetector
    >>> mask = np.zeros((100, 100), dtype=bool)
    >>> mask[20:50, 30:40] = True
    >>> BlobDetector().detect(mask).boxes.tolist()
    [[30.0, 20.0, 10.0, 30.0]]
    """

    def __init__(
        self,
        *,
        window: int | None = None,
        min_area: float = 0.0002,
        min_height: float = 0.4,
        max_gap: float = 0.3,
        should_split: bool = True,
        fill_holes: bool = False,
    ) -> None:
        if window is not None and (not is_integer(window, 1) or window > MAX_WINDOW or window % 2 == 0):
            raise ParameterError.invalid_value("window", window, f"an odd number from 1 to {MAX_WINDOW}, or None")
        for name, value in (("min_area", min_area), ("min_height", min_height), ("max_gap", max_gap)):
            if not is_number_in(value, 0.0, 1.0, includes_low=True):
                raise ParameterError.invalid_value(name, value, "a number of at least 0 and below 1")
        for name, flag in (("should_split", should_split), ("fill_holes", fill_holes)):
            if not is_bool(flag):
                raise ParameterError.invalid_value(name, flag, "True or False")
        self.window, self.min_area, self.min_height, self.max_gap = window, min_area, min_height, max_gap
        self.should_split, self.fill_holes = should_split, fill_holes
        self.typical_size_: TypicalSize | None = None
        self._shape: tuple[int, ...] | None = None
        self._n_frames = 0
        self._seen_boxes = np.zeros((0, 4))

    def detect(self, mask: Any) -> Blobs:
        """Return the moving objects of a frame, and learn their sizes.

        Parameters
        ----------
        mask : array-like (H, W)
            bool, or uint8 as `BackgroundMixture.apply` returns it, where only 255 is foreground. All masks have one
            shape. A mask of more than half foreground, as after a change of light, holds no objects.

        Raises
        ------
        FrameError
            If the mask has no two axes, is of another type, or differs in shape from the masks before.
        """
        foreground = parse_mask(mask)
        if self._shape not in (None, foreground.shape):
            raise FrameError.different_format(str(foreground.shape), str(self._shape))
        self._shape = foreground.shape
        pieces = self._find_objects(foreground)
        self._learn_size(pieces.boxes)
        if self.typical_size_ is None or not self.should_split or len(pieces.boxes) == 0:
            return Blobs(pieces.boxes, pieces.areas)
        parts = [split_piece(pieces, index, self.typical_size_) for index in range(len(pieces.boxes))]
        return Blobs(np.concatenate([boxes for boxes, _ in parts]), np.concatenate([areas for _, areas in parts]))

    def _find_objects(self, foreground: AnyArray) -> Pieces:
        """Return the merged pieces that are large enough."""
        cleaned = clean_mask(foreground, self.window or choose_window(foreground.shape[0]), self.fill_holes)
        if cleaned.mean() > _MAX_FOREGROUND:
            cleaned = np.zeros_like(cleaned)
        min_pixels = self.min_area * foreground.size
        pieces = find_pieces(cleaned, _FRAGMENT_FRACTION * min_pixels)
        pieces = merge_fragments(pieces, self.typical_size_, self.max_gap, _FRAME_GAP * foreground.shape[0])
        is_large = pieces.areas >= min_pixels
        if self.typical_size_ is not None:
            width, height = self.typical_size_.at(centre_rows(pieces.boxes))
            is_large &= pieces.boxes[:, 3] >= self.min_height * height
            is_large &= pieces.areas >= _MIN_FILLING * width * height
        return pieces.select(is_large)

    def _learn_size(self, boxes: AnyArray) -> None:
        """Learn the typical size from boxes that do not touch the border of the frame."""
        self._n_frames += 1
        if self._n_frames % _FRAMES_PER_LOOK == 0 and self._shape is not None:
            height, width = self._shape
            is_whole = (boxes[:, :2] > 0).all(axis=1) & (boxes[:, :2] + boxes[:, 2:] < (width, height)).all(axis=1)
            self._seen_boxes = np.concatenate([self._seen_boxes, boxes[is_whole]])[-MAX_BOXES:]
        if self._n_frames % _FRAMES_PER_FIT == 0:
            self.typical_size_ = fit_typical_size(self._seen_boxes)
