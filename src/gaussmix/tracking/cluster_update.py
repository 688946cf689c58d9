"""Global hypotheses after a scan: the best assignments of each hypothesis, in clusters that share no detection."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gaussmix.tracking.association_problem import AssociationProblem, weigh_unexplained
from gaussmix.tracking.hypothesis_clusters import Cluster, HypothesisLimits, join_clusters
from gaussmix.tracking.large_clusters import expand_to_marginals
from gaussmix.tracking.marginals import AssociationWeights
from gaussmix.tracking.murty import rank_assignments
from gaussmix.types import AnyArray, Array, IntArray, IntK, IntN, N

# Tracks times detections in a cluster, above which rankings would take seconds and the memory of many such tables.
_MAX_RANKED_PAIRS = 10_000


def expand_clusters(
    clusters: Sequence[Cluster], problem: AssociationProblem, limits: HypothesisLimits
) -> list[Cluster]:
    """Return the clusters after a scan, with the best assignments of each hypothesis.

    Clusters that share detections are joined. Members are positions in the list of `AssociationProblem`.
    """
    weights = problem.weights
    owners = np.full(len(weights.log_missed), -1)
    for position, cluster in enumerate(clusters):
        owners[cluster.members[cluster.members >= 0]] = position
    groups = _connect(owners[weights.tracks], weights.detections, len(clusters), len(weights.log_new))
    edges_of_group = _list_members(groups[: len(clusters)][owners[weights.tracks]], len(groups))
    clusters_of_group = _list_members(groups[: len(clusters)], len(groups))
    detections_of_group = _list_members(groups[len(clusters) :], len(groups))
    updated: list[Cluster] = []
    for members, detections, edges in zip(clusters_of_group, detections_of_group, edges_of_group, strict=True):
        if len(members):
            connected = [clusters[member] for member in members]
            if sum(each.members.shape[1] for each in connected) * len(detections) > _MAX_RANKED_PAIRS:
                updated.extend(expand_to_marginals(connected, problem, detections, edges))
            else:
                joined = join_clusters(connected, limits.n_hypotheses)
                updated.append(_expand_cluster(joined, problem, detections, edges, limits))
        elif len(detections):
            updated.extend(_start_alone(problem, detections))
    return updated


def _connect(owners: IntN, detections: IntN, n_clusters: int, n_detections: int) -> IntN:
    """Return the group of each cluster, then of each detection; edges join groups."""
    n_nodes = n_clusters + n_detections
    graph = coo_array((np.ones(len(owners), dtype=bool), (owners, n_clusters + detections)), shape=(n_nodes, n_nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _list_members(groups: IntN, n_groups: int) -> list[IntN]:
    """Return the positions that belong to each group."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.searchsorted(groups[order], np.arange(1, n_groups)))


def _start_alone(problem: AssociationProblem, detections: IntN) -> list[Cluster]:
    """Return the cluster of a new track from a detection that no track can have given."""
    children = problem.new_positions(detections, np.ones(len(detections), dtype=bool))
    return [Cluster(np.ones(1), children[None])] if children[0] >= 0 else []


def _expand_cluster(
    cluster: Cluster, problem: AssociationProblem, detections: IntN, edges: IntN, limits: HypothesisLimits
) -> Cluster:
    """Return the hypotheses of a cluster after a scan, each one with its best assignments."""
    log_missed = np.append(problem.weights.log_missed, 0.0)  # the last one is a track that does not exist
    log_priors = np.log(cluster.weights) + log_missed[cluster.members].sum(axis=1)
    if not len(detections):
        children = problem.child_positions(cluster.members, np.full(cluster.members.shape, -1))
        return _normalize(log_priors, children)
    table = _make_table(cluster, problem.weights, detections, edges)
    parents, assigned, log_weights = _rank_hypotheses(table, table.rows[cluster.members], log_priors, limits)
    members = cluster.members[parents]
    children = np.hstack(
        [
            problem.child_positions(members, table.find_edges(members, assigned)),
            problem.new_positions(detections, _find_unassigned(assigned, len(detections))),
        ]
    )
    return _normalize(log_weights, children)


def _rank_hypotheses(
    table: "_GainTable", rows: IntArray, log_priors: N, limits: HypothesisLimits
) -> tuple[IntN, IntArray, N]:
    """Return the hypotheses after a scan: the one before, columns of tracks (C, T), and logs of weights (C,).

    Hypotheses whose tracks can have the same detections, with the same gains, share one assignment problem.
    """
    unique = np.unique(rows, axis=0, return_inverse=True)
    problems, owners = np.asarray(unique[0], dtype=np.int64), unique[1].ravel()
    top = np.full(len(problems), -np.inf)
    np.maximum.at(top, owners, log_priors)
    max_gap = -math.log(max(limits.min_weight, np.finfo(np.float64).tiny))
    best = -np.inf
    found: list[tuple[IntN, IntArray, N]] = []
    for position in np.argsort(-top, kind="stable").tolist():
        max_cost = float(top[position]) - best + max_gap
        assigned, gains = _rank_problem(table, problems[position], limits.n_hypotheses, max_cost, max_gap)
        hypotheses = np.flatnonzero(owners == position)
        best = max(best, float(top[position]) + float(gains.max(initial=-np.inf)))
        log_weights = log_priors[hypotheses][:, None] + gains
        first, second = np.nonzero(log_weights >= best - max_gap)
        found.append((hypotheses[first], assigned[second], log_weights[first, second]))
    return (
        np.concatenate([parents for parents, _, _ in found]),
        np.vstack([assigned for _, assigned, _ in found]),
        np.concatenate([log_weights for _, _, log_weights in found]),
    )


def _normalize(log_weights: N, members: IntArray) -> Cluster:
    """Return a cluster, given logs of weights up to a constant."""
    weights = np.exp(log_weights - log_weights.max())
    return Cluster(weights / weights.sum(), members)


@dataclass(frozen=True, eq=False)
class _GainTable:
    """Gains of assignments of a cluster: logs of weights of edges, relative to a missed track and a new detection.

    ``rows`` (L + 1,) are the rows of single hypotheses in ``gains`` (R, n) and ``edges`` (R, n); the last row belongs
    to those without edges.
    """

    rows: IntK
    gains: Array
    edges: IntArray

    def find_edges(self, members: IntArray, assigned: IntArray) -> IntArray:
        """Return the edges of members (C, T) with their assigned columns (C, T); -1 for column -1."""
        return np.where(assigned >= 0, self.edges[self.rows[members], assigned], -1)


def _make_table(cluster: Cluster, weights: AssociationWeights, detections: IntN, edges: IntN) -> _GainTable:
    """Return the gains of the edges of a cluster."""
    owners, inverse = np.unique(weights.tracks[edges], return_inverse=True)
    rows = np.full(len(weights.log_missed) + 1, len(owners))
    rows[owners] = np.arange(len(owners))
    columns = np.searchsorted(detections, weights.detections[edges])
    table = np.full((len(owners) + 1, len(detections)), -1)
    table[inverse, columns] = edges
    gains = np.full(table.shape, -np.inf)
    log_new = weigh_unexplained(weights, detections, edges)[columns]
    gains[inverse, columns] = weights.log_weights[edges] - weights.log_missed[weights.tracks[edges]] - log_new
    return _GainTable(rows, gains, table)


def _rank_problem(table: _GainTable, rows: IntK, n_best: int, max_cost: float, max_gap: float) -> tuple[IntArray, N]:
    """Return the best assignments of tracks with some rows (T,): columns (k, T), -1 for none, and gains (k,)."""
    tracks = np.flatnonzero(rows < len(table.gains) - 1)
    gains = table.gains[rows[tracks]]
    detections = np.flatnonzero((gains > -np.inf).any(axis=0))
    ranked = rank_assignments(
        -gains[:, detections], np.zeros(len(tracks)), np.zeros(len(detections)), n_best, max_cost, max_gap
    )
    assigned = np.full((len(ranked.costs), len(rows)), -1)
    if len(detections):
        assigned[:, tracks] = np.where(ranked.columns >= 0, detections[ranked.columns], -1)
    return assigned, -ranked.costs


def _find_unassigned(assigned: IntArray, n_detections: int) -> AnyArray:
    """Return which detections (C, n) no track has."""
    is_new = np.ones((len(assigned), n_detections + 1), dtype=bool)
    is_new[np.arange(len(assigned))[:, None], assigned] = False  # column -1 is the last one
    return is_new[:, :-1]
