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
class AbstractConcentration(ABC):
    """A prior over weights; ``concentration`` says how evenly it spreads them.

    What the data make of it are numbers of its own, ``learned``, that the other methods read.
    """

    concentration: float

    @abstractmethod
    def learned(self, mass: K) -> Array:
        """The posterior, given the mass of each component (K,)."""

    @abstractmethod
    def weights(self, learned: Array) -> K:
        """Expected weights (K,), adding up to 1."""

    @abstractmethod
    def log_weights(self, learned: Array) -> K:
        """Expected logarithms of the weights (K,)."""

    @abstractmethod
    def log_normaliser(self, learned: Array) -> float:
        """log of the factor that makes the posterior's density integrate to one."""

    @abstractmethod
    def divergence(self, learned: Array) -> float:
        """Kullback-Leibler divergence of the posterior from the prior, in nats."""


class Dirichlet(AbstractConcentration):
    """A symmetric Dirichlet distribution over the weights; what is learned are its parameters (K,)."""

    def learned(self, mass: K) -> Array:
        return self.concentration + mass

    def weights(self, learned: Array) -> K:
        return np.asarray(learned / learned.sum())

    def log_weights(self, learned: Array) -> K:
        return np.asarray(digamma(learned) - digamma(learned.sum()))

    def log_normaliser(self, learned: Array) -> float:
        return float(gammaln(learned.sum()) - gammaln(learned).sum())

    def divergence(self, learned: Array) -> float:
        before = self.log_normaliser(np.full(len(learned), self.concentration))
        gained = (learned - self.concentration) @ self.log_weights(learned)
        return float(self.log_normaliser(learned) - before + gained)


class DirichletProcess(AbstractConcentration):
    """A Dirichlet process, by breaking sticks: component k takes a share v_k of what those before it left.

    Every share has the prior Beta(1, concentration). What is learned are the two parameters of each share, (2, K). No
    row belongs to components after the last, whose shares keep their prior, so that the bound is that of the whole
    process. The order of the components matters: the first are believed to be the largest.
    """

    def learned(self, mass: K) -> Array:
        after = np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
        return np.array([1.0 + mass, self.concentration + after])

    def weights(self, learned: Array) -> K:
        share = learned / learned.sum(axis=0)
        weights = share[0] * np.cumprod(np.append(1.0, share[1, :-1]))
        return np.asarray(weights / weights.sum())

    def log_weights(self, learned: Array) -> K:
        taken, left = digamma(learned) - digamma(learned.sum(axis=0))
        return np.asarray(taken + np.append(0.0, np.cumsum(left[:-1])))

    def log_normaliser(self, learned: Array) -> float:
        return float(-betaln(*learned).sum())

    def divergence(self, learned: Array) -> float:
        before = np.array([1.0, self.concentration])
        gained = (learned - before[:, None]) * (digamma(learned) - digamma(learned.sum(axis=0)))
        return float(self.log_normaliser(learned) + learned.shape[1] * betaln(*before) + gained.sum())


CONCENTRATIONS: dict[str, type[AbstractConcentration]] = {
    "dirichlet_process": DirichletProcess,
    "dirichlet_distribution": Dirichlet,
}
"""By the names that scikit-learn gave them."""
