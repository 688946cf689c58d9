"""Confirm a linear relation among columns of a table by every row: exact, or up to the rounding of its values."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core.linear_relation import ROUNDING_ERRORS, LinearRelation
from gaussmix.core.rounding_step import bound_rounding_steps, find_rounding_step
from gaussmix.types import ND, AnyArray, D, IntD, N

MAX_RELATIVE_RESIDUAL = 1e-5  # of an exact relation, in units of the column's scale
MAX_COLUMNS = 512  # with more columns, only constant and equal ones are found
MIN_DEGREES_OF_FREEDOM = 3  # distinct rows beyond the parameters of a relation
_MAX_RELATIVE_ROUNDING = 0.02  # variance of rounding errors relative to that of the column
_MAX_VARIANCE_RATIO = 2.5  # of residuals to rounding errors; less with many rows
_MAX_LOSS_BY_SHORTENING = 1.5  # ratio of the mean squared residuals of shortened and least-squares coefficients
_MARGIN = 1.05  # of bounds on deviations
_ERRORS_OF_RESIDUALS = 10.0  # relative to `Table.eps`, with the errors of a sum over 512 columns
_ROUNDING_BOUND = 0.55  # largest rounding error in steps, with a margin for errors of the coefficients
_MAX_ROWS_TO_COMPARE = 20_000
_DIGITS = (1, 2, 3, 6, 17)  # coefficients are as short as possible


@dataclass(frozen=True, eq=False)
class Table:
    """Rows (n, D) of positive weight, with the minimum and maximum of each column.

    ``leniency`` multiplies the allowed variances where the rows are a part of a table: a relation of the table must not
    fail among them.
    """

    rows: AnyArray
    minimum: D
    maximum: D
    leniency: float = 1.0

    @classmethod
    def from_rows(cls, rows: AnyArray, leniency: float = 1.0) -> "Table":
        """Return the table of finite rows."""
        return cls(rows, rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64), leniency)

    @property
    def is_varying(self) -> AnyArray:
        """Which columns (D,) have more than one value."""
        return np.asarray(self.maximum > self.minimum)

    @cached_property
    def largest(self) -> D:
        """Largest absolute value of each column, (D,)."""
        return np.maximum(np.abs(self.minimum), np.abs(self.maximum))

    @property
    def eps(self) -> float:
        """Relative rounding error of a sum of columns: that of float32 for rows of this type."""
        return ROUNDING_ERRORS * float(np.finfo(self.rows.dtype).eps / np.finfo(np.float64).eps)

    @cached_property
    def n_distinct_rows(self) -> int:
        """Number of distinct rows; the number of all rows if there are many, or if they are a part of a table."""
        is_small = len(self.rows) <= _MAX_ROWS_TO_COMPARE and self.leniency == 1.0
        return len(np.unique(self.rows, axis=0)) if is_small else len(self.rows)

    def column(self, j: int) -> N:
        """Return a column (n,) as float64."""
        return np.asarray(self.rows[:, j], dtype=np.float64)

    @cached_property
    def _rounding_step_of_column(self) -> dict[int, float]:
        """The rounding steps found so far, by column."""
        return {}

    def rounding_step(self, j: int) -> float:
        """Return the rounding step of a column, 0 if it is not rounded; each is searched once."""
        steps = self._rounding_step_of_column
        if j not in steps:
            steps[j] = find_rounding_step(self.column(j))
        return steps[j]

    @property
    def explained_deviations(self) -> D:
        """A deviation (D,) for each column that bounds the residuals of every relation that the search accepts.

        Their variance is at most the sum over the columns of (slope times deviation)^2, where the slope of the
        dependent column is 1.
        """
        exact = MAX_RELATIVE_RESIDUAL * (0.5 * self.maximum - 0.5 * self.minimum)  # no scale exceeds half the range
        # Terms and intercept add to at most twice the sum of all terms, whose square is that of Cauchy and Schwarz.
        by_errors = 2.0 * _ERRORS_OF_RESIDUALS * self.eps * math.sqrt(self.rows.shape[1]) * self.largest
        by_rounding = math.sqrt(_MAX_VARIANCE_RATIO * self.leniency / 12.0) * bound_rounding_steps(
            self.rows, self.largest
        )
        return np.asarray(_MARGIN * np.maximum(np.maximum(exact, by_errors), by_rounding))

    def constant_relation(self, j: int) -> LinearRelation:
        """Return the relation of a constant column."""
        return LinearRelation(j, np.empty(0, dtype=np.int64), np.empty(0), float(self.minimum[j]), 0.0)


@dataclass(frozen=True, eq=False)
class RelationFit:
    """A candidate: a column, its predictors (p,) and least-squares slopes (p,), to be confirmed by every row."""

    table: Table
    column: int
    predictors: IntD
    slopes: D

    @cached_property
    def values(self) -> N:
        """The dependent column (n,)."""
        return self.table.column(self.column)

    @cached_property
    def predictor_rows(self) -> ND:
        """The predictors (n, p)."""
        return np.asarray(self.table.rows[:, self.predictors], dtype=np.float64)

    @cached_property
    def scale(self) -> float:
        """The column's standard deviation; less if its central 99 % of the rows say less."""
        size = float(np.abs(self.values).max()) or 1.0
        relative = self.values / size  # squares of huge values would overflow
        low, high = np.quantile(relative, [0.005, 0.995])
        deviation, central = float(np.std(relative)), float(high - low) / 5.15
        return size * (min(deviation, central) if central > 0 else deviation)

    @cached_property
    def rounding_steps(self) -> D:
        """The rounding steps of the column and of its predictors, (p + 1,); 0 for columns that are not rounded."""
        return np.array([self.table.rounding_step(j) for j in (self.column, *self.predictors.tolist())])

    def find_confirmed_relation(self) -> LinearRelation | None:
        """Return the relation with the shortest coefficients that every row confirms; None if there is none."""
        if not self._is_plausible():
            return None
        for digits in _DIGITS:
            slopes = np.array([_shorten(slope, digits) for slope in self.slopes])
            differences = self.values - self.predictor_rows @ slopes
            intercepts = {0.0, _shorten(float(np.mean(differences)), max(digits, 3))}
            for intercept in sorted(intercepts, key=abs):
                tolerance = self._confirmed_tolerance(differences - intercept, slopes, intercept)
                if tolerance is not None:
                    return LinearRelation(self.column, self.predictors, slopes, intercept, tolerance)
        return None

    @cached_property
    def _least_relative_deviation(self) -> float:
        """The deviation of the least-squares residuals, in units of the column's scale."""
        return float(np.std((self.values - self.predictor_rows @ self.slopes) / self.scale))

    def _is_plausible(self) -> bool:
        """Return whether the least-squares residuals, the smallest possible, are small enough for any relation."""
        differences = self.values - self.predictor_rows @ self.slopes
        deviation = self._least_relative_deviation
        if not deviation**2 <= _MAX_RELATIVE_ROUNDING * _MAX_VARIANCE_RATIO * self.table.leniency:
            return False
        if deviation * self.scale <= self._exact_tolerance(self.slopes, float(np.mean(differences))):
            return True
        return deviation**2 <= _MAX_VARIANCE_RATIO * self.table.leniency * self._rounding_variance(self.slopes)

    def _confirmed_tolerance(self, residuals: N, slopes: D, intercept: float) -> float | None:
        """Return the tolerance of a relation that explains the residuals (n,); None if rounding does not explain them.

        All are in units of the dependent column.
        """
        largest, exact = float(np.abs(residuals).max()), self._exact_tolerance(slopes, intercept)
        if largest <= exact < self.scale / 30.0:
            return exact
        bound = _ROUNDING_BOUND * float(self._scaled_steps(slopes).sum())
        mean_square = float(np.mean((residuals / self.scale) ** 2))
        is_rounding = largest <= bound and mean_square <= min(
            self._max_variance_ratio * self._rounding_variance(slopes),
            _MAX_LOSS_BY_SHORTENING * self._least_relative_deviation**2,
        )
        return bound if is_rounding else None

    def _exact_tolerance(self, slopes: D, intercept: float) -> float:
        """Return the largest difference from an exact relation, in units of the dependent column."""
        terms = self.table.largest[self.column] + np.abs(slopes) @ self.table.largest[self.predictors] + abs(intercept)
        return max(MAX_RELATIVE_RESIDUAL * self.scale, self.table.eps * float(terms))

    def _scaled_steps(self, slopes: D) -> D:
        """Return the rounding steps (p + 1,) in units of the dependent column."""
        return np.asarray(self.rounding_steps * np.append(1.0, np.abs(slopes)))

    def _rounding_variance(self, slopes: D) -> float:
        """Return the variance of the rounding errors of all columns together, in squared units of the column's scale.

        It is 0 if they cannot explain a difference: if they are large compared with the column, or if a copy was
        rounded to the step of its original.
        """
        steps = self._scaled_steps(slopes) / self.scale
        variance = float(steps @ steps) / 12.0
        is_copy = len(slopes) == 1 and abs(steps[1] - steps[0]) < 1e-2 * steps[0]
        is_large = variance > _MAX_RELATIVE_ROUNDING * self.table.leniency
        return 0.0 if is_copy or is_large else variance

    @property
    def _max_variance_ratio(self) -> float:
        """The largest ratio of the mean squared residual to the variance of rounding errors that chance explains."""
        degrees_of_freedom = self.table.n_distinct_rows - len(self.slopes) - 1
        by_chance = 1.0 + 5.0 * math.sqrt(2.0 / max(degrees_of_freedom, 1))
        return min(_MAX_VARIANCE_RATIO, by_chance) * self.table.leniency


def _shorten(value: float, digits: int) -> float:
    """Return the number, rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")
