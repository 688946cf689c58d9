"""Candidates for changes of columns that have few values: one for each combination of values that occur."""

from itertools import product

import numpy as np

from gaussmix.anomaly.change_candidates import Candidates
from gaussmix.anomaly.measured_rows import MeasuredRows
from gaussmix.types import BoolN


def fix_levels(candidates: Candidates, measured: MeasuredRows) -> list[Candidates]:
    """Return the candidates by the number of columns with few values.

    These columns have a value that occurs, one candidate for each combination. They do not count as columns any more
    that can change, so that the others take their mean given these values.
    """
    has_levels = measured.grids.has_levels[measured.independent_columns][candidates.columns]
    counts = has_levels.sum(axis=1)
    parts = []
    for count in np.unique(counts):
        part, marks = candidates.select(counts == count), has_levels[counts == count]
        if count == candidates.columns.shape[1]:
            keys = np.column_stack([part.rows, part.columns])
            first = np.unique(keys, axis=0, return_index=True)[1]  # no other column changes, so groups are alike
            part, marks = part.select(np.sort(first)), marks[np.sort(first)]
        parts.append(_fix_levels_of(part, marks, measured) if count else part)
    return parts


def _fix_levels_of(candidates: Candidates, has_levels: BoolN, measured: MeasuredRows) -> Candidates:
    """Return the candidates with values for their columns of few values, which ``has_levels`` (m, s) marks."""
    n_candidates, n_columns = candidates.columns.shape
    fixed = candidates.columns[has_levels].reshape(n_candidates, -1)
    targets = measured.to_data_units(candidates.targets())
    starts = measured.independent_values[candidates.rows]
    index, assigned = [], []
    for i, columns in enumerate(fixed.tolist()):
        options = [
            measured.grids.choose_levels(int(measured.independent_columns[j]), starts[i, j], targets[i, j], n_columns)
            for j in columns
        ]
        for combination in product(*options):
            index.append(i)
            assigned.append(combination)
    chosen = candidates.select(np.array(index, dtype=np.int64))
    values = measured.values[chosen.rows]
    places = measured.independent_columns[fixed[index]]
    values[np.arange(len(values))[:, None], places] = np.array(assigned).reshape(places.shape)
    others = candidates.columns[~has_levels].reshape(n_candidates, -1)[index]
    return chosen.with_points(measured.to_points(values), others)
