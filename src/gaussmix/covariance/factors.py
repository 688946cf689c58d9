"""M-steps of the eight mixtures of factor analysers: loadings and noise, each at its best given the other, in turn.

Every turn lowers, or leaves,

    F = sum_k m_k (log |Sigma_k| + tr(Sigma_k^-1 S_k)),    Sigma_k = Lambda_k Lambda_k^T + Psi_k,    S_k = W_k / m_k,

so a step that starts from the covariances before it cannot lower the likelihood, wherever it stops (generalised EM).

Isotropic noise has a closed form: Lambda_k spans the leading eigenvectors of S_k, the noise is the mean of what they
leave (Tipping & Bishop, "Probabilistic principal component analysis", JRSS B 61, 1999). Noise of its own in every
column is searched for: for given Psi_k the best Lambda_k spans the leading eigenvectors of Psi_k^-1/2 S_k Psi_k^-1/2
(Joreskog, Psychometrika 32, 1967), for given Lambda_k comes EM's step for Psi_k (Rubin & Thayer, Psychometrika 47,
1982). Loadings that are common to different noises make EM's step too, with a scale for the factors that the next step
takes back (Liu, Rubin & Wu, "Parameter expansion to accelerate EM", Biometrika 85, 1998; McNicholas & Murphy 2008).
"""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance, MStep
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.leading import Leading, Scatter, leading
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DQ, KD, KDQ, Array, D, K

_SMALL = 1e-9
"""Turns end when F, per unit of mass and column, falls by less: EM's next step goes on."""

_MOST_TURNS = 20
_ROUNDING = 1e-12  # noise below this share of a column's variance is rounding

Parts = tuple[KDQ, KD]
"""Loadings and noise variances of each group."""


def isotropic(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> LowRankCovariance:
    """CCC, UCC, UUC: noise is the mean of the eigenvalues that no loading takes, for one component or all together."""
    shape, scatter = _factors_of(structure), Scatter.of(moments)
    start = _start(before, scatter)
    loadings = None if start is None else start[0]
    found = _leading_each(scatter, np.ones_like(scatter.variances), loadings, shape.n_factors)
    for _ in range(_MOST_TURNS if loadings is not None and not found[0].is_exact else 0):
        last, spans = sum(float(one.values.sum()) for one in found), np.array([one.vectors for one in found])
        found = _leading_each(scatter, np.ones_like(scatter.variances), spans, shape.n_factors)
        if sum(float(one.values.sum()) for one in found) - last <= _ROUNDING * last:
            break
    values = np.array([one.values for one in found])
    level = _levels(values, scatter, shape.shares_noise, 0.0 if floor is None else float(floor[0]))
    if floor is None:
        _require_noise(level <= _ROUNDING * scatter.variances.mean(axis=1))
    lengths = np.sqrt(np.maximum(values - level[:, None], 0.0))
    spans = np.array([one.vectors for one in found])
    noise = np.repeat(level[:, None], spans.shape[1], axis=1)
    return _held(shape, (spans * lengths[:, None, :], noise), floor, len(moments.mass))


def _levels(values: Array, scatter: Scatter, is_shared: bool, least: float) -> K:
    """The noise variance of each group for its leading eigenvalues (G, q), none below ``least``.

    It solves ``sum_k m_k ((D - q) v - rest_k + sum_i max(v - l_ki, 0)) = 0``, whose left side is convex and rises: from
    above, Newton's steps end after as many as there are eigenvalues below it.
    """
    n_features = scatter.variances.shape[1]
    rest = np.maximum(scatter.variances.sum(axis=1) - values.sum(axis=1), 0.0)
    mass = scatter.mass if is_shared else np.ones(len(rest))
    groups = [np.arange(len(rest))] if is_shared else [np.array([k]) for k in range(len(rest))]
    level = np.empty(len(rest))
    for chosen in groups:
        counted = np.broadcast_to(mass[chosen, None], values[chosen].shape)
        free = float(mass[chosen].sum()) * (n_features - values.shape[1])
        solved = float(mass[chosen] @ rest[chosen]) / free
        for _ in range(values.size):
            below = values[chosen] < solved
            lower = (mass[chosen] @ rest[chosen] + (counted * values[chosen])[below].sum()) / (
                free + counted[below].sum()
            )
            if not lower < solved:
                break
            solved = float(lower)
        level[chosen] = max(solved, least)
    return level


def diagonal(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> LowRankCovariance:
    """CCU, UCU, UUU: the best loadings for the noise, and EM's noise for the loadings, in turn."""
    shape, scatter = _factors_of(structure), Scatter.of(moments)
    least, start = _least(scatter, floor), _start(before, scatter)
    noise = np.maximum(_first_noise(shape, scatter) if start is None else start[1], least)
    loadings = None if start is None else start[0]
    worst = np.inf
    for _ in range(_MOST_TURNS):
        found = _leading_each(scatter, 1.0 / np.sqrt(noise), loadings, shape.n_factors)
        loadings = np.array([one.loadings(deviation) for one, deviation in zip(found, np.sqrt(noise), strict=True)])
        value = float(scatter.mass @ _misfits(scatter, noise, found))
        if not worst - value > _SMALL * scatter.mass.sum() * noise.shape[1]:
            break
        worst = value
        left = np.array([_left(scatter, k, found[k], loadings[k], noise[k]) for k in range(len(noise))])
        noise = np.maximum(_averaged(left, scatter.mass, shape.shares_noise), least)
    if floor is None:
        _require_noise((noise <= least).sum(axis=1) > shape.n_factors)
    return _held(shape, (loadings if loadings is not None else np.empty(0), noise), floor, len(moments.mass))


def _first_noise(shape: FactorStructure, scatter: Scatter) -> KD:
    """Noise in proportion to the variances of the columns: what the factors leave of the correlations on average."""
    variances = np.where(scatter.variances > 0, scatter.variances, 1.0)
    found = _leading_each(scatter, 1.0 / np.sqrt(variances), None, shape.n_factors)
    taken = np.array([one.values.sum() for one in found])
    n_features = variances.shape[1]
    share = np.clip((n_features - taken) / (n_features - shape.n_factors), _ROUNDING, 1.0)
    return _averaged(share[:, None] * scatter.variances, scatter.mass, shape.shares_noise)


def _left(scatter: Scatter, group: int, found: Leading, loadings: DQ, noise: D) -> D:
    """EM's noise variances, the diagonal of S - 2 Lambda beta S + Lambda Theta Lambda^T, where Theta is 1."""
    crossed = found.crossed(np.sqrt(noise))
    return np.asarray(scatter.variances[group] + (loadings * (loadings - 2.0 * crossed)).sum(axis=1))


def _misfits(scatter: Scatter, noise: KD, found: list[Leading]) -> K:
    """log |Sigma| + tr(Sigma^-1 S) of each group, whose loadings are those for its noise."""
    gains = np.array([(np.log(over := np.maximum(one.values, 1.0)) + 1.0 - over).sum() for one in found])
    return np.asarray((np.log(noise) + scatter.variances / noise).sum(axis=1) + gains)


def common(
    structure: Structure, moments: Moments, floor: D | None, before: AbstractCovariance | None
) -> LowRankCovariance:
    """CUC, CUU: EM's steps for loadings common to all and noise of each, with the scale of the factors set free."""
    shape, scatter = _factors_of(structure), Scatter.of(moments)
    least, start = _least(scatter, floor), _start(before, scatter)
    if shape.is_isotropic:
        least = np.repeat(least.max(axis=1, keepdims=True), least.shape[1], axis=1)
    if start is None:
        start = _pooled_start(shape, moments, floor)
    loadings, noise = start[0][0], np.maximum(start[1], least)
    worst = np.inf
    for _ in range(_MOST_TURNS):
        value, next_loadings, next_noise = _common_turn(scatter, loadings, noise)
        if not worst - value > _SMALL * scatter.mass.sum() * noise.shape[1]:
            break
        worst, loadings = value, next_loadings
        if shape.is_isotropic:
            next_noise = np.repeat(next_noise.mean(axis=1, keepdims=True), noise.shape[1], axis=1)
        noise = np.maximum(next_noise, least)
    if floor is None:
        _require_noise((noise <= least).sum(axis=1) > shape.n_factors)
    return _held(shape, (np.repeat(loadings[None], len(noise), axis=0), noise), floor, len(moments.mass))


def _pooled_start(shape: FactorStructure, moments: Moments, floor: D | None) -> Parts:
    """Loadings and noise of all components together."""
    step, letters = (isotropic, "CCC") if shape.is_isotropic else (diagonal, "CCU")
    pooled = step(
        FactorStructure.named(letters, shape.n_factors), moments.reduce(MomentKind.POOLED_FULL), floor, None
    )
    return pooled.loadings, pooled.noise


def _common_turn(scatter: Scatter, loadings: DQ, noise: KD) -> tuple[float, DQ, KD]:
    """F before the turn, and loadings (D, q) and noise (K, D) after it."""
    weighted = loadings / noise[:, :, None]
    inner = np.eye(loadings.shape[1]) + loadings.T @ weighted
    pushed = np.array([scatter.times(k, columns) for k, columns in enumerate(weighted)])
    spread = np.swapaxes(weighted, 1, 2) @ pushed
    inverse = linalg.inverses(inner)
    misfit = (np.log(noise) + scatter.variances / noise).sum(axis=1) + linalg.log_volumes(inner)
    value = float(scatter.mass @ (misfit - np.einsum("kij,kji->k", inverse, spread)))
    crossed, factors = pushed @ inverse, inverse + inverse @ spread @ inverse
    weights = scatter.mass[:, None] / noise
    turned = linalg.solve_stack(
        np.einsum("kd,kij->dij", weights, factors), np.einsum("kd,kdi->di", weights, crossed)
    )
    left = scatter.variances + ((turned @ factors - 2.0 * crossed) * turned).sum(axis=2)
    scale = linalg.cholesky(np.tensordot(scatter.mass, factors, axes=1) / scatter.mass.sum())
    return value, turned if scale is None else turned @ scale, left


def _factors_of(structure: Structure) -> FactorStructure:
    if not isinstance(structure, FactorStructure):
        raise TypeError(f"the structure {structure} has no factors")
    return structure


def _start(before: AbstractCovariance | None, scatter: Scatter) -> Parts | None:
    """Loadings and noise before, of as many groups as there is scatter for."""
    if not isinstance(before, LowRankCovariance):
        return None
    n_groups = len(scatter.mass)
    return before.loadings[:n_groups], before.noise[:n_groups]


def _leading_each(scatter: Scatter, inverse: KD, loadings: KDQ | None, count: int) -> list[Leading]:
    return [
        leading(scatter, k, inverse[k], None if loadings is None else loadings[k], count)
        for k in range(len(scatter.mass))
    ]


def _averaged(noise: KD, mass: K, is_shared: bool) -> KD:
    """Noise (G, D) as it is, or its mean over the groups in every one."""
    if not is_shared:
        return noise
    return np.repeat((mass @ noise / mass.sum())[None], len(noise), axis=0)


def _least(scatter: Scatter, floor: D | None) -> KD:
    """The smallest noise allowed: the floor, and without one rounding; CollapseError where a column has no variance."""
    if floor is not None:
        return np.broadcast_to(floor, scatter.variances.shape)
    pooled = scatter.mass @ scatter.variances / scatter.mass.sum()
    _require_noise(np.full(len(scatter.mass), not (pooled > 0).all()))
    return np.broadcast_to(_ROUNDING * pooled, scatter.variances.shape)


def _require_noise(is_lost: Array) -> None:
    """Without a floor, noise that vanishes where no loading can stand for it is a collapse."""
    lost = np.asarray(is_lost, dtype=bool)
    if lost.any():
        raise CollapseError([int(k) for k in np.flatnonzero(lost)])


def _held(shape: FactorStructure, parts: Parts, floor: D | None, n_components: int) -> LowRankCovariance:
    """Loadings and noise of groups, or of one that stands for all components."""
    loadings, noise = parts
    low = (noise <= (0.0 if floor is None else floor)).any(axis=1)
    covariance = LowRankCovariance(shape, np.asarray(low), loadings, noise)
    if len(noise) == n_components:
        return covariance
    return covariance.permute(np.zeros(n_components, dtype=np.int64))


STEPS: dict[str, tuple[MomentKind, MStep]] = {
    "CCC": (MomentKind.POOLED_FULL, isotropic),
    "CCU": (MomentKind.POOLED_FULL, diagonal),
    "CUC": (MomentKind.FULL, common),
    "CUU": (MomentKind.FULL, common),
    "UCC": (MomentKind.FULL, isotropic),
    "UCU": (MomentKind.FULL, diagonal),
    "UUC": (MomentKind.FULL, isotropic),
    "UUU": (MomentKind.FULL, diagonal),
}
