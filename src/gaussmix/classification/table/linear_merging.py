"""Merge numeric columns that are linear functions of others up to rounding, such as minutes and their charge."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.classification.table.encoded_columns import LinearReading, first_present
from gaussmix.classification.table.table_draft import NumericDraft, TableDraft
from gaussmix.core.dependence_search import find_column_dependence
from gaussmix.core.linear_relation import LinearRelation
from gaussmix.core.rounding_step import find_rounding_step
from gaussmix.types import ND, BoolKK, N

_MIN_COMMON_ROWS = 20
_MIN_CORRELATION = 0.96  # of two columns that can be related; rounding errors have at most 2 % of the variance


class _Relation(NamedTuple):
    """A column as ``intercept + slope * first``, by positions."""

    first: int
    column: int
    slope: float
    intercept: float


# -- pairs of columns ------------------------------------------------------------------------------


def merge_proportional_columns(draft: TableDraft) -> TableDraft:
    """Merge each numeric column into the first one of which it is a linear function in every row with both.

    The relation is exact or explained by rounding (`find_column_dependence`). The merged column has the units of the
    first one. Its value is that of the most precise column that is present.
    """
    columns = draft.numeric
    relations = list(_find_relations(columns))
    dependent = {relation.column for relation in relations}
    merged, notes = [], []
    for j, column in enumerate(columns):
        own = [relation for relation in relations if relation.first == j]
        if j not in dependent:
            merged.append(_merge(column, [(columns[relation.column], relation) for relation in own]))
        notes += [f"{_describe(relation, columns)}: merged." for relation in own]
    return replace(draft, numeric=tuple(merged)).with_notes(notes)


def _find_relations(columns: tuple[NumericDraft, ...]) -> Iterator[_Relation]:
    """Yield the relation of each column to the first one that determines it."""
    if len(columns) < 2:
        return
    is_candidate = _correlate(np.column_stack([column.values for column in columns]))
    dependent: set[int] = set()
    for first, second in zip(*np.nonzero(np.triu(is_candidate, 1)), strict=True):
        if first in dependent or second in dependent:
            continue
        found = _relate(columns[first].values, columns[second].values)
        if found is not None:
            dependent.add(int(second))
            yield _Relation(int(first), int(second), float(found.coefficients[0]), found.intercept)


def _relate(first: N, second: N) -> LinearRelation | None:
    """Return the second column (n,) as a linear function of the first one; None if it is none."""
    is_common = ~(np.isnan(first) | np.isnan(second))
    if np.count_nonzero(is_common) < _MIN_COMMON_ROWS:
        return None
    dependence = find_column_dependence(np.column_stack([first[is_common], second[is_common]]))
    if dependence is None or not len(dependence.relations[0].predictors):
        return None
    return dependence.relations[0]


def _correlate(rows: ND) -> BoolKK:
    """Return which columns (D, D) of rows (n, D) correlate nearly perfectly where both are present."""
    sizes = np.nanmax(np.abs(rows), axis=0)
    scaled = rows / np.where(sizes > 0, sizes, 1.0)
    centered = scaled - np.nanmean(scaled, axis=0)
    is_present = (~np.isnan(rows)).astype(np.float64)
    values = np.where(is_present > 0, centered, 0.0)
    counts = np.maximum(is_present.T @ is_present, 1.0)
    means = values.T @ is_present / counts  # of a column where another one is present
    variances = (values**2).T @ is_present / counts - means**2
    covariances = values.T @ values / counts - means * means.T
    scales = np.sqrt(np.maximum(variances * variances.T, 0.0))
    return np.asarray(np.abs(covariances) >= _MIN_CORRELATION * scales)


def _merge(column: NumericDraft, others: list[tuple[NumericDraft, _Relation]]) -> NumericDraft:
    """Return a column with the readings of columns that determine it, the most precise one first."""
    members = [(_relative_step(column.values, 1.0), column.readings[0])]
    numbers = {column.name: column.values}
    for other, relation in others:
        reading = LinearReading((other.name,), (1.0 / relation.slope,), -relation.intercept / relation.slope)
        members.append((_relative_step(other.values, reading.slopes[0]), reading))
        numbers[other.name] = other.values
    members.sort(key=lambda member: member[0])  # stable: the first column leads if they are equally precise
    readings = tuple(reading for _, reading in members)
    values = first_present(readings, numbers)
    tolerance = max(_largest_difference(reading.read(numbers), values) for reading in readings)
    return NumericDraft(column.name, readings, values, (), tolerance) if others else column


def _largest_difference(first: N, second: N) -> float:
    """Return the largest difference of two columns (n,) in a row in which both are present; 0 without such a row."""
    return float(np.nanmax(np.abs(first - second), initial=0.0))


def _relative_step(values: N, slope: float) -> float:
    """Return the rounding step of a column (n,) in other units, rounded to two digits; 0 if it is not rounded."""
    return float(f"{abs(slope) * find_rounding_step(values[~np.isnan(values)]):.2g}")


def _describe(relation: _Relation, columns: tuple[NumericDraft, ...]) -> str:
    """Return a relation as text: "'charge' = 0.17 x 'minutes'"."""
    shift = f" {'-' if relation.intercept < 0 else '+'} {abs(relation.intercept):.6g}" if relation.intercept else ""
    factor = "" if relation.slope == 1.0 else f"{relation.slope:.6g} x "
    return f"{columns[relation.column].name!r} = {factor}{columns[relation.first].name!r}{shift}"


# -- sums of several columns -----------------------------------------------------------------------


def drop_dependent_columns(draft: TableDraft) -> TableDraft:
    """Leave out numeric columns that are sums of several others; they fill gaps of these.

    The relations hold in all rows without gaps, exactly or up to rounding.
    """
    columns = draft.numeric
    rows = np.column_stack([column.values for column in columns]) if columns else np.empty((0, 0))
    complete = rows[~np.isnan(rows).any(axis=1)]
    if len(columns) < 3 or len(complete) < max(_MIN_COMMON_ROWS, 2 * len(columns)):
        return draft
    dependence = find_column_dependence(complete)
    relations = [] if dependence is None else [each for each in dependence.relations if len(each.predictors) > 1]
    names = [column.name for column in columns]
    numbers = {column.name: column.values for column in columns}
    filled = list(columns)
    for relation in relations:
        for predictor in relation.predictors:
            reading = _solve_for(relation, int(predictor), names)
            values = first_present((LinearReading((names[predictor],), (1.0,), 0.0), reading), numbers)
            before = filled[predictor]
            tolerance = max(before.tolerance, _largest_difference(reading.read(numbers), before.values))
            values = np.where(np.isnan(before.values), values, before.values)
            filled[predictor] = replace(
                before, readings=(*before.readings, reading), values=values, tolerance=tolerance
            )
    dependent = {relation.column for relation in relations}
    kept = [column for j, column in enumerate(filled) if j not in dependent]
    quoted = [repr(name) for name in names]
    notes = [
        f"{relation.describe(quoted)}: {quoted[relation.column]} is left out, and fills gaps of the others."
        for relation in relations
    ]
    return replace(draft, numeric=tuple(kept)).with_notes(notes)


def _solve_for(relation: LinearRelation, predictor: int, names: list[str]) -> LinearReading:
    """Return a predictor of a relation as a linear function of the dependent column and the other predictors."""
    pairs = zip(relation.predictors.tolist(), relation.coefficients.tolist(), strict=True)
    slope_of = dict(pairs)
    divisor = slope_of.pop(predictor)
    columns = (names[relation.column], *(names[j] for j in slope_of))
    slopes = (1.0 / divisor, *(-slope / divisor for slope in slope_of.values()))
    return LinearReading(columns, slopes, -relation.intercept / divisor)
