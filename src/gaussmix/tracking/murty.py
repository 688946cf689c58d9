"""The best assignments of tracks to detections, in order of their costs.

Murty's algorithm finds the best assignment and splits the others into disjoint sets by forbidding one pair of it each.
It goes on with the set whose best assignment is cheapest, and drops sets that cannot be among the best. Source: Murty,
"An algorithm for ranking all the assignments in order of increasing cost", Operations Research 16, 1968.

SciPy solves a single problem in a few microseconds, no more than the bounds on sets take that Miller, Stone & Cox add
("Optimizing Murty's ranked assignment method", IEEE Trans. Aerospace and Electronic Systems 33, 1997).
"""

import heapq
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.errors import ParameterError
from gaussmix.types import Array, IntArray, IntK, K


class RankedAssignments(NamedTuple):
    """Assignments in ascending order of their costs (k,).

    ``columns`` (k, R) are the columns of the rows; -1 for a row without a column.
    """

    columns: IntArray
    costs: K


def rank_assignments(
    costs: Array,
    missed_costs: K,
    new_costs: K,
    n_best: int,
    max_cost: float = np.inf,
    max_gap: float = np.inf,
) -> RankedAssignments:
    """Return the ``n_best`` assignments of least cost, or all if there are fewer.

    Each row has one column or none, and each column at most one row. The cost of an assignment is the sum of the costs
    of its pairs, of rows without a column, and of columns without a row.

    Parameters
    ----------
    costs : array of shape (R, C)
        Costs of pairs; infinity forbids a pair.
    missed_costs : array of shape (R,)
        Costs of rows without a column; infinity forbids it.
    new_costs : array of shape (C,)
        Costs of columns without a row; infinity forbids it.
    n_best : int
        At least 1.
    max_cost : float, default=inf
        Assignments that cost more are left out.
    max_gap : float, default=inf
        Assignments that cost more than this above the best one are left out.

    Returns
    -------
    RankedAssignments
        Without entries if every assignment is forbidden or costs more than ``max_cost``.

    Raises
    ------
    ParameterError
        If a cost is NaN or minus infinity.
    """
    n_rows, n_columns = costs.shape
    if not all((values > -np.inf).all() for values in (costs, missed_costs, new_costs)):
        raise ParameterError.invalid_value("costs", "NaN or minus infinity", "numbers, or infinity for forbidden pairs")
    if n_rows == 1 and np.isfinite(new_costs).all():
        return _rank_single_row(costs[0], float(missed_costs[0]), new_costs, n_best, max_cost, max_gap)
    matrix, offset = _add_options(costs, missed_costs, new_costs)
    queue = _Queue(n_best, max_cost - offset, max_gap)
    solutions, totals = _rank_solutions(matrix, n_rows, n_best, queue)
    columns = np.array(solutions, dtype=np.int64).reshape(len(totals), len(matrix))[:, :n_rows]
    return RankedAssignments(np.where(columns < n_columns, columns, -1), np.array(totals) + offset)


def _rank_single_row(
    costs: Array, missed_cost: float, new_costs: K, n_best: int, max_cost: float, max_gap: float
) -> RankedAssignments:
    """Return the best columns of one row in order; every column may stay without a row."""
    totals = np.append(costs - new_costs, missed_cost) + new_costs.sum()
    order = np.argsort(totals, kind="stable")[:n_best]
    limit = min(max_cost, totals[order[0]] + max_gap)
    order = order[(totals[order] <= limit) & (totals[order] < np.inf)]
    return RankedAssignments(np.where(order < len(costs), order, -1)[:, None], totals[order])


def _add_options(costs: Array, missed_costs: K, new_costs: K) -> tuple[Array, float]:
    """Return a matrix whose rows all need a column, and a constant to add to its costs.

    Each row has a column of its own that means none. A column that needs a row also gets a row of its own.
    """
    n_rows, n_columns = costs.shape
    needs_row = np.isposinf(new_costs)
    offsets = np.where(needs_row, 0.0, new_costs)
    if not needs_row.any():
        matrix = np.full((n_rows, n_columns + n_rows), np.inf)
    else:  # the rows of unassigned columns take what columns of rows are left, at no cost
        matrix = np.full((n_rows + n_columns, n_columns + n_rows), np.inf)
        matrix[n_rows:, n_columns:] = 0.0
        matrix[n_rows + np.arange(n_columns), np.arange(n_columns)] = np.where(needs_row, np.inf, 0.0)
    matrix[:n_rows, :n_columns] = costs - offsets
    matrix[np.arange(n_rows), n_columns + np.arange(n_rows)] = missed_costs
    return matrix, float(offsets.sum())


def _rank_solutions(matrix: Array, n_rows: int, n_best: int, queue: "_Queue") -> tuple[list[IntK], list[float]]:
    """Return the best solutions of a matrix whose rows all need a column, and their costs, by Murty's algorithm."""
    solutions: list[IntK] = []
    totals: list[float] = []
    queue.add(matrix, 0)
    while queue.sets and len(solutions) < n_best:
        total, _, work, solution, n_fixed = heapq.heappop(queue.sets)
        solutions.append(solution)
        totals.append(total)
        for row in range(n_fixed, n_rows):  # further rows only complete an assignment
            column = solution[row]
            cost = work[row, column]
            work[row, column] = np.inf
            queue.add(work, row)
            work[row] = np.inf
            work[row, column] = cost
    return solutions, totals


class _Queue:
    """Sets of assignments, each with its cheapest one; a set that cannot be among the ``n_best`` is left out.

    Costs above ``max_cost``, or by more than ``max_gap`` above the first one, are left out, too. ``sets`` is a heap of
    (cost, number of the set, matrix, solution, number of fixed rows).
    """

    def __init__(self, n_best: int, max_cost: float, max_gap: float) -> None:
        self.sets: list[tuple[float, int, Array, IntK, int]] = []
        self._negative_costs: list[float] = []  # of the cheapest solutions so far, at most n_best, as a heap
        self._n_best, self._n_added = n_best, 0
        self._max_cost, self._max_gap = max_cost, max_gap

    def add(self, matrix: Array, n_fixed: int) -> None:
        """Find the cheapest assignment of a matrix whose first ``n_fixed`` rows have one finite cost each."""
        try:
            rows, columns = linear_sum_assignment(matrix)
        except ValueError:  # every assignment has a forbidden pair
            return
        total = float(matrix[rows, columns].sum())
        if total > self._max_cost:
            return
        if not self._n_added:  # the first assignment is the best of all
            self._max_cost = min(self._max_cost, total + self._max_gap)
        if len(self._negative_costs) < self._n_best:
            heapq.heappush(self._negative_costs, -total)
        elif total > -self._negative_costs[0]:
            return
        else:
            heapq.heapreplace(self._negative_costs, -total)
        heapq.heappush(self.sets, (total, self._n_added, matrix.copy(), columns, n_fixed))
        self._n_added += 1
