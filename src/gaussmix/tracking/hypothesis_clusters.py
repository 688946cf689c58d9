"""Global hypotheses of clusters of tracks: which single hypothesis of each track holds together with which of others.

Clusters are independent of each other, so the hypotheses of all objects are a product that is never written out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.types import Array, BoolK, K


@dataclass(frozen=True, eq=False)
class Cluster:
    """H global hypotheses of T tracks.

    Attributes
    ----------
    weights : array of shape (H,)
        Probabilities; they add up to 1.
    members : int array of shape (H, T)
        Position of the single hypothesis of each track in a list of all; -1 where the track does not exist.
    """

    weights: K
    members: Array


def single_cluster(member: int) -> Cluster:
    """Return the cluster of a track that has one hypothesis."""
    return Cluster(np.ones(1), np.array([[member]]))


def join_clusters(clusters: Sequence[Cluster], n_hypotheses: int) -> Cluster:
    """Return the products of hypotheses of independent clusters, the ``n_hypotheses`` most probable ones."""
    joined = clusters[0]
    for cluster in clusters[1:]:
        weights = np.outer(joined.weights, cluster.weights).ravel()
        best = np.argsort(-weights, kind="stable")[:n_hypotheses]
        first, second = np.divmod(best, len(cluster.weights))
        joined = Cluster(weights[best], np.hstack([joined.members[first], cluster.members[second]]))
    return Cluster(joined.weights / joined.weights.sum(), joined.members)


def reduce_cluster(cluster: Cluster, n_hypotheses: int, min_weight: float) -> Cluster:
    """Return the hypotheses with equal ones joined, light ones dropped, and at most ``n_hypotheses`` left.

    Parameters
    ----------
    cluster : Cluster
    n_hypotheses : int
    min_weight : float
        Hypotheses with less probability are dropped, but for the most probable one.
    """
    weights, members = cluster.weights, cluster.members[:, (cluster.members >= 0).any(axis=0)]
    if not members.shape[1]:
        return Cluster(np.ones(1), members[:1])
    if len(weights) > 1:
        members, inverse = np.unique(members, axis=0, return_inverse=True)
        weights = np.bincount(inverse.ravel(), weights)
    order = np.argsort(-weights, kind="stable")[:n_hypotheses]
    order = order[weights[order] >= min(min_weight, weights[order[0]])]
    members = members[order]
    return Cluster(weights[order] / weights[order].sum(), members[:, (members >= 0).any(axis=0)])


def split_cluster(cluster: Cluster) -> list[Cluster]:
    """Return independent clusters: each track with a single hypothesis by itself, and the others together."""
    is_constant: BoolK = (cluster.members == cluster.members[0]).all(axis=0)
    alone = [single_cluster(member) for member in cluster.members[0, is_constant].tolist()]
    if is_constant.all():
        return alone
    return [*alone, Cluster(cluster.weights, cluster.members[:, ~is_constant])]


def marginal_weights(clusters: Sequence[Cluster], n_members: int) -> K:
    """Return the probability that each of ``n_members`` single hypotheses holds, (n_members,)."""
    totals = np.zeros(n_members + 1)  # the last one collects tracks that do not exist
    for cluster in clusters:
        np.add.at(totals, cluster.members, cluster.weights[:, None])
    return totals[:-1]
