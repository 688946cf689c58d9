"""``gaussmix anomalies``: rows of a file that are unlike the others, or unlike normal rows, with reasons."""

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaussmix.cli import console
from gaussmix.cli.column_options import ColumnOptions, ExcludeOption
from gaussmix.cli.model_folder import DETECTOR_FILE
from gaussmix.cli.options import (
    DataFileArgument,
    DebugOption,
    SeedOption,
    make_rate_parser,
    parse_output_path,
)
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat, input_name, input_stem

if TYPE_CHECKING:
    from gaussmix.cli.anomaly_detection import AnomalyOptions, Detection
    from gaussmix.report.anomaly_summary import AnomalySummary

EXAMPLES = """\b
Examples:
  gaussmix anomalies customers.csv
  gaussmix anomalies customers.csv --train checked.csv --fdr 0.1
  gaussmix anomalies sensors.parquet --columns x,y --contamination 0.01
  gaussmix anomalies new.csv --model customers-anomalies
  gaussmix anomalies customers.csv --feedback judged.csv
"""

_MAX_COLUMNS_SUGGESTED = 20
_RANKED_FRACTION = 0.01  # of many rows, which a hint suggests to look at
_TABLE_FILES = {
    "anomalies.csv": "each row: p-value, whether it is an anomaly, and why",
    "anomalies.parquet": "the same",
}
_DETECTOR_FILE = {DETECTOR_FILE: "the detector, for --model"}
_REPORT_FILE = {"report.html": "tables and pictures, for a browser"}

TrainOption = Annotated[
    Path | None,
    typer.Option(
        "--train", metavar="FILE", help="Rows known to be normal, to learn from. The rate is guaranteed then."
    ),
]
DetectorOption = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="MODEL", help="A folder or detector.safetensors that this command wrote, instead of a fit."
    ),
]
FdrOption = Annotated[
    float | None,
    typer.Option(
        "--fdr",
        metavar="RATE",
        parser=make_rate_parser(1.0),
        help="False discovery rate: fraction of the flagged rows that may be normal. Default: 0.05.",
    ),
]
FprOption = Annotated[
    float | None,
    typer.Option(
        "--fpr",
        metavar="RATE",
        parser=make_rate_parser(1.0),
        help="False positive rate instead: fraction of the normal rows that may be flagged.",
    ),
]
ContaminationOption = Annotated[
    float | None,
    typer.Option(
        "--contamination",
        metavar="RATE",
        parser=make_rate_parser(0.5, is_maximum_allowed=True),
        help="Fraction of FILE's rows to flag instead, the most unusual ones; at most 0.5. It is saved as a limit.",
    ),
]
FeedbackOption = Annotated[
    Path | None,
    typer.Option(
        "--feedback",
        metavar="FILE",
        help="Rows that people have judged: a column verdict (normal or anomaly) beside FILE's columns or data_row.",
    ),
]
UsedColumnsOption = Annotated[
    str | None, typer.Option("--columns", metavar="A,B", help="Columns to use. Default: all numeric columns.")
]
IdentifiersOption = Annotated[
    str | None,
    typer.Option("--id", metavar="A,B", help="Columns that identify rows. Default: distinct texts and id numbers."),
]
OutputFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_output_path,
        help="Folder to write to. Default: FILE's name with -anomalies, in this folder.",
    ),
]


def run_anomalies(
    file: DataFileArgument,
    train: TrainOption = None,
    model: DetectorOption = None,
    fdr: FdrOption = None,
    fpr: FprOption = None,
    contamination: ContaminationOption = None,
    columns: UsedColumnsOption = None,
    exclude: ExcludeOption = None,
    identifiers: IdentifiersOption = None,
    feedback: FeedbackOption = None,
    seed: SeedOption = 0,
    output: OutputFolderOption = None,
    table_format: TableFormat = DEFAULT_FORMAT,
    debug: DebugOption = False,
) -> None:
    """Find the unusual rows of a file.

    Prints the anomalies with p-values and reasons, and what kinds of anomalies there are. Writes
    anomalies.csv, anomalies.parquet, detector.safetensors and report.html. Learns from FILE
    itself, or from a file of normal rows (--train); only then is the rate guaranteed. Data rows
    count from 1 everywhere: in printed tables, written files, the report and --feedback.
    """
    from gaussmix.cli.anomaly_detection import AnomalyOptions, describe_drift, detect_anomalies, summarize_detection
    from gaussmix.cli.output_paths import require_writable_folder
    from gaussmix.report.anomaly_text import describe_unsuitable_columns

    options = AnomalyOptions.from_command_line(
        file,
        train,
        model,
        {"fdr": fdr, "fpr": fpr, "contamination": contamination},
        ColumnOptions.from_command_line(columns, exclude),
        identifiers,
        feedback,
        seed,
        table_format,
    )
    folder = output or Path(f"{input_stem(file)}-anomalies")
    inputs = list(filter(None, (file, train, model, feedback)))
    require_writable_folder(folder, tuple(_output_files(options)), inputs)
    detection = detect_anomalies(options)
    summary = summarize_detection(options, detection)
    drift, unsuitable = describe_drift(detection, summary), describe_unsuitable_columns(detection.detector)
    _print_summary(options, detection, summary, drift, unsuitable)
    notes = [*([drift] if drift else []), *unsuitable, *detection.input.notes]
    _write_and_list_output_files(options, detection, summary, notes, folder)


def _output_files(options: "AnomalyOptions") -> dict[str, str]:
    """Return names and descriptions of the files to write; a loaded detector that did not change is not written."""
    return {**_TABLE_FILES, **(_DETECTOR_FILE if options.changes_detector else {}), **_REPORT_FILE}


def _print_summary(
    options: "AnomalyOptions",
    detection: "Detection",
    summary: "AnomalySummary",
    drift: str,
    unsuitable: tuple[str, ...],
) -> None:
    """Print file, training rows, count, limit, its guarantee, drift, unsuitable columns, anomalies and their groups."""
    from gaussmix.cli.anomaly_listing import format_anomalies, format_groups
    from gaussmix.cli.column_selection import SelectedColumns
    from gaussmix.cli.model_search import describe_file_size_and_columns
    from gaussmix.cli.text_formatting import format_fields
    from gaussmix.report import anomaly_text

    rows, judgement = detection.input, summary.judgement
    fields = [
        ("File", describe_file_size_and_columns(options.file, SelectedColumns(rows.names, rows.rows))),
        ("Training", _describe_training(options, detection)),
        ("Anomalies", anomaly_text.describe_count(judgement)),
        ("Limit", anomaly_text.describe_limit(judgement).removeprefix("Limit: ")),
        ("P-values", anomaly_text.describe_guarantee(detection.detector, judgement)),
    ]
    resolution = anomaly_text.describe_resolution(detection.detector, judgement)
    fields += [("", resolution)] if resolution else []
    fields += [("Drift", drift)] if drift else []
    fields += [] if judgement.n_anomalies else [("Next", _suggest_contamination(len(rows.rows)))]
    fields += [("Columns" if index == 0 else "", note) for index, note in enumerate(unsuitable)]
    dominant = _describe_dominant_column(options, summary)
    fields += [("" if unsuitable else "Columns", dominant)] if dominant else []
    for paragraph in (format_fields(fields), format_anomalies(summary), format_groups(summary)):
        if paragraph:
            typer.echo(f"{paragraph}\n")


def _suggest_contamination(n_rows: int) -> str:
    """Return what to do where no row is an anomaly: look at the most unusual hundredth, or of few rows at one."""
    ranking = "anomalies.csv ranks all rows by how unusual they are"
    if n_rows * _RANKED_FRACTION >= 1:
        return f"{ranking}; --contamination {_RANKED_FRACTION} would flag the most unusual {_RANKED_FRACTION:.0%}."
    if n_rows < 2:
        return f"{ranking}."
    rate = min(math.ceil(100 / n_rows) / 100, 0.5)
    return f"{ranking}; --contamination {rate} would flag the most unusual of {n_rows} rows."


def _describe_dominant_column(options: "AnomalyOptions", summary: "AnomalySummary") -> str:
    """Return that most anomalies deviate in one column, and how to judge the rows without it; '' otherwise."""
    from gaussmix.report.anomaly_tables import describe_dominant_column

    found = summary.dominant_column
    others = [] if found is None else [name for name in summary.judgement.names if name != found.name]
    sentence = describe_dominant_column(summary)
    is_short = 0 < len(others) <= _MAX_COLUMNS_SUGGESTED
    if not is_short or options.model is not None or any("," in name for name in others):
        return sentence
    return f"{sentence} To judge by the others: --columns {shlex.quote(','.join(others))}"


def _describe_training(options: "AnomalyOptions", detection: "Detection") -> str:
    """Return what the detector was fitted to."""
    if options.model is not None:
        return f"the detector in {options.model.name}"
    training_rows = detection.input.training_rows
    if training_rows is None or options.train is None:
        return "the same rows; each is judged by mixtures that have not seen it"
    return f"{options.train.name}: {len(training_rows)} normal rows"


def _write_and_list_output_files(
    options: "AnomalyOptions", detection: "Detection", summary: "AnomalySummary", notes: list[str], folder: Path
) -> None:
    """Write the tables, the detector and the report to the folder, and print the names of these files."""
    from gaussmix.cli.output_paths import make_folder, remove_partial_on_failure
    from gaussmix.cli.table_writer import write_table
    from gaussmix.report.anomaly_page import write_anomaly_report

    make_folder(folder)
    table = summary.to_table()
    for name in _TABLE_FILES:
        write_table(table, folder / name)
    for name in _DETECTOR_FILE if options.changes_detector else {}:
        with remove_partial_on_failure(folder / name) as path:
            detection.detector.save(path)
    for name in _REPORT_FILE:
        with console.progress_bar("writing the report"), remove_partial_on_failure(folder / name) as path:
            write_anomaly_report(path, summary, notes=notes, source_name=input_name(options.file))
    typer.echo(f"Wrote to {folder}:")
    for name, description in _output_files(options).items():
        typer.echo(f"  {name:<20}  {description}")
