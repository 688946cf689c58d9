"""``gaussmix predict``: membership probabilities of new rows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import DropMissingOption, MissingCells, WithDataOption
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    ModelFileArgument,
    parse_output_path,
    require_table_suffix,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name

if TYPE_CHECKING:
    from gaussmix.cli.mixture_input import MixtureInput
    from gaussmix.cli.table_writer import ColumnsByName
    from gaussmix.model import Mixture

EXAMPLES = """\b
Examples:
  gaussmix predict faithful-gaussmix new-rows.csv
  gaussmix predict faithful-gaussmix new-rows.csv -o groups.csv --with-data
"""

_MAX_ROWS_SHOWN = 10
_MAX_IDENTIFIER_WIDTH = 20


def run_predict(
    model: ModelFileArgument,
    file: DataFileArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=parse_output_path,
            help="Write all rows to a .parquet or .csv file instead of printing the first ones.",
            show_default=False,
        ),
    ] = None,
    has_data: WithDataOption = False,
    drops_missing: DropMissingOption = False,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Predict the component of each row.

    Gives the probability of every component for each row of FILE, with the most probable one, the
    uncertainty (one minus the largest probability) and the log density. Columns are matched by
    name, in any order; other columns are ignored, but those that identify rows stand in the table.
    Rows count from 1.
    """
    require_table_suffix(output)
    if has_data and output is None:
        raise typer.BadParameter("it says what to write; add --output FILE", param_hint="--with-data")
    from gaussmix.cli.assignment_tables import write_assignments
    from gaussmix.cli.model_folder import find_model_file
    from gaussmix.cli.output_paths import require_writable_file
    from gaussmix.errors.text import format_count
    from gaussmix.model import Mixture

    model = find_model_file(model)
    mixture = Mixture.load(model)
    if output is not None:
        require_writable_file(output, input_paths=(model, file))
    file_input, assignments = _read_and_assign_rows(
        file, mixture, MissingCells.from_option(drops_missing, MissingCells.KEEP), table_format
    )
    if output is None:
        _print_first_assignments(file_input, assignments)
    else:
        write_assignments(file_input, assignments, output, has_data)
        typer.echo(f"Wrote {format_count(file_input.table.n_rows, 'row')} to {output}")


def _read_and_assign_rows(
    file: Path, mixture: "Mixture", missing_cells: MissingCells, table_format: TableFormat
) -> "tuple[MixtureInput, ColumnsByName]":
    """Return the rows of a file and their assignments, and print notes on them."""
    from gaussmix.cli.assignment_tables import compute_assignments
    from gaussmix.cli.mixture_input import read_rows_for_model
    from gaussmix.model.column_dependence import describe_broken_relations

    with console.progress_bar(f"reading {input_name(file)}"):
        file_input = read_rows_for_model(file, mixture, missing_cells, table_format)
    with file_input.number_errors_by_file():
        transformed_rows = mixture.transform_rows(file_input.selected.rows)
    broken = describe_broken_relations(mixture, transformed_rows, file_input.row_numbers)
    console.print_notes([*file_input.notes, *([broken] if broken else [])])
    with console.progress_bar("assigning rows"):
        return file_input, compute_assignments(mixture, file_input)


def _print_first_assignments(file_input: "MixtureInput", assignments: "ColumnsByName") -> None:
    """Print a table of the first ten used rows with their numbers, from 1, and how many more there are."""
    from gaussmix.cli.assignment_tables import ROW_NUMBER_NAME
    from gaussmix.cli.text_formatting import format_number, format_table, truncate_text
    from gaussmix.errors.text import format_count

    numbers = assignments[ROW_NUMBER_NAME][:_MAX_ROWS_SHOWN]
    n_more = len(assignments[ROW_NUMBER_NAME]) - len(numbers)
    columns = [[_format_header(ROW_NUMBER_NAME), *map(str, numbers)]]
    for name, values in file_input.identifiers.items():
        texts = [name, *map(str, values[numbers - 1])]
        columns.append([truncate_text(text, _MAX_IDENTIFIER_WIDTH) for text in texts])
    for name, values in assignments.items():
        if name != ROW_NUMBER_NAME:
            is_log = name == "log_density"
            format_value = str if values.dtype.kind == "i" else format_number if is_log else "{:.4f}".format
            columns.append([_format_header(name), *map(format_value, values[:_MAX_ROWS_SHOWN])])
    header, *cells = zip(*columns, strict=True)
    typer.echo(format_table(header, cells))
    if n_more:
        typer.echo(f"\n{format_count(n_more, 'more row')}; --output FILE.csv or FILE.parquet writes them all")


def _format_header(column_name: str) -> str:
    """Return a short header: 'p(2)' for 'probability_2', 'log density' for 'log_density'."""
    if column_name.startswith("probability_"):
        return f"p({column_name.removeprefix('probability_')})"
    return column_name.replace("_", " ")
