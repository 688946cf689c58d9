"""A start that follows known components of some rows: groups get the numbers of the rows known in them.

An ordinary start numbers its groups as it likes. Its groups are matched to the components so that as much
weight of known rows as can be lies in the group of its own component, and the known rows then move to
theirs. Known rows also make starts of their own: centres at their means, to which the other rows go as
k-means hands them out while known rows stay where they belong (Basu, Banerjee & Mooney, "Semi-supervised
clustering by seeding", ICML 2002), and, where they suffice for a covariance of each component, the moments
of the known rows alone. A few passes of EM say which of these is the likeliest.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import apart
from gaussmix.model.posterior import labels
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.start.given import from_labels, from_moments, moments_of_labels
from gaussmix.solvers.start.noise import LEAST_SHARE, MOST_SHARE, Change, with_noise
from gaussmix.solvers.start.race import likeliest
from gaussmix.solvers.start.seeding import lloyd, standardised
from gaussmix.sources.base import AbstractSource
from gaussmix.types import Array, IntD, IntN

_PREFERENCE = 1e-9  # of the weight of all known rows: a group keeps its number where they do not care
_TOLERANCE = 1e-4  # squared movement of the centres in standard deviations, for each column


def matched(source: AbstractSource, groups: IntN, known: IntN, n_components: int) -> IntD:
    """The group (n,) that each component is to take, (K,): the known rows in it weigh the most in all."""

    def shared(batch: Batch) -> Array:
        group, component = groups[batch.slice], known[batch.slice]
        both = (group >= 0) & (group < n_components) & (component >= 0)
        counts = None if batch.weights is None else batch.weights[both]
        pairs = component[both] * n_components + group[both]
        return np.bincount(pairs, counts, n_components**2).astype(np.float64).reshape(n_components, -1)

    weights = source.reduce(shared)
    return np.asarray(linear_sum_assignment(weights + _PREFERENCE * weights.sum() * np.eye(n_components), True)[1])


def followed(source: AbstractSource, groups: IntN, known: IntN, n_components: int) -> IntN:
    """A partition (n,) in the numbers of the known rows, -1 where nothing is known, which lie where they belong.

    Numbers of groups outside 0 to K - 1, as of absent rows, stay what they are.
    """
    numbers = np.argsort(matched(source, groups, known, n_components))
    own = (groups >= 0) & (groups < n_components)
    renumbered = np.where(own, numbers[np.where(own, groups, 0)], groups)
    return np.asarray(np.where(known >= 0, known, renumbered))


def renumbered(problem: Problem, mixture: Mixture, known: IntN) -> Mixture:
    """A mixture with its components in the numbers of the known rows."""
    groups = labels(mixture.to_quadratics(), problem.source.hinted(None), problem.engine)
    return mixture.permute(matched(problem.source, groups, known, mixture.n_components))


def seeded(problem: Problem, start: Mixture, known: IntN, solver: AbstractSolver, change: Change) -> Mixture:
    """The likeliest of several starts that follow the known rows (n,); ``change`` is made to each before it runs.

    The passes that decide know of the known rows, as the source of the problem has them for hints.
    """
    count = start.n_components
    groups = labels(start.to_quadratics(), problem.source.hinted(None), problem.engine)
    partitions = [followed(problem.source, groups, known, count)]
    mixtures = []
    if count > 1 and np.any(known < 0):
        partitions.append(handed_out(problem, known, partitions[0], count))
        found = _moments_of_known(problem, known, count)
        if found.mass.min() >= _fewest(problem):
            mixtures = [from_moments(problem, found.reduce(problem.family.kind))]
    mixtures = [_of_partition(problem, partition, count) for partition in partitions] + mixtures
    if start.noise is not None:
        share = float(np.clip(start.noise.weight, LEAST_SHARE, MOST_SHARE))  # known rows need some weight left
        mixtures = [with_noise(mixture, start.noise.box, share) for mixture in mixtures]
    return likeliest(solver, [change(mixture) for mixture in mixtures], problem)


def _fewest(problem: Problem) -> float:
    """The mass of as many rows as a covariance needs."""
    needed = problem.family.structure.rows_needed(problem.source.n_features)  # moments of known rows know no prior
    return needed * problem.total_weight / problem.source.n_rows


def _moments_of_known(problem: Problem, known: IntN, n_components: int) -> Moments:
    """Moments of the known rows alone, each component's own: the others are one group more, which is left out."""
    kind = problem.family.kind.separate
    groups = np.where(known >= 0, known, n_components)
    return apart(moments_of_labels(problem, groups, n_components + 1, kind), kind)


def handed_out(problem: Problem, known: IntN, groups: IntN, n_components: int) -> IntN:
    """The partition (n,) of k-means in standard deviations that never moves a known row.

    It begins at the means of known rows, and where a component has none at those of its group in a partition that
    follows the known rows.
    """
    found = _moments_of_known(problem, known, n_components)
    placed = moments_of_labels(problem, groups, max(n_components, int(groups.max()) + 1), MomentKind.TRACE).mean
    centers = np.where((found.mass > 0)[:, None], found.mean, placed[:n_components])
    source, metric = problem.source.hinted(known), standardised(np.sqrt(problem.variances))
    tolerance = _TOLERANCE * source.n_features
    return labels(metric(lloyd(source, centers, problem.engine, tolerance, metric)), source, problem.engine)


def _of_partition(problem: Problem, groups: IntN, n_components: int) -> Mixture:
    """The Gaussians of a partition; its group K, if there is one, is that of noise."""
    if not np.any(groups == n_components):
        return from_labels(problem, groups, n_components)
    kind = problem.family.kind
    moments = moments_of_labels(problem, groups, n_components + 1, kind.separate)
    return from_moments(problem, apart(moments, kind))
