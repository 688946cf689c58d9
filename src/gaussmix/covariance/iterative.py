"""The five structures whose M-step has no closed form: volumes, shapes, axes in turn, each at its best given the rest.

Every turn is an exact minimiser, under the floor too, of the same function

    F = sum_k m_k log |Sigma_k| + tr(Sigma_k^-1 W_k),

so a step that starts from the covariances before it cannot lower the likelihood, wherever it stops
(Dempster, Laird & Rubin 1977, generalised EM). VEI, VEE and VEV have one optimum (F is convex along geodesics in
volumes and shape). VVE and EVE, whose axes are shared, may have several: they go on from the axes before, or
try some without. After Celeux & Govaert, Pattern Recognition 28 (1995), with the rotations of Flury & Gautschi, SIAM
J. Sci. Stat. Comput. 7 (1986): for fixed variances the best turn within a plane is known exactly.
"""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.closed import eigen_scatter, unit_of
from gaussmix.covariance.eigen import assemble, equal_volume, relative
from gaussmix.covariance.forms import DiagonalCovariance, FullCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DD, KD, KDD, Array, D, K

_SMALL = 1e-13
"""Turns end when F, per unit of mass and column, falls by less: what is left is rounding."""

_MOST_TURNS = 500


def vei(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k A with A diagonal: lambda_k = tr(W_k A^-1) / (m_k D) and A = sum_k diag(W_k) / lambda_k / m in turn."""
    unit = unit_of(floor, moments)
    start = before.variances / unit if isinstance(before, DiagonalCovariance) else None
    variances, low = _volumes_and_shape(moments.scatter / unit, moments.mass, floor is not None, start)
    return DiagonalCovariance(structure, low, variances * unit)


def vev(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k D_k A D_k^T: D_k are W_k's eigenvectors, and VEI's turns on its eigenvalues, both in falling order."""
    unit = unit_of(floor, moments)
    values, vectors = eigen_scatter(moments, unit)
    start = None if before is None else _spectrum(before, unit)
    variances, low = _volumes_and_shape(np.maximum(values, 0.0), moments.mass, floor is not None, start)
    return assemble(structure, variances, vectors, unit, low)


def _spectrum(before: AbstractCovariance, unit: D) -> KD:
    """Eigenvalues (K, D) of covariances, in falling order, in units of the floor."""
    return linalg.symmetric_eigen(relative(before.matrices(), unit))[0]


def _volumes_and_shape(scatter: KD, mass: K, is_limited: bool, start: KD | None) -> tuple[KD, Array]:
    """Variances lambda_k a_j at their best for sums of squares (K, D), none below 1 if limited; which lie there."""
    if not is_limited:
        _require_spread(scatter.sum(axis=1), scatter.sum(axis=0))
    total, n_features = float(mass.sum()), scatter.shape[1]
    least, own = (1.0 if is_limited else 0.0), np.where(mass > 0, mass, 1.0)
    safe = np.maximum(scatter, 1e-32 * max(float(scatter.max(initial=0.0)), 1e-300))
    volume = np.ones(len(mass)) if start is None else start[:, 0] / start[0, 0]
    shape = np.maximum(safe.sum(axis=0) / total, least) if start is None else start[0]
    worst = np.inf
    for _ in range(_MOST_TURNS):
        volume = np.maximum((safe / shape).mean(axis=1) / own, least / shape.min())
        shape = np.maximum((safe / volume[:, None]).sum(axis=0) / total, least / volume.min())
        variances = volume[:, None] * shape
        value = float((mass[:, None] * np.log(variances) + safe / variances).sum())
        if worst - value <= _SMALL * total * n_features:
            break
        worst = value
    # The floor is reached by a product of two numbers, which may miss it by their rounding.
    low = (variances <= least * (1.0 + 1e-12)).any(axis=1)
    return np.maximum(variances, least), np.asarray(low)


def _require_spread(per_component: K, per_column: Array) -> None:
    """Without a floor, a component or an axis without any spread is a collapse."""
    if not (per_column > 0).all():
        raise CollapseError(list(range(len(per_component))))
    if not (per_component > 0).all():
        raise CollapseError([int(k) for k in np.flatnonzero(~(per_component > 0))])


def vee(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k C: lambda_k = tr(W_k C^-1) / (m_k D) and C = sum_k W_k / lambda_k / m in turn."""
    unit = unit_of(floor, moments)
    scatter, mass = relative(moments.scatter, unit), moments.mass
    total, n_features = float(mass.sum()), scatter.shape[1]
    least, own = (0.0 if floor is None else 1.0), np.where(mass > 0, mass, 1.0)
    volume = np.ones(len(mass))
    if before is not None:
        volume = np.exp((before.log_determinants - before.log_determinants[0]) / n_features)
    worst = np.inf
    for _ in range(_MOST_TURNS):
        pooled = np.tensordot(1.0 / volume, scatter, axes=1) / total
        values, axes = linalg.symmetric_eigen(pooled)
        if floor is None:
            _require_spread(np.einsum("kii->k", scatter), values - 1e-15 * values[0])
        values = np.maximum(values, max(least / volume.min(), 1e-32 * values[0]))
        along = np.einsum("dj,kde,ej->kj", axes, scatter, axes, optimize=True)
        volume = np.maximum((along / values).mean(axis=1) / own, least / values.min())
        spread = volume[:, None] * values
        value = float((mass[:, None] * np.log(spread) + along / spread).sum())
        if worst - value <= _SMALL * total * n_features:
            break
        worst = value
    low = (spread <= least * (1.0 + 1e-12)).any(axis=1)
    repeated = np.broadcast_to(axes, scatter.shape)
    return assemble(structure, np.maximum(spread, least), repeated, unit, np.asarray(low))


def eve(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda D A_k D^T: EVI's variances along the axes, and the axes turned plane by plane, in turn."""
    return _shared_axes(structure, moments, floor, before, equal=True)


def vve(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> AbstractCovariance:
    """lambda_k D A_k D^T: VVI's variances along the axes, and the axes turned plane by plane, in turn."""
    return _shared_axes(structure, moments, floor, before, equal=False)


def _shared_axes(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None, equal: bool
) -> AbstractCovariance:
    unit = unit_of(floor, moments)
    scatter, least = relative(moments.scatter, unit), 0.0 if floor is None else 1.0
    if floor is None and not (np.linalg.eigvalsh(scatter)[:, -1] > 0).all():
        raise CollapseError([int(k) for k in np.flatnonzero(~(np.linalg.eigvalsh(scatter)[:, -1] > 0))])
    if isinstance(before, FullCovariance):
        starts = [_axes_of(before, unit)]
    else:  # of each component, and of all together
        pooled = scatter.sum(axis=0)
        starts = [linalg.symmetric_eigen(part)[1] for part in (pooled, *scatter[np.argsort(-moments.mass)][:4])]
    ends = [_turned(scatter, moments.mass, least, equal, start) for start in starts]
    _, variances, axes, low = min(ends, key=lambda end: end[0])
    return assemble(structure, variances, np.broadcast_to(axes, scatter.shape), unit, low)


def _axes_of(before: FullCovariance, unit: D) -> DD:
    """The common axes of covariances F_k F_k^T, from the component whose axes are longest apart."""
    inverse = 1.0 / np.sqrt(unit)
    factor = before.factors[0] * inverse[:, None]
    return np.asarray(factor / np.sqrt((factor**2).sum(axis=0)))


def _turned(scatter: KDD, mass: K, least: float, equal: bool, axes: DD) -> tuple[float, KD, DD, Array]:
    """F at its end, variances (K, D), axes (D, D), which components lie on the floor."""
    along = np.einsum("di,kde,ej->kij", axes, scatter, axes, optimize=True)
    total, n_features = float(mass.sum()), len(axes)
    worst = np.inf
    for _ in range(_MOST_TURNS):
        squares = np.maximum(np.einsum("kii->ki", along), 0.0)
        variances, low = _best_variances(squares, mass, least, equal)
        value = float((mass[:, None] * np.log(variances) + squares / variances).sum())
        if worst - value <= _SMALL * total * n_features:
            break
        worst = value
        along, axes = _turn_planes(along, axes, 1.0 / variances)
    return value, variances, axes, low


def _best_variances(squares: KD, mass: K, least: float, equal: bool) -> tuple[KD, Array]:
    """EVI's or VVI's variances for sums of squares along the axes."""
    safe = np.maximum(squares, 1e-30 * squares.max(axis=1, keepdims=True))
    if equal and least:
        return equal_volume(safe, float(mass.sum()))
    if equal:
        logs = np.log(safe)
        volume = np.exp(logs.mean(axis=1) - logs.max()).sum() / mass.sum() * np.exp(logs.max())
        return volume * np.exp(logs - logs.mean(axis=1, keepdims=True)), np.zeros(len(mass), dtype=bool)
    own = safe / np.where(mass > 0, mass, 1.0)[:, None]
    return np.maximum(own, max(least, 0.0)), np.asarray((own < least).any(axis=1))


def _turn_planes(along: KDD, axes: DD, precision: KD) -> tuple[KDD, DD]:
    """One sweep: each pair of axes turned in its plane to where sum_k tr(Sigma_k^-1 W_k) is least.

    Within a plane that is P cos 2t + Q sin 2t plus a constant.
    """
    along, axes, n_features = along.copy(), axes.copy(), len(axes)
    for i in range(n_features - 1):
        for j in range(i + 1, n_features):
            gap = precision[:, i] - precision[:, j]
            p = 0.5 * float(gap @ (along[:, i, i] - along[:, j, j]))
            q = float(gap @ along[:, i, j])
            if np.hypot(p, q) + p <= 1e-16 * np.abs(p):
                continue
            angle = 0.5 * np.arctan2(-q, -p)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            pair = [i, j]
            along[:, :, pair] = along[:, :, pair] @ turn
            along[:, pair, :] = turn.T @ along[:, pair, :]
            axes[:, pair] = axes[:, pair] @ turn
    return along, axes
