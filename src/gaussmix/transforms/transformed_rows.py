"""``TransformedRows``: what a fit takes in place of the rows, and what its log-likelihood lacks of that of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix.transforms.column_transforms import ColumnTransforms, TransformLike, fit_column_transforms
from gaussmix.types import AnyArray, N


@dataclass(frozen=True)
class TransformedRows:
    """Rows (n, D) in the coordinates of a fit, the transforms that lead there, and their total log Jacobian.

    Attributes
    ----------
    rows : ndarray of shape (n, D)
    transforms : ColumnTransforms or None
        None if no column has a transform.
    total_log_jacobian : float
        Log-likelihood of the rows in the data's units minus that of the transformed rows.
    """

    rows: AnyArray
    transforms: ColumnTransforms | None
    total_log_jacobian: float

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
            return cls(rows, None, 0.0)
        log_jacobians = transforms.log_abs_det_jacobian(rows)
        total = float(log_jacobians.sum() if weights is None else weights @ log_jacobians)
        return cls(transforms.forward(rows, feature_names), transforms, total)
