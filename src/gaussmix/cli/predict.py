"""``gaussmix predict``: membership probabilities of rows that the model has not seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import DataFile, Debug, ModelFile, require_table_name

if TYPE_CHECKING:
    from gaussmix.cli.writing import ColumnsByName

EXAMPLES = """\b
Examples:
  gaussmix predict faithful-gaussmix/model.safetensors new-rows.csv
  gaussmix predict model.safetensors new-rows.parquet --output memberships.csv
"""

_SHOWN = 10


def run(
    model: ModelFile,
    file: DataFile,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="Write all rows to a .parquet or .csv file instead of showing the first.",
            show_default=False,
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Tell which component each row belongs to.

    Gives the probability of every component for each row of FILE, with the most probable one, the
    uncertainty (one minus the largest probability) and the log density. Columns are matched by
    name: their order does not matter, and others are ignored. What is shown counts data rows from
    1; the column row of a written file counts them from 0, as Python does.
    """
    require_table_name(output)
    from gaussmix.cli.columns import for_model
    from gaussmix.cli.places import require_file
    from gaussmix.cli.table import read
    from gaussmix.cli.text import plural
    from gaussmix.cli.writing import assignments, write
    from gaussmix.model import Mixture

    mixture = Mixture.load(model)
    if output is not None:
        require_file(output, inputs=(model, file))
    with console.progress(f"reading {file.name}"):
        chosen = for_model(read(file), mixture.feature_names, mixture.n_features)
    console.notes(chosen.notes)
    with console.progress("assigning rows"):
        assigned = assignments(mixture, chosen.rows)
    if output is None:
        _show(assigned)
    else:
        write(assigned, output)
        typer.echo(f"Wrote {plural(len(chosen.rows), 'row')} to {output}")


def _show(assigned: "ColumnsByName") -> None:
    from gaussmix.cli.text import number, plural, table

    n_rows = len(assigned["row"])
    columns = [["data row", *map(str, assigned["row"][:_SHOWN] + 1)]]
    for name, values in assigned.items():
        if name == "row":
            continue
        shown = str if values.dtype.kind == "i" else number if name == "log_density" else "{:.4f}".format
        columns.append([_header(name), *map(shown, values[:_SHOWN])])
    header, *cells = zip(*columns, strict=True)
    typer.echo(table(header, cells))
    if n_rows > _SHOWN:
        typer.echo(f"\n{plural(n_rows - _SHOWN, 'more row')}; --output FILE.csv or FILE.parquet writes them all")


def _header(name: str) -> str:
    """A column's name, short for a table: 'p(2)' for 'probability_2', 'log density' for 'log_density'."""
    if name.startswith("probability_"):
        return f"p({name.removeprefix('probability_')})"
    return name.replace("_", " ")
