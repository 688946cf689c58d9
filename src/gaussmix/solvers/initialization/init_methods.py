"""The table of initialization methods: functions of a problem, the number of components and a random generator.

Random methods draw from the distinct rows in sorted order, in proportion to their weights. An initialization, and with
it a fit, therefore does not depend on the order of the rows, and a row of weight 2 equals that row twice.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from gaussmix.core.label_prior import LogProbabilities
from gaussmix.core.moments import Moments
from gaussmix.core.quadratics import CentersModel
from gaussmix.model.mixture import Mixture
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.em.lloyd import lloyd_centers
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.hierarchical_clustering import MCLUST_CRITERIA, initialize_hierarchical
from gaussmix.solvers.initialization.initial_mixture import (
    argsort_components_by_mean,
    initialize_from_label_prior,
    initialize_from_moments,
)
from gaussmix.solvers.initialization.kmeans import (
    LLOYD_TOLERANCE,
    initialize_kmeans,
    make_standardized_metric,
    mean_variance_at_common_scale,
    rows_with_common_scale,
)
from gaussmix.solvers.initialization.kmeans_plusplus import kmeans_plusplus
from gaussmix.types import KD, IntN

InitMethod = Callable[[Problem, int, np.random.Generator], Mixture]

KMEANS_METHOD = "kmeans"


def initialize_kmeans_plusplus(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return a mixture centered at K rows drawn by k-means++, with covariances at the variance floor."""
    source, exponents = rows_with_common_scale(problem)
    rows = kmeans_plusplus(DistinctRows.from_source(source), n_components, problem.engine, rng, CentersModel.euclidean)
    return _initialize_at_rows(problem, np.ldexp(rows, exponents))


def initialize_random_from_data(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return a mixture centered at K random distinct rows, with covariances at the variance floor."""
    return _initialize_at_rows(problem, DistinctRows.from_source(problem.source).draw_weighted_rows(n_components, rng))


def _initialize_at_rows(problem: Problem, rows: KD) -> Mixture:
    """Return a mixture with the rows (K, D) as means, equal weights, and covariances at the variance floor."""
    centers = rows[argsort_components_by_mean(rows, np.sqrt(problem.column_variances))]
    kind = problem.covariance_estimator.moment_kind
    no_scatter = kind.weighted_outer_products(np.zeros_like(centers), np.zeros(len(centers)))
    return initialize_from_moments(problem, Moments(np.ones(len(centers)), centers, no_scatter, kind))


def initialize_random_responsibilities(problem: Problem, n_components: int, rng: np.random.Generator) -> Mixture:
    """Return the mixture of uniform random responsibilities of the distinct rows; its components are almost equal."""
    distinct = DistinctRows.from_source(problem.source)
    draws = rng.random((len(distinct.rows), n_components)) + np.finfo(float).tiny
    log_probabilities = np.zeros((problem.n_rows, n_components))
    log_responsibilities = np.log(draws / draws.sum(axis=1)[:, None])
    log_probabilities[distinct.positive_weight_indices] = log_responsibilities[distinct.inverse]
    return initialize_from_label_prior(problem, LogProbabilities(log_probabilities), n_components)


INIT_METHODS: dict[str, InitMethod] = {
    KMEANS_METHOD: initialize_kmeans,
    "k-means++": initialize_kmeans_plusplus,
    "random": initialize_random_responsibilities,
    "random_from_data": initialize_random_from_data,
    "hierarchical": initialize_hierarchical,
    **{f"hierarchical-{name}": partial(initialize_hierarchical, criterion=name) for name in MCLUST_CRITERIA},
}


def initial_partitions(problem: Problem, n_components: int, n_partitions: int, rng: np.random.Generator) -> list[IntN]:
    """Return ``n_partitions`` arrays of labels (n,) of the rows, from which any structure can be initialized.

    They alternate between k-means in the data's units, k-means in standard deviations, and the nearest of K random
    rows in standard deviations.
    """
    problem = problem.of_completed_rows
    source, exponents = rows_with_common_scale(problem)
    euclidean = (source, CentersModel.euclidean, mean_variance_at_common_scale(problem, exponents))
    metric = make_standardized_metric(np.sqrt(problem.column_variances))
    standardized = (problem.source.with_label_prior(None), metric, 1.0)
    distinct = {id(rows): DistinctRows.from_source(rows) for rows, _, _ in (euclidean, standardized)}
    partitions = []
    for index in range(n_partitions):
        rows, metric, variance = euclidean if index % 3 == 0 else standardized
        centers = kmeans_plusplus(distinct[id(rows)], n_components, problem.engine, rng, metric)
        if index % 3 == 2:
            centers = distinct[id(rows)].draw_weighted_rows(n_components, rng)
        else:
            centers = lloyd_centers(replace(problem, source=rows), centers, LLOYD_TOLERANCE * variance, metric)
        partitions.append(hard_labels(metric(centers), rows, problem.engine))
    return partitions
