"""A column that is the target in disguise is an error; one that only looks like it in few rows is none."""

import numpy as np
import pytest

from gaussmix.classification import fit_table_schema
from gaussmix.errors import TargetLeakError
from tests.classification.table.tables import make_customers

CUSTOMERS, TARGET = make_customers()


@pytest.mark.parametrize(
    "leak",
    [
        np.where(TARGET, "gone", "here").astype(object),
        TARGET,
        TARGET * 2.0,
        np.where(TARGET, np.arange(600) % 3, 3 + np.arange(600) % 2),
        np.where(np.arange(600) % 5 == 0, np.nan, TARGET),
    ],
    ids=["text", "flag", "number", "levels", "gaps"],
)
def test_levels_that_determine_the_class_are_refused(leak: np.ndarray) -> None:
    with pytest.raises(
        TargetLeakError,
        match=r"column 'leak' is the target in disguise: each of its .* X.drop\(columns=\['leak'\]\) or --drop leak$",
    ):
        fit_table_schema({**CUSTOMERS, "leak": leak}, TARGET)


def test_cuts_that_determine_the_class_are_refused() -> None:
    leak = np.random.default_rng(0).uniform(0.0, 1.0, 600) + 1.5 * TARGET
    with pytest.raises(
        TargetLeakError, match=r"column 'leak' is the target .* whether it is below 1.5.* --drop leak; if it is a meas"
    ):
        fit_table_schema({**CUSTOMERS, "leak": leak}, TARGET)
    with pytest.raises(TargetLeakError, match="column 'leak'"):
        fit_table_schema({**CUSTOMERS, "leak": -leak}, TARGET)


def test_three_classes_are_separated_by_two_cuts() -> None:
    target = np.arange(600) % 3
    leak = np.random.default_rng(0).uniform(0.0, 1.0, 600) + 1.5 * np.array([2, 0, 1])[target]
    with pytest.raises(TargetLeakError, match="column 'leak'"):
        fit_table_schema({**CUSTOMERS, "leak": leak}, target)


def test_a_column_with_values_in_one_class_only_is_refused() -> None:
    reason = np.where(TARGET, np.resize(["price", "moved", "service"], 600), "").astype(object)
    reason[::4] = ""
    with pytest.raises(
        TargetLeakError,
        match=r"column 'exit reason' .* all \d+ rows in which it has a value are of one class.* --drop 'exit reason'",
    ):
        fit_table_schema({**CUSTOMERS, "exit reason": reason}, TARGET)


def test_one_exception_clears_a_column() -> None:
    flag = TARGET.copy()
    flag[0] = 1 - flag[0]
    fit_table_schema({**CUSTOMERS, "flag": flag}, TARGET)
    reason = np.where(TARGET, np.resize(["price", "moved"], 600), "").astype(object)
    reason[np.flatnonzero(TARGET == 0)[0]] = "moved"
    fit_table_schema({**CUSTOMERS, "reason": reason}, TARGET)


@pytest.mark.parametrize("seed", range(5))
def test_a_few_rows_prove_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = np.arange(10) % 2
    fit_table_schema({"price": rng.normal(size=10), "flag": target}, target)


@pytest.mark.parametrize("seed", range(5))
def test_many_levels_of_single_rows_prove_nothing(seed: int) -> None:
    cells = np.random.default_rng(seed).permutation(300).repeat(2).astype(str).astype(object)
    fit_table_schema({**CUSTOMERS, "pair": cells}, np.arange(300).repeat(2) % 2)


def test_measurements_in_small_tables_and_in_arrays_may_separate_classes(iris: tuple[np.ndarray, np.ndarray]) -> None:
    rows, species = iris
    two = species < 2
    table = {f"x{j}": rows[two, j] for j in range(4)}
    fit_table_schema(table, species[two])
    separated = np.random.default_rng(0).uniform(0.0, 1.0, (600, 1)) + 2.0 * TARGET[:, None]
    fit_table_schema(separated, TARGET)
