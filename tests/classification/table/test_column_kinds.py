"""Which columns are numbers and categories, which are left out, and what the notes say."""

import numpy as np
import pandas as pd
import pytest

from gaussmix import ParameterError
from gaussmix.classification import TableSchema, fit_table_schema
from gaussmix.errors import ColumnNameError
from tests.classification.table.tables import make_customers

CUSTOMERS, TARGET = make_customers()
N_ROWS = len(TARGET)
RNG = np.random.default_rng(1)


def fit(**columns: object) -> TableSchema:
    return fit_table_schema({"price": CUSTOMERS["price"], **columns}, TARGET)


def names(schema: TableSchema) -> tuple[list[str], list[str]]:
    return [column.name for column in schema.numeric], [column.name for column in schema.categorical]


@pytest.mark.parametrize(("n_values", "is_category"), [(2, True), (12, True), (13, False)])
def test_columns_of_at_most_twelve_whole_numbers_are_categories(n_values: int, is_category: bool) -> None:
    counts = np.resize(np.arange(n_values), N_ROWS) * 3 - 5
    for cells in (counts, counts.astype(float), np.where(np.arange(N_ROWS) % 11 == 0, np.nan, counts)):
        numeric, categorical = names(fit(count=cells))
        assert ("count" in categorical) is is_category
        assert ("count" in numeric) is not is_category


def test_levels_of_whole_numbers_are_integers() -> None:
    schema = fit(count=np.where(np.arange(N_ROWS) % 11 == 0, np.nan, np.arange(N_ROWS) % 3))
    assert schema.categorical[0].levels == (0, 1, 2)
    assert all(type(level) is int for level in schema.categorical[0].levels)


def test_few_numbers_that_are_not_whole_are_numeric() -> None:
    assert names(fit(rate=np.resize([0.1, 0.25, 0.4], N_ROWS)))[0] == ["price", "rate"]


def test_the_parameter_categorical_names_numeric_categories() -> None:
    table = {key: CUSTOMERS[key] for key in ("price", "calls", "paperless")} | {
        "visits": np.resize(np.arange(20), N_ROWS)
    }
    schemas = {
        key: fit_table_schema(table, TARGET, categorical=value)
        for key, value in {"auto": "auto", "none": None, "empty": (), "name": ["visits"], "position": [3]}.items()
    }
    assert names(schemas["auto"]) == (["price", "visits"], ["calls", "paperless"])
    assert names(schemas["none"]) == (["price", "calls", "visits"], ["paperless"])
    assert names(schemas["empty"]) == names(schemas["auto"])
    assert names(schemas["name"]) == names(schemas["position"]) == (["price"], ["calls", "paperless", "visits"])


def test_a_named_column_changes_no_other_one() -> None:
    table = {"calls": CUSTOMERS["calls"], "flag": np.resize([0, 1], N_ROWS), "region": np.resize(np.arange(9), N_ROWS)}
    automatic, named = (fit_table_schema(table, TARGET, categorical=each) for each in ("auto", ["region"]))
    assert [column.name for column in named.readers if column.ordered] == ["calls", "flag"]
    assert [column.name for column in automatic.readers if column.ordered] == ["calls", "flag", "region"]
    for first, second in zip(automatic.categorical[:2], named.categorical[:2], strict=True):
        assert first.levels == second.levels
    array = np.column_stack(list(table.values()))
    schema = fit_table_schema(array, TARGET, categorical=[2])
    assert (len(schema.numeric), len(schema.categorical)) == (2, 1), "in an array the list is complete"


@pytest.mark.parametrize(
    ("categorical", "error", "message"),
    [
        ("calls", ParameterError, "categorical must be 'auto', a list of names or positions of columns, or None"),
        (3, ParameterError, "categorical must be 'auto'"),
        (["cals"], ColumnNameError, r"no column named 'cals' \(did you mean 'calls'\?\)"),
        ([5], ParameterError, "a column of categorical must be a name or a position up to 4, but is 5"),
        ([True], ParameterError, "a column of categorical must be a name or a position up to 4, but is True"),
    ],
)
def test_categorical_that_names_no_column_is_refused(categorical: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit_table_schema(CUSTOMERS, TARGET, categorical=categorical)  # type: ignore[arg-type]


LEFT_OUT = {
    "is 3 in every row": np.full(N_ROWS, 3.0),
    "is 'x' in every row": np.full(N_ROWS, "x", dtype=object),
    "has no values": np.full(N_ROWS, np.nan),
    "identifies the rows": np.array([f"C-{i}" for i in range(N_ROWS)], dtype=object),
    "has 200 values, most of its rows one that fewer than 5 rows have,": np.array(
        [f"street {i % 200}" for i in range(N_ROWS)], dtype=object
    ),
    "has 60 values, more than the square root of its 600 rows,": np.array(
        [f"town {i % 60}" for i in range(N_ROWS)], dtype=object
    ),
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_columns_that_say_nothing_are_left_out_with_a_note(reason: str) -> None:
    schema = fit(other=LEFT_OUT[reason])
    assert schema.notes == (f"'other' {reason} and is left out.",)
    assert names(schema) == (["price"], [])
    schema.encode({"price": CUSTOMERS["price"]})  # needs no column that is left out


def test_row_numbers_are_left_out_of_parts_with_gaps() -> None:
    frame = pd.DataFrame({"price": CUSTOMERS["price"], "rownames": np.arange(N_ROWS) + 1.0})
    frame.loc[RNG.random(N_ROWS) < 0.3, "rownames"] = np.nan
    part = RNG.permutation(N_ROWS)[:500]
    schema = fit_table_schema(frame.iloc[part], TARGET[part])
    assert schema.notes == ("'rownames' identifies the rows and is left out.",)


def test_columns_of_an_array_never_identify_rows() -> None:
    rows = np.column_stack([CUSTOMERS["price"], np.arange(N_ROWS)])
    assert len(fit_table_schema(rows, TARGET).numeric) == 2


def test_the_target_column_is_left_out() -> None:
    table = {"price": CUSTOMERS["price"], "churn": TARGET}
    schema = fit_table_schema(table, TARGET, target_name="churn")
    assert schema.notes == ("'churn' is the target and is left out.",)


def test_rare_levels_become_one_level() -> None:
    plan = np.array(["basic"] * 595 + ["gold", "gold", "tin", "tin", "zinc"], dtype=object)
    schema = fit(plan=plan)
    assert schema.categorical[0].levels == ("basic", "other")
    assert schema.notes == ("'plan': 3 values in fewer than 5 rows each are merged into 'other'.",)
    np.testing.assert_array_equal(schema.encode({"price": CUSTOMERS["price"], "plan": plan}).codes[595:, 0], 1)


def test_one_rare_level_stays_and_a_level_named_other_is_no_other() -> None:
    assert fit(plan=np.array(["a"] * 300 + ["b"] * 299 + ["c"], dtype=object)).n_levels == (3,)
    plan = np.array(["other"] * 300 + ["b"] * 298 + ["c", "d"], dtype=object)
    assert fit(plan=plan).categorical[0].levels == ("b", "other", "other values")


def test_categories_that_a_user_names_may_have_many_levels() -> None:
    table = {"price": CUSTOMERS["price"], "shop": np.resize(np.arange(60), N_ROWS)}
    assert fit_table_schema(table, TARGET, categorical=["shop"]).n_levels == (60,)
