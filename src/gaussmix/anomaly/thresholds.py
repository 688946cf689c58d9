"""Thresholds that nobody has to guess: the score below which a row is an anomaly, for a wanted error rate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.anomaly.calibration import CalibrationScores
from gaussmix.anomaly.conformal import select_by_fdr, weigh_scores
from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import AnomalyParameterError, ParameterError
from gaussmix.types import N

DEFAULT_FDR = 0.05
_CONTAMINATION_LIMIT = float(np.nextafter(0.5, 1.0))  # 0.5 is allowed


class Threshold(NamedTuple):
    """The kind of a threshold, a key of `THRESHOLDS`, and its rate."""

    kind: str
    rate: float


@dataclass(frozen=True, eq=False)
class TrainingScores:
    """What a threshold may depend on: the calibration, and log tails (n,) of training rows.

    ``unseen`` are by fits that have not seen the row, ``all_fits`` by all of them. ``weights`` (n,) or None count rows.
    """

    calibration: CalibrationScores
    unseen: N
    all_fits: Callable[[], N]
    weights: N | None


def _offset_of_contamination(rate: float, training: TrainingScores) -> float:
    """Return the quantile of the scores of the training rows; the rows that equal it are anomalies, too."""
    return float(np.nextafter(weighted_quantile(training.all_fits(), training.weights, rate), np.inf))


def _offset_of_fpr(rate: float, training: TrainingScores) -> float:
    """Return the score whose p-value is the rate: among clean calibration rows by rank, else by the fitted tail."""
    calibration = training.calibration
    if not calibration.is_clean:
        return float(np.log(rate))
    distinct = np.unique(calibration.scores)
    above, _ = weigh_scores(calibration.scores, distinct, calibration.weights)
    allowed = np.flatnonzero((above + 1.0) / (calibration.total_weight + 1.0) <= rate)
    if not len(allowed):  # too few rows for so low a rate: the tail beyond the largest score is extrapolated
        return float(np.log(rate))
    return float(calibration.tail(distinct[allowed[:1]])[0])


def _offset_of_fdr(rate: float, training: TrainingScores) -> float:
    """Return the limit of Benjamini and Hochberg among training rows; clean ones have no anomalies to select.

    Then each new row is judged alone. If k of n contaminated rows are selected, the limit is a p-value of ``rate``
    k / n. Where none is selected, the most unusual row is the limit: about one false alarm in as many rows.
    """
    if training.calibration.is_clean:
        return _offset_of_fpr(rate, training)
    is_selected = select_by_fdr(np.exp(training.unseen), rate, training.weights)
    if not is_selected.any():
        return float(np.nextafter(training.all_fits().min(), np.inf))
    fraction = float(np.average(is_selected, weights=training.weights))
    return float(np.log(rate * fraction))


THRESHOLDS: dict[str, Callable[[float, TrainingScores], float]] = {
    "contamination": _offset_of_contamination,
    "fpr": _offset_of_fpr,
    "fdr": _offset_of_fdr,
}


def parse_threshold(contamination: object, fpr: object, fdr: object) -> Threshold:
    """Return the threshold that a user asks for; by default a false discovery rate of 0.05.

    Raises
    ------
    ParameterError
        If a rate is out of range, or more than one is given.
    """
    given = {"contamination": contamination, "fpr": fpr, "fdr": fdr}
    chosen = {name: value for name, value in given.items() if value is not None and not _is_auto(name, value)}
    if len(chosen) > 1:
        raise AnomalyParameterError.several_thresholds(list(chosen))
    for name, value in chosen.items():
        limit = _CONTAMINATION_LIMIT if name == "contamination" else 1.0
        if not is_number_in(value, 0.0, limit):
            raise ParameterError.invalid_value(name, value, _describe_range(name))
        return Threshold(name, float(value))  # type: ignore[arg-type]
    return Threshold("fdr", DEFAULT_FDR)


def _is_auto(name: str, value: object) -> bool:
    """Return whether a value is scikit-learn's 'auto' of the contamination."""
    return name == "contamination" and isinstance(value, str) and value == "auto"


def _describe_range(name: str) -> str:
    """Return the values that a rate may have, in words."""
    if name == "contamination":
        return "'auto', or a number above 0 and at most 0.5; more anomalies than that are the normal rows"
    return "None, or a number between 0 and 1"
