"""``gaussmix select``: compare structures and numbers of components for the rows of a file, in a ranked table."""

from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import DataFile, Debug, Seed, require_table_name
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

EXAMPLES = """\b
Examples:
  gaussmix select faithful.csv
  gaussmix select faithful.csv --components 1:5 --criterion icl --top 20
  gaussmix select wine.parquet --structures full,tied,VVE --output candidates.csv
"""

Top = Annotated[int, typer.Option("--top", metavar="N", min=1, help="Candidates to print, best first.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="TABLE", readable=False, help="Where to write all candidates: a .csv or .parquet file."
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
    top: Top = 10,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Compare structures and numbers of components.

    Fits a mixture of Gaussians for every number of components and every structure (the size,
    shape and orientation that groups may have), and prints them, best first. gaussmix fit does the
    same and goes on with the best one.
    """
    asked = Asked.read(columns, components, structures, criterion, weights, starts, seed, noise, prior)
    require_table_name(output)
    if output is not None:
        from gaussmix.cli.places import require_file

        require_file(output, inputs=(file,))
    found = searched(file, asked)
    _print(found, top)
    if output is not None:
        _write(found, output)


def _print(found: Searched, top: int) -> None:
    from gaussmix.cli import describe
    from gaussmix.cli.text import fields

    typer.echo(fields([("File", found.description), *describe.choice(found.selection)]) + "\n")
    typer.echo(describe.ranking(found.selection, top))
    console.notes(describe.cautions(found.selection))


def _write(found: Searched, output: Path) -> None:
    import numpy as np

    from gaussmix.cli.writing import write

    rows = found.selection.table()
    numbers = {"log_likelihood", *found.selection.best.criteria}
    columns = {
        name: np.array([row[name] for row in rows], dtype=np.float64 if name in numbers else None) for name in rows[0]
    }
    write(columns, output)
    typer.echo(f"\nWrote {output}: {len(rows)} candidates, best first")
