"""CSV and Parquet files: values, column kinds and errors."""

import datetime
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from gaussmix.cli.table_reader import read_table
from gaussmix.errors import FileError
from tests.cli.conftest import Write

PLAIN = "a,b\n1,2.5\n3,-4e1\n"


def _read_values_or_kinds(path: Path) -> dict[str, list[float] | str]:
    return {
        column.name: column.values.tolist() if column.is_numeric else column.kind for column in read_table(path).columns
    }


@pytest.mark.parametrize(
    ("name", "text"),
    {
        "comma": ("f.csv", PLAIN),
        "semicolon": ("f.csv", PLAIN.replace(",", ";")),
        "tab": ("f.tsv", PLAIN.replace(",", "\t")),
        "tab in a csv": ("f.csv", PLAIN.replace(",", "\t")),
        "txt": ("f.txt", PLAIN),
        "capitals": ("f.CSV", PLAIN),
        "byte order mark": ("f.csv", "\ufeff" + PLAIN),
        "carriage returns": ("f.csv", PLAIN.replace("\n", "\r\n")),
        "old carriage returns": ("f.csv", PLAIN.replace("\n", "\r")),
        "no last line end": ("f.csv", PLAIN.rstrip("\n")),
        "blank lines": ("f.csv", "\n" + PLAIN.replace("3", "\n3") + "\n"),
        "spaces": ("f.csv", "a, b\n 1 ,2.5\n3 , -4e1\n"),
        "plus signs": ("f.csv", "a,b\n+1,+2.5\n3,-4e+1\n"),
        "quotes": ("f.csv", '"a","b"\n"1","2.5"\n"3","-40"\n'),
    }.values(),
)
def test_the_same_numbers_however_they_are_written(name: str, text: str, write: Write) -> None:
    assert _read_values_or_kinds(write(name, text)) == {"a": [1.0, 3.0], "b": [2.5, -40.0]}


def test_quoted_names_may_hold_the_delimiter_and_line_ends(write: Write) -> None:
    assert list(_read_values_or_kinds(write("f.csv", '"x, cm","y; s"\n1,2\n'))) == ["x, cm", "y; s"]
    assert _read_values_or_kinds(write("f.csv", 'a,b\n1,"two\nlines"\n')) == {"a": [1.0], "b": "text"}


def test_latin_1_in_names_and_cells(write: Write) -> None:
    assert _read_values_or_kinds(write("f.csv", "a,ä\n1,2\n".encode("latin-1"))) == {"a": [1.0], "ä": [2.0]}
    late = ("a,b\n" + "1,x\n" * 400_000 + "2,\x80 ä\n").encode("latin-1")
    assert read_table(write("f.csv", late)).columns[1].load_texts()[-1] == "€ ä"


def test_kinds_of_a_csv(write: Write) -> None:
    path = write(
        "f.csv", "ok,day,at,name,gap,none\ntrue,2024-01-01,12:30:00,anna,1,\nfalse,2024-01-02,13:00:00,ben,,\n"
    )
    found = read_table(path)
    assert [column.kind for column in found.columns] == ["numbers", "dates", "times", "text", "numbers", "empty"]
    assert found.columns[0].values.tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(found.columns[4].values, [1.0, np.nan])


def test_kinds_of_a_parquet(write: Write) -> None:
    path = write(
        "f.parquet",
        {
            "int8": pa.array([1, None], pa.int8()),
            "uint64": pa.array([1, 2**63], pa.uint64()),
            "half": pa.array([1.5, 2.5], pa.float16()),
            "decimal": pa.array([Decimal("1.25"), None]),
            "bool": pa.array([True, None]),
            "levels": pa.array([3, 5]).dictionary_encode(),
            "names": pa.array(["a", "b"]).dictionary_encode(),
            "digits": pa.array(["1", "2"]),
            "day": pa.array([datetime.date(2024, 1, 1)] * 2),
            "list": pa.array([[1], [2]]),
            "bytes": pa.array([b"a", b"\xff"]),
        },
    )
    found = _read_values_or_kinds(path)
    nan = np.nan
    np.testing.assert_array_equal(found["int8"], [1, nan])
    np.testing.assert_array_equal(found["uint64"], [1, 2.0**63])
    np.testing.assert_array_equal(found["half"], [1.5, 2.5])
    np.testing.assert_array_equal(found["decimal"], [1.25, nan])
    np.testing.assert_array_equal(found["bool"], [1, nan])
    np.testing.assert_array_equal(found["levels"], [3, 5])
    kinds = [found[name] for name in ("names", "digits", "day", "list", "bytes")]
    assert kinds == ["text", "text", "dates", "list", "binary"]


def test_a_column_of_numbers_with_a_few_texts_names_the_first(write: Write) -> None:
    values = [str(i) for i in range(30)]
    values[16] = "abc"
    column = read_table(write("f.csv", {"x": values})).columns[0]
    assert column.is_likely_numeric
    assert column.non_numeric_reason == "data row 17 holds 'abc'"


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1,596", "2,000"], [1596, 2000]),
        (["1,596", "12,5"], [1.596, 12.5]),
        (["1,234,567.5", "3"], [1234567.5, 3]),
        (["0,125", "0,250"], [0.125, 0.25]),
    ],
)
def test_the_whole_column_tells_what_a_comma_means(values: list[str], numbers: list[float], write: Write) -> None:
    (column,) = read_table(write("f.csv", "a\n" + "".join(f'"{value}"\n' for value in values))).columns
    assert column.values.tolist() == numbers
    assert "comma" in column.number_note


def test_column_types_depend_on_the_whole_file(write: Write) -> None:
    path = write("f.csv", "a,b\n" + "1,2\n" * 400_000 + "1.5,oops\n")
    first, second = read_table(path).columns
    assert (first.values[-1], second.kind) == (1.5, "text")
    assert second.non_numeric_reason == "data row 400001 holds 'oops'"


def test_arrow_reads_with_one_thread_and_no_python_function(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    parse = pacsv.read_csv

    def spy(path: Path, **options: Any) -> Any:
        asked.append((path, options["read_options"].use_threads, options["parse_options"].invalid_row_handler))
        return parse(path, **options)

    monkeypatch.setattr(pacsv, "read_csv", spy)
    path = write("f.csv", PLAIN)
    read_table(path)
    assert asked == [(path, False, None)]


def test_a_row_of_another_length_where_there_is_one_name(write: Write) -> None:
    with pytest.raises(FileError, match=r"has 2 fields, but there is 1 column name; correct that line$"):
        read_table(write("f.csv", "a\n1\n2,3\n"))


def test_a_long_text_is_cut(write: Write) -> None:
    assert len(read_table(write("f.csv", {"x": ["z" * 999]})).columns[0].non_numeric_reason) < 60


def test_columns_without_a_name_are_counted_and_not_read(write: Write) -> None:
    found = read_table(write("f.csv", ",a,\n0,5,x\n1,6,y\n"))
    assert (found.column_names, found.n_unnamed) == (["a"], 2)
    saved_index = read_table(write("f.parquet", {"a": [1, 2], "__index_level_0__": [7, 8]}))
    assert (saved_index.column_names, saved_index.n_unnamed) == (["a"], 1)


UNREADABLE: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("f.csv", "", r"f\.csv is empty; it must have a line of column names"),
    "blank": ("f.csv", "\n\r\n\n", r"f\.csv is empty"),
    "only a byte order mark": ("f.csv", "\ufeff", r"f\.csv is empty"),
    "only a header": ("f.csv", "a,b\n", r"f\.csv has column names but 0 rows"),
    "only a header, no line end": ("f.csv", "a,b", r"f\.csv has column names but 0 rows"),
    "no header": ("f.csv", "1.5,2\n3,4\n", r"first line of .*f\.csv contains numbers \(1\.5, 2\), not column names"),
    "too few fields": ("f.csv", "a,b\n1,2\n3\n4,5\n", r"data row 2 of .*f\.csv has 1 field, but there are 2 column"),
    "too many fields": ("f.csv", "a,b\n1,2\n3,4,5\n", r"data row 2 of .*f\.csv has 3 fields, but there are 2"),
    "unclosed quote": ("f.csv", 'a,b\n1,2\n"3,4\n5,6\n', r"data row 2 of .*f\.csv has 1 field"),
    "bytes": ("f.csv", bytes(range(1, 256)) * 9, r"f\.csv is not text"),
    "zero bytes": ("f.csv", bytes(99), r"f\.csv is not text"),
    "two columns of one name": ("f.csv", "a,b,a\n1,2,3\n", r"has more than one column named 'a'; rename"),
    "two names that differ by spaces": ("f.csv", "a,b, a\n1,2,3\n", r"has more than one column named 'a'"),
    "excel": ("f.xlsx", "zip", r"cannot read .*f\.xlsx: "),
    "no extension": ("data", PLAIN, r"the type of .* is unknown"),
    "no parquet": ("f.parquet", "a,b\n1,2\n", r"cannot read .*f\.parquet: "),
    "empty parquet": ("f.parquet", "", r"f\.parquet is empty"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_files_give_one_sentence(case: str, write: Write) -> None:
    name, content, message = UNREADABLE[case]
    with pytest.raises(FileError, match=message) as caught:
        read_table(write(name, content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95, 0.99])
def test_a_parquet_file_cut_short_is_refused(share: float, write: Write) -> None:
    whole = write("f.parquet", {"a": list(range(500))}).read_bytes()
    with pytest.raises(FileError, match="cannot read"):
        read_table(write("f.parquet", whole[: int(share * len(whole))]))


@pytest.mark.parametrize("place", [4, 40, 400])
def test_a_parquet_file_with_wrong_bytes_is_refused_or_read(place: int, write: Write) -> None:
    damaged = bytearray(write("f.parquet", {"a": list(range(500))}).read_bytes())
    damaged[place : place + 30] = b"\xff" * 30
    path = write("f.parquet", bytes(damaged))
    try:
        found = read_table(path)
    except FileError:
        return
    assert found.n_rows == 500


def test_parquet_of_no_rows_and_of_twice_the_same_name(write: Write) -> None:
    with pytest.raises(FileError, match="has column names but 0 rows"):
        read_table(write("f.parquet", {"a": pa.array([], pa.float64())}))
    import pyarrow.parquet as pq

    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), "twice.parquet")
    with pytest.raises(FileError, match="has more than one column named 'a'"):
        read_table(Path("twice.parquet"))


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"there is no file nothing\.csv; check its name and folder"):
        read_table(Path("nothing.csv"))
    with pytest.raises(FileError, match="is a folder, not a file"):
        read_table(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_without_a_writer_does_not_hang() -> None:
    os.mkfifo("pipe.csv")
    with pytest.raises(FileError, match="is a device or a pipe, not a file"):
        read_table(Path("pipe.csv"))


def test_cells_of_every_kind(write: Write) -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
    path = write(
        "f.parquet",
        {
            "number": pa.array([1, None], pa.int8()),
            "bool": pa.array([True, None]),
            "text": pa.array(["a", None]),
            "blank": pa.array(["a", "  "]),
            "level": pa.array(["a", None]).dictionary_encode(),
            "day": pa.array([datetime.date(2024, 1, 1), None]),
            "moment": pa.array([moment, None], pa.timestamp("ns", "UTC")),
            "none": pa.array([None, None]),
            "list": pa.array([[1], [2]]),
        },
    )
    cells = {column.name: column.load_cells() for column in read_table(path).columns}
    np.testing.assert_array_equal(cells["number"], [1.0, np.nan])
    np.testing.assert_array_equal(cells["none"], [np.nan, np.nan])
    for name, expected in {"bool": True, "text": "a", "blank": "a", "level": "a"}.items():
        assert cells[name].tolist() == [expected, None]
    np.testing.assert_array_equal(cells["day"], np.array(["2024-01-01", "NaT"], "datetime64[us]"))
    np.testing.assert_array_equal(cells["moment"], np.array([moment, None], "datetime64[us]"))
    assert cells["list"] is None


def test_blank_texts_are_missing(write: Write) -> None:
    columns = read_table(write("f.csv", 'a,b,c\n1, ,x\n2,"",\n3,\t ,y\n')).columns
    assert [column.kind for column in columns] == ["numbers", "empty", "text"]
    assert columns[2].load_texts() == ["x", None, "y"]
    numbers = read_table(write("g.csv", "a\n1\n \n2.5\n")).columns[0]
    np.testing.assert_array_equal(numbers.values, [1.0, np.nan, 2.5])


@pytest.mark.parametrize("marker", ["?", "-", "--", ".", "*", "none", "Missing", "unknown", "n.a.", "#VALUE!"])
def test_usual_markers_of_a_missing_value_are_read_as_missing_and_said(marker: str, write: Write) -> None:
    (column,) = read_table(write("f.csv", f"a\n1.5\n{marker}\n-2\n{marker}\n")).columns
    np.testing.assert_array_equal(column.values, [1.5, np.nan, -2.0, np.nan])
    assert column.number_note == f"2 cells with {marker!r} count as missing"


def test_a_marker_beside_a_unit_and_a_marker_of_text(write: Write) -> None:
    table = read_table(write("f.csv", "a,b,c\n5 mm,x,?\n?,?,?\n7 mm,y,oops\n"))
    first, second, third = table.columns
    np.testing.assert_array_equal(first.values, [5.0, np.nan, 7.0])
    assert first.number_note == "'mm' is removed, so that '5 mm' is 5; 1 cell with '?' counts as missing"
    assert (second.kind, third.kind) == ("text", "text")
    assert "column 'a': 'mm' is removed, so that '5 mm' is 5; 1 cell with '?' counts as missing." in table.notes
