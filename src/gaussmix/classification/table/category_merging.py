"""Merge categorical columns that are recodings of each other, and levels that are too rare for an estimate."""

from dataclasses import replace

import numpy as np

from gaussmix.classification.table.cell_values import CellValue
from gaussmix.classification.table.column_usability import MIN_LEVEL_ROWS
from gaussmix.classification.table.level_agreement import LevelAgreement
from gaussmix.classification.table.table_draft import CategoricalDraft, TableDraft, fill_gaps
from gaussmix.types import DD

# -- recodings -------------------------------------------------------------------------------------


def merge_recodings(draft: TableDraft) -> TableDraft:
    """Merge each categorical column into the first one of which it is a one-to-one recoding.

    Every row in which both are present confirms the recoding, and at least 20 of these are outside of the most frequent
    level. The merged column takes the level that is present.
    """
    columns = draft.categorical
    if len(columns) < 2:
        return draft
    agreement = LevelAgreement.count([column.codes for column in columns], [len(column.levels) for column in columns])
    is_recoding = agreement.is_recoding
    merged: dict[int, CategoricalDraft] = {}
    notes = []
    for c, column in enumerate(columns):
        first = next((f for f in merged if is_recoding[f, c]), None)
        if first is None:
            merged[c] = column
        else:
            counts = agreement.joint[np.ix_(agreement.positions_of(first), agreement.positions_of(c))]
            merged[first] = _merge(merged[first], column, counts)
            notes.append(f"{column.name!r} is a recoding of {columns[first].name!r}: merged.")
    return replace(draft, categorical=tuple(merged.values())).with_notes(notes)


def _merge(column: CategoricalDraft, recoding: CategoricalDraft, counts: DD) -> CategoricalDraft:
    """Return the column with its gaps filled from a recoding; levels that were never seen together say nothing."""
    level_of_code = np.where(counts.any(axis=0), counts.argmax(axis=0), -1)
    return fill_gaps(column, recoding.map_levels(column.name, column.levels, level_of_code.tolist()))


# -- rare levels -----------------------------------------------------------------------------------


def merge_rare_levels(draft: TableDraft) -> TableDraft:
    """Merge the levels of fewer than 5 rows of each column into the level 'other', if there are two or more."""
    merged = [_merge_rare(column) for column in draft.categorical]
    pairs = zip(draft.categorical, merged, strict=True)
    notes = [_describe(before, after) for before, after in pairs if before is not after]
    return replace(draft, categorical=tuple(merged)).with_notes(notes)


def _merge_rare(column: CategoricalDraft) -> CategoricalDraft:
    """Return a column whose rare levels are one; the column itself if it has fewer than two, or no others."""
    is_rare = column.counts < MIN_LEVEL_ROWS
    kept = np.flatnonzero(~is_rare)
    if np.count_nonzero(is_rare) < 2 or not len(kept):
        return column
    new_codes = np.full(len(is_rare), len(kept))
    new_codes[kept] = np.arange(len(kept))
    levels = [*(column.levels[code] for code in kept), _name_other(column.levels)]
    return column.map_levels(column.name, levels, new_codes.tolist())


def _describe(before: CategoricalDraft, after: CategoricalDraft) -> str:
    """Return a sentence on the merged levels of a column."""
    n_merged = len(before.levels) - len(after.levels) + 1
    return (
        f"{before.name!r}: {n_merged} values in fewer than {MIN_LEVEL_ROWS} rows each are merged into "
        f"{after.levels[-1]!r}."
    )


def _name_other(levels: tuple[CellValue, ...]) -> str:
    """Return 'other', or a longer name if a level has this one."""
    name = "other"
    while name in levels:
        name = f"{name} values" if name == "other" else f"{name}_"
    return name
