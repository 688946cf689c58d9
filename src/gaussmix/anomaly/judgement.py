"""``Judgement``: which of many rows are anomalies when all are judged together at one rate, and in which order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaussmix.anomaly.conformal import select_by_fdr
from gaussmix.anomaly.explanation import parse_is_anomaly
from gaussmix.anomaly.thresholds import Threshold, find_lower_limit, parse_threshold
from gaussmix.core.input_arrays import column_names, parse_rows
from gaussmix.errors import AnomalyParameterError
from gaussmix.types import ND, ArrayLike, BoolN, IntN, N

_SMALLEST_P_VALUE = np.finfo(np.float64).tiny
_SMALLEST_LOG, _LARGEST_LOG = float(np.log(_SMALLEST_P_VALUE)), -1e-12  # of a rate, which is above 0 and below 1


@dataclass(frozen=True, eq=False)
class Judgement:
    """Which of n rows are anomalies.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
    names : tuple of str
        Names (D,) of the columns.
    p_values : ndarray of shape (n,)
    scores : ndarray of shape (n,)
        Those of `AnomalyDetector.score_samples`; they order rows of equal p-values.
    is_anomaly : ndarray of bool of shape (n,)
    threshold : Threshold
        The kind of the rate, and the rate.
    p_value_limit : float
        Rows with a p-value up to this are anomalies by the rate; with a false discovery rate it depends on all rows.
        A row whose p-value a change raises above it is not flagged any more.
    """

    rows: ND = field(repr=False)
    names: tuple[str, ...]
    p_values: N
    scores: N
    is_anomaly: BoolN
    threshold: Threshold
    p_value_limit: float

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_anomalies(self) -> int:
        """Number of anomalies."""
        return int(self.is_anomaly.sum())

    @property
    def all_ranks(self) -> IntN:
        """Positions (n,) of all rows, the most unusual first."""
        return np.lexsort((self.scores, self.p_values))

    @property
    def ranked_anomalies(self) -> IntN:
        """Positions (m,) of the anomalies, the most unusual first."""
        ranks = self.all_ranks
        return ranks[self.is_anomaly[ranks]]


def judge_rows(
    detector: Any,
    X: ArrayLike,
    *,
    p_values: ArrayLike | None = None,
    is_anomaly: ArrayLike | None = None,
    threshold: tuple[str, float] | None = None,
) -> Judgement:
    """Judge rows together: with a false discovery rate the decision on a row depends on the other rows.

    Parameters
    ----------
    detector : fitted AnomalyDetector
    X : array-like of shape (n, D)
    p_values : array-like of shape (n,), optional
        Default: those of the detector. For the rows it was fitted to: ``detector.training_p_values_``.
    is_anomaly : array-like of bool of shape (n,), optional
        Which rows are anomalies. Default: by the threshold.
    threshold : tuple of str and float, optional
        'fdr', 'fpr' or 'contamination' and the rate. Default: those of the detector. A contamination is the fraction
        of these rows that are anomalies; rows equal to the last of them are, too. The contamination of a detector is
        that of its training rows. Other rows have the same limit as in `predict`: the false positive rate that belongs
        to it.

    Raises
    ------
    DataError, ParameterError
        If the rows or another argument are not allowed.
    """
    rate = _parse_threshold(detector, threshold, are_training_rows=p_values is not None)
    model = detector.model_
    rows = parse_rows(X, model.columns.n_features, model.feature_names)
    names = model.feature_names or column_names(X) or [f"column {j}" for j in range(rows.shape[1])]
    if p_values is None:
        p, scores = model.p_values_and_log_tails(rows)
    else:
        p, scores = _parse_p_values(p_values, len(rows)), model.log_tails(rows)
    selected, limit = _RULES[rate.kind](rate.rate, p, scores)
    flags = selected if is_anomaly is None else parse_is_anomaly(is_anomaly, len(rows))
    return Judgement(rows, tuple(names), p, scores, flags, rate, limit)


def _parse_threshold(detector: Any, threshold: tuple[str, float] | None, are_training_rows: bool) -> Threshold:
    """Return the threshold of the argument, or that of the detector."""
    if threshold is None:
        own = parse_threshold(detector.contamination, detector.fpr, detector.fdr)
        if own.kind != "contamination" or are_training_rows:
            return own
        return Threshold("fpr", float(np.exp(np.clip(detector.offset_, _SMALLEST_LOG, _LARGEST_LOG))))
    kind, rate = threshold
    if kind not in _RULES:
        raise AnomalyParameterError.unknown_threshold(kind, list(_RULES))
    return parse_threshold(**{name: rate if name == kind else None for name in ("contamination", "fpr", "fdr")})


def _parse_p_values(p_values: ArrayLike, n_rows: int) -> N:
    """Return p-values (n,); raise AnomalyParameterError unless there is one from 0 to 1 for each row."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.shape != (n_rows,) or not ((values >= 0.0) & (values <= 1.0)).all():
        raise AnomalyParameterError.invalid_p_values(values.shape, n_rows)
    return values


def _select_by_fdr(rate: float, p_values: N, scores: N) -> tuple[BoolN, float]:
    """Return the rows (n,) that Benjamini and Hochberg select, and their limit: rate times the fraction selected."""
    selected = select_by_fdr(p_values, rate)
    return selected, rate * max(int(selected.sum()), 1) / len(p_values)


def _select_by_fpr(rate: float, p_values: N, scores: N) -> tuple[BoolN, float]:
    """Return the rows (n,) with p-values of at most the rate, and the rate."""
    return p_values <= rate, rate


def _select_fraction(rate: float, p_values: N, scores: N) -> tuple[BoolN, float]:
    """Return which rows (n,) are the most unusual fraction, with ties, and a p-value between them and the others."""
    order = np.lexsort((scores, p_values))
    is_new = (np.diff(p_values[order]) > 0) | (np.diff(scores[order]) > 0)
    ranks = np.empty(len(order))
    ranks[order] = np.append(0.0, np.cumsum(is_new))  # equal rows have equal ranks
    selected = ranks < find_lower_limit(ranks, None, rate)  # the rule by which `predict` counts training rows
    count = int(selected.sum())
    around = np.maximum(p_values[order[max(count - 1, 0) : count + 1]], _SMALLEST_P_VALUE)
    return selected, float(np.exp(np.log(around).mean()))


_RULES: dict[str, Callable[[float, N, N], tuple[BoolN, float]]] = {
    "fdr": _select_by_fdr,
    "fpr": _select_by_fpr,
    "contamination": _select_fraction,
}
