"""Conversion of covariances to arrays of variances and axes, and back, whatever their representation."""

from typing import NamedTuple

import numpy as np

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SphericalCovariance,
    full_from_eigenpairs,
    full_from_factors,
    shared_from_full,
)
from gaussmix.covariance.structure import MclustStructure
from gaussmix.types import KD, KDD


class EigenArrays(NamedTuple):
    """Variances (K, D) along axes (K, D, D, in columns), and the covariance matrices (K, D, D)."""

    axis_variances: KD
    axes: KDD
    matrices: KDD


def to_eigen_arrays(covariance: AbstractCovariance) -> EigenArrays:
    """Return variances (K, D) along axes (K, D, D, in columns), and the covariance matrices (K, D, D).

    The axes are those of the factors of a full covariance, and the columns for every other representation.
    """
    matrices = covariance.matrices()
    if isinstance(covariance, FullCovariance):
        values = (covariance.factors**2).sum(axis=1)
        return EigenArrays(values, covariance.factors / np.sqrt(values)[:, None, :], matrices)
    axes = np.repeat(np.eye(matrices.shape[1])[None], len(matrices), axis=0)
    return EigenArrays(np.einsum("kii->ki", matrices).copy(), axes, matrices)


def to_axis_variances_alone(covariance: AbstractCovariance) -> EigenArrays:
    """Return the variances (K, D) along the columns, with axes and matrices of shape (K, 0, 0).

    Those of many columns would take more memory than all else in a fit of axis-aligned covariances.
    """
    if isinstance(covariance, DiagonalCovariance):
        values = covariance.variances
    elif isinstance(covariance, SphericalCovariance):
        values = np.repeat(covariance.variances[:, None], covariance.n_features, axis=1)
    else:
        values = np.einsum("kii->ki", covariance.matrices())
    nothing = np.empty((len(values), 0, 0))
    return EigenArrays(values, nothing, nothing)


def covariance_from_eigen_arrays(
    structure: MclustStructure, axis_variances: KD, axes: KDD, covariance_factors: KDD
) -> AbstractCovariance:
    """Make covariances from variances along axes, or from factors F F^T, whichever the structure's M-step makes."""
    is_floored = np.zeros(len(axis_variances), dtype=bool)
    if structure.is_spherical:
        return SphericalCovariance(structure, is_floored, axis_variances[:, 0].copy(), axis_variances.shape[1])
    if structure.is_axis_aligned:
        return DiagonalCovariance(structure, is_floored, axis_variances)
    if structure.shape == "V" and structure.orientation == "V":
        return full_from_factors(structure, covariance_factors)
    if structure.is_tied:
        return shared_from_full(full_from_factors(structure, covariance_factors[:1]), len(axis_variances))
    return full_from_eigenpairs(structure, axis_variances, axes, is_floored)
