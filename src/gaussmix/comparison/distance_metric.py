"""How far apart rows are, for methods that know distances only, and k-means by that measure."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind
from gaussmix.covariance import Structure, covariance_from_matrices
from gaussmix.engines.base import AssignmentKind
from gaussmix.model.mixture import Mixture, change_frame
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.init_methods import (
    Metric,
    kmeans_plusplus,
    lloyd_centers,
    make_standardized_metric,
)
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, D, IntN, K

N_KMEANS_STARTS = 10
"""Runs of k-means, of which the best is taken."""

_KMEANS_TOLERANCE = 1e-8  # squared movement of the centres, relative to the mean variance of a column
_MIN_RELATIVE_VARIANCE = 1e-12  # of the variance of all rows: circles are not drawn smaller


@dataclass(frozen=True)
class ComponentShapeRatios:
    """How unlike equal circles components are, in a measure.

    ``elongation`` is how many times longer than its shortest axis a component's longest is, at most; ``sizes`` how many
    times the largest root mean square distance of a component's rows from its mean exceeds the smallest, and ``shares``
    the same of weights.
    """

    axis_ratio: float
    size_ratio: float
    weight_ratio: float


@dataclass(frozen=True)
class DistanceMetric:
    """Distances between the rows of a problem, in units of ``scales`` (D,), in its frame."""

    problem: Problem
    feature_scales: D
    is_standardized: bool

    @classmethod
    def from_source(cls, source: AbstractSource, standardize: bool, engine_problem: Problem) -> "DistanceMetric":
        """In standard deviations of each column, or in the data's own units."""
        problem = Problem.from_source(
            source, Structure.from_name("VVV" if standardize else "EII"), engine=engine_problem.engine
        )
        deviations = np.sqrt(problem.column_variances)
        scales = np.where(deviations > 0, deviations, 1.0) if standardize else np.ones(len(deviations))
        return cls(problem, scales, standardize)

    @property
    def scaled_rows(self) -> ND:
        """The rows (n, D) in the measure's units."""
        return np.asarray(self.problem.source.collect(None)[0] / self.feature_scales)

    def fit_kmeans(
        self, n_components: int, rng: np.random.Generator, feature_names: tuple[str, ...] | None
    ) -> tuple[IntN, Mixture]:
        """The best of several runs of k-means: the group of each row (n,), and the equal circles it stands for."""
        source, engine, metric = (
            self.problem.source,
            self.problem.engine,
            make_standardized_metric(self.feature_scales),
        )
        distinct = DistinctRows.from_source(source)
        tolerance = _KMEANS_TOLERANCE * float((self.problem.column_variances / self.feature_scales**2).mean())
        best, least = None, np.inf
        for _ in range(N_KMEANS_STARTS if n_components > 1 else 1):
            seeds = kmeans_plusplus(distinct, n_components, engine, rng, metric)
            center = lloyd_centers(source, seeds, engine, tolerance, metric)
            inertia = self._inertia(center, metric)
            if best is None or inertia < least:
                best, least = center, inertia
        assert best is not None
        variance = max(least / (self.problem.total_weight * source.n_features), _MIN_RELATIVE_VARIANCE)
        matrices = np.tile(np.diag(variance * self.feature_scales**2), (n_components, 1, 1))
        held = covariance_from_matrices(Structure.from_name("EEI"), matrices, *best.shape)
        circles = Mixture(np.full(n_components, 1.0 / n_components), best, held, source.frame, feature_names)
        return hard_labels(metric(best), source, engine), circles

    def _inertia(self, centers: KD, metric: Metric) -> float:
        """Squared distances of the rows to the nearest centre, summed."""
        source, engine = self.problem.source, self.problem.engine
        return -2.0 * engine.bind(source).e_step(metric(centers), MomentKind.NONE, AssignmentKind.HARD).log_likelihood

    def shape_ratios(self, mixture: Mixture) -> ComponentShapeRatios:
        """How unlike equal circles the components of a mixture are."""
        free = mixture.marginal(range(mixture.n_features))  # in another frame a structure may be none any more
        matrices = change_frame(free, self.problem.source.frame).covariance.matrices()
        values = eigh_descending(matrices / self.feature_scales / self.feature_scales[:, None])[0]
        lengths = np.sqrt(np.maximum(values, np.finfo(float).tiny))
        sizes: K = np.maximum(np.sqrt(np.square(lengths / lengths.max()).mean(axis=1)), np.finfo(float).tiny)
        weights = np.maximum(mixture.weights, np.finfo(float).tiny)
        return ComponentShapeRatios(
            float((lengths[:, 0] / lengths[:, -1]).max()),
            float(sizes.max() / sizes.min()),
            float(weights.max() / weights.min()),
        )
