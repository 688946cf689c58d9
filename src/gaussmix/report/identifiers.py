"""Columns that identify the rows of a report."""

from collections.abc import Mapping

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.types import AnyArray, ArrayLike


def parse_identifiers(identifiers: Mapping[str, ArrayLike], n_rows: int) -> dict[str, AnyArray]:
    """Return the columns of identifiers; raise ParameterError unless each has one value per row."""
    columns = {str(name): np.asarray(values) for name, values in identifiers.items()}
    for name, values in columns.items():
        if values.shape != (n_rows,):
            raise ParameterError.wrong_shape(f"identifiers[{name!r}]", values.shape, (n_rows,))
    return columns
