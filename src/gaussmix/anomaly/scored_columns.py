"""``ScoredColumns``: the columns that a detector scores, in units of their deviations."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.covariance import Structure
from gaussmix.errors import TrainingRowsError
from gaussmix.model import Problem
from gaussmix.sources import MemorySource
from gaussmix.types import ND, AnyArray, D, N

_MAX_DEVIATIONS = 1e100
_SMALLEST_NUMBER = np.nextafter(0.0, 1.0)


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
        deviations = np.where(variances > 0, np.maximum(deviations, _SMALLEST_NUMBER), 1.0)
        return cls(means, deviations, dependence)

    @property
    def n_features(self) -> int:
        """Number of columns D, with those that are left out."""
        return len(self.means) if self.dependence is None else self.dependence.n_features

    def standardize(self, rows: AnyArray) -> ND:
        """Return the scored columns (n, d) of rows (n, D), centered and in units of their deviations.

        All values beyond 1e100 deviations count as that far, so that the square of every distance is finite.
        """
        kept = rows if self.dependence is None else self.dependence.select_independent(rows)
        with np.errstate(over="ignore"):
            standardized = np.subtract(kept, self.means, dtype=np.float64)
            standardized /= self.deviations
        return np.clip(standardized, -_MAX_DEVIATIONS, _MAX_DEVIATIONS, out=standardized)

    def find_broken_relations(self, rows: AnyArray) -> AnyArray:
        """Return which relations rows (n, D) break, (n, n_relations); a constant column is a relation, too."""
        relations = () if self.dependence is None else self.dependence.relations
        values = np.asarray(rows, dtype=np.float64) if relations else rows
        is_broken = np.zeros((len(rows), len(relations)), dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):  # a row whose sum overflows is far away by itself
            for index, relation in enumerate(relations):
                is_broken[:, index] = relation.broken_rows(values)
        return is_broken
