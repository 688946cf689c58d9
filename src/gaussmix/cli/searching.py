"""What ``fit`` and ``select`` share: the options of a search, and the search over the rows of a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import read_components, read_criterion, read_names, read_structures
from gaussmix.errors import TableProblem

if TYPE_CHECKING:
    from gaussmix.cli.columns import Chosen
    from gaussmix.selection import Selection

_DEFAULT_COMPONENTS = "1:9"
DEFAULT_STARTS = 4

Columns = Annotated[
    str | None,
    typer.Option("--columns", metavar="A,B", help="Columns to fit. Default: all that hold numbers."),
]
Components = Annotated[
    str | None,
    typer.Option("--components", metavar="RANGE", help="Numbers of components to try: 3, 1:9 or 1,2,5. Default: 1:9."),
]
Structures = Annotated[
    str,
    typer.Option(
        "--structures",
        metavar="NAMES",
        help="Shapes to try: all, or some of full, tied, diag, spherical and mclust's letters (VVV, EEE, ...).",
    ),
]
Criterion = Annotated[
    str, typer.Option("--criterion", metavar="NAME", help="What to choose by: bic, icl, aic, aicc or sabic.")
]
Weights = Annotated[
    str | None, typer.Option("--weights", metavar="COLUMN", help="Column that says how often each row counts.")
]
Starts = Annotated[
    int,
    typer.Option(
        "--starts", metavar="N", min=1, help="Starts for each candidate: more take longer, and may find better ones."
    ),
]
Noise = Annotated[
    bool, typer.Option("--noise", help="Add noise, spread evenly over the data, for rows that belong to no group.")
]
Prior = Annotated[
    bool, typer.Option("--prior", help="Draw covariances towards that of the data, so that few rows can make a group.")
]


@dataclass(frozen=True)
class Asked:
    """The options of a search as they were read."""

    columns: list[str] | None
    counts: list[int]
    are_default: bool
    structures: str | list[str]
    criterion: str
    weights: str | None
    starts: int
    seed: int
    noise: bool
    prior: bool

    @classmethod
    def read(
        cls,
        columns: str | None,
        components: str | None,
        structures: str,
        criterion: str,
        weights: str | None,
        starts: int,
        seed: int,
        noise: bool,
        prior: bool,
    ) -> "Asked":
        """Check the words of the command line; typer.BadParameter for what cannot be understood."""
        names = read_names(columns, "--columns")
        if weights is not None and weights in (names or []):
            raise typer.BadParameter(f"{weights!r} is already used by --weights; leave it out", param_hint="--columns")
        shapes = read_structures(structures)
        counts = read_components(_DEFAULT_COMPONENTS if components is None else components)
        words = "all" if structures == "all" else shapes  # the search knows which structures coincide in one column
        rule = read_criterion(criterion)
        return cls(names, counts, components is None, words, rule, weights, starts, seed, noise, prior)


@dataclass(frozen=True)
class Searched:
    """A file's rows, and what the search over them has found."""

    file: Path
    chosen: "Chosen"
    selection: "Selection"

    @property
    def description(self) -> str:
        """The file, its size and its columns."""
        return description(self.file, self.chosen)


def description(file: Path, chosen: "Chosen") -> str:
    """A file, its size and its columns: 'faithful.csv: 272 rows, 2 columns (eruptions, waiting)'."""
    from gaussmix.cli.text import label, listed, plural

    names = listed([label(name) for name in chosen.names])
    return f"{file.name}: {plural(len(chosen.rows), 'row')}, {plural(len(chosen.names), 'column')} ({names})"


def searched(file: Path, asked: Asked) -> Searched:
    """Read the rows of a file and search over them."""
    from gaussmix.cli.columns import for_fit
    from gaussmix.cli.table import read
    from gaussmix.selection import select

    with console.progress(f"reading {file.name}"):
        chosen = for_fit(read(file), asked.columns, asked.weights)
    console.notes(chosen.notes)
    counts = at_most(file, len(chosen.rows), asked)
    with console.progress("fitting") as update:
        selection = select(
            chosen.rows,
            counts,
            asked.structures,
            criterion=asked.criterion,
            sample_weight=chosen.weights,
            n_starts=asked.starts,
            random_state=asked.seed,
            feature_names=chosen.names,
            progress=update,
            noise=asked.noise,
            prior="default" if asked.prior else None,
        )
    return Searched(file, chosen, selection)


def at_most(file: Path, n_rows: int, asked: Asked) -> list[int]:
    """Numbers of components that the rows suffice for: fewer by default, an error where they were asked for."""
    if asked.counts[-1] <= n_rows:
        return asked.counts
    if not asked.are_default:
        raise TableProblem.too_few_rows(file, n_rows, asked.counts[-1])
    console.note(f"there are {n_rows} rows, so no more than {n_rows} components are tried.")
    return [count for count in asked.counts if count <= n_rows]
