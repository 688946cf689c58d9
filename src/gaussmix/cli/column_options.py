"""Options that say which columns and rows of a file a command uses, and their parsed values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import typer

from gaussmix.cli.options import parse_names

ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="A,B", help="Columns to fit. Default: all numeric columns except those that number rows."
    ),
]
ExcludeOption = Annotated[str | None, typer.Option("--exclude", metavar="A,B", help="Columns to leave out.")]
WeightsOption = Annotated[
    str | None, typer.Option("--sample-weight", metavar="COLUMN", help="Column with the weight (count) of each row.")
]
DropMissingOption = Annotated[
    bool,
    typer.Option(
        "--drop-missing",
        help="Leave out rows with a missing cell in a used column. They stay in written tables, with empty cells.",
    ),
]
WithDataOption = Annotated[
    bool, typer.Option("--with-data", help="Add all columns of FILE to the written assignments.")
]


class MissingCells(Enum):
    """What becomes of rows with a missing cell in a used column: they stay, they are left out, or they are refused."""

    KEEP = "keep"
    DROP = "drop"
    REFUSE = "refuse"

    @classmethod
    def from_option(cls, drops_missing: bool, default: "MissingCells") -> "MissingCells":
        """Return what --drop-missing says, or the default of a command without it."""
        return cls.DROP if drops_missing else default


@dataclass(frozen=True)
class ColumnOptions:
    """Names of the columns to fit, None for the default, of columns to leave out, and of the weights."""

    names: list[str] | None = None
    excluded: tuple[str, ...] = ()
    weight: str | None = None
    missing_cells: MissingCells = MissingCells.KEEP

    @classmethod
    def from_command_line(
        cls,
        columns: str | None,
        exclude: str | None,
        weight: str | None = None,
        drops_missing: bool = False,
        missing_cells: MissingCells = MissingCells.KEEP,
    ) -> "ColumnOptions":
        """Return the options; raise typer.BadParameter if a column has two roles.

        ``missing_cells`` is what holds without --drop-missing.
        """
        names, excluded = parse_names(columns, "--columns"), tuple(parse_names(exclude, "--exclude") or ())
        if weight is not None and weight in (names or []):
            raise typer.BadParameter(
                f"{weight!r} is already used by --sample-weight; leave it out", param_hint="--columns"
            )
        require_not_excluded(excluded, names or [], "--columns")
        require_not_excluded(excluded, [] if weight is None else [weight], "--sample-weight")
        return cls(names, excluded, weight, MissingCells.from_option(drops_missing, missing_cells))


def require_not_excluded(excluded: Sequence[str], names: Sequence[str], option_name: str) -> None:
    """Raise typer.BadParameter if a column of another option is among the excluded ones."""
    both = [name for name in names if name in excluded]
    if both:
        raise typer.BadParameter(
            f"{both[0]!r} is already used by {option_name}; name it in one of them", param_hint="--exclude"
        )
