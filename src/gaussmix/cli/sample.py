"""``gaussmix sample``: new rows drawn from a model."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli.options import Debug, ModelFile, Seed, require_table_name

EXAMPLES = """\b
Examples:
  gaussmix sample faithful-gaussmix/model.safetensors -n 5
  gaussmix sample model.safetensors -n 1000 --seed 7 --output drawn.parquet
"""


def run(
    model: ModelFile,
    n: Annotated[int, typer.Option("--rows", "-n", metavar="N", min=1, help="How many rows to draw.")],
    seed: Seed = 0,
    labels: Annotated[bool, typer.Option("--labels", help="Add a column with the component of each row.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="Write to a .csv or .parquet file. Default: CSV on stdout.",
            show_default=False,
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Draw rows at random from a model.

    They have the columns of the fit, come in random order, and hold every digit.
    """
    require_table_name(output)
    from gaussmix.cli import describe
    from gaussmix.cli.places import require_file
    from gaussmix.cli.text import plural
    from gaussmix.cli.writing import csv_bytes, write
    from gaussmix.model import Mixture, sampling

    mixture = Mixture.load(model)
    if output is not None:
        require_file(output, inputs=(model,))
    rng = sampling.generator(seed)
    rows, components = mixture.sample(n, rng)
    order = rng.permutation(n)
    drawn = dict(zip(describe.names(mixture), rows[order].T, strict=True))
    if labels:
        drawn[_free_name(drawn)] = components[order]
    if output is None:
        stream = sys.stdout.buffer
        stream.write(csv_bytes(drawn))
        stream.flush()
    else:
        write(drawn, output)
        typer.echo(f"Wrote {plural(n, 'row')} to {output}")


def _free_name(taken: dict[str, object]) -> str:
    """'component', with underscores until no column of the data is called so."""
    name = "component"
    while name in taken:
        name += "_"
    return name
