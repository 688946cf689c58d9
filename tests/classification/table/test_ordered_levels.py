"""Columns of few whole numbers are ordered: rare ones join their neighbours, unknown ones are read as the nearest."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gaussmix import DataWarning
from gaussmix.classification import MixtureClassifier, TableSchema, fit_table_schema
from gaussmix.classification.table.ordered_levels import find_level_starts
from tests.classification.table.tables import Columns, assert_equal_rows

SEEDS = range(3)
COUNTS = {0: 500, 1: 300, 2: 100, 3: 40, 5: 11, 6: 4, 9: 5}  # '5 or more' has 20 rows


def make_column(counts: dict[int, int] = COUNTS, seed: int = 0) -> np.ndarray:
    """Return shuffled numbers, each in so many rows."""
    return np.random.default_rng(seed).permutation(np.repeat(list(counts), list(counts.values())))


def fit(table: Columns, **options: Any) -> TableSchema:
    n_rows = len(next(iter(table.values())))
    return fit_table_schema(table, np.arange(n_rows) % 2, **options)


def code_of(schema: TableSchema, cells: Any, name: str = "calls") -> list[int]:
    """Return the code of each cell in the encoded column of the same name."""
    position = [column.name for column in schema.categorical].index(name)
    return schema.encode({name: cells}).codes[:, position].tolist()


SCHEMA = fit({"calls": make_column()})


# -- which levels are joined -----------------------------------------------------------------------

NUMBERS = st.lists(st.integers(-20, 20), min_size=1, max_size=12, unique=True).map(sorted)
ROWS = st.lists(st.one_of(st.integers(1, 30), st.integers(1, 3000)), min_size=12, max_size=12)


@given(NUMBERS, ROWS)
def test_no_level_is_rare_unless_two_are_left(numbers: list[int], rows: list[int]) -> None:
    counts = np.array(rows[: len(numbers)])
    starts = find_level_starts(numbers, counts)
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    sizes = np.add.reduceat(counts, starts)
    minimum = max(5, min(20, 0.05 * counts.sum()))
    assert len(starts) >= min(2, len(numbers))
    assert len(starts) <= 2 or sizes.min() >= minimum
    assert len(starts) == len(numbers) or counts.min() < minimum


@given(NUMBERS, ROWS, st.integers(1, 1000), st.integers(-1000, 1000))
def test_units_and_offsets_change_no_level(numbers: list[int], rows: list[int], scale: int, offset: int) -> None:
    counts = np.array(rows[: len(numbers)])
    moved = [scale * number + offset for number in numbers]
    assert find_level_starts(moved, counts) == find_level_starts(numbers, counts)


@given(NUMBERS, ROWS)
def test_the_other_direction_joins_the_same_levels(numbers: list[int], rows: list[int]) -> None:
    counts = np.array(rows[: len(numbers)])
    gaps = np.diff(numbers).tolist()
    assume(len(set(counts.tolist())) == len(counts) and len(set(gaps)) == len(gaps))  # else ties
    starts = find_level_starts(numbers, counts)
    mirrored = find_level_starts([-number for number in reversed(numbers)], counts[::-1])
    sums = [sum(counts[a:b]) for a, b in zip(starts, [*starts[1:], len(counts)], strict=True)]
    assume(len(set(sums)) == len(sums))
    sizes = np.add.reduceat(counts[::-1], mirrored).tolist()
    assert sizes == sums[::-1]


@pytest.mark.parametrize(
    ("numbers", "counts", "starts"),
    [
        ([0, 1, 2, 3], [900, 60, 21, 20], [0, 1, 2, 3]),
        ([0, 1, 2, 3], [900, 60, 21, 19], [0, 1, 2]),
        ([0, 1, 2, 9], [900, 60, 19, 400], [0, 1, 3]),  # nearer to 1 than to 9
        ([0, 8, 9, 10], [900, 60, 19, 400], [0, 1, 3]),  # equally near to 8 and 10; 8 has fewer rows
        ([0, 1, 2, 3], [10, 300, 300, 300], [0, 2, 3]),
        ([0, 1], [900, 1], [0, 1]),
        ([0, 1, 2], [900, 3, 2], [0, 1]),
        ([0, 1, 2], [30, 20, 5], [0, 1, 2]),  # of 55 rows, 5 are not rare
        ([0, 1, 2], [30, 20, 4], [0, 1]),
    ],
)
def test_rare_levels_join_the_nearest(numbers: list[int], counts: list[int], starts: list[int]) -> None:
    assert find_level_starts(numbers, np.array(counts)) == starts


def test_joined_levels_are_named_in_a_note() -> None:
    assert SCHEMA.categorical[0].levels == (0, 1, 2, 3, "5 or more")
    assert SCHEMA.notes == ("'calls': numbers in few rows are joined with their neighbours: '5 or more'.",)
    both = fit({"calls": make_column({-9: 3, -2: 17, 0: 900, 3: 5, 4: 15, 8: 50})})
    assert both.categorical[0].levels == ("-2 or less", 0, "3 to 4", 8)
    assert both.notes[0].endswith("with their neighbours: '-2 or less' and '3 to 4'.")


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert fit({"calls": make_column(seed=1)}).to_json() == SCHEMA.to_json()


def test_the_reader_keeps_the_numbers() -> None:
    (reader,) = SCHEMA.readers
    assert reader.values == tuple(COUNTS)
    assert reader.levels == (0, 1, 2, 3, "5 or more")


def test_numbers_of_a_named_column_are_codes() -> None:
    schema = fit({"calls": make_column(COUNTS | {7: 4})}, categorical=["calls"])
    assert schema.categorical[0].levels == (0, 1, 2, 3, 5, 9, "other")
    with pytest.warns(DataWarning, match="categories that the fit has not seen count as missing"):
        assert code_of(schema, [11, 8]) == [-1, -1]


def test_recodings_of_text_are_not_ordered() -> None:
    numbers = make_column()
    texts = np.array([f"v{number}" for number in numbers], dtype=object)
    schema = fit({"calls": numbers, "text": texts})
    assert schema.n_levels == (7,)
    assert not any("neighbours" in note for note in schema.notes)
    assert schema.encode({"calls": [9, None], "text": [None, "v9"]}).codes.tolist() == [[6], [6]]


def test_a_level_without_the_smallest_number_is_closed() -> None:
    """Zero is shared with a text and a column of its own, so that '2 or less' would be wrong."""
    numbers = make_column({0: 300, 1: 3, 2: 17, 3: 300, 4: 300})
    plan = np.where(numbers == 0, "none", np.where(np.arange(len(numbers)) % 2 == 0, "a", "b")).astype(object)
    schema = fit({"calls": numbers, "plan": plan})
    assert [column.levels for column in schema.categorical if column.name == "calls"] == [("1 to 2", 3, 4)]
    assert next(reader.levels for reader in schema.readers if reader.name == "calls") == (0, "1 to 2", 3, 4)
    rows = schema.encode({"calls": [0, 1, 2, 3], "plan": ["none", "a", "a", "b"]})
    position = [column.name for column in schema.categorical].index("calls")
    assert rows.codes[:, position].tolist() == [-1, 0, 0, 1]


# -- unknown numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "nearest"), [(11, 9), (1e9, 9), (-3, 0), (4, 3), (2.4, 2), (2.6, 3), (2.5, 2), (7, 6), (1e300, 9)]
)
@pytest.mark.parametrize("make", [list, lambda cells: np.array(cells, dtype=object), lambda cells: [*map(str, cells)]])
def test_an_unknown_number_is_read_as_the_nearest(number: float, nearest: int, make: Any) -> None:
    with pytest.warns(DataWarning, match="numbers that the fit has not seen are read as the nearest ones"):
        found = code_of(SCHEMA, make([number]))
    assert found == code_of(SCHEMA, [nearest])


@given(st.floats(-50.0, 50.0))
def test_no_known_number_is_nearer(number: float) -> None:
    (reader,) = SCHEMA.readers
    assert reader.ordered is not None
    distances = [abs(number - known) for known in reader.values]
    nearest = {reader.ordered.find_level(known) for known in np.array(reader.values)[distances == np.min(distances)]}
    assert reader.ordered.find_level(number) in nearest


def test_every_known_number_has_its_level() -> None:
    assert code_of(SCHEMA, list(COUNTS)) == [0, 1, 2, 3, 4, 4, 4]


@pytest.mark.parametrize("cells", [[np.nan, 1.0], np.array([None, 1], dtype=object), np.array(["", "1"], dtype=object)])
def test_a_missing_cell_stays_missing(cells: Any) -> None:
    assert code_of(SCHEMA, cells) == [-1, 1]


@pytest.mark.parametrize("cell", [np.inf, -np.inf, "many", "inf"])
def test_text_and_infinity_count_as_missing(cell: Any) -> None:
    with pytest.warns(DataWarning, match="categories that the fit has not seen count as missing: column 'calls'"):
        assert code_of(SCHEMA, np.array([cell, 1], dtype=object)) == [-1, 1]


def test_the_name_of_a_level_is_read_as_the_level() -> None:
    assert code_of(SCHEMA, np.array(["5 or more", "3"], dtype=object)) == [4, 3]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([11, 10, 11], "column 'calls' holds 10, 11 in 3 rows, more than the 9 of the fit: read as 5 or more"),
        ([-1], "column 'calls' holds -1 in 1 row, less than the 0 of the fit: read as 0"),
        ([1.25, 1], "column 'calls' holds 1.25 in 1 row, between those of the fit: read as 1"),
        (
            [7, 12],
            "column 'calls' holds 7 in 1 row, between those of the fit: read as 5 or more; column 'calls' holds 12 in "
            "1 row, more than the 9 of the fit: read as 5 or more",
        ),
        (range(20, 30), "holds 20, 21, 22, 23, 24, ... (10 in all) in 10 rows, more than the 9 of the fit"),
        (["11", "11.0", "x"], "column 'calls' holds 11 in 2 rows, more than the 9 of the fit: read as 5 or more"),
    ],
)
def test_a_warning_says_what_unknown_numbers_are_read_as(cells: Any, text: str) -> None:
    with pytest.warns(DataWarning) as caught:
        SCHEMA.encode({"calls": np.array([*cells], dtype=object) if "x" in cells else [*cells]})
    messages = [str(warning.message) for warning in caught]
    assert any(text in message for message in messages)


def test_one_warning_names_all_columns() -> None:
    schema = fit({"calls": make_column(), "lines": make_column({1: 600, 2: 360}, 1)})
    text = "read as 5 or more; column 'lines' holds 3 in 2 rows, more than the 2 of the fit: read as 2"
    with pytest.warns(DataWarning, match=text) as caught:
        schema.encode({"calls": [0, 11], "lines": [3, 3]})
    assert len(caught) == 1


# -- files -----------------------------------------------------------------------------------------


def test_json_keeps_levels() -> None:
    restored = TableSchema.from_json(SCHEMA.to_json())
    assert restored.to_json() == SCHEMA.to_json()
    assert restored.readers == SCHEMA.readers
    with pytest.warns(DataWarning, match=re.escape("read as 5 or more")):
        assert_equal_rows(restored.encode({"calls": [0, 9, 11]}), SCHEMA.encode({"calls": [0, 9, 9]}))


# -- probabilities ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_tail_of_a_count_is_as_monotone_as_its_truth(seed: int) -> None:
    """The rate rises with the count: a number beyond those of the fit must not get the average."""
    rng = np.random.default_rng(seed)
    complaints, price = rng.poisson(1.0, 2000), rng.normal(size=2000)
    has_left = rng.random(2000) < 1.0 / (1.0 + np.exp(1.7 - 0.8 * complaints - price))
    frame = pd.DataFrame({"complaints": complaints, "price": price})
    classifier = MixtureClassifier(n_components=1, method="generative", calibration=None, random_state=0)
    classifier.fit(frame, has_left)
    new = pd.DataFrame({"complaints": [*range(10), 20, 1000], "price": 0.0})
    with pytest.warns(DataWarning, match="1000 in .* more than the"):
        p = classifier.predict_proba(new)[:, 1]
    assert np.diff(p).min() >= 0.0
    assert p[-1] > 0.7
