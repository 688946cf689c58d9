"""Equal volumes under a floor: the convex search against SciPy's general optimiser."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from gaussmix import GaussianMixture
from gaussmix.covariance import Structure
from gaussmix.covariance.eigenvalue_floor import apply_eigenvalue_floor, floored_equal_volume_variances
from gaussmix.errors import DegenerateFitWarning
from gaussmix.types import DD, KDD, Array

VVV = Structure.from_name("VVV")


def negative_log_likelihood(logs: Array, scatter: Array, total_mass: float) -> float:
    w = logs.reshape(scatter.shape)
    return float(total_mass * w[0].sum() + (scatter * np.exp(-w)).sum())


@pytest.mark.parametrize("seed", range(8))
def test_equal_volume_search_finds_the_minimum_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_components, n_features = 2 + seed % 2, 2 + seed % 3
    total_mass = 20.0
    scatter = np.exp(rng.normal(2.0, 2.0, (n_components, n_features)))
    variances, is_floored = floored_equal_volume_variances(scatter, total_mass)
    assert variances.min() >= 1.0 - 1e-12
    sums = np.log(variances).sum(axis=1)
    np.testing.assert_allclose(sums, sums[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(is_floored, (variances <= 1.0 + 1e-12).any(axis=1))
    rows = np.kron(np.eye(n_components)[1:] - np.eye(n_components)[:1], np.ones(n_features))
    found = minimize(
        negative_log_likelihood,
        np.log(variances).ravel() + 0.1,
        args=(scatter, total_mass),
        method="SLSQP",
        bounds=[(0.0, None)] * scatter.size,
        constraints=[LinearConstraint(rows, 0.0, 0.0)],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert negative_log_likelihood(np.log(variances), scatter, total_mass) <= found.fun + 1e-6


def test_far_above_the_floor_variances_have_the_closed_form() -> None:
    scatter = np.array([[300.0, 700.0], [5000.0, 20.0]])
    variances, is_floored = floored_equal_volume_variances(scatter, 10.0)
    means = np.sqrt(scatter.prod(axis=1))
    np.testing.assert_allclose(variances, scatter / means[:, None] * means.sum() / 10.0, rtol=1e-12)
    assert not is_floored.any()


def test_without_scatter_all_variances_are_at_the_floor() -> None:
    variances, is_floored = floored_equal_volume_variances(np.zeros((2, 3)), 5.0)
    np.testing.assert_allclose(variances, 1.0)
    assert is_floored.all()


def clip_eigenvalues(matrix: DD, floor: Array) -> DD:
    """Return a matrix with its eigenvalues, in units of the floor, raised to at least one."""
    deviations = np.sqrt(floor)
    values, vectors = np.linalg.eigh(matrix / np.outer(deviations, deviations))
    return np.asarray((vectors * np.maximum(values, 1.0)) @ vectors.T * np.outer(deviations, deviations))


def random_matrices(seed: int, eigenvalues: list[list[float]]) -> KDD:
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(len(eigenvalues), 3, 3)))[0]
    matrices = (axes * np.array(eigenvalues)[:, None, :]) @ np.swapaxes(axes, 1, 2)
    return np.asarray(0.5 * (matrices + np.swapaxes(matrices, 1, 2)))


FAR_ABOVE, CLOSE_ABOVE, BELOW, SINGULAR, ZERO = (
    [900.0, 30.0, 8.0],
    [5.0, 1.3, 1.1],
    [40.0, 3.0, 0.4],
    [7.0, 2.0, 0.0],
    [0.0] * 3,
)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("repeats", [1, 40])
def test_only_eigenvalues_below_the_floor_are_raised(seed: int, repeats: int) -> None:
    floor = np.array([1.0, 1.0, 1.0])
    matrices = random_matrices(seed, [FAR_ABOVE, CLOSE_ABOVE, BELOW, SINGULAR, ZERO, FAR_ABOVE] * repeats)
    floored = apply_eigenvalue_floor(VVV, matrices, floor)
    np.testing.assert_array_equal(floored.is_floored, [False, False, True, True, True, False] * repeats)
    expected = np.array([clip_eigenvalues(matrix, floor) for matrix in matrices])
    np.testing.assert_allclose(floored.matrices(), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(floored.precisions(), np.linalg.inv(expected), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(floored.log_determinants, np.linalg.slogdet(expected)[1], rtol=1e-10, atol=1e-12)
    computed_separately = apply_eigenvalue_floor(VVV, matrices[~floored.is_floored], floor)
    np.testing.assert_allclose(
        floored.factors[~floored.is_floored], computed_separately.factors, rtol=1e-13, atol=1e-15
    )


def test_each_column_has_its_own_floor() -> None:
    floor = np.array([1e-6, 1.0, 1e6])
    matrices_in_floor_units = random_matrices(0, [FAR_ABOVE, BELOW, SINGULAR])
    matrices = matrices_in_floor_units * np.sqrt(np.outer(floor, floor))
    floored = apply_eigenvalue_floor(VVV, matrices, floor)
    np.testing.assert_array_equal(floored.is_floored, [False, True, True])
    expected = np.array([clip_eigenvalues(matrix, floor) for matrix in matrices])
    np.testing.assert_allclose(floored.matrices() / expected, 1.0, rtol=1e-9)


def test_tiny_scatter_does_not_overflow() -> None:
    floored = apply_eigenvalue_floor(VVV, np.array([1e-320 * np.eye(3), np.eye(3)]), np.full(3, 1e-9))
    np.testing.assert_array_equal(floored.is_floored, [True, False])
    np.testing.assert_allclose(floored.matrices()[0], 1e-9 * np.eye(3), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("n_features", [2, 4, 10])
@pytest.mark.parametrize("seed", range(3))
def test_a_component_on_a_line_is_on_the_floor_whatever_volume_the_others_have(n_features: int, seed: int) -> None:
    """An equal volume stretches rounding errors across the line by the square root of the volume over the floor's."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    line = np.outer(rng.normal(size=40), rotation[0])
    cloud = rng.normal(size=(10 * n_features, n_features)) + 30.0 * rotation[1]
    mixture = GaussianMixture(2, covariance_type="EVV", means_init=[line.mean(axis=0), cloud.mean(axis=0)], max_iter=20)
    with pytest.warns(DegenerateFitWarning, match="component 0 at the variance floor"):
        mixture.fit(np.concatenate([line, cloud]))
    assert [part.is_floored for part in mixture.fit_.component_diagnostics] == [True, False]
