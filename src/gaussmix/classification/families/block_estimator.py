"""The estimator of the covariances of the correlated block, for any structure."""

import numpy as np

from gaussmix.classification.mixed.mixed_m_step import MIN_VARIANCE
from gaussmix.covariance.base import AbstractCovarianceEstimator
from gaussmix.covariance.estimator import make_covariance_estimator
from gaussmix.covariance.regularizer import FloorRegularizer
from gaussmix.covariance.structure import Structure


def make_block_estimator(structure: str, n_columns: int) -> AbstractCovarianceEstimator:
    """Return the estimator of a structure for ``n_columns`` standardised columns, with the variance floor."""
    return make_covariance_estimator(
        Structure.from_name(structure), FloorRegularizer(np.full(n_columns, MIN_VARIANCE))
    )
