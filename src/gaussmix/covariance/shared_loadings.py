"""M-step of factor analysers whose components share loadings but not noise variances (CUC, CUU).

It repeats EM's updates of the common loadings and of the noise variances, with an additional scale of the factors (Liu,
Rubin & Wu, "Parameter expansion to accelerate EM", Biometrika 85, 1998; McNicholas & Murphy, "Parsimonious Gaussian
mixture models", Statistics and Computing 18, 2008). As in `factor_analyzers`, no update lowers the likelihood.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.factor_analyzers import estimate_diagonal_noise, estimate_isotropic_noise
from gaussmix.covariance.factor_parameters import (
    MAX_FACTOR_ITER,
    MIN_DECREASE,
    FactorParameters,
    make_low_rank_covariance,
    min_noise_variances,
    previous_factor_parameters_per_group,
    raise_if_any_collapsed,
    require_factor_structure,
)
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.leading_eigenpairs import ScatterPerGroup
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.types import DQ, KD, D


class SharedLoadingsUpdate(NamedTuple):
    """The objective F, which is minimised, before an update; loadings (D, q) and noise variances (K, D) after it."""

    objective_before: float
    loadings: DQ
    noise_variances: KD


def estimate_shared_loadings(
    structure: Structure, moments: Moments, floor: D | None, previous: AbstractCovariance | None
) -> LowRankCovariance:
    """Return the covariances of CUC and CUU, which share loadings but not noise variances, at or above the floor.

    They come from EM's updates of both. The scale of the factors is free (parameter expansion).
    """
    factor_structure, scatter = require_factor_structure(structure), ScatterPerGroup.from_moments(moments)
    min_variances, initial = (
        min_noise_variances(scatter, floor),
        previous_factor_parameters_per_group(previous, len(scatter.mass)),
    )
    if factor_structure.has_isotropic_noise_variance:
        min_variances = np.repeat(min_variances.max(axis=1, keepdims=True), min_variances.shape[1], axis=1)
    if initial is None:
        initial = _pooled_initialization(factor_structure, moments, floor)
    loadings, noise_variances = initial.loadings[0], np.maximum(initial.noise_variances, min_variances)
    previous_value = np.inf
    for _ in range(MAX_FACTOR_ITER):
        value, next_loadings, next_noise = _update_shared_loadings(scatter, loadings, noise_variances)
        if not previous_value - value > MIN_DECREASE * scatter.mass.sum() * noise_variances.shape[1]:
            break
        previous_value, loadings = value, next_loadings
        if factor_structure.has_isotropic_noise_variance:
            next_noise = np.repeat(next_noise.mean(axis=1, keepdims=True), noise_variances.shape[1], axis=1)
        noise_variances = np.maximum(next_noise, min_variances)
    if floor is None:
        raise_if_any_collapsed((noise_variances <= min_variances).sum(axis=1) > factor_structure.n_factors)
    return make_low_rank_covariance(
        factor_structure,
        FactorParameters(np.repeat(loadings[None], len(noise_variances), axis=0), noise_variances),
        floor,
        len(moments.mass),
    )


def _pooled_initialization(structure: FactorStructure, moments: Moments, floor: D | None) -> FactorParameters:
    """Return the loadings and noise variances that CCC or CCU has for all components together."""
    m_step, letters = (
        (estimate_isotropic_noise, "CCC")
        if structure.has_isotropic_noise_variance
        else (estimate_diagonal_noise, "CCU")
    )
    pooled = m_step(FactorStructure(letters, structure.n_factors), moments.to_kind(MomentKind.POOLED_FULL), floor, None)
    return FactorParameters(pooled.loadings, pooled.noise_variance)


def _update_shared_loadings(scatter: ScatterPerGroup, loadings: DQ, noise_variances: KD) -> SharedLoadingsUpdate:
    """Return the loadings (D, q) and noise variances (K, D) after one update of EM, and F before it."""
    weighted = loadings / noise_variances[:, :, None]
    inner = np.eye(loadings.shape[1]) + loadings.T @ weighted
    products = np.array([scatter.multiply_covariance(k, columns) for k, columns in enumerate(weighted)])
    factor_scatter = np.swapaxes(weighted, 1, 2) @ products
    inverse = linalg.inverses(inner)
    deviances = (np.log(noise_variances) + scatter.variances / noise_variances).sum(
        axis=1
    ) + linalg.symmetric_log_determinants(inner)
    value = float(scatter.mass @ (deviances - np.einsum("kij,kji->k", inverse, factor_scatter)))
    cross_moments, factor_moments = products @ inverse, inverse + inverse @ factor_scatter @ inverse
    weights = scatter.mass[:, None] / noise_variances
    next_loadings = linalg.solve_vectors(
        np.einsum("kd,kij->dij", weights, factor_moments), np.einsum("kd,kdi->di", weights, cross_moments)
    )
    next_noise_variances = scatter.variances + (
        (next_loadings @ factor_moments - 2.0 * cross_moments) * next_loadings
    ).sum(axis=2)
    scale = linalg.cholesky(np.tensordot(scatter.mass, factor_moments, axes=1) / scatter.mass.sum())
    return SharedLoadingsUpdate(value, next_loadings if scale is None else next_loadings @ scale, next_noise_variances)
