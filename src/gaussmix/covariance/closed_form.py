"""The nine structures whose M-step has a closed form.

The formulas are those of Celeux & Govaert, "Gaussian parsimonious clustering models", Pattern Recognition 28 (1995),
table 1. W_k is the scatter and n_k the mass of component k, n is the sum of the masses, and D the number of columns.
"""

import numpy as np
from numpy.typing import NDArray

from gaussmix.core import linalg
from gaussmix.core.moments import Moments, total_scatter
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.eigenvalue_floor import (
    apply_eigenvalue_floor,
    divide_by_floor,
    equal_volume_variances,
    full_from_floor_units,
)
from gaussmix.covariance.representations import DiagonalCovariance, SphericalCovariance, shared_from_full
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, Array, BoolK, D, K

_RELATIVE_ROUNDING = 1e-15  # smaller eigenvalues, relative to the largest, are rounding


def _replace_zero_mass(mass: K) -> K:
    """Return the masses with 1 instead of 0, as divisors."""
    return np.where(mass > 0, mass, 1.0)


def _apply_floor(variances: Array, floor: Array | None) -> tuple[Array, BoolK]:
    """Return variances raised to the floor, and which of them were below it.

    Without a floor, a variance that is not positive raises CollapseError.
    """
    if floor is None:
        is_zero = ~(variances > 0)
        if is_zero.any():
            is_collapsed = is_zero if is_zero.ndim == 1 else is_zero.any(axis=1)
            raise CollapseError([int(k) for k in np.flatnonzero(is_collapsed)])
        return variances, np.zeros(variances.shape, dtype=bool)
    return np.maximum(variances, floor), variances < floor


def estimate_eii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda = sum_k tr W_k / (n D)."""
    n_components, n_features = moments.mean.shape
    variance = np.full(n_components, moments.scatter.sum() / (moments.mass.sum() * n_features))
    variances, is_floored = _apply_floor(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, is_floored, variances, n_features)


def estimate_vii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda_k = tr W_k / (n_k D)."""
    n_features = moments.mean.shape[1]
    variance = moments.scatter / (_replace_zero_mass(moments.mass) * n_features)
    variances, is_floored = _apply_floor(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, is_floored, variances, n_features)


def estimate_eei(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda A = diag(sum_k W_k) / n."""
    variances, is_floored = _apply_floor(moments.scatter / moments.mass.sum(), floor)
    n_components = len(moments.mass)
    return DiagonalCovariance(
        structure, np.full(n_components, is_floored.any()), np.repeat(variances[None], n_components, axis=0)
    )


def estimate_vvi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda_k A_k = diag(W_k) / n_k."""
    variances, is_floored = _apply_floor(moments.scatter / _replace_zero_mass(moments.mass)[:, None], floor)
    return DiagonalCovariance(structure, np.asarray(is_floored.any(axis=1)), variances)


def estimate_evi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda = sum_k |diag W_k|^(1/D) / n and A_k = diag(W_k) / |diag W_k|^(1/D)."""
    unit = variance_unit(floor, moments)
    if floor is None:
        _apply_floor(moments.scatter, None)
    values, is_floored = _equal_volume_variances(moments.scatter / unit, float(moments.mass.sum()), floor is not None)
    return DiagonalCovariance(structure, is_floored, values * unit)


def estimate_eee(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate Sigma = sum_k W_k / n."""
    pooled = apply_eigenvalue_floor(structure, moments.scatter[None] / moments.mass.sum(), floor)
    return shared_from_full(pooled, len(moments.mass))


def estimate_vvv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate Sigma_k = W_k / n_k."""
    return apply_eigenvalue_floor(structure, moments.scatter / _replace_zero_mass(moments.mass)[:, None, None], floor)


def estimate_eev(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda A = sum_k O_k / n and D_k = L_k.

    The eigendecomposition is W_k = L_k O_k L_k^T, with eigenvalues in descending order.
    """
    unit = variance_unit(floor, moments)
    values, vectors = scatter_eigenpairs(moments, unit)
    common, is_floored = _apply_floor(values.sum(axis=0) / moments.mass.sum(), None if floor is None else np.ones(1))
    n_components = len(moments.mass)
    repeated = np.repeat(common[None], n_components, axis=0)
    return full_from_floor_units(structure, repeated, vectors, unit, np.full(n_components, is_floored.any()))


def variance_unit(floor: D | None, moments: Moments) -> D:
    """Return the floor as the unit of variances, or ones without a floor."""
    return np.ones(moments.mean.shape[1]) if floor is None else floor


def scatter_eigenpairs(moments: Moments, unit: D) -> tuple[KD, KDD]:
    """Return eigenvalues (K, D) of the scatters, descending and in units of the floor, and eigenvectors (K, D, D).

    The eigenvectors are unique even if a scatter is singular.
    """
    values, vectors = linalg.eigh_descending(divide_by_floor(moments.scatter, unit))
    rounding = _RELATIVE_ROUNDING * np.maximum(values[:, :1], _RELATIVE_ROUNDING * values.max())
    if (values < rounding).any():
        vectors = _break_null_space_ties(vectors, values < rounding, divide_by_floor(total_scatter(moments), unit))
    return values, vectors


def _break_null_space_ties(vectors: KDD, is_null: NDArray[np.bool_], total_scatter_matrix: DD) -> KDD:
    """Return eigenvectors that are unique although a scatter has a null space (fewer rows than columns).

    Any basis of the null space maximises the likelihood. The basis is ordered by the spread of all rows together, so
    that the result depends on the data and not on rounding.
    """
    unique_vectors = vectors.copy()
    for k, in_null_space in enumerate(is_null):
        if in_null_space.any():
            basis = vectors[k][:, in_null_space]
            unique_vectors[k][:, in_null_space] = (
                basis @ linalg.eigh_descending(basis.T @ total_scatter_matrix @ basis)[1]
            )
    return unique_vectors


def estimate_evv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Estimate lambda = sum_k |W_k|^(1/D) / n and C_k = W_k / |W_k|^(1/D)."""
    unit = variance_unit(floor, moments)
    values, vectors = linalg.eigh_descending(divide_by_floor(moments.scatter, unit))
    if floor is None:
        _apply_floor(values, None)
    # Eigenvalues below rounding have no direction; equal ones do not shape the covariance.
    values = np.maximum(values, _RELATIVE_ROUNDING * values[:, :1])
    values, is_floored = _equal_volume_variances(np.maximum(values, 0.0), float(moments.mass.sum()), floor is not None)
    return full_from_floor_units(structure, values, vectors, unit, is_floored)


def _equal_volume_variances(scatter: Array, total_mass: float, has_floor: bool) -> tuple[Array, BoolK]:
    """Return `equal_volume_variances`; without a floor, of a scatter in units far above the floor."""
    if has_floor:
        return equal_volume_variances(scatter, total_mass)
    tiny = 1e-100 * float(scatter.min()) / total_mass
    values, is_floored = equal_volume_variances(scatter / tiny, total_mass)
    return values * tiny, is_floored
