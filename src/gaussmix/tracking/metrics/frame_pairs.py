"""Pairs of rows of two tables that belong to the same frame."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gaussmix.types import IntArray, IntN

_MAX_PAIRS = 1 << 18  # pairs of a block: a few MB, so that crowded and long recordings need no more memory


class RowPairs(NamedTuple):
    """Rows of the first table (n,), and the row of the second table that stands beside each."""

    first: IntN
    second: IntN


class FrameSlices(NamedTuple):
    """Rows of the frames that two tables have in common: ``start`` and ``n_rows`` (n_frames, 2) for both tables."""

    start: IntArray
    n_rows: IntArray


def find_common_frames(first_frame: IntN, second_frame: IntN) -> FrameSlices:
    """Return where the rows of each common frame lie, from two sorted columns of frames."""
    frames = np.intersect1d(first_frame, second_frame)
    columns = (first_frame, second_frame)
    start = np.column_stack([np.searchsorted(column, frames, side="left") for column in columns])
    end = np.column_stack([np.searchsorted(column, frames, side="right") for column in columns])
    return FrameSlices(start, end - start)


def iterate_frame_pairs(first_frame: IntN, second_frame: IntN) -> Iterator[RowPairs]:
    """Yield all pairs of rows of the same frame, in blocks of whole frames; sorted by first row, then second row."""
    slices = find_common_frames(first_frame, second_frame)
    n_pairs = slices.n_rows.prod(axis=1)
    block = np.cumsum(n_pairs) // _MAX_PAIRS
    for frames in np.split(np.arange(len(n_pairs)), np.flatnonzero(np.diff(block)) + 1):
        if len(frames):
            yield _pair_rows(slices.start[frames], slices.n_rows[frames])


def _pair_rows(start: IntArray, n_rows: IntArray) -> RowPairs:
    """Return all pairs of rows of some frames."""
    n_pairs = n_rows.prod(axis=1)
    position = np.arange(n_pairs.sum()) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)  # of a pair in its frame
    width = np.repeat(n_rows[:, 1], n_pairs)
    return RowPairs(
        np.repeat(start[:, 0], n_pairs) + position // width, np.repeat(start[:, 1], n_pairs) + position % width
    )
