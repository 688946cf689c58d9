"""Numbers with four significant digits, and tables that fit in the terminal."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.cli.text_formatting import (
    choose_significant_digits,
    format_column_name,
    format_fields,
    format_number,
    format_table,
    replace_noise_by_zero,
)
from gaussmix.errors.text import join_with_and, join_with_commas


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1.000"),
        (2.71828, "2.718"),
        (-80.9, "-80.90"),
        (9.99996, "10.00"),
        (1234.5678, "1235"),
        (123456.7, "123457"),
        (1.5e7, "1.500e+07"),
        (0.00012345, "0.0001234"),
        (0.000012345, "1.234e-05"),
        (1e-300, "1.000e-300"),
    ],
)
def test_numbers_have_four_significant_digits(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("size", "spread", "text"),
    [
        (80.9, 5.8, "80.90"),
        (2003.14, 0.5, "2003.14"),
        (100000001.5, 1.0, "100000001.5"),
        (0.0, 1.0, "0"),
        (7.0, 0.0, "7.000"),
    ],
)
def test_a_mean_far_from_zero_keeps_the_digits_of_its_spread(size: float, spread: float, text: str) -> None:
    assert format_number(size, choose_significant_digits(size, spread)) == text


@given(st.floats(-1e308, 1e308))
def test_a_number_is_shown_to_half_a_unit_of_its_fourth_digit(value: float) -> None:
    assert math.isclose(float(format_number(value)), value, rel_tol=5.001e-4, abs_tol=5e-324)


CELLS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), max_size=12)


@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_tables_fit_in_80_columns(rows: list[list[str]]) -> None:
    from rich.cells import cell_len

    drawn = format_table([str(i) for i in range(len(rows[0]))], rows)
    assert all(cell_len(line) <= 80 for line in drawn.splitlines())
    assert all(cell in drawn for row in rows for cell in row)


def test_tables_align_all_columns_but_the_first_to_the_right() -> None:
    assert format_table(["name", "0", "1"], [["a", "1.5", "20"], ["longer", "3", "4"]]) == (
        "name      0   1\na       1.5  20\nlonger    3   4"
    )


def test_a_wide_table_is_split_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert (
        format_table(["name", "0", "1"], [["a", "123456", "1234567"]])
        == "name       0\na     123456\n\nname        1\na     1234567"
    )


def test_fields_are_wrapped_beside_their_names() -> None:
    drawn = format_fields([("A", "word " * 40), ("Longer", "x")]).splitlines()
    assert drawn[0].startswith("A       word")
    assert drawn[1].startswith("        word")
    assert drawn[-1] == "Longer  x"
    assert max(map(len, drawn)) <= 80


def test_names_are_shown_on_one_short_line() -> None:
    assert format_column_name("two\nlines\x1b[31m") == "two lines [31m"
    assert format_column_name("a" * 99) == "a" * 21 + "..."
    assert join_with_commas([str(i) for i in range(20)], max_names=2) == "0, 1, ... (20 in all)"
    assert join_with_and([str(i) for i in range(20)], max_names=2) == "0, 1, ... (20 in all)"
    assert join_with_and([str(i) for i in range(3)], max_names=3) == "0, 1 and 2"


@pytest.mark.parametrize(
    ("mean", "deviation", "text"),
    [
        (6.6e-7, 0.1, "0"),
        (-6.6e-7, 0.1, "0"),
        (8.5251, 16.0, "8.525"),
        (6.6e-7, 1e-8, "6.600e-07"),
        (5e300, 1e299, "5.000e+300"),
        (2009.0, 0.0, "2009"),
        (3e-320, 1e-321, "3.000e-320"),
    ],
)
def test_a_mean_below_a_thousandth_of_its_deviation_is_zero(mean: float, deviation: float, text: str) -> None:
    assert format_number(replace_noise_by_zero(mean, deviation)) == text
