"""Parsers of options, and wrong usage."""

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gaussmix.cli.app import app
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
    with pytest.raises(typer.BadParameter, match=r"give one number \(3\), a range \(1:9\) or a list \(1,2,5\)"):
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3:1", "'3:1' has a range that decreases, '3:1'"),
        ("1:3:2", "has a range of more than two numbers"),
        ("1:1000000000", "contains 1000000000, which is too large"),
        ("1,x", "contains 'x', which is not a whole number"),
        ("0:3", "contains 0, but a mixture has at least one component"),
    ],
)
def test_wrong_numbers_of_components_have_a_reason(text: str, reason: str) -> None:
    with pytest.raises(typer.BadParameter, match=reason):
        parse_component_counts(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "x.csv", "--seed", "x"], "'--seed': 'x' is not a whole number of at least 0"),
        (["fit", "x.csv", "--seed", "-1"], "'-1' is not a whole number of at least 0"),
        (["fit", "x.csv", "--n-starts", "1.5"], "'1.5' is not a whole number of at least 1"),
        (["select", "x.csv", "--top", "0"], "'0' is not a whole number of at least 1"),
        (["sample", "x.safetensors", "-n", "many"], "'many' is not a whole number of at least 1"),
        (["compare", "x.csv", "--tol", "x"], "'x' is not a number of at least 0"),
        (["compare", "x.csv", "--tol", "nan"], "'nan' is not a number of at least 0"),
        (["fit", "x.csv", "--output", ""], "the name is empty; give a name, or leave the option out"),
        (["select", "x.csv", "--output", ""], "the name is empty"),
    ],
)
def test_wrong_values_of_options_are_quoted(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
