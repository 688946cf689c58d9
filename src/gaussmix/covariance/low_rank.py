"""Covariances of factor analysers: loadings and noise variances, from which everything else is derived."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.roots import LowRankRoot
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.types import KD, KDD, KDQ, ND, IntD, K


@dataclass(frozen=True)
class LowRankCovariance(AbstractCovariance):
    """``loadings`` (K, D, q) and ``noise`` variances (K, D): covariance = loadings loadings^T + diag(noise)."""

    loadings: KDQ
    noise: KD

    @cached_property
    def root(self) -> LowRankRoot:
        scales = 1.0 / np.sqrt(self.noise)
        axes, lengths = linalg.left_singular(self.loadings * scales[:, :, None])
        return LowRankRoot(scales, axes, np.hypot(1.0, lengths))

    @cached_property
    def log_determinants(self) -> K:
        return np.asarray(np.log(self.noise).sum(axis=1) + 2.0 * np.log(self.root.stretches).sum(axis=1))

    @property
    def n_features(self) -> int:
        return int(self.noise.shape[1])

    def matrices(self) -> KDD:
        products = self.loadings @ np.swapaxes(self.loadings, 1, 2)
        np.einsum("kii->ki", products)[...] += self.noise
        return np.asarray(products)

    def spread(self, noise: ND, component: int) -> ND:
        axes, stretches = self.root.axes[component], self.root.stretches[component]
        stretched = noise + ((noise @ axes) * (stretches - 1.0)) @ axes.T
        return np.asarray(stretched * np.sqrt(self.noise[component]))

    def permute(self, order: IntD) -> "LowRankCovariance":
        return replace(
            self, floored=self.floored[order], loadings=self.loadings[order], noise=self.noise[order]
        )

    def scaled(self, powers: IntD) -> "LowRankCovariance":
        """The covariances of the same columns, each in units smaller by 2**powers."""
        return replace(
            self, loadings=np.ldexp(self.loadings, powers[:, None]), noise=np.ldexp(self.noise, 2 * powers)
        )
