"""The nine structures whose M-step has a closed form: one row of a table each.

Formulas: Celeux & Govaert, "Gaussian parsimonious clustering models", Pattern Recognition 28
(1995), table 1. W_k is the scatter and n_k the mass of component k, n their sum, D the dimension.
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

_RELATIVE_ROUNDING = 1e-15  # eigenvalues below this share of the largest are rounding


def _replace_zero_mass(mass: K) -> K:
    return np.where(mass > 0, mass, 1.0)


def _apply_floor(variances: Array, floor: Array | None) -> tuple[Array, BoolK]:
    """Variances raised to the floor, and which were; without a floor a variance of zero is a collapse."""
    if floor is None:
        bad = ~(variances > 0)
        if bad.any():
            rows = bad if bad.ndim == 1 else bad.any(axis=1)
            raise CollapseError([int(k) for k in np.flatnonzero(rows)])
        return variances, np.zeros(variances.shape, dtype=bool)
    return np.maximum(variances, floor), variances < floor


def estimate_eii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda = sum_k tr W_k / (n D)."""
    n_components, n_features = moments.mean.shape
    variance = np.full(n_components, moments.scatter.sum() / (moments.mass.sum() * n_features))
    variances, low = _apply_floor(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, low, variances, n_features)


def estimate_vii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda_k = tr W_k / (n_k D)."""
    n_features = moments.mean.shape[1]
    variance = moments.scatter / (_replace_zero_mass(moments.mass) * n_features)
    variances, low = _apply_floor(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, low, variances, n_features)


def estimate_eei(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda A = diag(sum_k W_k) / n."""
    variances, low = _apply_floor(moments.scatter / moments.mass.sum(), floor)
    n_components = len(moments.mass)
    return DiagonalCovariance(
        structure, np.full(n_components, low.any()), np.repeat(variances[None], n_components, axis=0)
    )


def estimate_vvi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda_k A_k = diag(W_k) / n_k."""
    variances, low = _apply_floor(moments.scatter / _replace_zero_mass(moments.mass)[:, None], floor)
    return DiagonalCovariance(structure, np.asarray(low.any(axis=1)), variances)


def estimate_evi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda = sum_k |diag W_k|^(1/D) / n and A_k = diag(W_k) / |diag W_k|^(1/D)."""
    unit = variance_unit(floor, moments)
    if floor is None:
        _apply_floor(moments.scatter, None)
    values, low = _equal_volume_variances(moments.scatter / unit, float(moments.mass.sum()), floor is not None)
    return DiagonalCovariance(structure, low, values * unit)


def estimate_eee(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Sigma = sum_k W_k / n."""
    pooled = apply_eigenvalue_floor(structure, moments.scatter[None] / moments.mass.sum(), floor)
    return shared_from_full(pooled, len(moments.mass))


def estimate_vvv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Sigma_k = W_k / n_k."""
    return apply_eigenvalue_floor(structure, moments.scatter / _replace_zero_mass(moments.mass)[:, None, None], floor)


def estimate_eev(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """W_k = L_k O_k L_k^T with eigenvalues in falling order; lambda A = sum_k O_k / n, D_k = L_k."""
    unit = variance_unit(floor, moments)
    values, vectors = scatter_eigenpairs(moments, unit)
    common, low = _apply_floor(values.sum(axis=0) / moments.mass.sum(), None if floor is None else np.ones(1))
    n_components = len(moments.mass)
    repeated = np.repeat(common[None], n_components, axis=0)
    return full_from_floor_units(structure, repeated, vectors, unit, np.full(n_components, low.any()))


def variance_unit(floor: D | None, moments: Moments) -> D:
    """The floor as the unit of variances, where there is one."""
    return np.ones(moments.mean.shape[1]) if floor is None else floor


def scatter_eigenpairs(moments: Moments, unit: D) -> tuple[KD, KDD]:
    """Eigenvalues (K, D) of the scatters in falling order, in units of the floor, and unique eigenvectors (K, D, D)."""
    values, vectors = linalg.eigh_descending(divide_by_floor(moments.scatter, unit))
    rounding = _RELATIVE_ROUNDING * np.maximum(values[:, :1], _RELATIVE_ROUNDING * values.max())
    if (values < rounding).any():
        vectors = _break_null_space_ties(vectors, values < rounding, divide_by_floor(total_scatter(moments), unit))
    return values, vectors


def _break_null_space_ties(vectors: KDD, is_null: NDArray[np.bool_], total_scatter_matrix: DD) -> KDD:
    """Eigenvectors that are unique although a scatter has a null space (fewer rows than columns).

    Within it any basis is a maximiser; the directions in which all rows together spread most come
    first, so that the answer depends on the data and not on rounding.
    """
    broken = vectors.copy()
    for k, null in enumerate(is_null):
        if null.any():
            basis = vectors[k][:, null]
            broken[k][:, null] = basis @ linalg.eigh_descending(basis.T @ total_scatter_matrix @ basis)[1]
    return broken


def estimate_evv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda = sum_k |W_k|^(1/D) / n and C_k = W_k / |W_k|^(1/D)."""
    unit = variance_unit(floor, moments)
    values, vectors = linalg.eigh_descending(divide_by_floor(moments.scatter, unit))
    if floor is None:
        _apply_floor(values, None)
    # Eigenvalues below rounding carry no direction: made equal, they cannot shape a covariance.
    values = np.maximum(values, _RELATIVE_ROUNDING * values[:, :1])
    values, low = _equal_volume_variances(np.maximum(values, 0.0), float(moments.mass.sum()), floor is not None)
    return full_from_floor_units(structure, values, vectors, unit, low)


def _equal_volume_variances(scatter: Array, total_mass: float, has_floor: bool) -> tuple[Array, BoolK]:
    """``equal_volume`` with the floor far away where none is in force."""
    if has_floor:
        return equal_volume_variances(scatter, total_mass)
    tiny = 1e-100 * float(scatter.min()) / total_mass
    values, low = equal_volume_variances(scatter / tiny, total_mass)
    return values * tiny, low
