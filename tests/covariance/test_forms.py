"""Covariances that a caller hands over, in every shape they come in."""

from typing import Any

import numpy as np
import pytest

from gaussmix import CollapseError, ParameterError
from gaussmix.core.roots import DenseRoot, SharedRoot
from gaussmix.covariance import ALL, AbstractCovariance, Structure, from_matrices
from gaussmix.covariance.forms import (
    DiagonalCovariance,
    FullCovariance,
    SharedCovariance,
    SphericalCovariance,
    contract,
    expand,
    from_cholesky,
    from_roots,
    natural_shape,
)
from tests.contracts.members import random_member

FORMS: dict[str, type[AbstractCovariance]] = {
    **dict.fromkeys(["EII", "VII"], SphericalCovariance),
    **dict.fromkeys(["EEI", "VEI", "EVI", "VVI"], DiagonalCovariance),
    "EEE": SharedCovariance,
}


def matrices_of(name: str, n_components: int = 3, n_features: int = 2) -> Any:
    rng = np.random.default_rng(1)
    return random_member(rng, Structure.parse(name), n_components, np.ones(n_features), is_floored=False).matrices()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("n_features", [1, 2, 4])
def test_members_are_held_in_the_form_of_their_structure(name: str, n_features: int) -> None:
    structure, full = Structure.parse(name), matrices_of(name, 3, n_features)
    held = from_matrices(structure, full, 3, n_features)
    assert isinstance(held, FORMS.get(name, FullCovariance))
    assert not held.floored.any()
    np.testing.assert_allclose(held.matrices(), full, rtol=1e-10, atol=1e-12)
    natural = contract(structure, held.matrices())
    assert natural.shape == natural_shape(structure, 3, n_features)
    np.testing.assert_allclose(expand(structure, natural, 3, n_features), full, rtol=1e-10, atol=1e-12)
    again = from_matrices(structure, natural, 3, n_features)
    np.testing.assert_allclose(again.matrices(), full, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in ALL if name != "VVV"])
def test_covariances_of_another_structure_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=f"not of structure {name} .*name the structure they have, or 'VVV'"):
        from_matrices(Structure.parse(name), matrices_of("VVV"), 3, 2)


@pytest.mark.parametrize(
    ("name", "shape"), [("VVV", (3, 2)), ("VVV", (2, 2)), ("VII", (2,)), ("VVI", (2, 3)), ("EEE", (3, 3)), ("EEV", ())]
)
def test_wrong_shapes_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match=r"'covariances' should have the shape of .*, but got"):
        from_matrices(Structure.parse(name), np.ones(shape), 3, 2)


@pytest.mark.parametrize("name", ALL)
def test_covariances_must_be_positive_definite(name: str) -> None:
    full = matrices_of(name)
    full[-1] = -np.eye(2)
    with pytest.raises(ParameterError, match="covariance of component 2 should be symmetric, positive-definite"):
        from_matrices(Structure.parse(name), full, 3, 2)


def test_collapsed_components_are_named() -> None:
    full = matrices_of("VVV")
    full[[0, 2]] = 0.0
    with pytest.raises(CollapseError, match=r"ill-defined empirical covariance.* Here: component 0, 2") as caught:
        from_cholesky(Structure.parse("VVV"), full)
    assert caught.value.components == (0, 2)


@pytest.mark.parametrize("name", ["VVV", "EEV", "EVV"])
def test_dense_roots_carry_the_factors(name: str) -> None:
    held = from_matrices(Structure.parse(name), matrices_of(name), 3, 2)
    root = held.root
    assert isinstance(held, FullCovariance)
    assert isinstance(root, DenseRoot)
    assert root.factors is held.factors
    np.testing.assert_allclose(np.swapaxes(held.factors, 1, 2) @ root.matrices, np.array([np.eye(2)] * 3), atol=1e-12)


def test_a_shared_root_carries_the_factor() -> None:
    held = from_matrices(Structure.parse("EEE"), matrices_of("EEE"), 3, 2)
    root = held.root
    assert isinstance(held, SharedCovariance)
    assert isinstance(root, SharedRoot)
    assert root.factor is held.factor
    np.testing.assert_allclose(held.factor.T @ root.matrix, np.eye(2), atol=1e-12)


def test_roots_of_precisions_become_covariances() -> None:
    full = matrices_of("VVV")
    roots = np.array([np.linalg.cholesky(np.linalg.inv(matrix)[::-1, ::-1])[::-1, ::-1] for matrix in full])
    held = from_roots(Structure.parse("VVV"), roots)
    np.testing.assert_allclose(held.matrices(), full, rtol=1e-10)
    np.testing.assert_allclose(held.log_determinants, np.linalg.slogdet(full)[1], rtol=1e-10)
