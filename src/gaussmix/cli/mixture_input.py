"""Files that the commands of mixtures read: rows to fit, and rows for a fitted mixture."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussmix.cli.column_options import ColumnOptions, MissingCells
from gaussmix.cli.column_selection import (
    SelectedColumns,
    exclude_columns,
    select_columns_for_comparison,
    select_columns_for_model,
)
from gaussmix.cli.identifier_columns import split_identifiers
from gaussmix.cli.table_columns import format_column_kinds
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat
from gaussmix.cli.table_reader import Table, read_table
from gaussmix.errors import DataError, TableError
from gaussmix.model import Mixture
from gaussmix.types import AnyArray, IntN


@dataclass(frozen=True)
class MixtureInput:
    """A file, its selected columns, and the columns that identify its rows.

    Attributes
    ----------
    table : Table
        The whole file, with n rows.
    selected : SelectedColumns
        Values of the rows that are used.
    identifiers : dict of str to ndarray of shape (n,)
        By name; empty if no column identifies the rows.
    notes : tuple of str
        What the user should know.
    """

    table: Table
    selected: SelectedColumns
    identifiers: dict[str, AnyArray]
    notes: tuple[str, ...]

    @property
    def row_numbers(self) -> IntN:
        """Numbers (m,) of the used rows in the file, from 1."""
        is_used = self.selected.is_used
        return 1 + (np.arange(self.table.n_rows) if is_used is None else np.flatnonzero(is_used))

    @property
    def identifiers_of_used_rows(self) -> dict[str, AnyArray]:
        """Identifiers (m,) of the used rows by name."""
        return {name: values[self.row_numbers - 1] for name, values in self.identifiers.items()}

    @contextmanager
    def number_errors_by_file(self) -> Iterator[None]:
        """Let an error within the block name the row of the file, from 0, instead of the used row."""
        try:
            yield
        except DataError as error:
            if error.row is not None:
                error.row = int(self.row_numbers[error.row]) - 1
            raise


def read_rows_to_fit(
    path: Path, options: ColumnOptions, table_format: TableFormat = DEFAULT_FORMAT, label_column: str | None = None
) -> MixtureInput:
    """Read a file, and select the columns to fit, the weights and the labels.

    Raises
    ------
    FileError, ColumnNameError
        If the file or a column cannot be used.
    """
    table = read_table(path, table_format)
    roles = [name for name in (options.weight, label_column) if name is not None]
    identified = split_identifiers(table, None, [*(options.names or []), *roles])
    usable = _remove_identifiers(exclude_columns(table, options.excluded), identified.identifiers)
    if options.names is None:
        _require_numeric_column(table, usable, roles)
    selected = select_columns_for_comparison(
        usable,
        options.names,
        options.weight,
        label_column,
        options.missing_cells,
    )
    identifier_notes = identified.notes if options.names is None else []
    return MixtureInput(table, selected, identified.identifiers, (*identifier_notes, *selected.notes))


def read_rows_for_model(
    path: Path, mixture: Mixture, missing_cells: MissingCells, table_format: TableFormat = DEFAULT_FORMAT
) -> MixtureInput:
    """Read a file, and select the columns of a fitted mixture: by name, or by position if it has no names.

    Raises
    ------
    FileError, ColumnNameError
        If the file or a column cannot be used.
    """
    table = read_table(path, table_format)
    identified = split_identifiers(table, None, mixture.feature_names)
    has_other_size = len(table.numeric_columns) != mixture.n_features
    usable = identified.table if mixture.feature_names is None and has_other_size else table
    selected = select_columns_for_model(usable, mixture.feature_names, mixture.n_features, missing_cells)
    return MixtureInput(table, selected, identified.identifiers, selected.notes)


def _remove_identifiers(table: Table, identifiers: dict[str, AnyArray]) -> Table:
    """Return the table without the identifier columns that it has."""
    return exclude_columns(table, [name for name in identifiers if name in table.column_names])


def _require_numeric_column(table: Table, usable: Table, roles: Sequence[str]) -> None:
    """Raise TableError, with all columns, if what is usable of a table has no numbers besides weights and labels."""
    if any(column.name not in roles for column in usable.numeric_columns):
        return
    left_out = [column.name for column in table.numeric_columns if column.name not in [*usable.column_names, *roles]]
    if left_out:
        kinds = format_column_kinds([column for column in usable.columns if column.name not in roles])
        raise TableError.no_numeric_column(table.path, [*kinds, *(f"{name} (left out)" for name in left_out)])
