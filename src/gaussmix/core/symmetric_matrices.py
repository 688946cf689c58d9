"""Symmetric matrices from arrays of the user, which are symmetric only up to the rounding of their numbers."""

import numpy as np

from gaussmix.types import DD, Array

# Error of a variance that is computed as mean square minus squared mean, in roundings of the squared mean.
_ROUNDINGS_OF_SQUARED_MEAN = 16.0
_MAX_TOLERANCE = 1e-2


def symmetry_tolerance(values: Array, means: Array | None = None) -> float:
    """Return the largest asymmetry, relative to the largest entry, that the rounding of the numbers explains.

    It is the square root of their relative rounding: 1.5e-8, or 3.5e-4 if float32 holds every number exactly.
    Covariances of float32 about ``means`` (K, D) may besides be wrong by the rounding of the squared means.
    """
    if not _are_single_precision(values):
        return float(np.sqrt(np.finfo(np.float64).eps))
    rounding, size = float(np.finfo(np.float32).eps), float(np.abs(values).max(initial=0.0))
    tolerance = float(np.sqrt(rounding))
    if means is not None and size > 0.0:
        with np.errstate(over="ignore"):
            tolerance += _ROUNDINGS_OF_SQUARED_MEAN * rounding * float((means**2).max(initial=0.0) / size)
    return min(tolerance, _MAX_TOLERANCE)


def _are_single_precision(values: Array) -> bool:
    """Return whether float32 holds the digits of all numbers; their exponents may be out of its range."""
    mantissas = np.frexp(values)[0]
    return bool(np.array_equal(mantissas.astype(np.float32), mantissas))


def is_symmetric(matrix: DD) -> bool:
    """Return whether a matrix (D, D) is symmetric up to rounding, or by scikit-learn's test, entry by entry."""
    is_small = max_asymmetry(matrix) <= symmetry_tolerance(matrix) * np.abs(matrix).max(initial=0.0)
    return bool(is_small or np.allclose(matrix, matrix.T))


def average_with_transpose(matrices: Array) -> Array:
    """Return the symmetric part of matrices (..., D, D); symmetric matrices keep their bits."""
    return np.asarray(0.5 * matrices + 0.5 * np.swapaxes(matrices, -1, -2))


def max_asymmetry(matrices: Array) -> float:
    """Return the largest difference of an entry of matrices (..., D, D) from that of the transpose."""
    return float(np.abs(matrices - np.swapaxes(matrices, -1, -2)).max(initial=0.0))
