"""``gaussmix fit``: choose a mixture for the rows of a file, say what was found, and write it down."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gaussmix.cli import console
from gaussmix.cli.options import (
    DataFile,
    Debug,
    Seed,
    read_components,
    read_criterion,
    read_names,
    read_structures,
)
from gaussmix.errors import TableProblem

if TYPE_CHECKING:
    from gaussmix.cli.columns import Chosen
    from gaussmix.cli.writing import ColumnsByName
    from gaussmix.model import Mixture
    from gaussmix.selection import Selection

EXAMPLES = """\b
Examples:
  gaussmix fit faithful.csv
  gaussmix fit faithful.csv --components 2 --structures full
  gaussmix fit wine.parquet --columns alcohol,hue --components 1:5
  gaussmix fit survey.csv --weights count --criterion icl --output groups
"""

_DEFAULT_COMPONENTS = "1:9"
_WRITTEN = {
    "model.safetensors": "the mixture; info, predict, sample and report read it",
    "assignments.parquet": "each row's component, probabilities and density",
    "report.html": "pictures and tables; open it in a browser",
}


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
Criterion = Annotated[str, typer.Option("--criterion", metavar="NAME", help="What to choose by: bic, icl or aic.")]
Weights = Annotated[
    str | None, typer.Option("--weights", metavar="COLUMN", help="Column that says how often each row counts.")
]
Starts = Annotated[int, typer.Option("--starts", metavar="N", min=1, help="Starts for each number of components.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="DIR", readable=False, help="Folder to write to. Default: FILE's name with -gaussmix, here."
    ),
]


def run(
    file: DataFile,
    columns: Columns = None,
    components: Components = None,
    structures: Structures = "all",
    criterion: Criterion = "bic",
    weights: Weights = None,
    seed: Seed = 0,
    starts: Starts = 2,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Find the groups in the rows of a file.

    Fits a mixture of Gaussians for every number of components and every structure (the size,
    shape and orientation that groups may have), chooses one by BIC, prints it, and writes
    model.safetensors, assignments.parquet and report.html.
    """
    asked = read_names(columns, "--columns")
    if weights is not None and weights in (asked or []):
        raise typer.BadParameter(f"{weights!r} is already used by --weights; leave it out", param_hint="--columns")
    shapes = read_structures(structures)
    counts = read_components(_DEFAULT_COMPONENTS if components is None else components)
    rule = read_criterion(criterion)
    folder = output or Path(f"{file.stem}-gaussmix")

    from gaussmix.cli.columns import for_fit
    from gaussmix.cli.places import require_folder
    from gaussmix.cli.table import read

    require_folder(folder, tuple(_WRITTEN), inputs=(file,))
    with console.progress(f"reading {file.name}"):
        chosen = for_fit(read(file), asked, weights)
    console.notes(chosen.notes)
    counts = _at_most(file, len(chosen.rows), counts, capped=components is None)
    found = _search(file, chosen, counts, shapes, rule, starts, seed)
    _print(found)
    _write(found, folder)


@dataclass(frozen=True)
class _Found:
    """What one run of the command has read and fitted."""

    file: Path
    chosen: "Chosen"
    selection: "Selection"
    mixture: "Mixture"
    assigned: "ColumnsByName"


def _at_most(file: Path, n_rows: int, counts: list[int], capped: bool) -> list[int]:
    """Numbers of components that the rows suffice for: fewer by default, an error where they were asked for."""
    if counts[-1] <= n_rows:
        return counts
    if not capped:
        raise TableProblem.too_few_rows(file, n_rows, counts[-1])
    console.note(f"there are {n_rows} rows, so no more than {n_rows} components are tried.")
    return [count for count in counts if count <= n_rows]


def _search(
    file: Path, chosen: "Chosen", counts: list[int], shapes: list[str], criterion: str, starts: int, seed: int
) -> _Found:
    from gaussmix.cli.writing import assignments
    from gaussmix.selection import select

    with console.progress("fitting") as update:
        selection = select(
            chosen.rows,
            counts,
            shapes,
            criterion=criterion,
            sample_weight=chosen.weights,
            n_starts=starts,
            random_state=seed,
            feature_names=chosen.names,
            progress=update,
        )
    mixture = cast("Mixture", selection.best.mixture)  # select raises where not even the best could be fitted
    with console.progress("assigning rows"):
        assigned = assignments(mixture, chosen.rows)
    return _Found(file, chosen, selection, mixture, assigned)


def _print(found: _Found) -> None:
    from gaussmix.cli import describe
    from gaussmix.cli.text import fields, label, listed, plural

    chosen = found.chosen
    names = listed([label(name) for name in chosen.names])
    size = f"{plural(len(chosen.rows), 'row')}, {plural(len(chosen.names), 'column')} ({names})"
    for paragraph in (
        fields([("File", f"{found.file.name}: {size}"), *describe.choice(found.selection)]),
        describe.components(found.mixture, found.assigned["component"]),
        describe.certainty(found.assigned["uncertainty"], found.mixture.n_components),
    ):
        typer.echo(f"{paragraph}\n")
    console.notes(describe.cautions(found.selection))


def _write(found: _Found, folder: Path) -> None:
    from gaussmix.cli.places import make_folder, whole
    from gaussmix.cli.writing import write
    from gaussmix.report.page import write_report

    make_folder(folder)
    with whole(folder / "model.safetensors") as path:
        found.mixture.save(path)
    write(found.assigned, folder / "assignments.parquet")
    with console.progress("writing the report"), whole(folder / "report.html") as path:
        write_report(
            path,
            found.mixture,
            found.chosen.rows,
            fit=found.selection.best.fit,
            selection=found.selection,
            sample_weight=found.chosen.weights,
            source_name=found.file.name,
        )
    typer.echo(f"Wrote to {folder}:")
    for name, what in _WRITTEN.items():
        typer.echo(f"  {name:<20}  {what}")
