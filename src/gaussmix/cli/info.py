"""``gaussmix info``: show the contents of a model file."""

import typer

from gaussmix.cli.options import DebugOption, ModelFileArgument

EXAMPLES = """\b
Examples:
  gaussmix info faithful-gaussmix
"""


def run_info(model: ModelFileArgument, debug: DebugOption = False) -> None:
    """Show the contents of a model file.

    Prints the covariance structure, the columns, and the weight, means and standard deviations of
    each component.
    """
    from gaussmix.cli import summaries
    from gaussmix.cli.model_folder import find_model_file, read_input_record
    from gaussmix.cli.text_formatting import format_fields
    from gaussmix.errors.text import format_count, join_with_commas
    from gaussmix.model import Mixture, serialization
    from gaussmix.model.column_dependence import describe_relations

    model = find_model_file(model)
    mixture, source = Mixture.load(model), read_input_record(model)
    names = mixture.feature_names
    fields = [
        ("Model", f"{model} (schema {serialization.read_schema_version(model)})"),
        *([] if source is None else [("Fitted to", source.name)]),
        ("Structure", f"{mixture.structure.name_with_alias_or_n_factors}: {mixture.structure.description}"),
        ("Components", f"{mixture.n_components}, with {format_count(mixture.n_parameters, 'free parameter')}"),
        ("Columns", f"{mixture.n_features} ({join_with_commas(names, max_names=100) if names else 'without names'})"),
    ]
    if mixture.dependence is not None:
        fields.append(("Relations", "; ".join(describe_relations(mixture))))
    if mixture.transforms is not None:
        columns = join_with_commas(mixture.transforms.describe(summaries.column_names(mixture)))
        shown = "below are medians, and half the distance of the quantiles of 16 % and 84 %"
        fields.append(("Transforms", f"{columns}; {shown}"))
    typer.echo(format_fields(fields))
    typer.echo(f"\nWeights and means\n\n{summaries.format_component_table(mixture)}")
    if sentences := summaries.list_components(mixture):
        typer.echo(f"\n{sentences}")
    typer.echo(f"\nStandard deviations\n\n{summaries.format_standard_deviation_table(mixture)}")
