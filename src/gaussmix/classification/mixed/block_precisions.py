"""Precisions of the block's marginal Gaussians, for all patterns of missing cells in one stack.

The covariance of a pattern gets the rows and columns of the identity at missing columns. Its Cholesky factor then
contains that of the observed columns, and all patterns have matrices of the same size.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import cholesky_stack, log_determinants_from_factors, triangular_inverse_transposes
from gaussmix.types import KDD, Array, BoolGB


class BlockPrecisions(NamedTuple):
    """Precisions (G, K, b, b) of the observed columns, zero at missing ones, and log determinants (G, K).

    The log determinants are those of the covariances of the observed columns.
    """

    matrices: Array
    log_determinants: Array


def compute_block_precisions(covariances: KDD, is_observed: BoolGB) -> BlockPrecisions:
    """Return the precisions of the columns that are observed in each pattern, from covariances (K, b, b)."""
    n_block = covariances.shape[1]
    both = is_observed[:, None, :, None] & is_observed[:, None, None, :]
    padded = np.where(both, covariances, np.eye(n_block))
    factors = cholesky_stack(padded.reshape(-1, n_block, n_block)).factors
    roots = triangular_inverse_transposes(factors)
    precisions = (roots @ np.swapaxes(roots, 1, 2)).reshape(padded.shape)
    log_determinants = log_determinants_from_factors(factors).reshape(padded.shape[:2])
    return BlockPrecisions(np.where(both, precisions, 0.0), log_determinants)
