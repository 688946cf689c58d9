"""The five structures whose M-step is iterative: volumes, shapes and axes are optimised in turn.

Every update is an exact minimiser, with or without a floor, of the same function

    F = sum_k m_k log |Sigma_k| + tr(Sigma_k^-1 W_k).

An M-step that starts from the previous covariances therefore cannot lower the likelihood, wherever it stops
(generalised EM: Dempster, Laird & Rubin 1977). VEI, VEE and VEV have one optimum, because F is convex along geodesics
in volumes and shape. VVE and EVE, whose axes are shared, may have several: they start from the previous axes, or try
several. The updates are those of Celeux & Govaert, Pattern Recognition 28 (1995), with the rotations of Flury &
Gautschi, SIAM J. Sci. Stat. Comput. 7 (1986): for fixed variances the best rotation within a plane has a closed form.
"""

import math

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.jacobi_pairs import disjoint_axis_pair_rounds
from gaussmix.core.moments import Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.closed_form import floor_or_ones, scatter_eigenpairs_in_variance_units
from gaussmix.covariance.eigenvalue_floor import floored_equal_volume_variances, full_from_floor_units, to_floor_units
from gaussmix.covariance.m_step_results import CommonAxesOptimum, CommonAxesVariances, FlooredVariances, JacobiSweep
from gaussmix.covariance.representations import DiagonalCovariance, FullCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, Array, D, K

# Iterations stop when no volume changes by a larger fraction. The error of F is the square of that.
_RELATIVE_VOLUME_TOLERANCE = 1e-7
# Sweeps stop when F, per unit of mass and column, decreases by less and no axis rotates by more (in radians).
_AXES_TOLERANCE = 1e-13
# Iterations of one M-step; the next M-step continues. With an active floor, iterations are slow and rarely worthwhile.
_MAX_ITER, _MAX_ITER_AT_FLOOR = 500, 20
# Sweeps of an M-step with previous axes, and of one without.
_MAX_SWEEPS_WARM, _MAX_SWEEPS_COLD = 5, 10
_MAX_TRIALS, _SWEEPS_PER_TRIAL = 5, 3
# Trials that differ by less, per unit of mass and column, count as equal, and the first is chosen: rounding must not.
_TRIAL_TIE_TOLERANCE = 1e-6


def estimate_vei(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """Return VEI's covariances lambda_k A at or above the floor.

    Update lambda_k = tr(W_k A^-1) / (m_k D) and A = sum_k diag(W_k) / (lambda_k m) in turn.
    """
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    initial_variances = previous.variances / variance_unit if isinstance(previous, DiagonalCovariance) else None
    variances, is_floored = _fit_volumes_and_shape(
        moments.scatter / variance_unit, moments.mass, floor is not None, initial_variances
    )
    return DiagonalCovariance(structure, is_floored, variances * variance_unit)


def estimate_vev(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """Return VEV's covariances at or above the floor: eigenvectors of W_k, and VEI's variances of its eigenvalues."""
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    values, vectors = scatter_eigenpairs_in_variance_units(moments, variance_unit)
    initial_variances = (
        _axis_variances_in_units(previous, variance_unit) if isinstance(previous, FullCovariance) else None
    )
    variances, is_floored = _fit_volumes_and_shape(
        np.maximum(values, 0.0), moments.mass, floor is not None, initial_variances
    )
    return full_from_floor_units(structure, variances, vectors, variance_unit, is_floored)


def _axis_variances_in_units(previous: FullCovariance, variance_unit: D) -> KD:
    """Return the variances (K, D) of covariances along their axes, in variance units (D,)."""
    return np.asarray(((previous.factors / np.sqrt(variance_unit)[:, None]) ** 2).sum(axis=1))


def _fit_volumes_and_shape(
    scatter: KD, mass: K, has_unit_floor: bool, initial_variances: KD | None
) -> FlooredVariances:
    """Return the most likely variances lambda_k a_j (K, D) for sums of squares (K, D), at least 1 with a floor."""
    if not has_unit_floor:
        _raise_collapse_without_scatter(scatter.sum(axis=1), scatter.sum(axis=0))
    total, n_features = float(mass.sum()), scatter.shape[1]
    min_variance, safe_mass = (1.0 if has_unit_floor else 0.0), np.where(mass > 0, mass, 1.0)
    safe = np.maximum(scatter, 1e-32 * max(float(scatter.max(initial=0.0)), 1e-300))
    shape = np.maximum(safe.sum(axis=0) / total, min_variance) if initial_variances is None else initial_variances[0]
    volume = np.ones(len(mass))
    for _ in range(_MAX_ITER):
        previous = volume
        volume = np.maximum(safe @ (1.0 / (n_features * shape)) / safe_mass, min_variance / shape.min())
        shape = np.maximum((1.0 / volume) @ safe / total, min_variance / volume.min())
        if (np.abs(volume - previous) <= _RELATIVE_VOLUME_TOLERANCE * volume).all():
            break
    variances = volume[:, None] * shape
    # The product of volume and shape may miss the floor by a rounding error.
    is_floored = (variances <= min_variance * (1.0 + 1e-12)).any(axis=1)
    return FlooredVariances(np.maximum(variances, min_variance), np.asarray(is_floored))


def _raise_collapse_without_scatter(scatter_per_component: K, scatter_per_column: Array) -> None:
    """Raise CollapseError with the numbers of the components without scatter; all of them if a column has none."""
    if not (scatter_per_column > 0).all():
        raise CollapseError(list(range(len(scatter_per_component))))
    if not (scatter_per_component > 0).all():
        raise CollapseError([int(k) for k in np.flatnonzero(~(scatter_per_component > 0))])


def estimate_vee(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """Return VEE's covariances lambda_k C at or above the floor.

    Update lambda_k = tr(W_k C^-1) / (m_k D) and C = sum_k W_k / (lambda_k m) in turn.
    """
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    scatter, mass = to_floor_units(moments.scatter, variance_unit), moments.mass
    volume = np.ones(len(mass))
    if previous is not None:
        volume = np.exp((previous.log_determinants - previous.log_determinants[0]) / scatter.shape[1])
    fitted = _fit_volumes_and_matrix_above_floor(scatter, mass, volume, floor is not None)
    if fitted is None:
        fitted = _fit_volumes_and_floored_matrix(scatter, mass, volume, floor is not None)
    variances, axes, is_floored = fitted
    return full_from_floor_units(structure, variances, np.broadcast_to(axes, scatter.shape), variance_unit, is_floored)


def _fit_volumes_and_matrix_above_floor(
    scatter: KDD, mass: K, volumes: K, has_unit_floor: bool
) -> CommonAxesVariances | None:
    """Return the variances and common axes of lambda_k C, or None if a variance may be below the floor."""
    total, n_features = float(mass.sum()), scatter.shape[1]
    flat_scatter = scatter.reshape(len(mass), -1)
    if not (mass > 0).all():
        return None
    pooled = _pool_by_volume(flat_scatter, volumes)
    for _ in range(_MAX_ITER):
        previous, inverse = volumes, linalg.inverse(pooled / total)
        if inverse is None:
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # the inverse of a nearly singular matrix may overflow
            volumes = flat_scatter @ inverse.ravel() / (n_features * mass)
        pooled = _pool_by_volume(flat_scatter, volumes)
        if not ((volumes > 0).all() and np.isfinite(volumes).all() and np.isfinite(pooled).all()):
            return None
        if (np.abs(volumes - previous) <= _RELATIVE_VOLUME_TOLERANCE * volumes).all():
            break
    values, axes = linalg.eigh_descending(pooled / total)
    with np.errstate(over="ignore"):
        variances = volumes[:, None] * values
    # Smaller eigenvalues are lost in the rounding of the inverse.
    is_accurate = values[-1] > 1e-13 * values[0] and np.isfinite(variances).all()
    is_reliable = is_accurate and (not has_unit_floor or variances.min() > 1.0)
    return CommonAxesVariances(variances, axes, np.zeros(len(mass), dtype=bool)) if is_reliable else None


def _pool_by_volume(flat_scatter: Array, volumes: K) -> DD:
    """Return sum_k W_k / volume_k (D, D) for scatter W_k given in rows (K, D D); it may overflow."""
    n_features = math.isqrt(flat_scatter.shape[1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.asarray(((1.0 / volumes) @ flat_scatter).reshape(n_features, n_features))


def _fit_volumes_and_floored_matrix(scatter: KDD, mass: K, volumes: K, has_unit_floor: bool) -> CommonAxesVariances:
    """Update the volumes, from ``volumes`` on, and C in turn until convergence; return variances of lambda_k C.

    With a floor the variances are at least 1. The common axes are returned too, and which components are floored.
    """
    total = float(mass.sum())
    min_variance, safe_mass = (1.0 if has_unit_floor else 0.0), np.where(mass > 0, mass, 1.0)
    flat_scatter = scatter.reshape(len(mass), -1)
    for _ in range(_MAX_ITER_AT_FLOOR):
        previous = volumes
        values, axes = linalg.eigh_descending(_pool_by_volume(flat_scatter, volumes) / total)
        if not has_unit_floor:
            _raise_collapse_without_scatter(np.einsum("kii->k", scatter), values - 1e-15 * values[0])
        values = np.maximum(values, max(min_variance / volumes.min(), 1e-32 * values[0]))
        squares = np.einsum("kii->ki", axes.T @ scatter @ axes)
        volumes = np.maximum((squares / values).mean(axis=1) / safe_mass, min_variance / values.min())
        if (np.abs(volumes - previous) <= _RELATIVE_VOLUME_TOLERANCE * volumes).all():
            break
    variances = volumes[:, None] * values
    is_floored = (variances <= min_variance * (1.0 + 1e-12)).any(axis=1)
    return CommonAxesVariances(np.maximum(variances, min_variance), axes, np.asarray(is_floored))


def estimate_eve(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """Return EVE's covariances at or above the floor: EVI's variances along common axes, which are rotated."""
    return _estimate_shared_axes(structure, moments, floor, previous, has_equal_volumes=True)


def estimate_vve(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """Return VVE's covariances at or above the floor: VVI's variances along common axes, which are rotated."""
    return _estimate_shared_axes(structure, moments, floor, previous, has_equal_volumes=False)


def _estimate_shared_axes(
    structure: Structure,
    moments: Moments,
    floor: D | None,
    previous: AbstractCovariance | None,
    has_equal_volumes: bool,
) -> AbstractCovariance:
    """Return EVE's or VVE's covariances, with axes from the previous ones or from the best of several starts."""
    variance_unit = floor_or_ones(floor, moments.mean.shape[1])
    scatter, min_variance = to_floor_units(moments.scatter, variance_unit), 0.0 if floor is None else 1.0
    if floor is None:
        is_empty = ~(np.einsum("kii->k", scatter) > 0)
        if is_empty.any():
            raise CollapseError([int(k) for k in np.flatnonzero(is_empty)])
    if isinstance(previous, FullCovariance):
        axes, max_sweeps = _common_axes_in_units(previous, variance_unit), _MAX_SWEEPS_WARM
    else:  # the best of the axes of all rows together and of the largest components
        largest = np.argsort(-moments.mass, kind="stable")[: _MAX_TRIALS - 1]
        pooled = linalg.eigh_descending(scatter.sum(axis=0))[1]
        starts = [pooled, *scatter_eigenpairs_in_variance_units(moments, variance_unit)[1][largest]]
        trials = [
            _optimize_axes(scatter, moments.mass, min_variance, has_equal_volumes, start, _SWEEPS_PER_TRIAL)
            for start in starts
        ]
        best, tolerance = (
            min(trial.objective for trial in trials),
            _TRIAL_TIE_TOLERANCE * float(moments.mass.sum()) * len(variance_unit),
        )
        axes, max_sweeps = (
            next(trial.fitted.axes for trial in trials if trial.objective <= best + tolerance),
            _MAX_SWEEPS_COLD,
        )
    variances, axes, is_floored = _optimize_axes(
        scatter, moments.mass, min_variance, has_equal_volumes, axes, max_sweeps
    ).fitted
    return full_from_floor_units(structure, variances, np.broadcast_to(axes, scatter.shape), variance_unit, is_floored)


def _common_axes_in_units(previous: FullCovariance, variance_unit: D) -> DD:
    """Return the orthonormal axes (D, D, in columns) of covariances that share them, in variance units (D,)."""
    factor = previous.factors[0] / np.sqrt(variance_unit)[:, None]
    return np.asarray(factor / np.sqrt((factor**2).sum(axis=0)))


def _optimize_axes(
    scatter: KDD, mass: K, min_variance: float, has_equal_volumes: bool, initial_axes: DD, max_sweeps: int
) -> CommonAxesOptimum:
    """Return the minimum of F that Jacobi sweeps from ``initial_axes`` reach, with its variances and axes."""
    axes = initial_axes
    rotated_scatter = axes.T @ scatter @ axes
    min_decrease = _AXES_TOLERANCE * float(mass.sum()) * len(axes)
    previous_value, angle = np.inf, np.inf
    for sweep in range(max_sweeps):
        squares = np.maximum(np.einsum("kii->ki", rotated_scatter), 0.0)
        variances, is_floored = _optimal_variances(squares, mass, min_variance, has_equal_volumes)
        value = float(mass @ np.log(variances).sum(axis=1) + (squares / variances).sum())
        # If variances differ by 1e13, F is dominated by rounding, and only the angles show convergence.
        if (previous_value - value <= min_decrease and angle <= _AXES_TOLERANCE) or sweep == max_sweeps - 1:
            break
        previous_value = value
        rotated_scatter, axes, angle = _jacobi_sweep(rotated_scatter, axes, 1.0 / variances)
    return CommonAxesOptimum(value, CommonAxesVariances(variances, axes, is_floored))


def _optimal_variances(squares: KD, mass: K, min_variance: float, has_equal_volumes: bool) -> FlooredVariances:
    """Return EVI's or VVI's variances (K, D), at least ``min_variance``, for sums of squares (K, D) along axes."""
    safe = np.maximum(squares, 1e-30 * squares.max(axis=1, keepdims=True))
    if has_equal_volumes and min_variance:
        return floored_equal_volume_variances(safe, float(mass.sum()))
    if has_equal_volumes:
        logs = np.log(safe)
        volume = np.exp(logs.mean(axis=1) - logs.max()).sum() / mass.sum() * np.exp(logs.max())
        variances = volume * np.exp(logs - logs.mean(axis=1, keepdims=True))
        return FlooredVariances(variances, np.zeros(len(mass), dtype=bool))
    variances = safe / np.where(mass > 0, mass, 1.0)[:, None]
    is_floored = np.asarray((variances < min_variance).any(axis=1))
    return FlooredVariances(np.maximum(variances, max(min_variance, 0.0)), is_floored)


def _jacobi_sweep(rotated_scatter: KDD, axes: DD, axis_precisions: KD) -> JacobiSweep:
    """Return axes of which each pair is rotated in its plane to the minimum of sum_k tr(Sigma_k^-1 W_k).

    In the plane of axes i and j this is P cos 2t + Q sin 2t plus a constant. Planes without a common axis are
    independent and are rotated at once.
    """
    largest = 0.0
    for i, j in disjoint_axis_pair_rounds(len(axes)):
        differences = axis_precisions[:, i] - axis_precisions[:, j]
        p = 0.5 * (differences * (rotated_scatter[:, i, i] - rotated_scatter[:, j, j])).sum(axis=0)
        q = (differences * rotated_scatter[:, i, j]).sum(axis=0)
        angle = np.where(np.hypot(p, q) + p > 1e-16 * np.abs(p), 0.5 * np.arctan2(-q, -p), 0.0)
        largest = max(largest, float(np.abs(angle).max(initial=0.0)))
        rotation = np.eye(len(axes))
        rotation[i, i] = rotation[j, j] = np.cos(angle)
        rotation[j, i] = np.sin(angle)
        rotation[i, j] = -rotation[j, i]
        rotated_scatter, axes = rotation.T @ rotated_scatter @ rotation, axes @ rotation
    return JacobiSweep(rotated_scatter, axes, largest)
