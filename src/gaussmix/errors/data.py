"""Errors about rows and their weights."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError
from gaussmix.errors.text import TOO_FAR_MESSAGE, format_count, format_suggestion, join_with_and, join_with_commas


class DataError(GaussmixError, ValueError):
    """The rows, weights or columns handed over cannot be used; ``row`` is the one at fault, from 0, where known."""

    row: int | None = None

    @classmethod
    def not_numeric(cls, cause: Exception, first_entry: tuple[int, int, object] | None = None) -> "DataError":
        where = (
            ""
            if first_entry is None
            else f"; row {first_entry[0]}, column {first_entry[1]} (counted from 0) holds {first_entry[2]!r}"
        )
        return cls(f"the data must be numbers: {cause}{where}; drop or encode the columns that hold text")

    @classmethod
    def from_sklearn_message(cls, message: str) -> "DataError":
        """A message of scikit-learn's about the input, without the input printed in its middle."""
        head, _, tail = message.partition(":\narray=")
        advice = tail[tail.find("Reshape") :] if "Reshape" in tail else ""
        return cls("; ".join(part for part in (head.splitlines()[0], advice) if part))

    @classmethod
    def sparse_matrix(cls) -> "DataError":
        return cls("sparse data cannot be used: a Gaussian fills every column; pass X.toarray() if it fits in memory")

    @classmethod
    def wrong_ndim(cls, ndim: int) -> "DataError":
        return cls(f"the data must have 2 dimensions (rows, columns), but have {ndim}; reshape them")

    @classmethod
    def wrong_n_features(cls, actual: int, expected: int) -> "DataError":
        have = format_count(actual, "column")
        return cls(f"the data have {have}, but the model was made for {expected}; pass the same columns")

    @classmethod
    def not_finite(cls, value: float, row: int, column: str, count: int) -> "DataError":
        what = "NaN" if value != value else "infinity (inf)"
        more = f" ({count} such values in all)" if count > 1 else ""
        return cls(
            f"X contains {what} in row {row}, column {column}{more}; rows and columns count from 0: "
            "drop or fill these values first"
        )

    @classmethod
    def not_finite_parameter(cls, name: str) -> "DataError":
        return cls(f"there is NaN or infinity in {name}; every parameter must be a finite number")

    @classmethod
    def asymmetric_covariance(cls, max_difference: float) -> "DataError":
        return cls(f"a covariance matrix must be symmetric, but entries differ by up to {max_difference:.3g}")

    @classmethod
    def no_columns(cls) -> "DataError":
        return cls("the data have no columns; hand over at least one column of numbers")

    @classmethod
    def no_rows(cls) -> "DataError":
        return cls("the data have 0 rows; at least one is needed")

    @classmethod
    def zero_volume(cls, names: Sequence[str]) -> "DataError":
        which = f"column {names[0]} has" if len(names) == 1 else f"columns {join_with_commas(names)} have"
        return cls(
            f"noise fills a box about the data, which has no volume, since {which} one value only; leave out "
            "what does not vary"
        )

    @classmethod
    def too_few_rows(cls, n_rows: int, n_components: int) -> "DataError":
        return cls(
            f"Expected n_samples >= n_components but got n_components = {n_components}, n_samples = {n_rows}; "
            "ask for fewer components or use more rows"
        )

    @classmethod
    def too_few_rows_for_clusters(cls, n_rows: int, n_clusters: int) -> "DataError":
        return cls(f"n_samples={n_rows} should be >= n_clusters={n_clusters}; ask for fewer clusters or use more rows")

    @classmethod
    def row_too_far(cls, row: int) -> "DataError":
        error = cls(f"row {row} (counted from 0) {TOO_FAR_MESSAGE}")
        error.row = row
        return error

    @classmethod
    def unknown_columns(cls, missing: Sequence[str], present: Sequence[str]) -> "DataError":
        named = join_with_and([f"{name!r}{format_suggestion(name, present)}" for name in missing])
        there = (
            f"the only column is {present[0]!r}"
            if len(present) == 1
            else f"the columns are {join_with_commas(present)}"
        )
        return cls(f"no column{'' if len(missing) == 1 else 's'} named {named}; {there}")


class WeightError(DataError):
    """The row weights handed over cannot be used."""

    @classmethod
    def not_numeric_weights(cls, cause: Exception) -> "WeightError":
        return cls(f"sample_weight must be numbers: {cause}")

    @classmethod
    def extreme_total(cls, total: float) -> "WeightError":
        return cls(f"sample_weight adds up to {total:g}, out of all proportion; divide it by its mean")

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], n_rows: int) -> "WeightError":
        return cls(f"sample_weight must have the shape ({n_rows},), one number per row, but has {actual}")

    @classmethod
    def invalid_weight(cls, value: float, row: int) -> "WeightError":
        return cls(f"sample_weight must be finite and not negative, but is {value} in row {row}")

    @classmethod
    def all_zero(cls) -> "WeightError":
        return cls("sample_weight is zero in every row; at least one row must count")


class LabelError(DataError):
    """The known components handed over cannot be used."""

    @classmethod
    def not_integers(cls, cause: Exception) -> "LabelError":
        return cls(f"labels must be whole numbers, one per row, -1 where the component is not known: {cause}")

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], n_rows: int) -> "LabelError":
        return cls(f"labels must have the shape ({n_rows},), one number per row, but have {actual}")

    @classmethod
    def invalid_label(cls, value: object, row: int, n_components: int | None) -> "LabelError":
        allowed = "components from 0" if n_components is None else f"components from 0 to {n_components - 1}"
        error = cls(
            f"labels must be {allowed}, or -1 where the component is not known, but row {row} (counted from 0) "
            f"has {value!r}; number the components from 0, write -1 where none is known, or ask for more of them"
        )
        error.row = row
        return error

    @classmethod
    def too_few_groups(cls, n_groups: int) -> "LabelError":
        found = "no row's group" if n_groups == 0 else "one group only"
        return cls(f"labels name {found}; there must be two or more to compare with, and nothing, NaN or -1 is none")

    @classmethod
    def too_many_groups(cls, n_groups: int, n_rows: int) -> "LabelError":
        return cls(
            f"labels name {n_groups} groups for {format_count(n_rows, 'row')}, fewer than two rows each; "
            "give each row the name of its group, not a name or a measurement of its own"
        )

    @classmethod
    def zero_weight_component(cls, component: int) -> "LabelError":
        return cls(
            f"labels say that rows belong to component {component}, whose weight is given as 0; "
            "give it some weight, or those rows the label -1"
        )

    @classmethod
    def label_out_of_range(cls, n_components: int, label: int) -> "LabelError":
        return cls(
            f"labels name component {label}, which {format_count(n_components, 'component')} (from 0) do not reach"
        )
