"""Single hypotheses of tracks, as global hypotheses use them: after a scan, and summed up to tracks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.tracking.cluster_update import AssociationProblem, HypothesisLimits
from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.hypotheses import ScanHypotheses, weigh_associations
from gaussmix.tracking.hypothesis_clusters import Cluster, marginal_weights, reduce_cluster, split_cluster
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_update import born_fractions, weigh_detected, weigh_first_detections, weigh_missed
from gaussmix.tracking.tracks import Tracks, normalize_tracks, reduce_components
from gaussmix.types import Array, IntN, N


class UpdatedHypotheses(NamedTuple):
    """Single hypotheses after a scan, their detections of the last scans, and global hypotheses of them."""

    hypotheses: Tracks
    histories: Array
    clusters: tuple[Cluster, ...]
    next_label: int


def make_problem(model: TargetModel, scan: ScanHypotheses) -> AssociationProblem:
    """Return the association problem of a scan whose tracks are single hypotheses."""
    return AssociationProblem(weigh_associations(scan), _child_existence(scan) > model.min_existence)


def _child_existence(scan: ScanHypotheses) -> N:
    """Return the existence of all single hypotheses after a scan: missed, of edges, and new tracks."""
    existence = scan.tracks.existence
    missed = existence * scan.missed / (1.0 - existence * (1.0 - scan.missed))
    return np.concatenate([missed, np.ones(len(scan.edges.tracks)), born_fractions(scan)])


def update_hypotheses(
    model: TargetModel,
    scan: ScanHypotheses,
    histories: Array,
    expanded: Sequence[Cluster],
    limits: HypothesisLimits,
    next_label: int,
) -> UpdatedHypotheses:
    """Merge single hypotheses with the same recent detections, drop improbable global ones, and make their states.

    Parameters
    ----------
    model : TargetModel
    scan : ScanHypotheses
        Its tracks are the single hypotheses before the scan.
    histories : int array of shape (L, h)
        Detections of the last scans of each single hypothesis, the last scan first.
    expanded : sequence of Cluster
        Global hypotheses after the scan.
    limits : HypothesisLimits
    next_label : int
        Label of the first new track.
    """
    existence = _child_existence(scan)
    weights = marginal_weights(expanded, len(existence))
    used = np.flatnonzero(weights > 0.0)
    n_new = int((used >= len(existence) - len(scan.measurements)).sum())
    labels, child_histories = _describe_children(scan, histories, used, next_label, n_new)
    keys = np.column_stack([labels, child_histories[:, : limits.n_scans]]) if limits.n_scans is not None else used[:, None]
    _, first, merged = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    positions = np.full(len(existence) + 1, -1)
    positions[used] = merged.ravel()
    clusters = [
        part
        for cluster in expanded
        for part in split_cluster(
            reduce_cluster(
                replace(cluster, members=positions[cluster.members]), limits.n_hypotheses, limits.min_weight
            )
        )
    ]
    totals = np.bincount(merged.ravel(), weights[used])
    masses = np.bincount(merged.ravel(), weights[used] * existence[used])
    is_kept = marginal_weights(clusters, len(first)) > 0.0
    factors = np.zeros(len(existence))
    factors[used] = np.where(is_kept, 1.0 / masses, 0.0)[merged.ravel()] * weights[used] * existence[used]
    components = _make_components(model, scan, factors)
    components = components.with_groups(positions[components.groups])
    tracks = Tracks(masses / totals, labels[first], child_histories[first, 0], components).select(is_kept)
    new_positions = np.append(np.cumsum(is_kept) - 1, -1)
    return UpdatedHypotheses(
        normalize_tracks(replace(tracks, components=reduce_components(tracks.components, model.limits))),
        child_histories[first[is_kept]],
        tuple(replace(cluster, members=new_positions[cluster.members]) for cluster in clusters),
        next_label + n_new,
    )


def _describe_children(
    scan: ScanHypotheses, histories: Array, used: IntN, next_label: int, n_new: int
) -> tuple[IntN, Array]:
    """Return labels and detections of the last scans of the single hypotheses after a scan that are used."""
    n_old, n_detections = len(scan.tracks), len(scan.measurements)
    parents = np.concatenate([np.arange(n_old), scan.edges.tracks, np.full(n_detections, n_old)])[used]
    detections = np.concatenate([np.full(n_old, -1), scan.edges.detections, np.arange(n_detections)])[used]
    before = np.vstack([histories, np.full((1, histories.shape[1]), -1)])
    labels = np.append(scan.tracks.labels, 0)[parents]
    labels[len(used) - n_new :] = next_label + np.arange(n_new)
    return labels, np.column_stack([detections, before[parents, :-1]])


def _make_components(model: TargetModel, scan: ScanHypotheses, factors: N) -> Components:
    """Return the states of the single hypotheses after a scan, with weights that add up to ``factors`` (L + E + n,)."""
    n_old, n_edges = len(scan.tracks), len(scan.edges.tracks)
    missed = weigh_missed(scan, factors[:n_old] / scan.missed)
    detected = weigh_detected(scan, factors[n_old : n_old + n_edges])
    first = weigh_first_detections(model, scan, factors[n_old + n_edges :])
    parts = [
        missed,
        detected.with_groups(n_old + scan.edges.edge_of_pair),
        first.with_groups(n_old + n_edges + first.groups),
    ]
    components = Components.concatenate(parts)
    return components.select(components.weights > 0.0)


def project_to_tracks(model: TargetModel, hypotheses: Tracks, clusters: Sequence[Cluster]) -> Tracks:
    """Return one track for each label: its marginal existence, and the mixture of its single hypotheses."""
    weights = marginal_weights(clusters, len(hypotheses))
    labels, tracks = np.unique(hypotheses.labels, return_inverse=True)
    masses = weights * hypotheses.existence
    existence = sum_in_groups(tracks, masses, len(labels))
    components = hypotheses.components
    shares = (masses / np.maximum(existence, np.finfo(np.float64).tiny)[tracks])[components.groups]
    mixture = components.with_groups(tracks[components.groups]).with_weights(components.weights * shares)
    return normalize_tracks(
        Tracks(
            np.minimum(existence, 1.0),
            labels,
            _most_probable_detections(hypotheses.detections, tracks, masses, len(labels)),
            reduce_components(mixture, model.limits),
        )
    )


def _most_probable_detections(detections: IntN, tracks: IntN, masses: N, n_tracks: int) -> IntN:
    """Return the detection, or -1, that has the largest mass of single hypotheses of each track."""
    keys, positions = np.unique(np.stack([tracks, detections]), axis=1, return_inverse=True)
    totals = np.bincount(positions.ravel(), masses)
    order = np.argsort(totals, kind="stable")
    best = np.full(n_tracks, -1)
    best[keys[0, order]] = keys[1, order]  # the last one written is the largest
    return best


def select_best_hypotheses(model: TargetModel, hypotheses: Tracks, clusters: Sequence[Cluster]) -> Tracks:
    """Return the single hypotheses of the most probable global hypothesis."""
    best = [cluster.members[0] for cluster in clusters]
    is_best = np.zeros(len(hypotheses) + 1, dtype=bool)
    is_best[np.concatenate([np.zeros(0, dtype=np.int64), *best])] = True
    return hypotheses.select(is_best[:-1])
