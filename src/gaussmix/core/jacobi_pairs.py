"""Disjoint pairs of axes, whose planes can be rotated at the same time."""

from functools import cache
from typing import NamedTuple

import numpy as np

from gaussmix.types import IntD


class AxisPairs(NamedTuple):
    """Pairs of axes, no two with a common axis: indices of the first and of the second axis of each pair."""

    first: IntD
    second: IntD


@cache
def disjoint_axis_pair_rounds(n_axes: int) -> tuple[AxisPairs, ...]:
    """Return rounds of disjoint pairs of axes, which contain every pair once (as in a round-robin tournament)."""
    order = list(range(n_axes + n_axes % 2))
    rounds = []
    for _ in range(len(order) - 1):
        pairs = [(order[k], order[-1 - k]) for k in range(len(order) // 2)]
        disjoint = np.array([sorted(pair) for pair in pairs if max(pair) < n_axes], dtype=np.int64).reshape(-1, 2)
        rounds.append(AxisPairs(disjoint[:, 0], disjoint[:, 1]))
        order = [order[0], order[-1], *order[1:-1]]
    return tuple(rounds)
