"""Parameters of factor analysers: loadings and noise variances of groups, their bounds, and covariances of them.

A group is one component, or all components together.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.factor_structure import FactorStructure
from gaussmix.covariance.leading_eigenpairs import ScatterPerGroup
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.errors import CollapseError
from gaussmix.types import KD, KDQ, BoolK, D, K

MAX_FACTOR_ITER = 20
# Iterations stop when F, per unit of mass and column, decreases by less. The next M-step continues.
MIN_DECREASE = 1e-9
RELATIVE_ROUNDING = 1e-12  # smaller noise variances, relative to the variance of the column, are rounding


class FactorParameters(NamedTuple):
    """Loadings (G, D, q) and noise variances (G, D) of G groups."""

    loadings: KDQ
    noise_variances: KD


def require_factor_structure(structure: Structure) -> FactorStructure:
    """Return the structure, or raise TypeError if it has no factors."""
    if not isinstance(structure, FactorStructure):
        raise TypeError(f"the structure {structure} has no factors")
    return structure


def previous_factor_parameters_per_group(previous: AbstractCovariance | None, n_groups: int) -> FactorParameters | None:
    """Return loadings and noise variances of the first ``n_groups`` covariances; None if they have no factors."""
    if not isinstance(previous, LowRankCovariance):
        return None
    return FactorParameters(previous.loadings[:n_groups], previous.noise_variance[:n_groups])


def average_noise_variances_if_shared(noise_variances: KD, mass: K, is_shared: bool) -> KD:
    """Return noise variances (G, D), replaced by their mean over the groups if they are shared."""
    if not is_shared:
        return noise_variances
    return np.repeat((mass @ noise_variances / mass.sum())[None], len(noise_variances), axis=0)


def min_noise_variances(scatter: ScatterPerGroup, floor: D | None) -> KD:
    """Return the smallest allowed noise variances (G, D): the floor, or 1e-12 of the pooled variance without one.

    Without a floor, a column without variance raises CollapseError.
    """
    if floor is not None:
        return np.broadcast_to(floor, scatter.variances.shape)
    pooled = scatter.mass @ scatter.variances / scatter.mass.sum()
    raise_if_any_collapsed(np.full(len(scatter.mass), not (pooled > 0).all()))
    return np.broadcast_to(RELATIVE_ROUNDING * pooled, scatter.variances.shape)


def raise_if_any_collapsed(is_collapsed: BoolK) -> None:
    """Raise CollapseError for the groups that a mask (G,) marks, if it marks any."""
    if is_collapsed.any():
        raise CollapseError([int(k) for k in np.flatnonzero(is_collapsed)])


def make_low_rank_covariance(
    structure: FactorStructure, parameters: FactorParameters, floor: D | None, n_components: int
) -> LowRankCovariance:
    """Make the covariances of ``n_components`` from parameters of as many groups, or of one group for all."""
    loadings, noise_variances = parameters
    is_floored = (noise_variances <= (0.0 if floor is None else floor)).any(axis=1)
    covariance = LowRankCovariance(structure, np.asarray(is_floored), loadings, noise_variances)
    if len(noise_variances) == n_components:
        return covariance
    return covariance.permute_components(np.zeros(n_components, dtype=np.int64))
