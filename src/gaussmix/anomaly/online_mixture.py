"""A mixture that learns row by row and forgets: each row goes to one component, or starts a new one.

Every component predicts the next row with the Student t of a Gaussian whose covariance is uncertain (Murphy, "Conjugate
Bayesian analysis of the Gaussian distribution", 2007, equation 232), so a light component is vague. A row far from all
components replaces the lightest one (Stauffer & Grimson, "Adaptive background mixture models for real-time tracking",
CVPR 1999). The weight of a row halves every ``half_life`` rows.

The K components tile the rows: before it has rows, a component has K^(-2/d) of the variance of all rows, as if space of
d dimensions was cut into K equal cells. Mean and variance of all rows forget, too. `limit_rows` says how far a row
counts there, so that a wild one does not make all components vague.
"""

from math import exp, lgamma, log, pi

import numpy as np

from gaussmix.core.linalg import precision_root
from gaussmix.types import ND, AnyArray, Array, D

# Rows whose squared distance from every component, per column, is larger start a new component: three deviations.
_MAX_SQUARED_DISTANCE = 9.0
# Rows for which the variance of a component without rows counts; with 3 the predictive variance is finite.
_PRIOR_ROWS = 3.0
# All components are factorised anew when the variance of a column has changed by a factor of four.
_LOG_VARIANCE_CHANGE = log(4.0)
# The variance of a column that is constant so far, of which no row deviates.
_MIN_VARIANCE = 1e-200
# A running variance is replaced if it is so many times that of the last rows: wild rows came when no limits were known.
_MAX_VARIANCE_RATIO = 100.0
# Means and scatters beyond these are clipped when units become smaller; their products are far from overflow.
_MAX_MEAN, _MAX_SCATTER = 2.0**100, 2.0**200
# What continues a stream exactly. Factors belong to it, since they know the variance of earlier rows.
_STATE = (
    *("counters", "row_mean", "row_variance", "row_limits", "factorised_log_variance"),
    *("mass", "last_row", "mean", "scatter", "roots", "offsets", "half_exponents"),
)


class OnlineMixture:
    """A mixture of up to K components in d columns, for rows in units where squares don't overflow.

    Parameters
    ----------
    n_features, n_components : int
        Number of columns d, and largest number of components K.
    half_life : float
        Number of rows after which the weight of a row has halved.
    """

    def __init__(self, n_features: int, n_components: int, half_life: float) -> None:
        k, d = n_components, n_features
        self._log_decay = log(2.0) / half_life
        self._prior_variance = _PRIOR_ROWS * n_components ** (-2.0 / n_features)
        self._n_used, self._n_rows, self._total_mass, self._row_mass = 0, 0, 0.0, 0.0
        self._row_mean, self._row_variance = np.zeros(d), np.zeros(d)
        self._row_limits = np.array([np.full(d, -np.inf), np.full(d, np.inf)])
        self._factorised_log_variance = np.full(d, log(_MIN_VARIANCE))
        self._mass, self._last_row, self._mean = np.zeros(k), np.zeros(k), np.zeros((k, d))
        self._scatter, self._roots = np.zeros((k, d, d)), np.zeros((k, d, d))
        self._offsets, self._half_exponents = np.zeros(k), np.zeros(k)
        self._scores, self._quadratics = np.zeros(0), np.zeros(0)

    def score(self, row: D) -> float:
        """Return the surprise of a row: minus its log density, per unit of the standard deviations of the rows.

        These deviations take the row into account, so score each row once, before it is learned. The components don't
        know the row yet. The first row has surprise 0.
        """
        log_variance = self._update_row_variance(row)
        n_used = self._n_used
        if n_used == 0:
            return 0.0
        whitened = np.matmul((row - self._mean[:n_used])[:, None, :], self._roots[:n_used])[:, 0]
        self._quadratics = np.einsum("kd,kd->k", whitened, whitened)
        self._scores = self._offsets[:n_used] - self._half_exponents[:n_used] * np.log1p(self._quadratics)
        top = self._scores.max()
        log_density = top + log(np.exp(self._scores - top).sum()) - log(self._total_mass)
        log_density -= self._n_rows * self._log_decay
        return -float(log_density + 0.5 * log_variance.sum())

    def learn(self, row: D) -> None:
        """Add the row of the last call of `score` to its likeliest component, or start a component with it."""
        self._total_mass = self._total_mass * exp(-self._log_decay) + 1.0
        self._n_rows += 1
        if self._is_far_from_all():
            component = self._component_to_replace()
            self._mass[component], self._mean[component], self._scatter[component] = 1.0, row, 0.0
        else:
            component = int(self._scores.argmax())
            self._add_to_component(component, row)
        self._last_row[component] = self._n_rows
        self._factorise(component)

    def limit_rows(self, limits: ND, last_rows: ND) -> None:
        """Let rows count in mean and variance of all rows as if they were between ``limits`` (2, d).

        ``last_rows`` (n, d) are rows of the stream within the limits. Where their variance is much smaller than the
        running one, their mean and variance replace it.
        """
        self._row_limits = limits
        variance = last_rows.var(axis=0)
        is_too_large = (variance > 0) & (self._row_variance > _MAX_VARIANCE_RATIO * variance)
        if is_too_large.any():
            self._row_mean = np.where(is_too_large, last_rows.mean(axis=0), self._row_mean)
            self._row_variance = np.where(is_too_large, variance, self._row_variance)

    def change_units(self, shift: D, factor: D) -> None:
        """Subtract ``shift`` (d,) from all rows so far, then multiply them by ``factor`` (d,); set limits next."""
        self._row_mean = _clip((self._row_mean - shift) * factor, _MAX_MEAN)
        self._mean = _clip((self._mean - shift) * factor, _MAX_MEAN)
        with np.errstate(over="ignore"):
            self._row_variance = _clip(self._row_variance * factor * factor, _MAX_SCATTER)
            self._scatter = _clip(self._scatter * factor[:, None] * factor, _MAX_SCATTER)
        self._factorise_all(np.log(np.maximum(self._row_variance, _MIN_VARIANCE)))

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return len(self._row_mean)

    def to_tensors(self) -> dict[str, AnyArray]:
        """Return the state as arrays by name."""
        counters = np.array([self._n_used, self._n_rows, self._total_mass, self._row_mass])
        return {name: counters if name == "counters" else getattr(self, f"_{name}") for name in _STATE}

    def set_tensors(self, tensors: dict[str, AnyArray]) -> None:
        """Continue from the state of a mixture of the same shape."""
        for name in _STATE[1:]:
            getattr(self, f"_{name}")[...] = tensors[name]
        n_used, n_rows, self._total_mass, self._row_mass = tensors["counters"].tolist()
        self._n_used, self._n_rows = int(n_used), int(n_rows)

    def _update_row_variance(self, row: D) -> D:
        """Add a row, within limits, to the mean and variance of all rows, and return the logarithm of the variance.

        All components are factorised if the variance has changed much.
        """
        self._row_mass = self._row_mass * exp(-self._log_decay) + 1.0
        fraction = 1.0 / self._row_mass
        deviation = np.minimum(np.maximum(row, self._row_limits[0]), self._row_limits[1]) - self._row_mean
        step = fraction * deviation
        self._row_mean += step
        self._row_variance = (1.0 - fraction) * (self._row_variance + step * deviation)
        log_variance = np.log(np.maximum(self._row_variance, _MIN_VARIANCE))
        if np.abs(log_variance - self._factorised_log_variance).max() > _LOG_VARIANCE_CHANGE:
            self._factorise_all(log_variance)
        return log_variance

    def _is_far_from_all(self) -> bool:
        """Return whether the row that was scored starts a component."""
        if self._n_used == 0:
            return True
        # the quadratics are divided by the degrees of freedom, which are twice the half exponents minus d
        n_features = len(self._row_mean)
        distances = self._quadratics * (2.0 * self._half_exponents[: self._n_used] - n_features)
        return bool(distances.min() > _MAX_SQUARED_DISTANCE * n_features)

    def _component_to_replace(self) -> int:
        """Return a component that is not used yet, or the lightest one, whose rows are forgotten."""
        if self._n_used < len(self._mass):
            self._n_used += 1
            return self._n_used - 1
        current_mass = self._mass * np.exp((self._last_row - self._n_rows) * self._log_decay)
        lightest = int(current_mass.argmin())
        self._total_mass -= float(current_mass[lightest])
        return lightest

    def _add_to_component(self, component: int, row: D) -> None:
        """Add a row to the moments of a component, whose earlier rows lose weight."""
        decay = exp((self._last_row[component] - self._n_rows) * self._log_decay)
        mass = self._mass[component] * decay + 1.0
        deviation = row - self._mean[component]
        self._mass[component] = mass
        self._mean[component] += deviation / mass
        scatter = self._scatter[component]
        scatter *= decay
        scatter += deviation[:, None] * ((1.0 - 1.0 / mass) * deviation)

    def _factorise_all(self, log_variance: D) -> None:
        """Factorise all components with the present variance of the rows."""
        self._factorised_log_variance = log_variance
        for component in range(self._n_used):
            self._factorise(component)

    def _factorise(self, component: int) -> None:
        """Compute root, offset and exponent of the predictive Student t of a component."""
        mass, n_features = float(self._mass[component]), len(self._row_mean)
        freedom = _PRIOR_ROWS + mass
        scale = self._scatter[component].copy()
        scale.flat[:: n_features + 1] += self._prior_variance * np.maximum(self._row_variance, _MIN_VARIANCE)
        scale *= 1.0 + 1.0 / mass
        root = precision_root(scale)
        if root is None:  # rounding: the scatter is from rows of much larger variance
            root = np.diag(scale.diagonal() ** -0.5)
        self._roots[component] = root
        self._half_exponents[component] = half = 0.5 * (freedom + n_features)
        self._offsets[component] = (
            log(mass)
            + self._last_row[component] * self._log_decay
            + lgamma(half)
            - lgamma(0.5 * freedom)
            - 0.5 * n_features * log(pi)
            + float(np.log(root.diagonal()).sum())
        )


def _clip(values: Array, largest: float) -> Array:
    """Return values between minus ``largest`` and ``largest``."""
    return np.minimum(np.maximum(values, -largest), largest)
