"""Identity measures: how much of the true objects one track each explains over all frames."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gaussmix.tracking.metrics.similar_pairs import LabelPairs, SimilarPairs, assign_pairs
from gaussmix.types import IntN, N


@dataclass(frozen=True)
class IdentityMeasures:
    """Identity measures of tracks, under the best assignment of one track to each true object.

    Attributes
    ----------
    idf1 : float
        Twice the correctly identified objects over the sum of true and estimated ones.
    idp, idr : float
        Correctly identified fractions of the estimated and of the true objects; 0 if there are none.
    n_true_positives, n_false_positives, n_false_negatives : int
        Objects over all frames: identified correctly; estimated, but not so; true, but not so.
    """

    idf1: float
    idp: float
    idr: float
    n_true_positives: int
    n_false_positives: int
    n_false_negatives: int


def identity_measures(pairs: SimilarPairs, threshold: float) -> IdentityMeasures:
    """Return the identity measures of pairs that match from a similarity of ``threshold`` on.

    References
    ----------
    Ristani, Solera, Zou, Cucchiara & Tomasi, "Performance measures and a data set for multi-target, multi-camera
    tracking", ECCV workshops 2016.
    """
    n_truth, n_tracks = len(pairs.truth.of_row), len(pairs.track.of_row)
    candidates = pairs.select(pairs.reaches(threshold))
    n_frames = np.bincount(candidates.label_pairs.of_pair, minlength=len(candidates.label_pairs.truth))
    n_identified = _largest_agreement(candidates.label_pairs, n_frames)
    return IdentityMeasures(
        idf1=2.0 * n_identified / (n_truth + n_tracks),
        idp=n_identified / max(n_tracks, 1),
        idr=n_identified / n_truth,
        n_true_positives=n_identified,
        n_false_positives=n_tracks - n_identified,
        n_false_negatives=n_truth - n_identified,
    )


def _largest_agreement(labels: LabelPairs, n_frames: IntN) -> int:
    """Return the largest number of frames in which objects match the track assigned to them.

    Objects and tracks that are not linked by matches are assigned apart: one table of all of them could be large.
    """
    if not len(n_frames):
        return 0
    n_tracks, n_nodes = int(labels.track.max()) + 1, int(labels.track.max() + labels.truth.max()) + 2
    links = coo_array((n_frames, (labels.track, n_tracks + labels.truth)), shape=(n_nodes, n_nodes))
    group = connected_components(links, directed=False)[1][labels.track]
    order = np.argsort(group, kind="stable")
    scores: N = n_frames.astype(np.float64)
    total = 0.0
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        total += scores[members][assign_pairs(labels.truth[members], labels.track[members], scores[members])].sum()
    return round(total)
