"""The likelihood of one Gaussian per class over several columns, as a function of the columns' transforms.

It is the sum of the log-likelihood of each column alone, with the Jacobian of its transform, and of a term for the
dependence of the columns: minus half the log-determinant of their correlations in each class.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import cholesky
from gaussmix.transforms.transform_kinds import AbstractTransform
from gaussmix.types import DD, KDD, ND, IntN, N

_SHRINKAGES = (1e-6, 1e-3, 0.03, 1.0)  # of correlations towards 0; the first that suffices counts
_MIN_VARIANCE = 1e-24  # relative to the square of the largest value


class TransformedColumn(NamedTuple):
    """A transformed column: values (n,) standardised in each class, and its own log-likelihood with the Jacobian."""

    standardized: N
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """Distinct rows of numbers without gaps, sorted by class, for which transforms are judged.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
    weights : ndarray of shape (n,)
        How often each row counts.
    classes : tuple of slice
        The rows of each class.
    """

    rows: ND
    weights: N
    classes: tuple[slice, ...]

    @classmethod
    def from_rows(cls, rows: ND, target_codes: IntN, weights: N) -> "ClassGaussians":
        """Return the distinct rows in an order that depends on their values alone, with the sums of their weights."""
        order = np.lexsort((*rows.T, target_codes))
        rows, target_codes = rows[order], target_codes[order]
        is_first = np.ones(len(rows), dtype=bool)
        is_first[1:] = (rows[1:] != rows[:-1]).any(axis=1) | (target_codes[1:] != target_codes[:-1])
        distinct = np.flatnonzero(is_first)
        total = np.add.reduceat(weights[order], distinct)
        starts = np.flatnonzero(np.append(True, np.diff(target_codes[distinct]) > 0))
        pairs = zip(starts, np.append(starts[1:], len(distinct)), strict=True)
        return cls(np.asfortranarray(rows[distinct]), total, tuple(slice(*pair) for pair in pairs))

    @cached_property
    def n_rows(self) -> float:
        """Number of rows with their copies."""
        return float(self.weights.sum())

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.rows.shape[1])

    def transform_column(self, j: int, transform: AbstractTransform | None, unit: float) -> TransformedColumn:
        """Return column j under a transform of its values in some unit; minus infinity if a value overflows."""
        values = self.rows[:, j] / unit
        with np.errstate(over="ignore"):
            transformed = values if transform is None else transform.forward(values)
        size = float(np.abs(transformed).max(initial=0.0)) or 1.0
        if not np.isfinite(size):
            return TransformedColumn(np.zeros(len(values)), -np.inf)
        log_likelihood = -float(self.weights.sum()) * (np.log(unit) + np.log(size))
        if transform is not None:
            log_likelihood += float(self.weights @ transform.log_derivative(values))
        standardized = transformed / size  # squares of huge values would overflow
        for rows in self.classes:
            weights, total = self.weights[rows], float(self.weights[rows].sum())
            standardized[rows] -= float(weights @ standardized[rows]) / total
            variance = max(float(weights @ standardized[rows] ** 2) / total, _MIN_VARIANCE)
            log_likelihood -= 0.5 * total * np.log(variance)
            standardized[rows] /= np.sqrt(variance)
        return TransformedColumn(standardized, float(log_likelihood))

    def correlate(self, standardized: ND, j: int) -> ND:
        """Return the correlations of column j of standardised columns (n, D) with all columns in each class, (C, D)."""
        weighted = self.weights * standardized[:, j]
        totals = [float(self.weights[rows].sum()) for rows in self.classes]
        pairs = zip(self.classes, totals, strict=True)
        correlations = np.array([weighted[rows] @ standardized[rows] / total for rows, total in pairs])
        correlations[:, j] = 1.0
        return correlations

    def dependence_term(self, correlations: KDD) -> float:
        """Return minus half the log-determinants of the correlations (C, D, D), times the weights of the classes."""
        pairs = zip(self.classes, correlations, strict=True)
        return -sum(0.5 * float(self.weights[rows].sum()) * _log_determinant(matrix) for rows, matrix in pairs)


def _log_determinant(correlations: DD) -> float:
    """Return the log-determinant of correlations, shrunken as little as makes them positive definite."""
    if len(correlations) == 1:
        return 0.0
    for shrinkage in _SHRINKAGES:
        root = cholesky((1.0 - shrinkage) * correlations + shrinkage * np.eye(len(correlations)))
        if root is not None:
            return 2.0 * float(np.log(np.diag(root)).sum())
    return 0.0
