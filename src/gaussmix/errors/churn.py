"""Errors about churn models: the class that means churn, columns, and what a model can evaluate."""

from collections.abc import Sequence

from gaussmix.errors.data import DataError
from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import format_count, format_suggestion, join_with_and, join_with_or


class ChurnParameterError(ParameterError):
    """Parameters of a churn model that do not suit its data."""

    @classmethod
    def unknown_positive(cls, positive: object, classes: Sequence[object]) -> "ChurnParameterError":
        """Return the error that the positive class is none of the classes."""
        names = join_with_and([repr(label) for label in classes])
        texts = [label for label in classes if isinstance(label, str)]
        suggestion = format_suggestion(positive, texts) if isinstance(positive, str) else ""
        return cls(f"positive must be one of the classes {names}, but is {positive!r}{suggestion}")

    @classmethod
    def unclear_positive(cls, classes: Sequence[object]) -> "ChurnParameterError":
        """Return the error that the names of the classes do not tell which one means churn."""
        names = join_with_and([repr(label) for label in classes])
        choices = join_with_or([f"positive={label!r}" for label in classes])
        return cls(
            f"the classes {names} do not tell which one means that a customer left; pass {choices} to ChurnModel, "
            "whichever does"
        )

    @classmethod
    def unknown_fixed_columns(cls, unknown: Sequence[str], columns: Sequence[str]) -> "ChurnParameterError":
        """Return the error that columns that cannot change are no columns of the table."""
        first = f"{unknown[0]!r}{format_suggestion(unknown[0], columns)}"
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return cls(f"fixed_columns must name columns of the table, but {first}{more} is none of them")

    @classmethod
    def not_names(cls, value: object) -> "ChurnParameterError":
        """Return the error that columns that cannot change are not a sequence of names."""
        return cls(f"fixed_columns must be a sequence of column names, such as ['age'], but is {value!r}")

    @classmethod
    def no_classifier(cls, value: object) -> "ChurnParameterError":
        """Return the error that the classifier is of another kind."""
        return cls(f"classifier must be a MixtureClassifier or None, but has the type {type(value).__name__}")


class ChurnDataError(DataError):
    """Data that a churn model cannot evaluate."""

    @classmethod
    def no_held_out_rows(cls) -> "ChurnDataError":
        """Return the error that no customer was held out in the fit."""
        return cls(
            "no customers were held out in the fit, because the classifier has calibration=None or too few rows of a "
            "class; pass X and y of customers that the fit has not seen"
        )

    @classmethod
    def no_outcomes(cls) -> "ChurnDataError":
        """Return the error that customers come without their outcomes, or outcomes without customers."""
        return cls("X and y belong together: pass both, or neither for the held-out customers of the fit")

    @classmethod
    def name_without_table(cls, name: str) -> "ChurnDataError":
        """Return the error that a column is named, but there is no table to take it from."""
        return cls(
            f"by={name!r} names a column, and the model keeps no table; pass the table and the outcomes of the fit "
            "again, or one value for each of its rows"
        )

    @classmethod
    def unknown_column(cls, name: str, columns: Sequence[str]) -> "ChurnDataError":
        """Return the error that the table has no such column."""
        return cls(
            f"X has no column {name!r}{format_suggestion(name, columns)}; pass one of its columns as by, or one value "
            "for each row"
        )

    @classmethod
    def wrong_n_groups(cls, n_groups: int, n_rows: int) -> "ChurnDataError":
        """Return the error that groups are not one value per row."""
        return cls(
            f"by has {format_count(n_groups, 'value')}, but there are {format_count(n_rows, 'row')}; pass one each"
        )

    @classmethod
    def unknown_outcomes(cls, unknown: Sequence[object], classes: Sequence[object]) -> "ChurnDataError":
        """Return the error that outcomes are none of the classes of the fit."""
        names, found = (join_with_and([repr(label) for label in labels]) for labels in (classes, unknown))
        return cls(f"y has {found}, but the classes of the fit are {names}; convert it to these")
