"""Covariances that a caller hands over: checked, and held in the form of their structure."""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.estimator import make_covariance_estimator
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.regularizer import NoRegularizer
from gaussmix.covariance.representations import expand_covariances
from gaussmix.covariance.structure import Structure
from gaussmix.errors import ParameterError
from gaussmix.types import KDD, Array, IntD, K

_MAX_M_STEPS = 50  # where parts are found in turn, a step goes on from the one before
_RELATIVE_TOLERANCE = 1e-6  # how far, relative to its largest entry, a covariance may miss its structure


def covariance_from_matrices(
    structure: Structure, matrices: Array, n_components: int, n_features: int
) -> AbstractCovariance:
    """Covariances in the natural shape of the structure or as (K, D, D).

    Natural shapes: (K,) for EII and VII, (K, D) for EEI, EVI and VVI, (D, D) for EEE.

    Raises
    ------
    ParameterError
        If the shape is wrong, a matrix is not positive definite, or the structure is not obeyed.
    """
    full = expand_covariances(structure, np.asarray(matrices, dtype=np.float64), n_components, n_features)
    failed = linalg.cholesky_stack(full)[1]
    if failed.any():
        raise ParameterError.not_positive_definite("covariance", int(np.argmax(failed)))
    held = project_to_structure(structure, full, np.ones(n_components))
    error = np.abs(held.matrices() - full).max(axis=(1, 2)) / np.abs(full).max(axis=(1, 2))
    if error.max() > _RELATIVE_TOLERANCE:
        raise ParameterError.outside_structure(str(structure), float(error.max()))
    return held


def project_to_structure(structure: Structure, matrices: KDD, mass: K) -> AbstractCovariance:
    """The member of a structure that is nearest in likelihood: its M-step, fed with these covariances."""
    member = make_covariance_estimator(structure, NoRegularizer())
    center = np.zeros(matrices.shape[:2])
    moments = Moments(mass, center, mass[:, None, None] * matrices, MomentKind.FULL)
    found = member.estimate(moments.to_kind(member.moment_kind))
    for _ in range(_MAX_M_STEPS):
        last, found = found, member.estimate(moments.to_kind(member.moment_kind), found)
        if np.array_equal(last.matrices(), found.matrices()):
            break
    return found


def rescale_columns(covariance: AbstractCovariance, exponents: IntD) -> AbstractCovariance:
    """The covariances of the same columns, each in units smaller by 2**powers: exact where it is held in parts."""
    if isinstance(covariance, LowRankCovariance):
        return covariance.rescale_columns(exponents)
    matrices = np.ldexp(covariance.matrices(), exponents[:, None] + exponents)
    return covariance_from_matrices(covariance.structure, matrices, covariance.n_components, covariance.n_features)
