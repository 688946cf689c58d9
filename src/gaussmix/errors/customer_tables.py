"""Errors about files of customers: columns of outcomes, times, groups and values."""

import shlex
from collections.abc import Sequence

from gaussmix.errors.files import TableError
from gaussmix.errors.text import (
    format_count,
    format_suggestion,
    join_with_and,
    join_with_commas,
    join_with_or,
    pluralize,
)


class CustomerTableError(TableError):
    """A file of customers with a column that cannot be used as it is named."""

    @classmethod
    def missing_outcomes(cls, column: str, n_missing: int, row: int) -> "CustomerTableError":
        """Return the error that customers have no outcome; ``row`` counts from 1."""
        return cls(
            f"column {column!r}, the target, has no value in {format_count(n_missing, 'data row')}, first in data row "
            f"{row}; keep these rows for gaussmix churn-score, or fill in the outcome"
        )

    @classmethod
    def unknown_outcome(cls, column: str, value: str, outcomes: Sequence[str]) -> "CustomerTableError":
        """Return the error that the value that means that a customer left does not occur."""
        found = join_with_commas([repr(outcome) for outcome in outcomes])
        return cls(
            f"{value!r} is no value of the target {column!r}{format_suggestion(value, outcomes)}, which has {found}; "
            "name one of them with --positive"
        )

    @classmethod
    def unclear_outcome(cls, column: str, outcomes: Sequence[str]) -> "CustomerTableError":
        """Return the error that no outcome has a name that means that a customer left, or several have."""
        found = join_with_commas([repr(outcome) for outcome in outcomes])
        choices = join_with_or([f"--positive {shlex.quote(outcome)}" for outcome in outcomes])
        return cls(
            f"the values {found} of the target {column!r} do not tell which one means that a customer left; pass "
            f"{choices}, whichever does"
        )

    @classmethod
    def unreadable_time(cls, column: str, row: int, value: object) -> "CustomerTableError":
        """Return the error that a time is neither a number nor a date; ``row`` counts from 1."""
        return cls(
            f"column {column!r} holds {value!r} in data row {row}, but times must be numbers or dates such as "
            "2024-05-31; correct it, or name another column with --time"
        )

    @classmethod
    def no_input(cls, path: object, target: str) -> "CustomerTableError":
        """Return the error that no column is left from which the outcomes could be predicted."""
        return cls(
            f"{path} has no column left beside the target {target!r} that a model can use; drop fewer columns, or add "
            "columns of numbers or text that describe the customers"
        )

    @classmethod
    def text_for_numbers(cls, path: object, column: str, reason: str) -> "CustomerTableError":
        """Return the error that a column of numbers holds text; ``reason`` such as "data row 2 holds 'many'"."""
        return cls(
            f"{path}: column {column!r} was numeric in the fit, but {reason}; write numbers with a decimal point, and "
            "leave cells without a value empty"
        )

    @classmethod
    def missing_inputs(cls, path: object, names: Sequence[str]) -> "CustomerTableError":
        """Return the error that a file lacks columns that a model uses."""
        listed = join_with_and([repr(name) for name in names])
        return cls(
            f"{path} has no {pluralize('column', len(names))} {listed}, which the model uses; add "
            f"{'it' if len(names) == 1 else 'them'}, with empty cells if the values are unknown"
        )

    @classmethod
    def unusable_column(cls, column: str, column_kind: str, purpose: str) -> "CustomerTableError":
        """Return the error that a column is empty or of a kind that cannot serve as outcomes, times, ..."""
        found = "is empty" if column_kind == "empty" else f"contains {column_kind}"
        return cls(f"column {column!r} {found}, so it cannot be used as {purpose}; name another column")
