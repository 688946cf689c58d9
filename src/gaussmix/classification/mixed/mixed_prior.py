"""``MixedPrior``: pseudo-observations of each component, at the moments of its class.

Means and covariances have a normal-inverse-Wishart prior, levels a Dirichlet prior (Fraley & Raftery, "Bayesian
regularization for normal mixture estimation and model-based clustering", Journal of Classification 24, 2007). The
prior is what a component knows of columns in which it has few rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.core.linalg import cholesky_stack, log_determinants_from_factors, triangular_inverse_transposes
from gaussmix.types import KD, KDD, Array, IntK

_MIN_LEVEL_ROWS = 0.5


@dataclass(frozen=True)
class PriorStrength:
    """Numbers of pseudo-observations.

    Attributes
    ----------
    mean : float
        Of the mean of each column.
    covariance : float
        Of the variance of a column; covariances of several columns need more, see `of_block`.
    levels : float
        Of the levels of each categorical column, in total; see `count_levels`.
    """

    mean: float = 1.0
    covariance: float = 5.0
    levels: float = 3.0

    def count_levels(self, probabilities: Array) -> Array:
        """Return the numbers of pseudo-observations of levels of the given probabilities, of the same shape.

        Each level counts for half a row at least, as in Jeffreys' prior: a rare level that one class has in a single
        row would decide for it otherwise.
        """
        return np.maximum(self.levels * probabilities, _MIN_LEVEL_ROWS if self.levels else 0.0)

    def of_block(self, n_columns: int) -> float:
        """Return the number of pseudo-observations of the covariance of a block.

        The degrees of freedom of an inverse Wishart prior and the dimension both count in its mode, as in Fraley &
        Raftery: two more for each further column. Fewer would leave a class of few rows without variance in directions
        that its rows do not span.
        """
        return self.covariance * (2.0 * n_columns + 3.0) / 5.0


@dataclass(frozen=True, eq=False)
class MixedPrior:
    """Moments (K, ...) of the class of each component, and how many observations each counts as.

    ``means`` are (K, D), ``variances`` (K, D - b), ``covariances`` (K, b, b), and ``level_probabilities`` one array
    (K, n_levels) for each categorical column.
    """

    strength: PriorStrength
    means: KD
    variances: Array
    covariances: KDD
    level_probabilities: tuple[Array, ...]

    def select_components(self, components: IntK | Sequence[int]) -> "MixedPrior":
        """Return the prior of some components; a component may be chosen several times."""
        index = np.asarray(components, dtype=np.int64)
        tables = tuple(table[index] for table in self.level_probabilities)
        return MixedPrior(self.strength, self.means[index], self.variances[index], self.covariances[index], tables)

    def log_density(self, mixture: MixedMixture) -> float:
        """Return the log density of a mixture's parameters, up to a constant."""
        layout, strength = mixture.layout, self.strength
        independent = layout.independent_columns
        shift = mixture.means[:, independent] - self.means[:, independent]
        squares = strength.covariance * self.variances + strength.mean * shift**2
        total = -0.5 * float((strength.covariance * np.log(mixture.variances) + squares / mixture.variances).sum())
        for table, probabilities in zip(mixture.tables, self.level_probabilities, strict=True):
            total += float((strength.count_levels(probabilities) * table).sum())
        return total + self._block_log_density(mixture)

    def _block_log_density(self, mixture: MixedMixture) -> float:
        """Return the log density of the block's means and covariances, up to a constant."""
        block = mixture.layout.block_columns
        if not len(block) or not (self.strength.mean or self.strength.covariance):
            return 0.0
        factors = cholesky_stack(mixture.covariances).factors
        roots = triangular_inverse_transposes(factors)
        shift = self.means[:, block] - mixture.means[:, block]
        n_pseudo = self.strength.of_block(len(block))
        scatter = n_pseudo * self.covariances
        scatter = scatter + self.strength.mean * shift[:, :, None] * shift[:, None, :]
        traces = np.einsum("kia,kij,kja->k", roots, scatter, roots)
        log_determinants = log_determinants_from_factors(factors)
        return -0.5 * float((n_pseudo * log_determinants + traces).sum())
