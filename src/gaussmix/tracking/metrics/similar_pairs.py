"""All pairs of a true object and a track that resemble each other in a frame: the input of every track measure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.tracking.metrics.frame_pairs import find_common_frames, iterate_frame_pairs
from gaussmix.tracking.metrics.labels import LabelIndex, index_labels
from gaussmix.tracking.metrics.similarity import Similarity
from gaussmix.tracking.track_table import TrackTable
from gaussmix.types import BoolN, IntArray, IntN, N

_ROUNDING = 1e-12  # a similarity this far below a threshold reaches it: coordinates such as 0.1 are rounded


class LabelPairs(NamedTuple):
    """Distinct pairs of a true object and a track.

    ``truth`` and ``track`` (P,) are their label indices, ``of_pair`` (m,) is the label pair of each pair of rows.
    """

    truth: IntN
    track: IntN
    of_pair: IntN


@dataclass(frozen=True, eq=False)
class SimilarPairs:
    """Pairs of rows of the same frame with a similarity above 0.

    Attributes
    ----------
    truth, track : LabelIndex
        Labels of all rows of the two tables.
    truth_row, track_row : ndarray of shape (m,)
        The rows of each pair, sorted by the row of the truth, then that of the track.
    similarity : ndarray of shape (m,)
        From 0, exclusive, to 1.
    truth_frame : ndarray of shape (m,)
        The frame of each pair.
    """

    truth: LabelIndex
    track: LabelIndex
    truth_row: IntN
    track_row: IntN
    similarity: N
    truth_frame: IntN

    @classmethod
    def from_tables(cls, truth: TrackTable, tracks: TrackTable, similarity: Similarity) -> "SimilarPairs":
        """Compare all rows of the same frame; raise TrackEvaluationError if a row has no label."""
        truth_index, track_index = index_labels(truth, "truth"), index_labels(tracks, "tracks")
        blocks = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))]
        for rows in iterate_frame_pairs(truth.frame, tracks.frame):
            values = similarity.compare_rows(truth, tracks, rows)
            is_similar = values > 0
            blocks.append((rows.first[is_similar], rows.second[is_similar], values[is_similar]))
        truth_row, track_row, values = (np.concatenate(column) for column in zip(*blocks, strict=True))
        return cls(truth_index, track_index, truth_row, track_row, values, truth.frame[truth_row])

    def reaches(self, threshold: float) -> BoolN:
        """Return whether the similarity (m,) of each pair reaches a threshold, up to rounding."""
        return np.asarray(self.similarity >= threshold - _ROUNDING)

    def select(self, is_chosen: BoolN) -> "SimilarPairs":
        """Return some of the pairs, by a mask (m,)."""
        return SimilarPairs(
            self.truth,
            self.track,
            self.truth_row[is_chosen],
            self.track_row[is_chosen],
            self.similarity[is_chosen],
            self.truth_frame[is_chosen],
        )

    @cached_property
    def label_pairs(self) -> LabelPairs:
        """The distinct pairs of labels."""
        code = self.truth.of_row[self.truth_row] * self.track.n_labels + self.track.of_row[self.track_row]
        distinct, of_pair = np.unique(code, return_inverse=True)
        return LabelPairs(*np.divmod(distinct, max(self.track.n_labels, 1)), of_pair)

    def iterate_frames(self) -> Iterator[slice]:
        """Yield the pairs of each frame that has some."""
        slices = find_common_frames(self.truth_frame, self.truth_frame)
        for start, count in zip(slices.start[:, 0].tolist(), slices.n_rows[:, 0].tolist(), strict=True):
            yield slice(start, start + count)


def assign_pairs(first: IntN, second: IntN, score: N) -> IntArray:
    """Return the indices of the pairs, each first and each second in at most one, whose scores have the largest sum.

    ``first`` and ``second`` (m,) are any integers, ``score`` (m,) is above 0. Pairs that are not listed are not
    possible.
    """
    rows, row = np.unique(first, return_inverse=True)
    columns, column = np.unique(second, return_inverse=True)
    scores = np.zeros((len(rows), len(columns)))
    index = np.full(scores.shape, -1)
    scores[row, column] = score
    index[row, column] = np.arange(len(score))
    chosen = index[linear_sum_assignment(scores, maximize=True)]
    return chosen[chosen >= 0]
