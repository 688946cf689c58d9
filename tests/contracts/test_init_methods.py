"""Contract of initialization methods: invariance to order, repetition and weights of rows, and usable results."""

import numpy as np
import pytest

from gaussmix.model import Mixture
from gaussmix.solvers.initialization import INIT_METHODS, initialize
from gaussmix.types import ND, Array
from tests.contracts.problems import assert_same_mixture, groups, problem_of
from tests.exhaustive import parametrize_product

every_start = pytest.mark.parametrize("method", INIT_METHODS)


def make_start(
    method: str, rows: ND, n_components: int = 3, structure: str = "VVV", weights: Array | None = None, seed: int = 0
) -> Mixture:
    return initialize(problem_of(rows, structure, weights), method, n_components, np.random.default_rng(seed))


def assert_usable(mixture: Mixture, n_components: int, n_features: int) -> None:
    assert mixture.centers.shape == (n_components, n_features)
    assert mixture.weights.shape == (n_components,)
    assert mixture.weights.min() >= 0
    assert mixture.weights.sum() == pytest.approx(1.0)
    assert np.isfinite(mixture.means).all()
    assert np.isfinite(mixture.covariances).all()
    assert np.isfinite(mixture.covariance.log_determinants).all()


@parametrize_product(
    {"method": INIT_METHODS, "structure": ["VVV", "VII", "EEE", "EVI"], "n_features": [1, 2, 4]}, strength=2
)
def test_initialization_is_invariant_to_the_order_of_rows(method: str, structure: str, n_features: int) -> None:
    rows = groups(1, n_features=n_features)
    shuffled = np.random.default_rng(5).permutation(rows)
    assert_same_mixture(
        make_start(method, shuffled, structure=structure), make_start(method, rows, structure=structure)
    )


@every_start
@pytest.mark.parametrize("structure", ["VVV", "VII"])
def test_weights_equal_repeated_rows(method: str, structure: str) -> None:
    rows, counts = groups(2), np.random.default_rng(6).integers(0, 4, 90)
    weighted = make_start(method, rows, structure=structure, weights=counts.astype(float))
    assert_same_mixture(weighted, make_start(method, np.repeat(rows, counts, axis=0), structure=structure))


@every_start
def test_initialization_is_reproducible(method: str) -> None:
    rows = groups(3)
    assert_same_mixture(make_start(method, rows, seed=4), make_start(method, rows, seed=4), tolerance=0.0)


@pytest.mark.parametrize("method", [name for name in INIT_METHODS if name != "kmeans" and "hierarchical" not in name])
def test_initialization_depends_on_the_seed(method: str) -> None:
    rows = groups(3)
    assert not np.allclose(make_start(method, rows, seed=4).means, make_start(method, rows, seed=5).means)


@parametrize_product(
    {"method": INIT_METHODS, "n_components": [1, 2, 5], "structure": ["VVV", "EII", "EEV", "EVV"]}, strength=2
)
def test_number_of_components_is_as_requested(method: str, n_components: int, structure: str) -> None:
    found = make_start(method, groups(0), n_components, structure)
    assert_usable(found, n_components, 2)
    assert str(found.structure) == structure


CONSTANT = np.column_stack([groups(0, n_features=1), np.full(90, 5.0)])
HARD_DATA = {
    "fewer distinct rows than components": np.repeat([[0.0, 1.0], [2.0, 5.0]], 10, axis=0),
    "all rows equal": np.full((12, 2), 3.5),
    "one row": np.array([[1.0, 2.0]]),
    "one column": groups(0, n_features=1),
    "a constant column": CONSTANT,
    "fewer rows than columns": groups(0, n_rows=5, n_features=8),
    "huge": 1e150 * groups(0),
    "tiny and far": 1e-150 * (groups(0) + 1e6),
    "columns of different units": groups(0) * np.array([1e-100, 1e100]),
}


@parametrize_product(
    {"method": INIT_METHODS, "structure": ["VVV", "EII", "EEI", "EEE", "EVI"], "case": HARD_DATA},
    together=[("method", "case")],
)
def test_hard_data_give_a_usable_mixture(method: str, structure: str, case: str) -> None:
    rows = HARD_DATA[case]
    found = initialize(problem_of(rows, structure), method, 4, np.random.default_rng(0))
    assert found.centers.shape == (4, rows.shape[1])
    assert found.weights.sum() == pytest.approx(1.0)
    assert np.isfinite(found.centers).all()
    assert np.isfinite(found.covariance.matrices()).all()
    assert np.isfinite(found.covariance.log_determinants).all()


@pytest.mark.parametrize("method", [name for name in INIT_METHODS if name != "random"])  # whose components begin alike
def test_components_are_sorted_by_their_means(method: str) -> None:
    means = make_start(method, groups(4)).means
    assert (np.diff(means[:, 0]) >= 0).all()


@every_start
def test_rows_of_weight_zero_are_never_drawn(method: str) -> None:
    rows = np.vstack([groups(0), np.full((5, 2), 1e6)])
    weights = np.append(np.ones(90), np.zeros(5))
    assert_same_mixture(make_start(method, rows, weights=weights), make_start(method, rows[:90]))
