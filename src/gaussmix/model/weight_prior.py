"""What is believed of the weights of a mixture, before the data and after: a Dirichlet distribution or a process.

Both are independent of what components look like, and learn from their masses alone: Bishop, *Pattern Recognition and
Machine Learning* (2006), equations 10.57, 10.58 and 10.66, for the distribution; Blei & Jordan, "Variational inference
for Dirichlet process mixtures", Bayesian Analysis 1 (2006), section 3.2, for the process.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln

from gaussmix.types import Array, K


@dataclass(frozen=True)
class AbstractWeightPrior(ABC):
    """A prior over weights; ``concentration`` says how evenly it spreads them.

    What the data make of it are numbers of its own, ``learned``, that the other methods read.
    """

    concentration: float

    @abstractmethod
    def posterior_concentration(self, mass: K) -> Array:
        """The posterior, given the mass of each component (K,)."""

    @abstractmethod
    def expected_weights(self, weight_concentration: Array) -> K:
        """Expected weights (K,), adding up to 1."""

    @abstractmethod
    def expected_log_weights(self, weight_concentration: Array) -> K:
        """Expected logarithms of the weights (K,)."""

    @abstractmethod
    def log_normalizer(self, weight_concentration: Array) -> float:
        """log of the factor that makes the posterior's density integrate to one."""

    @abstractmethod
    def kl_divergence(self, weight_concentration: Array) -> float:
        """Kullback-Leibler divergence of the posterior from the prior, in nats."""


class DirichletDistribution(AbstractWeightPrior):
    """A symmetric Dirichlet distribution over the weights; what is learned are its parameters (K,)."""

    def posterior_concentration(self, mass: K) -> Array:
        return self.concentration + mass

    def expected_weights(self, weight_concentration: Array) -> K:
        return np.asarray(weight_concentration / weight_concentration.sum())

    def expected_log_weights(self, weight_concentration: Array) -> K:
        return np.asarray(digamma(weight_concentration) - digamma(weight_concentration.sum()))

    def log_normalizer(self, weight_concentration: Array) -> float:
        return float(gammaln(weight_concentration.sum()) - gammaln(weight_concentration).sum())

    def kl_divergence(self, weight_concentration: Array) -> float:
        before = self.log_normalizer(np.full(len(weight_concentration), self.concentration))
        gained = (weight_concentration - self.concentration) @ self.expected_log_weights(weight_concentration)
        return float(self.log_normalizer(weight_concentration) - before + gained)


class DirichletProcess(AbstractWeightPrior):
    """A Dirichlet process, by breaking sticks: component k takes a share v_k of what those before it left.

    Every share has the prior Beta(1, concentration). What is learned are the two parameters of each share, (2, K). No
    row belongs to components after the last, whose shares keep their prior, so that the bound is that of the whole
    process. The order of the components matters: the first are believed to be the largest.
    """

    def posterior_concentration(self, mass: K) -> Array:
        after = np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
        return np.array([1.0 + mass, self.concentration + after])

    def expected_weights(self, weight_concentration: Array) -> K:
        share = weight_concentration / weight_concentration.sum(axis=0)
        weights = share[0] * np.cumprod(np.append(1.0, share[1, :-1]))
        return np.asarray(weights / weights.sum())

    def expected_log_weights(self, weight_concentration: Array) -> K:
        taken, left = digamma(weight_concentration) - digamma(weight_concentration.sum(axis=0))
        return np.asarray(taken + np.append(0.0, np.cumsum(left[:-1])))

    def log_normalizer(self, weight_concentration: Array) -> float:
        return float(-betaln(*weight_concentration).sum())

    def kl_divergence(self, weight_concentration: Array) -> float:
        before = np.array([1.0, self.concentration])
        gained = (weight_concentration - before[:, None]) * (
            digamma(weight_concentration) - digamma(weight_concentration.sum(axis=0))
        )
        return float(
            self.log_normalizer(weight_concentration) + weight_concentration.shape[1] * betaln(*before) + gained.sum()
        )


WEIGHT_PRIORS: dict[str, type[AbstractWeightPrior]] = {
    "dirichlet_process": DirichletProcess,
    "dirichlet_distribution": DirichletDistribution,
}
"""By the names that scikit-learn gave them."""
