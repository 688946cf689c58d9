"""Single hypotheses of tracks after a scan: what they say, which are merged, and their states."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.tracking.association_problem import AssociationProblem
from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.hypotheses import ScanHypotheses, weigh_associations
from gaussmix.tracking.hypothesis_clusters import (
    Cluster,
    HypothesisLimits,
    marginal_weights,
    reduce_cluster,
    split_cluster,
)
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_update import born_fractions, weigh_detected, weigh_first_detections, weigh_missed
from gaussmix.tracking.tracks import Tracks, normalize_tracks, reduce_components
from gaussmix.types import IntArray, IntN, N


def make_problem(model: TargetModel, scan: ScanHypotheses) -> AssociationProblem:
    """Return the association problem of a scan whose tracks are single hypotheses."""
    return AssociationProblem(weigh_associations(scan), _child_existence(scan) > model.min_existence)


def _child_existence(scan: ScanHypotheses) -> N:
    """Return the existence of all single hypotheses after a scan: missed, of edges, and new tracks."""
    existence = scan.tracks.existence
    missed = existence * scan.missed / (1.0 - existence * (1.0 - scan.missed))
    return np.concatenate([missed, np.ones(len(scan.edges.tracks)), born_fractions(scan)])


@dataclass(frozen=True, eq=False)
class _Children:
    """The U single hypotheses after a scan that some global hypothesis has.

    ``positions`` (U,) are those in the list of `AssociationProblem`, ``weights`` (U,) probabilities that they hold,
    ``existence`` (U,) those of the object then, and ``histories`` (U, h) its last detections, the newest first.
    """

    positions: IntN
    weights: N
    existence: N
    labels: IntN
    histories: IntArray
    n_new: int


def _list_children(
    scan: ScanHypotheses, histories: IntArray, clusters: Sequence[Cluster], next_label: int
) -> _Children:
    """Return the single hypotheses that clusters have after a scan; new tracks are the last ones."""
    n_old, n_detections = len(scan.tracks), len(scan.measurements)
    existence = _child_existence(scan)
    weights = marginal_weights(clusters, len(existence))
    positions = np.flatnonzero(weights > 0.0)
    n_new = int((positions >= len(existence) - n_detections).sum())
    parents = np.concatenate([np.arange(n_old), scan.edges.tracks, np.full(n_detections, n_old)])[positions]
    detections = np.concatenate([np.full(n_old, -1), scan.edges.detections, np.arange(n_detections)])[positions]
    labels = np.append(scan.tracks.labels, 0)[parents]
    labels[len(positions) - n_new :] = next_label + np.arange(n_new)
    before = np.vstack([histories, np.full((1, histories.shape[1]), -1)])[parents, :-1]
    return _Children(
        positions, weights[positions], existence[positions], labels, np.column_stack([detections, before]), n_new
    )


class UpdatedHypotheses(NamedTuple):
    """Single hypotheses after a scan, their last detections, global hypotheses of them, and the next free label."""

    hypotheses: Tracks
    histories: IntArray
    clusters: tuple[Cluster, ...]
    next_label: int


def update_hypotheses(
    model: TargetModel,
    scan: ScanHypotheses,
    histories: IntArray,
    expanded: Sequence[Cluster],
    limits: HypothesisLimits,
    next_label: int,
) -> UpdatedHypotheses:
    """Merge single hypotheses with the same last detections, drop improbable global ones, and compute states.

    Parameters
    ----------
    model : TargetModel
    scan : ScanHypotheses
        Its tracks are the single hypotheses before the scan.
    histories : int array of shape (L, h)
        Last detections of each single hypothesis, the newest first; -1 for none.
    expanded : sequence of Cluster
        Global hypotheses after the scan.
    limits : HypothesisLimits
    next_label : int
        Label of the first new track.
    """
    children = _list_children(scan, histories, expanded, next_label)
    first, merged = _merge_children(children, limits.n_scans)
    clusters = _reduce_clusters(expanded, children.positions, merged, limits)
    is_kept = marginal_weights(clusters, len(first)) > 0.0
    masses = np.where(is_kept, sum_in_groups(merged, children.weights * children.existence, len(first)), np.inf)
    components = _make_components(model, scan, children, children.weights * children.existence / masses[merged])
    tracks = Tracks(
        masses / sum_in_groups(merged, children.weights, len(first)),
        children.labels[first],
        children.histories[first, 0],
        components.with_groups(merged[components.groups]),
    ).select(is_kept)
    positions = np.append(np.cumsum(is_kept) - 1, -1)
    return UpdatedHypotheses(
        normalize_tracks(replace(tracks, components=reduce_components(tracks.components, model.limits))),
        children.histories[first[is_kept]],
        tuple(replace(cluster, members=positions[cluster.members]) for cluster in clusters),
        next_label + children.n_new,
    )


def _merge_children(children: _Children, n_scans: int | None) -> tuple[IntN, IntN]:
    """Return the first one of each set of merged hypotheses, and the set of each hypothesis (U,)."""
    if n_scans is None:
        return np.arange(len(children.labels)), np.arange(len(children.labels))
    keys = np.column_stack([children.labels, children.histories[:, :n_scans]])
    _, first, merged = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return first, merged.ravel()


def _reduce_clusters(
    expanded: Sequence[Cluster], positions: IntN, merged: IntN, limits: HypothesisLimits
) -> list[Cluster]:
    """Return the probable hypotheses of each cluster, in terms of merged single hypotheses."""
    top = max((int(cluster.members.max(initial=-1)) for cluster in expanded), default=-1)
    new_positions = np.full(top + 2, -1)  # the last one stands for tracks that do not exist
    new_positions[positions] = merged
    return [
        part
        for cluster in expanded
        for part in split_cluster(reduce_cluster(replace(cluster, members=new_positions[cluster.members]), limits))
    ]


def _make_components(model: TargetModel, scan: ScanHypotheses, children: _Children, factors: N) -> Components:
    """Return the states of single hypotheses, with weights that add up to ``factors`` (U,) in each."""
    n_old, n_edges, n_detections = len(scan.tracks), len(scan.edges.tracks), len(scan.measurements)
    all_factors = np.zeros(n_old + n_edges + n_detections)
    all_factors[children.positions] = factors
    missed = weigh_missed(scan, all_factors[:n_old] / scan.missed)
    detected = weigh_detected(scan, all_factors[n_old : n_old + n_edges])
    first = weigh_first_detections(model, scan, all_factors[n_old + n_edges :])
    parts = [
        missed,
        detected.with_groups(n_old + scan.edges.edge_of_pair),
        first.with_groups(n_old + n_edges + first.groups),
    ]
    components = Components.concatenate(parts)
    components = components.select(components.weights > 0.0)
    return components.with_groups(np.searchsorted(children.positions, components.groups))
