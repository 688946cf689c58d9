"""How far apart rows are, for methods that know distances only, and k-means by that measure."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.linalg import symmetric_eigen
from gaussmix.core.moments import MomentKind
from gaussmix.covariance import Structure, from_matrices
from gaussmix.engines.base import Assign
from gaussmix.model.mixture import Mixture, reframed
from gaussmix.model.posterior import labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.start.distinct import DistinctRows
from gaussmix.solvers.start.seeding import Metric, lloyd, plus_plus, standardised
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, D, IntN, K

N_STARTS = 10
"""Runs of k-means, of which the best is taken."""

_TOLERANCE = 1e-8  # squared movement of the centres, relative to the mean variance of a column
_LEAST = 1e-12  # of the variance of all rows: circles are not drawn smaller


@dataclass(frozen=True)
class Shapes:
    """How unlike equal circles components are, in a measure.

    ``elongation`` is how many times longer than its shortest axis a component's longest is, at most; ``sizes`` how many
    times the largest root mean square distance of a component's rows from its mean exceeds the smallest, and ``shares``
    the same of weights.
    """

    elongation: float
    sizes: float
    shares: float


@dataclass(frozen=True)
class Measure:
    """Distances between the rows of a problem, in units of ``scales`` (D,), in its frame."""

    problem: Problem
    scales: D
    standardised: bool

    @classmethod
    def of(cls, source: AbstractSource, standardise: bool, example: Problem) -> "Measure":
        """In standard deviations of each column, or in the data's own units."""
        problem = Problem.of(source, Structure.parse("VVV" if standardise else "EII"), engine=example.engine)
        deviations = np.sqrt(problem.variances)
        scales = np.where(deviations > 0, deviations, 1.0) if standardise else np.ones(len(deviations))
        return cls(problem, scales, standardise)

    @property
    def rows(self) -> ND:
        """The rows (n, D) in the measure's units."""
        return np.asarray(self.problem.source.gather()[0] / self.scales)

    def kmeans(
        self, n_components: int, rng: np.random.Generator, names: tuple[str, ...] | None
    ) -> tuple[IntN, Mixture]:
        """The best of several runs of k-means: the group of each row (n,), and the equal circles it stands for."""
        source, engine, metric = self.problem.source, self.problem.engine, standardised(self.scales)
        distinct = DistinctRows.of(source)
        tolerance = _TOLERANCE * float((self.problem.variances / self.scales**2).mean())
        best, least = None, np.inf
        for _ in range(N_STARTS if n_components > 1 else 1):
            seeds = plus_plus(distinct, n_components, engine, rng, metric)
            center = lloyd(source, seeds, engine, tolerance, metric)
            inertia = self._inertia(center, metric)
            if best is None or inertia < least:
                best, least = center, inertia
        assert best is not None
        variance = max(least / (self.problem.total_weight * source.n_features), _LEAST)
        matrices = np.tile(np.diag(variance * self.scales**2), (n_components, 1, 1))
        held = from_matrices(Structure.parse("EEI"), matrices, *best.shape)
        circles = Mixture(np.full(n_components, 1.0 / n_components), best, held, source.frame, names)
        return labels(metric(best), source, engine), circles

    def _inertia(self, center: KD, metric: Metric) -> float:
        """Squared distances of the rows to the nearest centre, summed."""
        source, engine = self.problem.source, self.problem.engine
        return -2.0 * engine.sweep(source.reduce, metric(center), MomentKind.NOTHING, Assign.HARD).log_likelihood

    def shapes(self, mixture: Mixture) -> Shapes:
        """How unlike equal circles the components of a mixture are."""
        free = mixture.marginal(range(mixture.n_features))  # in another frame a structure may be none any more
        matrices = reframed(free, self.problem.source.frame).covariance.matrices()
        values = symmetric_eigen(matrices / self.scales / self.scales[:, None])[0]
        lengths = np.sqrt(np.maximum(values, np.finfo(float).tiny))
        sizes: K = np.maximum(np.sqrt(np.square(lengths / lengths.max()).mean(axis=1)), np.finfo(float).tiny)
        weights = np.maximum(mixture.weights, np.finfo(float).tiny)
        return Shapes(
            float((lengths[:, 0] / lengths[:, -1]).max()),
            float(sizes.max() / sizes.min()),
            float(weights.max() / weights.min()),
        )
