"""Covariance structures: from scatter to covariances, one row of a table each."""

from gaussmix.covariance.base import AbstractCovariance, AbstractCovarianceEstimator
from gaussmix.covariance.estimator import CovarianceEstimator, make_covariance_estimator
from gaussmix.covariance.factor_structure import FACTOR_STRUCTURE_NAMES, FactorStructure, parse_structure
from gaussmix.covariance.prior import DefaultPrior, NormalInverseWishart
from gaussmix.covariance.projection import covariance_from_matrices, project_to_structure, rescale_columns
from gaussmix.covariance.regularizer import AbstractRegularizer, FloorRegularizer, RidgeRegularizer
from gaussmix.covariance.structure import MCLUST_NAMES, SKLEARN_TO_MCLUST, Structure

__all__ = [
    "FACTOR_STRUCTURE_NAMES",
    "MCLUST_NAMES",
    "SKLEARN_TO_MCLUST",
    "AbstractCovariance",
    "AbstractCovarianceEstimator",
    "AbstractRegularizer",
    "CovarianceEstimator",
    "DefaultPrior",
    "FactorStructure",
    "FloorRegularizer",
    "NormalInverseWishart",
    "RidgeRegularizer",
    "Structure",
    "covariance_from_matrices",
    "make_covariance_estimator",
    "parse_structure",
    "project_to_structure",
    "rescale_columns",
]
