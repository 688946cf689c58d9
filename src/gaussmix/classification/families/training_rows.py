"""``TrainingRows``: encoded rows with their classes and weights, and the features of all or some of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.types import ND, AnyArray, IntN, IntNC, N


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
    """

    layout: FeatureLayout
    numeric: ND
    codes: IntNC
    classes: IntN
    n_classes: int
    weights: N | None = None

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
        return np.bincount(self.classes, weights=self.row_weights, minlength=self.n_classes)

    @cached_property
    def mixed_rows(self) -> MixedRows:
        """The features of the rows."""
        return MixedRows.from_cells(self.layout, self.numeric, self.codes, self.weights)

    def select_rows(self, rows: AnyArray) -> "TrainingRows":
        """Return some of the rows, by positions or a mask (n,)."""
        weights = None if self.weights is None else self.weights[rows]
        return TrainingRows(
            self.layout, self.numeric[rows], self.codes[rows], self.classes[rows], self.n_classes, weights
        )

    def select_class(self, label: int) -> "TrainingRows":
        """Return the rows of one class, as rows of a single class 0."""
        rows = np.flatnonzero(self.classes == label)
        weights = None if self.weights is None else self.weights[rows]
        return TrainingRows(
            self.layout, self.numeric[rows], self.codes[rows], np.zeros(len(rows), dtype=np.int64), 1, weights
        )
