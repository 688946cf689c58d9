"""Algebra of Gaussians: marginal, conditional, and the radius that holds a share of the mass."""

import math
from collections.abc import Sequence

import numpy as np

from gaussmix.core import linalg
from gaussmix.errors import ParameterError
from gaussmix.types import DD, D, IntD


def parse_columns(columns: Sequence[int] | int, n_features: int) -> IntD:
    """Column numbers as distinct integers in [0, n_features); negative ones count from the end."""
    chosen = np.atleast_1d(np.asarray(columns))
    if not np.issubdtype(chosen.dtype, np.integer) or chosen.ndim != 1 or len(chosen) == 0:
        raise ParameterError.invalid_value("columns", columns, "a non-empty list of column numbers")
    wrapped = np.where(chosen < 0, chosen + n_features, chosen)
    if wrapped.min() < 0 or wrapped.max() >= n_features or len(set(wrapped.tolist())) < len(wrapped):
        raise ParameterError.invalid_value("columns", columns, f"distinct numbers from 0 to {n_features - 1}")
    return wrapped.astype(np.int64)


def conditional_mean_and_covariance(mean: D, covariance: DD, known_columns: IntD, values: D) -> tuple[D, DD]:
    """Mean and covariance of the open columns given the known ones."""
    open_ = np.setdiff1d(np.arange(len(mean)), known_columns)
    if len(open_) == 0:
        raise ParameterError.invalid_value("known_columns", known_columns.tolist(), "fewer than all columns")
    factor = linalg.cholesky(covariance[np.ix_(known_columns, known_columns)])
    if factor is None:
        raise ParameterError.not_positive_definite("covariance of the given columns")
    # With S_11 = L L^T and C = L^-1 S_12, the Schur complement is S_22 - C^T C.
    inverse = linalg.invert_lower(factor)
    half = inverse @ covariance[np.ix_(known_columns, open_)]
    shifted = mean[open_] + half.T @ (inverse @ (values - mean[known_columns]))
    return shifted, covariance[np.ix_(open_, open_)] - half.T @ half


def mahalanobis_radius(probability: float, n_features: int) -> float:
    """The Mahalanobis distance within which a Gaussian has a share of its mass (chi-square quantile)."""
    if not 0.0 < probability < 1.0:
        raise ParameterError.invalid_value("probability", probability, "between 0 and 1, both excluded")
    from scipy import special

    return math.sqrt(float(special.chdtri(n_features, 1.0 - probability)))
