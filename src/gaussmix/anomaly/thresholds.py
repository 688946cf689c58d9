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
_LARGEST_FRACTION = 0.5  # of rows that are anomalies; if there are more, they are the normal rows
_MAX_STANDARD_ERRORS = 2.0  # by which the number of unseen scores beyond a limit may exceed what is expected
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
    """Return the limit that a fraction of the training rows lie beyond."""
    return _find_limit(rate, training)


def _find_limit(fraction: float, training: TrainingScores) -> float:
    """Return the limit that a fraction of the training rows lie beyond as `predict` scores them, if that holds for all.

    With many columns or few rows, fits follow the rows they have seen: new rows then lie farther out. If so many unseen
    scores lie beyond the limit that chance does not explain them, the limit is a quantile of the unseen scores.
    """
    limit = find_lower_limit(training.all_fits(), training.weights, fraction)
    weights = np.ones(len(training.unseen)) if training.weights is None else training.weights
    expected = max(fraction * float(weights.sum()), 1.0)
    n_beyond = float(weights[training.unseen < limit].sum())
    if n_beyond <= expected + _MAX_STANDARD_ERRORS * np.sqrt(expected):
        return limit
    return find_lower_limit(training.unseen, training.weights, fraction)


def find_lower_limit(scores: N, weights: N | None, fraction: float) -> float:
    """Return the limit below which a fraction of the weight of scores (n,) lies, with rows that equal the last one.

    If these ties made more than half of the rows anomalies, they are left out.
    """
    last = weighted_quantile(scores, weights, fraction)
    flagged = float(np.average(scores <= last, weights=weights))
    return last if flagged > _LARGEST_FRACTION else float(np.nextafter(last, np.inf))


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
    k / n. Where none is selected, the most unusual row is the limit, if its p-value is at most the rate: about one
    false alarm in as many rows.
    """
    if training.calibration.is_clean:
        return _offset_of_fpr(rate, training)
    is_selected = select_by_fdr(np.exp(training.unseen), rate, training.weights)
    if not is_selected.any():
        return min(_find_limit(1.0 / training.calibration.total_weight, training), float(np.log(rate)))
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
