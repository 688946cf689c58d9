"""Errors and warnings about rows, their weights and their labels."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError, GaussmixWarning
from gaussmix.errors.text import TOO_FAR_MESSAGE, format_count, format_suggestion, join_with_and, join_with_commas


class DataError(GaussmixError, ValueError):
    """Rows, weights or columns that cannot be used; ``row`` is the index of the faulty row, if known."""

    row: int | None = None

    @classmethod
    def not_numeric(cls, cause: Exception, first_non_numeric: tuple[int, int, object] | None = None) -> "DataError":
        """Return the error that the data cannot be converted to numbers."""
        where = ""
        if first_non_numeric is not None:
            row, column, value = first_non_numeric
            where = f"; row {row}, column {column} (counted from 0) holds {value!r}"
        return cls(f"the data must be numbers: {cause}{where}; drop or encode the columns that hold text")

    @classmethod
    def from_sklearn_message(cls, message: str) -> "DataError":
        """Return the error with a message of scikit-learn, without the array that the message prints."""
        head, _, tail = message.partition(":\narray=")
        advice = tail[tail.find("Reshape") :] if "Reshape" in tail else ""
        return cls("; ".join(part for part in (head.splitlines()[0], advice) if part))

    @classmethod
    def sparse_matrix(cls) -> "DataError":
        """Return the error that the data are a sparse matrix."""
        return cls("sparse data are not supported; pass X.toarray() if it fits in memory")

    @classmethod
    def wrong_ndim(cls, ndim: int) -> "DataError":
        """Return the error that the data do not have two dimensions."""
        return cls(f"the data must have 2 dimensions (rows, columns), but have {ndim}; reshape the data")

    @classmethod
    def wrong_n_features(cls, actual: int, expected: int) -> "DataError":
        """Return the error that the data have another number of columns than the model."""
        have = format_count(actual, "column")
        return cls(f"the data have {have}, but the model was fitted to {expected}; pass the same columns")

    @classmethod
    def not_finite(cls, value: float, row: int, column: str, count: int) -> "DataError":
        """Return the error that the data contain NaN or infinity."""
        what = "NaN" if value != value else "infinity (inf)"
        more = f" ({count} such values in all)" if count > 1 else ""
        return cls(
            f"X contains {what} in row {row}, column {column}{more}; rows and columns count from 0: "
            "drop or fill these values first"
        )

    @classmethod
    def not_finite_parameter(cls, name: str) -> "DataError":
        """Return the error that an array of parameters contains NaN or infinity."""
        return cls(f"there is NaN or infinity in {name}; every value must be a finite number")

    @classmethod
    def asymmetric_covariance(cls, max_difference: float) -> "DataError":
        """Return the error that a covariance matrix is not symmetric."""
        return cls(
            "a covariance matrix must be symmetric, but its entries differ from those of its transpose "
            f"by up to {max_difference:.3g}"
        )

    @classmethod
    def no_columns(cls) -> "DataError":
        """Return the error that the data have no columns."""
        return cls("the data have no columns; pass at least one column of numbers")

    @classmethod
    def no_rows(cls) -> "DataError":
        """Return the error that the data have no rows."""
        return cls("the data have 0 rows; pass at least one row")

    @classmethod
    def zero_volume(cls, constant_columns: Sequence[str]) -> "DataError":
        """Return the error that noise needs a box of positive volume, but some columns are constant."""
        named = join_with_commas(constant_columns)
        which = f"column {named} has" if len(constant_columns) == 1 else f"columns {named} have"
        return cls(
            f"the noise needs a box about the data with a volume, but {which} one value only; "
            "leave out constant columns"
        )

    @classmethod
    def too_few_rows(cls, n_rows: int, n_components: int) -> "DataError":
        """Return the error that there are fewer rows than components."""
        return cls(
            f"Expected n_samples >= n_components but got n_components = {n_components}, n_samples = {n_rows}; "
            "ask for fewer components or use more rows"
        )

    @classmethod
    def too_few_rows_for_clusters(cls, n_rows: int, n_clusters: int) -> "DataError":
        """Return the error that there are fewer rows than clusters."""
        return cls(f"n_samples={n_rows} should be >= n_clusters={n_clusters}; ask for fewer clusters or use more rows")

    @classmethod
    def row_too_far(cls, row: int) -> "DataError":
        """Return the error that a row lies so far away, about 1e150 deviations, that its log density overflows."""
        error = cls(f"row {row} (counted from 0) {TOO_FAR_MESSAGE}")
        error.row = row
        return error

    @classmethod
    def unknown_columns(cls, missing: Sequence[str], present: Sequence[str]) -> "DataError":
        """Return the error that columns are missing from a data frame."""
        named = join_with_and([f"{name!r}{format_suggestion(name, present)}" for name in missing])
        there = (
            f"the only column is {present[0]!r}"
            if len(present) == 1
            else f"the columns are {join_with_commas(present)}"
        )
        return cls(f"no column{'' if len(missing) == 1 else 's'} named {named}; {there}")


class TransformError(DataError):
    """A value that the transform of its column does not allow; ``row`` is its row."""

    @classmethod
    def outside_domain(cls, transform: str, minimum: float, value: float, row: int, column: str) -> "TransformError":
        """Return the error that a value is outside the domain of its column's transform."""
        error = cls(
            f"row {row}, column {column} is {value:g}, but {transform} needs values above {minimum:g}; "
            "rows and columns count from 0: shift the column, or use 'yeo-johnson'"
        )
        error.row = row
        return error

    @classmethod
    def overflow(cls, transform: str, row: int, column: str) -> "TransformError":
        """Return the error that a transformed value overflows."""
        error = cls(
            f"{transform} of row {row}, column {column} overflows; rows and columns count from 0: "
            "divide the column by its typical size"
        )
        error.row = row
        return error


class WeightError(DataError):
    """Row weights that cannot be used."""

    @classmethod
    def not_numeric_weights(cls, cause: Exception) -> "WeightError":
        """Return the error that the weights cannot be converted to numbers."""
        return cls(f"sample_weight must be numbers: {cause}")

    @classmethod
    def extreme_total(cls, total: float) -> "WeightError":
        """Return the error that the sum of the weights is too small or too large."""
        return cls(f"sample_weight adds up to {total:g}, which is too small or too large; divide it by its mean")

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], n_rows: int) -> "WeightError":
        """Return the error that there is not one weight per row."""
        return cls(f"sample_weight must have the shape ({n_rows},), one number per row, but has {actual}")

    @classmethod
    def invalid_weight(cls, value: float, row: int) -> "WeightError":
        """Return the error that a weight is negative, NaN or infinite."""
        return cls(f"sample_weight must be finite and not negative, but is {value} in row {row}")

    @classmethod
    def all_zero(cls) -> "WeightError":
        """Return the error that every weight is zero."""
        return cls("sample_weight is zero in every row; at least one row must count")


class LabelError(DataError):
    """Labels (known components or groups) that cannot be used."""

    @classmethod
    def not_integers(cls, cause: Exception) -> "LabelError":
        """Return the error that the labels cannot be converted to integers."""
        return cls(f"labels must be integers, one per row, with -1 for unknown components: {cause}")

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], n_rows: int) -> "LabelError":
        """Return the error that there is not one label per row."""
        return cls(f"labels must have the shape ({n_rows},), one number per row, but have {actual}")

    @classmethod
    def invalid_label(cls, value: object, row: int, n_components: int | None) -> "LabelError":
        """Return the error that a label is not the index of a component."""
        allowed = "components from 0" if n_components is None else f"components from 0 to {n_components - 1}"
        error = cls(
            f"labels must be {allowed}, or -1 for unknown components, but row {row} (counted from 0) has {value!r}; "
            "number the components from 0, use -1 for unknown ones, or increase n_components"
        )
        error.row = row
        return error

    @classmethod
    def too_few_groups(cls, n_groups: int) -> "LabelError":
        """Return the error that the labels contain fewer than two groups."""
        found = "no group" if n_groups == 0 else "one group only"
        return cls(f"labels contain {found}, but at least two are needed; NaN, empty and -1 mean unlabelled")

    @classmethod
    def fewer_than_two_rows_per_group(cls, n_groups: int, n_rows: int) -> "LabelError":
        """Return the error that most groups of the labels have one row only."""
        return cls(
            f"labels contain {n_groups} groups for {format_count(n_rows, 'row')}, fewer than two rows each; "
            "use group names, not names or measurements of single rows"
        )

    @classmethod
    def labelled_component_starts_at_zero_weight(cls, component: int) -> "LabelError":
        """Return the error that rows are labelled with a component of weight zero."""
        return cls(
            f"labels assign rows to component {component}, whose initial weight is 0; "
            "increase its weight, or label those rows -1"
        )

    @classmethod
    def label_out_of_range(cls, n_components: int, label: int) -> "LabelError":
        """Return the error that a label is at least as large as the number of components."""
        return cls(
            f"label {label} is out of range for {format_count(n_components, 'component')} (0 to {n_components - 1}); "
            "increase n_components or correct the label"
        )


class DataWarning(GaussmixWarning):
    """A column that no Gaussian describes; the fit is made, but its groups may follow this column alone."""

    @classmethod
    def columns_without_gaussian_shape(cls, texts: Sequence[str]) -> "DataWarning":
        """Return the warning about columns; ``texts`` name them and what can be done, kind by kind."""
        return cls(f"{' '.join(texts)} To hide this: warnings.simplefilter('ignore', gaussmix.DataWarning)")
