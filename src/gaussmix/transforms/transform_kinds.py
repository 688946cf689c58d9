"""The kinds of transforms of one column: log1p, Yeo-Johnson and standardize, each with its inverse and derivative.

All are increasing and map their domain onto all real numbers, so that a density of the transformed values times the
derivative is a density of the values. Yeo-Johnson does so for a lambda from 0 to 2, to which it is limited.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gaussmix.types import N

_LAMBDA_RANGE = (0.0, 2.0)
_LAMBDA_TOLERANCE = 1e-8


@dataclass(frozen=True)
class AbstractTransform(ABC):
    """An increasing map of a column's domain onto all real numbers."""

    name: ClassVar[str]
    effect: ClassVar[str]  # what follows "is transformed" in a sentence
    n_parameters: ClassVar[int] = 0  # that an information criterion counts
    minimum: ClassVar[float] = -np.inf  # values must be larger

    @property
    def description(self) -> str:
        """Name and estimated parameter, as text."""
        return self.name

    @property
    def is_valid(self) -> bool:
        """Whether the parameters are allowed."""
        return True

    @abstractmethod
    def forward(self, values: N) -> N:
        """Return transformed values."""

    @abstractmethod
    def inverse(self, values: N) -> N:
        """Return the values whose transformed values are given."""

    @abstractmethod
    def log_derivative(self, values: N) -> N:
        """Return the natural logarithm of the derivative of `forward` at the values."""


@dataclass(frozen=True)
class Log1p(AbstractTransform):
    """log(1 + x), for values above -1."""

    name: ClassVar[str] = "log1p"
    effect: ClassVar[str] = "to a logarithmic scale"
    minimum: ClassVar[float] = -1.0

    def forward(self, values: N) -> N:
        """Return log(1 + x)."""
        return np.asarray(np.log1p(values))

    def inverse(self, values: N) -> N:
        """Return exp(y) - 1."""
        return np.asarray(np.expm1(values))

    def log_derivative(self, values: N) -> N:
        """Return -log(1 + x)."""
        return np.asarray(-np.log1p(values))


@dataclass(frozen=True)
class YeoJohnson(AbstractTransform):
    """The power transform of Yeo & Johnson (Biometrika 87, 2000), for values of any sign.

    ``power`` is their lambda, from 0 to 2; 1 is the identity, and 0 is log(1 + x) for positive x.
    """

    power: float
    name: ClassVar[str] = "yeo-johnson"
    effect: ClassVar[str] = "by a power that makes it more symmetric"
    n_parameters: ClassVar[int] = 1

    @property
    def description(self) -> str:
        """Name and lambda, as text."""
        return f"{self.name}, lambda {self.power:.3g}"

    @property
    def is_valid(self) -> bool:
        """Whether lambda is between 0 and 2."""
        return _LAMBDA_RANGE[0] <= self.power <= _LAMBDA_RANGE[1]

    def forward(self, values: N) -> N:
        """Return ((1 + x)^lambda - 1) / lambda for x >= 0, and -((1 - x)^(2 - lambda) - 1) / (2 - lambda) below."""
        logs = np.log1p(np.abs(values))
        return np.where(values >= 0, _exp_minus_one(logs, self.power), -_exp_minus_one(logs, 2.0 - self.power))

    def inverse(self, values: N) -> N:
        """Return the values whose transformed values are given."""
        sizes = np.abs(values)
        logs = np.where(values >= 0, _log_one_plus(sizes, self.power), _log_one_plus(sizes, 2.0 - self.power))
        return np.asarray(np.copysign(np.expm1(logs), values))

    def log_derivative(self, values: N) -> N:
        """Return (lambda - 1) sign(x) log(1 + |x|)."""
        return np.asarray((self.power - 1.0) * np.sign(values) * np.log1p(np.abs(values)))


@dataclass(frozen=True)
class Standardize(AbstractTransform):
    """(x - mean) / scale; it changes the fit only for structures that depend on the units of the columns."""

    mean: float
    scale: float
    name: ClassVar[str] = "standardize"
    effect: ClassVar[str] = "to mean 0 and variance 1"

    @property
    def is_valid(self) -> bool:
        """Whether mean and scale are finite, and the scale is positive."""
        return bool(np.isfinite(self.mean)) and 0.0 < self.scale < np.inf

    def forward(self, values: N) -> N:
        """Return (x - mean) / scale."""
        return np.asarray((values - self.mean) / self.scale)

    def inverse(self, values: N) -> N:
        """Return mean + scale y."""
        return np.asarray(self.mean + self.scale * values)

    def log_derivative(self, values: N) -> N:
        """Return -log(scale)."""
        return np.full(np.shape(values), -np.log(self.scale))


def _exp_minus_one(logs: N, power: float) -> N:
    """Return (exp(power logs) - 1) / power, and logs for power 0."""
    return logs if power == 0.0 else np.asarray(np.expm1(power * logs) / power)


def _log_one_plus(values: N, power: float) -> N:
    """Return log(1 + power values) / power, and the values for power 0: the inverse of `_exp_minus_one`."""
    return values if power == 0.0 else np.asarray(np.log1p(power * values) / power)


# -- estimation ------------------------------------------------------------------------------------


def fit_log1p(values: N, weights: N) -> Log1p:
    """Return log1p, which has no parameters."""
    return Log1p()


def fit_yeo_johnson(values: N, weights: N) -> YeoJohnson:
    """Return the transform whose lambda from 0 to 2 makes weighted values most likely under one Gaussian."""
    fractions = weights / weights.sum()
    mean_log_derivative = float(fractions @ (np.sign(values) * np.log1p(np.abs(values))))

    def negative_log_likelihood(power: float) -> float:
        """Return minus the log-likelihood of one Gaussian per unit of weight, up to a constant."""
        with np.errstate(over="ignore"):
            transformed = YeoJohnson(power).forward(values)
        largest = float(np.abs(transformed).max())
        if not np.isfinite(largest):
            return np.inf
        deviations = (transformed - fractions @ transformed) / largest
        log_deviation = 0.5 * np.log(max(float(fractions @ deviations**2), 1e-300)) + np.log(largest)
        return float(log_deviation - (power - 1.0) * mean_log_derivative)

    if values.min() == values.max():
        return YeoJohnson(1.0)
    from scipy.optimize import minimize_scalar  # slow to import

    result = minimize_scalar(
        negative_log_likelihood, bounds=_LAMBDA_RANGE, method="bounded", options={"xatol": _LAMBDA_TOLERANCE}
    )
    candidates = (*_LAMBDA_RANGE, float(result.x))
    return YeoJohnson(min(candidates, key=negative_log_likelihood))


def fit_standardize(values: N, weights: N) -> Standardize:
    """Return the transform to weighted mean 0 and deviation 1; a constant column is only shifted."""
    fractions = weights / weights.sum()
    largest = float(np.abs(values).max()) or 1.0
    scaled = values / largest
    mean = float(fractions @ scaled)
    deviation = float(np.sqrt(fractions @ (scaled - mean) ** 2))
    is_constant = values.min() == values.max()
    return Standardize(largest * mean, 1.0 if is_constant else largest * deviation)


FIT_FUNCTIONS: dict[str, Callable[[N, N], AbstractTransform]] = {
    Log1p.name: fit_log1p,
    YeoJohnson.name: fit_yeo_johnson,
    Standardize.name: fit_standardize,
}
TRANSFORM_NAMES = tuple(FIT_FUNCTIONS)
TRANSFORM_CLASSES: dict[str, type[AbstractTransform]] = {cls.name: cls for cls in (Log1p, YeoJohnson, Standardize)}
