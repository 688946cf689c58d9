"""Levels of numbers that are categories, such as counts: rare ones are joined with their neighbours.

The largest counts are rare, and often those of the customers who matter most. A level of its own would be estimated
from a few rows, and a level 'other' would mix the largest counts with the smallest ones. '7 or more' is neither.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaussmix.classification.table.column_usability import MIN_LEVEL_ROWS
from gaussmix.classification.table.ordered_numbers import name_levels
from gaussmix.classification.table.table_draft import CategoricalDraft, TableDraft
from gaussmix.errors.text import join_with_and
from gaussmix.types import IntD

_MIN_ORDERED_ROWS = 20  # the standard error of the rate of a class is at most 11 percentage points
_MIN_ORDERED_FRACTION = 0.05  # of the rows; a larger level is not rare in a small table
_MIN_LEVELS = 2


def join_rare_neighbours(draft: TableDraft) -> TableDraft:
    """Join each rare level of an ordered column with the nearest level, until none is rare or two are left.

    A level is rare if it has fewer than 20 rows and less than a twentieth of all, or fewer than 5. Of two levels at
    the same distance, the one of fewer rows is joined. Columns that are recodings of text are not ordered.
    """
    ordered = draft.ordered_numbers
    joined = tuple(
        _join_levels(column, ordered[column.name])
        if all(reading.column in ordered for reading in column.readings)
        else column
        for column in draft.categorical
    )
    pairs = zip(draft.categorical, joined, strict=True)
    notes = [_describe(before, after) for before, after in pairs if len(after.levels) < len(before.levels)]
    return replace(draft, categorical=joined).with_notes(notes)


def _join_levels(column: CategoricalDraft, known_numbers: Sequence[float]) -> CategoricalDraft:
    """Return a column of numbers whose rare levels are joined; the column itself if it has none."""
    numbers = [value for value in column.levels if not isinstance(value, str)]
    starts = find_level_starts(numbers, column.counts)
    if len(starts) == len(numbers):
        return column
    new_codes = np.searchsorted(np.array(starts), np.arange(len(numbers)), side="right") - 1
    return column.map_levels(column.name, name_levels(numbers, starts, known_numbers), new_codes.tolist())


def find_level_starts(numbers: Sequence[float], counts: IntD) -> list[int]:
    """Return the position of the first number of each level, from ascending numbers (m,) and their rows (m,)."""
    minimum = max(MIN_LEVEL_ROWS, min(_MIN_ORDERED_ROWS, _MIN_ORDERED_FRACTION * float(counts.sum())))
    starts, rows = list(range(len(numbers))), counts.tolist()
    while len(starts) > _MIN_LEVELS:
        rarest = min(range(len(starts)), key=lambda k: (rows[k], -k))
        if rows[rarest] >= minimum:
            break
        upper = _find_upper_of_pair(rarest, starts, numbers, rows)
        rows[upper - 1] += rows.pop(upper)
        starts.pop(upper)
    return starts


def _find_upper_of_pair(k: int, starts: Sequence[int], numbers: Sequence[float], rows: Sequence[int]) -> int:
    """Return the upper one of two neighbours: level k and the level that is nearest to it."""

    def rank(neighbour: int) -> tuple[float, int]:
        upper = max(k, neighbour)
        return numbers[starts[upper]] - numbers[starts[upper] - 1], rows[neighbour]

    neighbours = [neighbour for neighbour in (k - 1, k + 1) if 0 <= neighbour < len(starts)]
    return max(k, min(neighbours, key=rank))


def _describe(before: CategoricalDraft, after: CategoricalDraft) -> str:
    """Return a sentence on the joined levels of a column."""
    named = join_with_and([repr(level) for level in after.levels if level not in before.levels])
    return f"{before.name!r}: numbers in few rows are joined with their neighbours: {named}."
