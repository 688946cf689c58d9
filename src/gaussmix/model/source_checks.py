"""Checks of the batches of a source, in the pass that computes the range of the columns, which every fit makes."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.frame import ColumnRange
from gaussmix.errors import DataError, SourceError, WeightError
from gaussmix.sources.base import AbstractSource


def check_batches_and_compute_range(source: AbstractSource) -> ColumnRange:
    """Return the minimum and the maximum of each column, in the frame of a source, after checks of every batch.

    Raises
    ------
    SourceError
        If rows or weights have a wrong type or shape, ``first_row`` is not the number of rows before the batch, or no
        row has a positive weight.
    DataError
        If a row of positive weight contains NaN or infinity, or a weight is negative, NaN or infinite.
    """
    checked = source.reduce(_CheckBatch(source.n_features))
    if checked.first_row != 0:
        raise SourceError.rows_not_consecutive(checked.first_row, 0)
    if not checked.has_weight:
        raise SourceError.no_rows()
    return checked.column_range


@dataclass(frozen=True)
class _CheckedRows:
    """Column range, first row and number of consecutive rows, and whether one has weight; they add in their order."""

    column_range: ColumnRange
    first_row: int
    n_rows: int
    has_weight: bool

    def __add__(self, other: "_CheckedRows") -> "_CheckedRows":
        if other.first_row != self.first_row + self.n_rows:
            raise SourceError.rows_not_consecutive(other.first_row, self.first_row + self.n_rows)
        n_rows, has_weight = self.n_rows + other.n_rows, self.has_weight or other.has_weight
        return _CheckedRows(self.column_range + other.column_range, self.first_row, n_rows, has_weight)


@dataclass(frozen=True)
class _CheckBatch:
    """A task that checks a batch and returns the range of its columns; ``n_features`` is that of the source."""

    n_features: int

    def __call__(self, batch: Batch) -> _CheckedRows:
        _require_rows(batch, self.n_features)
        _require_weights(batch)
        rows = batch.positive_weight_rows
        column_range = ColumnRange.from_rows(rows)
        if len(rows) and not np.isfinite([column_range.minimum, column_range.maximum]).all():
            _raise_not_finite(batch)
        return _CheckedRows(column_range, batch.first_row, batch.n_rows, len(rows) > 0)


def _require_rows(batch: Batch, n_features: int) -> None:
    """Raise a SourceError unless the rows of a batch are an array of floats of shape (n, n_features)."""
    rows: object = batch.raw_rows
    if not isinstance(rows, np.ndarray):
        raise SourceError.wrong_rows(batch.first_row, f"they have the type {type(rows).__name__}", n_features)
    if rows.ndim != 2 or rows.shape[1] != n_features or rows.dtype.kind not in "fiu":
        found = f"they have the shape {rows.shape} and the type {rows.dtype}"
        raise SourceError.wrong_rows(batch.first_row, found, n_features)


def _require_weights(batch: Batch) -> None:
    """Raise an error unless a batch has no weights, or one finite weight of at least 0 for each row."""
    weights: object = batch.weights
    if weights is None:
        return
    if not isinstance(weights, np.ndarray):
        raise SourceError.wrong_weights(batch.first_row, f"they have the type {type(weights).__name__}", batch.n_rows)
    if weights.shape != (batch.n_rows,) or weights.dtype.kind not in "fiu":
        found = f"they have the shape {weights.shape} and the type {weights.dtype}"
        raise SourceError.wrong_weights(batch.first_row, found, batch.n_rows)
    is_valid = np.isfinite(weights) & (weights >= 0)
    if not is_valid.all():
        row = int(np.argmin(is_valid))
        raise WeightError.invalid_weight(float(weights[row]), batch.first_row + row)


def _raise_not_finite(batch: Batch) -> None:
    """Raise the DataError for the first NaN or infinity in a row of positive weight of a batch."""
    counts = np.ones(batch.n_rows, dtype=bool) if batch.weights is None else batch.weights > 0
    is_bad = ~np.isfinite(batch.rows) & counts[:, None]
    row, column = (int(i) for i in np.argwhere(is_bad)[0])
    raise DataError.not_finite(float(batch.rows[row, column]), batch.first_row + row, str(column), int(is_bad.sum()))
