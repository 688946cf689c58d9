"""All pairs of n things in rounds in which nothing is in two pairs: planes that can be turned side by side."""

from functools import cache

import numpy as np

from gaussmix.types import IntN


@cache
def disjoint_pair_rounds(n_axes: int) -> tuple[tuple[IntN, IntN], ...]:
    """All pairs of n things, as rounds of pairs that share none: the schedule of a tournament."""
    seats = list(range(n_axes + n_axes % 2))
    rounds = []
    for _ in range(len(seats) - 1):
        pairs = [(seats[k], seats[-1 - k]) for k in range(len(seats) // 2)]
        played = np.array([sorted(pair) for pair in pairs if max(pair) < n_axes], dtype=np.int64).reshape(-1, 2)
        rounds.append((played[:, 0], played[:, 1]))
        seats = [seats[0], seats[-1], *seats[1:-1]]
    return tuple(rounds)
