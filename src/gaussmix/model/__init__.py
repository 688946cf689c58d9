"""What a Gaussian and a mixture of Gaussians are, and what can be asked of them."""

from gaussmix.model.gaussian import Gaussian
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem

__all__ = ["Gaussian", "Mixture", "Problem"]
