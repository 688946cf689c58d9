"""Parsers of options, and wrong usage."""

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.cli.options import parse_component_counts, parse_criterion, parse_engine, parse_names, parse_structures
from gaussmix.covariance.structure import MCLUST_NAMES


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
    assert parse_component_counts(text) == counts


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 9)), min_size=1))
def test_components_are_the_union_of_their_parts(parts: list[tuple[int, int]]) -> None:
    text = ",".join(f"{low}:{low + more}" for low, more in parts)
    assert parse_component_counts(text) == sorted({n for low, more in parts for n in range(low, low + more + 1)})


@pytest.mark.parametrize("text", ["", "0", "a", "1:", ":3", "3:1", "1,,2", "-1", "1:2:3", "1.5", "1;2", "٣", "9" * 20])
def test_invalid_numbers_of_components(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"give one \(3\), a range \(1:9\) or a list \(1,2,5\)"):
        parse_component_counts(text)


def test_a_range_of_too_many_components() -> None:
    with pytest.raises(typer.BadParameter, match="'1:99999' asks for more than 1000 fits"):
        parse_component_counts("1:99999")


def test_names_are_comma_separated_and_may_be_quoted() -> None:
    assert parse_names("a, b", "--columns") == ["a", "b"]
    assert parse_names('"x, cm",y', "--columns") == ["x, cm", "y"]
    assert parse_names(None, "--columns") is None
    for text in ("", "a,,b", ","):
        with pytest.raises(typer.BadParameter, match="give names separated by commas"):
            parse_names(text, "--columns")
    with pytest.raises(typer.BadParameter, match="'a' appears twice"):
        parse_names("a,b,a", "--columns")


def test_structures_by_mclust_and_sklearn_names() -> None:
    assert parse_structures("all") == list(MCLUST_NAMES)
    assert parse_structures("full,tied,vii,VVV") == ["VVV", "EEE", "VII"]
    with pytest.raises(typer.BadParameter, match=r"'VEX' is not a structure; choose from all, full, tied, .*, VVV"):
        parse_structures("full,VEX")


def test_criteria() -> None:
    assert parse_criterion("ICL") == "icl"
    with pytest.raises(typer.BadParameter, match="'dic' is none of bic, icl, aic"):
        parse_criterion("dic")


def test_engines_by_name() -> None:
    assert [parse_engine(text) for text in ("auto", "NumPy", "compiled")] == ["auto", "numpy", "compiled"]
    with pytest.raises(typer.BadParameter, match="'cuda' is none of auto, numpy, compiled"):
        parse_engine("cuda")
