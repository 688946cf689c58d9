"""What a filter with global hypotheses reports: the best global hypothesis, or each track by itself."""

from collections.abc import Sequence

import numpy as np

from gaussmix.tracking.components import sum_in_groups
from gaussmix.tracking.hypothesis_clusters import Cluster, marginal_weights
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks, normalize_tracks, reduce_components
from gaussmix.types import IntN, N


def report_best_hypothesis(model: TargetModel, hypotheses: Tracks, clusters: Sequence[Cluster]) -> Tracks:
    """Return the tracks of the most probable global hypothesis that exist there with more than ``report_threshold``.

    Their existence is the marginal one, over all global hypotheses.
    """
    best = [cluster.members[0] for cluster in clusters]
    is_best = np.zeros(len(hypotheses) + 1, dtype=bool)  # the last one stands for tracks that do not exist
    is_best[np.concatenate([np.zeros(0, dtype=np.int64), *best])] = True
    is_shown = is_best[:-1] & (hypotheses.existence > model.report_threshold)
    shown = hypotheses.select(is_shown)
    labels, existence = marginal_existence(hypotheses, clusters)
    return Tracks(existence[np.searchsorted(labels, shown.labels)], shown.labels, shown.detections, shown.components)


def report_marginal_tracks(model: TargetModel, hypotheses: Tracks, clusters: Sequence[Cluster]) -> Tracks:
    """Return the tracks that exist with more than ``report_threshold`` over all global hypotheses.

    Each has the mixture of all its single hypotheses.
    """
    labels, existence = marginal_existence(hypotheses, clusters)
    tracks = np.searchsorted(labels, hypotheses.labels)
    masses = marginal_weights(clusters, len(hypotheses)) * hypotheses.existence
    components = hypotheses.components
    shares = (masses / np.maximum(existence, np.finfo(np.float64).tiny)[tracks])[components.groups]
    mixture = components.with_groups(tracks[components.groups]).with_weights(components.weights * shares)
    detections = _most_probable_detections(hypotheses.detections, tracks, masses, len(labels))
    marginal = Tracks(existence, labels, detections, reduce_components(mixture, model.limits))
    return normalize_tracks(marginal.select(existence > model.report_threshold))


REPORTS = {"best_hypothesis": report_best_hypothesis, "marginal": report_marginal_tracks}


def marginal_existence(hypotheses: Tracks, clusters: Sequence[Cluster]) -> tuple[IntN, N]:
    """Return all labels in ascending order, and the probability that the object of each exists."""
    labels, tracks = np.unique(hypotheses.labels, return_inverse=True)
    masses = marginal_weights(clusters, len(hypotheses)) * hypotheses.existence
    return labels, np.minimum(sum_in_groups(tracks, masses, len(labels)), 1.0)


def _most_probable_detections(detections: IntN, tracks: IntN, masses: N, n_tracks: int) -> IntN:
    """Return the detection, or -1, that has the largest mass of single hypotheses of each track."""
    keys, positions = np.unique(np.stack([tracks, detections]), axis=1, return_inverse=True)
    totals = np.bincount(positions.ravel(), masses)
    order = np.argsort(totals, kind="stable")
    best = np.full(n_tracks, -1)
    best[keys[0, order]] = keys[1, order]  # the last one written is the largest
    return best
