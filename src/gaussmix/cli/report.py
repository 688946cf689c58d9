"""``gaussmix report``: the page with pictures and tables, for a model and the rows of a file."""

from pathlib import Path
from typing import Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.options import DataFile, Debug, ModelFile, require_page_name

EXAMPLES = """\b
Examples:
  gaussmix report faithful-gaussmix/model.safetensors faithful.csv
  gaussmix report model.safetensors this-year.parquet --output this-year.html
"""


def run(
    model: ModelFile,
    file: DataFile,
    output: Annotated[Path, typer.Option(metavar="FILE.html", readable=False, help="Where to write the page.")] = Path(
        "report.html"
    ),
    debug: Debug = False,
) -> None:
    """Write an HTML page about a model and rows.

    It shows the rows of FILE as the model sees them, and opens without a network. Columns are
    matched by name.
    """
    require_page_name(output)
    from gaussmix.cli.columns import for_model
    from gaussmix.cli.places import require_file, whole
    from gaussmix.cli.table import read
    from gaussmix.model import Mixture
    from gaussmix.report.page import write_report

    mixture = Mixture.load(model)
    require_file(output, inputs=(model, file))
    with console.progress(f"reading {file.name}"):
        chosen = for_model(read(file), mixture.feature_names, mixture.n_features)
    console.notes(chosen.notes)
    with console.progress("writing the report"), whole(output):
        write_report(output, mixture, chosen.rows, source_name=file.name)
    typer.echo(f"Wrote {output}")
