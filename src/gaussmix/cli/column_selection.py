"""Selection of the columns of a table as rows of finite numbers, for a new fit or for a fitted model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.cli.table_columns import Column, format_column_kinds
from gaussmix.cli.table_reader import Table
from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN
from gaussmix.diagnostics.identifier_rules import ROW_NUMBER_NAME_PATTERN, are_row_numbers
from gaussmix.errors import ColumnNameError, TableError
from gaussmix.errors.text import format_count, join_with_commas
from gaussmix.types import ND, AnyArray, N

# Names of columns that may hold row numbers: 'id', 'row_id', 'userID', 'index'.


@dataclass(frozen=True)
class SelectedColumns:
    """Rows (n, D) of the selected columns, row weights (n,), known labels (n,), and notes for the user."""

    names: tuple[str, ...]
    rows: ND
    sample_weight: N | None = None
    notes: tuple[str, ...] = ()
    labels: AnyArray | None = None


def select_columns_for_comparison(
    table: Table, column_names: Sequence[str] | None, weight_column: str | None, label_column: str | None
) -> SelectedColumns:
    """Select the columns to fit, as `select_columns_for_fit` does, and the labels from a column of text or numbers.

    Raises
    ------
    ColumnNameError, TableError
        As from `select_columns_for_fit`; also if the labels are neither text nor numbers.
    """
    if label_column is None:
        return select_columns_for_fit(table, column_names, weight_column)
    require_columns(table, [label_column])
    column = table.columns[table.column_names.index(label_column)]
    if not column.is_numeric and column.kind != "text":
        raise TableError.unusable_labels(column.name, column.kind)
    others = tuple(other for other in table.columns if other is not column)
    labels: Sequence[object] = column.values.tolist() if column.is_numeric else column.load_texts()
    return replace(
        select_columns_for_fit(replace(table, columns=others), column_names, weight_column),
        labels=np.array(labels, dtype=object),
    )


def select_columns_for_fit(
    table: Table, column_names: Sequence[str] | None, weight_column: str | None
) -> SelectedColumns:
    """Select the named columns, or all numeric columns except the weights; constant columns are left out.

    Raises
    ------
    ColumnNameError
        If a column does not exist.
    TableError
        If a column is not numeric, is numeric except for a few values, has missing values, or if none is left.
    """
    selected = select_numeric_columns(table, column_names, weight_column)
    rows, weights = selected.rows, selected.sample_weight
    weighted_rows = rows if weights is None else rows[weights > 0]
    is_varying = (weighted_rows != weighted_rows[0]).any(axis=0)
    if not is_varying.any():
        raise TableError.identical_rows(table.path, len(weighted_rows))
    notes = [
        f"column {selected.names[index]!r} is {weighted_rows[0, index]:.10g} in every row; left out."
        for index in np.flatnonzero(~is_varying)
    ]
    names = tuple(selected.names[index] for index in np.flatnonzero(is_varying))
    return SelectedColumns(names, rows[:, is_varying], weights, (*selected.notes, *notes))


def select_numeric_columns(
    table: Table, column_names: Sequence[str] | None, weight_column: str | None = None
) -> SelectedColumns:
    """Select the named columns, or all numeric columns except the weights.

    Raises
    ------
    ColumnNameError
        If a column does not exist.
    TableError
        If a column is not numeric, is numeric except for a few values, has missing values, or if none is left.
    """
    require_columns(table, [*(column_names or []), *([weight_column] if weight_column else [])])
    weights = None if weight_column is None else _require_valid_weights(_get_numeric_column(table, weight_column))
    notes = [*table.notes]
    if column_names is None:
        _require_no_nearly_numeric_text(table, weight_column)
        columns = [column for column in table.numeric_columns if column.name != weight_column]
        notes += _notes_on_non_numeric_and_unnamed_columns(table)
        notes += _notes_on_row_number_columns(columns)
        if not columns:
            others = [column for column in table.columns if column.name != weight_column]
            raise TableError.no_numeric_column(table.path, format_column_kinds(others))
    else:
        columns = [_get_numeric_column(table, name) for name in column_names]
    names = tuple(column.name for column in columns)
    return SelectedColumns(names, _stack_columns_and_require_finite(columns), weights, tuple(notes))


def select_columns_for_model(table: Table, column_names: Sequence[str] | None, n_features: int) -> SelectedColumns:
    """Select the columns of a fitted model by name; by position if the model has no names (``column_names=None``)."""
    if column_names is not None:
        require_columns(table, column_names)
        columns = [_get_numeric_column(table, name) for name in column_names]
        return SelectedColumns(tuple(column_names), _stack_columns_and_require_finite(columns), notes=table.notes)
    columns = table.numeric_columns
    if len(columns) != n_features:
        raise TableError.model_without_column_names(table.path, len(columns), n_features)
    names = tuple(column.name for column in columns)
    note = f"the model has no column names; its columns are, in this order: {join_with_commas(names, MAX_NAMES_SHOWN)}."
    return SelectedColumns(names, _stack_columns_and_require_finite(columns), notes=(*table.notes, note))


def require_columns(table: Table, column_names: Sequence[str]) -> None:
    """Raise ColumnNameError if the table lacks a column of one of these names."""
    missing = [name for name in column_names if name not in table.column_names]
    if missing:
        raise ColumnNameError.unknown_columns(missing, table.column_names)


def _get_numeric_column(table: Table, column_name: str) -> Column:
    """Return the column of that name; raise TableError if it is not numeric."""
    column = table.columns[table.column_names.index(column_name)]
    if column.is_numeric:
        return column
    if column.non_numeric_reason:
        raise TableError.not_numeric(column_name, f"is read as text because {column.non_numeric_reason}")
    raise TableError.not_numeric(
        column_name, "is empty" if column.kind == "empty" else f"holds {column.kind}, not numbers"
    )


def _require_no_nearly_numeric_text(table: Table, weight_column: str | None) -> None:
    """Raise TableError for a text column whose values are numbers except for a few; they are probably mistakes."""
    for column in table.columns:
        if column.is_nearly_numeric and column.name != weight_column:
            raise TableError.mostly_numeric(
                column.name,
                column.non_numeric_reason,
                column.n_numeric,
                column.n_non_missing,
                "choose the other columns with --columns",
            )


def _notes_on_row_number_columns(columns: Sequence[Column]) -> list[str]:
    """Return a note for the user on each column that looks like row numbers; it stays in the fit."""
    return [
        f"column {column.name!r} looks like a row number and is fitted; choose the other columns with --columns."
        for column in columns
        if ROW_NUMBER_NAME_PATTERN.search(column.name) and are_row_numbers(column.values)
    ]


def _notes_on_non_numeric_and_unnamed_columns(table: Table) -> list[str]:
    """Return notes for the user on the columns left out because they are not numeric or have no name."""
    notes = [
        f"column {column.name!r} is read as text because {column.non_numeric_reason}; left out."
        for column in table.columns
        if column.is_likely_numeric
    ]
    others = format_column_kinds(
        [column for column in table.columns if not column.is_numeric and not column.is_likely_numeric]
    )
    if others:
        notes.append(f"left out: {join_with_commas(others, MAX_NAMES_SHOWN)}.")
    if table.n_unnamed:
        notes.append(f"left out: {format_count(table.n_unnamed, 'column')} without a name (row numbers?).")
    return notes


def _stack_columns_and_require_finite(columns: Sequence[Column]) -> ND:
    """Return the values of the columns as an array (n, D); raise TableError if one is missing or infinite."""
    return np.column_stack([_require_finite_values(column) for column in columns])


def _require_finite_values(column: Column) -> N:
    """Return the values (n,) of a column; raise TableError if one is missing or infinite."""
    values = column.values
    is_invalid = ~np.isfinite(values)
    if is_invalid.any():
        row = int(np.argmax(is_invalid))
        problem = "has no value (empty, NA or NaN)" if np.isnan(values[row]) else "is infinite"
        raise TableError.unusable_value(column.name, row + 1, problem, int(is_invalid.sum()))
    return values


def _require_valid_weights(column: Column) -> N:
    """Return the weights (n,) in a column; raise TableError if one is negative or not finite, or all are zero."""
    values = _require_finite_values(column)
    if (values < 0).any():
        row = int(np.argmax(values < 0))
        raise TableError.negative_weight(column.name, row + 1, float(values[row]))
    if not values.any():
        raise TableError.zero_weights(column.name)
    return values
