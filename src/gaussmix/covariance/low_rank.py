"""The low-rank representation of covariances: loadings of factors and noise variances."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.precision_roots import LowRankPrecisionRoot
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.types import KD, KDD, KDQ, ND, IntD, IntK, K


@dataclass(frozen=True)
class LowRankCovariance(AbstractCovariance):
    """Covariance = loadings loadings^T + diag(noise_variance); ``loadings`` (K, D, q), ``noise_variance`` (K, D)."""

    loadings: KDQ
    noise_variance: KD

    @cached_property
    def precision_root(self) -> LowRankPrecisionRoot:
        """Square roots of the precisions, of low rank plus diagonal."""
        scales = 1.0 / np.sqrt(self.noise_variance)
        axes, lengths = linalg.left_singular_vectors(self.loadings * scales[:, :, None])
        return LowRankPrecisionRoot(scales, axes, np.hypot(1.0, lengths))

    @cached_property
    def log_determinants(self) -> K:
        """log |covariance| of each component, (K,)."""
        return np.asarray(
            np.log(self.noise_variance).sum(axis=1) + 2.0 * np.log(self.precision_root.axis_deviations).sum(axis=1)
        )

    @property
    def n_features(self) -> int:
        """Number of columns D."""
        return int(self.noise_variance.shape[1])

    def matrices(self) -> KDD:
        """Return the covariance matrices, (K, D, D)."""
        products = self.loadings @ np.swapaxes(self.loadings, 1, 2)
        np.einsum("kii->ki", products)[...] += self.noise_variance
        return np.asarray(products)

    def unwhiten(self, standard_normal: ND, component: int) -> ND:
        """Transform standard normal rows (n, D) into rows with the covariance of a component."""
        axes, stretches = self.precision_root.axes[component], self.precision_root.axis_deviations[component]
        stretched = standard_normal + ((standard_normal @ axes) * (stretches - 1.0)) @ axes.T
        return np.asarray(stretched * np.sqrt(self.noise_variance[component]))

    def permute_components(self, order: IntK) -> "LowRankCovariance":
        """Return the covariances with the components in another order."""
        return replace(
            self,
            is_floored=self.is_floored[order],
            loadings=self.loadings[order],
            noise_variance=self.noise_variance[order],
        )

    def rescale_columns(self, exponents: IntD) -> "LowRankCovariance":
        """Return the covariances of the columns after column j is multiplied by 2**exponents[j]."""
        return replace(
            self,
            loadings=np.ldexp(self.loadings, exponents[:, None]),
            noise_variance=np.ldexp(self.noise_variance, 2 * exponents),
        )
