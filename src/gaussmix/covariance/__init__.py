"""Covariance structures: what covariances look like, and the M-step that estimates them."""

from gaussmix.covariance.base import AbstractCovariance, AbstractCovarianceEstimator
from gaussmix.covariance.estimator import CovarianceEstimator, make_covariance_estimator
from gaussmix.covariance.factor_structure import FACTOR_STRUCTURE_NAMES, FactorStructure, parse_structure
from gaussmix.covariance.prior import DefaultPrior, NormalInverseWishart
from gaussmix.covariance.projection import (
    contract_covariances,
    covariance_from_matrices,
    covariance_from_precisions,
    expand_covariances,
    project_to_structure,
    representation_class,
    rescale_columns,
    sklearn_shape,
)
from gaussmix.covariance.regularizer import AbstractRegularizer, FloorRegularizer, RidgeRegularizer
from gaussmix.covariance.row_requirement import RowRequirement
from gaussmix.covariance.structure import (
    INDEPENDENT_STRUCTURE_NAMES,
    MCLUST_NAMES,
    SKLEARN_TO_MCLUST,
    MclustStructure,
    Structure,
    distinct_structure_names,
)

__all__ = [
    "FACTOR_STRUCTURE_NAMES",
    "INDEPENDENT_STRUCTURE_NAMES",
    "MCLUST_NAMES",
    "SKLEARN_TO_MCLUST",
    "AbstractCovariance",
    "AbstractCovarianceEstimator",
    "AbstractRegularizer",
    "CovarianceEstimator",
    "DefaultPrior",
    "FactorStructure",
    "FloorRegularizer",
    "MclustStructure",
    "NormalInverseWishart",
    "RidgeRegularizer",
    "RowRequirement",
    "Structure",
    "contract_covariances",
    "covariance_from_matrices",
    "covariance_from_precisions",
    "distinct_structure_names",
    "expand_covariances",
    "make_covariance_estimator",
    "parse_structure",
    "project_to_structure",
    "representation_class",
    "rescale_columns",
    "sklearn_shape",
]
