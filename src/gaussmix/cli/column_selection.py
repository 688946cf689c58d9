"""Selection of the columns of a table as rows of finite numbers, for a new fit or for a fitted model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gaussmix.cli.column_options import MissingCells
from gaussmix.cli.table_columns import Column, format_column_kinds
from gaussmix.cli.table_reader import Table
from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN
from gaussmix.errors import ColumnNameError, MissingCellError, TableError
from gaussmix.errors.text import format_count, join_with_and, join_with_commas
from gaussmix.types import ND, AnyArray, BoolN, N


class WaysOut(NamedTuple):
    """What a user can do about a missing and about an infinite value, as a part of a sentence."""

    missing: str
    infinite: str


_EXCLUDE_OR_CORRECT = "correct or drop such rows, or leave the column out with --exclude"
WAYS_OUT = WaysOut("leave such rows out with --drop-missing, or the column with --exclude", _EXCLUDE_OR_CORRECT)
WAYS_OUT_WITHOUT_DROP = WaysOut(_EXCLUDE_OR_CORRECT, _EXCLUDE_OR_CORRECT)
WAYS_OUT_FOR_MODEL = WaysOut("leave such rows out with --drop-missing", "correct or drop such rows")
WAYS_OUT_WITHOUT_OPTIONS = WaysOut("correct or drop such rows", "correct or drop such rows")


@dataclass(frozen=True)
class SelectedColumns:
    """The selected columns of the rows that are used.

    Attributes
    ----------
    names : tuple of str
    rows : ndarray of shape (n, D)
    sample_weight : ndarray of shape (n,) or None
    notes : tuple of str
        What the user should know.
    labels : ndarray of shape (n,) or None
        Known groups of the rows.
    is_used : bool ndarray of shape (m,) or None
        Which rows of the table are used; None if all are.
    """

    names: tuple[str, ...]
    rows: ND
    sample_weight: N | None = None
    notes: tuple[str, ...] = ()
    labels: AnyArray | None = None
    is_used: BoolN | None = None


def select_columns_for_comparison(
    table: Table,
    column_names: Sequence[str] | None,
    weight_column: str | None,
    label_column: str | None,
    missing_cells: MissingCells = MissingCells.KEEP,
) -> SelectedColumns:
    """Select the columns to fit, as `select_columns_for_fit` does, and the labels from a column of text or numbers.

    Raises
    ------
    ColumnNameError, TableError
        As from `select_columns_for_fit`; also if the labels are neither text nor numbers.
    """
    if label_column is None:
        return select_columns_for_fit(table, column_names, weight_column, missing_cells)
    require_columns(table, [label_column])
    column = table.columns[table.column_names.index(label_column)]
    if not column.is_numeric and column.kind != "text":
        raise TableError.unusable_labels(column.name, column.kind)
    others = tuple(other for other in table.columns if other is not column)
    selected = select_columns_for_fit(replace(table, columns=others), column_names, weight_column, missing_cells)
    labels = np.array(column.values.tolist() if column.is_numeric else column.load_texts(), dtype=object)
    return replace(selected, labels=labels if selected.is_used is None else labels[selected.is_used])


def select_columns_for_fit(
    table: Table,
    column_names: Sequence[str] | None,
    weight_column: str | None,
    missing_cells: MissingCells = MissingCells.KEEP,
) -> SelectedColumns:
    """Select the named columns, or all numeric columns except the weights; constant columns are left out.

    Raises
    ------
    ColumnNameError
        If a column does not exist.
    TableError
        If a column is not numeric, is numeric except for a few values, has missing values that are refused, or if none
        is left.
    """
    selected = select_numeric_columns(table, column_names, weight_column, missing_cells)
    rows, weights = selected.rows, selected.sample_weight
    weighted_rows = rows if weights is None else rows[weights > 0]
    lowest, highest = np.nanmin(weighted_rows, axis=0), np.nanmax(weighted_rows, axis=0)
    is_varying = lowest != highest
    if not is_varying.any():
        raise TableError.identical_rows(table.path, len(weighted_rows))
    notes = [
        f"column {selected.names[index]!r} is {lowest[index]:.10g} in every row; left out."
        for index in np.flatnonzero(~is_varying)
    ]
    names = tuple(selected.names[index] for index in np.flatnonzero(is_varying))
    return replace(selected, names=names, rows=rows[:, is_varying], notes=(*selected.notes, *notes))


def exclude_columns(table: Table, excluded: Sequence[str]) -> Table:
    """Return the table without these columns; raise ColumnNameError if it lacks one of them."""
    require_columns(table, excluded)
    return replace(table, columns=tuple(column for column in table.columns if column.name not in excluded))


def select_numeric_columns(
    table: Table,
    column_names: Sequence[str] | None,
    weight_column: str | None = None,
    missing_cells: MissingCells = MissingCells.REFUSE,
    ways_out: WaysOut = WAYS_OUT,
) -> SelectedColumns:
    """Select the named columns, or all numeric columns except the weights.

    Raises
    ------
    ColumnNameError
        If a column does not exist.
    TableError
        If a column is not numeric, is numeric except for a few values, has missing values that are refused, or if none
        is left.
    """
    require_columns(table, [*(column_names or []), *([weight_column] if weight_column else [])])
    notes = [*table.notes]
    if column_names is None:
        _require_no_nearly_numeric_text(table, weight_column)
        columns = [column for column in table.numeric_columns if column.name != weight_column]
        notes += _notes_on_non_numeric_and_unnamed_columns(table)
        if not columns:
            others = [column for column in table.columns if column.name != weight_column]
            raise TableError.no_numeric_column(table.path, format_column_kinds(others))
    else:
        columns = [_get_numeric_column(table, name) for name in column_names]
    weights = [] if weight_column is None else [_get_numeric_column(table, weight_column)]
    selected = _stack_rows(table, columns, weights, missing_cells, ways_out)
    if selected.sample_weight is not None:
        _require_valid_weights(weights[0], selected.sample_weight)
    return replace(selected, notes=(*notes, *selected.notes))


def select_columns_for_model(
    table: Table,
    column_names: Sequence[str] | None,
    n_features: int,
    missing_cells: MissingCells = MissingCells.KEEP,
    ways_out: WaysOut = WAYS_OUT_FOR_MODEL,
) -> SelectedColumns:
    """Select the columns of a fitted model by name; by position if the model has no names (``column_names=None``)."""
    if column_names is not None:
        require_columns(table, column_names)
        columns = [_get_numeric_column(table, name) for name in column_names]
        selected = _stack_rows(table, columns, [], missing_cells, ways_out)
        return replace(selected, notes=(*table.notes, *selected.notes))
    columns = table.numeric_columns
    if len(columns) != n_features:
        raise TableError.model_without_column_names(table.path, len(columns), n_features)
    names = tuple(column.name for column in columns)
    note = f"the model has no column names; its columns are, in this order: {join_with_commas(names, MAX_NAMES_SHOWN)}."
    selected = _stack_rows(table, columns, [], missing_cells, ways_out)
    return replace(selected, notes=(*table.notes, note, *selected.notes))


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
                "leave the column out with --exclude",
            )


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


def _stack_rows(
    table: Table, columns: Sequence[Column], weights: Sequence[Column], missing_cells: MissingCells, ways_out: WaysOut
) -> SelectedColumns:
    """Return the values of the columns, and the weights if there are any, of all rows or of those without missing ones.

    Raises
    ------
    TableError
        If a value is infinite, or if one is missing although missing ones are refused, or if no row is complete.
    """
    used = [*columns, *weights]
    for column in used:
        is_allowed = missing_cells is MissingCells.DROP or (missing_cells is MissingCells.KEEP and column in columns)
        _require_usable_values(column, is_allowed, ways_out)
    names, values = tuple(column.name for column in columns), [column.values for column in used]
    counts = {column.name: int(np.isnan(column.values).sum()) for column in used}
    is_used, notes = None, list[str]()
    if any(counts.values()):
        is_complete = ~np.logical_or.reduce([np.isnan(column) for column in values])
        if missing_cells is MissingCells.DROP:
            if not is_complete.any():
                raise MissingCellError.no_complete_row(table.path, len(is_complete), counts)
            values, is_used = [column[is_complete] for column in values], is_complete
        notes = [_describe_incomplete_rows(is_complete, counts, missing_cells)]
    sample_weight = values[-1] if weights else None
    return SelectedColumns(names, np.column_stack(values[: len(names)]), sample_weight, tuple(notes), is_used=is_used)


def _describe_incomplete_rows(
    is_complete: BoolN, n_missing_by_name: dict[str, int], missing_cells: MissingCells
) -> str:
    """Return how many rows lack cells, and what becomes of them; if they are left out, also where cells are missing."""
    n_incomplete = int((~is_complete).sum())
    of_rows = f"{n_incomplete} of {format_count(len(is_complete), 'row')}"
    if missing_cells is MissingCells.DROP:
        counts = [f"{name!r} ({count})" for name, count in n_missing_by_name.items() if count]
        return f"left out: {of_rows} with a missing cell in {join_with_and(counts, MAX_NAMES_SHOWN)}."
    lack = "lacks" if n_incomplete == 1 else "lack"
    return f"{of_rows} {lack} cells; their other cells count. --drop-missing leaves such rows out."


def _require_usable_values(column: Column, allows_missing: bool, ways_out: WaysOut) -> None:
    """Raise TableError if a value of the column is infinite, or missing although that is not allowed."""
    is_missing = np.isnan(column.values)
    is_invalid = np.isinf(column.values) | (is_missing & (not allows_missing))
    if is_invalid.any():
        row = int(np.argmax(is_invalid))
        problem, way_out = ("is infinite", ways_out.infinite)
        if is_missing[row]:
            problem, way_out = "has no value (empty, NA or NaN)", ways_out.missing
        raise TableError.unusable_value(column.name, row + 1, problem, int(is_invalid.sum()), way_out)


def _require_valid_weights(column: Column, used_weights: N) -> None:
    """Raise TableError if a weight in a column is negative, or those of all used rows are zero."""
    if (column.values < 0).any():
        row = int(np.argmax(column.values < 0))
        raise TableError.negative_weight(column.name, row + 1, float(column.values[row]))
    if not used_weights.any():
        raise TableError.zero_weights(column.name)
