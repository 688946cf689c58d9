"""Summaries of the columns of a training table: distribution functions of numbers, counts of categories.

They tell whether a new table has the same distribution, rank values, and name values that occur, without the rows.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.column_bins import weighted_quantiles
from gaussmix.classification.evaluation.rate_intervals import effective_count
from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.table_schema import InputCells, TableSchema
from gaussmix.types import Array, N

_MAX_POINTS = 1000  # of a distribution function; with more distinct values, points are quantiles


@dataclass(frozen=True, eq=False)
class NumericSummary:
    """The distribution function of a column of numbers.

    Attributes
    ----------
    name : str
    points : ndarray of shape (m,)
        Values that occur, ascending: all of them if they are few, else quantiles.
    cumulative : ndarray of shape (m,)
        Fraction of the present cells up to each point.
    is_complete : bool
        Whether all distinct values are points.
    n_present, n_missing : float
        Effective numbers of rows.
    """

    name: str
    points: Array
    cumulative: Array
    is_complete: bool
    n_present: float
    n_missing: float

    @classmethod
    def from_values(cls, name: str, values: N, weights: N) -> "NumericSummary":
        """Return the summary of numbers (n,), NaN where missing."""
        is_present = ~np.isnan(values)
        present, present_weights = values[is_present], weights[is_present]
        distinct, position = np.unique(present, return_inverse=True)
        is_complete = len(distinct) <= _MAX_POINTS
        counts = np.bincount(position, present_weights, minlength=len(distinct))
        cumulative = np.cumsum(counts) / max(counts.sum(), np.finfo(np.float64).tiny)
        if not is_complete:
            grid = np.arange(1, _MAX_POINTS + 1) / _MAX_POINTS
            points = np.unique(weighted_quantiles(present, present_weights, grid))
            kept = np.searchsorted(distinct, points)
            distinct, cumulative = points, cumulative[kept]
        n_effective, fraction = effective_count(weights), float(present_weights.sum() / weights.sum())
        return cls(name, distinct, cumulative, is_complete, fraction * n_effective, (1.0 - fraction) * n_effective)

    @property
    def median(self) -> float:
        """The median of the present cells; NaN without any."""
        return float(self.quantiles(np.array([0.5]))[0])

    def quantiles(self, probabilities: N) -> N:
        """Return quantiles (m,), which are values that occur; NaN without present cells."""
        if not len(self.points):
            return np.full(len(probabilities), np.nan)
        positions = np.searchsorted(self.cumulative, np.asarray(probabilities) * (1.0 - 1e-12), side="left")
        return np.asarray(self.points[np.minimum(positions, len(self.points) - 1)])

    def ranks(self, values: N) -> N:
        """Return the fraction of smaller values plus half the fraction of equal ones, (n,); NaN where missing."""
        if not len(self.points):
            return np.full(len(values), np.nan)
        below = np.append(0.0, self.cumulative)
        up_to = below[np.searchsorted(self.points, values, side="right")]
        smaller = below[np.searchsorted(self.points, values, side="left")]
        return np.where(np.isnan(values), np.nan, 0.5 * (smaller + up_to))


@dataclass(frozen=True, eq=False)
class CategoricalSummary:
    """How often each known value of a column occurs.

    Attributes
    ----------
    name : str
    values : tuple of str, bool, int or float
    counts : ndarray of shape (L,)
        Effective numbers of rows.
    n_missing : float
    """

    name: str
    values: tuple[CellValue, ...]
    counts: Array
    n_missing: float

    @property
    def n_present(self) -> float:
        """Effective number of rows with a value."""
        return float(self.counts.sum())


ColumnSummary = NumericSummary | CategoricalSummary


def summarize_columns(schema: TableSchema, cells: InputCells, weights: N) -> tuple[ColumnSummary, ...]:
    """Return the summaries of the columns that a schema uses, in the order of ``schema.readers``."""
    summaries: list[ColumnSummary] = []
    scale = effective_count(weights) / float(weights.sum())
    for reader in schema.readers:
        if reader.is_numeric:
            summaries.append(NumericSummary.from_values(reader.name, cells.numbers[reader.name], weights))
        else:
            codes, n_values = cells.codes[reader.name], len(reader.levels)
            counts = np.asarray(scale * np.bincount(np.where(codes < 0, n_values, codes), weights, n_values + 1))
            summaries.append(CategoricalSummary(reader.name, reader.levels, counts[:-1], float(counts[-1])))
    return tuple(summaries)
