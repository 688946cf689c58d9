"""Merge categorical columns that are the same information in other words, such as a state and its abbreviation."""

from dataclasses import replace

import numpy as np

from gaussmix.classification.table.level_agreement import MIN_ROWS_APART, LevelAgreement
from gaussmix.classification.table.table_draft import CategoricalDraft, TableDraft, fill_gaps
from gaussmix.types import DD


def merge_recodings(draft: TableDraft) -> TableDraft:
    """Merge each categorical column into the first one of which it is a one-to-one recoding.

    Every row in which both are present confirms the recoding, and at least 20 of these are outside of the most frequent
    level. The merged column takes the level that is present.
    """
    columns = draft.categorical
    if len(columns) < 2:
        return draft
    agreement = LevelAgreement.count([column.codes for column in columns], [len(column.levels) for column in columns])
    merged: dict[int, CategoricalDraft] = {}
    notes = []
    for c, column in enumerate(columns):
        first = next((f for f in merged if _is_recoding(_joint_counts(agreement, f, c))), None)
        if first is None:
            merged[c] = column
        else:
            merged[first] = _merge(merged[first], column, _joint_counts(agreement, first, c))
            notes.append(f"{column.name!r} is a recoding of {columns[first].name!r}: merged.")
    return replace(draft, categorical=tuple(merged.values())).with_notes(notes)


def _joint_counts(agreement: LevelAgreement, first: int, second: int) -> DD:
    """Return the contingency table of two columns; empty if one was not compared."""
    return agreement.joint[np.ix_(agreement.positions_of(first), agreement.positions_of(second))]


def _is_recoding(counts: DD) -> bool:
    """Return whether a contingency table pairs the levels of two columns, beyond chance."""
    if min(counts.shape) < 2:
        return False
    is_paired = bool(((counts > 0).sum(axis=0) <= 1).all() and ((counts > 0).sum(axis=1) <= 1).all())
    return is_paired and float(counts.sum() - counts.max()) >= MIN_ROWS_APART


def _merge(column: CategoricalDraft, recoding: CategoricalDraft, counts: DD) -> CategoricalDraft:
    """Return the column with its gaps filled from a recoding; levels that were never seen together say nothing."""
    level_of_code = np.where(counts.any(axis=0), counts.argmax(axis=0), -1)
    return fill_gaps(column, recoding.map_levels(column.name, column.levels, level_of_code.tolist()))
