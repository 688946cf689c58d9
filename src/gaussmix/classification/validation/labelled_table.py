"""``LabelledTable``: a table of any kind with the outcome of each row, of which rows can be selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.types import BoolN, IntN, N


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """A table of n rows with their outcomes.

    Attributes
    ----------
    X : data frame, dict of columns or array of shape (n, d)
        Frames of pandas, polars, pyarrow and others. Columns of a dict may be lists, arrays or series.
    is_positive : ndarray of bool of shape (n,)
    weights : ndarray of shape (n,), optional
        Row weights above 0. Default: 1.
    """

    X: Any
    is_positive: BoolN
    weights: N | None = None

    def select_rows(self, rows: IntN) -> "LabelledTable":
        """Return some of the rows, by positions, as a table of the same kind."""
        weights = None if self.weights is None else self.weights[rows]
        return LabelledTable(select_table_rows(self.X, rows), self.is_positive[rows], weights)


def select_table_rows(X: Any, rows: IntN) -> Any:
    """Return some rows of a data frame, a dict of columns or an array, by positions, as a table of the same kind."""
    if isinstance(X, Mapping):
        return {name: _select_cells(column, rows) for name, column in X.items()}
    return _select_cells(X, rows)


def _select_cells(cells: Any, rows: IntN) -> Any:
    """Return rows of a frame, a series, an array or a list."""
    import narwhals.stable.v2 as nw

    native = nw.from_native(cells, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.DataFrame | nw.Series):
        return native[rows].to_native()
    if isinstance(cells, Sequence):
        return [cells[row] for row in rows.tolist()]
    return np.asanyarray(cells)[rows]
