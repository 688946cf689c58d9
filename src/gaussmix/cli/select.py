"""``gaussmix select``: rank covariance structures and numbers of components for the rows of a file."""

from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import (
    ColumnOptions,
    ColumnsOption,
    DropMissingOption,
    ExcludeOption,
    WeightsOption,
)
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
    make_integer_parser,
    parse_output_path,
    require_table_suffix,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat

EXAMPLES = """\b
Examples:
  gaussmix select faithful.csv
  gaussmix select faithful.csv --components 1:5 --criterion icl --top 20
  gaussmix select wine.parquet --structures full,tied,VVE --output candidates.csv
"""

TopOption = Annotated[
    int,
    typer.Option("--top", metavar="N", parser=make_integer_parser(1), help="Candidates to print, best first."),
]
OutputTableOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="TABLE",
        parser=parse_output_path,
        help="Write all candidates to a .csv or .parquet file.",
    ),
]


def run_select(
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
    max_candidates: TopOption = 10,
    output: OutputTableOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Rank covariance structures and numbers of components.

    Fits a Gaussian mixture for every number of components and every covariance structure (size,
    shape and orientation of the groups), and prints them, best first. gaussmix fit runs the same
    search and writes the best mixture.
    """
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
    if output is not None:
        _require_writable_table(output, file)
    search = search_file(file, options)
    _print_ranking(search, max_candidates)
    if output is not None:
        _write_candidates(search, output)


def _require_writable_table(output: Path, file: Path) -> None:
    """Raise typer.BadParameter or FileError unless the table of candidates can be written."""
    from gaussmix.cli.output_paths import require_writable_file

    require_table_suffix(output)
    require_writable_file(output, input_paths=(file,))


def _print_ranking(search: FileSearch, max_candidates: int) -> None:
    """Print the best candidate, a table of the first ``max_candidates`` ones, and warnings."""
    from gaussmix.cli import summaries
    from gaussmix.cli.text_formatting import format_fields

    fields = [("File", search.description), *summaries.selection_as_name_text_pairs(search.selection)]
    typer.echo(format_fields(fields) + "\n")
    typer.echo(summaries.format_ranking(search.selection, max_candidates))
    console.print_notes(summaries.best_candidate_warnings(search.selection))


def _write_candidates(search: FileSearch, output: Path) -> None:
    """Write a table of all candidates, best first, to a .csv or .parquet file, and print its name."""
    import numpy as np

    from gaussmix.cli.table_writer import write_table

    rows = search.selection.table()
    numeric_names = {"log_likelihood", *search.selection.best.criteria}
    columns = {
        name: np.array([row[name] for row in rows], dtype=np.float64 if name in numeric_names else None)
        for name in rows[0]
    }
    write_table(columns, output)
    typer.echo(f"\nWrote {output}: {len(rows)} candidates, best first")
