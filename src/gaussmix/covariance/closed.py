"""The nine structures whose M-step has a closed form: one row of a table each.

Formulas: Celeux & Govaert, "Gaussian parsimonious clustering models", Pattern Recognition 28
(1995), table 1. W_k is the scatter and n_k the mass of component k, n their sum, D the dimension.
"""

import numpy as np
from numpy.typing import NDArray

from gaussmix.core import linalg
from gaussmix.core.moments import Moments, total_scatter
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.eigen import assemble, equal_volume, floored_full, relative
from gaussmix.covariance.forms import DiagonalCovariance, SphericalCovariance, share
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, Array, BoolK, D, K

_ROUNDING = 1e-15  # eigenvalues below this share of the largest are rounding


def _safe(mass: K) -> K:
    return np.where(mass > 0, mass, 1.0)


def _clipped(variances: Array, floor: Array | None) -> tuple[Array, BoolK]:
    """Variances raised to the floor, and which were; without a floor a variance of zero is a collapse."""
    if floor is None:
        bad = ~(variances > 0)
        if bad.any():
            rows = bad if bad.ndim == 1 else bad.any(axis=1)
            raise CollapseError([int(k) for k in np.flatnonzero(rows)])
        return variances, np.zeros(variances.shape, dtype=bool)
    return np.maximum(variances, floor), variances < floor


def eii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda = sum_k tr W_k / (n D)."""
    n_components, n_features = moments.mean.shape
    variance = np.full(n_components, moments.scatter.sum() / (moments.mass.sum() * n_features))
    variances, low = _clipped(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, low, variances, n_features)


def vii(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda_k = tr W_k / (n_k D)."""
    n_features = moments.mean.shape[1]
    variance = moments.scatter / (_safe(moments.mass) * n_features)
    variances, low = _clipped(variance, None if floor is None else floor[:1])
    return SphericalCovariance(structure, low, variances, n_features)


def eei(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda A = diag(sum_k W_k) / n."""
    variances, low = _clipped(moments.scatter / moments.mass.sum(), floor)
    n_components = len(moments.mass)
    return DiagonalCovariance(
        structure, np.full(n_components, low.any()), np.repeat(variances[None], n_components, axis=0)
    )


def vvi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda_k A_k = diag(W_k) / n_k."""
    variances, low = _clipped(moments.scatter / _safe(moments.mass)[:, None], floor)
    return DiagonalCovariance(structure, np.asarray(low.any(axis=1)), variances)


def evi(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda = sum_k |diag W_k|^(1/D) / n and A_k = diag(W_k) / |diag W_k|^(1/D)."""
    unit = unit_of(floor, moments)
    if floor is None:
        _clipped(moments.scatter, None)
    values, low = _equal_volume(moments.scatter / unit, float(moments.mass.sum()), floor is not None)
    return DiagonalCovariance(structure, low, values * unit)


def eee(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Sigma = sum_k W_k / n."""
    pooled = floored_full(structure, moments.scatter[None] / moments.mass.sum(), floor)
    return share(pooled, len(moments.mass))


def vvv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """Sigma_k = W_k / n_k."""
    return floored_full(structure, moments.scatter / _safe(moments.mass)[:, None, None], floor)


def eev(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """W_k = L_k O_k L_k^T with eigenvalues in falling order; lambda A = sum_k O_k / n, D_k = L_k."""
    unit = unit_of(floor, moments)
    values, vectors = eigen_scatter(moments, unit)
    common, low = _clipped(values.sum(axis=0) / moments.mass.sum(), None if floor is None else np.ones(1))
    n_components = len(moments.mass)
    repeated = np.repeat(common[None], n_components, axis=0)
    return assemble(structure, repeated, vectors, unit, np.full(n_components, low.any()))


def unit_of(floor: D | None, moments: Moments) -> D:
    """The floor as the unit of variances, where there is one."""
    return np.ones(moments.mean.shape[1]) if floor is None else floor


def eigen_scatter(moments: Moments, unit: D) -> tuple[KD, KDD]:
    """Eigenvalues (K, D) of the scatters in falling order, in units of the floor, and unique eigenvectors (K, D, D)."""
    values, vectors = linalg.symmetric_eigen(relative(moments.scatter, unit))
    rounding = _ROUNDING * np.maximum(values[:, :1], _ROUNDING * values.max())
    if (values < rounding).any():
        vectors = _tie_broken(vectors, values < rounding, relative(total_scatter(moments), unit))
    return values, vectors


def _tie_broken(vectors: KDD, is_null: NDArray[np.bool_], total: DD) -> KDD:
    """Eigenvectors that are unique although a scatter has a null space (fewer rows than columns).

    Within it any basis is a maximiser; the directions in which all rows together spread most come
    first, so that the answer depends on the data and not on rounding.
    """
    broken = vectors.copy()
    for k, null in enumerate(is_null):
        if null.any():
            basis = vectors[k][:, null]
            broken[k][:, null] = basis @ linalg.symmetric_eigen(basis.T @ total @ basis)[1]
    return broken


def evv(structure: Structure, moments: Moments, floor: D | None) -> AbstractCovariance:
    """lambda = sum_k |W_k|^(1/D) / n and C_k = W_k / |W_k|^(1/D)."""
    unit = unit_of(floor, moments)
    values, vectors = linalg.symmetric_eigen(relative(moments.scatter, unit))
    if floor is None:
        _clipped(values, None)
    # Eigenvalues below rounding carry no direction: made equal, they cannot shape a covariance.
    values = np.maximum(values, _ROUNDING * values[:, :1])
    values, low = _equal_volume(np.maximum(values, 0.0), float(moments.mass.sum()), floor is not None)
    return assemble(structure, values, vectors, unit, low)


def _equal_volume(scatter: Array, total_mass: float, limited: bool) -> tuple[Array, BoolK]:
    """``equal_volume`` with the floor far away where none is in force."""
    if limited:
        return equal_volume(scatter, total_mass)
    tiny = 1e-100 * float(scatter.min()) / total_mass
    values, low = equal_volume(scatter / tiny, total_mass)
    return values * tiny, low
