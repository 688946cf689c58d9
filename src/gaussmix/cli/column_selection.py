"""Which columns of a table take part, as rows of finite numbers: for a new fit, or for a model that has names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.cli.table_reader import Column, Table, format_column_kinds
from gaussmix.cli.text_formatting import format_count, join_names
from gaussmix.errors import DataError, TableError
from gaussmix.types import ND, AnyArray, N

_IDENTIFIER_NAME_PATTERN = re.compile(r"(?i:^|[_ .-])(?i:id|index)$|ID$")


@dataclass(frozen=True)
class SelectedColumns:
    """Rows (n, D) of the named columns, weights (n,), what the user should know of the choice, and labels (n,)."""

    names: tuple[str, ...]
    rows: ND
    sample_weight: N | None = None
    notes: tuple[str, ...] = ()
    labels: AnyArray | None = None


def select_columns_for_comparison(
    table: Table, column_names: Sequence[str] | None, weight_column: str | None, label_column: str | None
) -> SelectedColumns:
    """The columns to fit, as `select_columns_for_fit` chooses them, and known groups from a column of texts or numbers.

    Raises
    ------
    DataError, TableError
        As `select_columns_for_fit`; and if the labels are neither texts nor numbers.
    """
    if label_column is None:
        return select_columns_for_fit(table, column_names, weight_column)
    _require_columns(table, [label_column])
    column = table.columns[table.column_names.index(label_column)]
    if not column.is_numeric and column.kind != "text":
        raise TableError.unusable_labels(column.name, column.kind)
    others = tuple(other for other in table.columns if other is not column)
    given: Sequence[object] = column.values.tolist() if column.is_numeric else column.load_texts()
    return replace(
        select_columns_for_fit(replace(table, columns=others), column_names, weight_column),
        labels=np.array(given, dtype=object),
    )


def select_columns_for_fit(
    table: Table, column_names: Sequence[str] | None, weight_column: str | None
) -> SelectedColumns:
    """The columns to fit: those asked for, or all of numbers but the weights; constant ones are left out.

    Raises
    ------
    DataError
        If a column is not there.
    TableError
        If a column does not hold finite numbers, or hardly anything else, or nothing is left to fit.
    """
    _require_columns(table, [*(column_names or []), *([weight_column] if weight_column else [])])
    notes: list[str] = []
    counts = None if weight_column is None else _require_valid_weights(_require_numeric_column(table, weight_column))
    if column_names is None:
        _require_no_nearly_numeric_text(table, weight_column)
        columns = [column for column in table.numeric_columns if column.name != weight_column]
        notes += _non_numeric_notes(table)
        notes += _row_number_notes(columns)
        if not columns:
            others = [column for column in table.columns if column.name != weight_column]
            raise TableError.no_numeric_column(table.path, format_column_kinds(others))
    else:
        columns = [_require_numeric_column(table, name) for name in column_names]
    rows = _stack_columns(columns)
    counted = rows if counts is None else rows[counts > 0]
    moving = (counted != counted[0]).any(axis=0)
    if not moving.any():
        raise TableError.identical_rows(table.path, len(counted))
    for index in np.flatnonzero(~moving):
        name, value = columns[index].name, counted[0, index]
        notes.append(f"column {name!r} is {value:.10g} in every row and tells no groups apart; left out.")
    kept = tuple(column.name for column, moves in zip(columns, moving, strict=True) if moves)
    return SelectedColumns(kept, rows[:, moving], counts, tuple(notes))


def select_columns_for_model(table: Table, column_names: Sequence[str] | None, n_features: int) -> SelectedColumns:
    """The columns of a fitted model, found by name; by position only where the model has no names."""
    if column_names is not None:
        _require_columns(table, column_names)
        columns = [_require_numeric_column(table, name) for name in column_names]
        return SelectedColumns(tuple(column_names), _stack_columns(columns))
    columns = table.numeric_columns
    if len(columns) != n_features:
        raise TableError.model_without_column_names(table.path, len(columns), n_features)
    kept = tuple(column.name for column in columns)
    note = f"the model has no column names; taken in this order: {join_names(kept)}."
    return SelectedColumns(kept, _stack_columns(columns), notes=(note,))


def _require_columns(table: Table, column_names: Sequence[str]) -> None:
    missing = [name for name in column_names if name not in table.column_names]
    if missing:
        raise DataError.unknown_columns(missing, table.column_names)


def _require_numeric_column(table: Table, column_name: str) -> Column:
    column = table.columns[table.column_names.index(column_name)]
    if column.is_numeric:
        return column
    if column.non_numeric_reason:
        raise TableError.not_numeric(column_name, f"is read as text because {column.non_numeric_reason}")
    raise TableError.not_numeric(
        column_name, "is empty" if column.kind == "empty" else f"holds {column.kind}, not numbers"
    )


def _require_no_nearly_numeric_text(table: Table, weight_column: str | None) -> None:
    """A column of numbers with a few texts must not fall out of the fit unnoticed."""
    for column in table.columns:
        if column.is_nearly_numeric and column.name != weight_column:
            raise TableError.mostly_numeric(
                column.name, column.non_numeric_reason, column.n_numeric, column.n_non_missing
            )


def _row_number_notes(columns: Sequence[Column]) -> list[str]:
    """Notes on columns that are called identifiers and count the rows; they may be meant, so they stay."""
    return [
        f"column {column.name!r} looks like a row number and is fitted; choose the other columns with --columns."
        for column in columns
        if _IDENTIFIER_NAME_PATTERN.search(column.name) and _are_row_numbers(column.values)
    ]


def _are_row_numbers(values: N) -> bool:
    """Whether values are 0, 1, 2, ... or 1, 2, 3, ... in order."""
    return values[0] in (0, 1) and bool(np.array_equal(values, values[0] + np.arange(len(values))))


def _non_numeric_notes(table: Table) -> list[str]:
    """Notes on the columns that hold no numbers."""
    notes = [
        f"column {column.name!r} is read as text because {column.non_numeric_reason}; left out."
        for column in table.columns
        if column.is_likely_numeric
    ]
    others = format_column_kinds(
        [column for column in table.columns if not column.is_numeric and not column.is_likely_numeric]
    )
    if others:
        notes.append(f"left out: {join_names(others)}.")
    if table.n_unnamed:
        notes.append(f"left out: {format_count(table.n_unnamed, 'column')} without a name (row numbers?).")
    return notes


def _stack_columns(columns: Sequence[Column]) -> ND:
    """The columns as rows (n, D), after a look at every value."""
    return np.column_stack([_require_finite_values(column) for column in columns])


def _require_finite_values(column: Column) -> N:
    values = column.values
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        what = "has no value (empty, NA or NaN)" if np.isnan(values[row]) else "is infinite"
        raise TableError.unusable_value(column.name, row + 1, what, int(bad.sum()))
    return values


def _require_valid_weights(column: Column) -> N:
    values = _require_finite_values(column)
    if (values < 0).any():
        row = int(np.argmax(values < 0))
        raise TableError.negative_weight(column.name, row + 1, float(values[row]))
    if not values.any():
        raise TableError.zero_weights(column.name)
    return values
