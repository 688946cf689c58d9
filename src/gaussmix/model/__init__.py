"""Gaussians and mixtures of Gaussians, their parameters, predictions and files, and the problem of fitting one."""

from gaussmix.model.constraints import Constraints
from gaussmix.model.gaussian import Gaussian
from gaussmix.model.intensity import Intensity
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.model.reduction import reduce_mixture

__all__ = ["Constraints", "Gaussian", "Intensity", "Mixture", "Problem", "reduce_mixture"]
