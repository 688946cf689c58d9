"""``gaussmix predict``: membership probabilities of new rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    ModelFileArgument,
    parse_output_path,
    require_table_suffix,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name

if TYPE_CHECKING:
    from gaussmix.cli.table_writer import ColumnsByName

EXAMPLES = """\b
Examples:
  gaussmix predict faithful-gaussmix/model.safetensors new-rows.csv
  gaussmix predict model.safetensors new-rows.parquet --output memberships.csv
"""

_MAX_ROWS_SHOWN = 10


def run_predict(
    model: ModelFileArgument,
    file: DataFileArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=parse_output_path,
            help="Write all rows to a .parquet or .csv file instead of printing the first ones.",
            show_default=False,
        ),
    ] = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Predict the component of each row.

    Gives the probability of every component for each row of FILE, with the most probable one, the
    uncertainty (one minus the largest probability) and the log density. Columns are matched by
    name, in any order; other columns are ignored. The printed table counts rows from 1; the column
    row of a written file counts them from 0.
    """
    require_table_suffix(output)
    from gaussmix.cli.column_selection import select_columns_for_model
    from gaussmix.cli.output_paths import require_writable_file
    from gaussmix.cli.table_reader import read_table
    from gaussmix.cli.table_writer import compute_assignments, write_table
    from gaussmix.errors.text import format_count
    from gaussmix.model import Mixture
    from gaussmix.model.column_dependence import describe_broken_relations

    mixture = Mixture.load(model)
    if output is not None:
        require_writable_file(output, input_paths=(model, file))
    with console.progress_bar(f"reading {input_name(file)}"):
        selected_columns = select_columns_for_model(
            read_table(file, table_format), mixture.feature_names, mixture.n_features
        )
    broken = describe_broken_relations(mixture, mixture.transform_rows(selected_columns.rows))
    console.print_notes([*selected_columns.notes, *([broken] if broken else [])])
    with console.progress_bar("assigning rows"):
        assignments = compute_assignments(mixture, selected_columns.rows)
    if output is None:
        _print_first_assignments(assignments)
    else:
        write_table(assignments, output)
        typer.echo(f"Wrote {format_count(len(selected_columns.rows), 'row')} to {output}")


def _print_first_assignments(assignments: "ColumnsByName") -> None:
    """Print a table of the first ten rows of the assignments, numbered from 1, and how many more there are."""
    from gaussmix.cli.text_formatting import format_number, format_table
    from gaussmix.errors.text import format_count

    n_rows = len(assignments["row"])
    columns = [["data row", *map(str, assignments["row"][:_MAX_ROWS_SHOWN] + 1)]]
    for name, values in assignments.items():
        if name == "row":
            continue
        format_value = str if values.dtype.kind == "i" else format_number if name == "log_density" else "{:.4f}".format
        columns.append([_format_header(name), *map(format_value, values[:_MAX_ROWS_SHOWN])])
    header, *cells = zip(*columns, strict=True)
    typer.echo(format_table(header, cells))
    if n_rows > _MAX_ROWS_SHOWN:
        typer.echo(
            f"\n{format_count(n_rows - _MAX_ROWS_SHOWN, 'more row')}; --output FILE.csv or FILE.parquet writes them all"
        )


def _format_header(column_name: str) -> str:
    """Return a short header: 'p(2)' for 'probability_2', 'log density' for 'log_density'."""
    if column_name.startswith("probability_"):
        return f"p({column_name.removeprefix('probability_')})"
    return column_name.replace("_", " ")
