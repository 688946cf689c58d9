"""Groups joined two by two, each time those whose joining costs a criterion the least.

A criterion is a sum over groups of a function of mass and scatter, so that joining two groups changes
its own terms only. Groups are moments, never rows: a row of weight 2 is that row twice. What joining
costs is kept for every pair, and every group knows its cheapest partner. Where there are more than
``MOST_GROUPS`` groups, so many pairs are too many; those whose cheapest neighbour is one another are
joined before, all at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from gaussmix.types import ND, Array, IntN, K

MOST_GROUPS = 500
_NEIGHBOURS = 5  # in space, among which the cheapest partner is looked for before
_MOST_COLUMNS = 12  # beyond, determinants are below 1e-7 of what they are added to, and left out
_SINGULAR = 1e-12  # of a variance: what is left of it by the columns before it is rounding


@dataclass(frozen=True)
class Criterion:
    """``term`` of mass (m,), trace of the scatter, determinant of scatter / mass, and the spread of a row."""

    term: Callable[[K, K, K, float], K]
    needs_determinant: bool = False


CRITERIA = {
    "EII": Criterion(lambda mass, trace, determinant, spread: trace),
    "VII": Criterion(lambda mass, trace, determinant, spread: mass * np.log((trace + spread) / mass)),
    "VVV": Criterion(
        lambda mass, trace, determinant, spread: mass * np.log(determinant + (trace + spread) / mass), True
    ),
}
"""By the structure whose likelihood they stand for: Fraley (1998), sections 2 and 3, with alpha = beta = 1."""


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
        scatter = np.zeros((n_columns, n_columns, n_rows)) if with_scatter and n_columns <= _MOST_COLUMNS else None
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

    def terms(self, criterion: Criterion, spread: float) -> K:
        """What each group adds to the criterion."""
        determinant = np.zeros(len(self.mass))
        if self.scatter is not None:
            large = self.mass > len(self.mean)  # of fewer rows the determinant is zero
            if large.all():
                determinant = _determinants(self.scatter / self.mass)
            elif large.any():
                determinant[large] = _determinants(self.scatter[..., large] / self.mass[large])
        return criterion.term(self.mass, self.trace, determinant, spread)


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


def agglomerated(rows: ND, weights: K, criterion: Criterion, spread: float) -> IntN:
    """Which two groups each step joins, (m - 1, 2): rows are groups 0 to m - 1, step t makes group m + t."""
    groups = Groups.of(rows, weights, criterion.needs_determinant)
    steps: list[tuple[int, int]] = []
    while len(groups.mass) > MOST_GROUPS:
        groups = _neighbours_joined(groups, criterion, spread, steps, len(rows))
    while len(groups.mass) > 1:
        groups = _halved(groups, criterion, spread, steps, len(rows))
    return np.array(steps, dtype=np.int64).reshape(-1, 2)


def _neighbours_joined(
    groups: Groups, criterion: Criterion, spread: float, steps: list[tuple[int, int]], n_rows: int
) -> Groups:
    """Groups that are one another's cheapest neighbours are joined, the cheapest first, down to ``MOST_GROUPS``."""
    n_groups = len(groups.mass)
    near = KDTree(groups.mean.T).query(groups.mean.T, k=_NEIGHBOURS + 1)[1]
    ones, others = np.repeat(np.arange(n_groups), _NEIGHBOURS + 1), near.ravel()
    terms = groups.terms(criterion, spread)
    costs = groups.take(ones).joined(groups.take(others)).terms(criterion, spread) - terms[ones] - terms[others]
    costs = np.where(ones == others, np.inf, costs).reshape(near.shape)
    cheapest = np.argmin(costs, axis=1)
    partner = near[np.arange(n_groups), cheapest]
    first = np.flatnonzero((partner[partner] == np.arange(n_groups)) & (np.arange(n_groups) < partner))
    order = np.argsort(costs[first, cheapest[first]], kind="stable")
    first = first[order][: n_groups - MOST_GROUPS]
    second = partner[first]
    joined = groups.take(first).joined(groups.take(second))
    names = n_rows + len(steps) + np.arange(len(first))
    steps.extend(zip(groups.names[first].tolist(), groups.names[second].tolist(), strict=True))
    for number, (place, name) in enumerate(zip(first.tolist(), names.tolist(), strict=True)):
        groups.put(place, joined.take(np.array([number])), name)
    return groups.take(np.delete(np.arange(n_groups), second))


def _halved(
    groups: Groups, criterion: Criterion, spread: float, steps: list[tuple[int, int]], n_rows: int
) -> Groups:
    """The cheapest two of all groups are joined until half of them are left, which are then packed."""
    n_groups = len(groups.mass)
    terms = groups.terms(criterion, spread)
    costs = np.empty((n_groups, n_groups))
    for place in range(n_groups):
        costs[place] = _costs(groups, terms, place, criterion, spread)
    costs = np.minimum(costs, costs.T)  # the same but for rounding
    partner = np.argmin(costs, axis=1)
    least = costs[np.arange(n_groups), partner]
    left = np.ones(n_groups, dtype=bool)
    for _ in range(n_groups // 2):
        one = int(np.argmin(least))
        other = int(partner[one])
        joined = groups.take(np.array([one])).joined(groups.take(np.array([other])))
        steps.append((int(groups.names[one]), int(groups.names[other])))
        groups.put(one, joined, n_rows + len(steps) - 1)
        terms[one] = joined.terms(criterion, spread)[0]
        left[other] = False
        row = np.where(left, _costs(groups, terms, one, criterion, spread), np.inf)
        costs[one] = costs[:, one] = row
        costs[other] = costs[:, other] = np.inf
        least[other] = np.inf
        _partners_updated(costs, partner, least, left, (one, other))
    return groups.take(np.flatnonzero(left))


def _costs(groups: Groups, terms: K, place: int, criterion: Criterion, spread: float) -> K:
    """What joining one group with each adds to the criterion; infinite for itself."""
    joined = groups.take(np.array([place])).joined(groups)
    costs = joined.terms(criterion, spread) - terms[place] - terms
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
