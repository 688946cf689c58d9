"""Columns of few values of which some are rare: flags and codes, which no Gaussian describes.

A value that a fiftieth of the rows have lies seven deviations from the others, though its rows are as usual as their
frequency says. Such a column counts as a normal variable of which only the interval between two quantiles is known
(the latent variable of ordinal data; Olsson, Psychometrika 44, 1979): a value stands for the mean of its interval.
Fits see rows spread over their intervals, so that the column has the variance of the normal variable.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import norm

from gaussmix.types import ND, AnyArray, IntN, N

_MAX_VALUES = 10
_MAX_TRIED_ROWS = 1000
_MIN_PROBABILITY = 1e-9  # of a normal variable that stands for a code: six deviations
_MIN_FRACTION, _MIN_ROWS = 0.01, 2.0  # have a code; a rarer value may be an error
_MAX_RARE_FRACTION = 0.1  # of the rows have the rarest value: less than twice what vouches for itself
_MIN_MAIN_FRACTION = 0.8  # of the rows have the most frequent value; groups describe values that share the rows


@dataclass(frozen=True, eq=False)
class CodeColumn:
    """One such column: its position, its values (v,), ascending, and the probabilities (v,) below and up to each.

    Values that fewer than a hundredth of the rows have are no codes, unless only one value is more frequent: they lie
    on the line through the nearest codes.
    """

    position: int
    values: N
    below: N
    up_to: N

    @classmethod
    def from_values(cls, position: int, column: N, weights: N | None) -> "CodeColumn | None":
        """Return the code column of values (n,) with weights (n,); None if it has many values, or none is rare."""
        if len(np.unique(column[:_MAX_TRIED_ROWS])) > _MAX_VALUES:  # most columns are no codes, and sorting costs time
            return None
        values, inverse = np.unique(column, return_inverse=True)
        if not 2 <= len(values) <= _MAX_VALUES:
            return None
        mass = np.bincount(inverse, weights=weights)
        fractions = mass / mass.sum()
        is_code = (fractions >= _MIN_FRACTION) & (mass >= _MIN_ROWS)
        if is_code.sum() < 2:
            is_code[:] = True
        codes = fractions[is_code]
        if codes.max() < _MIN_MAIN_FRACTION and codes.min() >= _MAX_RARE_FRACTION:
            return None
        below = np.cumsum(fractions) - fractions
        return cls(
            position, np.asarray(values[is_code], dtype=np.float64), below[is_code], (below + fractions)[is_code]
        )

    @cached_property
    def latent_means(self) -> N:
        """Means (v,) of a standard normal variable within the interval of each value."""
        return np.asarray((_normal_density_at(self.below) - _normal_density_at(self.up_to)) / (self.up_to - self.below))

    def score(self, column: N) -> N:
        """Return the latent means of values (n,); other values lie on the line through the two nearest ones."""
        means, values = self.latent_means, self.values
        last = np.clip(np.searchsorted(values, column), 1, len(values) - 1)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            slopes = np.diff(means) / np.diff(values)
            scores = means[last - 1] + (column - values[last - 1]) * slopes[last - 1]
        for value, mean in zip(values, means, strict=True):
            scores[column == value] = mean
        return np.asarray(scores)

    def spread(self, column: N, uniform: N) -> N:
        """Return a normal quantile within the interval of each value (n,), at places (n,) from 0 to 1."""
        index = np.searchsorted(self.values, column)
        is_known = self.values[np.minimum(index, len(self.values) - 1)] == column
        scores = self.score(column)
        below, above = self.below[index[is_known]], self.up_to[index[is_known]]
        probabilities = below + (above - below) * uniform[is_known]
        scores[is_known] = norm.ppf(np.clip(probabilities, _MIN_PROBABILITY, 1.0 - _MIN_PROBABILITY))
        return scores


def _normal_density_at(probabilities: N) -> N:
    """Return the density of a standard normal variable at its quantiles (v,)."""
    return np.asarray(norm.pdf(norm.ppf(np.clip(probabilities, 0.0, 1.0))))


def find_code_columns(rows: AnyArray, weights: N | None) -> tuple[CodeColumn, ...]:
    """Return the columns of flags and codes among those of rows (n, d) with weights (n,) or None."""
    found = (CodeColumn.from_values(j, rows[:, j], weights) for j in range(rows.shape[1]))
    return tuple(column for column in found if column is not None)


def score_codes(standardized: ND, rows: AnyArray, codes: tuple[CodeColumn, ...]) -> None:
    """Write the scores of the code columns of rows (n, d) to the standardised rows, in place."""
    for code in codes:
        standardized[:, code.position] = code.score(np.asarray(rows[:, code.position], dtype=np.float64))


def spread_codes(
    standardized: ND, rows: AnyArray, codes: tuple[CodeColumn, ...], numbers: IntN, rng: np.random.Generator
) -> None:
    """Spread the values of the code columns of rows (n, d) over their intervals, at random and in place.

    Rows of equal ``numbers`` (n,) are equal rows, and have one place.
    """
    for code in codes:
        column = np.asarray(rows[:, code.position], dtype=np.float64)
        places = rng.random(int(numbers.max()) + 1)[numbers]
        standardized[:, code.position] = code.spread(column, places)
