"""The columns of a data frame, a dict of columns or an array, through one interface.

Data frames of pandas, polars, pyarrow and others are read with narwhals.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gaussmix.core.input_arrays import column_names
from gaussmix.core.input_kinds import fill_masked_with_nan, refuse_sparse, require_no_lazy_frame, require_no_source
from gaussmix.errors import ColumnNameError, DataError, TableColumnError, TableInputError
from gaussmix.types import AnyArray, IntN, N


class FactorizedCells(NamedTuple):
    """The code (n,) of each cell and the value of each code; a code of -1 is a missing cell."""

    codes: IntN
    values: list[object]


@dataclass(frozen=True, eq=False)
class AbstractTableColumn(ABC):
    """One column of a table, read when needed."""

    name: str

    @property
    @abstractmethod
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, without booleans."""

    @property
    @abstractmethod
    def is_date(self) -> bool:
        """Whether the column has a type of dates, times or durations."""

    @abstractmethod
    def to_numbers(self) -> N:
        """Return a numeric column as float64 (n,), NaN where it is missing."""

    @abstractmethod
    def factorize(self) -> FactorizedCells:
        """Return the codes of the cells and their distinct values, in any order."""


@dataclass(frozen=True, eq=False)
class FrameColumn(AbstractTableColumn):
    """A column of a data frame: ``series`` is a Series of narwhals."""

    series: Any

    @property
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, without booleans."""
        return bool(self.series.dtype.is_numeric())

    @property
    def is_date(self) -> bool:
        """Whether the column has a type of dates, times or durations."""
        return bool(self.series.dtype.is_temporal())

    def to_numbers(self) -> N:
        """Return a numeric column as float64 (n,), NaN where it is missing."""
        import narwhals.stable.v2 as nw

        return np.array(self.series.cast(nw.Float64).to_numpy(), dtype=np.float64)

    def factorize(self) -> FactorizedCells:
        """Return the codes of the cells and their distinct values; by pandas' own method where there is one."""
        import narwhals.stable.v2 as nw

        native = self.series.to_native()
        if hasattr(native, "factorize"):
            try:
                codes, values = native.factorize()
            except TypeError:
                raise _unusable_cell_error(self.name, self.series.to_list()) from None
            return FactorizedCells(np.asarray(codes, dtype=np.int64), list(values))
        values = self.series.unique().drop_nulls().to_list()
        new = list(range(len(values)))
        coded = self.series.replace_strict(values, new, default=-1, return_dtype=nw.Int64)
        return FactorizedCells(np.asarray(coded.to_numpy(), dtype=np.int64), values)


@dataclass(frozen=True, eq=False)
class ArrayColumn(AbstractTableColumn):
    """A column (n,) of an array, or of a dict of columns."""

    cells: AnyArray

    @property
    def is_numeric(self) -> bool:
        """Whether the column has a type of numbers, without booleans."""
        return self.cells.dtype.kind in "iuf"

    @property
    def is_date(self) -> bool:
        """Whether the column has a type of dates, times or durations."""
        return self.cells.dtype.kind in "mM"

    def to_numbers(self) -> N:
        """Return a numeric column as float64 (n,)."""
        return np.array(self.cells, dtype=np.float64)

    def factorize(self) -> FactorizedCells:
        """Return the codes of the cells and their distinct values in the order of appearance."""
        code_of_value = _CodeOfValue()
        try:
            codes = np.fromiter(map(code_of_value.__getitem__, self.cells.tolist()), np.int64, len(self.cells))
        except TypeError:
            raise _unusable_cell_error(self.name, self.cells.tolist()) from None
        return FactorizedCells(codes, list(code_of_value))


def _unusable_cell_error(name: str, cells: Sequence[object]) -> DataError:
    """Return the error about the first cell of a column that Python cannot hash, such as a list."""
    unhashable = next((value for value in cells if getattr(value, "__hash__", None) is None), cells)
    return TableColumnError.unusable_cell(name, unhashable)


class _CodeOfValue(dict[object, int]):
    """The code of each value; a new value gets the next code."""

    def __missing__(self, value: object) -> int:
        code = self[value] = len(self)
        return code


@dataclass(frozen=True, eq=False)
class InputTable:
    """The columns of a table in its order, and its number of rows.

    ``has_names`` is False for arrays, whose columns are named 'column 0', 'column 1', ...
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
        raise DataError.no_columns()
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
    names = [str(name) for name in frame.columns]
    _require_distinct(names)
    series = (frame[:, j] for j in range(len(names)))
    columns = tuple(FrameColumn(name, column) for name, column in zip(names, series, strict=True))
    return InputTable(columns, len(frame), has_names=True)


def _read_mapping(data: Mapping[Any, Any]) -> InputTable:
    """Return the columns of a dict; raise DataError unless all have one dimension and the same length."""
    names = [str(name) for name in data]
    _require_distinct(names)
    cells = {name: _to_cells(values) for name, values in zip(names, data.values(), strict=True)}
    for name, column in cells.items():
        if column.ndim != 1:
            raise TableInputError.column_of_dict_not_flat(name, column.ndim)
    lengths = {name: len(column) for name, column in cells.items()}
    if len(set(lengths.values())) > 1:
        raise TableInputError.ragged_dict(lengths)
    columns = tuple(ArrayColumn(name, column) for name, column in cells.items())
    return InputTable(columns, len(columns[0].cells) if columns else 0, has_names=True)


def _read_array(data: Any, feature_names: Sequence[str] | None) -> InputTable:
    """Return the columns of an array (n, d); raise DataError if it has another number of dimensions."""
    cells = _to_cells(data)
    if cells.ndim != 2:
        raise DataError.wrong_ndim(cells.ndim)
    names = [f"column {j}" for j in range(cells.shape[1])] if feature_names is None else list(feature_names)
    if len(names) != cells.shape[1]:
        raise TableInputError.wrong_n_feature_names(len(names), cells.shape[1])
    _require_distinct(names)
    columns = tuple(ArrayColumn(name, column) for name, column in zip(names, cells.T, strict=True))
    return InputTable(columns, len(cells), has_names=feature_names is not None)


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
