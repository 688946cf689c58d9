"""The columns of a data frame, a dict of columns or an array of shape (n, d).

Data frames of pandas, polars, pyarrow and others are read with narwhals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.table.table_columns import AbstractTableColumn, ArrayColumn, FrameColumn
from gaussmix.core.input_arrays import column_names
from gaussmix.core.input_kinds import fill_masked_with_nan, refuse_sparse, require_no_lazy_frame, require_no_source
from gaussmix.errors import ColumnNameError, DataError, TableInputError
from gaussmix.types import AnyArray


@dataclass(frozen=True, eq=False)
class InputTable:
    """The columns of a table in its order, and its number of rows.

    ``has_names`` is False for arrays and for the default labels 0, 1, ... of a frame: the columns are then named
    'column 0', 'column 1', ...
    """

    columns: tuple[AbstractTableColumn, ...]
    n_rows: int
    has_names: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)


def read_input_table(data: Any, feature_names: Sequence[str] | None = None) -> InputTable:
    """Return the columns of a data frame, a dict of columns, or an array of shape (n, d).

    ``feature_names`` are names for the columns of an array.

    Raises
    ------
    DataError
        If the data are not a table, have no rows or no columns, or if names repeat.
    """
    refuse_sparse(data)
    require_no_source(data)
    require_no_lazy_frame(data)
    if isinstance(data, Mapping):
        table = _read_mapping(data)
    elif hasattr(data, "columns") or hasattr(data, "column_names"):
        table = _read_frame(data)
    elif data is None or isinstance(data, str | bytes):
        raise TableInputError.unknown_table_type(data)
    else:
        table = _read_array(data, feature_names)
    if not table.columns:
        raise TableInputError.has_no_columns(table.n_rows)
    if table.n_rows == 0:
        raise DataError.no_rows()
    return table


def _read_frame(data: Any) -> InputTable:
    """Return the columns of a data frame by narwhals; raise DataError if it is no data frame that narwhals knows."""
    import narwhals.stable.v2 as nw

    column_names(data)  # raises the error of names that are not distinct
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError as error:
        raise TableInputError.unknown_table_type(data) from error
    names, has_names = _parse_labels(frame.columns)
    series = (frame[:, j] for j in range(len(names)))
    columns = tuple(FrameColumn(name, column) for name, column in zip(names, series, strict=True))
    return InputTable(columns, len(frame), has_names)


def _read_mapping(data: Mapping[Any, Any]) -> InputTable:
    """Return the columns of a dict; raise DataError unless all have one dimension and the same length."""
    names, has_names = _parse_labels(list(data))
    cells = {name: _to_cells(values) for name, values in zip(names, data.values(), strict=True)}
    for name, column in cells.items():
        if column.ndim != 1:
            raise TableInputError.column_of_dict_not_flat(name, column.ndim)
    lengths = {name: len(column) for name, column in cells.items()}
    if len(set(lengths.values())) > 1:
        raise TableInputError.ragged_dict(lengths)
    columns = tuple(ArrayColumn(name, column) for name, column in cells.items())
    return InputTable(columns, len(columns[0].cells) if columns else 0, has_names)


def _read_array(data: Any, feature_names: Sequence[str] | None) -> InputTable:
    """Return the columns of an array (n, d); raise DataError if it has another number of dimensions."""
    cells = _to_cells(data)
    if cells.ndim != 2:
        raise DataError.wrong_ndim(cells.ndim)
    names = _name_by_position(cells.shape[1]) if feature_names is None else list(feature_names)
    if len(names) != cells.shape[1]:
        raise TableInputError.wrong_n_feature_names(len(names), cells.shape[1])
    _require_distinct(names)
    columns = tuple(ArrayColumn(name, column) for name, column in zip(names, cells.T, strict=True))
    return InputTable(columns, len(cells), has_names=feature_names is not None)


def _parse_labels(labels: Sequence[Any]) -> tuple[list[str], bool]:
    """Return labels of columns as distinct text, and whether they are names; 0, 1, 2, ... are the default labels."""
    if not any(isinstance(label, str) for label in labels) and list(labels) == list(range(len(labels))):
        return _name_by_position(len(labels)), False
    names = [str(label) for label in labels]
    _require_distinct(names)
    return names, True


def _name_by_position(n_columns: int) -> list[str]:
    """Return the names of columns that have none."""
    return [f"column {j}" for j in range(n_columns)]


def _to_cells(values: Any) -> AnyArray:
    """Return array-like values as an array of numbers, bools or dates if they are such, else of objects.

    NumPy would turn a list of numbers and text into text.
    """
    if hasattr(values, "to_numpy") and not isinstance(values, np.ndarray):  # a Series in a dict
        values = values.to_numpy()
    try:
        cells = np.asarray(fill_masked_with_nan(values))
    except ValueError as error:  # rows of different lengths
        raise TableInputError.ragged_rows() from error
    if cells.dtype.kind == "c":
        raise TableInputError.complex_numbers()
    if cells.dtype.kind in "biufmM":
        return cells
    return np.asarray(values, dtype=object)


def _require_distinct(names: Sequence[str]) -> None:
    """Raise ColumnNameError if a name occurs twice."""
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise ColumnNameError.repeated_columns(repeated)
