"""What ``fit``, ``select`` and ``compare`` share: the options of a model search, and the search of a file's rows."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import ColumnOptions
from gaussmix.cli.options import (
    make_integer_parser,
    parse_component_counts,
    parse_criterion,
    parse_engine,
    parse_structures,
    parse_transform,
)
from gaussmix.cli.table_format import TableFormat, input_name
from gaussmix.errors import TableError

if TYPE_CHECKING:
    from gaussmix.cli.column_selection import SelectedColumns
    from gaussmix.cli.mixture_input import MixtureInput
    from gaussmix.selection import Selection

_DEFAULT_COMPONENT_RANGE = "1:9"
DEFAULT_N_STARTS = 4

ComponentsOption = Annotated[
    str | None,
    typer.Option(
        "--components",
        "-k",
        metavar="RANGE",
        help="Numbers of components to try: 3, 1:9 or 1,2,5. Default: 1:9, and more while the largest number is best.",
    ),
]
StructuresOption = Annotated[
    str,
    typer.Option(
        "--structures",
        metavar="NAMES",
        help="Covariance structures to try: all, or some of full, tied, diag, spherical and mclust's letters such "
        "as VVV or EEE.",
    ),
]
CriterionOption = Annotated[
    str, typer.Option("--criterion", metavar="NAME", help="Criterion to choose by: bic, icl, aic, aicc or sabic.")
]
StartsOption = Annotated[
    int,
    typer.Option(
        "--n-starts",
        metavar="N",
        parser=make_integer_parser(1),
        help="Starts per candidate. More take longer and may find better fits.",
    ),
]
NoiseOption = Annotated[
    bool, typer.Option("--noise", help="Add a uniform noise component for rows that belong to no group.")
]
PriorOption = Annotated[
    bool,
    typer.Option("--prior", help="Shrink covariances towards that of the data, so that small groups can be fitted."),
]
TransformOption = Annotated[
    str | None,
    typer.Option(
        "--transform",
        metavar="NAME",
        help="Transform columns: log1p, yeo-johnson or standardize for all, auto for those that need it, or some as "
        "in income=log1p,age=yeo-johnson.",
    ),
]


@dataclass(frozen=True)
class SearchOptions:
    """The parsed options of a model search; ``is_default_n_components`` is False if the user set --components."""

    columns: ColumnOptions
    n_components: list[int]
    is_default_n_components: bool
    structures: str | list[str]
    criterion: str
    n_starts: int
    seed: int
    has_noise: bool
    has_prior: bool
    engine: str
    transform: str | dict[str, str] | None = None
    table_format: TableFormat = field(default_factory=TableFormat)

    @classmethod
    def from_command_line(
        cls,
        columns: ColumnOptions,
        components: str | None,
        structures: str,
        criterion: str,
        n_starts: int,
        seed: int,
        engine: str,
        has_noise: bool = False,
        has_prior: bool = False,
        transform: str | None = None,
        table_format: TableFormat | None = None,
    ) -> "SearchOptions":
        """Return the options, parsed from the texts of the command line; raise typer.BadParameter if one is invalid."""
        parsed_structures = parse_structures(structures)
        return cls(
            columns,
            parse_component_counts(_DEFAULT_COMPONENT_RANGE if components is None else components),
            components is None,
            # `select` knows which of all structures coincide for one column.
            "all" if structures == "all" else parsed_structures,
            parse_criterion(criterion),
            n_starts,
            seed,
            has_noise,
            has_prior,
            parse_engine(engine),
            parse_transform(transform),
            table_format or TableFormat(),
        )


@dataclass(frozen=True)
class FileSearch:
    """The rows of a file, and the result of the search over them."""

    path: Path
    input: "MixtureInput"
    selection: "Selection"

    @property
    def selected_columns(self) -> "SelectedColumns":
        """The columns that are fitted, of the rows that are used."""
        return self.input.selected

    @property
    def description(self) -> str:
        """File name, numbers of rows and columns, and column names, as text."""
        return describe_file_size_and_columns(self.path, self.selected_columns)


def describe_file_size_and_columns(path: Path, selected_columns: "SelectedColumns") -> str:
    """Return a file's name, size and columns: 'faithful.csv: 272 rows, 2 columns (eruptions, waiting)'."""
    from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN, format_column_name
    from gaussmix.errors.text import format_count, join_with_commas

    names = join_with_commas([format_column_name(name) for name in selected_columns.names], MAX_NAMES_SHOWN)
    n_rows, n_columns = len(selected_columns.rows), len(selected_columns.names)
    rows = format_count(n_rows, "row")
    if selected_columns.is_used is not None:
        rows = f"{n_rows} of {format_count(len(selected_columns.is_used), 'row')}"
    return f"{input_name(path)}: {rows}, {format_count(n_columns, 'column')} ({names})"


def search_file(path: Path, options: SearchOptions) -> FileSearch:
    """Read the rows of a file, print notes on its columns, fit all candidates, and return their ranking."""
    from gaussmix.cli.mixture_input import read_rows_to_fit
    from gaussmix.selection import select

    with console.progress_bar(f"reading {input_name(path)}"):
        file_input = read_rows_to_fit(path, options.columns, options.table_format)
    console.print_notes(file_input.notes)
    selected_columns = file_input.selected
    n_components = limit_or_reject_n_components(path, len(selected_columns.rows), options)
    with (
        console.progress_bar("fitting", "checking columns and preparing starts") as progress_callback,
        console.hide_data_warnings(),
        file_input.number_errors_by_file(),
    ):
        selection = select(
            selected_columns.rows,
            n_components,
            options.structures,
            criterion=options.criterion,
            sample_weight=selected_columns.sample_weight,
            n_starts=options.n_starts,
            random_state=options.seed,
            feature_names=selected_columns.names,
            progress=progress_callback,
            noise=options.has_noise,
            prior="default" if options.has_prior else None,
            engine=options.engine,
            transform=options.transform,
        )
    return FileSearch(path, file_input, selection)


def limit_or_reject_n_components(path: Path, n_rows: int, options: SearchOptions) -> list[int] | None:
    """Return the numbers of components up to ``n_rows``; if the user set larger ones, raise TableError.

    The default is None, so that the search may go on upward. If default ones are larger, a note is printed.
    """
    if options.n_components[-1] <= n_rows:
        return None if options.is_default_n_components else options.n_components
    if not options.is_default_n_components:
        raise TableError.too_few_rows(path, n_rows, options.n_components[-1])
    console.print_note(f"the file has {n_rows} rows, so at most {n_rows} components are tried.")
    return [count for count in options.n_components if count <= n_rows]
