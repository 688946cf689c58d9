"""Columns that say the same are encoded once, fill each other's gaps, and are named in a note."""

import numpy as np
import pytest

from gaussmix import DataWarning
from gaussmix.classification import EncodedRows, TableSchema, fit_table_schema
from tests.classification.table.tables import Columns, remove_cells

N_ROWS = 2000
SEEDS = range(3)


def fit(table: Columns) -> TableSchema:
    return fit_table_schema(table, np.arange(N_ROWS) % 2)


def value_of(schema: TableSchema, rows: EncodedRows, name: str) -> np.ndarray:
    position = [column.name for column in schema.numeric].index(name)
    return schema.numeric[position].to_units(rows.numeric[:, position])


def level_of(schema: TableSchema, rows: EncodedRows, name: str) -> np.ndarray:
    position = [column.name for column in schema.categorical].index(name)
    levels = np.array([*schema.categorical[position].levels, None], dtype=object)
    return levels[rows.codes[:, position]]


# -- proportional columns --------------------------------------------------------------------------


def make_calls(seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    minutes = np.round(np.abs(rng.normal(180.0, 50.0, N_ROWS)), 1)
    return {
        "minutes": minutes,
        "charge": np.round(0.17 * minutes, 2),
        "age": np.round(rng.normal(40.0, 9.0, N_ROWS), 1),
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.6])
def test_a_proportional_column_is_merged_and_fills_gaps(seed: int, fraction: float) -> None:
    complete = make_calls(seed)
    table = remove_cells(complete, fraction, seed)
    schema = fit(table)
    assert schema.notes == ("'charge' = 0.17 x 'minutes': merged.",)
    assert [column.name for column in schema.numeric] == ["minutes", "age"]
    assert set(schema.numeric[0].sources) == {"minutes", "charge"}
    assert schema.columns_of("charge").numeric == schema.columns_of("minutes").numeric == (0,)
    found = value_of(schema, schema.encode(table), "minutes")
    is_missing = np.isnan(table["minutes"]) & np.isnan(table["charge"])
    np.testing.assert_array_equal(np.isnan(found), is_missing)
    assert np.abs(found - complete["minutes"])[~is_missing].max() <= 0.05 + 0.005 / 0.17


def test_the_most_precise_column_is_read_first() -> None:
    minutes = np.round(np.abs(np.random.default_rng(0).normal(180.0, 50.0, N_ROWS)), 3)
    table = {"charge": np.round(0.17 * minutes, 1), "minutes": minutes}
    schema = fit(table)
    assert schema.numeric[0].sources == ("minutes", "charge")
    np.testing.assert_allclose(value_of(schema, schema.encode(table), "charge"), 0.17 * minutes, rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_units_with_another_zero_are_merged(seed: int) -> None:
    celsius = np.round(np.random.default_rng(seed).normal(15.0, 8.0, N_ROWS), 1)
    table = remove_cells({"celsius": celsius, "fahrenheit": 32.0 + 1.8 * celsius}, 0.3, seed)
    schema = fit(table)
    assert schema.notes == ("'fahrenheit' = 1.8 x 'celsius' + 32: merged.",)
    found = value_of(schema, schema.encode(table), "celsius")
    np.testing.assert_allclose(found[~np.isnan(found)], celsius[~np.isnan(found)], atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_columns_that_only_correlate_stay(seed: int) -> None:
    table = make_calls(seed)
    table["charge"] = table["charge"] + np.random.default_rng([seed, 2]).normal(0.0, 0.1, N_ROWS)
    assert np.corrcoef(table["charge"], table["minutes"])[0, 1] > 0.999
    schema = fit(table)
    assert schema.notes == ()
    assert len(schema.numeric) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_a_total_is_left_out_and_fills_gaps_of_its_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    day, night = np.round(rng.normal(100.0, 20.0, N_ROWS), 1), np.round(rng.normal(50.0, 20.0, N_ROWS), 1)
    table = {"day": day, "night": night, "total": np.round(day + night, 1)}
    gaps = remove_cells(table, 0.1, seed)
    schema = fit(gaps)
    assert schema.notes == ("'total' = 'day' + 'night': 'total' is left out, and fills gaps of the others.",)
    rows = schema.encode(gaps)
    is_known = (~np.isnan(gaps["day"])) | (~np.isnan(gaps["total"]) & ~np.isnan(gaps["night"]))
    found = value_of(schema, rows, "day")
    np.testing.assert_array_equal(~np.isnan(found), is_known)
    np.testing.assert_allclose(found[is_known], day[is_known], atol=1e-9)
    assert schema.columns_of("total").numeric == (0, 1)


# -- recodings and shared levels -------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_a_recoding_is_merged_and_fills_gaps(seed: int, fraction: float) -> None:
    codes = np.random.default_rng(seed).integers(0, 5, N_ROWS)
    complete = {
        "state": np.array(["Kansas", "Ohio", "Texas", "Iowa", "Utah"], dtype=object)[codes],
        "abbreviation": np.array(["KS", "OH", "TX", "IA", "UT"], dtype=object)[codes],
        "number": np.array([3, 1, 4, 0, 2])[codes],
    }
    table = remove_cells(complete, fraction, seed)
    schema = fit(table)
    assert schema.notes == (
        "'abbreviation' is a recoding of 'state': merged.",
        "'number' is a recoding of 'state': merged.",
    )
    assert schema.n_levels == (5,)
    found = level_of(schema, schema.encode(table), "state")
    is_missing = np.all([[value is None for value in cells] for cells in map(list, table.values())], axis=0)
    np.testing.assert_array_equal(found == complete["state"], ~is_missing)


def make_services(seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    internet = rng.choice(np.array(["DSL", "fibre", "none"], dtype=object), N_ROWS)
    table = {"internet": internet}
    for name in ("security", "backup", "support"):
        table[name] = np.where(internet == "none", "no internet", rng.choice(["no", "yes"], N_ROWS)).astype(object)
    return table


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_levels_that_coincide_are_encoded_once(seed: int, fraction: float) -> None:
    complete = make_services(seed)
    table = remove_cells(complete, fraction, seed)
    schema = fit(table)
    assert schema.notes == (
        "'internet' is 'none' exactly where 'security' is 'no internet', 'backup' is 'no internet' and 'support' is "
        "'no internet': encoded once, and each fills the gaps of the others.",
    )
    names = ["internet is 'none'", "internet", "security", "backup", "support"]
    assert [column.name for column in schema.categorical] == names
    assert schema.n_levels == (2, 2, 2, 2, 2)
    rows = schema.encode(table)
    has_none = level_of(schema, rows, "internet is 'none'")
    is_missing = np.all([[value is None for value in cells] for cells in table.values()], axis=0)
    np.testing.assert_array_equal(has_none == (complete["internet"] == "none"), ~is_missing)
    security = level_of(schema, rows, "security")
    is_known = np.isin(table["security"].astype(str), ["no", "yes"])
    np.testing.assert_array_equal(security[is_known], table["security"][is_known])
    assert all(value is None for value in security[~is_known])
    assert schema.columns_of("backup").categorical == (0, 3)


def test_a_column_of_two_levels_is_the_shared_column_itself() -> None:
    rng = np.random.default_rng(0)
    phone = rng.integers(0, 2, N_ROWS)
    lines = np.where(phone == 0, "no phone", rng.choice(["one", "several"], N_ROWS)).astype(object)
    schema = fit({"lines": lines, "phone": phone})
    assert [(column.name, column.levels) for column in schema.categorical] == [
        ("phone", (0, 1)),
        ("lines", ("one", "several")),
    ]
    rows = schema.encode({"lines": np.array(["no phone", "one", None], dtype=object), "phone": [None, None, 1]})
    np.testing.assert_array_equal(rows.codes, [[0, -1], [1, 0], [1, -1]])


@pytest.mark.parametrize(("n_exceptions", "is_shared"), [(0, True), (1, True), (20, False)])
def test_one_exception_in_a_thousand_rows_is_a_slip(n_exceptions: int, is_shared: bool) -> None:
    table = make_services(0)
    none = np.resize(table["internet"] == "none", 6000)
    table = {name: np.resize(cells, 6000) for name, cells in table.items()}
    table["internet"][np.flatnonzero(none)[:n_exceptions]] = "DSL"
    schema = fit_table_schema({key: table[key] for key in ("internet", "security")}, np.arange(6000) % 2)
    assert (len(schema.categorical) == 3) is is_shared


@pytest.mark.parametrize("seed", SEEDS)
def test_independent_categories_stay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = {f"c{j}": rng.integers(0, 2 + j, N_ROWS).astype(str).astype(object) for j in range(6)}
    table |= {"rare": np.where(np.arange(N_ROWS) < 10, "a", "b"), "same": np.where(np.arange(N_ROWS) < 10, "c", "d")}
    table = {name: np.array([f"v{value}" for value in cells], dtype=object) for name, cells in table.items()}
    schema = fit(table)
    assert schema.notes == ()  # ten rows in which two rare levels agree prove nothing
    assert schema.n_levels == (2, 3, 4, 5, 6, 7, 2, 2)


# -- values that stand for themselves --------------------------------------------------------------


def make_messages(seed: int) -> Columns:
    rng = np.random.default_rng(seed)
    plan = rng.choice(np.array(["yes", "no"], dtype=object), N_ROWS, p=[0.3, 0.7])
    messages = np.where(plan == "no", 0.0, np.maximum(1.0, np.round(rng.normal(30.0, 8.0, N_ROWS))))
    return {"messages": messages, "plan": plan}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_a_zero_that_a_category_shares_is_its_level(seed: int, fraction: float) -> None:
    complete = make_messages(seed)
    table = remove_cells(complete, fraction, seed)
    schema = fit(table)
    assert schema.notes[0].startswith("'plan' is 'no' exactly where 'messages' is 0: encoded once")
    assert schema.numeric[0].points == (0.0,)
    rows = schema.encode(table)
    numbers, plan = value_of(schema, rows, "messages"), level_of(schema, rows, "plan")
    has_number = table["messages"] > 0
    np.testing.assert_allclose(numbers[has_number], table["messages"][has_number])
    assert np.isnan(numbers[~has_number]).all()
    is_missing = np.isnan(table["messages"]) & np.array([value is None for value in table["plan"]])
    np.testing.assert_array_equal(plan == complete["plan"], ~is_missing)
    assert schema.columns_of("messages") == ((0,), (0,))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("value", [0.0, -1.0, 999.0])
def test_a_point_mass_without_a_category_becomes_one(seed: int, value: float) -> None:
    rng = np.random.default_rng(seed)
    balance = np.where(rng.random(N_ROWS) < 0.25, value, np.round(rng.normal(500.0, 150.0, N_ROWS), 2))
    schema = fit({"balance": balance})
    percent = 100 * np.mean(balance == value)
    text = f"'balance' is {value:g} in {percent:.0f} % of its rows: encoded as a category, and not among its numbers."
    assert schema.notes == (text,)
    assert schema.categorical[0].name == f"balance is {value:g}"
    rows = schema.encode({"balance": [value, 400.0, np.nan]})
    np.testing.assert_array_equal(rows.codes, [[1], [0], [-1]])
    np.testing.assert_array_equal(np.isnan(rows.numeric[:, 0]), [True, False, True])


@pytest.mark.parametrize("seed", SEEDS)
def test_rounded_measurements_and_counts_have_no_point_mass(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = {
        "rounded": np.round(rng.normal(0.0, 5.0, N_ROWS)),
        "counts": rng.poisson(4.0, N_ROWS) * 1.0,
        "two groups": np.round(np.concatenate([rng.normal(0.0, 1.0, 1000), rng.normal(50.0, 1.0, 1000)]), 1),
    }
    assert fit(table).categorical == ()


def test_a_shared_zero_of_proportional_columns_is_one_category() -> None:
    minutes = make_messages(0)["messages"] + 0.0
    table = {"minutes": minutes, "charge": np.round(0.25 * minutes, 2)}
    schema = fit(table)
    assert [column.name for column in schema.categorical] == ["minutes is 0"]
    rows = schema.encode({"minutes": [np.nan, np.nan], "charge": [0.0, 5.0]})
    np.testing.assert_array_equal(rows.codes, [[1], [0]])
    np.testing.assert_allclose(value_of(schema, rows, "minutes"), [np.nan, 20.0])


# -- contradictions --------------------------------------------------------------------------------


def test_columns_that_no_longer_agree_are_named() -> None:
    table = make_calls(0)
    schema = fit(table)
    message = (
        "'charge' and 'minutes' determined each other in the fit, but disagree in 1 of 2 rows .* is row 1, counted"
    )
    with pytest.warns(DataWarning, match=message):
        rows = schema.encode({"minutes": [100.0, 100.0], "charge": [17.0, 20.0], "age": [40.0, 40.0]})
    np.testing.assert_allclose(value_of(schema, rows, "minutes"), [100.0, 20.0 / 0.17])


@pytest.mark.parametrize("seed", SEEDS)
def test_new_rows_that_round_alike_are_no_contradiction(seed: int) -> None:
    schema = fit(make_calls(seed))
    schema.encode(make_calls(seed + 100))  # a warning would be an error
    day = np.round(np.random.default_rng(seed).normal(100.0, 20.0, N_ROWS), 1)
    night = np.round(np.random.default_rng(seed + 10).normal(50.0, 20.0, N_ROWS), 1)
    total = fit({"day": day, "night": night, "total": day + night})
    total.encode({"day": [1.1, 90.7], "night": [2.2, 0.1], "total": [3.3, 90.8]})
    with pytest.warns(DataWarning, match="'day', 'total' and 'night' determined each other in the fit, but disagree"):
        total.encode({"day": [1.1], "night": [2.2], "total": [5.0]})


@pytest.mark.parametrize("seed", SEEDS)
def test_zeros_that_two_numbers_share_are_one_category(seed: int) -> None:
    rng = np.random.default_rng(seed)
    has_loan = rng.random(N_ROWS) < 0.4
    table = {
        "debt": np.where(has_loan, np.round(rng.lognormal(8.0, 1.0, N_ROWS)), 0.0),
        "months": np.where(has_loan, np.round(rng.uniform(1.0, 300.0, N_ROWS)), 0.0),
    }
    schema = fit(table)
    assert (
        schema.notes[0]
        == "'debt' is 0 exactly where 'months' is 0: encoded once, and each fills the gaps of the others."
    )
    assert [column.sources for column in schema.categorical] == [("debt", "months")]
    rows = schema.encode({"debt": [0.0, np.nan, np.nan], "months": [np.nan, 12.0, np.nan]})
    np.testing.assert_array_equal(rows.codes, [[1], [0], [-1]])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_value_that_is_only_the_most_frequent_one_is_no_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grade = rng.integers(0, 30, N_ROWS)
    rate = 5.0 + 0.35 * grade  # each grade has its rate
    schema = fit({"grade": np.array([f"G{g}" for g in grade], dtype=object), "rate": rate})
    assert schema.notes == ()
    assert schema.n_levels == (30,)
