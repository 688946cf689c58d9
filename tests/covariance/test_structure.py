"""Names and properties of covariance structures."""

import numpy as np
import pytest

from gaussmix import ParameterError
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import (
    FACTOR_STRUCTURE_NAMES,
    MCLUST_NAMES,
    SKLEARN_TO_MCLUST,
    FloorRegularizer,
    MclustStructure,
    Structure,
    distinct_structure_names,
    make_covariance_estimator,
    parse_structure,
    representation_class,
    sklearn_shape,
)
from gaussmix.types import KDD

ALL_STRUCTURES = [parse_structure(name, 1) for name in (*MCLUST_NAMES, *FACTOR_STRUCTURE_NAMES)]


def random_scatter(seed: int = 0, n_components: int = 3, n_features: int = 4) -> KDD:
    roots = np.random.default_rng(seed).normal(size=(n_components, n_features, n_features))
    return np.asarray(roots @ np.swapaxes(roots, 1, 2) + np.eye(n_features))


def estimate_covariances(structure: Structure, scatter: KDD) -> KDD:
    """Return the covariances of components of mass one, from a few M-steps."""
    estimator = make_covariance_estimator(structure, FloorRegularizer(np.full(scatter.shape[1], 1e-9)))
    moments = Moments(np.ones(len(scatter)), np.zeros(scatter.shape[:2]), scatter, MomentKind.FULL)
    moments = moments.to_kind(estimator.moment_kind)
    covariance = estimator.estimate(moments)
    assert type(covariance) is representation_class(structure)
    for _ in range(3):
        covariance = estimator.estimate(moments, covariance)
    return covariance.matrices()


@pytest.mark.parametrize("structure", ALL_STRUCTURES, ids=str)
def test_properties_of_structures_hold_for_estimated_covariances(structure: Structure) -> None:
    matrices = estimate_covariances(structure, random_scatter())
    diagonals = np.einsum("kii->ki", matrices)
    is_diagonal = np.array_equal(matrices, diagonals[:, :, None] * np.eye(4))
    assert is_diagonal == structure.is_axis_aligned
    assert (is_diagonal and np.allclose(diagonals, diagonals[:, :1])) == structure.is_spherical
    assert np.allclose(matrices, matrices[:1]) == structure.is_pooled


@pytest.mark.parametrize("structure", ALL_STRUCTURES, ids=str)
def test_independent_components_do_not_depend_on_the_scatter_of_others(structure: Structure) -> None:
    scatter = random_scatter()
    before = estimate_covariances(structure, scatter)[0]
    scatter[1:] = random_scatter(1)[1:]
    is_unchanged = np.allclose(estimate_covariances(structure, scatter)[0], before)
    if structure.has_independent_components or not structure.has_factors:
        assert is_unchanged == structure.has_independent_components


@pytest.mark.parametrize("structure", ALL_STRUCTURES, ids=str)
def test_sklearn_shape_agrees_with_the_properties(structure: Structure) -> None:
    shape = sklearn_shape(structure, 3, 4)
    expected = (3,) if structure.is_spherical else (3, 4) if structure.is_axis_aligned else (3, 4, 4)
    assert shape == ((4, 4) if structure.is_tied else expected)
    assert structure.is_tied == (str(structure) == "EEE")


def test_mclust_and_factor_structures_are_different_classes() -> None:
    assert {type(s) is MclustStructure for s in ALL_STRUCTURES if not s.has_factors} == {True}
    assert not any(isinstance(s, MclustStructure) for s in ALL_STRUCTURES if s.has_factors)
    assert len(set(ALL_STRUCTURES)) == len(ALL_STRUCTURES)


def test_one_column_has_two_distinct_structures() -> None:
    assert distinct_structure_names(1) == ("EII", "VII")
    assert distinct_structure_names(2) == MCLUST_NAMES


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_names_are_parsed_in_any_case(name: str) -> None:
    structure = Structure.from_name(name)
    assert isinstance(structure, MclustStructure)
    assert str(structure) == name
    assert (structure.volume, structure.shape, structure.orientation) == tuple(name)
    assert Structure.from_name(name.lower()) == structure
    assert hash(Structure.from_name(name)) == hash(structure)


@pytest.mark.parametrize(("sklearn_name", "letters"), SKLEARN_TO_MCLUST.items())
def test_sklearn_names_equal_mclust_names(sklearn_name: str, letters: str) -> None:
    assert Structure.from_name(sklearn_name) == Structure.from_name(letters)
    assert Structure.from_name(letters).name_with_alias_or_n_factors == f"{letters} ({sklearn_name})"


def test_name_without_a_sklearn_alias() -> None:
    assert Structure.from_name("EVI").name_with_alias_or_n_factors == "EVI"


@pytest.mark.parametrize("name", ["EVX", "XYZ", "", "Fully", "fulll", None, 3, ["VVV"], "VVVV"])
def test_unknown_names_raise_parameter_error_with_the_allowed_ones(name: object) -> None:
    with pytest.raises(ParameterError, match=r"structure must be one of full, tied, .*EII, VII, .*but is"):
        Structure.from_name(name)


def test_descriptions_are_distinct() -> None:
    descriptions = {Structure.from_name(name).description for name in MCLUST_NAMES}
    assert len(descriptions) == len(MCLUST_NAMES)
    assert Structure.from_name("EII").description == "round, one size for all"
    assert Structure.from_name("VVI").description == "each its own size and shape, axes along the columns"
    assert "one size, shape and orientation for all" in Structure.from_name("EEE").description


def test_spherical_and_partly_shared_structures_are_not_column_scale_equivariant() -> None:
    equivariant_names = {name for name in MCLUST_NAMES if Structure.from_name(name).is_column_scale_equivariant}
    assert equivariant_names == {"EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVV", "VVV"}
