"""Covariances that a caller hands over: checked, and held in the form of their structure."""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.families import family
from gaussmix.covariance.forms import expand
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.regularise import Unlimited
from gaussmix.covariance.structure import Structure
from gaussmix.errors import ParameterError
from gaussmix.types import KDD, Array, IntD, K

_MOST_STEPS = 50  # where parts are found in turn, a step goes on from the one before
_TOLERANCE = 1e-6  # how far, relative to its largest entry, a covariance may miss its structure


def from_matrices(structure: Structure, matrices: Array, n_components: int, n_features: int) -> AbstractCovariance:
    """Covariances in the natural shape of the structure or as (K, D, D).

    Natural shapes: (K,) for EII and VII, (K, D) for EEI, EVI and VVI, (D, D) for EEE.

    Raises
    ------
    ParameterError
        If the shape is wrong, a matrix is not positive definite, or the structure is not obeyed.
    """
    full = expand(structure, np.asarray(matrices, dtype=np.float64), n_components, n_features)
    failed = linalg.factorised(full)[1]
    if failed.any():
        raise ParameterError.not_positive_definite("covariance", int(np.argmax(failed)))
    held = project(structure, full, np.ones(n_components))
    error = np.abs(held.matrices() - full).max(axis=(1, 2)) / np.abs(full).max(axis=(1, 2))
    if error.max() > _TOLERANCE:
        raise ParameterError.outside_structure(str(structure), float(error.max()))
    return held


def project(structure: Structure, matrices: KDD, mass: K) -> AbstractCovariance:
    """The member of a structure that is nearest in likelihood: its M-step, fed with these covariances."""
    member = family(structure, Unlimited())
    center = np.zeros(matrices.shape[:2])
    moments = Moments(mass, center, mass[:, None, None] * matrices, MomentKind.FULL)
    found = member.estimate(moments.reduce(member.kind))
    for _ in range(_MOST_STEPS):
        last, found = found, member.estimate(moments.reduce(member.kind), found)
        if np.array_equal(last.matrices(), found.matrices()):
            break
    return found


def rescaled(covariance: AbstractCovariance, powers: IntD) -> AbstractCovariance:
    """The covariances of the same columns, each in units smaller by 2**powers: exact where it is held in parts."""
    if isinstance(covariance, LowRankCovariance):
        return covariance.scaled(powers)
    matrices = np.ldexp(covariance.matrices(), powers[:, None] + powers)
    return from_matrices(covariance.structure, matrices, covariance.n_components, covariance.n_features)
