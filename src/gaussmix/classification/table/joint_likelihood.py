"""The likelihood of one Gaussian per class over several columns, as a function of the columns' transforms.

It is the sum of the log-likelihood of each column alone, with the Jacobian of its transform, and of a term for the
dependence of the columns: minus half the log-determinant of their correlations in each class.
"""

from dataclasses import dataclass
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
    """Rows of numbers without gaps, sorted by class, for which transforms are judged.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
    weights : ndarray of shape (n,)
        Their mean is 1, so that the log-likelihood counts as many rows as there are.
    classes : tuple of slice
        The rows of each class.
    """

    rows: ND
    weights: N
    classes: tuple[slice, ...]

    @classmethod
    def from_rows(cls, rows: ND, target_codes: IntN, weights: N) -> "ClassGaussians":
        """Return the rows in an order that depends on their values alone, with weights of mean 1."""
        weights = weights / weights.mean()
        order = np.lexsort((weights, *rows.T, target_codes))
        starts = np.flatnonzero(np.append(True, np.diff(target_codes[order]) > 0))
        pairs = zip(starts, np.append(starts[1:], len(rows)), strict=True)
        return cls(np.asfortranarray(rows[order]), weights[order], tuple(slice(*pair) for pair in pairs))

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
