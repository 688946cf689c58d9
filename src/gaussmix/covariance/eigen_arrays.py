"""Conversion of covariances to arrays of variances and axes, and back, whatever their representation."""

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


def to_eigen_arrays(covariance: AbstractCovariance) -> tuple[KD, KDD, KDD]:
    """Return variances (K, D) along axes (K, D, D), and the covariance matrices (K, D, D).

    The axes are those of the factors of a full covariance, and the columns for every other representation.
    """
    matrices = covariance.matrices()
    if isinstance(covariance, FullCovariance):
        values = (covariance.factors**2).sum(axis=1)
        return values, covariance.factors / np.sqrt(values)[:, None, :], matrices
    axes = np.repeat(np.eye(matrices.shape[1])[None], len(matrices), axis=0)
    return np.einsum("kii->ki", matrices).copy(), axes, matrices


def covariance_from_eigen_arrays(
    structure: MclustStructure, axis_variances: KD, axes: KDD, factors: KDD
) -> AbstractCovariance:
    """Make the covariance from variances along axes, and factors, in the representation of the structure's M-step."""
    is_floored = np.zeros(len(axis_variances), dtype=bool)
    if structure.is_spherical:
        return SphericalCovariance(structure, is_floored, axis_variances[:, 0].copy(), axis_variances.shape[1])
    if structure.is_axis_aligned:
        return DiagonalCovariance(structure, is_floored, axis_variances)
    if structure.shape == "V" and structure.orientation == "V":
        return full_from_factors(structure, factors)
    if structure.is_tied:
        return shared_from_full(full_from_factors(structure, factors[:1]), len(axis_variances))
    return full_from_eigenpairs(structure, axis_variances, axes, is_floored)
