"""Global hypotheses in clusters: joining, splitting and dropping them changes no probability that it should not."""

import numpy as np
import pytest

from gaussmix.tracking.hypothesis_clusters import (
    Cluster,
    HypothesisLimits,
    join_clusters,
    marginal_weights,
    reduce_cluster,
    single_cluster,
    split_cluster,
)

KEEP_ALL = HypothesisLimits(10**6, 0.0)


def random_cluster(rng, n_hypotheses, first_member, n_tracks):
    weights = rng.random(n_hypotheses)
    members = first_member + 3 * np.arange(n_tracks) + rng.integers(0, 3, (n_hypotheses, n_tracks))
    members[rng.random(members.shape) < 0.2] = -1
    return Cluster(weights / weights.sum(), members)


def three_clusters(seed):
    rng = np.random.default_rng(seed)
    return [random_cluster(rng, 4, 0, 2), random_cluster(rng, 3, 6, 1), random_cluster(rng, 5, 9, 2)]


@pytest.mark.parametrize("seed", range(3))
def test_joining_keeps_marginals(seed):
    clusters = three_clusters(seed)
    joined = join_clusters(clusters, 10**6)
    assert joined.members.shape == (60, 5)
    np.testing.assert_allclose(marginal_weights([joined], 15), marginal_weights(clusters, 15), atol=1e-14)
    np.testing.assert_allclose(joined.weights.sum(), 1.0)


def test_joining_keeps_the_most_probable_products():
    clusters = three_clusters(0)
    every, some = join_clusters(clusters, 10**6), join_clusters(clusters, 7)
    expected = np.sort(every.weights)[::-1][:7]
    np.testing.assert_allclose(some.weights, expected / expected.sum())


@pytest.mark.parametrize("seed", range(3))
def test_reducing_joins_equal_hypotheses(seed):
    rng = np.random.default_rng(seed)
    cluster = random_cluster(rng, 40, 0, 2)
    reduced = reduce_cluster(cluster, KEEP_ALL)
    assert len(np.unique(reduced.members, axis=0)) == len(reduced.members) < 40
    assert (np.diff(reduced.weights) <= 0.0).all()
    np.testing.assert_allclose(marginal_weights([reduced], 6), marginal_weights([cluster], 6), atol=1e-14)


def test_reducing_drops_light_hypotheses_and_empty_tracks():
    cluster = Cluster(np.array([0.6, 0.3, 0.0999, 0.0001]), np.array([[0, -1], [1, -1], [2, -1], [0, 5]]))
    for limits, n_left in ((HypothesisLimits(2, 0.0), 2), (HypothesisLimits(10, 0.001), 3), (KEEP_ALL, 4)):
        reduced = reduce_cluster(cluster, limits)
        assert reduced.members.shape == (n_left, 2 if n_left == 4 else 1)
        np.testing.assert_allclose(reduced.weights, cluster.weights[:n_left] / cluster.weights[:n_left].sum())
    everything_is_light = Cluster(np.full(4, 0.25), np.arange(4)[:, None])
    assert len(reduce_cluster(everything_is_light, HypothesisLimits(10, 0.9)).weights) == 4


def test_reducing_a_cluster_without_tracks():
    nothing = reduce_cluster(Cluster(np.array([0.5, 0.5]), np.full((2, 3), -1)), KEEP_ALL)
    assert nothing.members.shape == (1, 0)
    assert split_cluster(nothing) == []


def test_splitting_takes_out_tracks_with_one_hypothesis():
    cluster = Cluster(np.array([0.7, 0.3]), np.array([[4, 0, 9, 2], [4, 1, 9, -1]]))
    parts = split_cluster(cluster)
    assert [part.members.tolist() for part in parts] == [[[4]], [[9]], [[0, 2], [1, -1]]]
    np.testing.assert_allclose(marginal_weights(parts, 10), marginal_weights([cluster], 10))
    assert single_cluster(3).members.tolist() == [[3]]
