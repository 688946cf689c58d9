"""Files that ``gaussmix churn`` and ``gaussmix churn-score`` read: columns, outcomes, times and groups of customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussmix.classification.churn.positive_class import find_positive_class
from gaussmix.classification.evaluation.group_comparison import MAX_GROUPS
from gaussmix.classification.validation.splits import parse_times
from gaussmix.cli.column_selection import require_columns
from gaussmix.cli.table_columns import Column
from gaussmix.cli.table_format import DEFAULT_FORMAT, TableFormat
from gaussmix.cli.table_reader import Table, read_table
from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN
from gaussmix.core.input_labels import format_label
from gaussmix.errors import (
    ChurnParameterError,
    CustomerTableError,
    OutcomeError,
    TableError,
    TargetError,
    ValidationError,
)
from gaussmix.errors.text import format_count, join_with_and, join_with_commas
from gaussmix.types import AnyArray, BoolN

_MAX_OUTCOMES = 20


@dataclass(frozen=True)
class ColumnRoles:
    """Names of the columns of a file that are no inputs, or no plain ones.

    Attributes
    ----------
    target : str
        Column of the outcomes.
    time : str or None
        Column that says which customers are later.
    groups : str or None
        Column whose groups are compared; it stays an input.
    value : str or None
        Column of the value of each customer; it stays an input.
    dropped : sequence of str
    categorical : sequence of str or None
        Columns of numbers that are categories; None means the default rule.
    fixed : sequence of str
        Columns that nobody can change.
    """

    target: str
    time: str | None = None
    groups: str | None = None
    value: str | None = None
    dropped: Sequence[str] = ()
    categorical: Sequence[str] | None = None
    fixed: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """All names."""
        single = [name for name in (self.target, self.time, self.groups, self.value) if name is not None]
        return [*single, *self.dropped, *(self.categorical or ()), *self.fixed]


@dataclass(frozen=True, eq=False)
class ChurnInput:
    """The customers of a file.

    Attributes
    ----------
    table : Table
    cells : dict of str to ndarray of shape (n,)
        The columns that a model may use.
    outcomes : ndarray of shape (n,)
        Whole numbers, numbers, bools or texts.
    times, groups, values : ndarray of shape (n,) or None
    notes : tuple of str
    """

    table: Table
    cells: dict[str, AnyArray]
    outcomes: AnyArray
    times: AnyArray | None
    groups: AnyArray | None
    values: AnyArray | None
    notes: tuple[str, ...]


def read_customers(file: Path, roles: ColumnRoles, table_format: TableFormat = DEFAULT_FORMAT) -> ChurnInput:
    """Read customers with outcomes.

    Raises
    ------
    FileError, ColumnNameError, TargetError
        If the file or a column cannot be used.
    """
    table = read_table(file, table_format)
    require_columns(table, roles.names)
    columns = {column.name: column for column in table.columns}
    excluded = {roles.target, *([roles.time] if roles.time else []), *roles.dropped}
    inputs = [column for column in table.columns if column.name not in excluded]
    cells, notes = load_cells(table, inputs, roles.categorical or ())
    if not cells:
        raise CustomerTableError.no_input(file, roles.target)
    if roles.time is not None:
        notes.append(f"{roles.time!r} says which customers are later, and is not an input.")
    return ChurnInput(
        table,
        cells,
        _load_outcomes(columns[roles.target]),
        None if roles.time is None else _load_times(columns[roles.time]),
        None if roles.groups is None else _load_groups(columns[roles.groups]),
        None if roles.value is None else load_values(columns[roles.value]),
        tuple(notes),
    )


def load_cells(
    table: Table, columns: Sequence[Column], categorical: Sequence[str]
) -> tuple[dict[str, AnyArray], list[str]]:
    """Return the cells (n,) of columns by name, and notes on those whose kind no model uses.

    Raises
    ------
    TableError
        If a number is infinite, or a text column that is not named as categorical is numeric except for a few values.
    """
    cells: dict[str, AnyArray] = {}
    unusable = []
    for column in columns:
        if column.is_nearly_numeric and column.name not in categorical:
            raise TableError.mostly_numeric(
                column.name,
                column.non_numeric_reason,
                column.n_numeric,
                column.n_non_missing,
                f"leave it out with --drop, or keep its texts with --categorical {column.name}",
            )
        values = column.load_cells()
        _require_no_infinity(column)
        if values is None:
            unusable.append(f"{column.name} ({column.kind})")
        else:
            cells[column.name] = values
    notes = [*table.notes, *([f"left out: {join_with_commas(unusable, MAX_NAMES_SHOWN)}."] if unusable else [])]
    if table.n_unnamed:
        notes.append(f"left out: {format_count(table.n_unnamed, 'column')} without a name (row numbers?).")
    return cells, notes


def _require_no_infinity(column: Column) -> None:
    """Raise TableError if a number of a column is infinite."""
    is_infinite = np.isinf(column.values) if column.is_numeric else np.zeros(0, dtype=np.bool_)
    if is_infinite.any():
        row = int(np.argmax(is_infinite))
        raise TableError.unusable_value(column.name, row + 1, "is infinite", int(is_infinite.sum()))


def _load_outcomes(column: Column) -> AnyArray:
    """Return the outcomes (n,): whole numbers, numbers, bools or texts; raise an error if they are no target."""
    values = _load_usable_cells(column, "outcomes")
    is_missing = find_missing(values)
    if is_missing.any():
        raise CustomerTableError.missing_outcomes(column.name, int(is_missing.sum()), int(np.argmax(is_missing)) + 1)
    if values.dtype.kind == "f" and np.array_equal(values, np.round(values)) and (np.abs(values) < 2.0**53).all():
        values = values.astype(np.int64)
    distinct = set(values.tolist())
    if len(distinct) > _MAX_OUTCOMES:
        raise TargetError.too_many_classes(len(distinct), len(values))
    if all(isinstance(value, bool) for value in distinct):
        values = values.astype(np.bool_)
    return values


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What customers did.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        The outcomes if there are two, else whether each customer left.
    positive : object
        The label of those who left.
    has_left : ndarray of bool of shape (n,)
    notes : list of str
    """

    labels: AnyArray
    positive: object
    has_left: BoolN
    notes: list[str]


def parse_outcomes(outcomes: AnyArray, target: str, positive: str | None) -> Outcomes:
    """Return who left, with a note if that is one of more than two outcomes.

    Parameters
    ----------
    outcomes : ndarray of shape (n,)
    target : str
        Name of their column.
    positive : str or None
        The outcome that means that a customer left, as text in any case; None: the one whose name means it.

    Raises
    ------
    TargetError, TableError
        If there is one outcome only, or none that is named or means that a customer left.
    """
    classes = np.array(sorted(set(outcomes.tolist()), key=str), dtype=outcomes.dtype)
    if len(classes) < 2:
        raise TargetError.single_class(format_label(classes.tolist()[0]))
    names = [format_label(label) for label in classes.tolist()]
    if positive is not None:
        folded = [name.casefold() for name in names]
        position = names.index(positive) if positive in names else _find(positive.casefold(), folded)
        if position is None:
            raise CustomerTableError.unknown_outcome(target, positive, names)
    else:
        try:
            position = classes.tolist().index(find_positive_class(classes, None))
        except ChurnParameterError as error:
            raise CustomerTableError.unclear_outcome(target, names) from error
    others = [name for name in names if name != names[position]]
    has_left = np.asarray(outcomes == classes[position])
    if len(others) == 1:
        return Outcomes(outcomes, classes.tolist()[position], has_left, [])
    note = f"{target} = {names[position]} counts as left, and {join_with_and(others)} as stayed."
    return Outcomes(has_left, True, has_left, [note])


def _find(text: str, texts: Sequence[str]) -> int | None:
    """Return the position of a text, None if it does not occur exactly once."""
    return texts.index(text) if texts.count(text) == 1 else None


def _load_groups(column: Column) -> AnyArray:
    """Return the groups (n,) of a column; raise an error if they are too many to be compared."""
    values = _load_usable_cells(column, "groups")
    n_groups = len(set(values[~find_missing(values)].tolist()))
    if n_groups > MAX_GROUPS:
        raise OutcomeError.too_many_groups(column.name, n_groups, MAX_GROUPS)
    return values


def _load_usable_cells(column: Column, what: str) -> AnyArray:
    """Return the cells (n,) of a column of text or numbers; raise TableError for other kinds."""
    values = column.load_cells()
    if values is None or column.kind not in ("text", "numbers"):
        raise CustomerTableError.unusable_column(column.name, column.kind, what)
    return values


def _load_times(column: Column) -> AnyArray:
    """Return the times (n,) of a column, as numbers or dates; raise TableError if one is missing or unreadable."""
    values = column.load_cells()
    if values is None or column.kind == "empty":
        raise CustomerTableError.unusable_column(column.name, column.kind, "times")
    is_missing = find_missing(values)
    if is_missing.any():
        row = int(np.argmax(is_missing))
        raise TableError.unusable_value(column.name, row + 1, "has no time", int(is_missing.sum()))
    try:
        return parse_times(values, len(values))
    except ValidationError as error:
        if error.row is None:
            raise
        raise CustomerTableError.unreadable_time(column.name, error.row + 1, values.tolist()[error.row]) from error


def load_values(column: Column) -> AnyArray:
    """Return the value (n,) of each customer; raise TableError unless all are numbers of at least 0."""
    if not column.is_numeric:
        raise CustomerTableError.unusable_column(column.name, column.kind, "values of customers")
    is_invalid = ~(np.isfinite(column.values) & (column.values >= 0.0))
    if is_invalid.any():
        row = int(np.argmax(is_invalid))
        raise TableError.unusable_value(column.name, row + 1, "is no number of at least 0", int(is_invalid.sum()))
    return column.values


def find_missing(values: AnyArray) -> BoolN:
    """Return which cells (n,) are missing: NaN, NaT or None."""
    if values.dtype.kind in "mM":
        return np.asarray(np.isnat(values))
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values))
    return np.array([value is None for value in values.tolist()], dtype=np.bool_)
