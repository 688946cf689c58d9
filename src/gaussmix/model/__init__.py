"""What a Gaussian and a mixture of Gaussians are, and what can be asked of them."""

from gaussmix.model.constraints import Constraints
from gaussmix.model.gaussian import Gaussian
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem

__all__ = ["Constraints", "Gaussian", "Mixture", "Problem"]
