"""Fit or load the detector of ``gaussmix anomalies``, apply verdicts of people, and judge the rows of the file."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import typer

from gaussmix.anomaly.detector import AnomalyDetector
from gaussmix.anomaly.judgement import judge_rows
from gaussmix.anomaly.table_drift import find_table_drift
from gaussmix.cli import console
from gaussmix.cli.anomaly_input import AnomalyInput, read_rows, read_rows_for_detector, read_verdicts
from gaussmix.cli.column_options import ColumnOptions
from gaussmix.cli.model_folder import DETECTOR_FILE, find_model_file
from gaussmix.cli.options import parse_names
from gaussmix.cli.table_format import TableFormat, input_name
from gaussmix.errors import TrainingRowsError
from gaussmix.report.anomaly_summary import AnomalySummary, summarize_anomalies
from gaussmix.types import ND, BoolN, N

_DEFAULT_FDR = 0.05


@dataclass(frozen=True)
class AnomalyOptions:
    """The parsed options; ``threshold`` is None if a saved detector decides on it."""

    file: Path
    train: Path | None
    model: Path | None
    threshold: tuple[str, float] | None
    columns: ColumnOptions
    identifier_names: list[str] | None
    feedback: Path | None
    seed: int
    table_format: TableFormat

    @classmethod
    def from_command_line(
        cls,
        file: Path,
        train: Path | None,
        model: Path | None,
        rates: dict[str, float | None],
        columns: ColumnOptions,
        identifiers: str | None,
        feedback: Path | None,
        seed: int,
        table_format: TableFormat,
    ) -> "AnomalyOptions":
        """Return the options; raise typer.BadParameter if they contradict each other."""
        chosen = [(kind, rate) for kind, rate in rates.items() if rate is not None]
        if len(chosen) > 1:
            names = " and ".join(f"--{kind}" for kind, _ in chosen)
            raise typer.BadParameter(f"{names} exclude each other; give one of them")
        others = {"--train": train, "--columns": columns.names, "--exclude": columns.excluded or None}
        other = next((name for name, value in others.items() if value is not None), None)
        if model is not None and other is not None:
            raise typer.BadParameter(f"--model and {other} exclude each other: a saved detector is not fitted again")
        if train is not None and train.exists() and file.exists() and train.samefile(file):
            raise typer.BadParameter("FILE and --train are the same file; leave --train out, or give other rows")
        default = None if model is not None else ("fdr", _DEFAULT_FDR)
        return cls(
            file,
            train,
            model,
            chosen[0] if chosen else default,
            columns,
            parse_names(identifiers, "--id"),
            feedback,
            seed,
            table_format,
        )

    @property
    def changes_detector(self) -> bool:
        """Whether there is a detector that is not saved yet: a new one, or one that verdicts have changed."""
        return self.model is None or self.feedback is not None


@dataclass(frozen=True)
class Detection:
    """The rows of the files, the detector, and p-values (n,) of the rows it was fitted to, or None."""

    input: AnomalyInput
    detector: AnomalyDetector
    p_values: N | None


def detect_anomalies(options: AnomalyOptions) -> Detection:
    """Read the rows, and fit or load the detector."""
    if options.model is not None:
        return _load_detector(options, options.model)
    with console.progress_bar(f"reading {input_name(options.file)}"):
        rows = read_rows(options.file, options.train, options.columns, options.identifier_names, options.table_format)
    console.print_notes(rows.notes)
    assert options.threshold is not None
    kind, rate = options.threshold
    training, training_rows = "contaminated", rows.rows
    if rows.training_rows is not None:
        training, training_rows = "clean", rows.training_rows
    if len(training_rows) == 1:
        raise TrainingRowsError.identical(1)
    detector = AnomalyDetector(training=training, random_state=options.seed).set_params(**{kind: rate})
    with console.progress_bar("fitting the detector"), console.print_data_warnings():
        detector.fit(training_rows)
    # The rows of the command have no names, so the names are added to what is saved.
    detector.model_ = replace(detector.model_, feature_names=rows.names)
    return Detection(rows, detector, detector.training_p_values_ if rows.training_rows is None else None)


def _load_detector(options: AnomalyOptions, path: Path) -> Detection:
    """Load the detector, and read the rows in its columns."""
    detector = AnomalyDetector.load(find_model_file(path, DETECTOR_FILE))
    names, n_features = detector.model_.feature_names, detector.n_features_in_
    with console.progress_bar(f"reading {input_name(options.file)}"):
        rows = read_rows_for_detector(options.file, names, n_features, options.identifier_names, options.table_format)
    console.print_notes(rows.notes)
    if names is not None:  # the rows of the command are arrays without names, of which scikit-learn would warn
        del detector.feature_names_in_
    return Detection(rows, detector, None)


def summarize_detection(options: AnomalyOptions, detection: Detection) -> AnomalySummary:
    """Return the anomalies of the rows, after what people say about some of them."""
    rows, detector, p_values = detection.input, detection.detector, detection.p_values
    is_anomaly = None
    if options.feedback is not None:
        verdicts = read_verdicts(options.feedback, rows.names, rows.rows)
        p_values = _apply_feedback(detection, verdicts.rows, verdicts.is_anomaly)
        judgement = judge_rows(detector, rows.rows, p_values=p_values, threshold=options.threshold)
        is_anomaly = verdicts.apply(rows.rows, judgement.is_anomaly)
    with console.progress_bar("explaining the anomalies"):
        return summarize_anomalies(
            detector,
            rows.rows,
            p_values=p_values,
            is_anomaly=is_anomaly,
            threshold=options.threshold,
            identifiers=rows.identifiers,
        )


def describe_drift(detection: Detection, summary: AnomalySummary) -> str:
    """Return a sentence on drift from the file of normal rows; empty without drift, or without such a file."""
    training_rows = detection.input.training_rows
    if training_rows is None:
        return ""
    flags = summary.judgement.is_anomaly
    drift = find_table_drift(detection.detector, training_rows, detection.input.rows, is_anomaly=flags)
    return drift.sentence if drift.has_drift else ""


def _apply_feedback(detection: Detection, judged_rows: ND, is_anomaly: BoolN) -> N | None:
    """Correct the detector by verdicts (m,) on rows (m, D), in place; return the corrected p-values (n,), if any.

    P-values of training rows change by as much as the scores do.
    """
    detector, rows = detection.detector, detection.input.rows
    before = detector.score_samples(rows)
    detector.feedback(judged_rows, is_anomaly)
    if detection.p_values is None:
        return None
    with np.errstate(divide="ignore"):  # p-values of 0 stay 0
        log_p_values = np.log(detection.p_values) + detector.score_samples(rows) - before
    return np.asarray(np.exp(np.minimum(log_p_values, 0.0)))
