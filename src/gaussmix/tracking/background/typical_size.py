"""The typical size of an object as a function of the image row, learned from the boxes of the video itself.

A camera that looks down on a plane shows distant objects higher in the picture, and smaller. So size is about linear in
the row. Theil and Sen's line is the median over pairs of boxes, so merged and broken boxes hardly move it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from gaussmix.types import AnyArray

# Part of the boxes on either side beyond whose rows sizes are constant rather than extrapolated.
_EDGE_FRACTION = 0.05

# Fewest boxes from which a size is learned, and the most recent ones that are kept.
MIN_BOXES, MAX_BOXES = 40, 500


class SizeLine(NamedTuple):
    """A line: ``intercept + slope * row``."""

    slope: float
    intercept: float

    def at(self, row: AnyArray) -> AnyArray:
        """Return the values at some rows."""
        return self.intercept + self.slope * row


@dataclass(frozen=True)
class TypicalSize:
    """Typical width and height of an object in pixels, by the row of its centre.

    Parameters
    ----------
    width, height : SizeLine
        The sizes at a row from ``first_row`` to ``last_row``. Beyond, they are those at the nearest of these rows.
    first_row, last_row : float
        Rows between which nine tenths of the boxes were seen.
    """

    width: SizeLine
    height: SizeLine
    first_row: float
    last_row: float

    def at(self, row: AnyArray) -> tuple[AnyArray, AnyArray]:
        """Return typical widths and heights at some rows of centres, at least one pixel."""
        row = np.clip(row, self.first_row, self.last_row)
        return np.maximum(self.width.at(row), 1.0), np.maximum(self.height.at(row), 1.0)


def fit_typical_size(boxes: Sequence[AnyArray] | AnyArray) -> TypicalSize | None:
    """Return the typical size of boxes (n, 4) of left, top, width and height; None for fewer than `MIN_BOXES`."""
    rows_of_boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)[-MAX_BOXES:]
    if len(rows_of_boxes) < MIN_BOXES:
        return None
    rows = centre_rows(rows_of_boxes)
    first_row, last_row = np.quantile(rows, [_EDGE_FRACTION, 1.0 - _EDGE_FRACTION])
    width, height = (_fit_line(rows, rows_of_boxes[:, column]) for column in (2, 3))
    return TypicalSize(width, height, float(first_row), float(last_row))


def centre_rows(boxes: AnyArray) -> AnyArray:
    """Return the rows of the centres of boxes (n, 4)."""
    return boxes[:, 1] + 0.5 * boxes[:, 3]


def _fit_line(rows: AnyArray, sizes: AnyArray) -> SizeLine:
    """Return Theil and Sen's line; a constant if all rows are equal."""
    if np.ptp(rows) == 0:
        return SizeLine(0.0, float(np.median(sizes)))
    slope, intercept, *_ = stats.theilslopes(sizes, rows)
    return SizeLine(float(slope), float(intercept))
