"""A whole mixture as free numbers about one, and the gradient of the likelihood along them, from moments.

Weights are a softmax, means move in standard deviations of their component, covariances as their structure lets them
(`covariance/coordinates.py`). The gradient needs no row: with mass n_k, mean m_k and scatter W_k of a pass (Fisher's
identity; Salakhutdinov, Roweis & Ghahramani, "Optimization with EM and expectation-conjugate-gradient", ICML 2003)

    d/d log weight_k = n_k - n weight_k,    d/d mean_k = S_k^-1 n_k (m_k - mean_k),
    d/d S_k = S_k^-1 (W_k + n_k (m_k - mean_k)(m_k - mean_k)^T - n_k S_k) S_k^-1 / 2.

The numbers are in units of the Fisher information of the rows, were their components known, at the mixture begun at:
there a step along the gradient of length one is, to first order, a step of EM.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.whole import Belief
from gaussmix.covariance import AbstractCovariance
from gaussmix.covariance.coordinates import AbstractCoordinates, coordinates
from gaussmix.covariance.factor_coordinates import ByLoadings
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.model.held import Held
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import shares
from gaussmix.types import KD, KDD, Array, K

_LEAST_MASS = 1e-3  # of an equal share of the rows: the information on a component that dies out
_MOST = 300.0  # of a log weight about the one begun at


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Numbers of mixtures of one structure about ``origin``, for rows of so much ``weight`` in all.

    ``spreads`` (K, D, D) or (K, D) are factors of the origin's covariances, or its standard deviations.
    """

    origin: Mixture
    weight: float
    masses: K
    inner: AbstractCoordinates
    spreads: Array

    @classmethod
    def about(cls, origin: Mixture, weight: float) -> "Coordinates":
        """Coordinates in which a mixture has all numbers zero."""
        own = shares(origin.weights, origin.noise)
        masses = weight * np.maximum(own, _LEAST_MASS / len(own))
        inner = _inner(origin.covariance, masses[: origin.n_components])
        return cls(origin, weight, masses, inner, _spreads(origin.covariance, inner))

    @property
    def size(self) -> int:
        return len(self.vector(self.origin))

    def vector(self, mixture: Mixture) -> Array:
        """The numbers of a mixture."""
        own, old = (shares(each.weights, each.noise) for each in (mixture, self.origin))
        with np.errstate(divide="ignore"):
            logs = np.log(np.where(old > 0, own, 1.0)) - np.log(np.where(old > 0, old, 1.0))
        logs = np.clip(logs, -_MOST, _MOST)
        logs -= self.masses @ logs / self.masses.sum()
        moved = self._whitened(mixture.centers - self.origin.centers) * self._roots[:, None]
        return np.concatenate([np.sqrt(self.masses) * logs, moved.ravel(), self.inner.vector(mixture.covariance)])

    def mixture(self, vector: Array) -> Mixture:
        """The mixture that has these numbers."""
        _, centers, inner = self._cut(vector)
        own = self._shares(vector)
        moved = self._spread(centers / self._roots[:, None])
        noise = None if self.origin.noise is None else replace(self.origin.noise, weight=float(own[-1]))
        return replace(
            self.origin,
            weights=own[: self.origin.n_components],
            centers=self.origin.centers + moved,
            covariance=self.inner.covariance(inner),
            noise=noise,
        )

    def gradient(
        self,
        vector: Array,
        mixture: Mixture,
        moments: Moments,
        belief: Belief | None = None,
        held: Held | None = None,
    ) -> Array:
        """Of log-likelihood, and log density of a prior, at a mixture that has these numbers, from its own moments.

        ``moments`` are each component's own, those of the noise at the end, full where ``inner`` wants them. Along
        what is held it is zero.
        """
        count = mixture.n_components
        own = shares(mixture.weights, mixture.noise)
        weights = _weight_slope(own, moments.mass, self._shares(vector), held) / np.sqrt(self.masses)
        apart = moments.mean[:count] - mixture.centers
        means, slope = _slopes(mixture, moments.mass[:count], apart, moments.scatter[:count], self.inner.kind, belief)
        if held is not None:
            means = np.where(np.isfinite(held.centers), 0.0, means)
            slope = np.where(held.chosen.reshape(-1, *[1] * (slope.ndim - 1)), 0.0, slope)
        moved = self._pulled(means) / self._roots[:, None]
        inner = self.inner.pulled_back(self._cut(vector)[2], slope)
        return np.concatenate([weights, moved.ravel(), inner])

    def _shares(self, vector: Array) -> K:
        """Weights, that of the noise at the end."""
        with np.errstate(divide="ignore"):
            powers = np.log(shares(self.origin.weights, self.origin.noise))
        powers = powers + np.clip(self._cut(vector)[0] / np.sqrt(self.masses), -_MOST, _MOST)
        own = np.exp(powers - powers.max())
        return np.asarray(own / own.sum())

    @property
    def _roots(self) -> K:
        return np.sqrt(self.masses[: self.origin.n_components])

    def _cut(self, vector: Array) -> tuple[Array, Array, Array]:
        shape = self.origin.centers.shape
        first, second = len(self.masses), len(self.masses) + shape[0] * shape[1]
        return vector[:first], vector[first:second].reshape(shape), vector[second:]

    def _spread(self, white: KD) -> KD:
        if self.spreads.ndim == 2:
            return np.asarray(white * self.spreads)
        return np.asarray(np.einsum("kij,kj->ki", self.spreads, white))

    def _pulled(self, slope: KD) -> KD:
        if self.spreads.ndim == 2:
            return np.asarray(slope * self.spreads)
        return np.asarray(np.einsum("kij,ki->kj", self.spreads, slope))

    def _whitened(self, apart: KD) -> KD:
        if self.spreads.ndim == 2:
            return np.asarray(apart / self.spreads)
        return linalg.solve_stack(self.spreads, apart)


def _inner(covariance: AbstractCovariance, masses: K) -> AbstractCoordinates:
    if isinstance(covariance, LowRankCovariance):
        return ByLoadings(covariance, masses)
    return coordinates(covariance, masses)


def _spreads(covariance: AbstractCovariance, inner: AbstractCoordinates) -> Array:
    """Factors of covariances, or standard deviations where there are too many columns, or nothing else."""
    if isinstance(covariance, LowRankCovariance) or inner.kind is MomentKind.DIAGONAL:
        variances = np.einsum("kii->ki", covariance.matrices())
        return np.asarray(np.sqrt(variances))
    return linalg.factorised(covariance.matrices())[0]


def _weight_slope(own: K, mass: K, free_shares: K, held: Held | None) -> K:
    """The gradient along log weights, of which free ones share what held ones leave.

    ``free_shares`` are the weights that the numbers would stand for if nothing were held.
    """
    if held is None:
        return np.asarray(mass - mass.sum() * own)
    count = len(held.weights)
    if held.equal_weights:
        slope = mass - mass.sum() * own
        slope[:count] = slope[:count].sum() * free_shares[:count] / free_shares[:count].sum()
        return np.asarray(slope)
    free = np.append(np.isnan(held.weights), np.ones(len(own) - count, dtype=bool))
    share = own / own[free].sum() if free.any() else own
    return np.where(free, mass - mass[free].sum() * share, 0.0)


def _slopes(
    mixture: Mixture, mass: K, apart: KD, scatter: Array, kind: MomentKind, belief: Belief | None
) -> tuple[KD, Array]:
    """The gradient along means (K, D), and along covariances (K, D, D), or (K, D) of variances along the columns."""
    gained = 0.0 if belief is None else belief.shrinkage
    pull = np.zeros_like(apart) if belief is None else belief.location - mixture.centers
    extra = 0.0 if belief is None else belief.mass
    about = scatter + kind.outer(apart, mass) + kind.outer(pull, np.full(len(mass), gained))
    if belief is not None:
        about = about + (belief.scatter if kind is MomentKind.FULL else np.diagonal(belief.scatter))
    roots = mixture.covariance.root.dense(*mixture.centers.shape)
    force = mass[:, None] * apart + gained * pull
    if kind is MomentKind.DIAGONAL:
        precisions = (roots**2).sum(axis=2)
        return force * precisions, 0.5 * (about * precisions - (mass + extra)[:, None]) * precisions
    return _along(roots, force), _between(roots, about, mass + extra)


def _along(roots: KDD, force: KD) -> KD:
    return np.asarray(np.einsum("kij,klj,kl->ki", roots, roots, force, optimize=True))


def _between(roots: KDD, about: KDD, mass: K) -> KDD:
    white = np.swapaxes(roots, 1, 2) @ about @ roots
    np.einsum("kii->ki", white)[:] -= mass[:, None]
    return np.asarray(0.5 * roots @ white @ np.swapaxes(roots, 1, 2))
