"""Decide for each column of a table whether it is numeric, categorical, or left out, and say why.

Text, bools and categories are categorical, unless every text is a number. In data frames a numeric column of at most
12 distinct whole numbers is categorical, too, and its levels are ordered. Columns that a user names are categorical
beside these, and their levels have no order: they can be codes. Dates, and columns that `column_usability` refuses, are
left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gaussmix.classification.table.category_cells import CategoryCells, codes_of_numbers, read_category_cells
from gaussmix.classification.table.cell_values import parse_numbers
from gaussmix.classification.table.column_usability import (
    reason_to_drop_category,
    reason_to_drop_levels,
    reason_to_drop_numbers,
)
from gaussmix.classification.table.far_values import Limits, find_limits
from gaussmix.classification.table.input_column import numbers_of_cells, require_no_infinity
from gaussmix.classification.table.input_table import InputTable
from gaussmix.classification.table.table_columns import AbstractTableColumn
from gaussmix.core.scalar_checks import is_integer
from gaussmix.diagnostics.rules import MAX_DISCRETE_VALUES
from gaussmix.errors import ColumnNameError, ParameterError, TableColumnError
from gaussmix.errors.text import format_count
from gaussmix.types import BoolN, N

CategoricalLike = str | Sequence[str | int] | None
_ALLOWED_CATEGORICAL = "'auto', a list of names or positions of columns, or None"


@dataclass(eq=False)
class ClassifiedColumns:
    """The columns of a table that are used, and notes on the others.

    Attributes
    ----------
    names : list of str
        Columns that are used, in the order of the table.
    numbers : dict of str to ndarray of shape (n,)
        Numbers of each numeric column, NaN where missing.
    limits : dict of str to Limits
        Beyond which numbers of each numeric column count as missing.
    categories : dict of str to CategoryCells
        Cells of each categorical column.
    presence : dict of str to ndarray of bool of shape (n,)
        Which cells of each column have a value, also of columns that are left out, but for the target.
    notes : list of str
    """

    names: list[str] = field(default_factory=list)
    numbers: dict[str, N] = field(default_factory=dict)
    limits: dict[str, Limits] = field(default_factory=dict)
    categories: dict[str, CategoryCells] = field(default_factory=dict)
    presence: dict[str, BoolN] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def classify_columns(
    table: InputTable, categorical: CategoricalLike, is_counted: BoolN, target_name: str | None = None
) -> ClassifiedColumns:
    """Return the columns of a table as numbers or categories.

    Parameters
    ----------
    table : InputTable
    categorical : 'auto', sequence of str or int, or None
        Which numeric columns are categories: by the rule for few whole numbers, by the rule and those named, or none.
        The rule needs a table with names, so that in an array a list is complete.
    is_counted : ndarray of bool of shape (n,)
        Rows of positive weight; only these are returned.
    target_name : str, optional
        A column of this name is left out.
    """
    rule = _CategoricalRule.parse(categorical, table)
    classified = ClassifiedColumns()
    for column in table.columns:
        if column.name == target_name:
            classified.notes.append(f"{column.name!r} is the target and is left out.")
        elif column.is_date:
            classified.presence[column.name] = column.find_dates()[is_counted]
            classified.notes.append(f"{column.name!r} holds dates or times and is left out; convert it to numbers.")
        else:
            _classify_column(column, rule, is_counted, classified)
    if not classified.numbers and not classified.categories:
        raise TableColumnError.no_usable_column([note.removesuffix(".") for note in classified.notes])
    return classified


@dataclass(frozen=True)
class _CategoricalRule:
    """Which numeric columns are categories: those of the given names, and by the rule those of few whole numbers."""

    is_automatic: bool
    names: frozenset[str]
    has_names: bool

    @classmethod
    def parse(cls, categorical: CategoricalLike, table: InputTable) -> "_CategoricalRule":
        """Return the rule; raise an error for a column that does not exist."""
        if categorical is None:
            return cls(False, frozenset(), table.has_names)
        if isinstance(categorical, str):
            if categorical != "auto":
                raise ParameterError.invalid_value("categorical", categorical, _ALLOWED_CATEGORICAL)
            return cls(table.has_names, frozenset(), table.has_names)
        if not isinstance(categorical, Sequence | np.ndarray):
            raise ParameterError.invalid_value("categorical", categorical, _ALLOWED_CATEGORICAL)
        names = frozenset(_find_name(column, table.names) for column in categorical)
        return cls(table.has_names, names, table.has_names)

    def is_category(self, name: str, numbers: N) -> bool:
        """Return whether a numeric column is a category."""
        if name in self.names or not self.is_automatic:
            return name in self.names
        present = numbers[~np.isnan(numbers)]
        if not np.array_equal(present, np.round(present)):
            return False
        return len(np.unique(present)) <= MAX_DISCRETE_VALUES


def _find_name(column: Any, names: Sequence[str]) -> str:
    """Return the name of a column given by name or position; raise an error if there is none."""
    if isinstance(column, str):
        if column not in names:
            raise ColumnNameError.unknown_columns([column], names)
        return column
    if is_integer(column, 0) and int(column) < len(names):
        return names[int(column)]
    raise ParameterError.invalid_value(
        "a column of categorical", column, f"a name or a position up to {len(names) - 1}"
    )


def _classify_column(
    column: AbstractTableColumn, rule: _CategoricalRule, is_counted: BoolN, classified: ClassifiedColumns
) -> None:
    """Add a column to the numbers or categories, or a note why it is left out."""
    name = column.name
    numbers, cells = _read_numbers_or_cells(column)
    if numbers is not None:
        require_no_infinity(numbers, name)
        numbers = numbers[is_counted]
        classified.presence[name] = ~np.isnan(numbers)
        if rule.is_category(name, numbers):
            cells = codes_of_numbers(numbers, name, is_ordered=name not in rule.names)
        reason = reason_to_drop_numbers(name, numbers, rule.has_names)
    else:
        assert cells is not None
        cells = cells.select_rows(is_counted)
        classified.presence[name] = cells.codes >= 0
        reason = reason_to_drop_category(cells)
    if reason is None and cells is not None and name not in rule.names:  # a user's categories may have many levels
        reason = reason_to_drop_levels(cells)
    if reason is not None:
        classified.notes.append(f"{name!r} {reason} and is left out.")
        return
    classified.names.append(name)
    if cells is not None:
        classified.categories[name] = cells
    elif numbers is not None:
        _add_numbers(name, numbers, classified)


def _read_numbers_or_cells(column: AbstractTableColumn) -> tuple[N | None, CategoryCells | None]:
    """Return the numbers (n,) of a column if it is numeric or all of its text is, else its cells."""
    if column.is_numeric:
        return column.to_numbers(), None
    cells = read_category_cells(column)
    parsed = parse_numbers(cells.values)
    _require_one_type(column.name, cells, parsed is not None)
    return (None, cells) if parsed is None else (numbers_of_cells(cells, parsed), None)


def _add_numbers(name: str, numbers: N, classified: ClassifiedColumns) -> None:
    """Add a numeric column, whose numbers beyond its limits become missing."""
    limits = find_limits(numbers[~np.isnan(numbers)])
    is_beyond = limits.is_beyond(numbers)
    n_beyond = int(np.count_nonzero(is_beyond))
    if n_beyond:
        farthest = float(numbers[is_beyond][np.abs(numbers[is_beyond]).argmax()])
        classified.notes.append(
            f"{name!r}: {format_count(n_beyond, 'number')} beyond {limits.lowest:.3g} to {limits.highest:.3g}, such as "
            f"{farthest:.6g}, {'counts' if n_beyond == 1 else 'count'} as missing."
        )
    classified.limits[name] = limits
    classified.numbers[name] = np.where(is_beyond, np.nan, numbers)


def _require_one_type(name: str, cells: CategoryCells, is_numeric: bool) -> None:
    """Raise TableColumnError if a column that is not numeric holds numbers and text, or numbers and bools."""
    others = [value for value in cells.values if isinstance(value, str | bool)]
    numbers = [value for value in cells.values if not isinstance(value, str | bool)]
    has_text_and_bool = len({isinstance(value, bool) for value in others}) > 1
    if not is_numeric and ((others and numbers) or has_text_and_bool):
        text = next(
            (value for value in others if isinstance(value, str) and parse_numbers([value]) is None), others[-1]
        )
        raise TableColumnError.mixed_types(name, text, numbers[0] if numbers else others[0])
