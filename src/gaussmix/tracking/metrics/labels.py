"""Labels of a table as indices 0, 1, ..., and how often each occurs."""

from typing import NamedTuple

import numpy as np

from gaussmix.errors import TrackEvaluationError
from gaussmix.tracking.track_table import NO_LABEL, TrackTable
from gaussmix.types import IntK, IntN


class LabelIndex(NamedTuple):
    """Labels as indices.

    ``of_row`` (n,) is the position of each row's label among the sorted labels, ``n_rows`` (K,) the number of rows of
    each label, ``n_labels`` is K.
    """

    of_row: IntN
    n_rows: IntK
    n_labels: int


def index_labels(table: TrackTable, name: str) -> LabelIndex:
    """Return the labels of a table as indices; raise TrackEvaluationError, which names the table, if a row has none."""
    n_unlabelled = int(np.count_nonzero(table.label == NO_LABEL))
    if n_unlabelled:
        raise TrackEvaluationError.rows_without_label(name, n_unlabelled)
    labels, index, n_rows = np.unique(table.label, return_inverse=True, return_counts=True)
    return LabelIndex(index, n_rows, len(labels))
