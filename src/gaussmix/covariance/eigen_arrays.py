"""Covariances as plain arrays, for code that knows no forms, and back."""

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
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD


def to_eigen_arrays(covariance: AbstractCovariance) -> tuple[KD, KDD, KDD]:
    """Variances (K, D) along axes (K, D, D), where the form keeps axes, else along the columns; and matrices."""
    matrices = covariance.matrices()
    if isinstance(covariance, FullCovariance):
        values = (covariance.factors**2).sum(axis=1)
        return values, covariance.factors / np.sqrt(values)[:, None, :], matrices
    axes = np.repeat(np.eye(matrices.shape[1])[None], len(matrices), axis=0)
    return np.einsum("kii->ki", matrices).copy(), axes, matrices


def covariance_from_eigen_arrays(
    structure: Structure, axis_variances: KD, axes: KDD, factors: KDD
) -> AbstractCovariance:
    """In the form in which the structure's own M-step holds them, above every floor."""
    free = np.zeros(len(axis_variances), dtype=bool)
    if structure.orientation == "I":
        if structure.shape == "I":
            return SphericalCovariance(structure, free, axis_variances[:, 0].copy(), axis_variances.shape[1])
        return DiagonalCovariance(structure, free, axis_variances)
    if structure.shape == "V" and structure.orientation == "V":
        return full_from_factors(structure, factors)
    if structure.volume == "E" and structure.orientation == "E" and structure.shape == "E":
        return shared_from_full(full_from_factors(structure, factors[:1]), len(axis_variances))
    return full_from_eigenpairs(structure, axis_variances, axes, free)
