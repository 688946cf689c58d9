"""``TrainingRows``: encoded rows with their classes and weights, and equal rows merged into one.

A fit of distinct rows in sorted order depends neither on the order of the rows nor on their repetition.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.core.random_numbers import make_generator
from gaussmix.types import ND, AnyArray, D, IntN, IntNC, N

_SIGNIFICANT = 2.0**-40  # relative to a standard deviation: closer numbers are equal up to rounding


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """Rows to learn classes from.

    Attributes
    ----------
    layout : FeatureLayout
    numeric : ndarray of shape (n, D)
        Standardised numbers, NaN where missing.
    codes : ndarray of int64 of shape (n, C)
        Levels, -1 where missing.
    classes : ndarray of int64 of shape (n,)
        Class of each row, from 0.
    n_classes : int
        Number of classes Y.
    weights : ndarray of shape (n,) or None
        How often each row counts.
    units : ndarray of shape (D,) or None
        The data's units of one standard deviation of each column; None if they are unknown.
    log_jacobians : ndarray of shape (n,) or None
        Log derivative of the present numbers of each row by the data's units; None for zero.
    """

    layout: FeatureLayout
    numeric: ND
    codes: IntNC
    classes: IntN
    n_classes: int
    weights: N | None = None
    units: D | None = None
    log_jacobians: N | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows n."""
        return len(self.classes)

    @cached_property
    def row_weights(self) -> N:
        """Weight of each row (n,); 1 without weights."""
        return np.ones(self.n_rows) if self.weights is None else self.weights

    @cached_property
    def class_weights(self) -> N:
        """Total weight of each class, (Y,)."""
        counts = np.bincount(self.classes, weights=self.row_weights, minlength=self.n_classes)
        return np.asarray(counts, dtype=np.float64)

    def count_complete(self) -> float:
        """Return the total weight of the rows times the fraction of their cells that are present.

        Columns without any present cell do not count.
        """
        is_present = np.column_stack([~np.isnan(self.numeric), self.codes >= 0])
        fractions = self.row_weights @ is_present / self.row_weights.sum()
        total = float(self.row_weights.sum())
        return total * float(fractions[fractions > 0.0].mean()) if fractions.any() else total

    @cached_property
    def mixed_rows(self) -> MixedRows:
        """The features of the rows."""
        return MixedRows.from_cells(self.layout, self.numeric, self.codes, self.weights)

    @property
    def total_log_jacobian(self) -> float:
        """Sum over the rows of the log derivatives."""
        return 0.0 if self.log_jacobians is None else float(self.row_weights @ self.log_jacobians)

    @property
    def has_gaps(self) -> bool:
        """Whether a number or a level is missing."""
        return bool(np.isnan(self.numeric).any() or (self.codes < 0).any())

    def select_rows(self, rows: AnyArray) -> "TrainingRows":
        """Return some of the rows, by positions or a mask (n,)."""
        return replace(
            self,
            numeric=self.numeric[rows],
            codes=self.codes[rows],
            classes=self.classes[rows],
            weights=None if self.weights is None else self.weights[rows],
            log_jacobians=None if self.log_jacobians is None else self.log_jacobians[rows],
        )

    def divide(self, rows: IntN, fractions: N) -> "TrainingRows":
        """Return some of the rows, by positions (m,), with fractions (m,) of their weights."""
        pieces = self.select_rows(rows)
        return replace(pieces, weights=pieces.row_weights * fractions)

    def select_class(self, label: int) -> "TrainingRows":
        """Return the rows of one class, as rows of a single class 0."""
        rows = self.select_rows(np.flatnonzero(self.classes == label))
        return replace(rows, classes=np.zeros(rows.n_rows, dtype=np.int64), n_classes=1)


class DistinctRows(NamedTuple):
    """Distinct rows in sorted order.

    ``positions`` (m,) are those of one copy each, ``of_row`` (n,) the distinct row of each row, ``weights`` (m,) the
    total weights of the copies, and ``copies`` (m,) their number.
    """

    positions: IntN
    of_row: IntN
    weights: N
    copies: IntN


def merge_equal_rows(numeric: ND, codes: IntNC, classes: IntN, weights: N, copies: IntN | None = None) -> DistinctRows:
    """Return the distinct rows of numbers (n, D), NaN where missing, of codes (n, C) and of classes (n,).

    A row may stand for several ``copies`` (n,).
    """
    rounded = np.round(np.where(np.isnan(numeric), np.inf, numeric) / _SIGNIFICANT) * _SIGNIFICANT
    keys = [classes, *codes.T[::-1], *rounded.T[::-1]]
    order = np.lexsort(keys[::-1])
    starts_group = np.zeros(len(order), dtype=bool)
    starts_group[:1] = True
    for key in keys:
        ordered = key[order]
        starts_group[1:] |= ordered[1:] != ordered[:-1]
    of_sorted = np.cumsum(starts_group) - 1
    of_row = np.empty(len(order), dtype=np.int64)
    of_row[order] = of_sorted
    total = np.asarray(np.bincount(of_row, weights=weights), dtype=np.float64)
    n_copies = np.zeros(len(total), dtype=np.int64)
    np.add.at(n_copies, of_row, 1 if copies is None else copies)
    return DistinctRows(order[starts_group].astype(np.int64), of_row, total, n_copies)


def sample_rows(n_rows: int, max_rows: int, seed: int) -> IntN:
    """Return the positions of at most ``max_rows`` of the rows, at random, ascending."""
    if n_rows <= max_rows:
        return np.arange(n_rows)
    drawn = make_generator(seed).choice(n_rows, max_rows, replace=False)
    return np.sort(drawn).astype(np.int64)
