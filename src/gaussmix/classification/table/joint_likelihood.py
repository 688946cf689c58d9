"""The likelihood of one Gaussian per class over all numeric columns, as a function of the columns' transforms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.core.linalg import cholesky
from gaussmix.transforms.transform_kinds import AbstractTransform
from gaussmix.types import DD, ND, BoolN, IntN, N

_SHRINKAGES = (1e-4, 0.01, 0.03, 0.1, 0.3, 1.0)  # of correlations towards 0; the first that suffices counts
_MIN_VARIANCE = 1e-24  # relative to the square of the largest value


class TransformedColumn(NamedTuple):
    """A transformed column: values (n,) standardised in each class, and its own log-likelihood with the Jacobian.

    Missing values are 0.
    """

    standardized: N
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class ClassGaussians:
    """Rows of numbers with their classes, for which transforms are judged.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
        NaN where missing.
    class_masks : ndarray of bool of shape (C, n)
    weights : ndarray of shape (n,)
    """

    rows: ND
    class_masks: BoolN
    weights: N

    @classmethod
    def from_rows(cls, rows: ND, target_codes: IntN, weights: N) -> "ClassGaussians":
        """Return the rows with a mask for each class that occurs."""
        classes = np.unique(target_codes)
        return cls(rows, target_codes == classes[:, None], weights)

    @property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    def transform_column(self, j: int, transform: AbstractTransform | None, unit: float) -> TransformedColumn:
        """Return column j under a transform of its values in some unit."""
        is_present = ~np.isnan(self.rows[:, j])
        values = np.where(is_present, self.rows[:, j], 0.0) / unit
        transformed = values if transform is None else transform.forward(values)
        log_derivative = 0.0 if transform is None else transform.log_derivative(values)
        weights = np.where(is_present, self.weights, 0.0)
        size = float(np.abs(transformed[is_present]).max(initial=0.0)) or 1.0
        if not np.isfinite(size):
            return TransformedColumn(np.zeros(len(values)), -np.inf)
        standardized, log_likelihood = np.zeros(len(values)), float(np.sum(weights * (log_derivative - np.log(unit))))
        for mask in self.class_masks:
            of_class = np.where(mask, weights, 0.0)
            total = float(of_class.sum())
            if total <= 0.0:
                continue
            deviations = transformed / size - float(of_class @ transformed) / (size * total)
            variance = max(float(of_class @ deviations**2) / total, _MIN_VARIANCE)
            log_likelihood -= total * (0.5 * np.log(variance) + np.log(size))
            standardized += np.where(of_class > 0, deviations, 0.0) / np.sqrt(variance)
        return TransformedColumn(standardized, log_likelihood)

    def log_likelihood(self, columns: Sequence[TransformedColumn]) -> float:
        """Return the log-likelihood of transformed columns, up to a constant; minus infinity if one overflows.

        Correlations are those of the rows in which both columns are present. Of rows with gaps it is an approximation.
        """
        total = sum(column.log_likelihood for column in columns)
        if len(columns) < 2 or not np.isfinite(total):
            return total
        standardized = np.column_stack([column.standardized for column in columns])
        is_present = (~np.isnan(self.rows)).astype(np.float64)
        for mask in self.class_masks:
            total -= _dependence_term(standardized[mask], is_present[mask], self.weights[mask])
        return float(total)


def _dependence_term(standardized: ND, is_present: ND, weights: N) -> float:
    """Return half the log-determinant of the correlations of one class, times the mean weight of a pair of columns."""
    weighted = weights[:, None]
    pair_weights = is_present.T @ (weighted * is_present)
    squares = (weighted * standardized**2).T @ is_present  # of a column where another one is present
    norms = np.sqrt(squares * squares.T)
    products = standardized.T @ (weighted * standardized)
    correlations = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    np.fill_diagonal(correlations, 1.0)
    is_pair = ~np.eye(len(correlations), dtype=bool)
    return 0.5 * float(pair_weights[is_pair].mean()) * _log_determinant(correlations)


def _log_determinant(correlations: DD) -> float:
    """Return the log-determinant of correlations, shrunken as little as makes them positive definite."""
    for shrinkage in _SHRINKAGES:
        root = cholesky((1.0 - shrinkage) * correlations + shrinkage * np.eye(len(correlations)))
        if root is not None:
            return 2.0 * float(np.log(np.diag(root)).sum())
    return 0.0
