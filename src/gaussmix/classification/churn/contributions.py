"""How much each column of a customer adds to the log-odds of leaving: Shapley values of the cells that are known.

The worth of a set of columns is the log-odds given their cells alone, and the Shapley value of a column is the mean of
what it adds over all orders of the columns (Shapley 1953; Strumbelj & Kononenko, Knowledge and Information Systems 41,
2014). Contributions and the log-odds without any cell add up to the log-odds of the customer.
"""

from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np

from gaussmix.classification.churn.coalitions import ChurnScorer
from gaussmix.classification.table.table_schema import InputCells
from gaussmix.core.random_numbers import make_generator
from gaussmix.types import NK, Array, BoolNK, IntArray, N

MAX_EXACT_COLUMNS = 9  # 512 coalitions
_SEED = 0  # the same orders for every customer, so that a customer's values do not depend on the other rows


@dataclass(frozen=True, eq=False)
class Contributions:
    """Contributions of R columns to the log-odds of n customers.

    Attributes
    ----------
    columns : tuple of str
        The columns of the table that the classifier uses.
    values : ndarray of shape (n, R)
        Zero for a missing cell.
    standard_errors : ndarray of shape (n, R)
        Of the mean over the orders that were drawn; zero if all orders were used.
    base : ndarray of shape (n,)
        The log-odds without any cell; they differ between customers of different models only.
    log_odds : ndarray of shape (n,)
        ``base`` plus the sum of the contributions.
    """

    columns: tuple[str, ...]
    values: NK
    standard_errors: NK
    base: N
    log_odds: N


def compute_contributions(scorer: ChurnScorer, cells: InputCells, n_pairs: int) -> Contributions:
    """Return the contributions of all columns for each row.

    Up to 9 columns all coalitions are used. With more columns ``n_pairs`` orders and their reverses are drawn; a pair
    is exact if columns interact at most in twos.
    """
    n_columns = len(scorer.columns)
    names = tuple(column.name for column in scorer.columns)
    plan = _plan_all(n_columns) if n_columns <= MAX_EXACT_COLUMNS else _plan_orders(n_columns, n_pairs)
    worth = scorer.coalition_log_odds(cells, plan.coalitions)
    values, errors = plan.combine(worth)
    return Contributions(names, values, errors, worth[:, plan.empty], worth[:, plan.full])


@dataclass(frozen=True, eq=False)
class _CoalitionPlan:
    """Coalitions (m, R) to score, and how contributions follow from their worth.

    ``weights`` (P, R, m) are those of each of P independent estimates, whose mean is the contribution.
    """

    coalitions: BoolNK
    weights: Array

    @cached_property
    def empty(self) -> int:
        """Position of the coalition without columns."""
        return int(np.argmin(self.coalitions.sum(axis=1)))

    @cached_property
    def full(self) -> int:
        """Position of the coalition of all columns."""
        return int(np.argmax(self.coalitions.sum(axis=1)))

    def combine(self, worth: NK) -> tuple[NK, NK]:
        """Return contributions and standard errors (n, R) from the worth (n, m) of the coalitions."""
        estimates = np.einsum("nm,prm->pnr", worth, self.weights, optimize=True)
        count = len(estimates)
        errors = estimates.std(axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.zeros(estimates.shape[1:])
        return estimates.mean(axis=0), errors


def _plan_all(n_columns: int) -> _CoalitionPlan:
    """Return the plan of all coalitions, with the weights of Shapley's formula."""
    codes = np.arange(2**n_columns)
    coalitions = (codes[:, None] >> np.arange(n_columns)) & 1 == 1
    sizes = coalitions.sum(axis=1)
    largest = max(n_columns - 1, 0)
    joining = np.array([1.0 / (max(n_columns, 1) * comb(largest, size)) for size in range(largest + 1)])
    weights = np.where(coalitions.T, joining[np.maximum(sizes - 1, 0)], -joining[np.minimum(sizes, largest)])
    return _CoalitionPlan(coalitions, weights[None])


def _plan_orders(n_columns: int, n_pairs: int) -> _CoalitionPlan:
    """Return the plan of drawn orders, each with its reverse."""
    rng = make_generator(_SEED)
    orders = np.stack([rng.permutation(n_columns) for _ in range(n_pairs)])
    chains = np.stack([_chain(order) for order in np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, n_columns)])
    coalitions, position = np.unique(chains.reshape(-1, n_columns), axis=0, return_inverse=True)
    position = position.reshape(2 * n_pairs, n_columns + 1)
    weights = np.zeros((n_pairs, n_columns, len(coalitions)))
    for index, order in enumerate(np.stack([orders, orders[:, ::-1]], axis=1).reshape(-1, n_columns)):
        np.add.at(weights[index // 2], (order, position[index, 1:]), 0.5)
        np.add.at(weights[index // 2], (order, position[index, :-1]), -0.5)
    return _CoalitionPlan(coalitions, weights)


def _chain(order: IntArray) -> BoolNK:
    """Return the coalitions (R + 1, R) that an order of the columns builds, from none to all of them."""
    ranks = np.argsort(order)
    return np.asarray(ranks[None, :] < np.arange(len(order) + 1)[:, None])
