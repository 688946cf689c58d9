"""Encode once what several columns say in the same rows, such as 'no internet service' in seven columns.

A level of one column coincides with a level of another one if it occurs in the same rows, wherever both are present;
one exception in a thousand rows is a slip. Such levels become one categorical column of their own, which each of the
columns fills. In the encoding of these columns the level then counts as missing: given the new column, it says nothing
more. A value of a numeric column, such as a zero that means 'none', is a level too. So is a value of at least a tenth
of the rows that no category shares.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import connected_components

from gaussmix.classification.table.encoded_columns import codes_of_points
from gaussmix.classification.table.level_agreement import LevelAgreement
from gaussmix.classification.table.single_levels import AbstractLevel, CategoryLevel, PointLevel
from gaussmix.classification.table.table_draft import CategoricalDraft, NumericDraft, TableDraft, fill_gaps
from gaussmix.errors.text import join_with_and

_INDICATOR_LEVELS, _TRUE_POSITION = (False, True), 1
_N_POINT_CODES = 2  # a value that stands for itself, and all others


def separate_shared_levels(draft: TableDraft) -> TableDraft:
    """Return the draft in which levels that coincide, and point masses, are categorical columns of their own."""
    candidates = [PointLevel.find(column) for column in draft.numeric]
    points = [point for point in candidates if point is not None]
    groups = _find_groups(draft.categorical, points)
    grouped = {level.column_name for group in groups for level in group}
    groups += [[point] for point in points if point.column_name not in grouped and point.is_level_alone]
    shared = _make_shared_columns(groups)
    categorical = [
        _remove_levels(column, [level for group in groups for level in group if level.column_name == column.name])
        for column in draft.categorical
        if column.name not in shared
    ]
    removed = {level.column_name: level.value for group in groups for level in group if isinstance(level, PointLevel)}
    return replace(
        draft,
        numeric=tuple(_remove_point(column, removed.get(column.name)) for column in draft.numeric),
        categorical=(*shared.values(), *(column for column in categorical if column is not None)),
    ).with_notes([_describe(group) for group in groups])


def _find_groups(categorical: tuple[CategoricalDraft, ...], points: list[PointLevel]) -> list[list[AbstractLevel]]:
    """Return the groups of levels that coincide, at most one of each column."""
    levels: dict[tuple[int, int], AbstractLevel] = {
        (c, code): CategoryLevel(column, code)
        for c, column in enumerate(categorical)
        for code in range(len(column.levels))
    }
    levels |= {(c, 0): point for c, point in enumerate(points, start=len(categorical))}
    codes = [column.codes for column in categorical]
    codes += [codes_of_points(point.column.values, (point.value,)) for point in points]
    n_levels = [len(column.levels) for column in categorical] + [_N_POINT_CODES] * len(points)
    agreement = LevelAgreement.count(codes, n_levels)
    keys = list(zip(agreement.column_of_level.tolist(), agreement.code_of_level.tolist(), strict=True))
    is_level = np.array([key in levels for key in keys], dtype=bool)
    coincides = agreement.coincides & is_level & is_level[:, None]
    n_groups, group_of_level = connected_components(coincides, directed=False) if keys else (0, np.empty(0))
    members = (np.flatnonzero(group_of_level == group) for group in range(n_groups))
    return [
        [levels[keys[i]] for i in positions]
        for positions in members
        if len(positions) > 1 and len({keys[i][0] for i in positions}) == len(positions)
    ]


def _make_shared_columns(groups: list[list[AbstractLevel]]) -> dict[str, CategoricalDraft]:
    """Return a column of two levels for each group, by name.

    A column of two levels is the shared column of its group itself; it can be in one group with either level.
    """
    shared: dict[str, CategoricalDraft] = {}
    for group in groups:
        leader = _find_leader(group)
        if isinstance(leader, CategoryLevel) and leader.is_binary:
            column, position = shared.get(leader.column_name, leader.column), leader.code
        else:
            column, position = leader.as_indicator(leader.text, _INDICATOR_LEVELS, _TRUE_POSITION), _TRUE_POSITION
        for level in group:
            if level is not leader:
                column = fill_gaps(column, level.as_indicator(column.name, column.levels, position))
        shared[column.name] = column
    return shared


def _find_leader(group: list[AbstractLevel]) -> AbstractLevel:
    """Return the level whose column is or names the shared one: that of a column of two levels, or the first."""
    return next((level for level in group if isinstance(level, CategoryLevel) and level.is_binary), group[0])


def _remove_levels(column: CategoricalDraft, levels: list[AbstractLevel]) -> CategoricalDraft | None:
    """Return a column in which some levels say nothing; None if at most one other level is left."""
    codes = {level.code for level in levels if isinstance(level, CategoryLevel)}
    if not codes:
        return column
    kept = [code for code in range(len(column.levels)) if code not in codes]
    if len(kept) < 2:
        return None
    new_codes = [kept.index(code) if code in kept else -1 for code in range(len(column.levels))]
    return column.map_levels(column.name, [column.levels[code] for code in kept], new_codes)


def _remove_point(column: NumericDraft, point: float | None) -> NumericDraft:
    """Return a numeric column in which a value says nothing."""
    if point is None:
        return column
    return replace(column, values=np.where(column.values == point, np.nan, column.values), points=(point,))


def _describe(group: list[AbstractLevel]) -> str:
    """Return a sentence on the levels of a group."""
    leader = _find_leader(group)
    where = f"{leader.column_name!r} is {leader.cell_value!r}"
    if isinstance(leader, PointLevel) and len(group) == 1:
        return f"{where} in {leader.percent:.0f} % of its rows: encoded as a category, and not among its numbers."
    others = [f"{level.column_name!r} is {level.cell_value!r}" for level in group if level is not leader]
    return f"{where} exactly where {join_with_and(others)}: encoded once, and each fills the gaps of the others."
