"""Fit the numeric columns of encoded rows: transforms, and centers and scales that few far values do not decide."""

from collections.abc import Sequence

import numpy as np

from gaussmix.classification.table.encoded_columns import DataRange, NumericColumn
from gaussmix.classification.table.table_draft import NumericDraft
from gaussmix.classification.table.transform_choice import ScaledTransform, choose_transforms
from gaussmix.core.frame import ColumnRange
from gaussmix.errors import TableColumnError
from gaussmix.model.robust_scales import ColumnScales, robust_column_scales
from gaussmix.sources import MemorySource
from gaussmix.transforms import TransformLike
from gaussmix.transforms.column_transforms import parse_transform_names
from gaussmix.transforms.transform_kinds import FIT_FUNCTIONS, TRANSFORM_CLASSES
from gaussmix.types import IntN, N

AUTOMATIC = "auto"


def fit_numeric_columns(
    drafts: Sequence[NumericDraft],
    target_codes: IntN,
    weights: N,
    transform: TransformLike,
    input_names: Sequence[str],
) -> tuple[NumericColumn, ...]:
    """Return numeric columns with transforms, centers and scales.

    Parameters
    ----------
    drafts : sequence of NumericDraft
    target_codes, weights : ndarray of shape (n,)
        Classes and positive weights of the rows.
    transform : 'auto', None, str or mapping
        'auto' chooses by likelihood. The others are names for all columns, or for columns of the table.
    input_names : sequence of str
        The columns of the table.
    """
    if isinstance(transform, str) and transform == AUTOMATIC:
        rows = np.column_stack([draft.values for draft in drafts]) if drafts else np.empty((len(weights), 0))
        transforms = choose_transforms(rows, target_codes, weights)
    else:
        transforms = _fit_named_transforms(drafts, weights, transform, input_names)
    return tuple(_fit_column(draft, scaled, weights) for draft, scaled in zip(drafts, transforms, strict=True))


def _fit_named_transforms(
    drafts: Sequence[NumericDraft], weights: N, transform: TransformLike, input_names: Sequence[str]
) -> list[ScaledTransform]:
    """Return the transforms that a user names, in the data's units."""
    name_of = dict(zip(input_names, parse_transform_names(transform, len(input_names), input_names), strict=True))
    if not (transform is None or isinstance(transform, str)):
        numeric = [draft.name for draft in drafts]
        others = [column for column, name in name_of.items() if name is not None and column not in numeric]
        if others:
            raise TableColumnError.transform_of_non_numeric(others, numeric)
    return [_fit_named_transform(draft, weights, name_of[draft.name]) for draft in drafts]


def _fit_named_transform(draft: NumericDraft, weights: N, name: str | None) -> ScaledTransform:
    """Return the transform of a name for one column; raise TableColumnError if a value is outside its domain."""
    if name is None:
        return ScaledTransform()
    is_present = ~np.isnan(draft.values)
    order = np.lexsort((weights[is_present], draft.values[is_present]))
    values, present_weights = draft.values[is_present][order], weights[is_present][order]
    lower = TRANSFORM_CLASSES[name].minimum
    if values[0] <= lower:
        raise TableColumnError.outside_domain(draft.name, name, float(values[0]), lower)
    return ScaledTransform(FIT_FUNCTIONS[name](values, present_weights))


def _fit_column(draft: NumericDraft, scaled: ScaledTransform, weights: N) -> NumericColumn:
    """Return a column with the mean and the standard deviation of its transformed values, sorted first."""
    is_present = ~np.isnan(draft.values)
    order = np.lexsort((weights[is_present], draft.values[is_present]))
    values, present_weights = draft.values[is_present][order], weights[is_present][order]
    transformed = values / scaled.unit if scaled.transform is None else scaled.transform.forward(values / scaled.unit)
    center, scale = _center_and_scale(transformed, present_weights)
    return NumericColumn(
        draft.name,
        draft.readings,
        draft.points,
        scaled.transform,
        scaled.unit,
        center,
        scale,
        DataRange(float(values[0]), float(values[-1])),
        draft.tolerance,
    )


def _center_and_scale(ascending: N, weights: N) -> tuple[float, float]:
    """Return mean and standard deviation of ascending values (m,), without a few that are far from all others.

    They are computed in units of the largest value, whose square would overflow.
    """
    size = float(np.abs(ascending).max()) or 1.0
    rows, fractions = (ascending / size)[:, None], weights / weights.sum()
    mean = fractions @ rows
    variance = fractions @ (rows - mean) ** 2
    scales = ColumnScales(mean, variance)
    robust = robust_column_scales(MemorySource.from_array(rows, weights), scales, ColumnRange.from_rows(rows))
    scale = size * float(np.sqrt(robust.variance[0]))
    return size * float(robust.mean[0]), scale if scale > 0 else 1.0
