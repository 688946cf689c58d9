"""What ``fit`` and ``select`` share: the options of a search, and the search over the rows of a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import parse_component_counts, parse_criterion, parse_names, parse_structures
from gaussmix.errors import TableError

if TYPE_CHECKING:
    from gaussmix.cli.column_selection import SelectedColumns
    from gaussmix.selection import Selection

_DEFAULT_COMPONENT_RANGE = "1:9"
DEFAULT_N_STARTS = 4

ColumnsOption = Annotated[
    str | None,
    typer.Option("--columns", metavar="A,B", help="Columns to fit. Default: all that hold numbers."),
]
ComponentsOption = Annotated[
    str | None,
    typer.Option("--components", metavar="RANGE", help="Numbers of components to try: 3, 1:9 or 1,2,5. Default: 1:9."),
]
StructuresOption = Annotated[
    str,
    typer.Option(
        "--structures",
        metavar="NAMES",
        help="Shapes to try: all, or some of full, tied, diag, spherical and mclust's letters (VVV, EEE, ...).",
    ),
]
CriterionOption = Annotated[
    str, typer.Option("--criterion", metavar="NAME", help="What to choose by: bic, icl, aic, aicc or sabic.")
]
WeightsOption = Annotated[
    str | None, typer.Option("--sample-weight", metavar="COLUMN", help="Column that says how often each row counts.")
]
StartsOption = Annotated[
    int,
    typer.Option(
        "--n-starts",
        metavar="N",
        min=1,
        help="Starts for each candidate: more take longer, and may find better ones.",
    ),
]
NoiseOption = Annotated[
    bool, typer.Option("--noise", help="Add noise, spread evenly over the data, for rows that belong to no group.")
]
PriorOption = Annotated[
    bool, typer.Option("--prior", help="Draw covariances towards that of the data, so that few rows can make a group.")
]


@dataclass(frozen=True)
class SearchOptions:
    """The options of a search as they were read."""

    column_names: list[str] | None
    n_components: list[int]
    is_default_n_components: bool
    structures: str | list[str]
    criterion: str
    weight_column: str | None
    n_starts: int
    seed: int
    has_noise: bool
    has_prior: bool

    @classmethod
    def from_command_line(
        cls,
        columns: str | None,
        components: str | None,
        structures: str,
        criterion: str,
        weight_column: str | None,
        n_starts: int,
        seed: int,
        has_noise: bool,
        has_prior: bool,
    ) -> "SearchOptions":
        """Check the words of the command line; typer.BadParameter for what cannot be understood."""
        names = parse_names(columns, "--columns")
        if weight_column is not None and weight_column in (names or []):
            raise typer.BadParameter(
                f"{weight_column!r} is already used by --sample-weight; leave it out", param_hint="--columns"
            )
        shapes = parse_structures(structures)
        counts = parse_component_counts(_DEFAULT_COMPONENT_RANGE if components is None else components)
        words = "all" if structures == "all" else shapes  # the search knows which structures coincide in one column
        rule = parse_criterion(criterion)
        return cls(names, counts, components is None, words, rule, weight_column, n_starts, seed, has_noise, has_prior)


@dataclass(frozen=True)
class FileSearch:
    """A file's rows, and what the search over them has found."""

    path: Path
    selected_columns: "SelectedColumns"
    selection: "Selection"

    @property
    def description(self) -> str:
        """The file, its size and its columns."""
        return describe_data(self.path, self.selected_columns)


def describe_data(path: Path, selected_columns: "SelectedColumns") -> str:
    """A file, its size and its columns: 'faithful.csv: 272 rows, 2 columns (eruptions, waiting)'."""
    from gaussmix.cli.text_formatting import format_column_name, format_count, join_names

    names = join_names([format_column_name(name) for name in selected_columns.names])
    n_rows, n_columns = len(selected_columns.rows), len(selected_columns.names)
    return f"{path.name}: {format_count(n_rows, 'row')}, {format_count(n_columns, 'column')} ({names})"


def search_file(path: Path, options: SearchOptions) -> FileSearch:
    """Read the rows of a file and search over them."""
    from gaussmix.cli.column_selection import select_columns_for_fit
    from gaussmix.cli.table_reader import read_table
    from gaussmix.selection import select

    with console.progress_bar(f"reading {path.name}"):
        selected_columns = select_columns_for_fit(read_table(path), options.column_names, options.weight_column)
    console.print_notes(selected_columns.notes)
    counts = limit_n_components(path, len(selected_columns.rows), options)
    with console.progress_bar("fitting") as update:
        selection = select(
            selected_columns.rows,
            counts,
            options.structures,
            criterion=options.criterion,
            sample_weight=selected_columns.sample_weight,
            n_starts=options.n_starts,
            random_state=options.seed,
            feature_names=selected_columns.names,
            progress=update,
            noise=options.has_noise,
            prior="default" if options.has_prior else None,
        )
    return FileSearch(path, selected_columns, selection)


def limit_n_components(path: Path, n_rows: int, options: SearchOptions) -> list[int]:
    """Numbers of components that the rows suffice for: fewer by default, an error where they were asked for."""
    if options.n_components[-1] <= n_rows:
        return options.n_components
    if not options.is_default_n_components:
        raise TableError.too_few_rows(path, n_rows, options.n_components[-1])
    console.print_note(f"there are {n_rows} rows, so no more than {n_rows} components are tried.")
    return [count for count in options.n_components if count <= n_rows]
