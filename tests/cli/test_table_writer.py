"""Tables that are written: the columns of a file as they were, and further ones behind them."""

import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gaussmix.cli.table_reader import read_table
from gaussmix.cli.table_writer import write_table, write_table_with_columns
from gaussmix.errors import FileError
from tests.cli.conftest import Write

FURTHER = {"score": np.array([0.5, 0.25]), "why": np.array(["a, b", ""], dtype=object)}


def test_a_csv_keeps_its_cells_in_order(write: Write) -> None:
    table = read_table(write("f.csv", ',big,text,x,day\n7,12345678901234567,"a ""b""", 1.50,2024-01-31\n8,2,,,\n'))
    write_table_with_columns(table, FURTHER, Path("out.csv"))
    lines = Path("out.csv").read_text().splitlines()
    assert lines[0] == ",big,text,x,day,score,why"
    assert lines[1] == '7,12345678901234567,"a ""b""",1.5,2024-01-31,0.5,"a, b"'
    assert lines[2] == '8,2,,,,0.25,""'


def test_a_parquet_keeps_its_types(write: Write) -> None:
    columns = {
        "level": pa.array(["a", None]).dictionary_encode(),
        "price": pa.array([Decimal("1.25"), None]),
        "day": pa.array([datetime.date(2024, 1, 31), None]),
        "tags": pa.array([["x"], []]),
        "__index_level_0__": pa.array([5, 6]),
    }
    table = read_table(write("f.parquet", columns))
    write_table_with_columns(table, FURTHER, Path("out.parquet"))
    written = pq.read_table("out.parquet")
    assert written.schema.names == [*columns, "score", "why"]
    assert written.select(list(columns)).equals(pa.table(columns))
    write_table_with_columns(table, FURTHER, Path("out.csv"))
    assert Path("out.csv").read_text().splitlines()[:2] == [
        "level,price,day,__index_level_0__,score,why",
        '"a",1.25,2024-01-31,5,0.5,"a, b"',
    ], "lists are no cells of a CSV"


def test_names_that_are_taken_are_those_of_the_further_columns(write: Write) -> None:
    table = read_table(write("f.csv", "score,a\n1,2\n3,4\n"))
    write_table_with_columns(table, {"score": np.array([9.0, 8.0])}, Path("out.csv"))
    assert Path("out.csv").read_text() == "score (input),a,score\n1,2,9\n3,4,8\n"


def test_a_folder_that_does_not_exist(write: Write) -> None:
    table = read_table(write("f.csv", "a\n1\n3\n"))
    with pytest.raises(FileError, match="cannot write"):
        write_table_with_columns(table, FURTHER, Path("nowhere/out.csv"))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_texts_truth_values_and_masked_numbers_are_kept(suffix: str, tmp_path: Path) -> None:
    columns = {
        "text": np.array(["a", None, "é,\n", "d"], dtype=object),
        "word": np.array(["p", "q", "r", "s"]),
        "flag": np.array([True, False, True, True]),
        "number": np.ma.MaskedArray([1.5, 2.5, 3.5, 4.5], mask=[False, True, False, False]),
        "count": np.ma.MaskedArray([1, 2, 3, 4], mask=[True, False, False, True]),
    }
    path = tmp_path / f"table.{suffix}"
    write_table(columns, path)
    options = pacsv.ParseOptions(newlines_in_values=True)
    nulls = pacsv.ConvertOptions(strings_can_be_null=True)
    read = pq.read_table(path) if suffix == "parquet" else pacsv.read_csv(path, None, options, nulls)
    assert read.to_pydict() == {name: values.tolist() for name, values in columns.items()}
