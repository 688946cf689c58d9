"""Parsing of arrays that are parameters of a model or of a fit, and not rows of data."""

import numpy as np

from gaussmix.core.input_kinds import fill_masked_with_nan
from gaussmix.core.symmetric_matrices import max_asymmetry, symmetry_tolerance
from gaussmix.errors import ParameterError
from gaussmix.types import DD, KDD, Array


def parse_numbers(name: str, values: object, allowed: str = "numbers") -> Array:
    """Return values as an array of float64, which is not copied if it is one already.

    Raises
    ------
    ParameterError
        If a value is not a number; the message calls the parameter ``name`` and says what is ``allowed``.
    """
    try:
        array = np.asarray(fill_masked_with_nan(values))
        if array.dtype.kind in "cSUmM":
            raise TypeError(array.dtype)
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError.invalid_value(name, values, allowed) from None


def parse_finite_numbers(name: str, values: object, shape: tuple[int, ...] | None = None) -> Array:
    """Return finite values as an array of float64, of ``shape`` if it is given; raise ParameterError for others."""
    array = parse_numbers(name, values)
    if shape is not None and array.shape != shape:
        raise ParameterError.wrong_shape(name, array.shape, shape)
    if not np.isfinite(array).all():
        raise ParameterError.not_finite(name)
    return array


def parse_covariances(covariances: object, name: str = "covariances") -> KDD | DD:
    """Return covariance matrices as float64; raise ParameterError if they are not finite or not symmetric.

    Asymmetry that rounding explains is allowed and kept.
    """
    parsed = parse_finite_numbers(name, covariances)
    if parsed.ndim >= 2 and parsed.shape[-1] == parsed.shape[-2]:
        asymmetry = max_asymmetry(parsed)
        if asymmetry > symmetry_tolerance(parsed) * np.abs(parsed).max(initial=0.0):
            raise ParameterError.asymmetric_covariance(asymmetry)
    return parsed
