"""The moments that a mixture stands for: what learns from moments can so go on from a mixture, or be fed with one."""

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import all_weights


def expected_moments(mixture: Mixture, kind: MomentKind) -> Moments:
    """The moments per unit of weight of rows that are as a mixture says, its noise last if it has any.

    After a step of EM, with neither prior nor ridge, these are the moments that the step was made of.
    """
    weights, centers = all_weights(mixture.weights, mixture.noise), mixture.centers
    covariances = mixture.covariance.matrices()
    if mixture.noise is not None:
        centers = np.vstack([centers, mixture.noise.box.center])
        covariances = np.concatenate([covariances, np.zeros_like(covariances[:1])])
    full = Moments(weights, centers, weights[:, None, None] * covariances, MomentKind.FULL)
    return full.to_kind(kind)
