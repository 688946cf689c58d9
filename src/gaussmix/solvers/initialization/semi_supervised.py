"""Initialization of semi-supervised fits, where the components of some rows are known.

Unsupervised initialization numbers its groups arbitrarily. Here the groups are matched to the components so that the
total weight of known rows in the group of their own component is maximal; then the known rows move to their
components. Known rows also give candidates of their own. One is constrained k-means: centers start at the means of the
known rows, which never move (Basu, Banerjee & Mooney, "Semi-supervised clustering by seeding", ICML 2002). Another
uses the moments of the known rows alone, if every component has enough of them. A few iterations of EM choose the
candidate of highest likelihood.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.degeneracy import has_too_few_in_total, has_too_few_rows
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import drop_noise_moments
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.em.lloyd import lloyd_centers
from gaussmix.solvers.initialization.initial_mixture import (
    initialize_from_labels,
    initialize_from_moments,
    partition_moments,
)
from gaussmix.solvers.initialization.initializer import best_after_ten_iterations
from gaussmix.solvers.initialization.kmeans import make_standardized_metric
from gaussmix.solvers.initialization.noise_initialization import (
    MAX_NOISE_WEIGHT,
    MIN_NOISE_WEIGHT,
    MixtureTransform,
    add_noise,
)
from gaussmix.sources.base import AbstractSource
from gaussmix.types import Array, IntK, IntN

_SAME_NUMBER_BONUS = 1e-9  # relative to the weight of the known rows; a group keeps its number in case of a tie
_CENTER_TOLERANCE = 1e-4  # squared movement of the centers per column, in standard deviations


@dataclass(frozen=True)
class _SumPairWeights:
    """A function from a batch to the weight of its rows of each known component in each group, (K, K)."""

    groups: IntN
    known_components: IntN
    n_components: int

    def __call__(self, batch: Batch) -> Array:
        group, component = self.groups[batch.row_slice], self.known_components[batch.row_slice]
        is_known = (group >= 0) & (group < self.n_components) & (component >= 0)
        weights = None if batch.weights is None else batch.weights[is_known]
        pairs = component[is_known] * self.n_components + group[is_known]
        counts = np.bincount(pairs, weights, self.n_components**2).astype(np.float64)
        return counts.reshape(self.n_components, -1)


def find_group_of_each_component(
    source: AbstractSource, groups: IntN, known_components: IntN, n_components: int
) -> IntK:
    """Return the number of the group matched to each component, (K,): the most weight of known rows lies in its own.

    ``groups`` (n,) and ``known_components`` (n,) are those of the rows; other values than 0 to K - 1 are ignored.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    weights = source.reduce(_SumPairWeights(groups, known_components, n_components))
    bonus = _SAME_NUMBER_BONUS * weights.sum() * np.eye(n_components)
    return np.asarray(linear_sum_assignment(weights + bonus, True)[1])


def align_labels(source: AbstractSource, groups: IntN, known_components: IntN, n_components: int) -> IntN:
    """Return groups (n,) renumbered to match the known components, with every known row in its own component.

    ``known_components`` (n,) is -1 where nothing is known. Groups outside 0 to K - 1 keep their number.
    """
    numbers = np.argsort(find_group_of_each_component(source, groups, known_components, n_components))
    is_component = (groups >= 0) & (groups < n_components)
    renumbered = np.where(is_component, numbers[np.where(is_component, groups, 0)], groups)
    return np.asarray(np.where(known_components >= 0, known_components, renumbered))


def align_components(problem: Problem, mixture: Mixture, known_components: IntN) -> Mixture:
    """Return the mixture with its components reordered such that known rows (n,) fall in their own component."""
    groups = hard_labels(mixture, problem.source.with_label_prior(None), problem.engine)
    return mixture.permute_components(
        find_group_of_each_component(problem.source, groups, known_components, mixture.n_components)
    )


def initialize_semi_supervised(
    problem: Problem, start: Mixture, known_components: IntN, solver: MixtureSolver, transform: MixtureTransform
) -> Mixture:
    """Return the most likely of several initial mixtures that agree with the known components (n,), -1 if unknown.

    ``transform`` is applied to each candidate before ``solver`` runs it. The label prior of the problem's source
    must contain the known components.
    """
    n_components = start.n_components
    groups = hard_labels(start, problem.source.with_label_prior(None), problem.engine)
    partitions = [align_labels(problem.source, groups, known_components, n_components)]
    mixtures = []
    if n_components > 1 and np.any(known_components < 0):
        partitions.append(constrained_kmeans(problem, known_components, partitions[0], n_components))
        moments = _known_row_moments(problem, known_components, n_components)
        if _has_enough_known_rows(moments, problem):
            mixtures = [initialize_from_moments(problem, moments.to_kind(problem.covariance_estimator.moment_kind))]
    mixtures = [_initialize_from_partition(problem, partition, n_components) for partition in partitions] + mixtures
    if start.noise is not None:
        noise_weight = float(np.clip(start.noise.weight, MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT))
        mixtures = [add_noise(mixture, start.noise.box, noise_weight) for mixture in mixtures]
    return best_after_ten_iterations(solver, [transform(mixture) for mixture in mixtures], problem)


def _has_enough_known_rows(known_row_moments: Moments, problem: Problem) -> bool:
    """Return whether the known rows alone suffice for a covariance without a prior; a row of mean weight counts 1."""
    masses = known_row_moments.mass * problem.n_rows / problem.total_weight
    structure = problem.covariance_estimator.structure
    requirement = structure.row_requirement(len(masses), problem.source.n_features)
    return not (has_too_few_rows(masses, requirement).any() or has_too_few_in_total(masses, requirement))


def _known_row_moments(problem: Problem, known_components: IntN, n_components: int) -> Moments:
    """Return the unpooled moments of the known rows; the other rows form one more group, which is dropped."""
    kind = problem.covariance_estimator.moment_kind.per_component
    groups = np.where(known_components >= 0, known_components, n_components)
    return drop_noise_moments(partition_moments(problem, KnownComponents(groups), n_components + 1, kind), kind)


def constrained_kmeans(problem: Problem, known_components: IntN, groups: IntN, n_components: int) -> IntN:
    """Return the labels (n,) of k-means in standard deviations, in which known rows keep their component.

    Centers start at the means of the known rows, or of ``groups`` for components without known rows.
    """
    known_moments = _known_row_moments(problem, known_components, n_components)
    n_groups = max(n_components, int(groups.max()) + 1)
    group_moments = partition_moments(problem, KnownComponents(groups), n_groups, MomentKind.TRACE)
    centers = np.where((known_moments.mass > 0)[:, None], known_moments.mean, group_moments.mean[:n_components])
    source = problem.source.with_label_prior(KnownComponents(known_components))
    metric = make_standardized_metric(np.sqrt(problem.column_variances))
    tolerance = _CENTER_TOLERANCE * source.n_features
    return hard_labels(
        metric(lloyd_centers(replace(problem, source=source), centers, tolerance, metric)), source, problem.engine
    )


def _initialize_from_partition(problem: Problem, groups: IntN, n_components: int) -> Mixture:
    """Return the mixture of groups (n,) of the rows; group K, if there is one, is noise and is left out."""
    if not np.any(groups == n_components):
        return initialize_from_labels(problem, groups, n_components)
    kind = problem.covariance_estimator.moment_kind
    moments = partition_moments(problem, KnownComponents(groups), n_components + 1, kind.per_component)
    return initialize_from_moments(problem, drop_noise_moments(moments, kind))
