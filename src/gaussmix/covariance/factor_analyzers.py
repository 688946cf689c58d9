"""M-steps of factor analysers with closed-form loadings: isotropic noise variances, and noise variances per column.

Every update lowers, or does not change,

    F = sum_k m_k (log |Sigma_k| + tr(Sigma_k^-1 S_k)),    Sigma_k = Lambda_k Lambda_k^T + Psi_k,    S_k = W_k / m_k,

so an M-step that starts from the previous covariances cannot lower the likelihood, wherever it stops (generalised EM).

Isotropic noise variances have a closed form: Lambda_k spans the leading eigenvectors of S_k, and the noise variance is
the mean of the other eigenvalues (Tipping & Bishop, "Probabilistic principal component analysis", JRSS B 61, 1999).
Noise variances per column are iterative. For given Psi_k the best Lambda_k spans the leading eigenvectors of
Psi_k^-1/2 S_k Psi_k^-1/2 (Joreskog, Psychometrika 32, 1967). For given Lambda_k follows EM's update of Psi_k (Rubin &
Thayer, Psychometrika 47, 1982).
"""

import numpy as np

from gaussmix.core.moments import Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.factor_parameters import (
    MAX_FACTOR_ITER,
    MIN_DECREASE,
    RELATIVE_ROUNDING,
    FactorParameters,
    average_noise_variances_if_shared,
    make_low_rank_covariance,
    min_noise_variances,
    previous_factor_parameters_per_group,
    raise_if_any_collapsed,
    require_factor_structure,
)
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.leading_eigenpairs import LeadingEigenpairs, ScatterPerGroup, compute_leading_eigenpairs
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.types import KD, KDQ, Array, D, K


def estimate_isotropic_noise(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> LowRankCovariance:
    """Return the covariances of CCC, UCC and UUC, which have isotropic noise variances, at or above the floor.

    The noise variance is the mean of the eigenvalues that no loading explains, per component or for all.
    """
    factor_structure, scatter = require_factor_structure(structure), ScatterPerGroup.from_moments(moments)
    initial = previous_factor_parameters_per_group(previous, len(scatter.mass))
    loadings = None if initial is None else initial.loadings
    eigenpairs = _eigenpairs_per_group(scatter, np.ones_like(scatter.variances), loadings, factor_structure.n_factors)
    for _ in range(MAX_FACTOR_ITER if loadings is not None and not eigenpairs[0].is_exact else 0):
        previous_sum, eigenvectors = (
            sum(float(pairs.eigenvalues.sum()) for pairs in eigenpairs),
            np.array([pairs.eigenvectors for pairs in eigenpairs]),
        )
        eigenpairs = _eigenpairs_per_group(
            scatter, np.ones_like(scatter.variances), eigenvectors, factor_structure.n_factors
        )
        if (
            sum(float(pairs.eigenvalues.sum()) for pairs in eigenpairs) - previous_sum
            <= RELATIVE_ROUNDING * previous_sum
        ):
            break
    values = np.array([pairs.eigenvalues for pairs in eigenpairs])
    variances = _isotropic_noise_variances(
        values, scatter, factor_structure.has_shared_noise_variance, 0.0 if floor is None else float(floor[0])
    )
    if floor is None:
        raise_if_any_collapsed(variances <= RELATIVE_ROUNDING * scatter.variances.mean(axis=1))
    loading_norms = np.sqrt(np.maximum(values - variances[:, None], 0.0))
    eigenvectors = np.array([pairs.eigenvectors for pairs in eigenpairs])
    noise = np.repeat(variances[:, None], eigenvectors.shape[1], axis=1)
    return make_low_rank_covariance(
        factor_structure, FactorParameters(eigenvectors * loading_norms[:, None, :], noise), floor, len(moments.mass)
    )


def _isotropic_noise_variances(
    leading_eigenvalues: Array, scatter: ScatterPerGroup, is_shared: bool, min_variance: float
) -> K:
    """Return the noise variance of each group (G,) for its leading eigenvalues (G, q), at least ``min_variance``.

    It solves ``sum_k m_k ((D - q) v - rest_k + sum_i max(v - l_ki, 0)) = 0``. The left side is convex and increasing:
    from above, Newton's method ends after at most as many steps as there are eigenvalues below the solution.
    """
    n_features = scatter.variances.shape[1]
    unexplained = np.maximum(scatter.variances.sum(axis=1) - leading_eigenvalues.sum(axis=1), 0.0)
    mass = scatter.mass if is_shared else np.ones(len(unexplained))
    groups = [np.arange(len(unexplained))] if is_shared else [np.array([k]) for k in range(len(unexplained))]
    variances = np.empty(len(unexplained))
    for group in groups:
        masses = np.broadcast_to(mass[group, None], leading_eigenvalues[group].shape)
        n_free = float(mass[group].sum()) * (n_features - leading_eigenvalues.shape[1])
        solution = float(mass[group] @ unexplained[group]) / n_free
        for _ in range(leading_eigenvalues.size):
            is_below = leading_eigenvalues[group] < solution
            next_solution = (
                mass[group] @ unexplained[group] + (masses * leading_eigenvalues[group])[is_below].sum()
            ) / (n_free + masses[is_below].sum())
            if not next_solution < solution:
                break
            solution = float(next_solution)
        variances[group] = max(solution, min_variance)
    return variances


def estimate_diagonal_noise(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> LowRankCovariance:
    """Return the covariances of CCU, UCU and UUU, which have one noise variance per column, at or above the floor.

    Update the best loadings for the noise variances, and EM's noise variances for the loadings, in turn.
    """
    factor_structure, scatter = require_factor_structure(structure), ScatterPerGroup.from_moments(moments)
    min_variances = min_noise_variances(scatter, floor)
    initial = previous_factor_parameters_per_group(previous, len(scatter.mass))
    noise_variances = np.maximum(
        _initial_noise_variances(factor_structure, scatter) if initial is None else initial.noise_variances,
        min_variances,
    )
    loadings = None if initial is None else initial.loadings
    previous_value = np.inf
    for _ in range(MAX_FACTOR_ITER):
        eigenpairs = _eigenpairs_per_group(
            scatter, 1.0 / np.sqrt(noise_variances), loadings, factor_structure.n_factors
        )
        deviations = np.sqrt(noise_variances)
        loadings = np.array([pairs.optimal_loadings(d) for pairs, d in zip(eigenpairs, deviations, strict=True)])
        value = float(scatter.mass @ _deviances(scatter, noise_variances, eigenpairs))
        if not previous_value - value > MIN_DECREASE * scatter.mass.sum() * noise_variances.shape[1]:
            break
        previous_value = value
        updated = _em_noise_variances(scatter, eigenpairs, loadings, noise_variances)
        noise_variances = np.maximum(
            average_noise_variances_if_shared(updated, scatter.mass, factor_structure.has_shared_noise_variance),
            min_variances,
        )
    if floor is None:
        raise_if_any_collapsed((noise_variances <= min_variances).sum(axis=1) > factor_structure.n_factors)
    return make_low_rank_covariance(
        factor_structure,
        FactorParameters(loadings if loadings is not None else np.empty(0), noise_variances),
        floor,
        len(moments.mass),
    )


def _initial_noise_variances(structure: FactorStructure, scatter: ScatterPerGroup) -> KD:
    """Return starting noise variances (G, D), in proportion to the variances of the columns.

    The proportion is the mean fraction of the correlation matrix that the factors leave unexplained.
    """
    variances = np.where(scatter.variances > 0, scatter.variances, 1.0)
    eigenpairs = _eigenpairs_per_group(scatter, 1.0 / np.sqrt(variances), None, structure.n_factors)
    explained = np.array([pairs.eigenvalues.sum() for pairs in eigenpairs])
    n_features = variances.shape[1]
    unexplained_fraction = np.clip(
        (n_features - explained) / (n_features - structure.n_factors), RELATIVE_ROUNDING, 1.0
    )
    return average_noise_variances_if_shared(
        unexplained_fraction[:, None] * scatter.variances, scatter.mass, structure.has_shared_noise_variance
    )


def _em_noise_variances(
    scatter: ScatterPerGroup, eigenpairs: list[LeadingEigenpairs], loadings: KDQ, noise_variances: KD
) -> KD:
    """Return EM's next noise variances (G, D), for the best loadings (G, D, q).

    They are the diagonals of S - 2 Lambda beta S + Lambda Theta Lambda^T, where Theta is the identity.
    """
    deviations = np.sqrt(noise_variances)
    products = np.array([pairs.loadings_cross_products(d) for pairs, d in zip(eigenpairs, deviations, strict=True)])
    return np.asarray(scatter.variances + (loadings * (loadings - 2.0 * products)).sum(axis=2))


def _deviances(scatter: ScatterPerGroup, noise_variances: KD, eigenpairs: list[LeadingEigenpairs]) -> K:
    """Return log |Sigma| + tr(Sigma^-1 S) of each group (G,) for the best loadings."""
    explained = np.array(
        [(np.log(clipped := np.maximum(pairs.eigenvalues, 1.0)) + 1.0 - clipped).sum() for pairs in eigenpairs]
    )
    return np.asarray((np.log(noise_variances) + scatter.variances / noise_variances).sum(axis=1) + explained)


def _eigenpairs_per_group(
    scatter: ScatterPerGroup, inverse_deviations: KD, initial_loadings: KDQ | None, n_factors: int
) -> list[LeadingEigenpairs]:
    """Return the ``n_factors`` leading eigenpairs of S, scaled by ``inverse_deviations`` (G, D), of every group."""
    return [
        compute_leading_eigenpairs(
            scatter, k, inverse_deviations[k], None if initial_loadings is None else initial_loadings[k], n_factors
        )
        for k in range(len(scatter.mass))
    ]
