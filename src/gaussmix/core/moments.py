"""Moments: mass, mean and centred scatter of each component; moments of disjoint rows add.

Two sets of moments merge exactly (Chan, Golub & LeVeque, "Algorithms for computing the sample variance", The American
Statistician 37, 1983). The scatter of the union is the sum of the scatters plus the outer product of the difference of
the means. Chunks, files and workers are therefore one operation. No sum of uncentred squares, which would cancel, is
ever formed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import weighted_outer_sum
from gaussmix.types import DD, KD, ND, NK, Array, IntK, IntN, K, N


class MomentKind(Enum):
    """The part of the scatter that is needed; the value is the shape of ``Moments.scatter``.

    k-means needs masses and means only, that is NONE of the scatter.
    """

    FULL = "KDD"
    DIAGONAL = "KD"
    TRACE = "K"
    POOLED_FULL = "DD"
    POOLED_DIAGONAL = "D"
    NONE = "K0"

    @property
    def per_component(self) -> "MomentKind":
        """The kind of the same scatter for each component separately: itself, unless it is pooled."""
        return _PER_COMPONENT_KINDS.get(self, self)

    def weighted_outer_products(self, vectors: KD, weights: K) -> Array:
        """Return weights[k] vectors[k] vectors[k]^T in the shape of this kind: its diagonal, its sum over k, ..."""
        if self is MomentKind.FULL:
            return np.asarray(weights[:, None, None] * vectors[:, :, None] * vectors[:, None, :])
        if self is MomentKind.POOLED_FULL:
            return weighted_outer_sum(vectors, weights)
        if self is MomentKind.NONE:
            return vectors[:, :0].copy()
        squares = weights[:, None] * vectors**2
        if self is MomentKind.DIAGONAL:
            return np.asarray(squares)
        return np.asarray(squares.sum(axis=1 if self is MomentKind.TRACE else 0))


_PER_COMPONENT_KINDS = {MomentKind.POOLED_FULL: MomentKind.FULL, MomentKind.POOLED_DIAGONAL: MomentKind.DIAGONAL}


@dataclass(frozen=True, slots=True)
class Moments:
    """Mass (sum of responsibilities, (K,)), mean (K, D), and scatter about that mean, per component."""

    mass: K
    mean: KD
    scatter: Array
    kind: MomentKind

    @classmethod
    def from_centered_sums(cls, mass: K, center: KD, first_moments: KD, scatter: Array, kind: MomentKind) -> "Moments":
        """Make moments from sums about fixed centers: first = sum r (x - c), scatter = sum r (x - c)(x - c)^T."""
        delta = first_moments / np.where(mass > 0, mass, 1.0)[:, None]
        between = kind.weighted_outer_products(delta, mass)
        return cls(mass, center + delta, np.subtract(scatter, between, out=between), kind)

    def __add__(self, other: "Moments") -> "Moments":
        mass = self.mass + other.mass
        fraction = other.mass / np.where(mass > 0, mass, 1.0)
        delta = np.where((other.mass > 0)[:, None], other.mean - self.mean, 0.0)
        between = self.kind.weighted_outer_products(delta, self.mass * fraction)
        mean = np.where((self.mass > 0)[:, None], self.mean + fraction[:, None] * delta, self.mean + delta)
        scatter = np.add(self.scatter, other.scatter)
        return Moments(mass, mean, np.add(scatter, between, out=scatter), self.kind)

    def select_components(self, components: IntK) -> "Moments":
        """Return the moments of some components; the kind must not be pooled."""
        return Moments(self.mass[components], self.mean[components], self.scatter[components], self.kind)

    def permute_components(self, order: IntK) -> "Moments":
        """Return the same moments with the components in another order."""
        scatter = self.scatter[order] if self.kind.per_component is self.kind else self.scatter
        return Moments(self.mass[order], self.mean[order], scatter, self.kind)

    def split_at_means(self, axis_deviation: KD) -> "MomentHalves":
        """Return the lower and upper half of every component, split at its mean across an axis.

        ``axis_deviation`` (K, D) is the axis times the standard deviation along it. The halves are those of a Gaussian:
        each mean is sqrt(2 / pi) deviations from the mean of the whole, and the variance along the axis decreases by
        the square of that (half-normal distribution). Both halves together have the moments of the whole.
        """
        step = np.sqrt(2.0 / np.pi) * axis_deviation
        mass, scatter = 0.5 * self.mass, 0.5 * (self.scatter - self.kind.weighted_outer_products(step, self.mass))
        low, high = (Moments(mass, self.mean + sign * step, scatter, self.kind) for sign in (-1.0, 1.0))
        return MomentHalves(low, high)

    def interpolate(self, other: "Moments", fraction: float) -> "Moments":
        """Return the moments of these rows, counted (1 - fraction) times, and of others, counted ``fraction`` times.

        Every mass must stay positive.
        """
        mass = (1.0 - fraction) * self.mass + fraction * other.mass
        relative_fraction = fraction * other.mass / mass
        difference = other.mean - self.mean
        between = self.kind.weighted_outer_products(difference, (1.0 - fraction) * self.mass * relative_fraction)
        scatter = (1.0 - fraction) * self.scatter + fraction * other.scatter + between
        return Moments(mass, self.mean + relative_fraction[:, None] * difference, scatter, self.kind)

    def scale_weights(self, factor: float) -> "Moments":
        """Return the moments of the same rows, each counted ``factor`` times."""
        return replace(self, mass=self.mass * factor, scatter=self.scatter * factor)

    def with_scatter_about(self, mean: KD) -> "Moments":
        """Return the moments with ``mean`` (K, D) as means, and the scatter of the rows about them."""
        scatter = self.scatter + self.kind.weighted_outer_products(self.mean - mean, self.mass)
        return replace(self, mean=mean, scatter=scatter)

    def to_kind(self, kind: MomentKind) -> "Moments":
        """Return the same moments in a kind with less information, such as the diagonal of full scatter."""
        if kind is self.kind:
            return self
        return replace(self, scatter=_SCATTER_CONVERSIONS[(self.kind, kind)](self.scatter), kind=kind)


class MomentHalves(NamedTuple):
    """The moments of the lower and the upper halves of all components, K components each."""

    lower: Moments
    upper: Moments


def total_scatter(moments: Moments) -> DD:
    """Return the scatter (D, D) of all rows together about their common mean, from full moments."""
    fractions = moments.mass / moments.mass.sum()
    between = weighted_outer_sum(moments.mean - fractions @ moments.mean, moments.mass)
    return np.asarray(moments.scatter.sum(axis=0) + between)


def weighted_scatter(differences: ND, weights: Array, kind: MomentKind) -> Array:
    """Return sum_n w_n (x_n - c)(x_n - c)^T of one component, in the part that ``kind`` needs.

    Full kinds give (D, D), diagonal ones (D,), trace a scalar, and none (0,).
    """
    if kind in (MomentKind.FULL, MomentKind.POOLED_FULL):
        return np.asarray((differences * weights[:, None]).T @ differences)
    if kind is MomentKind.NONE:
        return np.empty(0)
    squares = weights @ differences**2
    return np.asarray(squares.sum() if kind is MomentKind.TRACE else squares)


def compute_moments(rows: ND, responsibilities: NK, center: KD, kind: MomentKind) -> Moments:
    """Return the moments of rows (n, D) under responsibilities (n, K), which include the row weights.

    ``center`` (K, D) is the origin of the sums; components of zero mass have it as their mean.
    """
    mass = responsibilities.sum(axis=0)
    mean, parts = center.copy(), []
    for k, weights in enumerate(responsibilities.T):
        if mass[k] > 0:
            mean[k] += weights @ (rows - center[k]) / mass[k]
        parts.append(weighted_scatter(rows - mean[k], weights, kind))
    pooled = kind in (MomentKind.POOLED_FULL, MomentKind.POOLED_DIAGONAL)
    scatter = np.sum(parts, axis=0) if pooled else np.array(parts)
    return Moments(mass, mean, scatter, kind)


def compute_group_moments(rows: ND, weights: N | None, labels: IntN, n_groups: int, kind: MomentKind) -> Moments:
    """Return the moments of the groups of rows (n, D) with weights (n,), one each for None, and labels (n,).

    Rows with other labels than 0 to ``n_groups`` - 1 belong to no group. The mean of a group without rows is 0.
    """
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(n_groups + 1))
    mass, mean, parts = np.zeros(n_groups), np.zeros((n_groups, rows.shape[1])), []
    for k in range(n_groups):
        members = order[bounds[k] : bounds[k + 1]]
        group, group_weights = rows[members], np.ones(len(members)) if weights is None else weights[members]
        mass[k] = group_weights.sum()
        if mass[k] > 0:
            mean[k] = group_weights @ group / mass[k]
        parts.append(weighted_scatter(group - mean[k], group_weights, kind))
    pooled = kind in (MomentKind.POOLED_FULL, MomentKind.POOLED_DIAGONAL)
    return Moments(mass, mean, np.sum(parts, axis=0) if pooled else np.array(parts), kind)


_SCATTER_CONVERSIONS: dict[tuple[MomentKind, MomentKind], Callable[[Array], Array]] = {
    (MomentKind.FULL, MomentKind.DIAGONAL): lambda s: np.einsum("kii->ki", s),
    (MomentKind.FULL, MomentKind.TRACE): lambda s: np.einsum("kii->k", s),
    (MomentKind.FULL, MomentKind.NONE): lambda s: s[:, 0, :0].copy(),
    (MomentKind.FULL, MomentKind.POOLED_FULL): lambda s: s.sum(axis=0),
    (MomentKind.FULL, MomentKind.POOLED_DIAGONAL): lambda s: np.einsum("kii->i", s),
    (MomentKind.DIAGONAL, MomentKind.TRACE): lambda s: s.sum(axis=1),
    (MomentKind.DIAGONAL, MomentKind.POOLED_DIAGONAL): lambda s: s.sum(axis=0),
    (MomentKind.POOLED_FULL, MomentKind.POOLED_DIAGONAL): lambda s: np.diagonal(s).copy(),
}
