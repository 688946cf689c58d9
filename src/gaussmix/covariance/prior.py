"""What may be believed of means and covariances before the data: a conjugate prior, for every structure.

    mean_k | Sigma_k ~ normal(location, Sigma_k / shrinkage),    Sigma_k ~ inverse Wishart(degrees, scale)

The most probable parameters are then those that maximum likelihood would find had each component seen
some more scatter, and divided it by some more mass (Fraley & Raftery, "Bayesian regularization for
normal mixture estimation and model-based clustering", J. Classification 24, 2007, table 1). Where
variances are held along the axes, or one for all of them, each is inverse gamma instead; where one covariance serves
all components the prior counts once. Weights have none.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.covariance.structure import Structure
from gaussmix.types import DD, KD, Array, D


@dataclass(frozen=True)
class NormalInverseWishart:
    """The prior in the coordinates of a frame: ``location`` (D,), ``scale`` (D, D)."""

    shrinkage: float
    location: D
    degrees: float
    scale: DD

    def informed(self, moments: Moments, structure: Structure) -> Moments:
        """Means drawn towards the location, the scatter about them, and the mass that this is to be divided by."""
        n_components = len(moments.mass)
        extra = self._mass(structure, n_components)
        if self.shrinkage:
            weight = np.full(n_components, self.shrinkage)
            nothing = np.zeros_like(moments.scatter)
            located = np.broadcast_to(self.location, moments.mean.shape)
            pulled = moments + Moments(weight, located, nothing, moments.kind)
        else:
            pulled = moments
        scatter = pulled.scatter + self._scatter(structure, n_components, moments.kind)
        return Moments(moments.mass + extra, pulled.mean, scatter, moments.kind)

    def log_density(self, centers: KD, covariance: AbstractCovariance) -> float:
        """Logarithm of the prior's density at centres (K, D) and covariances, up to a constant."""
        structure, n_components = covariance.structure, len(centers)
        roots = covariance.root
        part = self._share(structure, n_components) * self._held(structure)
        factor = np.linalg.cholesky(part) if part.any() else part
        total = self._mass(structure, n_components) * float(covariance.log_determinants.sum())
        for k, center in enumerate(centers):
            total += float((roots.whiten(factor.T, k) ** 2).sum())
            total += self.shrinkage * float((roots.whiten((center - self.location)[None], k) ** 2).sum())
        return -0.5 * total

    def _mass(self, structure: Structure, n_components: int) -> float:
        """What each component's denominator gains; each variance is inverse gamma where they are held one by one."""
        n_features = len(self.location)
        if structure.orientation != "I":
            own = self.degrees + n_features + 1.0
        elif structure.shape != "I":
            own = self.degrees + 2.0
        else:
            own = (self.degrees + 2.0) / n_features
        return self._share(structure, n_components) * own + (1.0 if self.shrinkage else 0.0)

    def _share(self, structure: Structure, n_components: int) -> float:
        """The part of the prior that falls to each component: all of it, or one in K where the covariance is one."""
        return 1.0 / n_components if str(structure) in ("EII", "EEI", "EEE") else 1.0

    def _held(self, structure: Structure) -> DD:
        """The scale in the form of the structure: a matrix, variances, or their sum of one for all columns."""
        variances = np.diagonal(self.scale)
        if structure.orientation != "I":
            return self.scale
        return np.diag(
            variances if structure.shape != "I" else np.full(len(variances), variances.mean() / len(variances))
        )

    def _scatter(self, structure: Structure, n_components: int, kind: MomentKind) -> Array:
        """The scatter that all components gain, in a kind."""
        own = self._share(structure, n_components) * self._held(structure)
        each = np.broadcast_to(own, (n_components, *own.shape))
        full = Moments(np.ones(n_components), np.zeros(each.shape[:2]), each, MomentKind.FULL)
        return np.asarray(full.reduce(kind).scatter)


@dataclass(frozen=True)
class DefaultPrior:
    """A prior that takes what is not given from the data, as mclust does.

    Parameters
    ----------
    shrinkage : float, default=0.01
        Rows that the prior's location counts for in each mean; 0 leaves means alone.
    location : array-like of shape (D,), optional
        Where means are drawn to; the data's mean if not given.
    degrees : float, optional
        Degrees of freedom; D + 2 if not given.
    scale : array-like of shape (D, D), optional
        The covariance of the data over K^(2/D) if not given; for structures along the axes the mean
        of its variances in every column.
    """

    shrinkage: float = 0.01
    location: Array | None = None
    degrees: float | None = None
    scale: Array | None = None
