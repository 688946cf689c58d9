"""Sentences on a judgement: how many anomalies there are, where the limit lies, and what is guaranteed."""

from gaussmix.anomaly.detector import AnomalyDetector
from gaussmix.anomaly.judgement import Judgement
from gaussmix.anomaly.resolution import measure_resolution
from gaussmix.diagnostics.columns import describe_diagnoses, diagnose_parsed_columns
from gaussmix.errors.text import format_count, join_with_and

# By the kind of diagnosis. Flags, codes and counts are scored by their frequency, and heavy tails have a heavy tail.
_ADVICE_ON_COLUMNS = {
    "point mass": "Their other values may be flagged too often: judge such columns apart, or leave them out.",
    "skewed": "Large values may be flagged too often: take their logarithms first.",
    "left-skewed": "Low values may be flagged too often: transform such columns first.",
}
_NORMAL_ALREADY = "The row is normal already."  # a row at the limit, to mixtures that have seen it


def describe_anomalies(detector: AnomalyDetector, judgement: Judgement) -> list[str]:
    """Return the sentences on a judgement: count, limit, guarantee and, if it matters, resolution."""
    sentences = [
        describe_count(judgement),
        describe_limit(judgement),
        describe_guarantee(detector, judgement),
        describe_resolution(detector, judgement),
    ]
    return [sentence for sentence in sentences if sentence]


def describe_count(judgement: Judgement) -> str:
    """Return '9 of 500 rows are anomalies (1.8%).', or that there are none."""
    n_rows, count = len(judgement), judgement.n_anomalies
    if not count:
        return f"There are no anomalies at this rate among {format_count(n_rows, 'row')}."
    if count == n_rows:
        return f"All {n_rows} rows are anomalies." if n_rows > 1 else "The row is an anomaly."
    verb = "is an anomaly" if count == 1 else "are anomalies"
    return f"{count} of {format_count(n_rows, 'row')} {verb} ({format_rate(count / n_rows)})."


def describe_limit(judgement: Judgement) -> str:
    """Return one sentence on how the limit was chosen."""
    kind, rate = judgement.threshold
    n_rows, limit = len(judgement), format_p_value(judgement.p_value_limit)
    if kind == "contamination":
        return f"Limit: the {format_rate(rate)} most unusual rows are anomalies (p-values up to about {limit})."
    if kind == "fpr":
        expected = format_p_value(rate * n_rows) if rate * n_rows < 1 else f"{rate * n_rows:.0f}"
        return (
            f"Limit: a false positive rate of {format_rate(rate)}, that is p-values up to {limit}; if all "
            f"{n_rows} rows were normal, about {expected} would be flagged."
        )
    if not judgement.n_anomalies:
        smallest = format_p_value(float(judgement.p_values.min()))
        return (
            f"Limit: a false discovery rate of {format_rate(rate)} (Benjamini-Hochberg) selects no row; the smallest "
            f"p-value is {smallest}."
        )
    return (
        f"Limit: a false discovery rate of {format_rate(rate)} (Benjamini-Hochberg), here p-values up to {limit}; "
        f"about {format_rate(rate)} of the flagged rows may be normal."
    )


def describe_guarantee(detector: AnomalyDetector, judgement: Judgement) -> str:
    """Return what the p-values rest on, and whether the rate is guaranteed."""
    calibration = detector.model_.calibration
    has_rate = judgement.threshold.kind != "contamination"
    count = f"{calibration.total_weight:.0f}"
    if not calibration.is_clean:
        basis = "The p-values follow from a tail fitted to training rows that may contain anomalies"
        end = ": the rate is approximate. Training rows known to be normal give a guarantee." if has_rate else "."
    elif (calibration.halves < 0).all():
        basis = f"The p-values are conformal: they compare each row with {count} normal rows that no mixture has seen"
        end = ". The rate holds on average if normal rows come from the same source." if has_rate else "."
    else:
        basis = f"The p-values compare each row with {count} normal rows, scored by mixtures that have not seen them"
        end = ": the rate is approximate." if has_rate else "."
    return f"{basis}{end}{_describe_feedback(detector)}"


def _describe_feedback(detector: AnomalyDetector) -> str:
    """Return a sentence on rows that people have judged; empty without feedback."""
    feedback = detector.model_.feedback
    if feedback is None:
        return ""
    count = len(feedback.is_anomaly)
    verb = "has" if count == 1 else "have"
    return f" Verdicts on {format_count(count, 'row')} {verb} moved them; no guarantee covers that."


def describe_resolution(detector: AnomalyDetector, judgement: Judgement) -> str:
    """Return that too few calibration rows make anomalies invisible at this rate; empty if they do not."""
    found = measure_resolution(detector.model_.calibration, judgement.threshold, len(judgement))
    if found is None or judgement.n_anomalies:
        return ""
    rows = f"With {found.n_calibration} calibration rows no p-value is below {format_p_value(found.smallest_p_value)}"
    advice = f"It takes {found.n_needed}: more normal training rows, or a higher rate, help."
    if found.fewest_anomalies > len(judgement):
        return f"{rows}, so no row can be flagged at this rate. {advice}"
    return f"{rows}, so fewer than {found.fewest_anomalies} anomalies cannot be found at this rate. {advice}"


def describe_unsuitable_columns(detector: AnomalyDetector) -> tuple[str, ...]:
    """Return a sentence on each kind of unsuitable column, with its columns; () for a detector from a file.

    The normal training rows are examined, without the most unusual ones where these may be anomalies.
    """
    if detector.model_.normal_rows is None:
        return ()
    diagnoses = diagnose_parsed_columns(detector.model_.normal_rows, None, detector.model_.feature_names)
    return describe_diagnoses(diagnoses, advice=_ADVICE_ON_COLUMNS)


def describe_method(detector: AnomalyDetector) -> list[str]:
    """Return sentences on what a detector did, and on what its answers do not say."""
    model = detector.model_
    members = model.ensemble.members
    sizes = sorted({member.mixture.n_components for halves in members for half in halves for member in half})
    n_gaussians = "1 Gaussian" if sizes == [1] else f"{join_with_and([*map(str, sizes)])} Gaussians"
    n_mixtures = sum(len(half) for halves in members for half in halves)
    n_groups = model.groups.n_components
    groups = "the one group" if n_groups == 1 else f"the nearest of {n_groups} groups"
    vouching = (
        "All Gaussians count, because the training rows are known to be normal."
        if model.calibration.is_clean
        else "Groups of less than a twentieth of the rows do not count, so that anomalies do not explain themselves."
    )
    return [
        f"The score of a row is how improbable it is under {n_mixtures} mixtures of {n_gaussians}, "
        f"fitted to random halves of the training rows. {vouching}",
        "The p-value of a row is the probability that a normal row has at least this score. Training rows are scored "
        "by mixtures that have not seen them.",
        f"Reasons compare a row with {groups} of normal rows, and each column with what the other columns let expect. "
        "They say in what a row differs, not why, and an unusual row need not be wrong.",
        "The mixtures describe normal rows well if these form groups without sharp edges. Counts, flags and columns "
        "with long tails give larger p-values or wrong alarms; transformed or left out they disturb less.",
        "Normal rows of the future must resemble those of the training. If they drift, p-values become too small.",
    ]


def format_change(sentence: str) -> str:
    """Return the sentence on the smallest change of an anomaly."""
    return "None is needed: the row lies at the limit." if sentence == _NORMAL_ALREADY else sentence


def format_rate(rate: float) -> str:
    """Return a rate as a percentage with up to two significant digits: '5%', '0.25%'."""
    return f"{float(f'{100.0 * rate:.2g}'):g}%"


def format_p_value(p_value: float) -> str:
    """Return a p-value with two significant digits: '0.013', '4e-57'; 'below 1e-300' for smaller ones."""
    return "below 1e-300" if p_value < 1e-300 else f"{p_value:.2g}".replace("e-0", "e-")
