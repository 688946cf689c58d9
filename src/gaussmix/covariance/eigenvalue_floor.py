"""Maximisers under a floor: clipped eigenvalues, and equal volumes by a convex search in one number."""

import numpy as np
from scipy.optimize import brentq

from gaussmix.core import linalg
from gaussmix.covariance.representations import (
    FullCovariance,
    full_from_eigenpairs,
    full_from_factors,
    full_from_matrices,
)
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDD, BoolK, D, K

_MAX_SAFE_PRECISION_TRACE = (
    0.5  # a precision of so small a trace, in units of the floor, is far from it whatever rounding does
)


def apply_eigenvalue_floor(structure: Structure, matrices: KDD, floor: D | None) -> FullCovariance:
    """The matrices S_k, with each eigenvalue (relative to the floor) raised to at least one.

    ``argmin log |C| + tr(C^-1 S)`` over ``C >= diag(floor)`` has the eigenvectors of
    ``diag(floor)^-1/2 S diag(floor)^-1/2`` and its eigenvalues clipped at one.
    """
    if floor is None:
        return full_from_matrices(structure, matrices)
    factors, failed = linalg.cholesky_stack(matrices)
    held = full_from_factors(structure, factors)
    low = failed | _is_below_floor(matrices, held.precision_root_matrices, floor)
    if not low.any():
        return held
    values, vectors = linalg.eigh_descending(divide_by_floor(matrices[low], floor))
    raised = full_from_floor_units(
        structure, np.maximum(values, 1.0), vectors, floor, np.asarray((values < 1.0).any(axis=1))
    )
    return held.replace_components(low, raised)


def _is_below_floor(matrices: KDD, precision_roots: KDD, floor: D) -> BoolK:
    """Which matrices have an eigenvalue, relative to the floor, of less than one.

    The trace of the precision, in units of the floor, bounds its largest eigenvalue, and clears
    nearly every matrix; only the others are factorised again, with the floor taken away.
    """
    with np.errstate(over="ignore"):
        traces = np.einsum("kij,kij->ki", precision_roots, precision_roots) @ floor
    low = ~(traces < _MAX_SAFE_PRECISION_TRACE)
    if low.any():
        low[low] = ~linalg.is_above_floor(matrices[low], floor)
    return np.asarray(low)


def divide_by_floor(matrices: KDD, floor: D) -> KDD:
    """Matrices in units in which the floor is the identity."""
    inverse = 1.0 / np.sqrt(floor)
    return np.asarray(matrices * (inverse[:, None] * inverse))


def full_from_floor_units(structure: Structure, values: KD, vectors: KDD, floor: D, floored: BoolK) -> FullCovariance:
    """Back from units of the floor: eigenvalues and eigenvectors to factors in the frame."""
    plain = full_from_eigenpairs(structure, values, vectors, floored)
    deviation = np.sqrt(floor)
    return FullCovariance(
        structure,
        floored,
        plain.factors * deviation[:, None],
        plain.precision_root_matrices / deviation[:, None],
        plain.stored_log_determinants + np.log(floor).sum(),
    )


def equal_volume_variances(scatter: KD, total_mass: float) -> tuple[KD, BoolK]:
    """Variances v (K, D) >= 1 of equal product per component that maximise the likelihood.

    Minimises ``total_mass log prod(v) + sum_kj scatter_kj / v_kj``. In w = log v this is convex with
    linear constraints. For a given log volume D L the best w_k is ``max(0, log(s_kj / mu_k))`` and
    the best L solves ``sum_k mu_k(L) = total_mass``; each mu_k falls with L. Without an active floor
    this is Celeux & Govaert's closed form, which is tried first.

    Returns the variances and whether any component rests on the floor, per component.
    """
    # Rows are known to 1e-16 of their spread, so a scatter below the square of that has no direction.
    safe = np.maximum(scatter, 1e-32 * max(float(scatter.max(initial=0.0)), 1.0))
    logs = np.log(safe)
    log_volume = np.log(np.exp(logs.mean(axis=1) - logs.max()).sum() / total_mass) + logs.max()
    free = np.exp(logs - logs.mean(axis=1, keepdims=True) + log_volume)
    if free.min() >= 1.0:
        return free, np.zeros(len(scatter), dtype=bool)
    ordered = -np.sort(-logs, axis=1)
    level = _optimal_mean_log_variance(ordered, total_mass)
    multipliers = _log_multipliers(ordered, level)
    w = np.maximum(logs - multipliers[:, None], 0.0)
    return np.exp(w), np.asarray((w <= 0.0).any(axis=1))


def _optimal_mean_log_variance(ordered_logs: KD, total_mass: float) -> float:
    """The mean log variance L at which the multipliers add up to the total mass, or 0 at the floor."""

    def excess(level: float) -> float:
        return float(np.logaddexp.reduce(_log_multipliers(ordered_logs, level)) - np.log(total_mass))

    if excess(0.0) <= 0.0:
        return 0.0
    high = 1.0
    while excess(high) > 0.0:
        high *= 2.0
    return float(brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-15, maxiter=200))


def _log_multipliers(ordered_logs: KD, mean_log_variance: float) -> K:
    """log mu_k with ``sum_j max(0, log s_kj - log mu_k) = D L``, from logs sorted downwards."""
    n_features = ordered_logs.shape[1]
    counts = np.arange(1, n_features + 1)
    candidates = (np.cumsum(ordered_logs, axis=1) - n_features * mean_log_variance) / counts
    # With m variances above the floor, the m-th is the last one above log mu.
    n_above = np.maximum((ordered_logs > candidates).sum(axis=1), 1)
    return np.asarray(np.take_along_axis(candidates, n_above[:, None] - 1, axis=1)[:, 0])
