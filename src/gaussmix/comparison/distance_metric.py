"""Euclidean distances in scaled columns, for k-means and nearest neighbours, and k-means with them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import eigh_descending
from gaussmix.core.moments import MomentKind
from gaussmix.covariance.projection import covariance_from_matrices
from gaussmix.covariance.structure import Structure
from gaussmix.engines.base import AbstractEngine, AssignmentKind
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture_parameters import change_frame
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.lloyd import Metric, lloyd_centers
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.kmeans import make_standardized_metric
from gaussmix.solvers.initialization.kmeans_plusplus import kmeans_plusplus
from gaussmix.sources.base import AbstractSource
from gaussmix.types import KD, ND, D, IntN, K

N_KMEANS_STARTS = 10  # runs of k-means; the one with the lowest inertia wins

# Squared movement of the centers at convergence, relative to the mean variance of a column.
_KMEANS_TOLERANCE = 1e-8

# Least variance of the spherical Gaussians of k-means, in squared units of the metric.
_MIN_RELATIVE_VARIANCE = 1e-12


@dataclass(frozen=True)
class AxisSizeAndWeightRatios:
    """Ratios of the axes, sizes and weights of components in a metric; each ratio is 1 for equal spheres.

    Attributes
    ----------
    axis_ratio : float
        Longest axis over shortest axis, the maximum over components.
    size_ratio : float
        Largest over smallest root mean squared distance of a component's rows from its mean.
    weight_ratio : float
        Largest over smallest weight.
    """

    axis_ratio: float
    size_ratio: float
    weight_ratio: float


class KMeansFit(NamedTuple):
    """The label (n,) of each row by k-means, and the mixture of equal spherical Gaussians at the centers."""

    labels: IntN
    mixture: Mixture


@dataclass(frozen=True)
class ScaledEuclideanMetric:
    """Euclidean distances between rows whose columns are divided by scales; never Mahalanobis distances.

    Attributes
    ----------
    problem : Problem
        The rows in their frame.
    feature_scales : ndarray of shape (D,)
        In the frame's units.
    is_standardized : bool
        Whether the scales are standard deviations; else distances are in the data's units.
    """

    problem: Problem
    feature_scales: D
    is_standardized: bool

    @classmethod
    def from_source(cls, source: AbstractSource, standardize: bool, engine: AbstractEngine) -> "ScaledEuclideanMetric":
        """Return the Euclidean metric in standard deviations of each column, or in the data's units."""
        structure = Structure.from_name("VVV" if standardize else "EII")
        problem = Problem.from_source(source, structure, engine=engine)
        deviations = np.sqrt(problem.column_variances)
        scales = np.where(deviations > 0, deviations, 1.0) if standardize else np.ones(len(deviations))
        return cls(problem, scales, standardize)

    @property
    def scaled_rows(self) -> ND:
        """The rows (n, D) in the metric's units."""
        return np.asarray(self.problem.source.collect(None)[0] / self.feature_scales)

    def fit_kmeans(
        self, n_components: int, rng: np.random.Generator, feature_names: tuple[str, ...] | None
    ) -> KMeansFit:
        """Return the best of several k-means runs: the labels (n,), and a mixture of equal spherical Gaussians."""
        source, engine = self.problem.source, self.problem.engine
        metric = make_standardized_metric(self.feature_scales)
        distinct_rows = DistinctRows.from_source(source)
        tolerance = _KMEANS_TOLERANCE * float((self.problem.column_variances / self.feature_scales**2).mean())
        best_centers, best_inertia = None, np.inf
        for _ in range(N_KMEANS_STARTS if n_components > 1 else 1):
            seeds = kmeans_plusplus(distinct_rows, n_components, engine, rng, metric)
            centers = lloyd_centers(self.problem, seeds, tolerance, metric)
            inertia = self._inertia(centers, metric)
            if best_centers is None or inertia < best_inertia:
                best_centers, best_inertia = centers, inertia
        assert best_centers is not None
        return KMeansFit(
            hard_labels(metric(best_centers), source, engine),
            self._equal_spheres_mixture(best_centers, best_inertia, feature_names),
        )

    def _equal_spheres_mixture(
        self, centers_in_frame: KD, inertia: float, feature_names: tuple[str, ...] | None
    ) -> Mixture:
        """Return a mixture of equal Gaussians, spherical in the metric, at the centers (K, D)."""
        n_components, n_features = centers_in_frame.shape
        variance = max(inertia / (self.problem.total_weight * n_features), _MIN_RELATIVE_VARIANCE)
        matrices = np.tile(np.diag(variance * self.feature_scales**2), (n_components, 1, 1))
        covariance = covariance_from_matrices(Structure.from_name("EEI"), matrices, n_components, n_features)
        weights = np.full(n_components, 1.0 / n_components)
        return Mixture(weights, centers_in_frame, covariance, self.problem.source.frame, feature_names)

    def _inertia(self, centers_in_frame: KD, metric: Metric) -> float:
        """Return the weighted sum of squared distances, in the metric, of the rows to their nearest centers (K, D)."""
        expectation = self.problem.session.e_step(metric(centers_in_frame), MomentKind.NONE, AssignmentKind.HARD)
        return -2.0 * expectation.log_likelihood

    def axis_size_and_weight_ratios(self, mixture: Mixture) -> AxisSizeAndWeightRatios:
        """Return the largest ratios of axes, sizes and weights of components in this metric; 1 for equal spheres."""
        # A structure may not hold in another frame; the marginal of all columns has unrestricted covariances.
        unrestricted = mixture.marginal(range(mixture.n_features))
        matrices = change_frame(unrestricted, self.problem.source.frame).covariance.matrices()
        eigenvalues = eigh_descending(matrices / self.feature_scales / self.feature_scales[:, None])[0]
        tiny = np.finfo(float).tiny
        axes = np.sqrt(np.maximum(eigenvalues, tiny))
        sizes: K = np.maximum(np.sqrt(np.square(axes / axes.max()).mean(axis=1)), tiny)
        weights = np.maximum(mixture.weights, tiny)
        return AxisSizeAndWeightRatios(
            float((axes[:, 0] / axes[:, -1]).max()),
            float(sizes.max() / sizes.min()),
            float(weights.max() / weights.min()),
        )
