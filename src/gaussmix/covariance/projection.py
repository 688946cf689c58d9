"""Covariances from arrays of the user: scikit-learn's shapes, checks, and projection onto a structure."""

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.symmetric_matrices import average_with_transpose, symmetry_tolerance
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.estimator import make_covariance_estimator
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.covariance.regularizer import NoRegularizer
from gaussmix.covariance.representations import (
    DiagonalCovariance,
    FullCovariance,
    SharedCovariance,
    SphericalCovariance,
    full_from_precision_roots,
    shared_from_full,
)
from gaussmix.covariance.structure import Structure
from gaussmix.errors import ParameterError, StructureError
from gaussmix.types import KD, KDD, Array, IntD, K

_MAX_M_STEPS = 50  # iterative M-steps are repeated, each from the result of the last
_RELATIVE_TOLERANCE = 1e-6  # largest allowed distance from the structure, relative to the largest entry


def sklearn_shape(structure: Structure, n_components: int, n_features: int) -> tuple[int, ...]:
    """Return the shape in which scikit-learn stores covariances of this structure.

    It is (K,) for EII and VII, (K, D) for EEI, VEI, EVI and VVI, (D, D) for EEE, (K, D, D) otherwise.
    """
    if structure.is_spherical:
        return (n_components,)
    if structure.is_axis_aligned:
        return (n_components, n_features)
    return (n_features, n_features) if structure.is_tied else (n_components, n_features, n_features)


def expand_covariances(structure: Structure, covariances: Array, n_components: int, n_features: int) -> KDD:
    """Return covariances of scikit-learn's shape (or of shape (K, D, D)) as matrices (K, D, D).

    Raises
    ------
    ParameterError
        If they have another shape.
    """
    full_shape = (n_components, n_features, n_features)
    expected = sklearn_shape(structure, n_components, n_features)
    if covariances.shape == full_shape:
        return covariances
    if covariances.shape != expected:
        raise ParameterError.wrong_shape("covariances", covariances.shape, expected)
    if structure.is_spherical:
        return np.asarray(covariances[:, None, None] * np.eye(n_features))
    if structure.is_axis_aligned:
        return np.asarray(covariances[:, :, None] * np.eye(n_features))
    return np.broadcast_to(covariances, full_shape)


def contract_covariances(structure: Structure, matrices: KDD) -> Array:
    """Return covariance matrices (K, D, D) of a structure in the shape of scikit-learn's covariances_."""
    if structure.is_axis_aligned:
        variances = np.einsum("kii->ki", matrices)
        return np.asarray(variances.mean(axis=1) if structure.is_spherical else variances.copy())
    return np.asarray(matrices[0] if structure.is_tied else matrices)


def covariance_from_matrices(
    structure: Structure, covariances: Array, n_components: int, n_features: int, means: KD | None = None
) -> AbstractCovariance:
    """Make covariances of a structure from an array of scikit-learn's shape or of shape (K, D, D).

    They may miss symmetry and structure by their rounding. For float32 that includes the rounding of the squared
    ``means`` (K, D), from which scikit-learn computes 'tied' covariances.

    Raises
    ------
    ParameterError
        If the shape is wrong, a matrix is not positive definite, or the matrices do not have the structure.
    """
    given = expand_covariances(structure, parse_finite_numbers("covariances", covariances), n_components, n_features)
    full = average_with_transpose(given)
    has_failed = linalg.cholesky_stack(full).has_failed
    if has_failed.any():
        raise ParameterError.not_positive_definite("covariance", int(np.argmax(has_failed)))
    projected = project_to_structure(structure, full, np.ones(n_components))
    error = np.abs(projected.matrices() - given).max(axis=(1, 2)) / np.abs(full).max(axis=(1, 2))
    if error.max() > max(_RELATIVE_TOLERANCE, symmetry_tolerance(given, means)):
        raise StructureError.outside_structure(str(structure), float(error.max()))
    return projected


def covariance_from_precisions(structure: Structure, precisions: KDD) -> AbstractCovariance:
    """Make covariances of a structure from precisions (K, D, D); project them if they do not have the structure."""
    n_components, n_features = precisions.shape[:2]
    is_floored = np.zeros(n_components, dtype=bool)
    if structure.has_independent_components and structure.is_spherical:
        return SphericalCovariance(structure, is_floored, 1.0 / precisions[:, 0, 0], n_features)
    if structure.has_independent_components and structure.is_axis_aligned:
        return DiagonalCovariance(structure, is_floored, 1.0 / np.diagonal(precisions, axis1=1, axis2=2))
    roots = [linalg.upper_cholesky(matrix) for matrix in precisions]
    full = full_from_precision_roots(structure, np.array([root for root in roots if root is not None]))
    if structure.is_tied:
        return shared_from_full(full, n_components)
    if structure.has_independent_components:
        return full
    return project_to_structure(structure, full.matrices(), np.ones(n_components))


def project_to_structure(structure: Structure, matrices: KDD, mass: K) -> AbstractCovariance:
    """Return the covariances of the structure that are nearest in likelihood to ``matrices`` (K, D, D).

    They are the fixed point of the structure's M-step for components of these covariances and of weights ``mass``.
    """
    estimator = make_covariance_estimator(structure, NoRegularizer())
    center = np.zeros(matrices.shape[:2])
    moments = Moments(mass, center, mass[:, None, None] * matrices, MomentKind.FULL).to_kind(estimator.moment_kind)
    covariance = estimator.estimate(moments)
    for _ in range(_MAX_M_STEPS):
        previous, covariance = covariance, estimator.estimate(moments, covariance)
        if np.array_equal(previous.matrices(), covariance.matrices()):
            break
    return covariance


def rescale_columns(covariance: AbstractCovariance, exponents: IntD) -> AbstractCovariance:
    """Return the covariances of the columns after column j is multiplied by 2**exponents[j]."""
    if isinstance(covariance, LowRankCovariance):
        return covariance.rescale_columns(exponents)
    matrices = np.ldexp(covariance.matrices(), exponents[:, None] + exponents)
    return covariance_from_matrices(covariance.structure, matrices, covariance.n_components, covariance.n_features)


def representation_class(structure: Structure) -> type[AbstractCovariance]:
    """Return the subclass of AbstractCovariance that stores covariances of a structure."""
    if structure.has_factors:
        return LowRankCovariance
    if structure.is_spherical:
        return SphericalCovariance
    if structure.is_axis_aligned:
        return DiagonalCovariance
    return SharedCovariance if structure.is_tied else FullCovariance
