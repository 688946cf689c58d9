"""``ScoredColumns``: the columns that a detector scores, in units of their deviations."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.covariance import Structure
from gaussmix.errors import TrainingRowsError
from gaussmix.model import Problem
from gaussmix.sources import MemorySource
from gaussmix.types import ND, AnyArray, BoolN, D, N


@dataclass(frozen=True, eq=False)
class ScoredColumns:
    """Mean (d,) and deviation (d,) of the independent columns, without far rows, and the relations of all columns.

    A new row that differs in a constant column, or breaks a relation of all training rows, is an anomaly by itself.
    """

    means: D
    deviations: D
    dependence: ColumnDependence | None = None

    @classmethod
    def from_rows(cls, rows: AnyArray, weights: N | None = None) -> "ScoredColumns":
        """Return the scored columns of training rows (n, D) with weights (n,) or None.

        Raises
        ------
        DataError
            If all rows are equal.
        """
        if (rows == rows[0]).all():
            raise TrainingRowsError.identical(len(rows))
        dependence = find_column_dependence(rows, weights)
        kept = rows if dependence is None else dependence.select_independent(rows)
        problem = Problem.from_source(MemorySource.from_array(kept, weights), Structure.from_name("VVI"))
        frame, variances = problem.source.frame, problem.column_variances
        means = frame.restore_means(problem.total_moments.mean)[0]
        deviations = np.ldexp(np.sqrt(variances), -frame.total_exponent)
        return cls(means, np.where(deviations > 0, deviations, 1.0), dependence)

    @property
    def n_features(self) -> int:
        """Number of columns D, with those that are left out."""
        return len(self.means) if self.dependence is None else self.dependence.n_features

    def standardize(self, rows: AnyArray) -> ND:
        """Return the scored columns (n, d) of rows (n, D), centered and in units of their deviations."""
        kept = rows if self.dependence is None else self.dependence.select_independent(rows)
        standardized = np.subtract(kept, self.means, dtype=np.float64)
        standardized /= self.deviations
        return standardized

    def find_broken_rows(self, rows: AnyArray) -> BoolN:
        """Return which rows (n, D) differ in a constant column or break a relation."""
        if self.dependence is None:
            return np.zeros(len(rows), dtype=bool)
        return self.dependence.broken_rows(np.asarray(rows, dtype=np.float64))
