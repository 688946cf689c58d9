"""Detections that are far from all others, such as a slip in a file: they say nothing about the region of a scene."""

import numpy as np

from gaussmix.types import ND, BoolN, N

_MAX_FRACTION = 0.05  # of the rows at each end of a column that can be far
_MIN_GAP = 10.0  # between far rows and the others, in ranges of the others
_MIN_ROWS = 10


def find_far_detections(rows: ND) -> BoolN:
    """Return which rows (n, p) are far from all others in some column, (n,).

    At most a twentieth of the rows at each end of a column are far: those beyond a gap of ten times the range of all
    other rows.
    """
    is_far = np.zeros(len(rows), dtype=bool)
    if len(rows) < _MIN_ROWS:
        return is_far
    for column in rows.T:
        is_far |= (column > _find_upper_limit(column)) | (-column > _find_upper_limit(-column))
    return is_far


def _find_upper_limit(values: N) -> float:
    """Return the value above which values (n,) are far; infinity if none is."""
    ordered = np.sort(values)
    n_far = max(1, int(_MAX_FRACTION * len(values)))
    below, above = ordered[-n_far - 1 : -1], ordered[-n_far:]
    ranges = below - ordered[n_far]
    is_beyond = (ranges > 0.0) & (above - below > _MIN_GAP * ranges)
    return float(below[np.argmax(is_beyond)]) if is_beyond.any() else np.inf
