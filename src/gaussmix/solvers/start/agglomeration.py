"""Groups joined two by two, each time those whose joining costs a criterion the least.

A criterion is a sum over groups of a function of mass and scatter, so that joining two groups changes
its own terms only. Groups are moments, never rows: a row of weight 2 is that row twice. What joining
costs is kept for every pair, and every group knows its cheapest partner. Where there are more than
``MOST_GROUPS`` groups, so many pairs are too many; those whose cheapest neighbour is one another are
joined before, all at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.spatial import KDTree

from gaussmix.types import ND, Array, IntN, K

MOST_GROUPS = 500
_NEIGHBOURS = 5  # in space, among which the cheapest partner is looked for before
MOST_COLUMNS = 12  # beyond, determinants are below 1e-7 of what they are added to, and left out
_PAIRS_AT_ONCE = 8192
_PRIOR_VARIANCE = 0.1  # of rows whose covariance is one
_SINGULAR = 1e-12  # of a variance: what is left of it by the columns before it is rounding


@dataclass(frozen=True)
class Groups:
    """Mass (m,), mean (D, m), trace (m,) and, if determinants are wanted, scatter (D, D, m) of groups with names."""

    names: IntN
    mass: K
    mean: Array
    trace: K
    scatter: Array | None

    @classmethod
    def of(cls, rows: ND, weights: K, with_scatter: bool) -> "Groups":
        """Every row a group."""
        n_rows, n_columns = rows.shape
        scatter = np.zeros((n_columns, n_columns, n_rows)) if with_scatter and n_columns <= MOST_COLUMNS else None
        return cls(np.arange(n_rows), weights.copy(), rows.T.copy(), np.zeros(n_rows), scatter)

    def take(self, chosen: IntN) -> "Groups":
        """A copy of some of the groups."""
        scatter = None if self.scatter is None else self.scatter[..., chosen]
        return Groups(self.names[chosen], self.mass[chosen], self.mean[:, chosen], self.trace[chosen], scatter)

    def joined(self, others: "Groups") -> "Groups":
        """Each group with its partner; one group goes with all partners. Names are those of the partners."""
        mass = self.mass + others.mass
        share = others.mass / mass
        apart = others.mean - self.mean
        squares = (self.mass * share) * apart
        trace = self.trace + others.trace + np.einsum("im,im->m", squares, apart)
        scatter = None
        if self.scatter is not None and others.scatter is not None:
            scatter = squares[:, None] * apart
            scatter += self.scatter
            scatter += others.scatter
        return Groups(others.names, mass, self.mean + share * apart, trace, scatter)

    def put(self, place: int, group: "Groups", name: int) -> None:
        """One group instead of another, in place."""
        self.names[place], self.mass[place], self.trace[place] = name, group.mass[0], group.trace[0]
        self.mean[:, place] = group.mean[:, 0]
        if self.scatter is not None and group.scatter is not None:
            self.scatter[..., place] = group.scatter[..., 0]


@dataclass(frozen=True)
class Criterion:
    """What groups add to it, by their moments and the spread of a row, and what it wants the rows to be.

    ``whitened`` rows have covariance one, else mclust's scaling; ``with_scatter`` if traces do not suffice.
    """

    terms: Callable[[Groups, float], K]
    with_scatter: bool = False
    whitened: bool = False


def _of_traces(groups: Groups, spread: float) -> K:
    return groups.trace


def _of_volumes_of_balls(groups: Groups, spread: float) -> K:
    return np.asarray(groups.mass * np.log((groups.trace + spread) / groups.mass))


def _of_volumes_with_traces(groups: Groups, spread: float) -> K:
    """A determinant that the trace keeps from zero; of fewer rows than columns + 1 it is zero."""
    determinant = np.zeros(len(groups.mass))
    large = groups.mass > len(groups.mean)
    if groups.scatter is not None and large.any():
        some = slice(None) if large.all() else large
        determinant[some] = _determinants(groups.scatter[..., some] / groups.mass[some])
    return np.asarray(groups.mass * np.log(determinant + (groups.trace + spread) / groups.mass))


def _of_volumes_with_prior(groups: Groups, spread: float) -> K:
    """A covariance drawn towards a small ball as if D + 1 rows came from there, so that small groups have one."""
    n_columns = len(groups.mean)
    scatter = np.zeros((n_columns, n_columns, len(groups.mass))) if groups.scatter is None else groups.scatter.copy()
    np.einsum("iim->im", scatter)[:] += (n_columns + 1) * _PRIOR_VARIANCE
    return np.asarray(groups.mass * np.log(_determinants(scatter / (groups.mass + n_columns + 1))))


CRITERIA = {
    "EII": Criterion(_of_traces),
    "VII": Criterion(_of_volumes_of_balls),
    "VVV": Criterion(_of_volumes_with_traces, with_scatter=True),
    "whitened": Criterion(_of_volumes_with_prior, with_scatter=True, whitened=True),
}
"""The first three are Fraley's (1998, sections 2 and 3, with alpha = beta = 1) for the structures of their names."""


def _determinants(matrices: Array) -> K:
    """Of positive semidefinite matrices (D, D, m) by elimination, which overwrites them; zero where singular."""
    least = _SINGULAR * np.einsum("iim->im", matrices)
    determinant = np.ones(matrices.shape[2])
    for column, smallest in enumerate(least):
        pivot = matrices[column, column]
        pivot = np.where(pivot > smallest, pivot, 0.0)
        determinant *= pivot
        if column + 1 < len(matrices):
            rest = matrices[column, column + 1 :]
            factors = rest / np.where(pivot > 0, pivot, np.inf)
            matrices[column + 1 :, column + 1 :] -= factors[:, None] * rest
    return determinant


def agglomerated(rows: ND, weights: K, spread: float, criterion: Criterion) -> IntN:
    """Which two groups each step joins, (m - 1, 2): rows are groups 0 to m - 1, step t makes group m + t."""
    groups = Groups.of(rows, weights, criterion.with_scatter)
    steps: list[tuple[int, int]] = []
    while len(groups.mass) > MOST_GROUPS:
        pairs = neighbours(groups.mean.T, partial(_costs_of_pairs, groups, criterion, spread))
        groups = joined_at_once(groups, pairs, steps, len(rows))
    costs = _all_costs(groups, criterion, spread)
    while len(groups.mass) > 1:
        groups, costs = _halved(groups, costs, criterion, spread, steps, len(rows))
    return np.array(steps, dtype=np.int64).reshape(-1, 2)


def neighbours(places: ND, costs: Callable[[IntN, IntN], K]) -> tuple[IntN, IntN]:
    """Groups at ``places`` (m, D) that are one another's cheapest neighbours, down to ``MOST_GROUPS`` if joined.

    The cheapest pair comes first; ``costs`` gives what joining each of some groups with each of some others costs.
    """
    n_groups = len(places)
    near = KDTree(places).query(places, k=_NEIGHBOURS + 1)[1]
    ones, others = np.repeat(np.arange(n_groups), _NEIGHBOURS + 1), near.ravel()
    ones, others = np.minimum(ones, others), np.maximum(ones, others)
    ones, others = ones[ones < others], others[ones < others]
    order = np.argsort(costs(ones, others), kind="stable")
    rank = np.full(n_groups, len(order))  # of the cheapest pair that a group is in; the cheapest of all is in it twice
    for ends in (ones[order], others[order]):
        np.minimum.at(rank, ends, np.arange(len(order)))
    mutual = (rank[ones[order]] == np.arange(len(order))) & (rank[others[order]] == np.arange(len(order)))
    pairs = order[mutual][: n_groups - MOST_GROUPS]
    return ones[pairs], others[pairs]


def _costs_of_pairs(groups: Groups, criterion: Criterion, spread: float, ones: IntN, others: IntN) -> K:
    terms = criterion.terms(groups, spread)
    joined = groups.take(ones).joined(groups.take(others))
    return np.asarray(criterion.terms(joined, spread) - terms[ones] - terms[others])


def joined_at_once(groups: Groups, pairs: tuple[IntN, IntN], steps: list[tuple[int, int]], n_rows: int) -> Groups:
    """The groups after some pairs, of which no two share a group, were joined; ``steps`` grow by as many."""
    first, second = pairs
    joined = groups.take(first).joined(groups.take(second))
    names = n_rows + len(steps) + np.arange(len(first))
    steps.extend(zip(groups.names[first].tolist(), groups.names[second].tolist(), strict=True))
    for number, (place, name) in enumerate(zip(first.tolist(), names.tolist(), strict=True)):
        groups.put(place, joined.take(np.array([number])), name)
    return groups.take(np.delete(np.arange(len(groups.mass)), second))


def _all_costs(groups: Groups, criterion: Criterion, spread: float) -> Array:
    """What joining any two groups adds to the criterion, (m, m)."""
    n_groups = len(groups.mass)
    costs = np.full((n_groups, n_groups), np.inf)
    ones, others = np.triu_indices(n_groups, 1)
    for start in range(0, len(ones), _PAIRS_AT_ONCE):
        one, other = ones[start : start + _PAIRS_AT_ONCE], others[start : start + _PAIRS_AT_ONCE]
        costs[one, other] = costs[other, one] = _costs_of_pairs(groups, criterion, spread, one, other)
    return costs


def _halved(
    groups: Groups, costs: Array, criterion: Criterion, spread: float, steps: list[tuple[int, int]], n_rows: int
) -> tuple[Groups, Array]:
    """The cheapest two of all groups are joined until half of them are left, which are then packed."""
    n_groups = len(groups.mass)
    terms = criterion.terms(groups, spread)
    partner = np.argmin(costs, axis=1)
    least = costs[np.arange(n_groups), partner]
    left = np.ones(n_groups, dtype=bool)
    for _ in range(n_groups // 2):
        one = int(np.argmin(least))
        other = int(partner[one])
        joined = groups.take(np.array([one])).joined(groups.take(np.array([other])))
        steps.append((int(groups.names[one]), int(groups.names[other])))
        groups.put(one, joined, n_rows + len(steps) - 1)
        terms[one] = criterion.terms(joined, spread)[0]
        left[other] = False
        row = np.where(left, _costs(groups, terms, one, criterion, spread), np.inf)
        costs[one] = costs[:, one] = row
        costs[other] = costs[:, other] = np.inf
        least[other] = np.inf
        _partners_updated(costs, partner, least, left, (one, other))
    kept = np.flatnonzero(left)
    return groups.take(kept), costs[np.ix_(kept, kept)]


def _costs(groups: Groups, terms: K, place: int, criterion: Criterion, spread: float) -> K:
    """What joining one group with each adds to the criterion; infinite for itself."""
    joined = groups.take(np.array([place])).joined(groups)
    costs: K = criterion.terms(joined, spread) - terms[place] - terms
    costs[place] = np.inf
    return costs


def _partners_updated(costs: Array, partner: IntN, least: K, left: Array, changed: tuple[int, int]) -> None:
    """Cheapest partners after two groups became one: sought anew by those who had one of the two."""
    one, other = changed
    row = costs[one]
    bereft = left & ((partner == one) | (partner == other))
    bereft[one] = True
    closer = row < least
    partner[closer] = one
    least[closer] = row[closer]
    places = np.flatnonzero(bereft)
    partner[places] = np.argmin(costs[places], axis=1)
    least[places] = costs[places, partner[places]]
