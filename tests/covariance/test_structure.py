"""The mclust letters, read once."""

import pytest

from gaussmix import ParameterError
from gaussmix.covariance import ALL, SKLEARN_NAMES, Structure


@pytest.mark.parametrize("name", ALL)
def test_letters_are_read_in_any_case(name: str) -> None:
    structure = Structure.parse(name)
    assert str(structure) == name
    assert (structure.volume, structure.shape, structure.orientation) == tuple(name)
    assert Structure.parse(name.lower()) == structure
    assert hash(Structure.parse(name)) == hash(structure)


@pytest.mark.parametrize(("theirs", "letters"), SKLEARN_NAMES.items())
def test_sklearns_names_are_structures(theirs: str, letters: str) -> None:
    assert Structure.parse(theirs) == Structure.parse(letters)
    assert Structure.parse(letters).label == f"{letters} ({theirs})"


def test_label_of_a_structure_sklearn_has_not() -> None:
    assert Structure.parse("EVI").label == "EVI"


@pytest.mark.parametrize("name", ["EVX", "XYZ", "", "Full", "fulll", None, 3, ["VVV"], "VVVV"])
def test_others_are_refused_with_the_list(name: object) -> None:
    with pytest.raises(ParameterError, match=r"structure must be one of full, tied, .*EII, VII, .*but is"):
        Structure.parse(name)


def test_descriptions_tell_structures_apart() -> None:
    descriptions = {Structure.parse(name).description for name in ALL}
    assert len(descriptions) == len(ALL)
    assert Structure.parse("EII").description == "round, one size for all"
    assert Structure.parse("VVI").description == "each its own size and shape, axes along the columns"
    assert "one size, shape and orientation for all" in Structure.parse("EEE").description


def test_scale_of_single_columns_matters_to_round_and_partly_shared_structures() -> None:
    careless = {name for name in ALL if Structure.parse(name).column_equivariant}
    assert careless == {"EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVV", "VVV"}
