"""``gaussmix fit``: choose a mixture for the rows of a file, print it, and write it to files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gaussmix.cli import console
from gaussmix.cli.model_search import (
    DEFAULT_N_STARTS,
    ColumnsOption,
    ComponentsOption,
    CriterionOption,
    FileSearch,
    NoiseOption,
    PriorOption,
    SearchOptions,
    StartsOption,
    StructuresOption,
    TransformOption,
    WeightsOption,
    search_file,
)
from gaussmix.cli.options import DataFileArgument, DebugOption, EngineOption, SeedOption, parse_output_path
from gaussmix.cli.report_process import ReportProcess, start_report_process
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name, input_stem

if TYPE_CHECKING:
    from gaussmix.cli.table_writer import ColumnsByName
    from gaussmix.model import Mixture

EXAMPLES = """\b
Examples:
  gaussmix fit faithful.csv
  gaussmix fit faithful.csv --components 2 --structures full
  gaussmix fit wine.parquet --columns alcohol,hue --components 1:5
  gaussmix fit survey.csv --sample-weight count --criterion icl --output out
  gaussmix fit sensors.csv --noise
  gaussmix fit customers.csv --transform income=log1p
"""

_OUTPUT_FILES = {
    "model.safetensors": "the mixture, for info, predict, sample and report",
    "assignments.parquet": "each row's component, probabilities and density",
    "report.html": "plots and tables, for a browser",
}


OutputFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        parser=parse_output_path,
        help="Folder to write to. Default: FILE's name with -gaussmix, in this folder.",
    ),
]


def run_fit(
    file: DataFileArgument,
    columns: ColumnsOption = None,
    components: ComponentsOption = None,
    structures: StructuresOption = "all",
    criterion: CriterionOption = "bic",
    weight_column: WeightsOption = None,
    seed: SeedOption = 0,
    engine: EngineOption = "auto",
    n_starts: StartsOption = DEFAULT_N_STARTS,
    has_noise: NoiseOption = False,
    has_prior: PriorOption = False,
    transform: TransformOption = None,
    output: OutputFolderOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Find the groups in the rows of a file.

    Fits a Gaussian mixture for every number of components and every covariance structure (size,
    shape and orientation of the groups), chooses one by BIC, prints it, and writes
    model.safetensors, assignments.parquet and report.html.
    """
    with start_report_process() as report_process:
        options = SearchOptions.from_command_line(
            columns,
            components,
            structures,
            criterion,
            weight_column,
            n_starts,
            seed,
            engine,
            has_noise,
            has_prior,
            transform,
            table_format,
        )
        folder = output or Path(f"{input_stem(file)}-gaussmix")

        from gaussmix.cli.output_paths import require_writable_folder

        require_writable_folder(folder, tuple(_OUTPUT_FILES), input_paths=(file,))
        result = _assign_rows_to_best_mixture(search_file(file, options))
        _print_result(result)
        _write_and_list_output_files(result, folder, report_process)


@dataclass(frozen=True)
class _FitResult:
    """The search of one command, the best mixture, and the assignment of every row to its components."""

    search: FileSearch
    mixture: "Mixture"
    assignments: "ColumnsByName"


def _assign_rows_to_best_mixture(search: FileSearch) -> _FitResult:
    """Return the search, its best mixture, and the assignment of every row to the components of that mixture."""
    from gaussmix.cli.table_writer import compute_assignments

    mixture = cast("Mixture", search.selection.best.mixture)  # select raises if no candidate could be fitted
    with console.progress_bar("assigning rows"):
        assignments = compute_assignments(mixture, search.selected_columns.rows)
    return _FitResult(search, mixture, assignments)


def _print_result(result: _FitResult) -> None:
    """Print the choice of the mixture, its components, the certainty of the assignment, and warnings."""
    from gaussmix.cli import summaries
    from gaussmix.cli.text_formatting import format_fields
    from gaussmix.model.noise import append_noise_weight

    selection = result.search.selection
    paragraphs = (
        format_fields([("File", result.search.description), *summaries.selection_as_name_text_pairs(selection)]),
        summaries.format_component_table(result.mixture, result.assignments["component"]),
        summaries.list_components(result.mixture),
        summaries.describe_row_certainty(
            result.assignments["uncertainty"], len(append_noise_weight(result.mixture.weights, result.mixture.noise))
        ),
    )
    for paragraph in filter(None, paragraphs):
        typer.echo(f"{paragraph}\n")
    console.print_notes(summaries.best_candidate_warnings(selection))


def _write_and_list_output_files(result: _FitResult, folder: Path, report_process: ReportProcess) -> None:
    """Write the mixture, the assignments and the report to the folder, and print the names of these files."""
    from gaussmix.cli.output_paths import make_folder, remove_partial_on_failure
    from gaussmix.cli.table_writer import write_table
    from gaussmix.report.html_page import write_report

    make_folder(folder)
    with remove_partial_on_failure(folder / "model.safetensors") as path:
        result.mixture.save(path)
    write_table(result.assignments, folder / "assignments.parquet")
    with console.progress_bar("writing the report"), remove_partial_on_failure(folder / "report.html") as path:
        report_process.write_report(
            write_report,
            path,
            result.mixture,
            result.search.selected_columns.rows,
            fit=result.search.selection.best.fit,
            selection=result.search.selection,
            sample_weight=result.search.selected_columns.sample_weight,
            source_name=input_name(result.search.path),
        )
    typer.echo(f"Wrote to {folder}:")
    for name, description in _OUTPUT_FILES.items():
        typer.echo(f"  {name:<20}  {description}")
