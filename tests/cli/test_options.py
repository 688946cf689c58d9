"""Options with a syntax of their own: what they mean, and wrong usage."""

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.cli.options import read_components, read_criterion, read_names, read_structures
from gaussmix.covariance.structure import ALL


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("3", [3]),
        ("1:4", [1, 2, 3, 4]),
        ("5,1,2", [1, 2, 5]),
        ("1:2, 4 : 5,2", [1, 2, 4, 5]),
        ("2:2", [2]),
        ("07", [7]),
    ],
)
def test_numbers_of_components(text: str, counts: list[int]) -> None:
    assert read_components(text) == counts


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 9)), min_size=1))
def test_components_are_the_union_of_their_parts(parts: list[tuple[int, int]]) -> None:
    text = ",".join(f"{low}:{low + more}" for low, more in parts)
    assert read_components(text) == sorted({n for low, more in parts for n in range(low, low + more + 1)})


@pytest.mark.parametrize("text", ["", "0", "a", "1:", ":3", "3:1", "1,,2", "-1", "1:2:3", "1.5", "1;2", "٣", "9" * 20])
def test_what_is_no_number_of_components(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"write one \(3\), a range \(1:9\) or a list \(1,2,5\)"):
        read_components(text)


def test_a_range_beyond_reason() -> None:
    with pytest.raises(typer.BadParameter, match="'1:99999' asks for more than 1000 fits"):
        read_components("1:99999")


def test_names_stand_between_commas_or_in_quotes() -> None:
    assert read_names("a, b", "--columns") == ["a", "b"]
    assert read_names('"x, cm",y', "--columns") == ["x, cm", "y"]
    assert read_names(None, "--columns") is None
    for text in ("", "a,,b", ","):
        with pytest.raises(typer.BadParameter, match="give names with commas between them"):
            read_names(text, "--columns")
    with pytest.raises(typer.BadParameter, match="'a' stands there twice"):
        read_names("a,b,a", "--columns")


def test_structures_by_either_name() -> None:
    assert read_structures("all") == list(ALL)
    assert read_structures("full,tied,vii,VVV") == ["VVV", "EEE", "VII"]
    with pytest.raises(typer.BadParameter, match=r"'VEX' is no structure; there are all, full, tied, .*, VVV"):
        read_structures("full,VEX")


def test_criteria() -> None:
    assert read_criterion("ICL") == "icl"
    with pytest.raises(typer.BadParameter, match="'dic' is none of bic, icl, aic"):
        read_criterion("dic")
