"""Expected moments of the block's columns, in which the missing cells are replaced by their conditional moments."""

from typing import NamedTuple

import numpy as np

from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import PatternSums
from gaussmix.core.linalg import cholesky_stack, triangular_inverse_transposes
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.statistics import Statistics
from gaussmix.types import KD, KDD, Array, IntD


class BlockRegression(NamedTuple):
    """Prediction of all columns of the block from the observed ones, for each component.

    ``matrix`` is (K, b, b'), ``offset`` (K, b) and ``covariance``, that of the error, (K, b, b).
    """

    matrix: Array
    offset: KD
    covariance: KDD


def regress_block(mixture: MixedMixture, observed: IntD) -> BlockRegression:
    """Return the regression of the block's columns on the ``observed`` ones (b',), counted within the block."""
    covariances, means = mixture.covariances, mixture.block_means
    n_components, n_block = means.shape
    missing = np.setdiff1d(np.arange(n_block), observed)
    roots = triangular_inverse_transposes(cholesky_stack(covariances[:, observed[:, None], observed]).factors)
    cross = covariances[:, missing[:, None], observed]
    slopes = cross @ (roots @ np.swapaxes(roots, 1, 2))
    matrix = np.zeros((n_components, n_block, len(observed)))
    matrix[:, observed, np.arange(len(observed))] = 1.0
    matrix[:, missing] = slopes
    covariance = np.zeros_like(covariances)
    covariance[:, missing[:, None], missing] = covariances[:, missing[:, None], missing] - slopes @ np.swapaxes(
        cross, 1, 2
    )
    offset = means - np.einsum("kij,kj->ki", matrix, means[:, observed])
    return BlockRegression(matrix, offset, covariance)


def expect_block_moments(mixture: MixedMixture, sums: PatternSums) -> Moments:
    """Return the expected moments (K, b) of the block's columns over all rows (Ghahramani & Jordan, NIPS 6, 1994)."""
    n_components, n_block = mixture.block_means.shape
    total = Moments(
        np.zeros(n_components),
        np.zeros((n_components, n_block)),
        np.zeros((n_components, n_block, n_block)),
        MomentKind.FULL,
    )
    for block_sums in sums.iterate_block_sums():
        moments = block_sums.to_moments()
        if len(block_sums.observed) < n_block:
            moments = Statistics(moments).lift(*regress_block(mixture, block_sums.observed)).moments
        total = total + moments
    return total
