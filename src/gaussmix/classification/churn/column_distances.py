"""Distances between customers: differences of ranks in numeric columns, and of levels in categorical ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.churn.column_summary import ColumnSummary, NumericSummary
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.table import EncodedRows
from gaussmix.types import ND, Array, IntN, IntNC, N


@dataclass(frozen=True, eq=False)
class DistanceCoordinates:
    """Rows as ranks (n, D) from 0 to 1, NaN where missing, and as codes (n, C), -1 where missing."""

    ranks: ND
    codes: IntNC

    def select_rows(self, rows: IntN) -> "DistanceCoordinates":
        """Return the coordinates of the rows at some positions (m,)."""
        return DistanceCoordinates(self.ranks[rows], self.codes[rows])

    def distances_to(self, others: "DistanceCoordinates", row: int) -> N:
        """Return the distance (m,) of one row from other rows (m,); infinity if no column is present in both.

        It is the mean over the columns that are present in both of the difference of the ranks, or of 1 for different
        levels (Gower, Biometrics 27, 1971).
        """
        by_rank = np.abs(others.ranks - self.ranks[row])
        is_compared = (others.codes >= 0) & (self.codes[row] >= 0)
        is_different = is_compared & (others.codes != self.codes[row])
        total = np.nansum(by_rank, axis=1) + is_different.sum(axis=1)
        count = np.count_nonzero(~np.isnan(by_rank), axis=1) + is_compared.sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def summaries_by_name(summaries: Sequence[ColumnSummary]) -> dict[str, ColumnSummary]:
    """Return summaries by the name of their column."""
    return {summary.name: summary for summary in summaries}


def to_coordinates(
    model: ClassModel, encoded: EncodedRows, summaries: Mapping[str, ColumnSummary]
) -> DistanceCoordinates:
    """Return encoded rows as ranks among the training rows and as codes, in the columns that the model uses."""
    used = model.select_used_cells(encoded)
    ranks = np.empty(used.numeric.shape)
    for j, column in enumerate(model.schema.numeric):
        ranks[:, j] = rank_values(summaries.get(column.name), column.to_units(used.numeric[:, j]))
    return DistanceCoordinates(ranks, used.codes)


def rank_values(summary: ColumnSummary | None, values: Array) -> Array:
    """Return the ranks (n,) of values in a numeric column; NaN without a summary of numbers.

    The model of a fold may read a column as numbers that the model of all rows leaves out or takes for categories.
    """
    return summary.ranks(values) if isinstance(summary, NumericSummary) else np.full(len(values), np.nan)
