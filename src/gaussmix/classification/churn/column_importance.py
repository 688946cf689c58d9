"""Which columns matter most: the mean size of their reasons, where columns of the same information are one factor."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, product
from typing import NamedTuple

RowReasons = Sequence[tuple[tuple[str, ...], float]]
"""The columns and the log-odds of each reason of a customer."""


class ColumnImportance(NamedTuple):
    """Columns that never tell different things, and the mean size of what they add to the log-odds together."""

    columns: tuple[str, ...]
    mean_log_odds: float


def rank_columns(rows: Sequence[RowReasons], columns: Sequence[str]) -> list[ColumnImportance]:
    """Return the factors of all ``columns``, the largest first; each begins with the column that names its reasons.

    Two columns are one factor if they are in the same reason of every customer who has both, such as a price and the
    same price in cents. A reason counts for the factor of its first column.
    """
    factors = _join_columns({tuple(names for names, _ in row) for row in rows}, columns)
    leads = Counter(names[0] for row in rows for names, _ in row)
    sizes = dict.fromkeys(columns, 0.0)
    for row in rows:
        for names, log_odds in row:
            sizes[names[0]] += abs(log_odds) / len(rows)
    found = [
        ColumnImportance(tuple(sorted(factor, key=lambda name: -leads[name])), sum(sizes[name] for name in factor))
        for factor in factors
    ]
    return sorted(found, key=lambda one: -one.mean_log_odds)


def _join_columns(patterns: Iterable[Sequence[tuple[str, ...]]], columns: Sequence[str]) -> list[list[str]]:
    """Return the columns of each factor, from the distinct ways in which columns form reasons of a customer."""
    rank = {name: position for position, name in enumerate(columns)}
    joined: set[tuple[str, ...]] = set()
    apart: set[tuple[str, ...]] = set()
    for pattern in patterns:
        for names in pattern:
            joined |= set(combinations(sorted(names, key=rank.__getitem__), 2))
        for first, second in combinations(pattern, 2):
            apart |= {tuple(sorted(pair, key=rank.__getitem__)) for pair in product(first, second)}
    leaders = {name: name for name in columns}
    for first_name, second_name in sorted(joined - apart, key=lambda pair: [rank[name] for name in pair]):
        leaders[second_name] = leaders[first_name]
    factors: dict[str, list[str]] = {}
    for name in columns:
        factors.setdefault(leaders[name], []).append(name)
    return list(factors.values())
