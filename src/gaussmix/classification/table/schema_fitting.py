"""Fit a `TableSchema`: from the table of a fit and the classes of its rows to the columns of encoded rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gaussmix.classification.table.category_merging import merge_rare_levels, merge_recodings
from gaussmix.classification.table.column_kinds import CategoricalLike, ClassifiedColumns, classify_columns
from gaussmix.classification.table.encoded_columns import CategoricalColumn, NumericColumn
from gaussmix.classification.table.input_column import InputColumn
from gaussmix.classification.table.input_table import InputTable, read_input_table
from gaussmix.classification.table.linear_merging import drop_dependent_columns, merge_proportional_columns
from gaussmix.classification.table.numeric_fitting import fit_numeric_columns
from gaussmix.classification.table.one_sided_columns import find_one_sided_columns
from gaussmix.classification.table.ordered_levels import join_rare_neighbours
from gaussmix.classification.table.ordered_numbers import OrderedNumbers, find_shared_starts
from gaussmix.classification.table.shared_levels import separate_shared_levels
from gaussmix.classification.table.suspected_leaks import find_suspected_leaks
from gaussmix.classification.table.table_draft import CategoricalDraft, TableDraft
from gaussmix.classification.table.table_schema import TableSchema
from gaussmix.classification.table.target_leaks import require_no_target_leaks
from gaussmix.core.input_arrays import parse_weights
from gaussmix.core.user_warnings import warn_user
from gaussmix.errors import DataWarning, TableInputError
from gaussmix.transforms import TransformLike
from gaussmix.types import ArrayLike, IntN

_STEPS = (
    merge_recodings,
    merge_proportional_columns,
    drop_dependent_columns,
    separate_shared_levels,
    join_rare_neighbours,
    merge_rare_levels,
)


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

    Identifiers, constant columns, dates and categories of too many levels are left out. Columns that say the same are
    merged and fill each other's gaps. The notes of the schema say what was done and why.

    Parameters
    ----------
    X : data frame, dict of columns or array of shape (n, d)
        Frames of pandas, polars, pyarrow and others. Missing cells are NaN, None, NaT, NA and blank text.
    target_codes : ndarray of int64 of shape (n,)
        Classes of the rows, from 0. They choose transforms. A column that determines them is an error, and a column
        that alone predicts nearly all of them a DataWarning.
    weights : array-like of shape (n,), optional
        Rows of weight zero count as absent. Centers, scales and transforms are weighted; decisions that count rows
        count the others alike.
    categorical : 'auto', sequence of str or int, or None, default='auto'
        Numeric columns that are categories. 'auto' means, in tables with names, those of at most 12 distinct whole
        numbers. These are ordered: rare ones are joined with their neighbours, and numbers that the fit has not seen
        are read as the nearest one. Named columns are codes: rare ones become 'other', and unknown ones count as
        missing. In tables with names they come in addition to those of 'auto'; in arrays they are all. None means none.
        Text and bools always are categories.
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
        If the data are not a table, a column mixes types or is the target in disguise, or no column can be used.
    """
    table = read_input_table(X, feature_names)
    codes = _require_target_codes(target_codes, table)
    parsed = parse_weights(weights, table.n_rows)
    row_weights = np.ones(table.n_rows) if parsed is None else parsed
    is_counted = row_weights > 0
    codes, row_weights = codes[is_counted], row_weights[is_counted]
    columns = classify_columns(table, categorical, is_counted, target_name)
    require_no_target_leaks(columns, codes, table.has_names)
    draft = TableDraft.from_columns(columns).with_notes(_warn_of_suspected_leaks(columns, codes, table.has_names))
    for step in _STEPS:
        draft = step(draft)
    numeric = fit_numeric_columns(draft.numeric, codes, row_weights, transform, table.names)
    ordered = _find_ordered_numbers(draft)
    categories = tuple(_read_levels(column, ordered) for column in draft.categorical)
    readers = _make_readers(columns, ordered, numeric, categories)
    notes = (*draft.notes, *_describe_transforms(numeric))
    return TableSchema(table.names, table.has_names, readers, numeric, categories, notes)


def _require_target_codes(target_codes: IntN, table: InputTable) -> IntN:
    """Return the classes (n,) of the rows; raise TableColumnError unless there is one per row."""
    codes = np.asarray(target_codes, dtype=np.int64)
    if codes.shape != (table.n_rows,):
        raise TableInputError.wrong_target_length(codes.shape, table.n_rows)
    return codes


def _warn_of_suspected_leaks(columns: ClassifiedColumns, target_codes: IntN, has_names: bool) -> list[str]:
    """Warn of each column that alone predicts the class of nearly every row, or of most rows of one class.

    The sentences are returned as notes.
    """
    suspected = find_suspected_leaks(columns, target_codes, has_names)
    messages = [DataWarning.predicts_class_alone(each.column, each.accuracy, each.is_presence) for each in suspected]
    named = {each.column for each in suspected}
    one_sided = find_one_sided_columns(columns, target_codes) if has_names else []
    messages += [DataWarning.is_one_sided(*each) for each in one_sided if each.column not in named]
    for message in messages:
        warn_user(message)
    return [f"{message}." for message in messages]


def _find_ordered_numbers(draft: TableDraft) -> dict[str, OrderedNumbers]:
    """Return the levels of each column of ordered numbers; numbers that no encoded column tells apart are one."""
    readings = [reading for column in draft.categorical for reading in column.readings]
    return {
        name: OrderedNumbers(
            numbers, find_shared_starts([each.levels for each in readings if each.column == name], len(numbers))
        )
        for name, numbers in draft.ordered_numbers.items()
    }


def _read_levels(column: CategoricalDraft, ordered: Mapping[str, OrderedNumbers]) -> CategoricalColumn:
    """Return a categorical column that reads levels of ordered numbers instead of each number."""
    readings = tuple(
        reading._replace(levels=tuple(reading.levels[start] for start in ordered[reading.column].starts))
        if reading.column in ordered
        else reading
        for reading in column.readings
    )
    return CategoricalColumn(column.name, readings, column.levels)


def _make_readers(
    columns: ClassifiedColumns,
    ordered: Mapping[str, OrderedNumbers],
    numeric: tuple[NumericColumn, ...],
    categories: tuple[CategoricalColumn, ...],
) -> tuple[InputColumn, ...]:
    """Return how to read each column of the table that an encoded column uses, in the order of the table."""
    used = {name for column in numeric for name in column.sources}
    used |= {name for column in categories for name in column.sources}
    return tuple(
        InputColumn(name, True, (), columns.limits[name])
        if name in columns.numbers
        else InputColumn(name, False, columns.categories[name].values, ordered=ordered.get(name))
        for name in columns.names
        if name in used
    )


def _describe_transforms(numeric: tuple[NumericColumn, ...]) -> list[str]:
    """Return a note on each transformed column."""
    return [
        f"{column.name!r} is transformed {column.transform.effect} ({column.transform.description}, in units of "
        f"{column.unit:.3g})."
        for column in numeric
        if column.transform is not None
    ]
