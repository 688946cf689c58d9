"""``gaussmix info``: what a model file holds."""

import typer

from gaussmix.cli.options import DebugOption, ModelFileArgument

EXAMPLES = """\b
Examples:
  gaussmix info faithful-gaussmix/model.safetensors
"""


def run_command(model: ModelFileArgument, debug: DebugOption = False) -> None:
    """Show what a model file holds.

    Prints the structure in letters and words, the columns, and the share, mean and standard
    deviation of each component.
    """
    from gaussmix.cli import summaries
    from gaussmix.cli.text_formatting import format_count, format_fields, join_names
    from gaussmix.model import Mixture, serialization

    mixture = Mixture.load(model)
    names = mixture.feature_names
    about = [
        ("Model", f"{model} (schema {serialization.read_schema_version(model)})"),
        ("Structure", f"{mixture.structure.display_name}: {mixture.structure.description}"),
        ("Components", f"{mixture.n_components}, with {format_count(mixture.n_parameters, 'free parameter')}"),
        ("Columns", f"{mixture.n_features} ({join_names(names, max_names=100) if names else 'without names'})"),
    ]
    typer.echo(format_fields(about))
    typer.echo(f"\nShare and means\n\n{summaries.format_component_table(mixture)}")
    typer.echo(f"\nStandard deviations\n\n{summaries.format_standard_deviation_table(mixture)}")
