"""Identifiers are recognised in whole tables and in parts of them; distinct measurements stay."""

import numpy as np
import pytest

from gaussmix.diagnostics.identifier_rules import is_identifier_number, is_identifier_text

SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fraction", [1.0, 0.9, 0.7, 0.3])
def test_a_part_of_row_numbers_in_any_order_identifies_rows(seed: int, fraction: float) -> None:
    numbers = np.random.default_rng(seed).permutation(1000)[: int(1000 * fraction)] + 1.0
    assert is_identifier_number("customer", numbers)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_rows", [10, 30, 100, 300])
def test_distinct_measurements_do_not(seed: int, n_rows: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.lognormal(np.log(n_rows) + 4.0, 1.0, n_rows))  # sparse enough to be distinct by chance
    numbers = np.unique(numbers)[rng.permutation(len(np.unique(numbers)))]
    assert not is_identifier_number("income", numbers)


@pytest.mark.parametrize(
    "name", ["id", "ID", "customer_id", "userID", "Customer Id", "rownames", "index", "row index", "Unnamed: 0"]
)
def test_names_identify_distinct_whole_numbers(name: str) -> None:
    assert is_identifier_number(name, np.array([7.0, 900001.0, 12.0]))
    assert not is_identifier_number(name, np.array([7.0, 7.0, 12.0]))
    assert not is_identifier_number(name, np.array([7.5, 900001.0, 12.0]))


@pytest.mark.parametrize("name", ["paid", "humid", "grid", "liquid", "body_mass_index"])
def test_words_that_end_alike_are_no_identifiers(name: str) -> None:
    assert not is_identifier_number(name, np.array([7.0, 900001.0, 12.0]))


def test_row_numbers_in_order_need_a_few_rows() -> None:
    assert is_identifier_number("n", np.arange(6.0))
    assert not is_identifier_number("n", np.arange(2.0))
    assert not is_identifier_number("n", np.arange(6.0)[::-1])


def test_dense_numbers_that_may_be_years_are_measured() -> None:
    years = np.arange(1960.0, 2020.0)[::-1]
    assert not is_identifier_number("year", years)
    assert is_identifier_number("year", years + 1000.0)


def test_texts_identify_rows_if_all_are_distinct() -> None:
    assert is_identifier_text(np.ones(3, dtype=int))
    assert not is_identifier_text(np.ones(2, dtype=int))
    assert not is_identifier_text(np.array([1, 1, 2]))
