"""Global hypotheses after a scan in clusters that are too large to rank assignments: tracks become independent.

Marginal probabilities of associations from loopy belief propagation take the place of global hypotheses, as in `PMB`.
"""

from collections.abc import Sequence

import numpy as np

from gaussmix.tracking.association_problem import AssociationProblem, weigh_unexplained
from gaussmix.tracking.components import sum_in_groups
from gaussmix.tracking.hypotheses import log_sum_in_groups
from gaussmix.tracking.hypothesis_clusters import Cluster, marginal_weights
from gaussmix.tracking.marginals import AssociationWeights, compute_marginals
from gaussmix.types import IntN, N


def expand_to_marginals(
    clusters: Sequence[Cluster], problem: AssociationProblem, detections: IntN, edges: IntN
) -> list[Cluster]:
    """Return a cluster for each track and each detection of some clusters after a scan.

    Parameters
    ----------
    clusters : sequence of Cluster
        Independent clusters that share the detections.
    problem : AssociationProblem
    detections, edges : int arrays
        Positions of their detections, and of their edges.
    """
    weights = problem.weights
    owners, n_tracks = _number_tracks(clusters, len(weights.log_missed))
    singles = np.flatnonzero(owners >= 0)
    tracks = owners[singles]
    probabilities = marginal_weights(clusters, len(owners))
    with np.errstate(divide="ignore"):
        log_probabilities = np.log(probabilities)
        absent = np.log(np.maximum(1.0 - sum_in_groups(tracks, probabilities[singles], n_tracks), 0.0))
    log_missed_parts = log_probabilities[singles] + weights.log_missed[singles]
    log_missed = np.logaddexp(log_sum_in_groups(tracks, log_missed_parts, n_tracks), absent)
    log_parts = log_probabilities[weights.tracks[edges]] + weights.log_weights[edges]
    columns = np.searchsorted(detections, weights.detections[edges])
    keys, joined = np.unique(owners[weights.tracks[edges]] * len(detections) + columns, return_inverse=True)
    log_joined = log_sum_in_groups(joined, log_parts, len(keys))
    log_new = weigh_unexplained(weights, detections, edges)
    track_of_key, detection_of_key = np.divmod(keys, len(detections))
    marginals = compute_marginals(AssociationWeights(track_of_key, detection_of_key, log_joined, log_missed, log_new))
    missed = marginals.missed[tracks] * np.exp(log_missed_parts - log_missed[tracks])
    detected = marginals.edges[joined] * np.exp(log_parts - log_joined[joined])
    children = np.concatenate(
        [
            problem.child_positions(singles, np.full(len(singles), -1)),
            problem.child_positions(weights.tracks[edges], edges),
            problem.new_positions(detections, np.ones(len(detections), dtype=bool)),
        ]
    )
    groups = np.concatenate([tracks, owners[weights.tracks[edges]], n_tracks + np.arange(len(detections))])
    return _make_clusters(groups, children, np.concatenate([missed, detected, marginals.new]))


def _number_tracks(clusters: Sequence[Cluster], n_singles: int) -> tuple[IntN, int]:
    """Return the number of the track of each single hypothesis, -1 for those of other clusters, and their count."""
    owners, n_tracks = np.full(n_singles, -1), 0
    for cluster in clusters:
        numbers = np.broadcast_to(n_tracks + np.arange(cluster.members.shape[1]), cluster.members.shape)
        exists = cluster.members >= 0
        owners[cluster.members[exists]] = numbers[exists]
        n_tracks += cluster.members.shape[1]
    return owners, n_tracks


def _make_clusters(groups: IntN, children: IntN, probabilities: N) -> list[Cluster]:
    """Return a cluster for each group with single hypotheses; what is left of 1 is that the track does not exist."""
    kept = np.flatnonzero((children >= 0) & (probabilities > 0.0))
    kept = kept[np.argsort(groups[kept], kind="stable")]
    starts = np.flatnonzero(np.diff(groups[kept], prepend=-1))
    clusters = []
    for positions in np.split(kept, starts[1:]) if len(kept) else []:
        weights = np.append(probabilities[positions], max(1.0 - probabilities[positions].sum(), 0.0))
        clusters.append(Cluster(weights / weights.sum(), np.append(children[positions], -1)[:, None]))
    return clusters
