"""Find the columns that say nothing about the class of unseen rows.

Without them groups form along the columns that matter: fifty states without influence lead k-means and EM to groups of
states.
"""

import numpy as np

from gaussmix.types import ND, IntD, IntN, IntNC, N

_MAX_PARTS = 10
_MIN_WEIGHT_PER_PART = 50.0


def find_relevant_categories(
    codes: IntNC, n_levels: tuple[int, ...], classes: IntN, n_classes: int, weights: N
) -> tuple[int, ...]:
    """Return the positions of the columns (n, C) that are expected to help with unseen rows.

    The level frequencies of a column differ between the classes by a likelihood ratio. A column is kept if the log of
    the ratio exceeds the number of frequencies that the difference estimates (Akaike, IEEE Transactions on Automatic
    Control 19, 1974): with fewer, they predict unseen rows worse than no column. Columns of two levels are always kept:
    they cost little, and may matter together with another column.
    """
    relevant = []
    for column, (values, count) in enumerate(zip(codes.T, n_levels, strict=True)):
        table = _count_levels(values, count, classes, n_classes, weights)
        if count <= 2 or _helps_unseen_rows(table):
            relevant.append(column)
    return tuple(relevant)


def find_relevant_numbers(numeric: ND, classes: IntN, n_classes: int, weights: N, block: tuple[int, ...]) -> IntD:
    """Return the positions of the columns (n, D) whose tenths differ between the classes, by AIC, and of the block.

    A column of the block may matter by its correlations alone. Fewer than 500 rows make fewer parts than ten.
    """
    relevant = []
    for column, values in enumerate(numeric.T):
        codes, count = _divide_into_parts(values, weights)
        if column in block or _helps_unseen_rows(_count_levels(codes, count, classes, n_classes, weights)):
            relevant.append(column)
    return np.array(relevant, dtype=np.int64)


def _divide_into_parts(values: N, weights: N) -> tuple[IntN, int]:
    """Return the part (n,) of about equal weight of each value, -1 where missing, and the number of parts."""
    is_present = ~np.isnan(values)
    present = values[is_present]
    order = np.argsort(present, kind="stable")
    totals = np.cumsum(weights[is_present][order])
    total = float(totals[-1]) if len(totals) else 0.0
    n_parts = int(np.clip(total // _MIN_WEIGHT_PER_PART, 2, _MAX_PARTS))
    positions = np.searchsorted(totals, total * np.arange(1, n_parts) / n_parts)
    edges = np.unique(present[order][np.minimum(positions, len(order) - 1)]) if len(order) else np.empty(0)
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[is_present] = np.searchsorted(edges, present, side="left")
    return codes, len(edges) + 1


def _helps_unseen_rows(table: N) -> bool:
    """Return whether the levels' frequencies by class (Y, count) are worth what they estimate."""
    n_estimated = (np.count_nonzero(table.sum(axis=0)) - 1) * (np.count_nonzero(table.sum(axis=1)) - 1)
    return bool(_log_likelihood_ratio(table) > n_estimated)


def _count_levels(values: IntN, count: int, classes: IntN, n_classes: int, weights: N) -> N:
    """Return the weight of each class and level, (Y, count), over the rows in which the level is present."""
    is_present = values >= 0
    cells = classes[is_present] * count + values[is_present]
    counts = np.bincount(cells, weights=weights[is_present], minlength=n_classes * count)
    return np.asarray(counts, dtype=np.float64).reshape(n_classes, count)


def _log_likelihood_ratio(table: N) -> float:
    """Return how much the levels' frequencies by class raise the log-likelihood over common ones."""
    total = table.sum()
    if total <= 0:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    is_positive = table > 0
    return float((table[is_positive] * np.log(table[is_positive] / expected[is_positive])).sum())
