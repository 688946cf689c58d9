"""Draw boxes with labels, and masks, on frames."""

import colorsys
from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix.core.pixel_mixtures import FOREGROUND, SHADOW
from gaussmix.errors import ParameterError
from gaussmix.tracking.video.opencv import import_opencv
from gaussmix.types import AnyArray

# Steps of the hue by the golden ratio give neighbouring labels distant colours.
_GOLDEN_RATIO = 0.618034

_FONT_SCALE_PER_ROW, _MIN_FONT_SCALE = 1.0 / 1200.0, 0.35
_MASK_COLOURS = {FOREGROUND: (255, 40, 40), SHADOW: (60, 60, 255)}


def draw_boxes(frame: Any, boxes: Any, labels: Sequence[int] | None = None) -> AnyArray:
    """Return a copy of a frame with boxes, each with its label in its colour.

    Parameters
    ----------
    frame : array-like (H, W, 3) of uint8
        Red, green and blue.
    boxes : array-like (n, 4)
        Left, top, width and height in pixels.
    labels : sequence of int, optional
        One label per box; equal labels have equal colours. None draws all boxes in one colour, without text.

    Raises
    ------
    ParameterError
        If there is not one label per box, or a box has not four finite numbers.
    """
    cv2 = import_opencv("drawing boxes")
    picture: AnyArray = np.array(frame, dtype=np.uint8, order="C")
    places = np.asarray(boxes, dtype=float).reshape(-1, 4) if np.size(boxes) else np.zeros((0, 4))
    if not np.isfinite(places).all():
        raise ParameterError.not_finite("boxes")
    if labels is not None and len(labels) != len(places):
        raise ParameterError.wrong_shape("labels", (len(labels),), (len(places),))
    thickness = max(1, picture.shape[0] // 400)
    scale = max(_MIN_FONT_SCALE, picture.shape[0] * _FONT_SCALE_PER_ROW)
    for index, (left, top, width, height) in enumerate(places):
        colour = label_colour(0 if labels is None else int(labels[index]))
        corner, opposite = (round(left), round(top)), (round(left + width) - 1, round(top + height) - 1)
        cv2.rectangle(picture, corner, opposite, colour, thickness)
        if labels is not None:
            place = (corner[0], max(corner[1] - 3, 10))
            cv2.putText(
                picture, str(labels[index]), place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA
            )
    return picture


def draw_mask(frame: Any, mask: Any, opacity: float = 0.5) -> AnyArray:
    """Return a copy of a frame (H, W, 3) of uint8 with foreground in red and shadow in blue.

    ``mask`` (H, W) is what `BackgroundMixture.apply` returns; ``opacity`` from 0 to 1 is that of the colours.
    """
    picture: AnyArray = np.array(frame, dtype=float)
    values = np.asarray(mask)
    for value, colour in _MASK_COLOURS.items():
        picture[values == value] = (1.0 - opacity) * picture[values == value] + opacity * np.array(colour)
    drawn: AnyArray = np.rint(picture).astype(np.uint8)
    return drawn


def label_colour(label: int) -> tuple[int, int, int]:
    """Return the colour of a label as red, green and blue from 0 to 255."""
    red, green, blue = colorsys.hsv_to_rgb(0.33 + label * _GOLDEN_RATIO % 1.0, 0.9, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)
