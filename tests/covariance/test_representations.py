"""Covariances from matrices of the user, in scikit-learn's shapes and as (K, D, D)."""

from typing import Any

import numpy as np
import pytest

from gaussmix import CollapseError, ParameterError
from gaussmix.core.precision_roots import DensePrecisionRoot, SharedPrecisionRoot
from gaussmix.covariance import (
    MCLUST_NAMES,
    AbstractCovariance,
    Structure,
    contract_covariances,
    covariance_from_matrices,
    expand_covariances,
    sklearn_shape,
)
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SharedCovariance,
    SphericalCovariance,
    full_from_matrices,
    full_from_precision_roots,
)
from tests.contracts.members import random_member

REPRESENTATIONS: dict[str, type[AbstractCovariance]] = {
    **dict.fromkeys(["EII", "VII"], SphericalCovariance),
    **dict.fromkeys(["EEI", "VEI", "EVI", "VVI"], DiagonalCovariance),
    "EEE": SharedCovariance,
}


def random_matrices(name: str, n_components: int = 3, n_features: int = 2) -> Any:
    rng = np.random.default_rng(1)
    return random_member(rng, Structure.from_name(name), n_components, np.ones(n_features), is_floored=False).matrices()


@pytest.mark.parametrize("name", MCLUST_NAMES)
@pytest.mark.parametrize("n_features", [1, 2, 4])
def test_matrices_of_a_structure_round_trip_in_its_representation(name: str, n_features: int) -> None:
    structure, matrices = Structure.from_name(name), random_matrices(name, 3, n_features)
    covariance = covariance_from_matrices(structure, matrices, 3, n_features)
    assert isinstance(covariance, REPRESENTATIONS.get(name, FullCovariance))
    assert not covariance.is_floored.any()
    np.testing.assert_allclose(covariance.matrices(), matrices, rtol=1e-10, atol=1e-12)
    contracted = contract_covariances(structure, covariance.matrices())
    assert contracted.shape == sklearn_shape(structure, 3, n_features)
    np.testing.assert_allclose(
        expand_covariances(structure, contracted, 3, n_features), matrices, rtol=1e-10, atol=1e-12
    )
    from_contracted = covariance_from_matrices(structure, contracted, 3, n_features)
    np.testing.assert_allclose(from_contracted.matrices(), matrices, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in MCLUST_NAMES if name != "VVV"])
def test_covariances_of_another_structure_raise_parameter_error(name: str) -> None:
    with pytest.raises(ParameterError, match=f"not of structure {name} .*name the structure they have, or 'VVV'"):
        covariance_from_matrices(Structure.from_name(name), random_matrices("VVV"), 3, 2)


@pytest.mark.parametrize(
    ("name", "shape"), [("VVV", (3, 2)), ("VVV", (2, 2)), ("VII", (2,)), ("VVI", (2, 3)), ("EEE", (3, 3)), ("EEV", ())]
)
def test_wrong_shapes_raise_parameter_error(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"'covariances' should have the shape of .*, but got"):
        covariance_from_matrices(Structure.from_name(name), np.ones(shape), 3, 2)


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_covariances_must_be_positive_definite(name: str) -> None:
    matrices = random_matrices(name)
    matrices[-1] = -np.eye(2)
    with pytest.raises(ParameterError, match="covariance of component 2 should be symmetric, positive-definite"):
        covariance_from_matrices(Structure.from_name(name), matrices, 3, 2)


def test_collapse_error_names_the_components() -> None:
    matrices = random_matrices("VVV")
    matrices[[0, 2]] = 0.0
    with pytest.raises(CollapseError, match=r"ill-defined empirical covariance.* Here: component 0, 2") as caught:
        full_from_matrices(Structure.from_name("VVV"), matrices)
    assert caught.value.components == (0, 2)


@pytest.mark.parametrize("name", ["VVV", "EEV", "EVV"])
def test_dense_precision_roots_have_the_covariance_factors(name: str) -> None:
    covariance = covariance_from_matrices(Structure.from_name(name), random_matrices(name), 3, 2)
    root = covariance.precision_root
    assert isinstance(covariance, FullCovariance)
    assert isinstance(root, DensePrecisionRoot)
    assert root.covariance_factors is covariance.factors
    np.testing.assert_allclose(
        np.swapaxes(covariance.factors, 1, 2) @ root.root_matrices, np.array([np.eye(2)] * 3), atol=1e-12
    )


def test_a_shared_precision_root_has_the_covariance_factor() -> None:
    covariance = covariance_from_matrices(Structure.from_name("EEE"), random_matrices("EEE"), 3, 2)
    root = covariance.precision_root
    assert isinstance(covariance, SharedCovariance)
    assert isinstance(root, SharedPrecisionRoot)
    assert root.covariance_factor is covariance.factor
    np.testing.assert_allclose(covariance.factor.T @ root.root_matrix, np.eye(2), atol=1e-12)


def test_full_covariance_from_precision_roots() -> None:
    matrices = random_matrices("VVV")
    roots = np.array([np.linalg.cholesky(np.linalg.inv(matrix)[::-1, ::-1])[::-1, ::-1] for matrix in matrices])
    covariance = full_from_precision_roots(Structure.from_name("VVV"), roots)
    np.testing.assert_allclose(covariance.matrices(), matrices, rtol=1e-10)
    np.testing.assert_allclose(covariance.log_determinants, np.linalg.slogdet(matrices)[1], rtol=1e-10)
