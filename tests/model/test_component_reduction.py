"""Merging within groups: compiled code equals NumPy, and what is kept is the heaviest and the moments."""

from collections.abc import Callable

import numpy as np
import pytest

from gaussmix.engines import automatic
from gaussmix.model import component_reduction
from gaussmix.model.component_reduction import ReducedComponents, merge_close_components, merge_moments
from gaussmix.types import KD, KDD, IntK, K

Arrays = tuple[IntK, K, KD, KDD]


def random_components(seed: int, n_components: int, n_features: int, n_groups: int) -> Arrays:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, n_features, n_features))
    covariances = factors @ np.swapaxes(factors, 1, 2) + 0.1 * np.eye(n_features)
    groups = rng.integers(n_groups, size=n_components)
    return groups, rng.exponential(size=n_components), rng.normal(size=(n_components, n_features)) * 3.0, covariances


def in_numpy(monkeypatch: pytest.MonkeyPatch, function: Callable[[], ReducedComponents]) -> ReducedComponents:
    with monkeypatch.context() as patch:
        patch.setattr(component_reduction, "call_compiled_function", lambda *_: None)
        return function()


def singular(arrays: Arrays) -> Arrays:
    groups, weights, means, _ = arrays
    directions = means / np.linalg.norm(means, axis=1, keepdims=True)
    return groups, weights, np.round(means), 4.0 * directions[:, :, None] * directions[:, None, :]


def with_zero_weights(arrays: Arrays) -> Arrays:
    groups, weights, means, covariances = arrays
    return groups, np.where(np.arange(len(weights)) % 2, weights, 0.0), means, covariances


CASES = {
    "random": random_components(0, 40, 4, 3),
    "one column": random_components(1, 30, 1, 2),
    "one component": random_components(2, 1, 3, 1),
    "empty": random_components(3, 0, 3, 1),
    "zero weights": with_zero_weights(random_components(4, 30, 2, 2)),
    "all weights zero": (np.zeros(3, dtype=np.int64), np.zeros(3), np.zeros((3, 2)), np.repeat(np.eye(2)[None], 3, 0)),
    "singular": singular(random_components(5, 30, 3, 2)),
    "no variance": (
        np.zeros(4, dtype=np.int64),
        np.ones(4),
        np.array([[0.0], [0.0], [1.0], [1.0]]),
        np.zeros((4, 1, 1)),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("distance", "n_kept"), [(2.0, 5), (0.5, 100), (np.inf, 2)])
def test_compiled_code_equals_numpy(case: str, distance: float, n_kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = CASES[case]
    expected = in_numpy(monkeypatch, lambda: merge_close_components(*arrays, distance**2, n_kept))
    if type(automatic.compiled_or_numpy_engine()).__name__ == "NumpyEngine":
        pytest.skip("no compiled code here")
    result = merge_close_components(*arrays, distance**2, n_kept)
    np.testing.assert_array_equal(result.positions, expected.positions)
    for compiled, numpy in zip(result[1:], expected[1:], strict=True):
        np.testing.assert_allclose(compiled, numpy, rtol=1e-10, atol=1e-12)
        assert np.isfinite(compiled).all()


def test_the_input_stays() -> None:
    arrays = random_components(6, 20, 2, 1)
    copies = [array.copy() for array in arrays]
    merge_close_components(*arrays, 9.0, 3)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("seed", range(3))
def test_an_infinite_distance_keeps_the_moments_of_each_group(seed: int) -> None:
    groups, weights, means, covariances = random_components(seed, 30, 3, 4)
    result = merge_close_components(groups, weights, means, covariances, np.inf, 1)
    for position, weight, mean, covariance in zip(*result, strict=True):
        is_member = groups == groups[position]
        fractions = weights[is_member] / weights[is_member].sum()
        centered = means[is_member] - fractions @ means[is_member]
        spread = (centered * fractions[:, None]).T @ centered
        assert weight == pytest.approx(weights[is_member].sum())
        assert weights[position] == weights[is_member].max()
        np.testing.assert_allclose(mean, fractions @ means[is_member], rtol=1e-12)
        within = np.einsum("k,kij->ij", fractions, covariances[is_member])
        np.testing.assert_allclose(covariance, within + spread, rtol=1e-12, atol=1e-12)


def test_components_without_variance_merge_only_if_equal() -> None:
    result = merge_close_components(*CASES["no variance"], 100.0, 10)
    assert result.weights.tolist() == [2.0, 2.0]
    assert result.means.ravel().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("is_compiled", [True, False])
def test_distances_do_not_depend_on_units(is_compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_compiled:
        monkeypatch.setattr(component_reduction, "call_compiled_function", lambda *_: None)
    groups, weights, means, _ = random_components(7, 40, 3, 1)
    means = means[:, :1] * np.array([[1.0, 2.0, -0.5]])  # on a line, along which alone they vary
    covariances = np.repeat(np.outer(means[0], means[0])[None], 40, axis=0) / means[0, 0] ** 2
    result = merge_close_components(groups, weights, means, covariances, 4.0, 40)
    scaled = merge_close_components(groups, weights, 2.0**-40 * means, 2.0**-80 * covariances, 4.0, 40)
    np.testing.assert_array_equal(result.positions, scaled.positions)
    assert 1 < len(result.positions) < 40


def test_moments_of_weightless_components_count_alike() -> None:
    weight, mean, covariance = merge_moments(np.zeros(2), np.array([[0.0], [2.0]]), np.ones((2, 1, 1)))
    assert (weight, mean.tolist(), covariance.tolist()) == (0.0, [1.0], [[2.0]])
