"""Covariance structures: from scatter to covariances, one row of a table each."""

from gaussmix.covariance.base import AbstractCovariance, AbstractFamily
from gaussmix.covariance.closed import family
from gaussmix.covariance.given import from_matrices, project
from gaussmix.covariance.regularise import AbstractLimit, Floor, Ridge
from gaussmix.covariance.structure import ALL, SKLEARN_NAMES, Structure

__all__ = [
    "ALL",
    "SKLEARN_NAMES",
    "AbstractCovariance",
    "AbstractFamily",
    "AbstractLimit",
    "Floor",
    "Ridge",
    "Structure",
    "family",
    "from_matrices",
    "project",
]
