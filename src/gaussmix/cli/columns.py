"""Which columns of a table take part, as rows of finite numbers: for a new fit, or for a model that has names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.cli.table import Column, Table, kinds
from gaussmix.cli.text import listed, plural
from gaussmix.errors import DataError, TableProblem
from gaussmix.types import ND, AnyArray, N

_IDENTIFIER = re.compile(r"(?i:^|[_ .-])(?i:id|index)$|ID$")


@dataclass(frozen=True)
class Chosen:
    """Rows (n, D) of the named columns, weights (n,), what the user should know of the choice, and labels (n,)."""

    names: tuple[str, ...]
    rows: ND
    weights: N | None = None
    notes: tuple[str, ...] = ()
    labels: AnyArray | None = None


def for_comparison(table: Table, names: Sequence[str] | None, weights: str | None, labels: str | None) -> Chosen:
    """The columns to fit, as `for_fit` chooses them, and known groups from a column of texts or numbers.

    Raises
    ------
    DataError, TableProblem
        As `for_fit`; and if the labels are neither texts nor numbers.
    """
    if labels is None:
        return for_fit(table, names, weights)
    _require(table, [labels])
    column = table.columns[table.names.index(labels)]
    if not column.is_numeric and column.kind != "text":
        raise TableProblem.no_labels(column.name, column.kind)
    others = tuple(other for other in table.columns if other is not column)
    given: Sequence[object] = column.values.tolist() if column.is_numeric else column.spelled()
    return replace(for_fit(replace(table, columns=others), names, weights), labels=np.array(given, dtype=object))


def for_fit(table: Table, names: Sequence[str] | None, weights: str | None) -> Chosen:
    """The columns to fit: those asked for, or all of numbers but the weights; constant ones are left out.

    Raises
    ------
    DataError
        If a column is not there.
    TableProblem
        If a column does not hold finite numbers, or hardly anything else, or nothing is left to fit.
    """
    _require(table, [*(names or []), *([weights] if weights else [])])
    notes: list[str] = []
    counts = None if weights is None else _weights(_numeric(table, weights))
    if names is None:
        _require_no_slips(table, weights)
        columns = [column for column in table.numeric if column.name != weights]
        notes += _left_out(table)
        notes += _row_numbers(columns)
        if not columns:
            others = [column for column in table.columns if column.name != weights]
            raise TableProblem.no_numeric_column(table.path, kinds(others))
    else:
        columns = [_numeric(table, name) for name in names]
    rows = _side_by_side(columns)
    counted = rows if counts is None else rows[counts > 0]
    moving = (counted != counted[0]).any(axis=0)
    if not moving.any():
        raise TableProblem.all_equal(table.path, len(counted))
    for index in np.flatnonzero(~moving):
        name, value = columns[index].name, counted[0, index]
        notes.append(f"column {name!r} is {value:.10g} in every row and tells no groups apart; left out.")
    kept = tuple(column.name for column, moves in zip(columns, moving, strict=True) if moves)
    return Chosen(kept, rows[:, moving], counts, tuple(notes))


def for_model(table: Table, names: Sequence[str] | None, n_features: int) -> Chosen:
    """The columns of a fitted model, found by name; by position only where the model has no names."""
    if names is not None:
        _require(table, names)
        columns = [_numeric(table, name) for name in names]
        return Chosen(tuple(names), _side_by_side(columns))
    columns = table.numeric
    if len(columns) != n_features:
        raise TableProblem.nameless_model(table.path, len(columns), n_features)
    kept = tuple(column.name for column in columns)
    note = f"the model has no column names; taken in this order: {listed(kept)}."
    return Chosen(kept, _side_by_side(columns), notes=(note,))


def _require(table: Table, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in table.names]
    if missing:
        raise DataError.unknown_columns(missing, table.names)


def _numeric(table: Table, name: str) -> Column:
    column = table.columns[table.names.index(name)]
    if column.is_numeric:
        return column
    if column.culprit:
        raise TableProblem.not_numbers(name, f"is read as text because {column.culprit}")
    raise TableProblem.not_numbers(name, "is empty" if column.kind == "empty" else f"holds {column.kind}, not numbers")


def _require_no_slips(table: Table, weights: str | None) -> None:
    """A column of numbers with a few texts must not fall out of the fit unnoticed."""
    for column in table.columns:
        if column.is_nearly_numeric and column.name != weights:
            raise TableProblem.nearly_numbers(column.name, column.culprit, column.n_numbers, column.n_present)


def _row_numbers(columns: Sequence[Column]) -> list[str]:
    """Notes on columns that are called identifiers and count the rows; they may be meant, so they stay."""
    return [
        f"column {column.name!r} looks like a row number and is fitted; choose the other columns with --columns."
        for column in columns
        if _IDENTIFIER.search(column.name) and _counts_rows(column.values)
    ]


def _counts_rows(values: N) -> bool:
    """Whether values are 0, 1, 2, ... or 1, 2, 3, ... in order."""
    return values[0] in (0, 1) and bool(np.array_equal(values, values[0] + np.arange(len(values))))


def _left_out(table: Table) -> list[str]:
    """Notes on the columns that hold no numbers."""
    notes = [
        f"column {column.name!r} is read as text because {column.culprit}; left out."
        for column in table.columns
        if column.was_meant_as_numbers
    ]
    others = kinds([column for column in table.columns if not column.is_numeric and not column.was_meant_as_numbers])
    if others:
        notes.append(f"left out: {listed(others)}.")
    if table.n_nameless:
        notes.append(f"left out: {plural(table.n_nameless, 'column')} without a name (row numbers?).")
    return notes


def _side_by_side(columns: Sequence[Column]) -> ND:
    """The columns as rows (n, D), after a look at every value."""
    return np.column_stack([_finite(column) for column in columns])


def _finite(column: Column) -> N:
    values = column.values
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        what = "has no value (empty, NA or NaN)" if np.isnan(values[row]) else "is infinite"
        raise TableProblem.no_value(column.name, row + 1, what, int(bad.sum()))
    return values


def _weights(column: Column) -> N:
    values = _finite(column)
    if (values < 0).any():
        row = int(np.argmax(values < 0))
        raise TableProblem.bad_weight(column.name, row + 1, float(values[row]))
    if not values.any():
        raise TableProblem.zero_weights(column.name)
    return values
