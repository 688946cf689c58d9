"""``TransformedRows``: what a fit takes in place of the rows, and what its log-likelihood lacks of that of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.transforms.column_transforms import (
    ColumnTransforms,
    TransformLike,
    fit_column_transforms,
    select_transforms,
)
from gaussmix.types import AnyArray, D, IntD, N


@dataclass(frozen=True)
class TransformedRows:
    """Rows (n, D) in the coordinates of a fit, the transforms that lead there, and their total log Jacobian.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
    transforms : ColumnTransforms or None
        Of all columns, also of those that `keep_columns` left out; None if no column has a transform.
    total_log_jacobian : float
        Log-likelihood of the rows in the data's units minus that of the transformed rows.
    n_parameters : int
        Number of estimated parameters of the transforms that lead to ``rows``.
    """

    rows: AnyArray
    transforms: ColumnTransforms | None
    total_log_jacobian: float
    n_parameters: int
    _column_log_jacobians: D

    @classmethod
    def from_rows(
        cls,
        transform: TransformLike,
        rows: AnyArray,
        weights: N | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> "TransformedRows":
        """Estimate the transforms from rows (n, D) in the data's units with weights (n,), and apply them.

        Raises
        ------
        ParameterError, TransformError
            See `fit_column_transforms`.
        """
        transforms = fit_column_transforms(transform, rows, weights, feature_names)
        if transforms is None:
            return cls(rows, None, 0.0, 0, np.zeros(rows.shape[1]))
        transformed_rows = transforms.forward(rows, feature_names)
        totals = transforms.total_log_derivatives(rows, weights)
        return cls(transformed_rows, transforms, float(totals.sum()), transforms.n_parameters, totals)

    def keep_columns(self, positions: IntD) -> "TransformedRows":
        """Return the rows of some columns, whose Jacobian is that of these columns; the transforms stay those of all.

        Parameters
        ----------
        positions : ndarray of shape (d,)
            Positions among all columns.
        """
        kept = select_transforms(self.transforms, positions)
        return replace(
            self,
            rows=self.rows[:, positions],
            total_log_jacobian=float(self._column_log_jacobians[positions].sum()),
            n_parameters=0 if kept is None else kept.n_parameters,
        )
