"""Conditionals and products of stacks of K Gaussians, from the square roots of their precisions.

A stack is its means (K, D) and a covariance object. Precisions add in a product, and a block of the precision belongs
to a conditional. So both results have a precision with a known square root, which a QR decomposition makes triangular.
No matrix is inverted and no difference of covariances is computed: directions of tiny variance keep all their digits.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.covariance import AbstractCovariance, Structure
from gaussmix.covariance.representations import FullCovariance
from gaussmix.errors import ParameterError
from gaussmix.types import KD, KDD, Array, D, IntD, K


class GaussianStack(NamedTuple):
    """K Gaussians: means (K, D) and covariances."""

    means: KD
    covariance: FullCovariance


class GaussianProducts(NamedTuple):
    """Normalized products of K pairs of Gaussians: means (K, D), covariances, and logs of their integrals (K,)."""

    means: KD
    covariance: FullCovariance
    log_integrals: K


def condition_gaussians(
    means: KD, covariance: AbstractCovariance, known_columns: IntD, known_values: D
) -> GaussianStack:
    """Return the K conditional Gaussians of the other columns, given the values of the known columns.

    With known part 1 and open part 2, and precision P: mean_2 - P_22^-1 P_21 (x_1 - mean_1) and P_22^-1 (Bishop,
    *Pattern Recognition and Machine Learning*, 2006, equations 2.73 and 2.75).

    Raises
    ------
    ParameterError
        If all columns are known.
    """
    open_columns = np.setdiff1d(np.arange(means.shape[1]), known_columns)
    if len(open_columns) == 0:
        raise ParameterError.invalid_value("known_columns", known_columns.tolist(), "fewer than all columns")
    roots = covariance.precision_root.to_dense(*means.shape)
    open_roots, known_roots = roots[:, open_columns], roots[:, known_columns]
    conditional = full_covariance_from_precision_roots(open_roots)
    products = _multiply_by_transposes(known_roots, known_values - means[:, known_columns])
    changes = _apply_covariances(conditional, np.einsum("kdm,km->kd", open_roots, products))
    return GaussianStack(means[:, open_columns] - changes, conditional)


def multiply_all_gaussian_pairs(
    first_means: KD, first: AbstractCovariance, second_means: KD, second: AbstractCovariance
) -> GaussianProducts:
    """Return the normalized products of all pairs of Gaussians from two stacks, and the logs of their integrals.

    The product of Gaussian i of the first stack and j of the second is at position ``i * len(second) + j``. Its
    integral is the density of the difference of the means under the sum of the covariances. Its log is minus infinity,
    and the mean that of the first Gaussian, if the means lie more than about 1e150 standard deviations apart.
    """
    n_first, n_second = len(first_means), len(second_means)
    i, j = np.repeat(np.arange(n_first), n_second), np.tile(np.arange(n_second), n_first)
    first_roots = first.precision_root.to_dense(*first_means.shape)[i]
    second_roots = second.precision_root.to_dense(*second_means.shape)[j]
    product = full_covariance_from_precision_roots(np.concatenate([first_roots, second_roots], axis=2))
    with np.errstate(over="ignore", invalid="ignore"):
        differences = second_means[j] - first_means[i]
        forces = np.einsum("kdm,km->kd", second_roots, _multiply_by_transposes(second_roots, differences))
        changes = _apply_covariances(product, forces)
        squares = (_multiply_by_transposes(first_roots, changes) ** 2).sum(axis=1)
        squares += (_multiply_by_transposes(second_roots, changes - differences) ** 2).sum(axis=1)
    is_representable = np.isfinite(squares) & np.isfinite(changes).all(axis=1)
    squares, changes = np.where(is_representable, squares, np.inf), np.where(is_representable[:, None], changes, 0.0)
    log_determinants = first.log_determinants[i] + second.log_determinants[j] - product.log_determinants
    constant = first_means.shape[1] * math.log(2.0 * math.pi)
    log_integrals = -0.5 * (constant + log_determinants + squares)
    return GaussianProducts(first_means[i] + changes, product, log_integrals)


def full_covariance_from_precision_roots(precision_roots: Array) -> FullCovariance:
    """Return the covariances whose precisions are R R^T, from any square roots R (K, D, m) with m >= D."""
    upper = linalg.to_upper_triangular_roots(precision_roots)
    inverses = linalg.triangular_inverse_transposes(np.swapaxes(upper, 1, 2))
    factors: KDD = np.ascontiguousarray(np.swapaxes(inverses, 1, 2))
    is_floored = np.zeros(len(upper), dtype=bool)
    return FullCovariance(
        Structure.from_name("VVV"), is_floored, factors, upper, -linalg.log_determinants_from_factors(upper)
    )


def mahalanobis_radius(probability: float, n_features: int) -> float:
    """Return the Mahalanobis distance within which a Gaussian has a probability: the root of a chi-square quantile."""
    if not 0.0 < probability < 1.0:
        raise ParameterError.invalid_value("probability", probability, "between 0 and 1, both excluded")
    from scipy import special

    return math.sqrt(float(special.chdtri(n_features, 1.0 - probability)))


def _multiply_by_transposes(matrices: Array, vectors: KD) -> Array:
    """Return M_k^T v_k, (K, m), for matrices (K, D, m) and vectors (K, D)."""
    return np.asarray(np.einsum("kdm,kd->km", matrices, vectors))


def _apply_covariances(covariance: FullCovariance, vectors: KD) -> KD:
    """Return S_k v_k, (K, D), for the covariances S_k and vectors (K, D)."""
    factors = covariance.factors
    return np.asarray(np.einsum("kij,kj->ki", factors, _multiply_by_transposes(factors, vectors)))


def concatenate_covariances(covariances: Sequence[AbstractCovariance]) -> FullCovariance:
    """Return the covariances of the components of several covariance objects as one object without structure."""
    roots = [part.precision_root.to_dense(part.n_components, part.n_features) for part in covariances]
    return full_covariance_from_precision_roots(np.concatenate(roots))
