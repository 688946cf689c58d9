"""Expected moments of the block's columns, in which the missing cells are replaced by their conditional moments."""

import numpy as np

from gaussmix.classification.mixed.block_precisions import compute_block_precisions
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import PatternSums
from gaussmix.core.moments import MomentKind, Moments


def expect_block_moments(mixture: MixedMixture, sums: PatternSums) -> Moments:
    """Return the expected moments (K, b) of the block's columns over all rows.

    Deviations from the means of the mixture are regressed on those of the observed columns, and the covariance of
    the error is added (Ghahramani & Jordan, "Supervised learning from incomplete data via an EM approach", NIPS 6,
    1994).
    """
    means, covariances = mixture.block_means, mixture.covariances
    mass, first, second = sums.block_sums_about(means)
    if not sums.is_observed.all():
        precisions = compute_block_precisions(covariances, sums.is_observed).matrices
        observed = sums.is_observed[:, None, :, None]
        slopes = np.where(observed, np.eye(covariances.shape[1]), covariances @ precisions)
        errors = np.where(observed | np.swapaxes(observed, 2, 3), 0.0, covariances - slopes @ covariances)
        first = np.einsum("gkij,gkj->gki", slopes, first)
        second = slopes @ second @ np.swapaxes(slopes, 2, 3) + mass[..., None, None] * errors
    return Moments.from_centered_sums(mass.sum(axis=0), means, first.sum(axis=0), second.sum(axis=0), MomentKind.FULL)
