"""How a file is read: the options that every command with a table has, and the names of inputs and outputs."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

STANDARD_INPUT = Path("-")
COMPRESSION_SUFFIXES = (".gz", ".zst", ".bz2", ".xz")


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


DEFAULT_FORMAT = TableFormat()

_NoHeaderOption = Annotated[
    bool,
    typer.Option("--no-header", help="The file has no line of column names; they become column 1, column 2 and so on."),
]
_SheetOption = Annotated[
    str | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Sheet of a spreadsheet, by name or by number from 1. Default: the first one with a table.",
    ),
]


def add_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has --no-header and --sheet instead of its parameter ``table_format``."""

    @functools.wraps(command)
    def run(*, has_no_header: bool, sheet: str | None, **options: Any) -> None:
        command(table_format=TableFormat(has_no_header, sheet), **options)

    own = inspect.signature(command).parameters
    added = (
        inspect.Parameter("has_no_header", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_NoHeaderOption),
        inspect.Parameter("sheet", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_SheetOption),
    )
    position = list(own).index("table_format")
    others = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own.values()]
    parameters = [*others[:position], *added, *others[position + 1 :]]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def input_name(path: Path) -> str:
    """Return the name of an input for people: 'faithful.csv', or 'standard input' for '-'."""
    return "standard input" if path == STANDARD_INPUT else path.name


def input_stem(path: Path) -> str:
    """Return an input's name without endings, which output names begin with: 'faithful' for faithful.csv.gz."""
    if path == STANDARD_INPUT:
        return "stdin"
    return Path(path.stem).stem if path.suffix.lower() in COMPRESSION_SUFFIXES else path.stem
