"""Errors about anomaly detectors: training rows, thresholds and calibration."""

from collections.abc import Sequence

from gaussmix.errors.data import DataError
from gaussmix.errors.files import TableError
from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import format_count, join_with_and, join_with_commas, pluralize


class TrainingRowsError(DataError):
    """Training rows from which no detector can learn."""

    @classmethod
    def identical(cls, n_rows: int) -> "TrainingRowsError":
        """Return the error that all training rows are equal."""
        found = "there is one row only" if n_rows == 1 else f"all {n_rows} rows are equal"
        return cls(f"{found}, so nothing says how much normal rows differ; pass rows that differ")

    @classmethod
    def missing_columns(cls, path: object, train: object, names: Sequence[str]) -> "TrainingRowsError":
        """Return the error that a file of rows to judge lacks columns of the file of training rows."""
        missing = f"{pluralize('column', len(names))} {join_with_and([repr(name) for name in names])}"
        return cls(f"{path} has no {missing}, which {train} has; choose columns of both files with --columns")

    @classmethod
    def too_few_to_split(cls, n_rows: int, minimum: int) -> "TrainingRowsError":
        """Return the error that there are too few distinct rows to hold some out for calibration."""
        found = format_count(n_rows, "distinct row")
        return cls(
            f"calibration='split' needs at least {minimum} distinct rows, but there are {found}; use more rows, or "
            "calibration='cross'"
        )


class AnomalyParameterError(ParameterError):
    """Parameters of a detector that contradict each other."""

    @classmethod
    def several_thresholds(cls, names: Sequence[str]) -> "AnomalyParameterError":
        """Return the error that more than one error rate is given."""
        return cls(f"give one of contamination, fpr and fdr, but not {join_with_commas(list(names))} together")

    @classmethod
    def calibration_twice(cls, calibration: object) -> "AnomalyParameterError":
        """Return the error that calibration rows are given, and a way to choose them."""
        return cls(
            f"calibration={calibration!r} chooses among the training rows, but X_calibration gives the calibration "
            "rows; leave one of them out"
        )

    @classmethod
    def invalid_verdicts(cls, shape: tuple[int, ...], dtype: str, n_rows: int) -> "AnomalyParameterError":
        """Return the error that feedback is not one bool per row."""
        return cls(
            f"is_anomaly must be True, False or {format_count(n_rows, 'bool')}, one for each row, but has the shape "
            f"{shape} and the type {dtype}"
        )

    @classmethod
    def contradictory_verdicts(cls, first: int, second: int) -> "AnomalyParameterError":
        """Return the error that two equal rows have different verdicts in one call."""
        return cls(
            f"the verdicts contradict each other: rows {first} and {second} are equal, and only one is an anomaly; "
            "leave one of them out"
        )

    @classmethod
    def one_density_ratio(cls, missing: str) -> "AnomalyParameterError":
        """Return the error that a density ratio is given for new rows or calibration rows only."""
        return cls(f"density ratios are needed for the new rows and the calibration rows; give {missing}, too")

    @classmethod
    def density_ratio_of_contaminated_rows(cls) -> "AnomalyParameterError":
        """Return the error that density ratios are given, but calibration rows may be anomalies."""
        return cls(
            "density ratios need clean calibration rows, but training='contaminated'; use training='clean', or pass "
            "normal rows as X_calibration"
        )

    @classmethod
    def unknown_threshold(cls, kind: object, allowed: Sequence[str]) -> "AnomalyParameterError":
        """Return the error that a threshold is of no known kind."""
        return cls(f"a threshold is one of {join_with_commas(list(allowed))} with its rate, but is {kind!r}")

    @classmethod
    def invalid_p_values(cls, shape: tuple[int, ...], n_rows: int) -> "AnomalyParameterError":
        """Return the error that p-values are not one probability per row."""
        return cls(
            f"p_values must be {format_count(n_rows, 'number')} from 0 to 1, one for each row, but have the shape "
            f"{shape} or other values; pass training_p_values_ only with the training rows"
        )


class VerdictTableError(TableError):
    """A file of judged rows that cannot be used."""

    @classmethod
    def no_verdict_column(cls, path: object) -> "VerdictTableError":
        """Return the error that the file has no column of verdicts."""
        return cls(f"{path} has no column named 'verdict'; add one with 'normal' or 'anomaly' beside each judged row")

    @classmethod
    def no_verdicts(cls, path: object) -> "VerdictTableError":
        """Return the error that no row is judged."""
        return cls(f"the column 'verdict' of {path} is empty; write 'normal' or 'anomaly' beside at least one row")

    @classmethod
    def unknown_verdict(cls, path: object, row: int, value: object) -> "VerdictTableError":
        """Return the error that a verdict is neither of the two words."""
        return cls(
            f"the verdict in data row {row} of {path} is {value!r}; write 'normal' or 'anomaly', or leave it empty"
        )

    @classmethod
    def unknown_row(cls, path: object, row: int, value: object, n_rows: int) -> "VerdictTableError":
        """Return the error that a row number is none of the judged file."""
        return cls(f"the column 'data_row' of {path} has {value} in its row {row}; data rows count from 1 to {n_rows}")

    @classmethod
    def no_row_column(cls, path: object) -> "VerdictTableError":
        """Return the error that a file of judged rows does not say which rows they are."""
        return cls(
            f"{path} does not say which rows are judged; add a column 'data_row', which counts from 1 as in "
            "anomalies.csv, or the columns of the data"
        )
