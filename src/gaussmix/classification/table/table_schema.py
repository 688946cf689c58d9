"""``TableSchema``: from any table with the columns of a fit to encoded rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gaussmix.classification.table.column_records import (
    categorical_from_record,
    categorical_to_record,
    numeric_from_record,
    numeric_to_record,
    reader_from_record,
    reader_to_record,
)
from gaussmix.classification.table.encoded_columns import CategoricalColumn, NumericColumn
from gaussmix.classification.table.encoded_rows import EncodedRows
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.input_table import InputTable, read_input_table
from gaussmix.classification.table.table_columns import AbstractTableColumn
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import DataError, DataWarning, TableInputError, UnknownNumbers
from gaussmix.errors.text import format_count, join_with_and, join_with_commas
from gaussmix.types import BoolND, IntN, N


class InputCells(NamedTuple):
    """Cells of the columns that a schema uses, by name: numbers (n,), NaN if missing, or codes (n,), -1 if missing."""

    numbers: dict[str, N]
    codes: dict[str, IntN]
    n_rows: int


class EncodedPositions(NamedTuple):
    """Positions of encoded columns, ascending: numeric and categorical ones."""

    numeric: tuple[int, ...]
    categorical: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class TableSchema:
    """How the columns of a table become the columns of encoded rows; ``print`` shows which are used, and the notes.

    `fit_table_schema` makes it; a classifier keeps it as ``schema_``.

    Attributes
    ----------
    input_columns : tuple of str
        Columns of the table of the fit in its order; 'column 0', 'column 1', ... for arrays.
    has_names : bool
        Whether the table of the fit had names of columns; those of an array are found by position.
    readers : tuple of InputColumn
        The columns that the schema uses.
    numeric : tuple of NumericColumn
        The D numeric columns of encoded rows.
    categorical : tuple of CategoricalColumn
        The C categorical columns of encoded rows.
    notes : tuple of str
        Sentences on what was left out, merged and transformed, and why.
    """

    input_columns: tuple[str, ...]
    has_names: bool
    readers: tuple[InputColumn, ...]
    numeric: tuple[NumericColumn, ...]
    categorical: tuple[CategoricalColumn, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return which columns are used, and the notes."""
        numeric, categorical = ([column.name for column in each] for each in (self.numeric, self.categorical))
        used = f"{len(self.readers)} of {format_count(len(self.input_columns), 'column')} used, as"
        parts = [
            f"{format_count(len(names), f'{kind} column')} ({join_with_commas(names)})"
            for kind, names in (("numeric", numeric), ("categorical", categorical))
            if names
        ]
        return "\n".join([f"{used} {join_with_and(parts)}", *self.notes])

    @property
    def n_levels(self) -> tuple[int, ...]:
        """Number of levels of each categorical column, (C,)."""
        return tuple(len(column.levels) for column in self.categorical)

    def columns_of(self, input_column: str) -> EncodedPositions:
        """Return the positions of the encoded columns that a column of the table says anything about."""
        return EncodedPositions(
            tuple(j for j, column in enumerate(self.numeric) if input_column in column.sources),
            tuple(j for j, column in enumerate(self.categorical) if input_column in column.sources),
        )

    def encode(self, X: Any) -> EncodedRows:
        """Return the encoded rows of a table.

        Columns are found by name, in any order, and others are ignored. Unknown categories count as missing, and a
        DataWarning names them. Unknown numbers of a column of few whole numbers are read as the nearest one.

        Parameters
        ----------
        X : data frame, dict of columns or array of shape (n, d)

        Raises
        ------
        DataError
            If columns are missing, or have values of another type than in the fit.
        """
        return self.encode_cells(self.read_cells(X))

    def encode_cells(self, cells: InputCells) -> EncodedRows:
        """Return the encoded rows of cells that `read_cells` returned, some of which may have been changed since."""
        numeric, category_codes = np.empty((cells.n_rows, len(self.numeric))), dict(cells.codes)
        for j, column in enumerate(self.numeric):
            values = column.gather(cells.numbers)
            if column.points:
                point_codes = category_codes[column.name] = column.codes_of_points(values)
                values = np.where(point_codes < len(column.points), np.nan, values)
            numeric[:, j] = _encode_numbers(column, values)
        codes = np.empty((cells.n_rows, len(self.categorical)), dtype=np.int64)
        for j, categorical in enumerate(self.categorical):
            codes[:, j] = categorical.gather(category_codes)
        return EncodedRows(numeric, codes)

    def find_contradictions(self, cells: InputCells) -> BoolND:
        """Return in which encoded columns (n, D + C) cells that determine each other disagree."""
        category_codes, contradictions = dict(cells.codes), []
        for column in self.numeric:
            values = column.gather(cells.numbers)
            contradictions.append(column.is_contradicted(cells.numbers, values))
            if column.points:
                category_codes[column.name] = column.codes_of_points(values)
        for categorical in self.categorical:
            levels = categorical.gather(category_codes)
            contradictions.append(categorical.is_contradicted(category_codes, levels))
        return np.column_stack(contradictions)

    def to_json(self) -> str:
        """Return the schema as JSON, with all digits."""
        return json.dumps(
            {
                "input_columns": self.input_columns,
                "has_names": self.has_names,
                "readers": [reader_to_record(reader) for reader in self.readers],
                "numeric": [numeric_to_record(column) for column in self.numeric],
                "categorical": [categorical_to_record(column) for column in self.categorical],
                "notes": self.notes,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "TableSchema":
        """Return the schema from the JSON of `to_json`; raise KeyError, TypeError or ValueError if it is invalid."""
        record = json.loads(text)
        schema = cls(
            tuple(map(str, record["input_columns"])),
            bool(record["has_names"]),
            tuple(map(reader_from_record, record["readers"])),
            tuple(map(numeric_from_record, record["numeric"])),
            tuple(map(categorical_from_record, record["categorical"])),
            tuple(map(str, record["notes"])),
        )
        schema._require_consistency()
        return schema

    def _require_consistency(self) -> None:
        """Raise ValueError if a column reads another one that does not exist, or codes that this one has not."""
        numeric = {reader.name for reader in self.readers if reader.is_numeric}
        n_codes = {reader.name: len(reader.levels) for reader in self.readers if not reader.is_numeric}
        n_codes |= {column.name: len(column.points) + 1 for column in self.numeric if column.points}
        is_valid = all(set(column.sources) <= numeric for column in self.numeric) and all(
            n_codes.get(reading.column) == len(reading.levels)
            for column in self.categorical
            for reading in column.readings
        )
        if not is_valid or not {reader.name for reader in self.readers} <= set(self.input_columns):
            raise ValueError("a column of the schema reads values that no column has")

    def find_columns(self, X: Any) -> tuple[InputTable, list[AbstractTableColumn]]:
        """Return a table and its columns that the schema uses, in the order of ``readers``.

        Raises
        ------
        DataError
            If columns are missing.
        """
        table = read_input_table(X)
        if self.has_names and table.has_names:
            column_by_name = {column.name: column for column in table.columns}
            missing = [reader.name for reader in self.readers if reader.name not in column_by_name]
            if missing:
                raise TableInputError.missing_columns(missing)
            return table, [column_by_name[reader.name] for reader in self.readers]
        if len(table.columns) != len(self.input_columns):
            raise DataError.wrong_n_features(len(table.columns), len(self.input_columns))
        return table, [table.columns[self.input_columns.index(reader.name)] for reader in self.readers]

    def read_cells(self, X: Any) -> InputCells:
        """Return the cells of the columns that the schema uses; warn of unknown, absurd and contradicting ones."""
        table, columns = self.find_columns(X)
        cells = InputCells({}, {}, table.n_rows)
        unknown_values: dict[str, Sequence[object]] = {}
        unknown_numbers: dict[str, Sequence[UnknownNumbers]] = {}
        far_values: dict[str, Sequence[float]] = {}
        for reader, column in zip(self.readers, columns, strict=True):
            if reader.is_numeric:
                numbers = reader.read_numbers(column)
                is_beyond = reader.limits.is_beyond(numbers)
                if is_beyond.any():
                    far_values[reader.name] = np.unique(numbers[is_beyond]).tolist()
                    numbers[is_beyond] = np.nan
                cells.numbers[reader.name] = numbers
            else:
                known = reader.read_codes(column)
                cells.codes[reader.name] = known.codes
                unknown_values |= {reader.name: known.unknown_values} if known.unknown_values else {}
                unknown_numbers |= {reader.name: known.unknown_numbers} if known.unknown_numbers else {}
        if unknown_values:
            warn_user(DataWarning.unknown_categories(unknown_values))
        if unknown_numbers:
            warn_user(DataWarning.unknown_numbers(unknown_numbers))
        if far_values:
            warn_user(DataWarning.absurd_numbers(far_values))
        self._warn_of_contradictions(cells)
        return cells

    def _warn_of_contradictions(self, cells: InputCells) -> None:
        """Warn of rows in which columns that determine each other disagree; once for the same columns."""
        warned: set[frozenset[str]] = set()
        for column in (column for column in self.numeric if len(column.readings) > 1):
            is_contradicted = column.is_contradicted(cells.numbers, column.gather(cells.numbers))
            sources = frozenset(column.sources)
            if is_contradicted.any() and sources not in warned:
                n_broken, first = int(np.count_nonzero(is_contradicted)), int(np.argmax(is_contradicted))
                warn_user(DataWarning.contradicting_columns(column.sources, n_broken, cells.n_rows, first))
                warned.add(sources)


def _encode_numbers(column: NumericColumn, values: N) -> N:
    """Return standardised values (n,); those outside the domain become the smallest of the fit, with a warning."""
    is_outside = column.is_outside_domain(values)
    if is_outside.any():
        smallest = float(values[is_outside].min())
        warn_user(DataWarning.outside_domain(column.name, int(is_outside.sum()), smallest, column.data_range.minimum))
        values = np.where(is_outside, column.data_range.minimum, values)
    return column.from_units(values)
