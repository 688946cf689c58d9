"""``gaussmix fit``: choose a mixture for the rows of a file, say what was found, and write it down."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gaussmix.cli import console
from gaussmix.cli.options import DataFile, Debug, Seed
from gaussmix.cli.searching import (
    DEFAULT_STARTS,
    Asked,
    Columns,
    Components,
    Criterion,
    Noise,
    Prior,
    Searched,
    Starts,
    Structures,
    Weights,
    searched,
)

if TYPE_CHECKING:
    from gaussmix.cli.writing import ColumnsByName
    from gaussmix.model import Mixture

EXAMPLES = """\b
Examples:
  gaussmix fit faithful.csv
  gaussmix fit faithful.csv --components 2 --structures full
  gaussmix fit wine.parquet --columns alcohol,hue --components 1:5
  gaussmix fit survey.csv --weights count --criterion icl --output groups
  gaussmix fit sensors.csv --noise
"""

_WRITTEN = {
    "model.safetensors": "the mixture; info, predict, sample and report read it",
    "assignments.parquet": "each row's component, probabilities and density",
    "report.html": "pictures and tables; open it in a browser",
}


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
    starts: Starts = DEFAULT_STARTS,
    noise: Noise = False,
    prior: Prior = False,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Find the groups in the rows of a file.

    Fits a mixture of Gaussians for every number of components and every structure (the size,
    shape and orientation that groups may have), chooses one by BIC, prints it, and writes
    model.safetensors, assignments.parquet and report.html.
    """
    asked = Asked.read(columns, components, structures, criterion, weights, starts, seed, noise, prior)
    folder = output or Path(f"{file.stem}-gaussmix")

    from gaussmix.cli.places import require_folder

    require_folder(folder, tuple(_WRITTEN), inputs=(file,))
    found = _assigned(searched(file, asked))
    _print(found)
    _write(found, folder)


@dataclass(frozen=True)
class _Found:
    """What one run of the command has read and fitted."""

    searched: Searched
    mixture: "Mixture"
    assigned: "ColumnsByName"


def _assigned(found: Searched) -> _Found:
    from gaussmix.cli.writing import assignments

    mixture = cast("Mixture", found.selection.best.mixture)  # select raises where not even the best could be fitted
    with console.progress("assigning rows"):
        assigned = assignments(mixture, found.chosen.rows)
    return _Found(found, mixture, assigned)


def _print(found: _Found) -> None:
    from gaussmix.cli import describe
    from gaussmix.cli.text import fields
    from gaussmix.model.noise import shares

    selection = found.searched.selection
    for paragraph in (
        fields([("File", found.searched.description), *describe.choice(selection)]),
        describe.components(found.mixture, found.assigned["component"]),
        describe.certainty(found.assigned["uncertainty"], len(shares(found.mixture.weights, found.mixture.noise))),
    ):
        typer.echo(f"{paragraph}\n")
    console.notes(describe.cautions(selection))


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
            found.searched.chosen.rows,
            fit=found.searched.selection.best.fit,
            selection=found.searched.selection,
            sample_weight=found.searched.chosen.weights,
            source_name=found.searched.file.name,
        )
    typer.echo(f"Wrote to {folder}:")
    for name, what in _WRITTEN.items():
        typer.echo(f"  {name:<20}  {what}")
