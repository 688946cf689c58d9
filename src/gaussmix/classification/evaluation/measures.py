"""``ClassificationMeasures``: ranking, accuracy and calibration of predicted probabilities, with standard errors."""

from dataclasses import dataclass

from gaussmix.classification.evaluation.influence import MEASURES, influence_standard_error
from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, parse_outcomes, require_both_classes
from gaussmix.classification.evaluation.reliability import tabulate_reliability
from gaussmix.core.scalar_checks import require_integer
from gaussmix.types import ArrayLike

_MEASURE_NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "brier": "Brier score",
    "log_loss": "log-loss",
}


@dataclass(frozen=True, repr=False)
class ClassificationMeasures:
    """The result of `compute_measures`; ``print`` shows all measures.

    Attributes
    ----------
    n_rows : int
        Rows of positive weight.
    rate : float
        Fraction of positive rows.
    mean_probability : float
    auc, average_precision, brier, log_loss : float
        Area under the ROC curve, average precision, Brier score (mean of (y - p)^2) and log-loss (nats).
    auc_standard_error, average_precision_standard_error, brier_standard_error, log_loss_standard_error : float
        They hold for fixed probabilities and independent rows.
    calibration_error : float
        Expected calibration error: mean of |mean probability - rate| over bins of equally many rows.
    calibration_error_by_chance : float
        The mean calibration error of right probabilities in as many rows.
    """

    n_rows: int
    rate: float
    mean_probability: float
    auc: float
    average_precision: float
    brier: float
    log_loss: float
    auc_standard_error: float
    average_precision_standard_error: float
    brier_standard_error: float
    log_loss_standard_error: float
    calibration_error: float
    calibration_error_by_chance: float

    def table(self) -> list[dict[str, object]]:
        """Return one dict per measure: its name, value and standard error; the calibration error has none."""
        rows: list[dict[str, object]] = [
            {"measure": name, "value": getattr(self, key), "standard_error": getattr(self, f"{key}_standard_error")}
            for key, name in _MEASURE_NAMES.items()
        ]
        return [*rows, {"measure": "calibration error", "value": self.calibration_error, "standard_error": None}]

    def __repr__(self) -> str:
        """Return one line per measure."""
        lines = [f"{self.n_rows} rows, {self.rate:.4f} positive, mean probability {self.mean_probability:.4f}"]
        for key, name in _MEASURE_NAMES.items():
            lines.append(f"{name:<18}{getattr(self, key):.4f} ± {getattr(self, f'{key}_standard_error'):.4f}")
        chance = f"({self.calibration_error_by_chance:.4f} by chance)"
        return "\n".join([*lines, f"{'calibration error':<18}{self.calibration_error:.4f} {chance}"])


@dataclass(frozen=True)
class MeasureDifference:
    """A measure of two sets of probabilities on the same rows, and ``difference`` = ``first`` - ``second``.

    The standard error of the difference takes into account that both have the same rows.
    """

    measure: str
    first: float
    second: float
    difference: float
    standard_error: float


def compute_measures(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None, *, n_bins: int = 10
) -> ClassificationMeasures:
    """Return measures of the probabilities of a binary outcome, with standard errors.

    Parameters
    ----------
    y : array-like of shape (n,)
        True or 1 for rows of the positive class, False or 0 for others; at least two of each.
    p : array-like of shape (n,)
        Probability of the positive class.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1. Only their ratios matter, and rows of weight zero count as absent.
    n_bins : int, default=10
        Number of bins of the calibration error.

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid.
    """
    outcomes = parse_outcomes(y, p, sample_weight)
    n_bins = require_integer("n_bins", n_bins, 1)
    require_both_classes(outcomes)
    return measure_outcomes(outcomes, n_bins)


def measure_outcomes(outcomes: BinaryOutcomes, n_bins: int = 10) -> ClassificationMeasures:
    """Return the measures of outcomes that are checked and have two rows of each class."""
    found = {key: measure(outcomes) for key, measure in MEASURES.items()}
    reliability = tabulate_reliability(outcomes, n_bins)
    return ClassificationMeasures(
        n_rows=len(outcomes),
        rate=outcomes.rate,
        mean_probability=outcomes.mean_probability,
        calibration_error=reliability.calibration_error,
        calibration_error_by_chance=reliability.calibration_error_by_chance,
        **{key: one.value for key, one in found.items()},
        **{f"{key}_standard_error": one.standard_error(outcomes.weights) for key, one in found.items()},
    )


def compare_measures(
    y: ArrayLike, p: ArrayLike, other_p: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[MeasureDifference, ...]:
    """Return the differences of AUC, average precision, Brier score and log-loss of two sets of probabilities.

    Parameters
    ----------
    y : array-like of shape (n,)
        See `compute_measures`.
    p, other_p : array-like of shape (n,)
        Probabilities of two models for the same rows.
    sample_weight : array-like of shape (n,), optional
        Row weights. Default: 1.

    Raises
    ------
    DataError
        If the rows are invalid.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988), for the AUC.
    """
    first, second = (parse_outcomes(y, each, sample_weight) for each in (p, other_p))
    require_both_classes(first)
    return tuple(_compare(key, first, second) for key in MEASURES)


def _compare(key: str, first: BinaryOutcomes, second: BinaryOutcomes) -> MeasureDifference:
    """Return the difference of one measure."""
    one, other = MEASURES[key](first), MEASURES[key](second)
    standard_error = influence_standard_error(one.influence - other.influence, first.weights)
    return MeasureDifference(_MEASURE_NAMES[key], one.value, other.value, one.value - other.value, standard_error)
