"""Covariances that a caller hands over, in every shape they come in."""

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

FORMS: dict[str, type[AbstractCovariance]] = {
    **dict.fromkeys(["EII", "VII"], SphericalCovariance),
    **dict.fromkeys(["EEI", "VEI", "EVI", "VVI"], DiagonalCovariance),
    "EEE": SharedCovariance,
}


def matrices_of(name: str, n_components: int = 3, n_features: int = 2) -> Any:
    rng = np.random.default_rng(1)
    return random_member(rng, Structure.from_name(name), n_components, np.ones(n_features), is_floored=False).matrices()


@pytest.mark.parametrize("name", MCLUST_NAMES)
@pytest.mark.parametrize("n_features", [1, 2, 4])
def test_members_are_held_in_the_form_of_their_structure(name: str, n_features: int) -> None:
    structure, full = Structure.from_name(name), matrices_of(name, 3, n_features)
    held = covariance_from_matrices(structure, full, 3, n_features)
    assert isinstance(held, FORMS.get(name, FullCovariance))
    assert not held.is_floored.any()
    np.testing.assert_allclose(held.matrices(), full, rtol=1e-10, atol=1e-12)
    natural = contract_covariances(structure, held.matrices())
    assert natural.shape == sklearn_shape(structure, 3, n_features)
    np.testing.assert_allclose(expand_covariances(structure, natural, 3, n_features), full, rtol=1e-10, atol=1e-12)
    again = covariance_from_matrices(structure, natural, 3, n_features)
    np.testing.assert_allclose(again.matrices(), full, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in MCLUST_NAMES if name != "VVV"])
def test_covariances_of_another_structure_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=f"not of structure {name} .*name the structure they have, or 'VVV'"):
        covariance_from_matrices(Structure.from_name(name), matrices_of("VVV"), 3, 2)


@pytest.mark.parametrize(
    ("name", "shape"), [("VVV", (3, 2)), ("VVV", (2, 2)), ("VII", (2,)), ("VVI", (2, 3)), ("EEE", (3, 3)), ("EEV", ())]
)
def test_wrong_shapes_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"'covariances' should have the shape of .*, but got"):
        covariance_from_matrices(Structure.from_name(name), np.ones(shape), 3, 2)


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_covariances_must_be_positive_definite(name: str) -> None:
    full = matrices_of(name)
    full[-1] = -np.eye(2)
    with pytest.raises(ParameterError, match="covariance of component 2 should be symmetric, positive-definite"):
        covariance_from_matrices(Structure.from_name(name), full, 3, 2)


def test_collapsed_components_are_named() -> None:
    full = matrices_of("VVV")
    full[[0, 2]] = 0.0
    with pytest.raises(CollapseError, match=r"ill-defined empirical covariance.* Here: component 0, 2") as caught:
        full_from_matrices(Structure.from_name("VVV"), full)
    assert caught.value.components == (0, 2)


@pytest.mark.parametrize("name", ["VVV", "EEV", "EVV"])
def test_dense_roots_carry_the_factors(name: str) -> None:
    held = covariance_from_matrices(Structure.from_name(name), matrices_of(name), 3, 2)
    root = held.precision_root
    assert isinstance(held, FullCovariance)
    assert isinstance(root, DensePrecisionRoot)
    assert root.covariance_factors is held.factors
    np.testing.assert_allclose(
        np.swapaxes(held.factors, 1, 2) @ root.root_matrices, np.array([np.eye(2)] * 3), atol=1e-12
    )


def test_a_shared_root_carries_the_factor() -> None:
    held = covariance_from_matrices(Structure.from_name("EEE"), matrices_of("EEE"), 3, 2)
    root = held.precision_root
    assert isinstance(held, SharedCovariance)
    assert isinstance(root, SharedPrecisionRoot)
    assert root.covariance_factor is held.factor
    np.testing.assert_allclose(held.factor.T @ root.root_matrix, np.eye(2), atol=1e-12)


def test_roots_of_precisions_become_covariances() -> None:
    full = matrices_of("VVV")
    roots = np.array([np.linalg.cholesky(np.linalg.inv(matrix)[::-1, ::-1])[::-1, ::-1] for matrix in full])
    held = full_from_precision_roots(Structure.from_name("VVV"), roots)
    np.testing.assert_allclose(held.matrices(), full, rtol=1e-10)
    np.testing.assert_allclose(held.log_determinants, np.linalg.slogdet(full)[1], rtol=1e-10)
