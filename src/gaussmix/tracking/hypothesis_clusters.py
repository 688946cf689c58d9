"""Global hypotheses of clusters of tracks: which single hypothesis of each track holds together with which of others.

Clusters are independent of each other, so the hypotheses of all objects are a product that is never written out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.core.scalar_checks import is_integer, is_number_in
from gaussmix.errors import ParameterError
from gaussmix.types import BoolK, IntArray, K


@dataclass(frozen=True)
class HypothesisLimits:
    """How global hypotheses are kept few.

    Parameters
    ----------
    n_hypotheses : int, default=100
        Global hypotheses kept in each cluster of tracks.
    min_weight : float, default=1e-4
        Global hypotheses with less probability are dropped.
    n_scans : int or None, default=3
        Single hypotheses of a track that agree on its detections in the last ``n_scans`` scans are merged into a
        mixture. None merges none, so that every past assignment stays a hypothesis of its own.

    Raises
    ------
    ParameterError
        If a value lies outside its range.
    """

    n_hypotheses: int = 100
    min_weight: float = 1e-4
    n_scans: int | None = 3

    def __post_init__(self) -> None:
        if not is_integer(self.n_hypotheses, 1):
            raise ParameterError.invalid_value("n_hypotheses", self.n_hypotheses, "an integer of at least 1")
        if not is_number_in(self.min_weight, 0.0, 1.0, includes_low=True):
            raise ParameterError.invalid_value("min_weight", self.min_weight, "a number from 0 to below 1")
        if self.n_scans is not None and not is_integer(self.n_scans, 0):
            raise ParameterError.invalid_value("n_scans", self.n_scans, "None, or an integer of at least 0")


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
    members: IntArray


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


def reduce_cluster(cluster: Cluster, limits: HypothesisLimits) -> Cluster:
    """Return the hypotheses with equal ones joined and light ones dropped, in descending order of weight."""
    weights: K = cluster.weights
    members = _drop_empty_tracks(cluster.members)
    if not members.shape[1]:
        return Cluster(np.ones(1), members[:1])
    if len(weights) > 1:
        unique = np.unique(members, axis=0, return_inverse=True)
        members, inverse = np.asarray(unique[0], dtype=np.int64), unique[1]
        weights = np.asarray(np.bincount(inverse.ravel(), weights), dtype=np.float64)
    order = np.argsort(-weights, kind="stable")[: limits.n_hypotheses]
    lightest = max(min(limits.min_weight, weights[order[0]]), np.finfo(np.float64).tiny)
    order = order[weights[order] >= lightest]
    return Cluster(weights[order] / weights[order].sum(), _drop_empty_tracks(members[order]))


def _drop_empty_tracks(members: IntArray) -> IntArray:
    """Return the members without tracks that exist in no hypothesis."""
    return np.asarray(members[:, (members >= 0).any(axis=0)], dtype=np.int64)


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
