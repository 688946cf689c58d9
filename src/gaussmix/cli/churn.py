"""``gaussmix churn``: who of the customers in a file will leave, why, and whom to contact."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.churn_options import (
    CategoricalOption,
    ChurnOptions,
    CostOption,
    DropOption,
    FixedOption,
    FoldsOption,
    GroupsOption,
    PositiveOption,
    SuccessRateOption,
    TargetOption,
    TestFractionOption,
    TimeOption,
    ValueOption,
    parse_contact_options,
)
from gaussmix.cli.model_folder import CHURN_FILE
from gaussmix.cli.options import DataFileArgument, DebugOption, SeedOption, parse_output_path
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name, input_stem

if TYPE_CHECKING:
    from gaussmix.cli.churn_training import ChurnResult

EXAMPLES = """\b
Examples:
  gaussmix churn customers.csv --target Churn
  gaussmix churn customers.csv --target Churn --drop CustomerID,LastCall --by Gender
  gaussmix churn customers.csv --target Churn --cost-contact 20 --value-saved 300 --success-rate 0.3
  gaussmix churn customers.parquet --target left --positive 1 --time month
"""

_TABLE_FILES = {
    "scored.csv": "FILE's columns, probability of leaving, segment, reasons",
    "scored.parquet": "the same",
}
_REPORT_FILE = "report.html"
_FILES = {
    **_TABLE_FILES,
    CHURN_FILE: "the model, for gaussmix churn-score",
    _REPORT_FILE: "tables and pictures, for a browser",
}

OutputFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_output_path,
        help="Folder to write to. Default: FILE's name with -churn, in this folder.",
    ),
]


def run_churn(
    file: DataFileArgument,
    target: TargetOption,
    positive: PositiveOption = None,
    drop: DropOption = None,
    categorical: CategoricalOption = None,
    fixed: FixedOption = None,
    groups: GroupsOption = None,
    time: TimeOption = None,
    test_fraction: TestFractionOption = None,
    folds: FoldsOption = None,
    cost_contact: CostOption = None,
    value_saved: ValueOption = None,
    success_rate: SuccessRateOption = None,
    seed: SeedOption = 0,
    output: OutputFolderOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Predict which customers leave.

    Learns from customers of whom FILE says whether they left. Prints how good the probabilities
    are on customers that the model has not seen, beside logistic regression and boosting, the
    segments of the customers with their churn rates, and who is likely to leave. Writes scored.csv,
    scored.parquet, churn.safetensors and report.html. Cells may be empty. Data rows count
    from 1.
    """
    from gaussmix.cli.churn_training import train_churn_model
    from gaussmix.cli.output_paths import require_writable_folder

    options = ChurnOptions.from_command_line(
        file,
        target,
        positive,
        time,
        groups,
        folds,
        test_fraction,
        {"--drop": drop, "--categorical": categorical, "--fixed": fixed},
        parse_contact_options(cost_contact, value_saved, success_rate),
        seed,
        table_format,
    )
    folder = output or Path(f"{input_stem(file)}-churn")
    require_writable_folder(folder, tuple(_FILES), input_paths=(file,))
    result = train_churn_model(options)
    _print_result(options, result)
    _write_and_list_output_files(options, result, folder)


def _print_result(options: ChurnOptions, result: "ChurnResult") -> None:
    """Print file, outcomes, test, models, segments, customers and contacts."""
    from gaussmix.cli.churn_listing import (
        format_contacts,
        format_customers,
        format_groups,
        format_models,
        format_segments,
        format_summary,
    )

    summary = result.summary
    paragraphs = (
        format_summary(input_name(options.file), options.target, summary),
        format_models(summary.validation),
        format_groups(summary.validation),
        format_segments(summary),
        format_customers(summary.scores, "customers who may leave next", bool(options.fixed)),
        format_contacts(summary.validation.plan, summary.scores.plan),
    )
    for paragraph in paragraphs:
        if paragraph:
            typer.echo(f"{paragraph}\n")


def _write_and_list_output_files(options: ChurnOptions, result: "ChurnResult", folder: Path) -> None:
    """Write the tables, the model and the report to the folder, and print the names of these files."""
    from gaussmix.cli.output_paths import make_folder, remove_partial_on_failure
    from gaussmix.cli.table_writer import write_table_with_columns
    from gaussmix.report.churn_page import write_churn_report

    make_folder(folder)
    for name in _TABLE_FILES:
        write_table_with_columns(result.customers.table, result.summary.scores.to_table(), folder / name)
    with remove_partial_on_failure(folder / CHURN_FILE) as path:
        result.summary.model.save(path)
    with console.progress_bar("writing the report"), remove_partial_on_failure(folder / _REPORT_FILE) as path:
        write_churn_report(path, result.summary, notes=result.notes, source_name=input_name(options.file))
    typer.echo(f"Wrote to {folder}:")
    for name, description in _FILES.items():
        typer.echo(f"  {name:<17}  {description}")
