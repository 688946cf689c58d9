"""``gaussmix info``: what a model file holds."""

import typer

from gaussmix.cli.options import Debug, ModelFile

EXAMPLES = """\b
Examples:
  gaussmix info faithful-gaussmix/model.safetensors
"""


def run(model: ModelFile, debug: Debug = False) -> None:
    """Show what a model file holds.

    Prints the structure in letters and words, the columns, and the share, mean and standard
    deviation of each component.
    """
    from gaussmix.cli import describe
    from gaussmix.cli.text import fields, listed, plural
    from gaussmix.model import Mixture, archive

    mixture = Mixture.load(model)
    names = mixture.feature_names
    about = [
        ("Model", f"{model} (schema {archive.schema(model)})"),
        ("Structure", f"{mixture.structure.label}: {mixture.structure.description}"),
        ("Components", f"{mixture.n_components}, with {plural(mixture.n_parameters, 'free parameter')}"),
        ("Columns", f"{mixture.n_features} ({listed(names, most=100) if names else 'without names'})"),
    ]
    typer.echo(fields(about))
    typer.echo(f"\nShare and means\n\n{describe.components(mixture)}")
    typer.echo(f"\nStandard deviations\n\n{describe.standard_deviations(mixture)}")
