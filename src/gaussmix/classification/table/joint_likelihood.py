"""The likelihood of one Gaussian per class over all numeric columns, as a function of the columns' transforms.

It is the sum of the log-likelihood of each column alone, with the Jacobian of its transform, and of a term for the
dependence of the columns: minus half the log-determinant of their correlations in each class.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import cholesky
from gaussmix.transforms.transform_kinds import AbstractTransform
from gaussmix.types import DD, KDD, ND, BoolNK, IntN, N

_SHRINKAGES = (1e-6, 0.01, 0.03, 0.1, 0.3, 1.0)  # of correlations towards 0; the first that suffices counts
_MIN_VARIANCE = 1e-24  # relative to the square of the largest value


class TransformedColumn(NamedTuple):
    """A transformed column: values (n,) standardised in each class, and its own log-likelihood with the Jacobian.

    Missing values are 0.
    """

    standardized: N
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """Distinct rows of numbers, sorted by class, for which transforms are judged.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
        NaN where missing.
    weights : ndarray of shape (n,)
        How often each row counts.
    class_starts : ndarray of int64 of shape (C + 1,)
        The rows of class c are those from ``class_starts[c]`` to ``class_starts[c + 1]``.
    """

    rows: ND
    weights: N
    class_starts: IntN

    @classmethod
    def from_rows(cls, rows: ND, target_codes: IntN, weights: N) -> "ClassGaussians":
        """Return the distinct rows in an order that depends on their values alone, with the sums of their weights."""
        order = np.lexsort((*rows.T, target_codes))
        rows, target_codes = rows[order], target_codes[order]
        is_equal = (rows[1:] == rows[:-1]) | (np.isnan(rows[1:]) & np.isnan(rows[:-1]))
        is_first = np.append(True, ~is_equal.all(axis=1) | (target_codes[1:] != target_codes[:-1]))
        distinct = np.flatnonzero(is_first)
        starts = np.flatnonzero(np.append(True, np.diff(target_codes[distinct]) > 0))
        total = np.add.reduceat(weights[order], distinct)
        return cls(np.asfortranarray(rows[distinct]), total, np.append(starts, len(distinct)))

    @cached_property
    def n_rows(self) -> float:
        """Number of rows with their copies."""
        return float(self.weights.sum())

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.rows.shape[1])

    @cached_property
    def is_present(self) -> BoolNK:
        """Which cells (n, D) are present."""
        return np.asfortranarray(~np.isnan(self.rows))

    @cached_property
    def _presence(self) -> ND:
        """1 where a cell (n, D) is present, 0 elsewhere."""
        return self.is_present.astype(np.float64)

    @cached_property
    def _classes(self) -> list[slice]:
        """The rows of each class."""
        return [slice(start, stop) for start, stop in zip(self.class_starts[:-1], self.class_starts[1:], strict=True)]

    @cached_property
    def _pair_weights(self) -> KDD:
        """Weight of the rows of each class in which two columns are present, (C, D, D)."""
        parts = ((self._presence[rows], self.weights[rows, None]) for rows in self._classes)
        return np.array([present.T @ (weights * present) for present, weights in parts])

    def transform_column(self, j: int, transform: AbstractTransform | None, unit: float) -> TransformedColumn:
        """Return column j under a transform of its values in some unit."""
        is_present = self.is_present[:, j]
        values = np.where(is_present, self.rows[:, j], 0.0) / unit
        weights = np.where(is_present, self.weights, 0.0)
        with np.errstate(over="ignore"):
            transformed = values if transform is None else transform.forward(values)
        size = float(np.abs(transformed).max(initial=0.0, where=is_present)) or 1.0
        if not np.isfinite(size):
            return TransformedColumn(np.zeros(len(values)), -np.inf)
        log_likelihood = -float(weights.sum()) * np.log(unit)
        if transform is not None:
            log_likelihood += float(weights @ transform.log_derivative(values))
        standardized = np.zeros(len(values))
        for rows in self._classes:
            total = float(weights[rows].sum())
            if total > 0.0:
                scaled = transformed[rows] / size
                deviations = np.where(is_present[rows], scaled - float(weights[rows] @ scaled) / total, 0.0)
                variance = max(float(weights[rows] @ deviations**2) / total, _MIN_VARIANCE)
                log_likelihood -= total * (0.5 * np.log(variance) + np.log(size))
                standardized[rows] = deviations / np.sqrt(variance)
        return TransformedColumn(standardized, float(log_likelihood))

    def correlate(self, standardized: ND, j: int) -> ND:
        """Return the correlations of column j of standardised columns (n, D) with all columns in each class, (C, D).

        They are those of the rows in which both are present.
        """
        correlations = np.empty((len(self._classes), self.n_columns))
        for c, rows in enumerate(self._classes):
            values, weights = standardized[rows], self.weights[rows]
            own, present = values[:, j], self._presence[rows]
            squares = (weights * own**2) @ present  # of column j where another one is present
            other_squares = (weights * present[:, j]) @ values**2
            norms = np.sqrt(squares * other_squares)
            np.divide((weights * own) @ values, norms, out=correlations[c], where=norms > 0)
            correlations[c, ~(norms > 0)] = 0.0
        correlations[:, j] = 1.0
        return correlations

    def dependence_term(self, correlations: KDD) -> float:
        """Return minus half the log-determinant of the correlations (C, D, D), times the mean weight of a pair."""
        if self.n_columns < 2:
            return 0.0
        is_pair = ~np.eye(self.n_columns, dtype=bool)
        pairs = zip(correlations, self._pair_weights, strict=True)
        return -sum(0.5 * float(weights[is_pair].mean()) * _log_determinant(matrix) for matrix, weights in pairs)


def _log_determinant(correlations: DD) -> float:
    """Return the log-determinant of correlations, shrunken as little as makes them positive definite."""
    for shrinkage in _SHRINKAGES:
        root = cholesky((1.0 - shrinkage) * correlations + shrinkage * np.eye(len(correlations)))
        if root is not None:
            return 2.0 * float(np.log(np.diag(root)).sum())
    return 0.0
