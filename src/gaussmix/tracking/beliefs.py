"""Beliefs about the state of one object: a Gaussian, a mixture or an intensity, as components and back."""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from gaussmix.core import linalg
from gaussmix.errors import BeliefError, FilterOverflowError
from gaussmix.model import Gaussian, Intensity, Mixture
from gaussmix.model.validation import require_instance
from gaussmix.tracking.components import Components
from gaussmix.types import KD, KDD, K

Belief = TypeVar("Belief", Gaussian, Mixture, Intensity)

_FORBIDDEN_PARTS = {
    "noise": "a noise component",
    "transforms": "transforms",
    "dependence": "linearly dependent columns",
}


def split_belief(belief: Gaussian | Mixture | Intensity, n_states: int) -> Components:
    """Return the Gaussians of a belief about a state with ``n_states`` columns; their weights add up to 1.

    Raises
    ------
    ParameterError
        If the belief is of another type, has another number of columns, or has noise, transforms or dependent columns.
    """
    require_instance("belief", belief, Gaussian | Mixture | Intensity, "a Gaussian, a Mixture or an Intensity")  # type: ignore[arg-type]
    if isinstance(belief, Gaussian):
        weights, means, covariances = np.ones(1), belief.mean[None], belief.covariance[None]
    else:
        weights, means, covariances = _split_mixture(belief.mixture if isinstance(belief, Intensity) else belief)
    if means.shape[1] != n_states:
        raise BeliefError.wrong_columns(means.shape[1], n_states)
    groups = np.zeros(len(weights), dtype=np.int64)
    return Components(groups, weights, means, covariances, groups)


def _split_mixture(mixture: Mixture) -> tuple[K, KD, KDD]:
    """Return weights, means and covariances of a mixture of Gaussians alone."""
    for attribute, part in _FORBIDDEN_PARTS.items():
        if getattr(mixture, attribute) is not None:
            raise BeliefError.has_part(part)
    return mixture.weights, mixture.means, mixture.covariances


def join_belief(like: Belief, components: Components, step: str, log_factor: float = 0.0) -> Belief:
    """Return components as a belief of the type of ``like``.

    Parameters
    ----------
    like : Gaussian, Mixture or Intensity
        Gives type, names of columns and mass.
    components : Components
        As many as ``like`` has; their weights add up to 1.
    step : str
        What gave the components, for errors: 'prediction' or 'update'.
    log_factor : float, default=0.0
        Log of the factor by which the mass of an intensity changes.

    Raises
    ------
    BeliefError
        If a covariance is not positive definite.
    FilterOverflowError
        If a number is not finite.
    """
    require_proper_states(components.means, components.covariances, step)
    if isinstance(like, Gaussian):
        return Gaussian(components.means[0], components.covariances[0])
    names = like.mixture.feature_names if isinstance(like, Intensity) else like.feature_names
    mixture = Mixture.from_parameters(components.weights, components.means, components.covariances, feature_names=names)
    return (
        replace(like, mixture=mixture, log_mass=like.log_mass + log_factor) if isinstance(like, Intensity) else mixture
    )


def require_proper_states(means: KD, covariances: KDD, step: str) -> None:
    """Raise an error unless all numbers are finite and all covariances positive definite."""
    if not (np.isfinite(means).all() and np.isfinite(covariances).all()):
        raise FilterOverflowError.after(step)
    if linalg.cholesky_stack(covariances).has_failed.any():
        raise BeliefError.lost_definiteness(step)
