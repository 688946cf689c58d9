"""How a file is read: the options that every command with a table has, and the names of inputs and outputs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

STANDARD_INPUT = Path("-")
COMPRESSION_SUFFIXES = (".gz", ".zst", ".bz2", ".xz")

NoHeaderOption = Annotated[
    bool,
    typer.Option("--no-header", help="The file has no line of column names: they are column 1, column 2, ..."),
]
SheetOption = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Sheet of a spreadsheet, by name or by number from 1. Default: the first one with a table.",
    ),
]


@dataclass(frozen=True)
class TableFormat:
    """What the user says about the form of a file; the rest is detected.

    Attributes
    ----------
    has_no_header : bool
        Whether the first line is a row of data. Default: False.
    sheet : str or None
        Name of a spreadsheet's sheet, or its number from 1. Default: the first sheet with a table.
    """

    has_no_header: bool = False
    sheet: str | None = None


def input_name(path: Path) -> str:
    """Return the name of an input for people: 'faithful.csv', or 'standard input' for '-'."""
    return "standard input" if path == STANDARD_INPUT else path.name


def input_stem(path: Path) -> str:
    """Return an input's name without endings, which output names begin with: 'faithful' for faithful.csv.gz."""
    if path == STANDARD_INPUT:
        return "stdin"
    return Path(path.stem).stem if path.suffix.lower() in COMPRESSION_SUFFIXES else path.stem
