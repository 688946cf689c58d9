"""Covariance structures: from scatter to covariances, one row of a table each."""

from gaussmix.covariance.base import AbstractCovariance, AbstractFamily
from gaussmix.covariance.factor_structure import FACTOR_NAMES, FactorStructure, structure_of
from gaussmix.covariance.families import StructuredFamily, family
from gaussmix.covariance.given import from_matrices, project, rescaled
from gaussmix.covariance.prior import DefaultPrior, NormalInverseWishart
from gaussmix.covariance.regularise import AbstractLimit, Floor, Ridge
from gaussmix.covariance.structure import ALL, SKLEARN_NAMES, Structure

__all__ = [
    "ALL",
    "FACTOR_NAMES",
    "SKLEARN_NAMES",
    "AbstractCovariance",
    "AbstractFamily",
    "AbstractLimit",
    "DefaultPrior",
    "FactorStructure",
    "Floor",
    "NormalInverseWishart",
    "Ridge",
    "Structure",
    "StructuredFamily",
    "family",
    "from_matrices",
    "project",
    "rescaled",
    "structure_of",
]
