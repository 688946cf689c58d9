"""``gaussmix report``: write a page with plots and tables for a model and the rows of a file."""

from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import DropMissingOption, MissingCells
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    ModelFileArgument,
    parse_output_path,
    require_html_suffix,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name

EXAMPLES = """\b
Examples:
  gaussmix report faithful-gaussmix faithful.csv
  gaussmix report faithful-gaussmix this-year.parquet -o this-year.html
"""


def run_report(
    model: ModelFileArgument,
    file: DataFileArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE.html", parser=parse_output_path, help="File to write."),
    ] = Path("report.html"),
    drops_missing: DropMissingOption = False,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Write an HTML page about a model and rows.

    It shows the rows of FILE and their assignment by the model, and needs no network. Columns are
    matched by name.
    """
    require_html_suffix(output)
    from gaussmix.cli.mixture_input import read_rows_for_model
    from gaussmix.cli.model_folder import find_model_file
    from gaussmix.cli.output_paths import remove_partial_on_failure, require_writable_file
    from gaussmix.model import Mixture
    from gaussmix.report.html_page import write_report

    model = find_model_file(model)
    mixture = Mixture.load(model)
    require_writable_file(output, input_paths=(model, file))
    with console.progress_bar(f"reading {input_name(file)}"):
        missing_cells = MissingCells.from_option(drops_missing, MissingCells.KEEP)
        file_input = read_rows_for_model(file, mixture, missing_cells, table_format)
    console.print_notes(file_input.notes)
    with (
        console.progress_bar("writing the report"),
        remove_partial_on_failure(output),
        file_input.number_errors_by_file(),
    ):
        write_report(
            output,
            mixture,
            file_input.selected.rows,
            source_name=input_name(file),
            identifiers=file_input.identifiers_of_used_rows,
            row_numbers=file_input.row_numbers,
        )
    typer.echo(f"Wrote {output}")
