"""Errors and warnings about rows, their weights and their labels."""

import itertools
from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError
from gaussmix.errors.text import TOO_FAR_MESSAGE, format_count, join_with_commas


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
        return cls(f"the data must be numbers: {cause}{where}; drop or convert the columns that hold text or dates")

    @classmethod
    def from_sklearn_message(cls, message: str) -> "DataError":
        """Return the error with a message of scikit-learn, without the array that the message prints.

        The lines of the message that name columns are kept as they are.
        """
        head, _, tail = message.partition(":\narray=")
        advice = tail[tail.find("Reshape") :] if "Reshape" in tail else ""
        if head.startswith("Found array with") and "sample(s)" in head:
            advice = "use more rows"
        lines = itertools.takewhile(lambda line: not line.startswith("["), head.rstrip().splitlines())
        return cls("; ".join(part for part in ("\n".join(lines), advice) if part))

    @classmethod
    def source_instead_of_rows(cls, source: str) -> "DataError":
        """Return the error that the data are a source of rows and not a table."""
        return cls(
            f"{source} is a source, and this takes a table of numbers; to fit a source use "
            "Problem.from_source(source, structure), initialize(...) and run_solver(...), as ARCHITECTURE.md shows"
        )

    @classmethod
    def lazy_frame(cls) -> "DataError":
        """Return the error that the data are a query whose rows are not there yet."""
        return cls("a LazyFrame has no rows yet; pass its collect(), which is a DataFrame")

    @classmethod
    def wrong_ndim(cls, ndim: int) -> "DataError":
        """Return the error that the data do not have two dimensions."""
        return cls(
            f"the data must have 2 dimensions (rows, columns), but have {ndim}. Reshape your data: a single row is "
            "[[1.5, 2.0]]"
        )

    @classmethod
    def wrong_n_features(cls, actual: int, expected: int) -> "DataError":
        """Return the error that the data have another number of columns than the model."""
        have = format_count(actual, "column")
        return cls(f"the data have {have}, but the model was fitted to {expected}; pass the same columns")

    @classmethod
    def infinite_in_stream(cls, column: int) -> "DataError":
        """Return the error that a row of a stream contains infinity."""
        return cls(
            f"the row contains infinity in column {column} (columns count from 0); pass a finite number, or NaN if the "
            "value is missing"
        )

    @classmethod
    def row_is_a_table(cls, shape: tuple[int, ...]) -> "DataError":
        """Return the error that a table was passed where one row is expected."""
        return cls(
            f"row must be one number or have one dimension, but has the shape {shape}; pass tables to partial_fit or "
            "score_and_learn"
        )

    @classmethod
    def column_without_cells(cls, name: str) -> "DataError":
        """Return the error that all cells of a column are missing."""
        return cls(f"column {name} has no value in any row (all are NaN): leave it out")

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


class RowTooFarError(DataError):
    """A row so far from the fitted data that its log density overflows; ``row`` is its index, from 0."""

    @classmethod
    def from_row(cls, row: int) -> "RowTooFarError":
        """Return the error that a row lies so far away, about 1e150 deviations, that its log density overflows."""
        error = cls(f"row {row} (counted from 0) {TOO_FAR_MESSAGE}")
        error.row = row
        return error


class SparseDataError(DataError, TypeError):
    """Sparse rows; also a TypeError, as in scikit-learn."""

    @classmethod
    def refuse(cls) -> "SparseDataError":
        """Return the error that the data are a sparse matrix or array."""
        return cls("sparse data are not supported; pass X.toarray() if it fits in memory")


class DataTypeError(DataError, TypeError):
    """Data whose entries are objects that Python cannot convert to numbers; a TypeError too, as in scikit-learn."""


class WeightError(DataError):
    """Row weights that cannot be used."""

    @classmethod
    def not_numeric_weights(cls, cause: Exception, name: str) -> "WeightError":
        """Return the error that the weights cannot be converted to numbers."""
        return cls(f"{name} must be numbers: {cause}; pass one number per row")

    @classmethod
    def extreme_total(cls, total: float, name: str) -> "WeightError":
        """Return the error that the sum of the weights is too small or too large."""
        return cls(f"{name} adds up to {total:g}, which is too small or too large; divide it by its mean")

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], n_rows: int, name: str) -> "WeightError":
        """Return the error that there is not one weight per row."""
        return cls(f"{name} must have the shape ({n_rows},), one number per row, but has {actual}")

    @classmethod
    def invalid_weight(cls, value: float, row: int, name: str = "sample_weight") -> "WeightError":
        """Return the error that a weight is negative, NaN or infinite."""
        return cls(f"{name} must be finite and not negative, but is {value} in row {row}")

    @classmethod
    def all_zero(cls, name: str) -> "WeightError":
        """Return the error that every weight is zero."""
        return cls(f"{name} is zero in every row; at least one row must count")


class LabelError(DataError):
    """Labels (known components or groups) that cannot be used."""

    @classmethod
    def not_integers(cls, cause: Exception) -> "LabelError":
        """Return the error that the labels cannot be converted to integers."""
        return cls(f"labels must be integers, one per row, with -1 for unknown components, or all text: {cause}")

    @classmethod
    def more_names_than_components(cls, names: Sequence[str], n_components: int) -> "LabelError":
        """Return the error that text labels have more distinct names than there are components."""
        return cls(
            f"labels have {len(names)} names, {join_with_commas([repr(name) for name in names], 6)}, but there "
            f"{'is' if n_components == 1 else 'are'} {format_count(n_components, 'component')}; increase n_components, "
            "or use None for unknown rows"
        )

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], n_rows: int) -> "LabelError":
        """Return the error that there is not one label per row."""
        return cls(f"labels must have the shape ({n_rows},), one per row, but have {actual}")

    @classmethod
    def not_one_per_row(cls, actual: tuple[int, ...]) -> "LabelError":
        """Return the error that labels are not an array of one dimension."""
        return cls(f"labels must have one dimension, one label per row, but have the shape {actual}; reshape them")

    @classmethod
    def not_a_table(cls, name: str, content: str, shape: tuple[int, ...], dtype: object) -> "LabelError":
        """Return the error that the array of a label prior is not a table of the right type."""
        return cls(
            f"{name} of a label prior must be {content} of shape (rows, components), but has the shape {shape} and "
            f"the type {dtype}; pass one row per row of the data and one column per component"
        )

    @classmethod
    def wrong_n_rows(cls, prior: str, actual: int | None, expected: int | None) -> "LabelError":
        """Return the error that a label prior describes another number of rows than the source has."""
        return cls(
            f"{prior} describes {format_count(actual or 0, 'row')}, but the source has {expected}; "
            "pass one entry for each row, in the order of the rows"
        )

    @classmethod
    def wrong_prior_shape(cls, actual: tuple[int, ...], expected: tuple[int, ...]) -> "LabelError":
        """Return the error that a label prior has another shape than (rows, components)."""
        return cls(
            f"the label prior must have the shape {expected} (rows, components), but has {actual}; "
            "pass one row per row of the data and one column per component, and one for the noise if there is any"
        )

    @classmethod
    def no_allowed_component(cls, row: int) -> "LabelError":
        """Return the error that a label prior excludes every component from a row, or contains NaN or infinity."""
        error = cls(
            f"the label prior of row {row} (counted from 0) excludes every component, or contains NaN or infinity; "
            "allow at least one component, with a finite log probability"
        )
        error.row = row
        return error

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
