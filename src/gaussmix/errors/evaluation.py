"""Errors about the evaluation of class probabilities: outcomes, groups, priors and plans of action."""

from collections.abc import Sequence

from gaussmix.errors.data import DataError
from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import format_count, join_with_commas


class OutcomeError(DataError):
    """Outcomes or probabilities of rows that cannot be evaluated."""

    @classmethod
    def not_one_per_row(cls, name: str, shape: tuple[int, ...], n_rows: int) -> "OutcomeError":
        """Return the error that an argument does not have one value for each row of the outcomes."""
        return cls(
            f"{name} must have one value for each of {format_count(n_rows, 'row')}, as y has, but its shape is {shape}"
        )

    @classmethod
    def not_one_dimensional(cls, shape: tuple[int, ...]) -> "OutcomeError":
        """Return the error that the outcomes are not one value per row."""
        return cls(f"y must have one value for each row, shape (n,), but has the shape {shape}")

    @classmethod
    def no_rows(cls) -> "OutcomeError":
        """Return the error that there is no row to evaluate."""
        return cls("there is no row to evaluate; pass at least one row of positive weight")

    @classmethod
    def not_binary(cls, row: int, value: object) -> "OutcomeError":
        """Return the error that an outcome is neither of the two classes."""
        return cls(
            "y must be True or 1 for rows of the positive class, and False or 0 for others, but y of row "
            f"{row} is {value!r}; compare the target with its positive value first, as in target == 'Yes'"
        )

    @classmethod
    def one_class(cls, n_positive: int, n_negative: int, minimum: int) -> "OutcomeError":
        """Return the error that a class has too few rows for a measure of ranking."""
        return cls(
            f"y has {n_positive} positive and {format_count(n_negative, 'negative row')}, but measures need at least "
            f"{minimum} of each class; use more rows"
        )

    @classmethod
    def no_positive_row(cls) -> "OutcomeError":
        """Return the error that a gain has nothing to reach."""
        return cls("y has no positive row, so there is no gain; use rows of both classes")

    @classmethod
    def table_of_probabilities(cls, shape: tuple[int, ...]) -> "OutcomeError":
        """Return the error that probabilities have several columns."""
        return cls(
            f"p must be the probability of the positive class, shape (n,), but has the shape {shape}; pass one column, "
            "as in predict_proba(X)[:, 1]"
        )

    @classmethod
    def not_numbers(cls, reason: Exception) -> "OutcomeError":
        """Return the error that probabilities are not numbers."""
        return cls(f"p must be numbers from 0 to 1: {reason}")

    @classmethod
    def not_a_probability(cls, row: int, value: float) -> "OutcomeError":
        """Return the error that a number is no probability."""
        return cls(f"p must be numbers from 0 to 1, but p of row {row} is {value!r}; pass probabilities, not scores")

    @classmethod
    def probabilities_do_not_sum_to_one(cls, row: int, total: float) -> "OutcomeError":
        """Return the error that the probabilities of a row do not add up to one."""
        return cls(f"the probabilities of each row must add up to 1, but those of row {row} add up to {total:.9g}")

    @classmethod
    def not_a_class_table(cls, shape: tuple[int, ...]) -> "OutcomeError":
        """Return the error that probabilities are neither one nor one for each class."""
        return cls(
            "p must be the probabilities of the positive class, shape (n,), or of all classes, shape (n, K), but has "
            f"the shape {shape}"
        )

    @classmethod
    def too_many_groups(cls, name: str, n_groups: int, maximum: int) -> "OutcomeError":
        """Return the error that a column divides the rows into very many groups."""
        return cls(
            f"{name} has {n_groups} distinct values, but at most {maximum} groups can be compared; cut its values "
            "into ranges first"
        )


class PriorError(ParameterError):
    """A class prior that is not allowed, or that the rows cannot determine."""

    @classmethod
    def wrong_n_classes(cls, name: str, shape: tuple[int, ...], n_classes: int) -> "PriorError":
        """Return the error that there is not one prior probability for each class."""
        one_number = "one number, or " if n_classes == 2 else ""
        return cls(f"{name} must be {one_number}one number for each of {n_classes} classes, but has the shape {shape}")

    @classmethod
    def invalid(cls, name: str, values: Sequence[float], is_zero_allowed: bool) -> "PriorError":
        """Return the error that numbers are no prior of the classes."""
        bound = "at least 0" if is_zero_allowed else "above 0"
        shown = join_with_commas([f"{value:.6g}" for value in values])
        return cls(f"{name} must be numbers {bound} that add up to 1, but is {shown}")

    @classmethod
    def not_numeric(cls, name: str, value: object) -> "PriorError":
        """Return the error that a prior is not made of numbers."""
        return cls(f"{name} must be one number for each class, but has the type {type(value).__name__}")

    @classmethod
    def one_class(cls) -> "PriorError":
        """Return the error that there is nothing to estimate."""
        return cls("p has one column, but a prior needs at least two classes; pass predict_proba(X)")

    @classmethod
    def indistinguishable(cls) -> "PriorError":
        """Return the error that the probabilities do not tell the classes from each other."""
        return cls(
            "the probabilities do not distinguish two of the classes in any row, so any prior explains the rows "
            "equally well; use a classifier that distinguishes them"
        )

    @classmethod
    def impossible_row(cls, row: int) -> "PriorError":
        """Return the error that a row belongs only to classes that the new prior excludes."""
        return cls(
            f"row {row} has a positive probability only for classes whose new prior is 0; give them a positive prior"
        )


class ActionError(ParameterError):
    """Costs, values or rates from which no plan of action follows."""

    @classmethod
    def out_of_range(cls, name: str, row: int | None, value: float, maximum: float) -> "ActionError":
        """Return the error that an amount is negative or too large, or a rate is no fraction."""
        owner = "" if row is None else f"that of row {row} "
        return cls(f"{name} must be numbers from 0 to {maximum:g}, but {owner}is {value!r}; check its sign and unit")

    @classmethod
    def not_numeric(cls, name: str, reason: Exception) -> "ActionError":
        """Return the error that an amount or a rate is not numeric."""
        return cls(f"{name} must be one number, or one number for each row: {reason}")

    @classmethod
    def not_one_per_row(cls, name: str, shape: tuple[int, ...], n_rows: int) -> "ActionError":
        """Return the error that there is neither one number nor one number for each row."""
        return cls(f"{name} must be one number, or one for each of {n_rows} rows, but has the shape {shape}")
