"""Columns that identify rows, such as customer numbers: they are copied to the output and not fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.cli.column_selection import require_columns
from gaussmix.cli.table_columns import Column
from gaussmix.cli.table_reader import Table
from gaussmix.cli.text_formatting import MAX_NAMES_SHOWN
from gaussmix.diagnostics.identifier_rules import is_identifier_name, is_identifier_number
from gaussmix.errors.text import join_with_and
from gaussmix.types import AnyArray


@dataclass(frozen=True)
class IdentifiedTable:
    """A table without its identifier columns, and the values (n,) of these by name."""

    table: Table
    identifiers: dict[str, AnyArray]

    @property
    def notes(self) -> list[str]:
        """A note for the user on the identifier columns; empty if there are none."""
        if not self.identifiers:
            return []
        names = join_with_and([repr(name) for name in self.identifiers], MAX_NAMES_SHOWN)
        verb = "identifies" if len(self.identifiers) == 1 else "identify"
        return [f"{names} {verb} the rows and {'is' if len(self.identifiers) == 1 else 'are'} not fitted."]


def split_identifiers(
    table: Table, identifier_names: Sequence[str] | None, fitted_names: Sequence[str] | None
) -> IdentifiedTable:
    """Separate the identifier columns from a table.

    They are those of the given names. By default they are columns of distinct texts, and columns of whole numbers that
    `is_identifier_number` recognises. Columns that are fitted by name are never identifiers, nor are a table's only
    numbers, unless their name says so.

    Raises
    ------
    ColumnNameError
        If a named column does not exist.
    """
    if identifier_names is not None:
        require_columns(table, identifier_names)
        chosen = [column for column in table.columns if column.name in identifier_names]
    else:
        fitted = set(fitted_names or ())
        candidates = [column for column in table.columns if column.name not in fitted]
        chosen = _without_only_numbers(table, [column for column in candidates if _is_identifier(column)])
    others = tuple(column for column in table.columns if column not in chosen)
    return IdentifiedTable(replace(table, columns=others), {column.name: _load_values(column) for column in chosen})


def _without_only_numbers(table: Table, identifiers: list[Column]) -> list[Column]:
    """Return the identifiers; without columns of numbers whose name is no identifier's if there are no other ones."""
    if any(column.is_numeric and column not in identifiers for column in table.columns):
        return identifiers
    return [column for column in identifiers if not column.is_numeric or is_identifier_name(column.name)]


def _is_identifier(column: Column) -> bool:
    """Return whether a column identifies rows: distinct texts, or whole numbers that are an identifier's."""
    if column.is_numeric:
        return is_identifier_number(column.name, column.values)
    if column.kind != "text" or column.is_likely_numeric:
        return False
    texts = column.load_texts()
    return None not in texts and len(set(texts)) == len(texts)


def _load_values(column: Column) -> AnyArray:
    """Return the values (n,) of a column; whole numbers as integers, and empty texts for what is missing."""
    if not column.is_numeric:
        texts = column.load_texts() or [""] * len(column.values)
        return np.array([text or "" for text in texts], dtype=object)
    values = column.values
    is_exact = bool(np.isfinite(values).all()) and bool((np.abs(values) < 2.0**53).all())
    return values.astype(np.int64) if is_exact and np.array_equal(values, np.round(values)) else values
