"""Covariances as plain arrays, for code that knows no forms, and back."""

import numpy as np

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.forms import (
    DiagonalCovariance,
    FullCovariance,
    SphericalCovariance,
    from_eigen,
    from_factors,
    share,
)
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD


def to_plain(covariance: AbstractCovariance) -> tuple[KD, KDD, KDD]:
    """Variances (K, D) along axes (K, D, D), where the form keeps axes, else along the columns; and matrices."""
    matrices = covariance.matrices()
    if isinstance(covariance, FullCovariance):
        values = (covariance.factors**2).sum(axis=1)
        return values, covariance.factors / np.sqrt(values)[:, None, :], matrices
    axes = np.repeat(np.eye(matrices.shape[1])[None], len(matrices), axis=0)
    return np.einsum("kii->ki", matrices).copy(), axes, matrices


def from_plain(structure: Structure, values: KD, axes: KDD, factors: KDD) -> AbstractCovariance:
    """In the form in which the structure's own M-step holds them, above every floor."""
    free = np.zeros(len(values), dtype=bool)
    if structure.orientation == "I":
        if structure.shape == "I":
            return SphericalCovariance(structure, free, values[:, 0].copy(), values.shape[1])
        return DiagonalCovariance(structure, free, values)
    if structure.shape == "V" and structure.orientation == "V":
        return from_factors(structure, factors)
    if structure.volume == "E" and structure.orientation == "E" and structure.shape == "E":
        return share(from_factors(structure, factors[:1]), len(values))
    return from_eigen(structure, values, axes, free)
