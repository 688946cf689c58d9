"""Calibrate class probabilities on rows that no fit has seen.

A calibration is fitted once for a model, and is monotone in the log-odds of two classes, so that it keeps their ranking
up to ties. The kinds stand in the table ``CALIBRATIONS``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.isotonic import IsotonicRegression

from gaussmix.classification.softmax_loss import SoftmaxLoss
from gaussmix.classification.tail_loss import TailLoss, shorten_tails
from gaussmix.types import NK, Array, IntN, N

_MAX_LOG_ODDS = 50.0
_MIN_PROBABILITY = 1e-12


@dataclass(frozen=True, eq=False)
class AbstractCalibration(ABC):
    """A map from log class probabilities (n, Y) to calibrated ones."""

    @abstractmethod
    def apply(self, log_probabilities: NK) -> NK:
        """Return calibrated log probabilities (n, Y)."""


@dataclass(frozen=True, eq=False)
class SoftmaxCalibration(AbstractCalibration):
    """``floors + (1 - sum floors) softmax(slope log p + intercepts)``.

    For two classes this is ``e0 + (1 - e0 - e1) sigmoid(a z + b)`` of the log-odds z. Floors are the probabilities that
    remain where the model is certain: no model is surer than its training rows allow.

    Attributes
    ----------
    slope : float
    intercepts : ndarray of shape (Y,)
    floors : ndarray of shape (Y,)
    """

    slope: float
    intercepts: Array
    floors: Array

    def apply(self, log_probabilities: NK) -> NK:
        """Return calibrated log probabilities (n, Y)."""
        bounded = np.maximum(log_probabilities, -_MAX_LOG_ODDS)
        inner = log_softmax(self.slope * bounded + self.intercepts, axis=1)
        return add_floors(inner, self.floors)


@dataclass(frozen=True, eq=False)
class TailCalibration(AbstractCalibration):
    """``floors + (1 - sum floors) softmax(slope shorten_tails(log p) + intercepts)``.

    For two classes, log-odds z become about ``slope s arcsinh(z / s)``, with a scale s on either side. Where a model is
    too certain, free floors make many probabilities equal; shortened tails keep their order, also between models.

    Attributes
    ----------
    slope : float
    intercepts : ndarray of shape (Y,)
    scales : ndarray of shape (Y,)
        In nats.
    floors : ndarray of shape (Y,)
        Of half a row.
    """

    slope: float
    intercepts: Array
    scales: Array
    floors: Array

    def apply(self, log_probabilities: NK) -> NK:
        """Return calibrated log probabilities (n, Y)."""
        bounded = np.maximum(log_probabilities, -_MAX_LOG_ODDS)
        return add_floors(
            log_softmax(self.slope * shorten_tails(bounded, self.scales) + self.intercepts, axis=1), self.floors
        )


@dataclass(frozen=True, eq=False)
class IsotonicCalibration(AbstractCalibration):
    """A step function of the log-odds of each class against the others (Zadrozny & Elkan, KDD 2002).

    Attributes
    ----------
    thresholds : tuple of ndarray
        Log-odds of each class, ascending.
    values : tuple of ndarray
        Probabilities at these log-odds; they are interpolated.
    """

    thresholds: tuple[Array, ...]
    values: tuple[Array, ...]

    def apply(self, log_probabilities: NK) -> NK:
        """Return calibrated log probabilities (n, Y)."""
        probabilities = np.stack(
            [
                np.interp(_log_odds(log_probabilities, label), thresholds, values)
                for label, (thresholds, values) in enumerate(zip(self.thresholds, self.values, strict=True))
            ],
            axis=1,
        )
        probabilities = np.maximum(probabilities, _MIN_PROBABILITY)
        return np.asarray(np.log(probabilities / probabilities.sum(axis=1, keepdims=True)))


def add_floors(log_probabilities: NK, floors: Array) -> NK:
    """Return the log of ``floors + (1 - sum floors) p`` for log p (n, Y)."""
    if not floors.any():
        return np.asarray(log_probabilities)
    with np.errstate(divide="ignore"):
        log_floors = np.broadcast_to(np.log(floors), log_probabilities.shape)
    return np.asarray(np.logaddexp(log_floors, np.log1p(-floors.sum()) + log_probabilities))


def fit_calibration(kind: str, log_probabilities: NK, classes: IntN, weights: N) -> AbstractCalibration:
    """Fit a calibration to log probabilities (n, Y) of rows that the model has not seen.

    Parameters
    ----------
    kind : str
        A name of ``CALIBRATIONS``.
    log_probabilities : ndarray of shape (n, Y)
    classes : ndarray of int64 of shape (n,)
    weights : ndarray of shape (n,)
    """
    return CALIBRATIONS[kind](np.maximum(log_probabilities, -_MAX_LOG_ODDS), classes, weights)


def _fit_softmax(
    log_probabilities: NK, classes: IntN, weights: N, has_intercepts: bool, has_floors: bool
) -> AbstractCalibration:
    """Fit slope, and intercepts and floors on request."""
    loss = SoftmaxLoss(log_probabilities, classes, weights, has_intercepts, has_floors)
    return SoftmaxCalibration(*loss.minimize())


def _fit_floor(log_probabilities: NK, classes: IntN, weights: N) -> AbstractCalibration:
    """Fit slope, intercepts and floors."""
    return _fit_softmax(log_probabilities, classes, weights, has_intercepts=True, has_floors=True)


def _fit_tails(log_probabilities: NK, classes: IntN, weights: N) -> AbstractCalibration:
    """Fit slope, intercepts and the scales of the tails."""
    return TailCalibration(*TailLoss(log_probabilities, classes, weights).minimize())


def _fit_sigmoid(log_probabilities: NK, classes: IntN, weights: N) -> AbstractCalibration:
    """Fit slope and intercepts (Platt 1999)."""
    return _fit_softmax(log_probabilities, classes, weights, has_intercepts=True, has_floors=False)


def _fit_temperature(log_probabilities: NK, classes: IntN, weights: N) -> AbstractCalibration:
    """Fit the slope alone (Guo et al., ICML 2017)."""
    return _fit_softmax(log_probabilities, classes, weights, has_intercepts=False, has_floors=False)


def _fit_isotonic(log_probabilities: NK, classes: IntN, weights: N) -> AbstractCalibration:
    """Fit a step function for each class."""
    thresholds, values = [], []
    for label in range(log_probabilities.shape[1]):
        regression = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        regression.fit(_log_odds(log_probabilities, label), classes == label, sample_weight=weights)
        thresholds.append(regression.X_thresholds_)
        values.append(regression.y_thresholds_)
    return IsotonicCalibration(tuple(thresholds), tuple(values))


def _log_odds(log_probabilities: NK, label: int) -> N:
    """Return the log-odds (n,) of a class against all others, within bounds."""
    others = logsumexp(np.delete(log_probabilities, label, axis=1), axis=1)
    return np.asarray(np.clip(log_probabilities[:, label] - others, -_MAX_LOG_ODDS, _MAX_LOG_ODDS))


CALIBRATIONS: dict[str, Callable[[NK, IntN, N], AbstractCalibration]] = {
    "tails": _fit_tails,
    "floor": _fit_floor,
    "sigmoid": _fit_sigmoid,
    "isotonic": _fit_isotonic,
    "temperature": _fit_temperature,
}
