"""Choose the numeric columns that need a full covariance: those that correlate within the classes."""

import numpy as np

from gaussmix.types import ND, IntN, N

MAX_BLOCK_COLUMNS = 24
MAX_BLOCK_PATTERNS = 256  # of missing cells: each needs its own factorisation in every pass
MAX_PRODUCT_CELLS = 50_000_000  # products of two columns, of all rows, that are held in memory
_MIN_ROWS = 5
_MAX_SQUARED_CORRELATION = 1.0 - 1e-12


def list_correlated_blocks(numeric: ND, classes: IntN, weights: N) -> tuple[tuple[int, ...], ...]:
    """Return the positions of the columns (n, D) that surely correlate within the classes, and of those that may.

    A pair may correlate if its correlation in at least one class raises the Gaussian log-likelihood of that class by
    more than BIC charges for it. Of many columns without correlations some pairs do. A pair surely correlates if the
    gain exceeds the charge of the extended BIC, which also counts the pairs that are compared (Foygel & Drton,
    "Extended Bayesian information criteria for Gaussian graphical models", NIPS 23, 2010). The two are one if they are
    the same.

    Pairs enter in the order of this evidence while the block has at most 24 columns, and at most 256 patterns of
    missing cells.
    """
    evidence = _pairwise_evidence(numeric, classes, weights)
    n_columns = numeric.shape[1]
    n_compared = max(1, len(np.unique(classes)) * n_columns * (n_columns - 1) // 2)
    blocks = (_choose_block(numeric, evidence - np.log(n_compared)), _choose_block(numeric, evidence))
    return tuple(dict.fromkeys(blocks))


def _choose_block(numeric: ND, evidence: ND) -> tuple[int, ...]:
    """Return the positions of the columns of pairs with positive evidence (D, D)."""
    first, second = np.triu_indices(numeric.shape[1], 1)
    order = np.argsort(-evidence[first, second], kind="stable")
    block: set[int] = set()
    for i, j in zip(first[order], second[order], strict=True):
        if not evidence[i, j] > 0:
            break
        larger = block | {int(i), int(j)}
        if len(larger) <= MAX_BLOCK_COLUMNS and _count_patterns(numeric, larger) <= MAX_BLOCK_PATTERNS:
            block = larger
    return tuple(sorted(block))


def choose_all_columns(numeric: ND) -> tuple[int, ...]:
    """Return the positions of all columns (n, D); none if they have more than 256 patterns of missing cells.

    None are returned, too, if the products of the columns would not fit into memory.
    """
    n_rows, n_columns = numeric.shape
    every = range(n_columns)
    has_few_products = n_rows * n_columns * (n_columns + 1) // 2 <= MAX_PRODUCT_CELLS
    return tuple(every) if has_few_products and _count_patterns(numeric, set(every)) <= MAX_BLOCK_PATTERNS else ()


def _pairwise_evidence(numeric: ND, classes: IntN, weights: N) -> ND:
    """Return the largest gain in log-likelihood less its BIC penalty over the classes, for each pair of columns."""
    gains = [_correlation_gains(numeric[classes == label], weights[classes == label]) for label in np.unique(classes)]
    return np.asarray(np.max(gains, axis=0))


def _correlation_gains(numeric: ND, weights: N) -> ND:
    """Return the gain in log-likelihood by each correlation (D, D) less the BIC penalty, over rows that have both."""
    is_present = ~np.isnan(numeric)
    mask = is_present * np.sqrt(weights)[:, None]
    filled = np.where(is_present, numeric, 0.0)
    total = weights @ is_present
    means = (weights @ filled) / np.where(total > 0, total, 1.0)
    centered = (filled - means) * mask
    counts = mask.T @ mask
    squares = (centered**2).T @ is_present  # of each first column, over the rows in which both are present
    with np.errstate(divide="ignore", invalid="ignore"):
        squared_correlations = (centered.T @ centered) ** 2 / (squares * squares.T)
        gains = -0.5 * counts * np.log1p(-np.minimum(squared_correlations, _MAX_SQUARED_CORRELATION))
    is_estimable = (counts >= _MIN_ROWS) & np.isfinite(gains)
    return np.where(is_estimable, gains - 0.5 * np.log(np.maximum(counts, 1.0)), -np.inf)


def _count_patterns(numeric: ND, columns: set[int]) -> int:
    """Return the number of patterns of missing cells in some columns."""
    return len(np.unique(np.isnan(numeric[:, sorted(columns)]), axis=0))
