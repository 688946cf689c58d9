"""``ScoredColumns``: the columns that a detector scores, in units of their deviations."""

from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.code_columns import CodeColumn, find_code_columns, score_codes, spread_codes
from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.core.column_dependence import ColumnDependence
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.covariance import Structure
from gaussmix.errors import TrainingRowsError
from gaussmix.model import Problem
from gaussmix.sources import MemorySource
from gaussmix.types import ND, AnyArray, D, IntN, N

_MAX_DEVIATIONS = 1e100
_SMALLEST_NUMBER = np.nextafter(0.0, 1.0)
_CLIPPED_FRACTION = 0.01


def _clip(rows: AnyArray, weights: N | None) -> AnyArray:
    """Return rows (n, d) of which the hundredth that is lowest, and the highest, has the values that limit them.

    Otherwise one absurd value hides unusual ones of its column. A column that would be constant is kept as it is.
    """
    low = np.array([weighted_quantile(column, weights, _CLIPPED_FRACTION) for column in rows.T], dtype=rows.dtype)
    high = np.array([-weighted_quantile(-column, weights, _CLIPPED_FRACTION) for column in rows.T], dtype=rows.dtype)
    is_constant = low == high
    low[is_constant], high[is_constant] = rows.min(axis=0)[is_constant], rows.max(axis=0)[is_constant]
    return np.clip(rows, low, high)


@dataclass(frozen=True, eq=False)
class ScoredColumns:
    """Mean (d,) and deviation (d,) of the independent columns, without far rows, and the relations of all columns.

    ``codes`` are those of the independent columns that are flags or codes.

    A new row that differs in a constant column, or breaks a relation of all training rows, is an anomaly by itself.
    """

    means: D
    deviations: D
    dependence: ColumnDependence | None = None
    codes: tuple[CodeColumn, ...] = ()

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
        problem = Problem.from_source(
            MemorySource.from_array(_clip(kept, weights), weights), Structure.from_name("VVI")
        )
        frame, variances = problem.source.frame, problem.column_variances
        centers = problem.total_moments.mean.copy()
        centers[:, problem.far_row_columns] = 0.0  # the center of the frame, which far rows do not move
        means = frame.restore_means(centers)[0]
        deviations = np.ldexp(np.sqrt(variances), -frame.total_exponent)
        deviations = np.where(variances > 0, np.maximum(deviations, _SMALLEST_NUMBER), 1.0)
        return cls(means, deviations, dependence, find_code_columns(kept, weights))

    @property
    def n_features(self) -> int:
        """Number of columns D, with those that are left out."""
        return len(self.means) if self.dependence is None else self.dependence.n_features

    def standardize(self, rows: AnyArray) -> ND:
        """Return the scored columns (n, d) of rows (n, D), centered and in units of their deviations.

        Flags and codes are normal quantiles (`code_columns`). All values beyond 1e100 deviations count as that far, so
        that the square of every distance is finite.
        """
        kept = rows if self.dependence is None else self.dependence.select_independent(rows)
        with np.errstate(over="ignore"):
            standardized = np.subtract(kept, self.means, dtype=np.float64)
            standardized /= self.deviations
        score_codes(standardized, kept, self.codes)
        return np.clip(standardized, -_MAX_DEVIATIONS, _MAX_DEVIATIONS, out=standardized)

    def spread_codes(self, standardized: ND, rows: AnyArray, numbers: IntN, rng: np.random.Generator) -> None:
        """Spread flags and codes in the standardised rows of a fit, in place, as `code_columns` says."""
        kept = rows if self.dependence is None or not self.codes else self.dependence.select_independent(rows)
        spread_codes(standardized, kept, self.codes, numbers, rng)

    def find_broken_relations(self, rows: AnyArray) -> AnyArray:
        """Return which relations rows (n, D) break, (n, n_relations); a constant column is a relation, too."""
        relations = () if self.dependence is None else self.dependence.relations
        values = np.asarray(rows, dtype=np.float64) if relations else rows
        is_broken = np.zeros((len(rows), len(relations)), dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):  # a row whose sum overflows is far away by itself
            for index, relation in enumerate(relations):
                is_broken[:, index] = relation.broken_rows(values)
        return is_broken
