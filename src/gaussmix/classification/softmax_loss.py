"""``SoftmaxLoss``: the slope, intercepts and floors of a calibration with the largest posterior density."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from gaussmix.types import NK, Array, IntN, N

_LOG_SLOPE_RANGE = (-3.0, 3.0)
_INTERCEPT_RANGE = (-10.0, 10.0)
_FLOOR_RATIO_RANGE = (1e-12, 1e3)
_FIRST_FLOOR = float(np.exp(-4.0))
_STEEP_LOG_SLOPE_DEVIATION = 0.1  # with floors
_EXPLAINED_PSEUDO_ROWS = 20.0  # that no floor explains
_PSEUDO_ROWS = 0.5  # of each class that only its floor explains


class SoftmaxParameters(NamedTuple):
    """A slope, intercepts (Y,) and floors (Y,)."""

    slope: float
    intercepts: Array
    floors: Array


@dataclass(frozen=True, eq=False)
class SoftmaxLoss:
    """The negative log posterior density of slope, intercepts and floors per row, as a function of free numbers (p,).

    The probability of class y is ``floor_y + (1 - sum floors) softmax(slope log p + intercepts)_y``. The free numbers
    are the log slope, the intercepts of all classes but the first, and the ratio of each floor to the rest
    ``1 - sum floors``. The log slope and the intercepts have standard normal priors. Half a row of each class counts as
    one that only the floor explains, and 20 rows as ones that no floor explains. So a calibration of few rows stays
    near the identity, and one of separated classes is finite.

    With floors the standard deviation of a positive log slope is 0.1: a steep slope with high floors and a flat one
    with low floors explain rows nearly alike, and the flat one keeps rows apart that the steep one moves onto the
    floor.

    Attributes
    ----------
    log_probabilities : ndarray of shape (n, Y)
    classes : ndarray of int64 of shape (n,)
    weights : ndarray of shape (n,)
    has_intercepts, has_floors : bool
        Whether these are free; else they are 0.
    """

    log_probabilities: NK
    classes: IntN
    weights: N
    has_intercepts: bool
    has_floors: bool

    @property
    def n_classes(self) -> int:
        """Number of classes Y."""
        return int(self.log_probabilities.shape[1])

    @property
    def _n_coefficients(self) -> int:
        """Number of slopes and free intercepts."""
        return 1 + (self.n_classes - 1) * self.has_intercepts

    @cached_property
    def _n_rows(self) -> float:
        """Number of rows with their copies."""
        return float(self.weights.sum())

    def _prior_deviations(self, log_slope: float) -> Array:
        """Return the prior standard deviations of the log slope and of the free intercepts."""
        deviations = np.ones(self._n_coefficients)
        if self.has_floors and log_slope > 0.0:
            deviations[0] = _STEEP_LOG_SLOPE_DEVIATION
        return deviations

    @property
    def start(self) -> N:
        """Free numbers (p,) of the identity, with small floors."""
        floors = np.full(self.n_classes * self.has_floors, _FIRST_FLOOR)
        return np.concatenate([np.zeros(self._n_coefficients), floors])

    def minimize(self) -> SoftmaxParameters:
        """Return the parameters of the smallest loss."""
        n_floors = self.n_classes * self.has_floors
        bounds = [_LOG_SLOPE_RANGE, *[_INTERCEPT_RANGE] * (self._n_coefficients - 1), *[_FLOOR_RATIO_RANGE] * n_floors]
        result = minimize(
            self.evaluate,
            self.start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
        )
        return self.to_parameters(result.x)

    def to_parameters(self, free: N) -> SoftmaxParameters:
        """Return the parameters of free numbers (p,)."""
        ratios = self._floor_ratios(free)
        return SoftmaxParameters(float(np.exp(free[0])), self._intercepts(free), ratios / (1.0 + ratios.sum()))

    def evaluate(self, free: N) -> tuple[float, N]:
        """Return the loss and its gradient (p,)."""
        slope, ratios = np.exp(free[0]), self._floor_ratios(free)
        weights = self.weights / self._n_rows
        log_inner = log_softmax(slope * self.log_probabilities + self._intercepts(free), axis=1)
        own = log_inner[np.arange(len(self.classes)), self.classes]
        with np.errstate(divide="ignore"):
            log_sum = np.logaddexp(np.log(ratios)[self.classes], own)
        by_score = np.exp(own - log_sum)[:, None] * (np.eye(self.n_classes)[self.classes] - np.exp(log_inner))
        by_score *= weights[:, None]
        total = 1.0 + ratios.sum()
        by_ratio = np.bincount(self.classes, weights * np.exp(-log_sum), self.n_classes) - 1.0 / total
        gradient = np.r_[
            slope * (by_score * self.log_probabilities).sum(),
            by_score.sum(axis=0)[1 : self._n_coefficients],
            by_ratio[: self.n_classes * self.has_floors],
        ]
        penalty, by_penalty = self._evaluate_prior(free)
        loss = float(np.log(total) - weights @ log_sum) + penalty / self._n_rows
        return loss, by_penalty / self._n_rows - gradient

    def _evaluate_prior(self, free: N) -> tuple[float, N]:
        """Return the negative log density of the prior, up to a constant, and its gradient (p,)."""
        coefficients, ratios = np.split(free, [self._n_coefficients])
        n_pseudo, total = (_PSEUDO_ROWS * len(ratios) + _EXPLAINED_PSEUDO_ROWS) * self.has_floors, 1.0 + ratios.sum()
        deviations = self._prior_deviations(float(free[0]))
        scaled = coefficients / deviations
        density = 0.5 * (scaled**2).sum() + n_pseudo * np.log(total) - _PSEUDO_ROWS * np.log(ratios).sum()
        return float(density), np.r_[scaled / deviations, n_pseudo / total - _PSEUDO_ROWS / ratios]

    def _intercepts(self, free: N) -> Array:
        """Return the intercepts of all classes (Y,); that of the first one is 0."""
        intercepts = np.zeros(self.n_classes)
        intercepts[1 : self._n_coefficients] = free[1 : self._n_coefficients]
        return intercepts

    def _floor_ratios(self, free: N) -> Array:
        """Return the ratio of each floor to the rest, (Y,)."""
        return np.asarray(free[self._n_coefficients :]) if self.has_floors else np.zeros(self.n_classes)
