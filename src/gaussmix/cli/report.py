"""``gaussmix report``: write a page with plots and tables for a model and the rows of a file."""

from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli import console
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
  gaussmix report faithful-gaussmix/model.safetensors faithful.csv
  gaussmix report model.safetensors this-year.parquet --output this-year.html
"""


def run_report(
    model: ModelFileArgument,
    file: DataFileArgument,
    output: Annotated[Path, typer.Option(metavar="FILE.html", parser=parse_output_path, help="File to write.")] = Path(
        "report.html"
    ),
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Write an HTML page about a model and rows.

    It shows the rows of FILE and their assignment by the model, and needs no network. Columns are
    matched by name.
    """
    require_html_suffix(output)
    from gaussmix.cli.column_selection import select_columns_for_model
    from gaussmix.cli.output_paths import remove_partial_on_failure, require_writable_file
    from gaussmix.cli.table_reader import read_table
    from gaussmix.model import Mixture
    from gaussmix.report.html_page import write_report

    mixture = Mixture.load(model)
    require_writable_file(output, input_paths=(model, file))
    with console.progress_bar(f"reading {input_name(file)}"):
        selected_columns = select_columns_for_model(
            read_table(file, table_format), mixture.feature_names, mixture.n_features
        )
    console.print_notes(selected_columns.notes)
    with console.progress_bar("writing the report"), remove_partial_on_failure(output):
        write_report(output, mixture, selected_columns.rows, source_name=input_name(file))
    typer.echo(f"Wrote {output}")
