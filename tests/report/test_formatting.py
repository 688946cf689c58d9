"""Formatted numbers keep their significant digits at any magnitude."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix.errors.text import join_with_and, join_with_or, pluralize
from gaussmix.plots.canvas import format_count
from gaussmix.report.formatting import (
    format_decimals,
    format_means_with_deviations,
    format_number,
    format_percent,
    format_score,
)


def parse_number(text: str) -> float:
    return float(text.replace("\u202f", "").replace("\N{MINUS SIGN}", "-"))


@given(st.floats(-1e300, 1e300))
def test_a_number_keeps_four_digits(value: float) -> None:
    assert parse_number(format_number(value)) == pytest.approx(value, rel=5.1e-4, abs=1e-320)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (2.0361, "2.036"),
        (-2.0361, "\N{MINUS SIGN}2.036"),
        (12345.6, "12\u202f346"),
        (1.2345e-150, "1.234e-150".replace("-", "\N{MINUS SIGN}")),
        (1.2e108, "1.200e108"),
        (0.00012, "1.200e\N{MINUS SIGN}4"),
        (math.inf, "inf"),
        (None, ""),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert format_number(value) == text


def test_digits_and_decimals_are_parameters() -> None:
    assert format_number(2.0361, 2) == "2.0"
    assert format_decimals(1234.567, 1) == "1\u202f234.6"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(None, ""), (0.0, "0.0 %"), (1e-9, "< 0.1 %"), (0.9999, "> 99.9 %"), (1.0, "100.0 %"), (0.356, "35.6 %")],
)
def test_percent(fraction: float | None, text: str) -> None:
    assert format_percent(fraction).replace("\u202f", " ") == text


def test_percent_without_decimals() -> None:
    assert format_percent(0.95, 0) == "95\u202f%"


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 10.0)), min_size=1, max_size=5),
    st.floats(-140, 140),
)
def test_mean_and_deviation_keep_their_digits_in_any_unit(pairs: list[tuple[float, float]], power: float) -> None:
    scale = 10.0**power
    texts, exponent = format_means_with_deviations([m * scale for m, _ in pairs], [s * scale for _, s in pairs])
    median_deviation = sorted(s for _, s in pairs)[len(pairs) // 2]
    for text, (mean, deviation_over_scale) in zip(texts, pairs, strict=True):
        written_mean, written_deviation = (parse_number(part) * 10.0**exponent for part in text.split(" ± "))
        assert written_mean == pytest.approx(mean * scale, abs=0.006 * median_deviation * scale)
        assert written_deviation == pytest.approx(
            deviation_over_scale * scale, abs=0.06 * deviation_over_scale * scale + 0.006 * median_deviation * scale
        )


def test_decimals_are_equal_so_that_columns_align() -> None:
    texts, exponent = format_means_with_deviations([54.491, 7.4], [5.803, 5.803])
    assert (texts, exponent) == (["54.49 ± 5.80", "7.40 ± 5.80"], 0)


def test_means_far_from_zero_remain_distinct() -> None:
    texts, _ = format_means_with_deviations([1e8 + 1.25, 1e8 + 3.5], [1.0, 1.0])
    assert texts == ["100\u202f000\u202f001.25 ± 1.00", "100\u202f000\u202f003.50 ± 1.00"]


def test_tiny_values_share_a_power_of_ten() -> None:
    texts, exponent = format_means_with_deviations([4.016e-150, 5.709e-150], [4.28e-151, 4.28e-151])
    assert (texts, exponent) == (["4.016 ± 0.428", "5.709 ± 0.428"], -150)


def test_a_tiny_deviation_is_not_written_as_zero() -> None:
    texts, _ = format_means_with_deviations([1.0, 2.0], [1e-9, 3.0])
    assert re.fullmatch(r"1.00 ± 1.0e.9", texts[0])
    assert format_means_with_deviations([1.0], [0.0])[0] == ["1.00 ± 0.00"]


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_join_with_and(names: list[str], text: str) -> None:
    assert join_with_and(names, max_names=None) == text


@pytest.mark.parametrize("value", [-0.001, -0.0, 0.001])
def test_values_that_round_to_zero_have_no_sign(value: float) -> None:
    assert format_decimals(value, 2) == "0.00"
    assert format_number(-0.0) == "0.000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0.00"),
        (-1234.567, "\N{MINUS SIGN}1\u202f234.57"),
        (-0.01, "\N{MINUS SIGN}0.01"),
        (2.853e303, "2.853000e303"),
        (-1.5e-297, "\N{MINUS SIGN}1.500e\N{MINUS SIGN}297"),
    ],
)
def test_scores_of_any_size(value: float | None, text: str) -> None:
    assert format_score(value) == text


def test_plural() -> None:
    assert pluralize("component", 1) == "component"
    assert pluralize("component", 2) == "components"
    assert [format_count(1, "pass"), format_count(2, "pass"), format_count(1000, "row")] == [
        "1 pass",
        "2 passes",
        "1\u202f000 rows",
    ]


@pytest.mark.parametrize(("names", "text"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")])
def test_join_with_or(names: list[str], text: str) -> None:
    assert join_with_or(names) == text


def test_many_alternatives_are_counted() -> None:
    assert join_with_or([str(i) for i in range(14)]).endswith(", 11, ... (14 in all)")
