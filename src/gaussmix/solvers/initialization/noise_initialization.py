"""Initialization of mixtures with uniform noise: outliers are estimated, and the likelihood chooses among candidates.

The ordinary initialization treats all rows as members of groups; EM then moves outliers to the noise. Another
candidate removes the outliers first and initializes from the other rows. Each candidate runs ten iterations of
EM on a sample of the rows, and the one of highest likelihood is returned.

Outliers are found by the distance to the k-th nearest neighbor. For uniformly distributed rows, this distance to
the power D has a gamma distribution with shape k and a rate proportional to the density. A mixture of two gamma
distributions, fitted by EM, therefore separates the rows of groups from a uniform background (Byers & Raftery,
"Nearest-neighbor clutter removal for estimating features in spatial point processes", JASA 93, 1998, eq. 5).
Columns are measured in their standard deviations.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from gaussmix.covariance.regularizer import FloorRegularizer
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Box, Noise
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.init_methods import KMEANS_METHOD
from gaussmix.solvers.initialization.initializer import (
    best_after_ten_iterations,
    initialize,
    initialize_from_merged_groups,
)
from gaussmix.solvers.initialization.subsampling import draw_representative_sample, start_sample_size
from gaussmix.types import ND, BoolN, D, N

MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT = 0.02, 0.5  # bounds of the initial weight of the noise

_FLOOR_SAMPLE_ROWS = 4_000
_NEIGHBOR_RANK = 12  # k
_N_EM_ITERATIONS = 60
_INITIAL_OUTLIER_FRACTION = 0.25  # fraction of the total weight, of the most distant rows
_MAX_LOG_DISTANCE_RATIO = 500.0

MixtureTransform = Callable[[Mixture], Mixture]  # applied to a candidate before it runs, as to fix parameters


def add_noise(mixture: Mixture, box: Box, noise_weight: float) -> Mixture:
    """Return the mixture with noise over a box; all other weights are multiplied by 1 - ``noise_weight``."""
    return replace(mixture, weights=mixture.weights * (1.0 - noise_weight), noise=Noise(noise_weight, box))


@dataclass(frozen=True)
class _OutlierSplit:
    """A sample of the rows, the same without outliers (None if too few rows are left), and the outliers' weight."""

    sample: Problem
    without_outliers: Problem | None
    noise_weight: float


def _split_off_outliers(problem: Problem, n_components: int, rng: np.random.Generator) -> _OutlierSplit:
    """Return a random sample of the rows, the same without its outliers, and the weight of the outliers."""
    frame = problem.source.frame
    sample = draw_representative_sample(problem, start_sample_size(n_components, problem.source.n_features), rng)
    outlier_probability = outlier_probabilities(
        frame.transform_rows(sample.rows) / np.sqrt(problem.column_variances), sample.weights
    )
    noise_weight = float(
        np.clip(sample.weights @ outlier_probability / sample.weights.sum(), MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT)
    )
    is_kept = outlier_probability < 0.5
    has_enough_rows = is_kept.sum() >= max(n_components, 2) and np.ptp(sample.rows[is_kept], axis=0).min() > 0
    without_outliers = (
        problem.on_sample_of_rows(sample.rows[is_kept], sample.weights[is_kept])
        if has_enough_rows and not is_kept.all()
        else None
    )
    return _OutlierSplit(problem.on_sample_of_rows(sample.rows, sample.weights), without_outliers, noise_weight)


def with_robust_floor(problem: Problem) -> Problem:
    """Return the problem with a variance floor relative to robust variances, if it has a floor and not a ridge.

    A single distant outlier would otherwise determine the overall variance, and raise the floor.
    """
    has_floor = isinstance(problem.covariance_estimator.regularizer, FloorRegularizer)
    return problem.with_floor_relative_to(robust_variances(problem)) if has_floor else problem


def robust_variances(problem: Problem) -> D:
    """Return the variance of each column without outliers, (D,), in the frame."""
    sample = draw_representative_sample(problem, _FLOOR_SAMPLE_ROWS, np.random.default_rng(0))
    rows = problem.source.frame.transform_rows(sample.rows)
    deviations = np.sqrt(np.where(problem.column_variances > 0, problem.column_variances, 1.0))
    kept_weights = sample.weights * (outlier_probabilities(rows / deviations, sample.weights) < 0.5)
    if not kept_weights.sum() > 0:
        return problem.column_variances
    variances = kept_weights @ (rows - kept_weights @ rows / kept_weights.sum()) ** 2 / kept_weights.sum()
    return np.minimum(variances, problem.column_variances) if variances.min() > 0 else problem.column_variances


def outlier_mask(problem: Problem) -> BoolN:
    """Return a mask (n,), True for the rows that are outliers with probability 1/2 or more."""
    distinct = DistinctRows.from_source(problem.source)
    probabilities = outlier_probabilities(distinct.rows / np.sqrt(problem.column_variances), distinct.weights)
    is_outlier = np.zeros(problem.n_rows, dtype=bool)
    is_outlier[distinct.positive_weight_indices] = probabilities[distinct.inverse] >= 0.5
    return is_outlier


def initialize_with_noise(
    problem: Problem,
    method: str,
    n_components: int,
    box: Box,
    solver: MixtureSolver,
    rng: np.random.Generator,
    transform: MixtureTransform,
) -> Mixture:
    """Return the most likely of several initial mixtures with noise over ``box``.

    ``transform`` is applied to each candidate before ``solver`` runs it.
    """
    split = _split_off_outliers(problem, n_components, rng)
    starts = [initialize(problem, method, n_components, rng)]
    if split.without_outliers is not None:
        starts.append(initialize(split.without_outliers, method, n_components, rng))
    if method == KMEANS_METHOD and n_components > 1:
        starts.append(initialize_from_merged_groups(split.without_outliers or split.sample, n_components, rng))
    return best_after_ten_iterations(
        solver, [transform(add_noise(start, box, split.noise_weight)) for start in starts], split.sample
    )


def add_estimated_noise(problem: Problem, start: Mixture, box: Box, rng: np.random.Generator) -> Mixture:
    """Return an initial mixture with noise over ``box``, whose weight is that of the outliers in a sample."""
    return add_noise(start, box, _split_off_outliers(problem, start.n_components, rng).noise_weight)


def outlier_probabilities(rows_in_sds: ND, weights: N) -> N:
    """Return the probability (n,) that each of the distinct rows (n, D) is an outlier.

    Columns are in standard deviations, or in other comparable units. ``weights`` (n,) count each row as that many.
    """
    from scipy.spatial import cKDTree  # slow to import, and needed with noise only

    rank = min(_NEIGHBOR_RANK, len(rows_in_sds) - 1)
    if rank < 1:
        return np.zeros(len(rows_in_sds))
    distances = np.asarray(cKDTree(rows_in_sds).query(rows_in_sds, rank + 1)[0])[:, rank]
    log_distances = rows_in_sds.shape[1] * np.log(np.maximum(distances, np.finfo(float).tiny))
    log_distances = np.minimum(log_distances - np.median(log_distances), _MAX_LOG_DISTANCE_RATIO)
    order = np.argsort(log_distances, kind="stable")
    cumulative_weight = np.cumsum(weights[order]) / weights.sum()
    responsibilities = np.zeros(len(rows_in_sds))
    responsibilities[order] = cumulative_weight > 1.0 - _INITIAL_OUTLIER_FRACTION
    return _fit_responsibilities_of_sparse_gamma(log_distances, weights, responsibilities, rank)


def _fit_responsibilities_of_sparse_gamma(
    log_values: N, weights: N, initial_responsibilities: N, gamma_shape: int
) -> N:
    """Fit two gamma distributions to values; return the responsibilities (n,) of the one of smaller rate.

    ``log_values`` (n,) are the logarithms of the values; ``gamma_shape`` is the shape of both.
    """
    responsibilities = initial_responsibilities
    values = np.exp(log_values)
    for _ in range(_N_EM_ITERATIONS):
        sparse, dense = weights * responsibilities, weights * (1.0 - responsibilities)
        if not (sparse.sum() > 0 and dense.sum() > 0):
            break
        rates = gamma_shape * sparse.sum() / (sparse @ values), gamma_shape * dense.sum() / (dense @ values)
        if not rates[0] < rates[1]:
            return np.zeros(len(values))
        odds = np.log(sparse.sum() / dense.sum()) + gamma_shape * np.log(rates[0] / rates[1])
        responsibilities = expit(odds + (rates[1] - rates[0]) * values)
    return np.asarray(responsibilities)
