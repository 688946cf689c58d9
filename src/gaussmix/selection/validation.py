"""Validation of the parameters that searches and tests share."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gaussmix.core.input_arrays import column_names, parse_rows, parse_weights, require_observed_columns
from gaussmix.core.scalar_checks import is_integer, is_number_in
from gaussmix.covariance.structure import Structure, distinct_structure_names
from gaussmix.errors import DataError, ParameterError
from gaussmix.types import AnyArray, ArrayLike, N


def require_rows_and_columns(rows: AnyArray) -> None:
    """Raise DataError if there are no rows or no columns."""
    if not len(rows):
        raise DataError.no_rows()
    if not rows.shape[1]:
        raise DataError.no_columns()


class RowsAndWeights(NamedTuple):
    """Rows (n, D) of positive weight, and their weights (n,); None for one each."""

    rows: AnyArray
    weights: N | None


def parse_rows_of_positive_weight(
    X: ArrayLike, sample_weight: ArrayLike | None, allow_missing: bool = False
) -> RowsAndWeights:
    """Return the validated rows (n, D) of positive weight, and their weights (n,) or None."""
    names = column_names(X)
    rows = parse_rows(X, feature_names=names, keep_float32=True, allow_missing=allow_missing)
    require_rows_and_columns(rows)
    require_observed_columns(rows, names)
    weights = parse_weights(sample_weight, len(rows))
    if weights is None:
        return RowsAndWeights(rows, None)
    return RowsAndWeights(rows[weights > 0], weights[weights > 0])


def parse_fraction_in_open_interval(name: str, value: object) -> float:
    """Return the value as a float; raise ParameterError unless it is above 0 and below 1."""
    if not is_number_in(value, 0.0, 1.0):
        raise ParameterError.invalid_value(name, value, "a number above 0 and below 1")
    return float(value)  # type: ignore[arg-type]


def parse_component_counts(n_components: int | Iterable[int]) -> list[int]:
    """Return the numbers of components, sorted and without duplicates."""
    try:
        counts = list(n_components) if isinstance(n_components, Iterable) else [n_components]
    except TypeError:
        counts = []
    if not counts or not all(is_integer(count, 1) for count in counts):
        raise ParameterError.invalid_value("n_components", n_components, "one or more whole numbers of at least 1")
    return sorted({int(count) for count in counts})


def parse_structures(
    structures: str | Sequence[str],
    n_features: int,
    parameter_name: str = "structures",
    allowed_text: str = "'all', the name of a structure, or several names",
) -> list[Structure]:
    """Return the named structures in order, without duplicates; raise ParameterError if one is unknown or none named.

    'all' means every mclust structure. With one column it means EII and VII, which the others equal there.

    Parameters
    ----------
    structures : str or sequence of str
    n_features : int
    parameter_name : str
        The name of the parameter in the error about an unknown structure.
    allowed_text : str
        What the error about an empty sequence says is allowed.
    """
    if isinstance(structures, str) and structures == "all":
        names: Sequence[str] = distinct_structure_names(n_features)
    else:
        names = [structures] if isinstance(structures, str) else structures
    parsed = list(dict.fromkeys(Structure.from_name(name, parameter_name) for name in names))
    if not parsed:
        raise ParameterError.invalid_value("structures", structures, allowed_text)
    return parsed
