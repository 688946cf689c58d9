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
from gaussmix.covariance.leading_eigenpairs import GroupScatter, LeadingEigenpairs, compute_leading_eigenpairs
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import DQ, KD, KDQ, Array, D, K

_MIN_DECREASE = 1e-9
"""Turns end when F, per unit of mass and column, falls by less: EM's next step goes on."""

_MAX_ITER = 20
_RELATIVE_ROUNDING = 1e-12  # noise below this share of a column's variance is rounding

FactorParameters = tuple[KDQ, KD]
"""Loadings and noise variances of each group."""


def estimate_isotropic(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> LowRankCovariance:
    """CCC, UCC, UUC: noise is the mean of the eigenvalues that no loading takes, for one component or all together."""
    shape, scatter = _require_factor_structure(structure), GroupScatter.from_moments(moments)
    start = _previous_parameters(previous, scatter)
    loadings = None if start is None else start[0]
    found = _eigenpairs_per_group(scatter, np.ones_like(scatter.variances), loadings, shape.n_factors)
    for _ in range(_MAX_ITER if loadings is not None and not found[0].is_exact else 0):
        last, spans = sum(float(one.eigenvalues.sum()) for one in found), np.array([one.eigenvectors for one in found])
        found = _eigenpairs_per_group(scatter, np.ones_like(scatter.variances), spans, shape.n_factors)
        if sum(float(one.eigenvalues.sum()) for one in found) - last <= _RELATIVE_ROUNDING * last:
            break
    values = np.array([one.eigenvalues for one in found])
    level = _isotropic_noise_variances(
        values, scatter, shape.has_shared_noise_variance, 0.0 if floor is None else float(floor[0])
    )
    if floor is None:
        _require_positive_noise_variances(level <= _RELATIVE_ROUNDING * scatter.variances.mean(axis=1))
    lengths = np.sqrt(np.maximum(values - level[:, None], 0.0))
    spans = np.array([one.eigenvectors for one in found])
    noise = np.repeat(level[:, None], spans.shape[1], axis=1)
    return _make_covariance(shape, (spans * lengths[:, None, :], noise), floor, len(moments.mass))


def _isotropic_noise_variances(
    leading_eigenvalues: Array, scatter: GroupScatter, is_shared: bool, min_variance: float
) -> K:
    """The noise variance of each group for its leading eigenvalues (G, q), none below ``least``.

    It solves ``sum_k m_k ((D - q) v - rest_k + sum_i max(v - l_ki, 0)) = 0``, whose left side is convex and rises: from
    above, Newton's steps end after as many as there are eigenvalues below it.
    """
    n_features = scatter.variances.shape[1]
    rest = np.maximum(scatter.variances.sum(axis=1) - leading_eigenvalues.sum(axis=1), 0.0)
    mass = scatter.mass if is_shared else np.ones(len(rest))
    groups = [np.arange(len(rest))] if is_shared else [np.array([k]) for k in range(len(rest))]
    level = np.empty(len(rest))
    for chosen in groups:
        counted = np.broadcast_to(mass[chosen, None], leading_eigenvalues[chosen].shape)
        free = float(mass[chosen].sum()) * (n_features - leading_eigenvalues.shape[1])
        solved = float(mass[chosen] @ rest[chosen]) / free
        for _ in range(leading_eigenvalues.size):
            below = leading_eigenvalues[chosen] < solved
            lower = (mass[chosen] @ rest[chosen] + (counted * leading_eigenvalues[chosen])[below].sum()) / (
                free + counted[below].sum()
            )
            if not lower < solved:
                break
            solved = float(lower)
        level[chosen] = max(solved, min_variance)
    return level


def estimate_diagonal(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> LowRankCovariance:
    """CCU, UCU, UUU: the best loadings for the noise, and EM's noise for the loadings, in turn."""
    shape, scatter = _require_factor_structure(structure), GroupScatter.from_moments(moments)
    least, start = _min_noise_variances(scatter, floor), _previous_parameters(previous, scatter)
    noise = np.maximum(_initial_noise_variances(shape, scatter) if start is None else start[1], least)
    loadings = None if start is None else start[0]
    worst = np.inf
    for _ in range(_MAX_ITER):
        found = _eigenpairs_per_group(scatter, 1.0 / np.sqrt(noise), loadings, shape.n_factors)
        loadings = np.array(
            [one.optimal_loadings(deviation) for one, deviation in zip(found, np.sqrt(noise), strict=True)]
        )
        value = float(scatter.mass @ _deviances(scatter, noise, found))
        if not worst - value > _MIN_DECREASE * scatter.mass.sum() * noise.shape[1]:
            break
        worst = value
        left = np.array(
            [_updated_noise_variance(scatter, k, found[k], loadings[k], noise[k]) for k in range(len(noise))]
        )
        noise = np.maximum(_pool_noise_variances(left, scatter.mass, shape.has_shared_noise_variance), least)
    if floor is None:
        _require_positive_noise_variances((noise <= least).sum(axis=1) > shape.n_factors)
    return _make_covariance(shape, (loadings if loadings is not None else np.empty(0), noise), floor, len(moments.mass))


def _initial_noise_variances(structure: FactorStructure, scatter: GroupScatter) -> KD:
    """Noise in proportion to the variances of the columns: what the factors leave of the correlations on average."""
    variances = np.where(scatter.variances > 0, scatter.variances, 1.0)
    found = _eigenpairs_per_group(scatter, 1.0 / np.sqrt(variances), None, structure.n_factors)
    taken = np.array([one.eigenvalues.sum() for one in found])
    n_features = variances.shape[1]
    share = np.clip((n_features - taken) / (n_features - structure.n_factors), _RELATIVE_ROUNDING, 1.0)
    return _pool_noise_variances(share[:, None] * scatter.variances, scatter.mass, structure.has_shared_noise_variance)


def _updated_noise_variance(
    scatter: GroupScatter, group: int, eigenpairs: LeadingEigenpairs, loadings: DQ, noise_variance: D
) -> D:
    """EM's noise variances, the diagonal of S - 2 Lambda beta S + Lambda Theta Lambda^T, where Theta is 1."""
    crossed = eigenpairs.cross_products(np.sqrt(noise_variance))
    return np.asarray(scatter.variances[group] + (loadings * (loadings - 2.0 * crossed)).sum(axis=1))


def _deviances(scatter: GroupScatter, noise_variances: KD, eigenpairs: list[LeadingEigenpairs]) -> K:
    """log |Sigma| + tr(Sigma^-1 S) of each group, whose loadings are those for its noise."""
    gains = np.array([(np.log(over := np.maximum(one.eigenvalues, 1.0)) + 1.0 - over).sum() for one in eigenpairs])
    return np.asarray((np.log(noise_variances) + scatter.variances / noise_variances).sum(axis=1) + gains)


def estimate_shared_loadings(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> LowRankCovariance:
    """CUC, CUU: EM's steps for loadings common to all and noise of each, with the scale of the factors set free."""
    shape, scatter = _require_factor_structure(structure), GroupScatter.from_moments(moments)
    least, start = _min_noise_variances(scatter, floor), _previous_parameters(previous, scatter)
    if shape.has_isotropic_noise_variance:
        least = np.repeat(least.max(axis=1, keepdims=True), least.shape[1], axis=1)
    if start is None:
        start = _pooled_initialization(shape, moments, floor)
    loadings, noise = start[0][0], np.maximum(start[1], least)
    worst = np.inf
    for _ in range(_MAX_ITER):
        value, next_loadings, next_noise = _shared_loadings_iteration(scatter, loadings, noise)
        if not worst - value > _MIN_DECREASE * scatter.mass.sum() * noise.shape[1]:
            break
        worst, loadings = value, next_loadings
        if shape.has_isotropic_noise_variance:
            next_noise = np.repeat(next_noise.mean(axis=1, keepdims=True), noise.shape[1], axis=1)
        noise = np.maximum(next_noise, least)
    if floor is None:
        _require_positive_noise_variances((noise <= least).sum(axis=1) > shape.n_factors)
    return _make_covariance(shape, (np.repeat(loadings[None], len(noise), axis=0), noise), floor, len(moments.mass))


def _pooled_initialization(structure: FactorStructure, moments: Moments, floor: D | None) -> FactorParameters:
    """Loadings and noise of all components together."""
    step, letters = (
        (estimate_isotropic, "CCC") if structure.has_isotropic_noise_variance else (estimate_diagonal, "CCU")
    )
    pooled = step(FactorStructure(letters, structure.n_factors), moments.to_kind(MomentKind.POOLED_FULL), floor, None)
    return pooled.loadings, pooled.noise_variance


def _shared_loadings_iteration(scatter: GroupScatter, loadings: DQ, noise_variances: KD) -> tuple[float, DQ, KD]:
    """F before the turn, and loadings (D, q) and noise (K, D) after it."""
    weighted = loadings / noise_variances[:, :, None]
    inner = np.eye(loadings.shape[1]) + loadings.T @ weighted
    pushed = np.array([scatter.multiply_covariance(k, columns) for k, columns in enumerate(weighted)])
    spread = np.swapaxes(weighted, 1, 2) @ pushed
    inverse = linalg.inverses(inner)
    misfit = (np.log(noise_variances) + scatter.variances / noise_variances).sum(
        axis=1
    ) + linalg.symmetric_log_determinants(inner)
    value = float(scatter.mass @ (misfit - np.einsum("kij,kji->k", inverse, spread)))
    crossed, factors = pushed @ inverse, inverse + inverse @ spread @ inverse
    weights = scatter.mass[:, None] / noise_variances
    turned = linalg.solve_vectors(np.einsum("kd,kij->dij", weights, factors), np.einsum("kd,kdi->di", weights, crossed))
    left = scatter.variances + ((turned @ factors - 2.0 * crossed) * turned).sum(axis=2)
    scale = linalg.cholesky(np.tensordot(scatter.mass, factors, axes=1) / scatter.mass.sum())
    return value, turned if scale is None else turned @ scale, left


def _require_factor_structure(structure: Structure) -> FactorStructure:
    if not isinstance(structure, FactorStructure):
        raise TypeError(f"the structure {structure} has no factors")
    return structure


def _previous_parameters(previous: AbstractCovariance | None, scatter: GroupScatter) -> FactorParameters | None:
    """Loadings and noise before, of as many groups as there is scatter for."""
    if not isinstance(previous, LowRankCovariance):
        return None
    n_groups = len(scatter.mass)
    return previous.loadings[:n_groups], previous.noise_variance[:n_groups]


def _eigenpairs_per_group(
    scatter: GroupScatter, inverse_deviations: KD, loadings: KDQ | None, n_factors: int
) -> list[LeadingEigenpairs]:
    return [
        compute_leading_eigenpairs(
            scatter, k, inverse_deviations[k], None if loadings is None else loadings[k], n_factors
        )
        for k in range(len(scatter.mass))
    ]


def _pool_noise_variances(noise_variances: KD, mass: K, is_shared: bool) -> KD:
    """Noise (G, D) as it is, or its mean over the groups in every one."""
    if not is_shared:
        return noise_variances
    return np.repeat((mass @ noise_variances / mass.sum())[None], len(noise_variances), axis=0)


def _min_noise_variances(scatter: GroupScatter, floor: D | None) -> KD:
    """The smallest noise allowed: the floor, and without one rounding; CollapseError where a column has no variance."""
    if floor is not None:
        return np.broadcast_to(floor, scatter.variances.shape)
    pooled = scatter.mass @ scatter.variances / scatter.mass.sum()
    _require_positive_noise_variances(np.full(len(scatter.mass), not (pooled > 0).all()))
    return np.broadcast_to(_RELATIVE_ROUNDING * pooled, scatter.variances.shape)


def _require_positive_noise_variances(is_zero: Array) -> None:
    """Without a floor, noise that vanishes where no loading can stand for it is a collapse."""
    lost = np.asarray(is_zero, dtype=bool)
    if lost.any():
        raise CollapseError([int(k) for k in np.flatnonzero(lost)])


def _make_covariance(
    structure: FactorStructure, parameters: FactorParameters, floor: D | None, n_components: int
) -> LowRankCovariance:
    """Loadings and noise of groups, or of one that stands for all components."""
    loadings, noise = parameters
    low = (noise <= (0.0 if floor is None else floor)).any(axis=1)
    covariance = LowRankCovariance(structure, np.asarray(low), loadings, noise)
    if len(noise) == n_components:
        return covariance
    return covariance.permute_components(np.zeros(n_components, dtype=np.int64))


FACTOR_M_STEPS: dict[str, tuple[MomentKind, MStep]] = {
    "CCC": (MomentKind.POOLED_FULL, estimate_isotropic),
    "CCU": (MomentKind.POOLED_FULL, estimate_diagonal),
    "CUC": (MomentKind.FULL, estimate_shared_loadings),
    "CUU": (MomentKind.FULL, estimate_shared_loadings),
    "UCC": (MomentKind.FULL, estimate_isotropic),
    "UCU": (MomentKind.FULL, estimate_diagonal),
    "UUC": (MomentKind.FULL, estimate_isotropic),
    "UUU": (MomentKind.FULL, estimate_diagonal),
}
