"""Monotone transforms of single columns, in whose coordinates Gaussians describe the rows."""

from gaussmix.transforms.column_transforms import (
    ColumnTransforms,
    TransformLike,
    fit_column_transforms,
    select_transforms,
)
from gaussmix.transforms.transform_kinds import TRANSFORM_NAMES
from gaussmix.transforms.transformed_rows import TransformedRows

__all__ = [
    "TRANSFORM_NAMES",
    "ColumnTransforms",
    "TransformLike",
    "TransformedRows",
    "fit_column_transforms",
    "select_transforms",
]
