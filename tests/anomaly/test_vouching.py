"""Which components vouch: heavy ones, and light ones that a chain of overlaps connects to enough weight."""

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.anomaly import AnomalyDetector, select_by_fdr
from gaussmix.anomaly.vouching import estimate_overlaps, select_vouching_components


def _make_mixture(weights, means):
    means = np.asarray(means, dtype=float)
    return Mixture.from_parameters(np.asarray(weights), means, np.tile(np.eye(means.shape[1]), (len(means), 1, 1)))


def _sample(mixture, seed, n=3000):
    rng = np.random.default_rng(seed)
    return rng.permutation(mixture.sample(n, rng)[0])


@pytest.mark.parametrize("seed", range(3))
def test_overlap_is_symmetric_small_for_distant_components_and_large_for_equal_ones(seed):
    mixture = _make_mixture([0.6, 0.3, 0.1], [[0, 0], [0, 0], [20, 0]])
    overlaps = estimate_overlaps(mixture, _sample(mixture, seed), None)
    np.testing.assert_allclose(overlaps, overlaps.T)
    np.testing.assert_allclose(overlaps[0, 1], 2 / 3, rtol=1e-6)  # p (1 - p) / min(p, 1 - p) with p = 2/3
    assert overlaps[0, 2] < 1e-12


def test_weights_of_rows_are_repetitions():
    mixture = _make_mixture([0.5, 0.5], [[0, 0], [2, 0]])
    rows = _sample(mixture, 0, 200)
    counts = np.random.default_rng(1).integers(0, 4, size=len(rows))
    repeated = estimate_overlaps(mixture, np.repeat(rows, counts, axis=0), None)
    np.testing.assert_allclose(estimate_overlaps(mixture, rows, counts.astype(float)), repeated, rtol=1e-10)


def test_a_light_component_apart_does_not_vouch_and_the_others_keep_their_shape():
    mixture = _make_mixture([0.6, 0.36, 0.04], [[0, 0], [10, 0], [30, 0]])
    kept = select_vouching_components(mixture, _sample(mixture, 0), None)
    np.testing.assert_allclose(kept.weights, [0.625, 0.375])
    np.testing.assert_allclose(kept.means, mixture.means[:2])


def test_light_components_of_one_group_vouch_together():
    chain = [[1.5 * step, 0] for step in range(5)]
    mixture = _make_mixture([0.04] * 5 + [0.76, 0.04], [*chain, [60, 0], [120, 0]])
    kept = select_vouching_components(mixture, _sample(mixture, 0), None)
    np.testing.assert_allclose(np.sort(kept.means[:, 0]), [0, 1.5, 3, 4.5, 6, 60])


def test_the_heaviest_group_vouches_where_all_are_light():
    mixture = _make_mixture(np.full(40, 1 / 40), [[50 * k, 0] for k in range(40)])
    assert 1 <= select_vouching_components(mixture, _sample(mixture, 0), None).n_components <= 40


def test_a_mixture_without_light_components_is_kept():
    mixture = _make_mixture([0.5, 0.5], [[0, 0], [9, 0]])
    assert select_vouching_components(mixture, _sample(mixture, 0), None) is mixture


def _make_customers(seed, n=800):
    """Return three groups of normal rows, of which the first 15 have one absurd value."""
    rng = np.random.default_rng(seed)
    group = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    charge = np.array([25, 45, 70])[group] + rng.normal(size=n) * np.array([2.5, 4, 5])[group]
    volume = np.array([5, 15, 40])[group] + rng.normal(size=n) * np.array([1.2, 3, 6])[group]
    minutes = np.array([300, 180, 420])[group] + rng.normal(size=n) * np.array([50, 35, 60])[group]
    rows = np.column_stack([charge, charge + 0.04 * minutes + rng.normal(0, 1.2, n), volume, minutes])
    rows[:7, 1] *= rng.uniform(1.6, 2.0, 7)
    rows[7:12, 2] += rng.uniform(60, 90, 5)
    rows[12:15, 3] = rng.uniform(900, 1200, 3)
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_normal_groups_that_many_components_divide_stay_normal(seed):
    """A fifth of the rows in one group, of which no single one of 32 components is heavy, hides no anomaly."""
    detector = AnomalyDetector(random_state=seed).fit(_make_customers(seed))
    selected = select_by_fdr(detector.training_p_values_, 0.05)
    assert selected[:15].sum() >= 14
    assert selected[15:].sum() <= 3


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["thin", "many zeros"])
def test_tables_without_anomalies_have_none(kind, seed):
    rng = np.random.default_rng(seed)
    position, is_second = 4 * rng.normal(size=1000), rng.random(1000) < 0.3
    rows = {
        "thin": np.column_stack([position, 2 * position + 20 * is_second + rng.normal(size=1000), is_second]),
        "many zeros": np.column_stack([rng.normal(size=(1000, 2)), rng.lognormal(3, 0.5, 1000) * (position > 5)]),
    }[kind]
    detector = AnomalyDetector(random_state=seed).fit(rows)
    assert select_by_fdr(detector.training_p_values_, 0.05).sum() <= 2
