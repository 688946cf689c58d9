"""``gaussmix fit``: choose a mixture for the rows of a file, print it, and write it to files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import (
    ColumnOptions,
    ColumnsOption,
    DropMissingOption,
    ExcludeOption,
    WeightsOption,
    WithDataOption,
)
from gaussmix.cli.model_folder import MODEL_FILE
from gaussmix.cli.model_search import (
    DEFAULT_N_STARTS,
    ComponentsOption,
    CriterionOption,
    FileSearch,
    NoiseOption,
    PriorOption,
    SearchOptions,
    StartsOption,
    StructuresOption,
    TransformOption,
    search_file,
)
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    EngineOption,
    SeedOption,
    make_choice_parser,
    parse_output_path,
)
from gaussmix.cli.report_process import ReportProcess, start_report_process
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name, input_stem

if TYPE_CHECKING:
    from gaussmix.cli.table_writer import ColumnsByName
    from gaussmix.model import Mixture

EXAMPLES = """\b
Examples:
  gaussmix fit faithful.csv
  gaussmix fit faithful.csv -k 2 --structures full
  gaussmix fit wine.parquet --columns alcohol,hue --components 1:5
  gaussmix fit survey.csv --sample-weight count --criterion icl -o out
  gaussmix fit survey.csv --exclude year,region --drop-missing --with-data
  gaussmix fit sensors.csv --noise
  gaussmix fit customers.csv --transform income=log1p
"""

_REPORT_FILE = "report.html"
_DESCRIPTIONS = {
    MODEL_FILE: "the mixture, for info, predict, sample and report",
    "assignments.csv": "each row's component, probabilities and density",
    "assignments.parquet": "the same, faster to read",
    _REPORT_FILE: "plots and tables, for a browser",
}


OutputFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_output_path,
        help="Folder to write to. Default: FILE's name with -gaussmix, in this folder.",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        parser=make_choice_parser("csv", "parquet", "both"),
        help="Tables of assignments to write: csv, parquet or both. Default: both, and parquet from 1 000 000 rows on.",
        show_default=False,
    ),
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace the results of another file in the output folder.")
]


def run_fit(
    file: DataFileArgument,
    columns: ColumnsOption = None,
    exclude: ExcludeOption = None,
    components: ComponentsOption = None,
    structures: StructuresOption = "all",
    criterion: CriterionOption = "bic",
    weight_column: WeightsOption = None,
    drops_missing: DropMissingOption = False,
    seed: SeedOption = 0,
    engine: EngineOption = "auto",
    n_starts: StartsOption = DEFAULT_N_STARTS,
    has_noise: NoiseOption = False,
    has_prior: PriorOption = False,
    transform: TransformOption = None,
    output: OutputFolderOption = None,
    output_format: FormatOption = None,
    has_data: WithDataOption = False,
    can_overwrite: OverwriteOption = False,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Find the groups in the rows of a file.

    Fits a Gaussian mixture for every number of components and every covariance structure (size,
    shape and orientation of the groups), chooses one by BIC, prints it, and writes
    model.safetensors, assignments.csv, assignments.parquet and report.html. Columns that identify
    rows, such as customer_id, are not fitted; they stand in the assignments. Rows count from 1.
    """
    with start_report_process() as report_process:
        options = SearchOptions.from_command_line(
            ColumnOptions.from_command_line(columns, exclude, weight_column, drops_missing),
            components,
            structures,
            criterion,
            n_starts,
            seed,
            engine,
            has_noise,
            has_prior,
            transform,
            table_format,
        )
        folder = output or Path(f"{input_stem(file)}-gaussmix")
        _require_usable_folder(folder, file, output_format, can_overwrite)
        result = _fit_and_print_result(file, options)
        _write_and_list_output_files(result, folder, report_process, output_format, has_data)


def _require_usable_folder(folder: Path, file: Path, output_format: str | None, can_overwrite: bool) -> None:
    """Raise FileError if a file cannot be written to the folder, or if the folder holds the results of another file."""
    from gaussmix.cli.assignment_tables import list_assignment_suffixes
    from gaussmix.cli.model_folder import require_same_input
    from gaussmix.cli.output_paths import require_writable_folder

    names = _name_output_files(list_assignment_suffixes(output_format, n_rows=0))
    require_writable_folder(folder, names, input_paths=(file,))
    if not can_overwrite:
        require_same_input(folder, file)


def _name_output_files(suffixes: Sequence[str]) -> list[str]:
    """Return the names of the files to write, with assignments in files of these suffixes."""
    return [MODEL_FILE, *(f"assignments{suffix}" for suffix in suffixes), _REPORT_FILE]


def _fit_and_print_result(file: Path, options: SearchOptions) -> "_FitResult":
    """Fit all candidates to the rows of a file, print the result, and return it."""
    result = _assign_rows_to_best_mixture(search_file(file, options))
    _print_result(result)
    return result


@dataclass(frozen=True)
class _FitResult:
    """The search of one command, the best mixture, and the assignment of every row to its components."""

    search: FileSearch
    mixture: "Mixture"
    assignments: "ColumnsByName"


def _assign_rows_to_best_mixture(search: FileSearch) -> _FitResult:
    """Return the search, its best mixture, and the assignment of every row to the components of that mixture."""
    from gaussmix.cli.assignment_tables import compute_assignments

    mixture = cast("Mixture", search.selection.best.mixture)  # select raises if no candidate could be fitted
    with console.progress_bar("assigning rows"):
        assignments = compute_assignments(mixture, search.input)
    return _FitResult(search, mixture, assignments)


def _print_result(result: _FitResult) -> None:
    """Print the choice of the mixture, its components, the certainty of the assignment, and warnings."""
    from gaussmix.cli import summaries
    from gaussmix.cli.text_formatting import format_fields
    from gaussmix.model.noise import append_noise_weight

    selection = result.search.selection
    paragraphs = (
        format_fields([("File", result.search.description), *summaries.selection_as_name_text_pairs(selection)]),
        summaries.format_component_table(
            result.mixture, result.assignments["component"], result.search.selected_columns.sample_weight
        ),
        summaries.list_components(result.mixture),
        summaries.describe_row_certainty(
            result.assignments["uncertainty"], len(append_noise_weight(result.mixture.weights, result.mixture.noise))
        ),
    )
    for paragraph in filter(None, paragraphs):
        typer.echo(f"{paragraph}\n")
    console.print_notes(summaries.best_candidate_warnings(selection))


def _write_and_list_output_files(
    result: _FitResult, folder: Path, report_process: ReportProcess, output_format: str | None, has_data: bool
) -> None:
    """Write the mixture, the assignments and the report to the folder, and print the names of these files."""
    from gaussmix.cli.assignment_tables import list_assignment_suffixes, write_assignments
    from gaussmix.cli.model_folder import InputRecord
    from gaussmix.cli.output_paths import make_folder, remove_partial_on_failure
    from gaussmix.model.serialization import save_parameters
    from gaussmix.report.html_page import write_report

    make_folder(folder)
    search = result.search
    with remove_partial_on_failure(folder / MODEL_FILE) as path:
        save_parameters(result.mixture, path, InputRecord.of_file(search.path).to_json())
    suffixes = list_assignment_suffixes(output_format, search.input.table.n_rows)
    for suffix in suffixes:
        write_assignments(search.input, result.assignments, folder / f"assignments{suffix}", has_data)
    with console.progress_bar("writing the report"), remove_partial_on_failure(folder / _REPORT_FILE) as path:
        report_process.write_report(
            write_report,
            path,
            result.mixture,
            search.selected_columns.rows,
            fit=search.selection.best.fit,
            selection=search.selection,
            sample_weight=search.selected_columns.sample_weight,
            source_name=input_name(search.path),
            identifiers=search.input.identifiers_of_used_rows,
            row_numbers=search.input.row_numbers,
        )
    _list_output_files(folder, suffixes)


def _list_output_files(folder: Path, suffixes: Sequence[str]) -> None:
    """Print the names of the files that were written, and of assignments that an earlier run has left."""
    names = _name_output_files(suffixes)
    typer.echo(f"Wrote to {folder}:")
    for name in names:
        typer.echo(f"  {name:<20}  {_DESCRIPTIONS[name]}")
    for name in _DESCRIPTIONS:
        if name not in names and (folder / name).exists():
            console.print_note(f"{folder / name} is from an earlier run; --format both writes it again.")
