"""Fit a `TableSchema`: from the table of a fit and the classes of its rows to the columns of encoded rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix.classification.table.column_kinds import CategoricalLike, ClassifiedColumns, classify_columns
from gaussmix.classification.table.column_scales import center_and_scale
from gaussmix.classification.table.encoded_columns import (
    CategoricalColumn,
    LevelReading,
    NumericColumn,
    UnitConversion,
)
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.input_table import read_input_table
from gaussmix.classification.table.table_schema import TableSchema
from gaussmix.classification.table.transform_choice import choose_transforms
from gaussmix.core.input_arrays import parse_weights
from gaussmix.errors import TableColumnError
from gaussmix.transforms import TransformLike
from gaussmix.transforms.transform_kinds import AbstractTransform
from gaussmix.types import ArrayLike, IntN, N


def fit_table_schema(
    X: Any,
    target_codes: IntN,
    weights: ArrayLike | None = None,
    *,
    categorical: CategoricalLike = "auto",
    transform: TransformLike = "auto",
    feature_names: Sequence[str] | None = None,
    target_name: str | None = None,
) -> TableSchema:
    """Fit the schema of a table: which columns are numbers and categories, their levels, transforms and scales.

    Parameters
    ----------
    X : data frame, dict of columns or array of shape (n, d)
        Frames of pandas, polars, pyarrow and others. Missing cells are NaN, None, NaT, NA and blank text.
    target_codes : ndarray of int64 of shape (n,)
        Classes of the rows, from 0.
    weights : array-like of shape (n,), optional
        Rows of weight zero count as absent. Centers, scales and transforms are weighted.
    categorical : 'auto', sequence of str or int, or None, default='auto'
        Numeric columns that are categories. 'auto' means, in tables with names, those of at most 12 distinct whole
        numbers. Text, bools and categories of a data frame always are.
    transform : 'auto', None, str or mapping, default='auto'
        'auto' chooses by likelihood; the others are those of ``GaussianMixture(column_transform=...)``.
    feature_names : sequence of str, optional
        Names of the columns of an array.
    target_name : str, optional
        A column of this name is left out.

    Returns
    -------
    TableSchema

    Raises
    ------
    DataError
        If the data are not a table, a column mixes types, or no column can be used.
    """
    table = read_input_table(X, feature_names)
    codes = np.asarray(target_codes)
    if codes.shape != (table.n_rows,):
        raise TableColumnError.wrong_target_length(len(codes), table.n_rows)
    parsed = parse_weights(weights, table.n_rows)
    row_weights = np.ones(table.n_rows) if parsed is None else parsed
    is_counted = row_weights > 0
    classified = classify_columns(table, categorical, is_counted, target_name)
    numeric = _fit_numeric_columns(classified, codes[is_counted], row_weights[is_counted])
    readers = tuple(
        InputColumn(
            name, name in classified.numbers, () if name in classified.numbers else classified.categories[name].values
        )
        for name in table.names
        if name in classified.numbers or name in classified.categories
    )
    categorical_columns = tuple(
        CategoricalColumn(name, (LevelReading(name, tuple(range(len(cells.values)))),), cells.values)
        for name, cells in classified.categories.items()
    )
    notes = [
        *classified.notes,
        *(
            f"{column.name!r} is transformed by {column.transform.description}."
            for column in numeric
            if column.transform is not None
        ),
    ]
    return TableSchema(table.names, table.has_names, readers, numeric, categorical_columns, tuple(notes))


def _fit_numeric_columns(classified: ClassifiedColumns, target_codes: IntN, weights: N) -> tuple[NumericColumn, ...]:
    """Return the numeric columns with transforms, centers and scales."""
    if not classified.numbers:
        return ()
    rows = np.column_stack(list(classified.numbers.values()))
    transforms = choose_transforms(rows, target_codes, weights)
    pairs = zip(classified.numbers.items(), transforms, strict=True)
    return tuple(_fit_numeric_column(name, values, weights, transform) for (name, values), transform in pairs)


def _fit_numeric_column(name: str, values: N, weights: N, transform: AbstractTransform | None) -> NumericColumn:
    """Return a numeric column with the center and scale of its transformed values."""
    is_present = ~np.isnan(values)
    present = values[is_present]
    transformed = present if transform is None else transform.forward(present)
    center, scale = center_and_scale(transformed, weights[is_present])
    return NumericColumn(name, (UnitConversion(name),), transform, 1.0, center, scale, float(present.min()))
