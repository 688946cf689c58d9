"""The mclust letters, read once."""

import pytest

from gaussmix import ParameterError
from gaussmix.covariance import MCLUST_NAMES, SKLEARN_TO_MCLUST, Structure


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_letters_are_read_in_any_case(name: str) -> None:
    structure = Structure.from_name(name)
    assert str(structure) == name
    assert (structure.volume, structure.shape, structure.orientation) == tuple(name)
    assert Structure.from_name(name.lower()) == structure
    assert hash(Structure.from_name(name)) == hash(structure)


@pytest.mark.parametrize(("theirs", "letters"), SKLEARN_TO_MCLUST.items())
def test_sklearns_names_are_structures(theirs: str, letters: str) -> None:
    assert Structure.from_name(theirs) == Structure.from_name(letters)
    assert Structure.from_name(letters).display_name == f"{letters} ({theirs})"


def test_label_of_a_structure_sklearn_has_not() -> None:
    assert Structure.from_name("EVI").display_name == "EVI"


@pytest.mark.parametrize("name", ["EVX", "XYZ", "", "Full", "fulll", None, 3, ["VVV"], "VVVV"])
def test_others_are_refused_with_the_list(name: object) -> None:
    with pytest.raises(ParameterError, match=r"structure must be one of full, tied, .*EII, VII, .*but is"):
        Structure.from_name(name)


def test_descriptions_tell_structures_apart() -> None:
    descriptions = {Structure.from_name(name).description for name in MCLUST_NAMES}
    assert len(descriptions) == len(MCLUST_NAMES)
    assert Structure.from_name("EII").description == "round, one size for all"
    assert Structure.from_name("VVI").description == "each its own size and shape, axes along the columns"
    assert "one size, shape and orientation for all" in Structure.from_name("EEE").description


def test_scale_of_single_columns_matters_to_round_and_partly_shared_structures() -> None:
    careless = {name for name in MCLUST_NAMES if Structure.from_name(name).is_column_scale_equivariant}
    assert careless == {"EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVV", "VVV"}
