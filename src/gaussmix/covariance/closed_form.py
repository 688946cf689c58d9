"""The nine structures whose M-step has a closed form.

The formulas are those of Celeux & Govaert, "Gaussian parsimonious clustering models", Pattern Recognition 28 (1995),
table 1. W_k is the scatter and n_k the mass of component k, n is the sum of the masses, and D the number of columns.
"""

import numpy as np
from numpy.typing import NDArray

from gaussmix.core import linalg
from gaussmix.core.factorizations import Eigenpairs
from gaussmix.core.moments import Moments, total_scatter
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.eigenvalue_floor import (
    apply_eigenvalue_floor,
    floored_equal_volume_variances,
    full_from_floor_units,
    to_floor_units,
)
from gaussmix.covariance.m_step_results import ClippedVariances, FlooredVariances
from gaussmix.covariance.representations import DiagonalCovariance, SphericalCovariance, shared_from_full
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, Array, D, K

_EPSILON = float(np.finfo(np.float64).eps)
_RELATIVE_ROUNDING = 1e-15  # smaller eigenvalues, relative to the largest, are rounding


def _replace_zeros_by_ones(mass: K) -> K:
    """Return the masses with 1 in place of 0, so that they can be divisors."""
    return np.where(mass > 0, mass, 1.0)


def _apply_floor_or_require_positive(variances: Array, floor: Array | None) -> ClippedVariances:
    """Return variances raised to the floor; without one, raise CollapseError unless all are positive."""
    if floor is None:
        _raise_collapse_unless_positive(variances)
        return ClippedVariances(variances, np.zeros(variances.shape, dtype=bool))
    return ClippedVariances(np.maximum(variances, floor), variances < floor)


def _raise_collapse_unless_positive(variances: Array) -> None:
    """Raise CollapseError with the numbers of the components whose variances (K,) or (K, D) are not all positive."""
    is_zero = ~(variances > 0)
    if is_zero.any():
        is_collapsed = is_zero if is_zero.ndim == 1 else is_zero.any(axis=1)
        raise CollapseError([int(k) for k in np.flatnonzero(is_collapsed)])


def estimate_eii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return EII's covariances lambda I at or above the floor: lambda = sum_k tr W_k / (n D)."""
    n_components, n_features = moments.mean.shape
    variance = np.full(n_components, moments.scatter.sum() / (moments.mass.sum() * n_features))
    variances, is_floored = _apply_floor_or_require_positive(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, is_floored, variances, n_features)


def estimate_vii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return VII's covariances lambda_k I at or above the floor: lambda_k = tr W_k / (n_k D)."""
    n_features = moments.mean.shape[1]
    variance = moments.scatter / (_replace_zeros_by_ones(moments.mass) * n_features)
    variances, is_floored = _apply_floor_or_require_positive(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, is_floored, variances, n_features)


def estimate_eei(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return EEI's covariances at or above the floor, diag(sum_k W_k) / n for all components."""
    variances, is_floored = _apply_floor_or_require_positive(moments.scatter / moments.mass.sum(), floor)
    n_components = len(moments.mass)
    return DiagonalCovariance(
        structure, np.full(n_components, is_floored.any()), np.repeat(variances[None], n_components, axis=0)
    )


def estimate_vvi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return VVI's covariances at or above the floor, diag(W_k) / n_k."""
    variances, is_floored = _apply_floor_or_require_positive(
        moments.scatter / _replace_zeros_by_ones(moments.mass)[:, None], floor
    )
    return DiagonalCovariance(structure, np.asarray(is_floored.any(axis=1)), variances)


def estimate_evi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return EVI's covariances lambda A_k at or above the floor.

    Without an active floor, lambda = sum_k |diag W_k|^(1/D) / n and A_k = diag(W_k) / |diag W_k|^(1/D).
    """
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    if floor is None:
        _raise_collapse_unless_positive(moments.scatter)
    values, is_floored = _equal_volume_variances_with_optional_floor(
        moments.scatter / variance_unit, float(moments.mass.sum()), floor is not None
    )
    return DiagonalCovariance(structure, is_floored, values * variance_unit)


def estimate_eee(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return EEE's covariances at or above the floor, sum_k W_k / n for all components."""
    pooled = apply_eigenvalue_floor(structure, moments.scatter[None] / moments.mass.sum(), floor)
    return shared_from_full(pooled, len(moments.mass))


def estimate_vvv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return VVV's covariances at or above the floor, W_k / n_k."""
    return apply_eigenvalue_floor(
        structure, moments.scatter / _replace_zeros_by_ones(moments.mass)[:, None, None], floor
    )


def estimate_eev(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Return EEV's covariances at or above the floor: eigenvalues sum_k O_k / n, eigenvectors L_k.

    The eigendecomposition of a scatter is W_k = L_k O_k L_k^T, with eigenvalues in descending order.
    """
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    values, vectors = scatter_eigenpairs_in_variance_units(moments, variance_unit)
    common, is_floored = _apply_floor_or_require_positive(
        values.sum(axis=0) / moments.mass.sum(), None if floor is None else np.ones(1)
    )
    n_components = len(moments.mass)
    repeated = np.repeat(common[None], n_components, axis=0)
    return full_from_floor_units(structure, repeated, vectors, variance_unit, np.full(n_components, is_floored.any()))


def floor_or_ones(floor: D | None, n_features: int) -> D:
    """Return the floor, or ones (D,) without a floor: the units in which variances are computed."""
    return np.ones(n_features) if floor is None else floor


def scatter_eigenpairs_in_variance_units(moments: Moments, variance_unit: D) -> Eigenpairs:
    """Return eigenvalues (K, D), descending, and eigenvectors (K, D, D) of the scatters in units of variances (D,).

    Column j is divided by ``sqrt(variance_unit[j])``. The eigenvectors are unique even if a scatter is singular.
    """
    values, vectors = linalg.eigh_descending(to_floor_units(moments.scatter, variance_unit))
    rounding = _RELATIVE_ROUNDING * np.maximum(values[:, :1], _RELATIVE_ROUNDING * values.max())
    if (values < rounding).any():
        vectors = _make_null_space_vectors_unique(
            vectors, values < rounding, to_floor_units(total_scatter(moments), variance_unit)
        )
    return Eigenpairs(values, vectors)


def _make_null_space_vectors_unique(vectors: KDD, is_null: NDArray[np.bool_], total_scatter_matrix: DD) -> KDD:
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
    """Return EVV's covariances lambda C_k at or above the floor.

    Without an active floor, lambda = sum_k |W_k|^(1/D) / n and C_k = W_k / |W_k|^(1/D).
    """
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    values, vectors = linalg.eigh_descending(to_floor_units(moments.scatter, variance_unit))
    if floor is None:
        _raise_collapse_unless_positive(values)
    # Eigenvalues below rounding have no direction; equal ones do not shape the covariance. Zeros are on the floor: the
    # equal volume would raise rounding errors above it, and the fit would not look degenerate.
    rounding = max(_RELATIVE_ROUNDING, values.shape[1] * _EPSILON) * values[:, :1]
    values = np.where(values < rounding, rounding if floor is None else 0.0, values)
    values, is_floored = _equal_volume_variances_with_optional_floor(
        values, float(moments.mass.sum()), floor is not None
    )
    return full_from_floor_units(structure, values, vectors, variance_unit, is_floored)


def _equal_volume_variances_with_optional_floor(
    scatter: KD, total_mass: float, has_unit_floor: bool
) -> FlooredVariances:
    """Return the most likely variances (K, D) of equal product for sums of squares (K, D), at least 1 with a floor."""
    if has_unit_floor:
        return floored_equal_volume_variances(scatter, total_mass)
    tiny = 1e-100 * float(scatter.min()) / total_mass
    values, is_floored = floored_equal_volume_variances(scatter / tiny, total_mass)
    return FlooredVariances(values * tiny, is_floored)
