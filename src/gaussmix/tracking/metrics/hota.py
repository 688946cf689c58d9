"""HOTA: detection and association count alike, averaged over how exact a match must be."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.tracking.metrics.similar_pairs import SimilarPairs, assign_pairs
from gaussmix.types import IntN, N

ALPHAS = np.arange(1, 20) / 20.0  # thresholds of similarity: 0.05, 0.1, ..., 0.95


@dataclass(frozen=True)
class HotaMeasures:
    """Higher order tracking accuracy, averaged over the thresholds 0.05, 0.1, ..., 0.95 of similarity.

    Attributes
    ----------
    hota : float
        Geometric mean of detection and association accuracy at each threshold, averaged.
    deta : float
        Detection accuracy: matches over matches, misses and false positives.
    assa : float
        Association accuracy: how well the tracks of the matches agree with their objects over all frames.
    loca : float
        Localization accuracy: mean similarity of the matches; 1 at thresholds without a match.
    hota_by_alpha, deta_by_alpha, assa_by_alpha, loca_by_alpha : tuple of 19 floats
        The same at each threshold.
    """

    hota: float
    deta: float
    assa: float
    loca: float
    hota_by_alpha: tuple[float, ...]
    deta_by_alpha: tuple[float, ...]
    assa_by_alpha: tuple[float, ...]
    loca_by_alpha: tuple[float, ...]


def hota_measures(pairs: SimilarPairs) -> HotaMeasures:
    """Return the HOTA measures of pairs.

    As in TrackEval, one assignment per frame serves all thresholds. It maximizes the sum of similarities times the
    agreement of object and track over all frames.

    References
    ----------
    Luiten, Ošep, Dendorfer, Torr, Geiger, Leal-Taixé & Leibe, "HOTA: a higher order metric for evaluating multi-object
    tracking", International Journal of Computer Vision 129, 2021.
    """
    labels = pairs.label_pairs
    n_rows = (pairs.truth.n_rows[labels.truth] + pairs.track.n_rows[labels.track]).astype(np.float64)
    matched = _match_frames(pairs, n_rows)
    label_pair, similarity = labels.of_pair[matched], pairs.similarity[matched]
    is_match = [pairs.reaches(alpha)[matched] for alpha in ALPHAS]
    n_matches = np.array([np.count_nonzero(mask) for mask in is_match], dtype=np.float64)
    n_or_one = np.maximum(n_matches, 1.0)
    deta = n_matches / (len(pairs.truth.of_row) + len(pairs.track.of_row) - n_matches)
    assa = np.array([_sum_association(label_pair[mask], n_rows) for mask in is_match]) / n_or_one
    loca = np.array([similarity[mask].sum() for mask in is_match]) / n_or_one
    loca[n_matches == 0] = 1.0
    columns = {"hota": np.sqrt(deta * assa), "deta": deta, "assa": assa, "loca": loca}
    averages: dict[str, Any] = {name: float(column.mean()) for name, column in columns.items()}
    by_alpha: dict[str, Any] = {f"{name}_by_alpha": tuple(column.tolist()) for name, column in columns.items()}
    return HotaMeasures(**averages, **by_alpha)


def _match_frames(pairs: SimilarPairs, n_rows: N) -> IntN:
    """Return the indices of the matched pairs of rows, from the rows (P,) of object and track of each label pair."""
    by_truth, by_track = (
        np.bincount(row, pairs.similarity)[row] if len(row) else np.empty(0)
        for row in (pairs.truth_row, pairs.track_row)
    )
    share = pairs.similarity / (by_truth + by_track - pairs.similarity)
    potential = np.bincount(pairs.label_pairs.of_pair, share, len(n_rows))
    alignment = potential / (n_rows - potential)
    score = alignment[pairs.label_pairs.of_pair] * pairs.similarity
    chosen = [
        frame.start + assign_pairs(pairs.truth_row[frame], pairs.track_row[frame], score[frame])
        for frame in pairs.iterate_frames()
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *chosen])


def _sum_association(label_pair: IntN, n_rows: N) -> float:
    """Return the sum over matches of the agreement of object and track: matches over rows of either."""
    n_matches = np.bincount(label_pair, minlength=len(n_rows))
    return float(np.sum(n_matches * n_matches / np.maximum(n_rows - n_matches, 1.0)))
