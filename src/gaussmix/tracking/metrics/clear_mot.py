"""CLEAR measures: missed and false objects, identity switches and fragmentations of tracks."""

from dataclasses import dataclass

import numpy as np

from gaussmix.tracking.metrics.similar_pairs import SimilarPairs, assign_pairs
from gaussmix.types import BoolN, IntArray, IntN, N

_NONE = -1  # no track
_MOSTLY_TRACKED = 0.8  # matched fractions of an object's life (Li, Huang & Nevatia, CVPR 2009)
_MOSTLY_LOST = 0.2


@dataclass(frozen=True)
class ClearMeasures:
    """CLEAR measures of tracks.

    Attributes
    ----------
    mota : float
        Accuracy: one minus missed, false and switched objects over the true ones. At most 1, and below 0 for many
        false ones.
    motp : float
        Precision: mean similarity of the matches, 0 without a match.
    recall, precision : float
        Matched fractions of the true and of the estimated objects; 0 if there are none.
    n_matches, n_false_positives, n_misses : int
        Objects over all frames.
    n_switches : int
        Matches of an object with another track than at its match before.
    n_fragmentations : int
        Interruptions of an object's matches.
    n_mostly_tracked, n_partly_tracked, n_mostly_lost : int
        Objects matched in at least 80 % of their frames, in 20 to 80 %, and in less than 20 %.
    """

    mota: float
    motp: float
    recall: float
    precision: float
    n_matches: int
    n_false_positives: int
    n_misses: int
    n_switches: int
    n_fragmentations: int
    n_mostly_tracked: int
    n_partly_tracked: int
    n_mostly_lost: int


def clear_measures(pairs: SimilarPairs, threshold: float) -> ClearMeasures:
    """Return the CLEAR measures of pairs that match from a similarity of ``threshold`` on.

    An object keeps the track of its last match if both still match. All others are assigned, first as many as
    possible, then with the largest sum of similarities. Where two objects claim a track, that of the smaller label
    keeps it.

    References
    ----------
    Bernardin & Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics", EURASIP Journal
    on Image and Video Processing, 2008. The order of the steps is that of motmetrics.
    """
    candidates = pairs.select(pairs.reaches(threshold))
    matches = candidates.select(_match_frames(candidates))
    n_truth, n_tracks, n_matches = len(pairs.truth.of_row), len(pairs.track.of_row), len(matches.similarity)
    n_switches = _count_switches(matches)
    is_matched = np.zeros(n_truth, dtype=bool)
    is_matched[matches.truth_row] = True
    fraction = np.bincount(pairs.truth.of_row, is_matched, pairs.truth.n_labels) / pairs.truth.n_rows
    n_mostly_tracked = int(np.count_nonzero(fraction >= _MOSTLY_TRACKED))
    n_mostly_lost = int(np.count_nonzero(fraction < _MOSTLY_LOST))
    n_false_positives, n_misses = n_tracks - n_matches, n_truth - n_matches
    return ClearMeasures(
        mota=1.0 - (n_misses + n_false_positives + n_switches) / n_truth,
        motp=float(matches.similarity.mean()) if n_matches else 0.0,
        recall=n_matches / n_truth,
        precision=n_matches / max(n_tracks, 1),
        n_matches=n_matches,
        n_false_positives=n_false_positives,
        n_misses=n_misses,
        n_switches=n_switches,
        n_fragmentations=_count_fragmentations(pairs.truth.of_row, is_matched),
        n_mostly_tracked=n_mostly_tracked,
        n_partly_tracked=pairs.truth.n_labels - n_mostly_tracked - n_mostly_lost,
        n_mostly_lost=n_mostly_lost,
    )


def _match_frames(candidates: SimilarPairs) -> BoolN:
    """Return which candidate pairs (m,) are matches, frame by frame."""
    truth, track = candidates.truth.of_row[candidates.truth_row], candidates.track.of_row[candidates.track_row]
    last_track = np.full(candidates.truth.n_labels, _NONE)
    is_match = np.zeros(len(truth), dtype=bool)
    for frame in candidates.iterate_frames():
        matched = frame.start + _match_frame(truth[frame], track[frame], candidates.similarity[frame], last_track)
        last_track[truth[matched]] = track[matched]
        is_match[matched] = True
    return is_match


def _match_frame(truth: IntN, track: IntN, similarity: N, last_track: IntN) -> IntArray:
    """Return the indices of the matches among the pairs (m,) of a frame, from the last track of each object."""
    continued = np.flatnonzero(last_track[truth] == track)
    kept = continued[np.unique(track[continued], return_index=True)[1]]  # the first object of each track
    is_free = ~(np.isin(truth, truth[kept]) | np.isin(track, track[kept]))
    if not is_free.any():
        return kept
    free = np.flatnonzero(is_free)
    # Each match adds more than the sum of all similarities, so that the number of matches comes first.
    score: N = similarity[free] + (len(free) + 1.0)
    return np.concatenate([kept, free[assign_pairs(truth[free], track[free], score)]])


def _count_switches(matches: SimilarPairs) -> int:
    """Return how often an object is matched with another track than at its match before."""
    truth, track = matches.truth.of_row[matches.truth_row], matches.track.of_row[matches.track_row]
    order = np.argsort(truth, kind="stable")
    truth, track = truth[order], track[order]
    return int(np.count_nonzero((truth[1:] == truth[:-1]) & (track[1:] != track[:-1])))


def _count_fragmentations(truth: IntN, is_matched: BoolN) -> int:
    """Return how often matches of an object end and begin again; rows (n,) are sorted by frame."""
    order = np.argsort(truth, kind="stable")
    truth, is_matched = truth[order], is_matched[order]
    is_start = is_matched.copy()
    is_start[1:] &= ~(is_matched[:-1] & (truth[1:] == truth[:-1]))
    return int(np.count_nonzero(is_start) - len(np.unique(truth[is_matched])))
