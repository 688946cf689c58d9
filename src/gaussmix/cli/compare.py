"""``gaussmix compare``: optimisers, and hard and soft assignment, side by side on the rows of a file."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import DataFile, Debug, Seed, read_names
from gaussmix.cli.searching import (
    DEFAULT_STARTS,
    Asked,
    Columns,
    Components,
    Criterion,
    Starts,
    Structures,
    Weights,
    at_most,
    description,
)

if TYPE_CHECKING:
    from gaussmix.cli.columns import Chosen
    from gaussmix.selection.comparison import Comparison

EXAMPLES = """\b
Examples:
  gaussmix compare faithful.csv
  gaussmix compare iris.csv --labels species --components 3
  gaussmix compare faithful.csv --structures full --solvers em,squarem,lbfgs,cem
"""

_WRITTEN = {
    "optimisers.png": "log-likelihood by passes and by seconds, for each solver",
    "assignment.png": "k-means, the mixture hard and soft, labels: which row where",
}

Labels = Annotated[
    str | None,
    typer.Option(
        "--labels", metavar="COLUMN", help="Column with the known group of each row, texts or numbers; may have gaps."
    ),
]
Solvers = Annotated[
    str | None,
    typer.Option(
        "--solvers",
        metavar="NAMES",
        help="Some of em, squarem, anderson, lbfgs, natural, adam, sgd, cem, sem, annealing, auto. "
        "Default: the first seven.",
    ),
]
Tolerance = Annotated[
    float,
    typer.Option("--tol", metavar="GAIN", min=0.0, help="A solver stops where a pass gains less, in nats per row."),
]
Standardise = Annotated[
    bool | None,
    typer.Option(
        "--standardise/--raw",
        help="Whether k-means and neighbours measure in standard deviations of each column, or in the data's units. "
        "Default: the data's units where the structure chosen is round (EII, VII).",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        readable=False,
        help="Folder for the pictures. Default: FILE's name with -comparison, here.",
    ),
]


def run(
    file: DataFile,
    columns: Columns = None,
    labels: Labels = None,
    components: Components = None,
    structures: Structures = "all",
    criterion: Criterion = "bic",
    solvers: Solvers = None,
    tol: Tolerance = 1e-8,
    standardise: Standardise = None,
    weights: Weights = None,
    seed: Seed = 0,
    starts: Starts = DEFAULT_STARTS,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Compare optimisers, and hard and soft assignment.

    Chooses a mixture as gaussmix fit does. From one start, each solver then climbs to the best
    log-likelihood it can reach. And the mixture's hard and soft assignment is set beside k-means
    and, with --labels, k-nearest neighbours. Prints tables and a paragraph on when to prefer which,
    and writes optimisers.png and assignment.png.
    """
    asked = Asked.read(columns, components, structures, criterion, weights, starts, seed, noise=False, prior=False)
    names = _read_solvers(solvers)
    if labels is not None and labels in [weights, *(asked.columns or [])]:
        raise typer.BadParameter(f"{labels!r} is already used by --columns or --weights", param_hint="--labels")
    folder = output or Path(f"{file.stem}-comparison")

    from gaussmix.cli.places import require_folder
    from gaussmix.plots.canvas import require_matplotlib

    require_matplotlib()
    require_folder(folder, tuple(_WRITTEN), inputs=(file,))
    chosen, found = _compared(file, asked, labels, names, tol, standardise)
    _print(file, chosen, found)
    _write(found, folder)


def _read_solvers(text: str | None) -> list[str]:
    from gaussmix.selection.optimising import DEFAULT_SOLVERS
    from gaussmix.solvers.table import SOLVERS

    names = [name.lower() for name in read_names(text, "--solvers") or DEFAULT_SOLVERS]
    unknown = [name for name in names if name not in SOLVERS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(SOLVERS)}", param_hint="--solvers")
    return names


def _compared(
    file: Path, asked: Asked, labels: str | None, solvers: Sequence[str], tol: float, standardise: bool | None
) -> "tuple[Chosen, Comparison]":
    from gaussmix.cli.columns import for_comparison
    from gaussmix.cli.table import read
    from gaussmix.estimators import compare

    with console.progress(f"reading {file.name}"):
        chosen = for_comparison(read(file), asked.columns, asked.weights, labels)
    console.notes(chosen.notes)
    counts = at_most(file, len(chosen.rows), asked)
    with console.progress("comparing") as update:
        found = compare(
            chosen.rows,
            chosen.labels,
            counts,
            asked.structures,
            solvers,
            sample_weight=chosen.weights,
            criterion=asked.criterion,
            n_starts=asked.starts,
            tol=tol,
            standardise=standardise,
            random_state=asked.seed,
            feature_names=chosen.names,
            progress=update,
        )
    return chosen, found


def _print(file: Path, chosen: "Chosen", found: "Comparison") -> None:
    from gaussmix.cli import beside, describe
    from gaussmix.cli.text import fields

    agreed = f"Agreement of partitions (adjusted Rand index):\n{beside.agreement(found)}"
    paragraphs = [
        fields([("File", description(file, chosen)), *describe.choice(found.selection)]),
        f"Optimisers, from one start (near: within 1e-6 of the best per row):\n{beside.optimisers(found)}",
        f"{_filled(beside.what_is_assigned(found))}\n{beside.assignment(found)}",
        *([] if chosen.labels is None else [agreed]),
        f"Do components look Gaussian? (p-values; together: of all tests here)\n{beside.normality(found)}",
        _filled(found.words),
    ]
    for paragraph in paragraphs:
        typer.echo(f"{paragraph}\n")
    console.notes(describe.cautions(found.selection))


def _filled(text: str) -> str:
    return textwrap.fill(text, console.width(), break_long_words=False, break_on_hyphens=False)


def _write(found: "Comparison", folder: Path) -> None:
    from gaussmix import plots
    from gaussmix.cli.places import make_folder, partial, whole
    from gaussmix.plots.picture import png

    make_folder(folder)
    drawings = (lambda: plots.optimisers(found), lambda: plots.partitions(found))
    with console.progress("drawing"):
        for name, draw in zip(_WRITTEN, drawings, strict=True):
            with whole(folder / name) as path:
                partial(path).write_bytes(png(draw))
                partial(path).replace(path)
    typer.echo(f"Wrote to {folder}:")
    for name, what in _WRITTEN.items():
        typer.echo(f"  {name:<16}  {what}")
