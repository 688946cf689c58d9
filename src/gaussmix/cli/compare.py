"""``gaussmix compare``: compare solvers, and hard and soft assignment, on the rows of a file."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import (
    ColumnOptions,
    ColumnsOption,
    DropMissingOption,
    ExcludeOption,
    MissingCells,
    WeightsOption,
    require_not_excluded,
)
from gaussmix.cli.model_search import (
    DEFAULT_N_STARTS,
    ComponentsOption,
    CriterionOption,
    SearchOptions,
    StartsOption,
    StructuresOption,
    describe_file_size_and_columns,
    limit_or_reject_n_components,
)
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    EngineOption,
    SeedOption,
    parse_names,
    parse_non_negative_number,
    parse_output_path,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name, input_stem

if TYPE_CHECKING:
    from gaussmix.cli.column_selection import SelectedColumns
    from gaussmix.comparison.result import Comparison

EXAMPLES = """\b
Examples:
  gaussmix compare faithful.csv
  gaussmix compare iris.csv --labels species --components 3
  gaussmix compare faithful.csv --structures full --solvers em,squarem,lbfgs,cem
"""

_OUTPUT_FILES = {
    "solvers.png": "log-likelihood by iterations and by seconds, for each solver",
    "assignments.png": "k-means, the mixture, hard and soft, and labels",
}

LabelsOption = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="COLUMN",
        help="Column with the known group of each row, text or numbers; may be incomplete.",
    ),
]
SolversOption = Annotated[
    str | None,
    typer.Option(
        "--solvers",
        metavar="NAMES",
        help="Some of em, squarem, anderson, lbfgs, natural, adam, sgd, cem, sem, annealing, auto. "
        "Default: the first seven.",
    ),
]
ToleranceOption = Annotated[
    float,
    typer.Option(
        "--tol",
        metavar="GAIN",
        parser=parse_non_negative_number,
        help="A solver stops if an iteration gains less (nats per row).",
    ),
]
StandardizeOption = Annotated[
    bool | None,
    typer.Option(
        "--standardize/--no-standardize",
        help="Whether k-means and nearest neighbours use columns divided by their standard deviations. "
        "Default: yes, unless the chosen structure is spherical (EII, VII).",
        show_default=False,
    ),
]
OutputFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_output_path,
        help="Folder for the plots. Default: FILE's name with -comparison, in this folder.",
    ),
]

_MISSING_CELLS = MissingCells.REFUSE  # k-means and tests of normality need complete rows


def run_compare(
    file: DataFileArgument,
    columns: ColumnsOption = None,
    exclude: ExcludeOption = None,
    label_column: LabelsOption = None,
    components: ComponentsOption = None,
    structures: StructuresOption = "all",
    criterion: CriterionOption = "bic",
    solvers: SolversOption = None,
    tol: ToleranceOption = 1e-8,
    standardize: StandardizeOption = None,
    weight_column: WeightsOption = None,
    drops_missing: DropMissingOption = False,
    seed: SeedOption = 0,
    engine: EngineOption = "auto",
    n_starts: StartsOption = DEFAULT_N_STARTS,
    output: OutputFolderOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Compare solvers, and hard and soft assignment.

    Chooses a mixture as gaussmix fit does. Each solver then maximizes the log-likelihood from one
    common start. The mixture's hard and soft assignment is compared with k-means and, with
    --labels, with k-nearest neighbours. Prints tables and advice on when to use which, and writes
    solvers.png and assignments.png.
    """
    column_options = ColumnOptions.from_command_line(columns, exclude, weight_column, drops_missing, _MISSING_CELLS)
    options = SearchOptions.from_command_line(
        column_options, components, structures, criterion, n_starts, seed, engine, table_format=table_format
    )
    solver_names = _parse_solvers(solvers)
    if label_column is not None and label_column in [weight_column, *(column_options.names or [])]:
        raise typer.BadParameter(
            f"{label_column!r} is already used by --columns or --sample-weight", param_hint="--labels"
        )
    require_not_excluded(column_options.excluded, [] if label_column is None else [label_column], "--labels")
    folder = output or Path(f"{input_stem(file)}-comparison")

    from gaussmix.cli.output_paths import require_writable_folder
    from gaussmix.plots.canvas import require_matplotlib

    require_matplotlib()
    require_writable_folder(folder, tuple(_OUTPUT_FILES), input_paths=(file,))
    selected_columns, comparison = _read_and_compare(file, options, label_column, solver_names, tol, standardize)
    _print_comparison(file, selected_columns, comparison)
    _write_and_list_pictures(comparison, folder)


def _parse_solvers(text: str | None) -> list[str]:
    """Return the solvers in --solvers, in lower case, or the default ones; raise typer.BadParameter if unknown."""
    from gaussmix.comparison.solver_comparison import DEFAULT_SOLVERS
    from gaussmix.solvers.solver_table import SOLVERS

    names = [name.lower() for name in parse_names(text, "--solvers") or DEFAULT_SOLVERS]
    unknown = [name for name in names if name not in SOLVERS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(SOLVERS)}", param_hint="--solvers")
    return names


def _read_and_compare(
    path: Path,
    options: SearchOptions,
    label_column: str | None,
    solvers: Sequence[str],
    tol: float,
    standardize: bool | None,
) -> "tuple[SelectedColumns, Comparison]":
    """Read and compare the rows of a file, and print notes on its columns; return the columns and the comparison."""
    from gaussmix.cli.mixture_input import read_rows_to_fit
    from gaussmix.comparison.comparison import compare

    with console.progress_bar(f"reading {input_name(path)}"):
        file_input = read_rows_to_fit(path, options.columns, options.table_format, label_column)
    console.print_notes(file_input.notes)
    selected_columns = file_input.selected
    n_components = limit_or_reject_n_components(path, len(selected_columns.rows), options)
    with console.progress_bar("comparing") as progress_callback, console.hide_data_warnings():
        comparison = compare(
            selected_columns.rows,
            selected_columns.labels,
            n_components,
            options.structures,
            solvers,
            sample_weight=selected_columns.sample_weight,
            criterion=options.criterion,
            n_starts=options.n_starts,
            tol=tol,
            standardize=standardize,
            random_state=options.seed,
            feature_names=selected_columns.names,
            progress=progress_callback,
            engine=options.engine,
        )
    return selected_columns, comparison


def _print_comparison(path: Path, selected_columns: "SelectedColumns", comparison: "Comparison") -> None:
    """Print the tables, the advice and the warnings of a comparison."""
    from gaussmix.cli import comparison_tables, summaries
    from gaussmix.cli.text_formatting import format_fields

    agreement = comparison_tables.format_agreement_table(comparison)
    solver_caption = _wrap_to_terminal_width(comparison_tables.format_solver_caption(comparison))
    solvers = comparison_tables.format_solver_table(comparison)
    caption = _wrap_to_terminal_width(comparison_tables.format_assignment_caption(comparison))
    assignment = comparison_tables.format_assignment_table(comparison)
    normality = comparison_tables.format_normality_table(comparison)
    paragraphs = [
        format_fields(
            [
                ("File", describe_file_size_and_columns(path, selected_columns)),
                *summaries.selection_as_name_text_pairs(comparison.selection),
            ]
        ),
        f"{solver_caption}\n{solvers}",
        f"{caption}\n{assignment}",
        *([] if selected_columns.labels is None else [f"Agreement of partitions (adjusted Rand index):\n{agreement}"]),
        f"Tests of each component for normality (p-values):\n{normality}",
        _wrap_to_terminal_width(comparison.summary),
    ]
    for paragraph in paragraphs:
        typer.echo(f"{paragraph}\n")
    console.print_notes(summaries.best_candidate_warnings(comparison.selection))


def _wrap_to_terminal_width(text: str) -> str:
    """Return the text with line breaks at the width of the terminal."""
    return textwrap.fill(text, console.terminal_width(), break_long_words=False, break_on_hyphens=False)


def _write_and_list_pictures(comparison: "Comparison", folder: Path) -> None:
    """Draw both pictures of a comparison, write them to the folder, and print their names."""
    from gaussmix import plots
    from gaussmix.cli.output_paths import make_folder, partial_path, remove_partial_on_failure
    from gaussmix.plots.picture_export import draw_png

    make_folder(folder)
    draw_functions = (lambda: plots.solver_convergence(comparison), lambda: plots.partitions(comparison))
    with console.progress_bar("drawing"):
        for name, draw in zip(_OUTPUT_FILES, draw_functions, strict=True):
            with remove_partial_on_failure(folder / name) as path:
                partial_path(path).write_bytes(draw_png(draw))
                partial_path(path).replace(path)
    typer.echo(f"Wrote to {folder}:")
    for name, description in _OUTPUT_FILES.items():
        typer.echo(f"  {name:<16}  {description}")
