"""The five structures whose M-step has no closed form: volumes, shapes, axes in turn, each at its best given the rest.

Every turn is an exact minimiser, under the floor too, of the same function

    F = sum_k m_k log |Sigma_k| + tr(Sigma_k^-1 W_k),

so a step that starts from the covariances before it cannot lower the likelihood, wherever it stops
(Dempster, Laird & Rubin 1977, generalised EM); the steps of a run together end where all turns would.
VEI, VEE and VEV have one optimum (F is convex along geodesics in volumes and shape). VVE and EVE, whose axes
are shared, may have several: they go on from the axes before, or try some without. After Celeux &
Govaert, Pattern Recognition 28 (1995), with the rotations of Flury & Gautschi, SIAM J. Sci. Stat.
Comput. 7 (1986): for fixed variances the best turn within a plane is known exactly.
"""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.jacobi_pairs import disjoint_pair_rounds
from gaussmix.core.moments import Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.closed_form import scatter_eigenpairs, variance_unit
from gaussmix.covariance.eigenvalue_floor import divide_by_floor, equal_volume_variances, full_from_floor_units
from gaussmix.covariance.representations import DiagonalCovariance, FullCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, Array, BoolK, D, K

_RELATIVE_VOLUME_TOLERANCE = 1e-7
"""Turns end when no volume changes by a larger share: F is flat there, to the square of that."""

_AXES_TOLERANCE = 1e-13
"""Turns of axes end when F, per unit of mass and column, falls by less, and no axis turns by more (in radians)."""

_MAX_ITER, _MAX_ITER_AT_FLOOR = 500, 20
"""Of one step; the next one goes on. Where the floor is in the way turns are slow, and seldom worth it."""

_MAX_SWEEPS_WARM, _MAX_SWEEPS_COLD = 5, 10
"""Of a step, which the next one carries on, and of one that has none before."""

_SWEEPS_PER_TRIAL = 3
_TRIAL_TIE_TOLERANCE = 1e-6
"""Trials that differ by less, per unit of mass and column, are equal: not rounding chooses, the first one is taken."""

_MAX_TRIALS = 5


def estimate_vei(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k A with A diagonal: lambda_k = tr(W_k A^-1) / (m_k D) and A = sum_k diag(W_k) / lambda_k / m in turn."""
    unit = variance_unit(floor, moments)
    start = previous.variances / unit if isinstance(previous, DiagonalCovariance) else None
    variances, low = _fit_volumes_and_shape(moments.scatter / unit, moments.mass, floor is not None, start)
    return DiagonalCovariance(structure, low, variances * unit)


def estimate_vev(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k D_k A D_k^T: D_k are W_k's eigenvectors, and VEI's turns on its eigenvalues, both in falling order."""
    unit = variance_unit(floor, moments)
    values, vectors = scatter_eigenpairs(moments, unit)
    start = _axis_variances(previous, unit) if isinstance(previous, FullCovariance) else None
    variances, low = _fit_volumes_and_shape(np.maximum(values, 0.0), moments.mass, floor is not None, start)
    return full_from_floor_units(structure, variances, vectors, unit, low)


def _axis_variances(previous: FullCovariance, unit: D) -> KD:
    """Eigenvalues (K, D) of covariances made by ``assemble``, in the order of their axes, in units of the floor."""
    return np.asarray(((previous.factors / np.sqrt(unit)[:, None]) ** 2).sum(axis=1))


def _fit_volumes_and_shape(scatter: KD, mass: K, has_floor: bool, initial_variances: KD | None) -> tuple[KD, BoolK]:
    """Variances lambda_k a_j at their best for sums of squares (K, D), none below 1 if limited; which lie there."""
    if not has_floor:
        _require_positive_scatter(scatter.sum(axis=1), scatter.sum(axis=0))
    total, n_features = float(mass.sum()), scatter.shape[1]
    least, own = (1.0 if has_floor else 0.0), np.where(mass > 0, mass, 1.0)
    safe = np.maximum(scatter, 1e-32 * max(float(scatter.max(initial=0.0)), 1e-300))
    shape = np.maximum(safe.sum(axis=0) / total, least) if initial_variances is None else initial_variances[0]
    volume = np.ones(len(mass))
    for _ in range(_MAX_ITER):
        last = volume
        volume = np.maximum(safe @ (1.0 / (n_features * shape)) / own, least / shape.min())
        shape = np.maximum((1.0 / volume) @ safe / total, least / volume.min())
        if (np.abs(volume - last) <= _RELATIVE_VOLUME_TOLERANCE * volume).all():
            break
    variances = volume[:, None] * shape
    # The floor is reached by a product of two numbers, which may miss it by their rounding.
    low = (variances <= least * (1.0 + 1e-12)).any(axis=1)
    return np.maximum(variances, least), np.asarray(low)


def _require_positive_scatter(per_component: K, per_column: Array) -> None:
    """Without a floor, a component or an axis without any spread is a collapse."""
    if not (per_column > 0).all():
        raise CollapseError(list(range(len(per_component))))
    if not (per_component > 0).all():
        raise CollapseError([int(k) for k in np.flatnonzero(~(per_component > 0))])


def estimate_vee(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k C: lambda_k = tr(W_k C^-1) / (m_k D) and C = sum_k W_k / lambda_k / m in turn."""
    unit = variance_unit(floor, moments)
    scatter, mass = divide_by_floor(moments.scatter, unit), moments.mass
    volume = np.ones(len(mass))
    if previous is not None:
        volume = np.exp((previous.log_determinants - previous.log_determinants[0]) / scatter.shape[1])
    found = _fit_volumes_and_matrix(scatter, mass, volume, floor is not None)
    if found is None:
        found = _fit_volumes_and_floored_matrix(scatter, mass, volume, floor is not None)
    spread, axes, low = found
    return full_from_floor_units(structure, spread, np.broadcast_to(axes, scatter.shape), unit, low)


def _fit_volumes_and_matrix(scatter: KDD, mass: K, volumes: K, has_floor: bool) -> tuple[KD, DD, BoolK] | None:
    """Variances (K, D) along common axes (D, D) where no floor stands in the way; None where one may."""
    total, n_features = float(mass.sum()), scatter.shape[1]
    flat = scatter.reshape(len(mass), -1)
    if not (mass > 0).all():
        return None
    for _ in range(_MAX_ITER):
        last, pooled = volumes, ((1.0 / volumes) @ flat).reshape(scatter.shape[1:]) / total
        inverse = linalg.inverse(pooled)
        if inverse is None:
            return None
        volumes = flat @ inverse.ravel() / (n_features * mass)
        if not (volumes > 0).all() or not np.isfinite(volumes).all():
            return None
        if (np.abs(volumes - last) <= _RELATIVE_VOLUME_TOLERANCE * volumes).all():
            break
    values, axes = linalg.eigh_descending(((1.0 / volumes) @ flat).reshape(scatter.shape[1:]) / total)
    spread = volumes[:, None] * values
    # An inverse knows eigenvalues down to the rounding of the largest one.
    sound = values[-1] > 1e-13 * values[0] and (not has_floor or spread.min() > 1.0)
    return (spread, axes, np.zeros(len(mass), dtype=bool)) if sound else None


def _fit_volumes_and_floored_matrix(scatter: KDD, mass: K, volumes: K, has_floor: bool) -> tuple[KD, DD, BoolK]:
    """The same with every variance kept at 1 or above, if limited, and which components lie there."""
    total = float(mass.sum())
    least, own = (1.0 if has_floor else 0.0), np.where(mass > 0, mass, 1.0)
    flat = scatter.reshape(len(mass), -1)
    for _ in range(_MAX_ITER_AT_FLOOR):
        last = volumes
        values, axes = linalg.eigh_descending(((1.0 / volumes) @ flat).reshape(scatter.shape[1:]) / total)
        if not has_floor:
            _require_positive_scatter(np.einsum("kii->k", scatter), values - 1e-15 * values[0])
        values = np.maximum(values, max(least / volumes.min(), 1e-32 * values[0]))
        along = np.einsum("kii->ki", axes.T @ scatter @ axes)
        volumes = np.maximum((along / values).mean(axis=1) / own, least / values.min())
        if (np.abs(volumes - last) <= _RELATIVE_VOLUME_TOLERANCE * volumes).all():
            break
    spread = volumes[:, None] * values
    low = (spread <= least * (1.0 + 1e-12)).any(axis=1)
    return np.maximum(spread, least), axes, np.asarray(low)


def estimate_eve(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda D A_k D^T: EVI's variances along the axes, and the axes turned plane by plane, in turn."""
    return _estimate_shared_axes(structure, moments, floor, previous, has_equal_volumes=True)


def estimate_vve(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k D A_k D^T: VVI's variances along the axes, and the axes turned plane by plane, in turn."""
    return _estimate_shared_axes(structure, moments, floor, previous, has_equal_volumes=False)


def _estimate_shared_axes(
    structure: Structure,
    moments: Moments,
    floor: D | None,
    previous: AbstractCovariance | None,
    has_equal_volumes: bool,
) -> AbstractCovariance:
    unit = variance_unit(floor, moments)
    scatter, least = divide_by_floor(moments.scatter, unit), 0.0 if floor is None else 1.0
    if floor is None:
        empty = ~(np.einsum("kii->k", scatter) > 0)
        if empty.any():
            raise CollapseError([int(k) for k in np.flatnonzero(empty)])
    if isinstance(previous, FullCovariance):
        axes, turns = _common_axes(previous, unit), _MAX_SWEEPS_WARM
    else:  # the better ones among those of each component, and of all together
        largest = np.argsort(-moments.mass, kind="stable")[: _MAX_TRIALS - 1]
        pooled = linalg.eigh_descending(scatter.sum(axis=0))[1]
        starts = [pooled, *scatter_eigenpairs(moments, unit)[1][largest]]
        trials = [
            _optimize_axes(scatter, moments.mass, least, has_equal_volumes, start, _SWEEPS_PER_TRIAL)
            for start in starts
        ]
        best, slack = min(trial[0] for trial in trials), _TRIAL_TIE_TOLERANCE * float(moments.mass.sum()) * len(unit)
        axes, turns = next(trial[2] for trial in trials if trial[0] <= best + slack), _MAX_SWEEPS_COLD
    _, variances, axes, low = _optimize_axes(scatter, moments.mass, least, has_equal_volumes, axes, turns)
    return full_from_floor_units(structure, variances, np.broadcast_to(axes, scatter.shape), unit, low)


def _common_axes(previous: FullCovariance, unit: D) -> DD:
    """The common axes (D, D) of covariances that ``assemble`` made: those of the first."""
    factor = previous.factors[0] / np.sqrt(unit)[:, None]
    return np.asarray(factor / np.sqrt((factor**2).sum(axis=0)))


def _optimize_axes(
    scatter: KDD, mass: K, min_variance: float, has_equal_volumes: bool, axes: DD, max_sweeps: int
) -> tuple[float, KD, DD, BoolK]:
    """F at its end, variances (K, D), axes (D, D), which components lie on the floor."""
    along = axes.T @ scatter @ axes
    enough = _AXES_TOLERANCE * float(mass.sum()) * len(axes)
    worst, angle = np.inf, np.inf
    for turn in range(max_sweeps):
        squares = np.maximum(np.einsum("kii->ki", along), 0.0)
        variances, low = _optimal_variances(squares, mass, min_variance, has_equal_volumes)
        value = float(mass @ np.log(variances).sum(axis=1) + (squares / variances).sum())
        # Where variances differ by 1e13 F is rounding, and only the angles tell.
        if (worst - value <= enough and angle <= _AXES_TOLERANCE) or turn == max_sweeps - 1:
            break
        worst = value
        along, axes, angle = _jacobi_sweep(along, axes, 1.0 / variances)
    return value, variances, axes, low


def _optimal_variances(squares: KD, mass: K, min_variance: float, has_equal_volumes: bool) -> tuple[KD, BoolK]:
    """EVI's or VVI's variances for sums of squares along the axes."""
    safe = np.maximum(squares, 1e-30 * squares.max(axis=1, keepdims=True))
    if has_equal_volumes and min_variance:
        return equal_volume_variances(safe, float(mass.sum()))
    if has_equal_volumes:
        logs = np.log(safe)
        volume = np.exp(logs.mean(axis=1) - logs.max()).sum() / mass.sum() * np.exp(logs.max())
        return volume * np.exp(logs - logs.mean(axis=1, keepdims=True)), np.zeros(len(mass), dtype=bool)
    own = safe / np.where(mass > 0, mass, 1.0)[:, None]
    return np.maximum(own, max(min_variance, 0.0)), np.asarray((own < min_variance).any(axis=1))


def _jacobi_sweep(rotated_scatter: KDD, axes: DD, precision: KD) -> tuple[KDD, DD, float]:
    """One sweep: each pair of axes turned in its plane to where sum_k tr(Sigma_k^-1 W_k) is least.

    Within the plane of axes i and j that is P cos 2t + Q sin 2t plus a constant, and planes without a common axis
    do not know of one another, so as many are turned at once.
    """
    largest = 0.0
    for i, j in disjoint_pair_rounds(len(axes)):
        gap = precision[:, i] - precision[:, j]
        p = 0.5 * (gap * (rotated_scatter[:, i, i] - rotated_scatter[:, j, j])).sum(axis=0)
        q = (gap * rotated_scatter[:, i, j]).sum(axis=0)
        angle = np.where(np.hypot(p, q) + p > 1e-16 * np.abs(p), 0.5 * np.arctan2(-q, -p), 0.0)
        largest = max(largest, float(np.abs(angle).max(initial=0.0)))
        turn = np.eye(len(axes))
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[j, i] = np.sin(angle)
        turn[i, j] = -turn[j, i]
        rotated_scatter, axes = turn.T @ rotated_scatter @ turn, axes @ turn
    return rotated_scatter, axes, largest
