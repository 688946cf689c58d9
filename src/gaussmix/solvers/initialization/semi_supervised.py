"""A start that follows known components of some rows: groups get the numbers of the rows known in them.

An ordinary start numbers its groups as it likes. Its groups are matched to the components so that as much
weight of known rows as can be lies in the group of its own component, and the known rows then move to
theirs. Known rows also make starts of their own: centres at their means, to which the other rows go as
k-means hands them out while known rows stay where they belong (Basu, Banerjee & Mooney, "Semi-supervised
clustering by seeding", ICML 2002), and, where they suffice for a covariance of each component, the moments
of the known rows alone. A few passes of EM say which of these is the likeliest.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core.batch import Batch
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import drop_noise
from gaussmix.model.prediction import hard_labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.em.lloyd import lloyd_centers
from gaussmix.solvers.initialization.init_methods import make_standardized_metric
from gaussmix.solvers.initialization.initial_mixture import (
    initialize_from_labels,
    initialize_from_moments,
    partition_moments,
)
from gaussmix.solvers.initialization.initializer import best_start
from gaussmix.solvers.initialization.noise_initialization import (
    MAX_NOISE_WEIGHT,
    MIN_NOISE_WEIGHT,
    MixtureTransform,
    add_noise,
)
from gaussmix.sources.base import AbstractSource
from gaussmix.types import Array, IntD, IntN

_SAME_NUMBER_BONUS = 1e-9  # of the weight of all known rows: a group keeps its number where they do not care
_CENTER_TOLERANCE = 1e-4  # squared movement of the centres in standard deviations, for each column


def match_groups(source: AbstractSource, groups: IntN, known_components: IntN, n_components: int) -> IntD:
    """The group (n,) that each component is to take, (K,): the known rows in it weigh the most in all."""

    def shared(batch: Batch) -> Array:
        group, component = groups[batch.row_slice], known_components[batch.row_slice]
        both = (group >= 0) & (group < n_components) & (component >= 0)
        counts = None if batch.weights is None else batch.weights[both]
        pairs = component[both] * n_components + group[both]
        return np.bincount(pairs, counts, n_components**2).astype(np.float64).reshape(n_components, -1)

    weights = source.reduce(shared)
    return np.asarray(
        linear_sum_assignment(weights + _SAME_NUMBER_BONUS * weights.sum() * np.eye(n_components), True)[1]
    )


def align_labels(source: AbstractSource, groups: IntN, known_components: IntN, n_components: int) -> IntN:
    """A partition (n,) in the numbers of the known rows, -1 where nothing is known, which lie where they belong.

    Numbers of groups outside 0 to K - 1, as of absent rows, stay what they are.
    """
    numbers = np.argsort(match_groups(source, groups, known_components, n_components))
    own = (groups >= 0) & (groups < n_components)
    renumbered = np.where(own, numbers[np.where(own, groups, 0)], groups)
    return np.asarray(np.where(known_components >= 0, known_components, renumbered))


def align_components(problem: Problem, mixture: Mixture, known_components: IntN) -> Mixture:
    """A mixture with its components in the numbers of the known rows."""
    groups = hard_labels(mixture, problem.source.with_label_prior(None), problem.engine)
    return mixture.permute_components(match_groups(problem.source, groups, known_components, mixture.n_components))


def initialize_semi_supervised(
    problem: Problem, start: Mixture, known_components: IntN, solver: MixtureSolver, transform: MixtureTransform
) -> Mixture:
    """The likeliest of several starts that follow the known rows (n,); ``change`` is made to each before it runs.

    The passes that decide know of the known rows, as the source of the problem has them for hints.
    """
    count = start.n_components
    groups = hard_labels(start, problem.source.with_label_prior(None), problem.engine)
    partitions = [align_labels(problem.source, groups, known_components, count)]
    mixtures = []
    if count > 1 and np.any(known_components < 0):
        partitions.append(constrained_kmeans(problem, known_components, partitions[0], count))
        found = _known_row_moments(problem, known_components, count)
        if found.mass.min() >= _min_component_mass(problem):
            mixtures = [initialize_from_moments(problem, found.to_kind(problem.covariance_estimator.moment_kind))]
    mixtures = [_initialize_from_partition(problem, partition, count) for partition in partitions] + mixtures
    if start.noise is not None:
        share = float(
            np.clip(start.noise.weight, MIN_NOISE_WEIGHT, MAX_NOISE_WEIGHT)
        )  # known rows need some weight left
        mixtures = [add_noise(mixture, start.noise.box, share) for mixture in mixtures]
    return best_start(solver, [transform(mixture) for mixture in mixtures], problem)


def _min_component_mass(problem: Problem) -> float:
    """The mass of as many rows as a covariance needs."""
    needed = problem.covariance_estimator.structure.min_rows(
        problem.source.n_features
    )  # moments of known rows know no prior
    return needed * problem.total_weight / problem.n_rows


def _known_row_moments(problem: Problem, known_components: IntN, n_components: int) -> Moments:
    """Moments of the known rows alone, each component's own: the others are one group more, which is left out."""
    kind = problem.covariance_estimator.moment_kind.per_component
    groups = np.where(known_components >= 0, known_components, n_components)
    return drop_noise(partition_moments(problem, KnownComponents(groups), n_components + 1, kind), kind)


def constrained_kmeans(problem: Problem, known_components: IntN, groups: IntN, n_components: int) -> IntN:
    """The partition (n,) of k-means in standard deviations that never moves a known row.

    It begins at the means of known rows, and where a component has none at those of its group in a partition that
    follows the known rows.
    """
    found = _known_row_moments(problem, known_components, n_components)
    placed = partition_moments(
        problem, KnownComponents(groups), max(n_components, int(groups.max()) + 1), MomentKind.TRACE
    ).mean
    centers = np.where((found.mass > 0)[:, None], found.mean, placed[:n_components])
    source, metric = (
        problem.source.with_label_prior(KnownComponents(known_components)),
        make_standardized_metric(np.sqrt(problem.column_variances)),
    )
    tolerance = _CENTER_TOLERANCE * source.n_features
    return hard_labels(
        metric(lloyd_centers(replace(problem, source=source), centers, tolerance, metric)), source, problem.engine
    )


def _initialize_from_partition(problem: Problem, groups: IntN, n_components: int) -> Mixture:
    """The Gaussians of a partition; its group K, if there is one, is that of noise."""
    if not np.any(groups == n_components):
        return initialize_from_labels(problem, groups, n_components)
    kind = problem.covariance_estimator.moment_kind
    moments = partition_moments(problem, KnownComponents(groups), n_components + 1, kind.per_component)
    return initialize_from_moments(problem, drop_noise(moments, kind))
