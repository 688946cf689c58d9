"""Kinds of input that NumPy would read wrongly or not at all: sources, sparse matrices and masked arrays."""

from typing import Any

import numpy as np

from gaussmix.errors import DataError, SparseDataError


def require_no_source(data: object) -> None:
    """Raise a DataError if the data are a source of rows, which has ``reduce`` and ``collect``, and not a table."""
    if hasattr(data, "reduce") and hasattr(data, "collect"):
        raise DataError.source_instead_of_rows(type(data).__name__)


def require_no_lazy_frame(data: object) -> None:
    """Raise a DataError for a lazy frame of polars, a query without rows."""
    if hasattr(data, "collect") and hasattr(data, "lazy"):
        raise DataError.lazy_frame()


def refuse_sparse(data: object) -> None:
    """Raise DataError for a sparse matrix or array."""
    if hasattr(data, "toarray"):
        raise SparseDataError.refuse()


def fill_masked_with_nan(values: object) -> object:
    """Return masked arrays as floats with NaN where they are masked, and all other values as they are.

    So are lists and tuples of masked arrays or of masked numbers. NumPy's conversions would drop the masks, and show
    the values behind them.
    """
    is_sequence_of_masked = isinstance(values, list | tuple) and any(
        isinstance(value, np.ma.MaskedArray) for value in values
    )
    if not is_sequence_of_masked and not isinstance(values, np.ma.MaskedArray):
        return values
    if is_sequence_of_masked:  # NumPy warns of a masked number in a list
        values = [np.nan if value is np.ma.masked else value for value in values]  # type: ignore[attr-defined]
    masked: Any = np.ma.asarray(values)
    if not np.ma.is_masked(masked):
        return np.asarray(masked)
    is_float = np.issubdtype(masked.dtype, np.inexact)
    return (masked if is_float else masked.astype(np.float64)).filled(np.nan)
