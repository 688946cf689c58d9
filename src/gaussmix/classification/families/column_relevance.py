"""Find categorical columns whose levels say nothing about the class of unseen rows."""

import numpy as np

from gaussmix.types import IntN, IntNC, N


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
        n_estimated = (np.count_nonzero(table.sum(axis=0)) - 1) * (np.count_nonzero(table.sum(axis=1)) - 1)
        if count <= 2 or _log_likelihood_ratio(table) > n_estimated:
            relevant.append(column)
    return tuple(relevant)


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
