"""``gaussmix sample``: draw new rows from a model."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli.options import (
    DebugOption,
    ModelFileArgument,
    SeedOption,
    make_integer_parser,
    parse_output_path,
    require_table_suffix,
)

EXAMPLES = """\b
Examples:
  gaussmix sample faithful-gaussmix -n 5
  gaussmix sample faithful-gaussmix -n 1000 --seed 7 -o drawn.parquet
"""

RowsOption = Annotated[
    int,
    typer.Option("--rows", "-n", metavar="N", parser=make_integer_parser(1), help="Number of rows to draw."),
]
AddComponentOption = Annotated[
    bool, typer.Option("--add-component", help="Add a column with the component of each row.")
]
OutputFileOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=parse_output_path,
        help="Write to a .csv or .parquet file. Default: CSV on stdout.",
        show_default=False,
    ),
]


def run_sample(
    model: ModelFileArgument,
    n_rows: RowsOption,
    seed: SeedOption = 0,
    add_component_column: AddComponentOption = False,
    output: OutputFileOption = None,
    debug: DebugOption = False,
) -> None:
    """Draw random rows from a model.

    The rows have the columns of the fit, in random order of components, with all digits.
    """
    require_table_suffix(output)
    from gaussmix.cli import summaries
    from gaussmix.cli.model_folder import find_model_file
    from gaussmix.cli.output_paths import require_writable_file
    from gaussmix.cli.table_writer import encode_csv, write_table
    from gaussmix.core.random_numbers import make_generator
    from gaussmix.errors.text import format_count
    from gaussmix.model import Mixture

    model = find_model_file(model)
    mixture = Mixture.load(model)
    if output is not None:
        require_writable_file(output, input_paths=(model,))
    rng = make_generator(seed)
    rows, components = mixture.sample(n_rows, rng)
    order = rng.permutation(n_rows)
    drawn = dict(zip(summaries.column_names(mixture), rows[order].T, strict=True))
    if add_component_column:
        drawn[_unused_component_name(drawn)] = components[order]
    if output is None:
        stream = sys.stdout.buffer
        stream.write(encode_csv(drawn))
        stream.flush()
    else:
        write_table(drawn, output)
        typer.echo(f"Wrote {format_count(n_rows, 'row')} to {output}")


def _unused_component_name(columns: dict[str, object]) -> str:
    """Return 'component', with underscores appended until it differs from all columns."""
    name = "component"
    while name in columns:
        name += "_"
    return name
