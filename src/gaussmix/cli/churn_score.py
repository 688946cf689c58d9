"""``gaussmix churn-score``: how likely new customers are to leave, by a saved model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.churn_options import (
    CostOption,
    SuccessRateOption,
    ValueOption,
    parse_contact_options,
    parse_new_rate,
)
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    make_integer_parser,
    parse_output_path,
    require_table_suffix,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name, input_stem

if TYPE_CHECKING:
    from gaussmix.cli.churn_scoring import ScoredFile

EXAMPLES = """\b
Examples:
  gaussmix churn-score customers-churn new-customers.csv
  gaussmix churn-score customers-churn new.parquet -o scored.parquet
  gaussmix churn-score customers-churn new.csv --new-rate estimate
  gaussmix churn-score customers-churn new.csv --cost-contact 20 --value-saved 300 --success-rate 0.3
"""

ModelArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        readable=False,
        help="The folder that gaussmix churn wrote, or the churn.safetensors in it.",
        show_default=False,
    ),
]
NewRateOption = Annotated[
    str | None,
    typer.Option(
        "--new-rate",
        metavar="RATE",
        help="Correct the probabilities for another churn rate: a fraction, or 'estimate' to find it from FILE.",
    ),
]
ExplainOption = Annotated[
    int,
    typer.Option(
        "--explain",
        metavar="N",
        parser=make_integer_parser(0),
        help="Number of customers whose smallest change is sought, the highest probability first.",
    ),
]
OutputFileOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=parse_output_path,
        help="File to write, .csv or .parquet. Default: FILE's name with -scored, in this folder.",
    ),
]


def run_churn_score(
    model: ModelArgument,
    file: DataFileArgument,
    new_rate: NewRateOption = None,
    cost_contact: CostOption = None,
    value_saved: ValueOption = None,
    success_rate: SuccessRateOption = None,
    explain: ExplainOption = 200,
    output: OutputFileOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Predict which customers of another file leave.

    Writes FILE's columns with churn probability, segment, reasons and smallest change. Columns are
    found by name, and cells may be empty. Says whether the customers differ from those that the
    model has learned from, and with costs whom to contact. Data rows count from 1.
    """
    require_table_suffix(output)
    from gaussmix.classification.churn.churn_model import ChurnModel
    from gaussmix.cli.churn_scoring import score_table
    from gaussmix.cli.model_folder import CHURN_FILE, find_model_file
    from gaussmix.cli.output_paths import require_writable_file
    from gaussmix.cli.table_reader import read_table
    from gaussmix.cli.table_writer import write_table_with_columns

    contact = parse_contact_options(cost_contact, value_saved, success_rate)
    rate = parse_new_rate(new_rate)
    is_parquet = file.suffix.lower() in (".parquet", ".pq")
    path = output or Path(f"{input_stem(file)}-scored{'.parquet' if is_parquet else '.csv'}")
    require_writable_file(path, input_paths=(model, file))
    churn_model = ChurnModel.load(find_model_file(model, CHURN_FILE))
    with console.progress_bar(f"reading {input_name(file)}"):
        table = read_table(file, table_format)
    console.print_notes(table.notes)
    scored = score_table(churn_model, table, rate, contact, explain)
    _print_scores(model, file, scored)
    with console.progress_bar(f"writing {path.name}"):
        columns = scored.scores.to_table()
        write_table_with_columns(scored.table, columns, path)
    typer.echo(f"Wrote {path}: FILE's columns, {', '.join(columns)}")


def _print_scores(model: Path, file: Path, scored: "ScoredFile") -> None:
    """Print file, expected number of leaving customers, drift, customers and contacts."""
    from gaussmix.cli.churn_listing import format_contacts, format_customers, format_score_summary

    paragraphs = (
        format_score_summary(model.name, input_name(file), scored),
        format_customers(scored.scores, "customers who may leave", scored.has_fixed_columns),
        format_contacts(None, scored.scores.plan),
    )
    for paragraph in paragraphs:
        if paragraph:
            typer.echo(f"{paragraph}\n")
