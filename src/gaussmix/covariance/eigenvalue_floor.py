"""M-steps above a variance floor: clipped eigenvalues, and equal volumes by a one-dimensional search."""

import numpy as np

from gaussmix.core import linalg
from gaussmix.covariance.m_step_results import FlooredVariances
from gaussmix.covariance.representations import (
    FullCovariance,
    full_from_eigenpairs,
    full_from_factors,
    full_from_matrices,
)
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD, BoolK, D, K

# A precision with a smaller trace, in units of the floor, is far from the floor in spite of rounding.
_MAX_SAFE_PRECISION_TRACE = 0.5


def apply_eigenvalue_floor(structure: Structure, matrices: KDD, floor: D | None) -> FullCovariance:
    """Return a FullCovariance of matrices (K, D, D), with eigenvalues in units of the floor raised to at least 1.

    The result flags the components with a raised eigenvalue. Without a floor nothing is raised.

    ``argmin log |C| + tr(C^-1 S)`` over ``C >= diag(floor)`` has the eigenvectors of
    ``diag(floor)^-1/2 S diag(floor)^-1/2`` and its eigenvalues clipped at one.
    """
    if floor is None:
        return full_from_matrices(structure, matrices)
    factors, has_failed = linalg.cholesky_stack(matrices)
    unfloored = full_from_factors(structure, factors)
    is_floored = has_failed | _is_below_floor(matrices, unfloored.precision_root_matrices, floor)
    if not is_floored.any():
        return unfloored
    values, vectors = linalg.eigh_descending(to_floor_units(matrices[is_floored], floor))
    floored = full_from_floor_units(
        structure, np.maximum(values, 1.0), vectors, floor, np.asarray((values < 1.0).any(axis=1))
    )
    return unfloored.replace_components(is_floored, floored)


def _is_below_floor(matrices: KDD, precision_roots: KDD, floor: D) -> BoolK:
    """Return which matrices have an eigenvalue, relative to the floor, below one, (K,).

    The trace of the precision, in units of the floor, is an upper bound of its largest eigenvalue. A small trace
    clears nearly every matrix; the others need a second Cholesky factorisation.
    """
    with np.errstate(over="ignore"):
        traces = np.einsum("kij,kij->ki", precision_roots, precision_roots) @ floor
    is_below = ~(traces < _MAX_SAFE_PRECISION_TRACE)
    if is_below.any():
        is_below[is_below] = ~linalg.is_above_floor(matrices[is_below], floor)
    return np.asarray(is_below)


def to_floor_units(matrices: KDD, floor: D) -> KDD:
    """Return matrices (..., D, D) in units in which diag(floor) is the identity."""
    inverse = 1.0 / np.sqrt(floor)
    return np.asarray(matrices * (inverse[:, None] * inverse))


def full_from_floor_units(
    structure: Structure, values: KD, vectors: KDD, floor: D, is_floored: BoolK
) -> FullCovariance:
    """Make the full representation, in units of the frame, of eigenvalues and eigenvectors in units of the floor."""
    unscaled = full_from_eigenpairs(structure, values, vectors, is_floored)
    deviation = np.sqrt(floor)
    return FullCovariance(
        structure,
        is_floored,
        unscaled.factors * deviation[:, None],
        unscaled.precision_root_matrices / deviation[:, None],
        unscaled.stored_log_determinants + np.log(floor).sum(),
    )


def floored_equal_volume_variances(scatter_in_floor_units: KD, total_mass: float) -> FlooredVariances:
    """Return the most likely variances (K, D), of the same product in each component and each at least 1.

    The objective is ``total_mass log prod(v) + sum_kj s_kj / v_kj``, with the scatter s, to be minimised. In w = log v
    it is convex with linear constraints. For a given log volume D L the best w_k is
    ``max(0, log(s_kj / mu_k))``. The best L solves ``sum_k mu_k(L) = total_mass``; each mu_k decreases with L. Without
    an active floor this is Celeux & Govaert's closed form, which is tried first. A component without scatter in some
    direction counts as floored: its best variance there is 1, even if rounding and a large volume leave it above.
    """
    scatter = scatter_in_floor_units
    # Rows are accurate to 1e-16 of their spread; a scatter below the square of that is rounding.
    smallest = 1e-32 * max(float(scatter.max(initial=0.0)), 1.0)
    safe, is_singular = np.maximum(scatter, smallest), np.asarray((scatter < smallest).any(axis=1))
    logs = np.log(safe)
    log_volume = np.log(np.exp(logs.mean(axis=1) - logs.max()).sum() / total_mass) + logs.max()
    unfloored = np.exp(logs - logs.mean(axis=1, keepdims=True) + log_volume)
    if unfloored.min() >= 1.0:
        return FlooredVariances(unfloored, is_singular)
    ordered = -np.sort(-logs, axis=1)
    mean_log_variance = _optimal_mean_log_variance(ordered, total_mass)
    multipliers = _log_multipliers(ordered, mean_log_variance)
    log_variances = np.maximum(logs - multipliers[:, None], 0.0)
    return FlooredVariances(np.exp(log_variances), np.asarray(is_singular | (log_variances <= 0.0).any(axis=1)))


def _optimal_mean_log_variance(descending_log_scatter: KD, total_mass: float) -> float:
    """Return the mean log variance, the same for each component, that maximises the likelihood; at least 0."""

    def excess(level: float) -> float:
        return float(np.logaddexp.reduce(_log_multipliers(descending_log_scatter, level)) - np.log(total_mass))

    if excess(0.0) <= 0.0:
        return 0.0
    high = 1.0
    while excess(high) > 0.0:
        high *= 2.0
    from scipy.optimize import brentq  # slow to import, and rarely needed

    return float(brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-15, maxiter=200))


def _log_multipliers(descending_log_scatter: KD, mean_log_variance: float) -> K:
    """Return log mu_k (K,) for which the variances max(1, s_kj / mu_k) have this mean log variance."""
    n_features = descending_log_scatter.shape[1]
    counts = np.arange(1, n_features + 1)
    candidates = (np.cumsum(descending_log_scatter, axis=1) - n_features * mean_log_variance) / counts
    # With m variances above the floor, the m-th is the last one above log mu.
    n_above = np.maximum((descending_log_scatter > candidates).sum(axis=1), 1)
    return np.asarray(np.take_along_axis(candidates, n_above[:, None] - 1, axis=1)[:, 0])
