"""Prior distributions of the weights in variational Bayes: a Dirichlet distribution or a Dirichlet process.

Their posteriors depend only on the masses of the components. Sources: Bishop, *Pattern Recognition and Machine
Learning* (2006), equations 10.57, 10.58 and 10.66, for the distribution; Blei & Jordan, "Variational inference for
Dirichlet process mixtures", Bayesian Analysis 1 (2006), section 3.2, for the process.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln

from gaussmix.types import Array, K


@dataclass(frozen=True)
class AbstractWeightPrior(ABC):
    """A prior distribution of the weights; a larger ``concentration`` makes them more equal.

    The parameters of the posterior are called ``weight_concentration``, as in scikit-learn. Their shape depends
    on the prior.
    """

    concentration: float

    @abstractmethod
    def posterior_concentration(self, mass: K) -> Array:
        """Return the parameters of the posterior, (K,) or (2, K), given the mass of each component (K,)."""

    @abstractmethod
    def expected_weights(self, weight_concentration: Array) -> K:
        """Return the expected weights (K,), which add up to 1."""

    @abstractmethod
    def expected_log_weights(self, weight_concentration: Array) -> K:
        """Return the expected logarithms of the weights (K,)."""

    @abstractmethod
    def log_normalizing_factor(self, weight_concentration: Array) -> float:
        """Return the logarithm of the factor that makes the posterior density integrate to 1."""

    @abstractmethod
    def kl_divergence_from_prior(self, weight_concentration: Array) -> float:
        """Return the Kullback-Leibler divergence of the posterior from the prior, in nats."""


class DirichletDistribution(AbstractWeightPrior):
    """A symmetric Dirichlet distribution of the weights; the posterior has parameters (K,)."""

    def posterior_concentration(self, mass: K) -> Array:
        """Return the parameters (K,) of the posterior: the prior's concentration plus mass."""
        return self.concentration + mass

    def expected_weights(self, weight_concentration: Array) -> K:
        """Return the expected weights (K,), which add up to 1."""
        return np.asarray(weight_concentration / weight_concentration.sum())

    def expected_log_weights(self, weight_concentration: Array) -> K:
        """Return the expected logarithms of the weights (K,)."""
        return np.asarray(digamma(weight_concentration) - digamma(weight_concentration.sum()))

    def log_normalizing_factor(self, weight_concentration: Array) -> float:
        """Return the logarithm of the factor that makes the posterior density integrate to 1."""
        return float(gammaln(weight_concentration.sum()) - gammaln(weight_concentration).sum())

    def kl_divergence_from_prior(self, weight_concentration: Array) -> float:
        """Return the Kullback-Leibler divergence of the posterior from the prior, in nats."""
        prior_normalizer = self.log_normalizing_factor(np.full(len(weight_concentration), self.concentration))
        difference = (weight_concentration - self.concentration) @ self.expected_log_weights(weight_concentration)
        return float(self.log_normalizing_factor(weight_concentration) - prior_normalizer + difference)


class DirichletProcess(AbstractWeightPrior):
    """A Dirichlet process, by stick-breaking: component k gets a fraction v_k of the remaining weight.

    Every fraction has the prior Beta(1, concentration). The posterior has the two Beta parameters of each
    fraction, (2, K). Components after the last have no rows and keep their prior, so that the lower bound is
    that of the whole process. The order of the components matters: the prior expects the first to be the largest.
    """

    def posterior_concentration(self, mass: K) -> Array:
        """Return the two Beta parameters of each fraction, (2, K)."""
        after = np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
        return np.array([1.0 + mass, self.concentration + after])

    def expected_weights(self, weight_concentration: Array) -> K:
        """Return the expected weights (K,), which add up to 1."""
        fractions = weight_concentration / weight_concentration.sum(axis=0)
        weights = fractions[0] * np.cumprod(np.append(1.0, fractions[1, :-1]))
        return np.asarray(weights / weights.sum())

    def expected_log_weights(self, weight_concentration: Array) -> K:
        """Return the expected logarithms of the weights (K,)."""
        log_fractions, log_rests = digamma(weight_concentration) - digamma(weight_concentration.sum(axis=0))
        return np.asarray(log_fractions + np.append(0.0, np.cumsum(log_rests[:-1])))

    def log_normalizing_factor(self, weight_concentration: Array) -> float:
        """Return the logarithm of the factor that makes the posterior density integrate to 1."""
        return float(-betaln(*weight_concentration).sum())

    def kl_divergence_from_prior(self, weight_concentration: Array) -> float:
        """Return the Kullback-Leibler divergence of the posterior from the prior, in nats."""
        prior = np.array([1.0, self.concentration])
        expected_logs = digamma(weight_concentration) - digamma(weight_concentration.sum(axis=0))
        differences = (weight_concentration - prior[:, None]) * expected_logs
        prior_normalizer = weight_concentration.shape[1] * betaln(*prior)
        return float(self.log_normalizing_factor(weight_concentration) + prior_normalizer + differences.sum())


# scikit-learn's names
WEIGHT_PRIORS: dict[str, type[AbstractWeightPrior]] = {
    "dirichlet_process": DirichletProcess,
    "dirichlet_distribution": DirichletDistribution,
}
