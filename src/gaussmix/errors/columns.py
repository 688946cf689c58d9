"""Errors and warnings about the columns of a table: their names, transforms, linear relations and shape."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gaussmix.errors.base import GaussmixWarning
from gaussmix.errors.data import DataError
from gaussmix.errors.text import advise_to_drop, format_count, format_suggestion, join_with_and, join_with_commas

_MAX_VALUES_SHOWN = 5
_MAX_SHOWN_ACCURACY = 0.999  # '100.0%' would say that there are no exceptions


class ColumnNameError(DataError):
    """Names of columns that cannot be used."""

    @classmethod
    def repeated_columns(cls, names: Sequence[str]) -> "ColumnNameError":
        """Return the error that columns of a data frame have the same name."""
        named = join_with_and([repr(name) for name in names])
        verb = "occurs" if len(names) == 1 else "occur"
        return cls(
            f"column names must differ, but {named} {verb} more than once; rename the columns, or pass the values "
            "without names"
        )

    @classmethod
    def unknown_columns(cls, missing: Sequence[str], present: Sequence[str]) -> "ColumnNameError":
        """Return the error that columns are missing from a data frame."""
        named = join_with_and([f"{name!r}{format_suggestion(name, present)}" for name in missing])
        there = (
            f"the only column is {present[0]!r}"
            if len(present) == 1
            else f"the columns are {join_with_commas(present)}"
        )
        return cls(f"no column{'' if len(missing) == 1 else 's'} named {named}; {there}")

    @classmethod
    def columns_without_names(cls, name: str, n_features: int) -> "ColumnNameError":
        """Return the error that a column is given by name, but the columns have no names."""
        allowed = "the number 0" if n_features == 1 else f"a number from 0 to {n_features - 1}"
        return cls(f"no column named {name!r}, since the columns have no names; give {allowed}, without quotes")


class TransformError(DataError):
    """A value that the transform of its column does not allow.

    Attributes
    ----------
    row : int
        Its row, counted from 0.
    problem, advice : str
        What is wrong with the value, and what to do, for a message that counts rows otherwise.
    """

    problem: str
    advice: str

    @classmethod
    def _from_row(cls, row: int, start: str, problem: str, advice: str) -> "TransformError":
        """Return the error of a value in a row."""
        error = cls(f"{start}row {row}, {problem}; rows and columns count from 0: {advice}")
        error.row, error.problem, error.advice = row, problem, advice
        return error

    @classmethod
    def outside_domain(cls, transform: str, minimum: float, value: float, row: int, column: str) -> "TransformError":
        """Return the error that a value is outside the domain of its column's transform."""
        problem = f"column {column} is {value:g}, but {transform} needs values above {minimum:g}"
        return cls._from_row(row, "", problem, "shift the column, or use 'yeo-johnson'")

    @classmethod
    def overflow(cls, transform: str, row: int, column: str) -> "TransformError":
        """Return the error that a transformed value overflows."""
        return cls._from_row(
            row, f"{transform} of ", f"column {column} overflows", "divide the column by its typical size"
        )


class DependenceError(DataError):
    """Linearly dependent columns, for an operation that needs a regular covariance."""

    @classmethod
    def dependent_columns(cls, operation: str, relations: Sequence[str]) -> "DependenceError":
        """Return the error that an operation needs a regular covariance, but columns are linearly dependent."""
        return cls(
            f"{operation} needs linearly independent columns, but {'; '.join(relations)}; leave the dependent columns "
            "out, as mixture.independent_part does"
        )


class UnknownNumbers(NamedTuple):
    """Numbers of a column that the fit has not seen, all above, below or between those of the fit.

    Attributes
    ----------
    numbers : tuple of int or float
        Ascending.
    n_rows : int
        Rows that have one of them.
    known_range : tuple of int or float
        Smallest and largest number of the fit.
    level : int, float or str
        What they are read as.
    """

    numbers: tuple[float, ...]
    n_rows: int
    known_range: tuple[float, float]
    level: float | str


class DataWarning(GaussmixWarning):
    """Rows or columns that can be used, but that are not as a model expects them."""

    @classmethod
    def broken_relations(cls, relations: Sequence[str], n_broken: int, n_rows: int, first_row: str) -> "DataWarning":
        """Return the warning that rows break linear relations of the fit; ``first_row`` is 'data row 1' or the like."""
        which = "relation" if len(relations) == 1 else "relations"
        return cls(
            f"{n_broken} of {format_count(n_rows, 'row')} (the first is {first_row}) "
            f"{'breaks' if n_broken == 1 else 'break'} the {which} of the fitted columns: {'; '.join(relations)}. "
            "Predictions use the independent columns only; check these rows, or fit again"
        )

    @classmethod
    def unknown_categories(cls, values_by_column: Mapping[str, Sequence[object]]) -> "DataWarning":
        """Return the warning that columns hold categories that the fit has not seen."""
        return cls(f"categories that the fit has not seen count as missing: {_list_values(values_by_column)}")

    @classmethod
    def unknown_numbers(cls, numbers_by_column: Mapping[str, Sequence[UnknownNumbers]]) -> "DataWarning":
        """Return the warning that columns of few whole numbers hold others than in the fit."""
        parts = [
            f"column {name!r} holds {_describe_unknown_numbers(group)}"
            for name, groups in numbers_by_column.items()
            for group in groups
        ]
        return cls(f"numbers that the fit has not seen are read as the nearest ones: {'; '.join(parts)}")

    @classmethod
    def few_counted_rows(cls, total_weight: float) -> "DataWarning":
        """Return the warning that the weights of all rows add up to nearly nothing."""
        return cls(
            f"the weights add up to {total_weight:.3g} rows; a weight counts rows, so the model hardly learns from "
            "these; scale the weights to a mean of 1"
        )

    @classmethod
    def many_numeric_classes(cls, n_classes: int, lowest: object, highest: object) -> "DataWarning":
        """Return the warning that a target has more whole numbers than classes usually are."""
        return cls(
            f"the target has {n_classes} different numbers from {lowest} to {highest}, and each counts as a class of "
            "its own; if they are amounts, divide them into ranges, or use a regression"
        )

    @classmethod
    def absurd_numbers(cls, values_by_column: Mapping[str, Sequence[float]]) -> "DataWarning":
        """Return the warning that columns hold numbers far beyond those of the fit."""
        return cls(
            f"numbers far beyond those of the fit count as missing: {_list_values(values_by_column)}; check their units"
        )

    @classmethod
    def contradicting_columns(cls, names: Sequence[str], n_broken: int, n_rows: int, first_row: int) -> "DataWarning":
        """Return the warning that columns that determined each other in the fit no longer do."""
        named = join_with_and([repr(name) for name in names])
        return cls(
            f"{named} determined each other in the fit, but disagree in {n_broken} of {format_count(n_rows, 'row')} "
            f"(the first is row {first_row}, counted from 0); {names[0]!r} is used where it is present: check their "
            "units"
        )

    @classmethod
    def outside_domain(cls, column: str, n_rows: int, smallest: float, minimum: float) -> "DataWarning":
        """Return the warning that values are outside the domain of a column's transform."""
        return cls(
            f"{format_count(n_rows, 'value')} of column {column!r}, down to {smallest:g}, "
            f"{'is' if n_rows == 1 else 'are'} too small for its transform; the smallest value of the fit, "
            f"{minimum:g}, is used instead"
        )

    @classmethod
    def predicts_class_alone(cls, column: str, accuracy: float, is_presence: bool) -> "DataWarning":
        """Return the warning that a column, or whether it has a value, predicts the class of nearly every row."""
        what = f"whether column {column!r} has a value" if is_presence else f"column {column!r}"
        shown = min(accuracy, _MAX_SHOWN_ACCURACY)
        return cls(
            f"{what} alone predicts the class of {shown:.1%} of the rows; if it is known only after the class, "
            f"{advise_to_drop(column)}"
        )

    @classmethod
    def is_one_sided(cls, column: str, value: object, n_rows: int, purity: float) -> "DataWarning":
        """Return the warning that all values of a column but one, None for missing, occur in one class."""
        difference = "has a value" if value is None else f"is not {value!r}"
        shown = "all" if purity == 1.0 else f"{min(purity, _MAX_SHOWN_ACCURACY):.1%}"
        return cls(
            f"column {column!r} {difference} in {format_count(n_rows, 'row')}, {shown} of one class; if it is known "
            f"only after the class, {advise_to_drop(column)}"
        )

    @classmethod
    def few_training_rows(cls, n_rows: int, minimum: int) -> "DataWarning":
        """Return the warning that a detector of anomalies has learnt from few rows."""
        return cls(
            f"the detector has learnt from {format_count(n_rows, 'row')}, fewer than {minimum}: it can find rows far "
            "from all others, and its p-values are rough; use more rows"
        )

    @classmethod
    def coarse_p_values(
        cls, kind: str, rate: float, smallest: float, n_rows: int, n_calibration: int, fewest: int, n_needed: int
    ) -> "DataWarning":
        """Return the warning that too few calibration rows make some or all anomalies invisible at a rate."""
        what = "no row can be selected" if fewest > n_rows else f"fewer than {fewest} anomalies cannot be found"
        among = f" among {format_count(n_rows, 'row')}" if kind == "fdr" else ""
        return cls(
            f"with {format_count(n_calibration, 'calibration row')} no p-value is below {smallest:.2g}, so {what}"
            f"{among} at {kind}={rate:g}; use at least {n_needed} calibration rows, or a higher rate"
        )

    @classmethod
    def columns_without_gaussian_shape(cls, texts: Sequence[str]) -> "DataWarning":
        """Return the warning about columns; ``texts`` name them and what can be done, kind by kind."""
        return cls(f"{' '.join(texts)} To hide this: warnings.simplefilter('ignore', gaussmix.DataWarning)")


def _describe_unknown_numbers(group: UnknownNumbers) -> str:
    """Return "10, 11 in 3 rows, more than the 9 of the fit: read as 9"."""
    smallest, largest = group.known_range
    first = group.numbers[0]
    side = (
        f"more than the {largest} of the fit"
        if first > largest
        else f"less than the {smallest} of the fit"
        if first < smallest
        else "between those of the fit"
    )
    numbers = join_with_commas([str(number) for number in group.numbers], _MAX_VALUES_SHOWN)
    return f"{numbers} in {format_count(group.n_rows, 'row')}, {side}: read as {group.level}"


def _list_values(values_by_column: Mapping[str, Sequence[object]]) -> str:
    """Return "column 'a' holds 1, 2; column 'b' holds 3", with a few values of each."""
    parts = (
        f"column {name!r} holds {join_with_commas([repr(value) for value in values], _MAX_VALUES_SHOWN)}"
        for name, values in values_by_column.items()
    )
    return "; ".join(parts)
