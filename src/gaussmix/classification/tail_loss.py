"""``TailLoss``: the slope, intercepts and tail scales of a calibration with the largest posterior density."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from gaussmix.types import NK, Array, IntN, N

_LOG_SLOPE_RANGE = (-3.0, 3.0)
_INTERCEPT_RANGE = (-10.0, 10.0)
_LOG_SCALE_RANGE = (-3.0, 6.0)
_LOG_SCALE_MEAN, _LOG_SCALE_DEVIATION = 2.0, 2.0
_FIRST_LOG_SCALES = (1.0, 3.0)
_PSEUDO_ROWS = 0.5  # of each class, that nothing explains


class TailParameters(NamedTuple):
    """A slope, intercepts (Y,), scales (Y,) in nats, and floors (Y,)."""

    slope: float
    intercepts: Array
    scales: Array
    floors: Array


def shorten_tails(log_probabilities: NK, scales: Array) -> NK:
    """Return ``-s arcsinh(-log p / s)`` for log probabilities (n, Y) and the scale s of each class.

    Well above ``exp(-s)`` a probability stays as it is. Far below, its logarithm falls as slowly as the logarithm of
    ``log p`` does, so that no class is excluded.
    """
    return np.asarray(-scales * np.arcsinh(-log_probabilities / scales))


@dataclass(frozen=True, eq=False)
class TailLoss:
    """The negative log posterior density of slope, intercepts and tail scales per row, as a function of free numbers.

    The probability of class y is ``e + (1 - Y e) softmax(slope shorten_tails(log p) + intercepts)_y``. The floor e is
    half a row of all, so that no calibration is surer than its rows allow. The free numbers (2 Y,) are the log slope,
    the intercepts of all classes but the first, and the log scale of each class. The log slope and the intercepts have
    standard normal priors, log scales one of mean 2 and deviation 2.

    Attributes
    ----------
    log_probabilities : ndarray of shape (n, Y)
    classes : ndarray of int64 of shape (n,)
    weights : ndarray of shape (n,)
    """

    log_probabilities: NK
    classes: IntN
    weights: N

    @property
    def n_classes(self) -> int:
        """Number of classes Y."""
        return int(self.log_probabilities.shape[1])

    @property
    def floor(self) -> float:
        """The smallest probability of a class."""
        return _PSEUDO_ROWS / (float(self.weights.sum()) + _PSEUDO_ROWS * self.n_classes)

    def start(self, log_scale: float) -> N:
        """Return free numbers (2 Y,) of slope 1 and equal scales."""
        return np.concatenate([np.zeros(self.n_classes), np.full(self.n_classes, log_scale)])

    def minimize(self) -> TailParameters:
        """Return the parameters of the smallest loss from two starts: short tails and long ones."""
        results = [self._minimize_from(self.start(scale)) for scale in _FIRST_LOG_SCALES]
        return self.to_parameters(min(results, key=lambda result: result[0])[1])

    def _minimize_from(self, start: N) -> tuple[float, N]:
        """Return the smallest loss that is found from a start, and its free numbers."""
        n_classes = self.n_classes
        result = minimize(
            self.evaluate,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[_LOG_SLOPE_RANGE, *[_INTERCEPT_RANGE] * (n_classes - 1), *[_LOG_SCALE_RANGE] * n_classes],
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
        )
        return float(result.fun), result.x

    def to_parameters(self, free: N) -> TailParameters:
        """Return the parameters of free numbers (2 Y,)."""
        intercepts = np.concatenate([[0.0], free[1 : self.n_classes]])
        floors = np.full(self.n_classes, self.floor)
        return TailParameters(float(np.exp(free[0])), intercepts, np.exp(free[self.n_classes :]), floors)

    def evaluate(self, free: N) -> tuple[float, N]:
        """Return the loss and its gradient (2 Y,)."""
        log_probabilities, classes, weights = self.log_probabilities, self.classes, self.weights
        slope, intercepts, scales, floors = self.to_parameters(free)
        shortened = shorten_tails(log_probabilities, scales)
        inner = np.exp(log_softmax(slope * shortened + intercepts, axis=1))
        explained = (1.0 - floors.sum()) * inner[np.arange(len(classes)), classes]
        probabilities = self.floor + explained
        loss = -weights @ np.log(probabilities)
        by_score = (weights * explained / probabilities)[:, None] * (inner - np.eye(self.n_classes)[classes])
        # the derivative of -s arcsinh(l / s) by log s, with l = -log p
        by_log_scale = shortened - log_probabilities / np.sqrt(1.0 + (log_probabilities / scales) ** 2)
        gradient = np.concatenate([
            [slope * (by_score * shortened).sum()],
            by_score.sum(axis=0)[1:],
            slope * (by_score * by_log_scale).sum(axis=0),
        ])  # fmt: skip
        coefficients, scaled = np.split(free, [self.n_classes])
        scaled = (scaled - _LOG_SCALE_MEAN) / _LOG_SCALE_DEVIATION
        penalty = 0.5 * float(coefficients @ coefficients + scaled @ scaled)
        by_penalty = np.concatenate([coefficients, scaled / _LOG_SCALE_DEVIATION])
        n_rows = float(self.weights.sum())
        return float(loss + penalty) / n_rows, (gradient + by_penalty) / n_rows
