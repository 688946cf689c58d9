"""Equal volumes under a floor: the convex search against SciPy's general optimiser."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from gaussmix.covariance.eigen import equal_volume
from gaussmix.types import Array


def loss(logs: Array, scatter: Array, total_mass: float) -> float:
    w = logs.reshape(scatter.shape)
    return float(total_mass * w[0].sum() + (scatter * np.exp(-w)).sum())


@pytest.mark.parametrize("seed", range(8))
def test_search_finds_the_minimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_components, n_features = 2 + seed % 2, 2 + seed % 3
    total_mass = 20.0
    scatter = np.exp(rng.normal(2.0, 2.0, (n_components, n_features)))
    variances, touched = equal_volume(scatter, total_mass)
    assert variances.min() >= 1.0 - 1e-12
    sums = np.log(variances).sum(axis=1)
    np.testing.assert_allclose(sums, sums[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(touched, (variances <= 1.0 + 1e-12).any(axis=1))
    rows = np.kron(np.eye(n_components)[1:] - np.eye(n_components)[:1], np.ones(n_features))
    found = minimize(
        loss,
        np.log(variances).ravel() + 0.1,
        args=(scatter, total_mass),
        method="SLSQP",
        bounds=[(0.0, None)] * scatter.size,
        constraints=[LinearConstraint(rows, 0.0, 0.0)],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert loss(np.log(variances), scatter, total_mass) <= found.fun + 1e-6


def test_far_above_the_floor_it_is_the_closed_form() -> None:
    scatter = np.array([[300.0, 700.0], [5000.0, 20.0]])
    variances, touched = equal_volume(scatter, 10.0)
    means = np.sqrt(scatter.prod(axis=1))
    np.testing.assert_allclose(variances, scatter / means[:, None] * means.sum() / 10.0, rtol=1e-12)
    assert not touched.any()


def test_no_scatter_rests_on_the_floor() -> None:
    variances, touched = equal_volume(np.zeros((2, 3)), 5.0)
    np.testing.assert_allclose(variances, 1.0)
    assert touched.all()
