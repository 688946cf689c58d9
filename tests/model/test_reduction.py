"""Reduction of mixtures: moments are kept, Runnalls' bound is a bound, and limits do what they say."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix import Intensity, Mixture, ParameterError, reduce_mixture
from gaussmix.core.frame import Frame
from gaussmix.model.mixture_parameters import change_frame
from gaussmix.model.noise import Box, Noise
from gaussmix.model.runnalls import merge_cheapest_pairs
from gaussmix.transforms import ColumnTransforms
from gaussmix.types import Array

METHODS: dict[str, dict[str, Any]] = {
    "mahalanobis": {"method": "mahalanobis", "merge_distance": 1.5},
    "runnalls": {"method": "runnalls", "max_components": 4},
}


def random_mixture(seed: int, offset: float = 0.0, unit: float = 1.0, n_components: int = 12) -> Mixture:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, 3, 3)) + 2.0 * np.eye(3)
    means = offset + 2.0 * rng.normal(size=(n_components, 3))
    weights = rng.dirichlet(np.full(n_components, 3.0))
    return Mixture.from_parameters(weights, unit * means, unit**2 * factors @ np.swapaxes(factors, 1, 2))


def moments(mixture: Mixture, origin: Array) -> tuple[Array, Array]:
    """Return mean, seen from ``origin``, and covariance of a whole mixture, by exact sums of floats."""
    n_features = mixture.n_features
    w, m, s = mixture.weights, mixture.means - origin, mixture.covariances
    mean = np.array([math.fsum(w * m[:, i]) for i in range(n_features)])
    c = m - mean
    entries = [[math.fsum(w * (s[:, i, j] + c[:, i] * c[:, j])) for j in range(n_features)] for i in range(n_features)]
    return mean, np.array(entries)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("offset", "unit"), [(0.0, 1.0), (1e6, 1.0), (0.0, 1e-9), (1e6, 1e-9)])
def test_mean_and_covariance_are_kept(method: str, seed: int, offset: float, unit: float) -> None:
    mixture = random_mixture(seed, offset, unit)
    reduced = reduce_mixture(mixture, min_weight=0.0, **METHODS[method])
    assert 1 < reduced.n_components < mixture.n_components
    origin = mixture.means[0]
    (mean, covariance), (new_mean, new_covariance) = moments(mixture, origin), moments(reduced, origin)
    # A mean of 1e6 standard deviations is rounded by 1e-10 of them.
    rounding = 1e-12 + 4 * np.finfo(float).eps * offset
    scale = np.sqrt(np.diagonal(covariance).max())
    np.testing.assert_allclose(new_mean, mean, rtol=0, atol=rounding * scale)
    np.testing.assert_allclose(
        new_covariance,
        covariance,
        rtol=0,
        atol=max(1e-12, rounding**2) * scale**2 + 4 * rounding * (offset > 0) * scale**2,
    )


@pytest.mark.parametrize("method", METHODS)
def test_units_and_offsets_change_nothing(method: str) -> None:
    expected = reduce_mixture(random_mixture(5), **METHODS[method])
    for offset, unit in [(0.0, 2.0**-30), (2.0**20, 1.0), (0.0, 2.0**100)]:
        reduced = reduce_mixture(random_mixture(5, offset, unit), **METHODS[method])
        np.testing.assert_allclose(reduced.weights, expected.weights, rtol=1e-9)
        np.testing.assert_allclose(reduced.means / unit - offset, expected.means, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_frames_change_nothing(method: str) -> None:
    mixture = random_mixture(6)
    frame = Frame(np.zeros(3, dtype=np.int64), np.array([1.0, 2.0, 3.0]), np.array([3, -2, 1]))
    other = reduce_mixture(change_frame(mixture, frame), **METHODS[method])
    reduced = reduce_mixture(mixture, **METHODS[method])
    np.testing.assert_allclose(other.means, reduced.means, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(other.covariances, reduced.covariances, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_components_changes_nothing(method: str) -> None:
    mixture = random_mixture(8)
    reduced = reduce_mixture(mixture, **METHODS[method])
    other = reduce_mixture(mixture.permute_components(np.random.default_rng(0).permutation(12)), **METHODS[method])
    orders = [np.argsort(part.weights) for part in (reduced, other)]
    np.testing.assert_allclose(other.weights[orders[1]], reduced.weights[orders[0]], rtol=1e-10)
    np.testing.assert_allclose(other.means[orders[1]], reduced.means[orders[0]], rtol=1e-10, atol=1e-12)


def divergence_bound(parts: list[tuple[float, Array]]) -> float:
    (w1, p1), (w2, p2), (w, p) = parts
    logs = [np.linalg.slogdet(matrix)[1] for matrix in (p1, p2, p)]
    return float(0.5 * (w * logs[2] - w1 * logs[0] - w2 * logs[1]))


@pytest.mark.parametrize("seed", range(4))
def test_runnalls_merges_the_cheapest_pair(seed: int) -> None:
    mixture = random_mixture(seed, n_components=5)
    costs = {}
    for i in range(5):
        for j in range(i + 1, 5):
            pair = mixture.weights[[i, j]]
            fractions, means = pair / pair.sum(), mixture.means[[i, j]]
            centered = means - fractions @ means
            joint = (
                np.einsum("k,kij->ij", fractions, mixture.covariances[[i, j]])
                + (centered * fractions[:, None]).T @ centered
            )
            costs[i, j] = divergence_bound(
                [(pair[0], mixture.covariances[i]), (pair[1], mixture.covariances[j]), (pair.sum(), joint)]
            )
    cheapest = min(costs, key=lambda pair: costs[pair])
    reduced = reduce_mixture(mixture, max_components=4, method="runnalls")
    others = [k for k in range(5) if k not in cheapest]
    assert set(np.round(mixture.weights[others], 12)) <= set(np.round(reduced.weights, 12))
    cost = costs[cheapest]
    for factor, n_components in ((0.999, 5), (1.001, 4)):
        kept = reduce_mixture(mixture, max_divergence=factor * cost, method="runnalls")
        assert kept.n_components <= n_components
        assert (kept is mixture) == (n_components == 5)


@pytest.mark.parametrize("seed", range(3))
def test_the_divergence_is_below_its_bound(seed: int) -> None:
    mixture = random_mixture(seed)
    rows, _ = mixture.sample(20_000, seed)
    reduced = reduce_mixture(mixture, min_weight=0.0, max_divergence=0.08, method="runnalls")
    n_merges = mixture.n_components - reduced.n_components
    assert n_merges > 0
    differences = mixture.logpdf(rows) - reduced.logpdf(rows)
    assert differences.mean() < 0.08 * n_merges + 4.0 * differences.std() / np.sqrt(len(rows))


def test_runnalls_merges_on_where_mahalanobis_drops() -> None:
    mixture = random_mixture(1)
    merged = reduce_mixture(mixture, max_components=2, method="runnalls")
    dropped = reduce_mixture(mixture, max_components=2, merge_distance=0.0)
    assert merged.n_components == dropped.n_components == 2
    heaviest = np.argsort(-mixture.weights)[:2]
    np.testing.assert_allclose(
        np.sort(dropped.weights), np.sort(mixture.weights[heaviest] / mixture.weights[heaviest].sum())
    )
    np.testing.assert_allclose(merged.weights @ merged.means, mixture.weights @ mixture.means, rtol=1e-12)


def test_light_components_are_dropped() -> None:
    mixture = Mixture.from_parameters([0.9, 0.0999, 0.0001], [[0.0], [50.0], [99.0]], np.ones((3, 1, 1)))
    assert reduce_mixture(mixture, min_weight=1e-5) is mixture
    reduced = reduce_mixture(mixture, min_weight=1e-3)
    np.testing.assert_allclose(reduced.weights, np.array([0.9, 0.0999]) / 0.9999)
    equal = Mixture.from_parameters([0.5, 0.5], [[0.0], [9.0]], np.ones((2, 1, 1)))
    assert reduce_mixture(equal, min_weight=0.9).n_components == 1


def test_an_intensity_keeps_its_mass() -> None:
    intensity = Intensity(random_mixture(2), 3.0)
    for options in ({}, {"max_components": 1}, METHODS["runnalls"]):
        reduced = reduce_mixture(intensity, **options)
        assert isinstance(reduced, Intensity)
        assert reduced.log_mass == 3.0
        assert reduced.mixture.weights.sum() == pytest.approx(1.0)


def test_noise_and_transforms_stay() -> None:
    mixture = random_mixture(3)
    noise = Noise(0.25, Box(np.full(3, -9.0), np.full(3, 9.0)))
    noisy = replace(
        mixture, weights=0.75 * mixture.weights, noise=noise, transforms=ColumnTransforms(("log", None, None))
    )
    reduced, plain = (reduce_mixture(m, **METHODS["runnalls"]) for m in (noisy, mixture))
    assert reduced.noise is noise
    assert reduced.transforms is noisy.transforms
    np.testing.assert_allclose(reduced.weights, 0.75 * plain.weights, rtol=1e-12)
    np.testing.assert_allclose(reduced.covariances, plain.covariances, rtol=1e-12)
    only_noise = replace(mixture, weights=np.zeros(12), noise=replace(noise, weight=1.0))
    assert reduce_mixture(only_noise) is only_noise


@pytest.mark.parametrize("structure", ["EII", "VVI", "EEE"])
def test_structures_become_free(structure: str) -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [1.0, 0.5]], np.repeat(np.eye(2)[None], 2, 0))
    structured = Mixture.from_parameters(mixture.weights, mixture.means, mixture.covariances, structure)
    reduced = reduce_mixture(structured)
    assert str(reduced.structure) == "VVV"
    np.testing.assert_allclose(reduced.covariances[0], [[1.25, 0.125], [0.125, 1.0625]], rtol=1e-12)


def test_one_component_stays() -> None:
    mixture = random_mixture(0, n_components=1)
    for options in METHODS.values():
        assert reduce_mixture(mixture, **options) is mixture


def test_weightless_components_merge_without_nan() -> None:
    arrays = np.array([1.0, 0.0, 0.0]), np.array([[0.0], [5.0], [6.0]]), np.ones((3, 1, 1))
    reduced = merge_cheapest_pairs(*arrays, 1, -np.inf)
    assert reduced.positions.tolist() == [0]
    assert (reduced.weights.tolist(), reduced.means.tolist()) == ([1.0], [[0.0]])
    two = merge_cheapest_pairs(*arrays, 2, -np.inf)
    assert np.isfinite(two.means).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_weight": -0.1}, "min_weight must be a number of at least 0 and below 1"),
        ({"min_weight": 1.0}, "min_weight"),
        ({"max_components": 0}, "max_components must be a whole number of at least 1"),
        ({"merge_distance": -1.0}, "merge_distance must be a finite number of at least 0"),
        ({"merge_distance": np.nan}, "merge_distance"),
        ({"method": "salmond"}, "method must be one of mahalanobis, runnalls"),
        ({"method": "runnalls"}, "give max_components, max_divergence or both"),
        ({"method": "runnalls", "merge_distance": 1.0}, "merge_distance=1.0 has no meaning for method='runnalls'"),
        ({"max_divergence": 1.0}, "max_divergence=1.0 has no meaning for method='mahalanobis'"),
        ({"method": "runnalls", "max_divergence": -1.0}, "max_divergence must be"),
    ],
)
def test_bad_limits_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        reduce_mixture(random_mixture(0), **options)


def test_other_objects_are_refused() -> None:
    with pytest.raises(ParameterError, match="must be a Mixture or an Intensity, but has the type list"):
        reduce_mixture([1.0])  # type: ignore[type-var]
