"""People's files: each kind gives the numbers that were written, or one sentence that names the way on."""

import bz2
import datetime
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from gaussmix.cli.table_format import TableFormat
from gaussmix.cli.table_reader import Table, read_table
from gaussmix.errors import GaussmixError, MissingPackageError
from tests.cli.conftest import Write

NUMBERS = np.array([[5.1, 1250.5], [4.25, 980.0], [-0.5, 9345.5], [6.0, 7.0]])
NAMES = ("length", "price")
HEADERLESS = TableFormat(has_no_header=True)


def _text(template: str = "{:g}", delimiter: str = ",", header: str | None = None) -> str:
    """A table of NUMBERS, each formatted with the template; the commas of the template are those of Python."""
    first = [delimiter.join(NAMES)] if header is None else [header] if header else []
    return "\n".join([*first, *(delimiter.join(map(template.format, row)) for row in NUMBERS.tolist())]) + "\n"


def _decimal_comma(delimiter: str, template: str = "{:.2f}") -> str:
    swap = str.maketrans(",.", ".,")
    rows = [delimiter.join(template.format(value).translate(swap) for value in row) for row in NUMBERS.tolist()]
    return "\n".join([delimiter.join(NAMES), *rows]) + "\n"


def _zstd(content: bytes) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.CompressedOutputStream(stream, "zstd") as file:
        file.write(content)
    return stream.getvalue().to_pybytes()


def _savetxt(**options: Any) -> bytes:
    stream = io.BytesIO()
    np.savetxt(stream, NUMBERS, **options)
    return stream.getvalue()


def _arrow_table() -> pa.Table:
    return pa.table({name: pa.array(column.tolist()) for name, column in zip(NAMES, NUMBERS.T, strict=True)})


def _arrow(write: Callable[[pa.Table, Any], None]) -> bytes:
    stream = io.BytesIO()
    write(_arrow_table(), stream)
    return stream.getvalue()


def _write_stream(table: pa.Table, stream: io.BytesIO) -> None:
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)


def _workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


ROWS = [list(NAMES), *NUMBERS.tolist()]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in NUMBERS.tolist()]
LINES = "\n".join(map(json.dumps, RECORDS))
COMMA = _text()

# name of the file, content, what else is said, and what the user says about the form
READABLE: dict[str, tuple[str, str | bytes, str, TableFormat]] = {
    "comma": ("f.csv", COMMA, "", TableFormat()),
    "semicolon": ("f.csv", _text(delimiter=";"), "", TableFormat()),
    "tab": ("f.tsv", _text(delimiter="\t"), "", TableFormat()),
    "vertical bar": ("f.txt", _text(delimiter="|"), "", TableFormat()),
    "spaces": ("f.txt", _text("{:>12g}", " ", "   length    price"), "", TableFormat()),
    "spaces and tabs": ("f.dat", _text(delimiter=" \t ", header='"length" "price"'), "", TableFormat()),
    "gzip": ("f.csv.gz", gzip.compress(COMMA.encode()), "", TableFormat()),
    "bzip2": ("f.csv.bz2", bz2.compress(COMMA.encode()), "", TableFormat()),
    "xz": ("f.csv.xz", lzma.compress(COMMA.encode()), "", TableFormat()),
    "zstd": ("f.tsv.zst", _zstd(_text(delimiter="\t").encode()), "", TableFormat()),
    "gzip without its ending": ("f.csv", gzip.compress(COMMA.encode()), "", TableFormat()),
    "byte order mark": ("f.csv", ("\ufeff" + COMMA).encode(), "", TableFormat()),
    "UTF-16": ("f.txt", _text(delimiter="\t").encode("utf-16"), "", TableFormat()),
    "UTF-16, big end first": ("f.txt", b"\xfe\xff" + COMMA.encode("utf-16-be"), "", TableFormat()),
    "Latin-1": (
        "f.csv",
        "place,length,price\n" + "".join(f"Köln,{a:g},{b:g}\n" for a, b in NUMBERS),
        "",
        TableFormat(),
    ),
    "sep line": ("f.csv", "sep=;\r\n" + _text(delimiter=";").replace("\n", "\r\n"), "", TableFormat()),
    "comments": ("f.csv", "# made by a machine\n# at night\n" + COMMA + "# end\n", "", TableFormat()),
    "a comment in the middle": ("f.csv", COMMA.replace("4.25", "# new day, cold, wet\n4.25"), "", TableFormat()),
    "savetxt": ("f.txt", _savetxt(header="length price"), "comment above the data: length, price", TableFormat()),
    "savetxt with commas": (
        "f.csv",
        _savetxt(header="length,price", delimiter=","),
        "comment above the data",
        TableFormat(),
    ),
    "decimal commas": ("f.csv", _decimal_comma(";"), "commas in numbers are decimal commas", TableFormat()),
    "decimal commas, tabs": ("f.tsv", _decimal_comma("\t"), "commas in numbers are decimal commas", TableFormat()),
    "decimal commas, spaces": ("f.txt", _decimal_comma("  "), "commas in numbers are decimal commas", TableFormat()),
    "thousands points": (
        "f.csv",
        _decimal_comma(";", "{:,.2f}"),
        "column 'price': thousands points are removed",
        TableFormat(),
    ),
    "quoted decimal commas": (
        "f.csv",
        "length,price\n" + "".join('"{}","{}"\n'.format(*(f"{v:.2f}".replace(".", ",") for v in r)) for r in NUMBERS),
        "column 'length': decimal commas are read as points",
        TableFormat(),
    ),
    "thousands commas": ("f.csv", _text('"{:,.2f}"'), "column 'price': thousands commas are removed", TableFormat()),
    "thousands spaces": (
        "f.csv",
        _decimal_comma(";", "{:,.2f}").replace(".", "\u202f"),
        "column 'price': thousands spaces are removed",
        TableFormat(),
    ),
    "thousands apostrophes": (
        "f.csv",
        _text('"{:,.2f}"').replace(",", "'").replace('"\'"', '","').replace("length'", "length,"),
        "column 'price': thousands apostrophes are removed",
        TableFormat(),
    ),
    "per cent": ("f.csv", _text("{:g}%"), "column 'length': '%' is removed, so that '5.1%' is 5.1", TableFormat()),
    "dollars": ("f.csv", _text('"${:,.2f}"'), "column 'price': '$' and thousands commas are removed", TableFormat()),
    "euros behind": ("f.csv", _text("{:.2f} €"), "column 'price': '€' is removed", TableFormat()),
    "millimetres": ("f.csv", _text("{:g} mm"), "column 'length': 'mm' is removed", TableFormat()),
    "units": ("f.csv", _text("{:g}km/h"), "column 'length': 'km/h' is removed", TableFormat()),
    "accounts": ("f.csv", _text("{:.2f}").replace("-0.50", "(0.50)"), "", TableFormat()),
    "typographic minus": ("f.csv", _text().replace("-", "\u2212"), "", TableFormat()),
    "title lines": (
        "f.csv",
        "Our plants\n\nof 2024\n" + COMMA,
        "2 lines above the column names left out",
        TableFormat(),
    ),
    "commas at the ends of rows": (
        "f.csv",
        _text("{:g}", ",", "length,price").replace("\n", ",\n").replace("e,\n", "e\n"),
        "",
        TableFormat(),
    ),
    "no header": ("f.csv", _text(header=""), "", HEADERLESS),
    "no header, spaces": ("f.txt", _text(delimiter="  ", header=""), "", HEADERLESS),
    "row names of R": (
        "f.txt",
        '"length" "price"\n' + "".join(f'"{i}" {a:g} {b:g}\n' for i, (a, b) in enumerate(NUMBERS, 1)),
        "the first column has no name and is taken for row names",
        TableFormat(),
    ),
    "Excel": ("f.xlsx", _workbook({"data": ROWS}), "", TableFormat()),
    "Excel, later sheet": (
        "f.xlsx",
        _workbook({"about": [["made by us"]], "data": ROWS, "old": [["a"], [1]]}),
        "f.xlsx has 3 sheets; 'data' is read, --sheet reads another: about, old",
        TableFormat(),
    ),
    "Excel, named sheet": ("f.xlsx", _workbook({"old": [["a"], [1]], "Data": ROWS}), "", TableFormat(sheet="data")),
    "Excel, numbered sheet": ("f.xlsx", _workbook({"old": [["a"], [1]], "Data": ROWS}), "", TableFormat(sheet="2")),
    "Excel with a title": (
        "f.xlsx",
        _workbook({"data": [["Our plants"], [], *([None, *row] for row in ROWS)]}),
        "1 row above the table left out as a title",
        TableFormat(),
    ),
    "Excel without names": ("f.xlsx", _workbook({"data": ROWS[1:]}), "", HEADERLESS),
    "JSON lines": ("f.jsonl", LINES, "", TableFormat()),
    "JSON lines, compressed": (
        "f.ndjson.gz",
        gzip.compress(LINES.encode()),
        "",
        TableFormat(),
    ),
    "JSON array": ("f.json", json.dumps(RECORDS, indent=2), "", TableFormat()),
    "Feather": ("f.feather", _arrow(feather.write_feather), "", TableFormat()),
    "Arrow stream": ("f.arrow", _arrow(_write_stream), "", TableFormat()),
    "Parquet": ("f.parquet", _arrow(pq.write_table), "", TableFormat()),
}
READABLE["Latin-1"] = (
    "f.csv",
    str(READABLE["Latin-1"][1]).encode("latin-1"),
    "f.csv is not UTF-8 and is read as Windows-1252",
    TableFormat(),
)


def _numeric_values(table: Table) -> np.ndarray[Any, Any]:
    return np.column_stack([column.values for column in table.numeric_columns])


@pytest.mark.parametrize("case", READABLE)
def test_the_numbers_that_were_written(case: str, write: Write) -> None:
    name, content, note, table_format = READABLE[case]
    table = read_table(write(name, content), table_format)
    np.testing.assert_array_equal(_numeric_values(table), NUMBERS)
    names = tuple(column.name for column in table.numeric_columns)
    assert names == (("column 1", "column 2") if table_format.has_no_header else NAMES)
    assert note in " ".join(table.notes)
    assert bool(table.notes) == bool(note), table.notes


# name of the file, content, what the error says, and what the user says about the form
REFUSED: dict[str, tuple[str, str | bytes, str, TableFormat]] = {
    "empty": ("f.csv", "", r"f\.csv is empty; it must have a line of column names", TableFormat()),
    "empty, compressed": ("f.csv.gz", gzip.compress(b"\n"), r"f\.csv\.gz is empty", TableFormat()),
    "only comments": ("f.csv", "# a\n# b\n", r"f\.csv has column names but 0 rows", TableFormat()),
    "numbers first": ("f.csv", _text(header=""), r"contains numbers .*; insert .*, or add --no-header", TableFormat()),
    "numbers and a text first": (
        "f.csv",
        "5.1,3.5,a\n4.9,3.0,b\n",
        r"contains numbers .* add --no-header",
        TableFormat(),
    ),
    "carets": ("f.csv", _text(delimiter="^"), r"separated by '\^', which is not recognised; separate", TableFormat()),
    "colons": ("f.dat", _text(delimiter="::", header=""), r"separated by '::', which is not", TableFormat()),
    "sep line of carets": ("f.csv", "sep=^\n" + COMMA, r"separated by '\^', which is not", TableFormat()),
    "ragged": ("f.csv", COMMA + "1,2,3\n", r"data row 5 of .*f\.csv has 3 fields, but there are 2", TableFormat()),
    "ragged behind comments": ("f.csv", "# a\n" + COMMA + "1\n", r"data row 5 of .*f\.csv has 1 field", TableFormat()),
    "ragged spaces": ("f.txt", "a b\n" + "1 2\n" * 200 + "3\n", r"data row 201 of .*f\.txt has 1 field", TableFormat()),
    "decimal commas between commas": ("f.csv", "a,b\n1,5,2,5\n", r"4 fields, .* if commas are decimal", TableFormat()),
    "JSON as text": ("f.csv", LINES, r"is JSON, .* ends in \.json", TableFormat()),
    "binary": ("f.csv", bytes(range(256)), r"f\.csv is not text", TableFormat()),
    "Parquet as text": ("f.csv", _arrow(pq.write_table), r"is a Parquet file, .* ends in \.parquet", TableFormat()),
    "Excel as text": ("f.csv", _workbook({"a": ROWS}), r"is a zip archive or an Excel workbook", TableFormat()),
    "not compressed": ("f.csv.gz", COMMA, r"not compressed as \.gz says; rename it without \.gz", TableFormat()),
    "compression cut short": ("f.csv.gz", gzip.compress(COMMA.encode())[:-20], r"cut short; copy or", TableFormat()),
    "zstd cut short": ("f.csv.zst", _zstd(COMMA.encode())[:-9], r"cut short; copy or download", TableFormat()),
    "unknown ending": ("f.rds", COMMA, r"the name must end in \.csv, .*\.parquet.*\.xlsx", TableFormat()),
    "no workbook": ("f.xlsx", COMMA, r"cannot read .*f\.xlsx: ", TableFormat()),
    "workbook without a table": (
        "f.xlsx",
        _workbook({"a": [["x"]], "b": []}),
        r"no table in sheets 'a' and 'b'; it needs a row of column names",
        TableFormat(),
    ),
    "unknown sheet": (
        "f.xlsx",
        _workbook({"data": ROWS}),
        r"has no sheet 'dta' \(did you mean 'data'\?\); its sheets are 'data'",
        TableFormat(sheet="dta"),
    ),
    "sheet of a text": ("f.csv", COMMA, r"no spreadsheet and has no sheets; leave --sheet out", TableFormat(sheet="a")),
    "JSON of other values": (
        "f.json",
        '{"a": 1}\n[2]',
        r"one JSON object a line, or an array",
        TableFormat(),
    ),
    "JSON array of numbers": ("f.json", "[1, 2]", r"it holds other values; correct it, or write it", TableFormat()),
    "broken JSON": ("f.json", "[{", r"must hold one JSON object a line", TableFormat()),
    "no Arrow": ("f.arrow", COMMA, r"cannot read .*f\.arrow: ", TableFormat()),
    "old Feather": ("f.feather", b"FEA1" + bytes(40), r"Feather file of version 1; write it again", TableFormat()),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_sentence_that_names_the_way_on(case: str, write: Write) -> None:
    name, content, message, table_format = REFUSED[case]
    with pytest.raises(GaussmixError, match=message) as caught:
        read_table(write(name, content), table_format)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("2018,2019,2021\n1,2,3\n", ["2018", "2019", "2021"]),
        ("0,1,2,3\n1.5,2,9,9\n", ["0", "1", "2", "3"]),
        ("place,2018.5,2019.5,2020.5,2021.5\na,1,2,3,4\n", ["2018.5", "2019.5", "2020.5", "2021.5"]),
    ],
)
def test_numbers_that_are_names(text: str, names: list[str], write: Write) -> None:
    table = read_table(write("f.csv", text))
    assert [column.name for column in table.numeric_columns] == names
    as_data = read_table(write("f.csv", text), HEADERLESS)
    assert (as_data.n_rows, as_data.column_names[0]) == (2, "column 1")


def test_years_are_data_where_more_follow(write: Write) -> None:
    with pytest.raises(GaussmixError, match="--no-header"):
        read_table(write("f.csv", "2018,2019\n2017,2020\n"))


def test_a_name_of_one_hash_is_a_name(write: Write) -> None:
    assert read_table(write("f.csv", "#,hp\n1,45\n2,60\n")).column_names == ["#", "hp"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    {
        "two units": (["5 mm", "5 cm"], "text"),
        "a unit that is missing once": (["5 mm", "5"], "text"),
        "codes": (["12B", "13B"], "text"),
        "dates": (["01.02.2024", "03.02.2024"], "text"),
        "versions": (["1.2.3", "1.2.4"], "text"),
        "missing cells": (["5 mm", "", "NA", "7 mm"], "numbers"),
    }.values(),
)
def test_only_a_whole_column_of_one_form_is_read_as_numbers(cells: list[str], kind: str, write: Write) -> None:
    table = read_table(write("f.csv", "n,x\n" + "".join(f"1,{cell}\n" for cell in cells)))
    assert table.columns[1].kind == kind
    assert bool(table.notes) == (kind == "numbers")


def test_the_one_cell_of_another_form_is_named(write: Write) -> None:
    cells = [f"${i},000" for i in range(1, 40)]
    cells[30] = "free"
    (column,) = read_table(write("f.csv", {"x": [f'"{cell}"' for cell in cells]})).columns
    assert column.is_nearly_numeric
    assert column.non_numeric_reason == "data row 31 holds 'free'"


def test_cells_of_a_workbook(write: Write) -> None:
    day = datetime.datetime(2024, 1, 31)
    path = write(
        "f.xlsx", _workbook({"s": [["day", "name", "n", "ok"], [day, "a, b", 3, True], [day, None, None, False]]})
    )
    columns = {column.name: column for column in read_table(path).columns}
    assert [column.kind for column in columns.values()] == ["dates", "text", "numbers", "numbers"]
    assert columns["name"].load_texts() == ["a, b", None]
    np.testing.assert_array_equal(columns["n"].values, [3, np.nan])


def test_without_calamine_the_error_says_what_to_install(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'gaussmix\[xlsx\]'"):
        read_table(write("f.xlsx", _workbook({"a": ROWS})))


def test_json_of_nested_and_mixed_values(write: Write) -> None:
    path = write("f.json", '[{"x": "1.5", "y": {"z": 1}, "t": NaN}, {"x": "2", "y": null, "t": 3}]')
    columns = read_table(path).columns
    assert [column.kind for column in columns] == ["numbers", "struct", "numbers"]


STANDARD_INPUT_KINDS = ["comma", "gzip", "semicolon", "Excel", "JSON array", "JSON lines", "Feather", "Parquet"]


@pytest.mark.parametrize("case", STANDARD_INPUT_KINDS)
def test_standard_input_of_any_kind(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = READABLE[case][1]
    data = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    table = read_table(Path("-"))
    np.testing.assert_array_equal(_numeric_values(table), NUMBERS)
    assert str(table.path) == "standard input"
