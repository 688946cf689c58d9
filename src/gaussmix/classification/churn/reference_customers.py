"""``ReferenceCustomers``: typical customers of each segment, the only rows of the fit that a model keeps."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.churn.customer_rows import CustomerRows, read_customer_rows
from gaussmix.classification.churn.typicality import compute_prominence
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.families.training_rows import merge_equal_rows
from gaussmix.classification.table import EncodedRows
from gaussmix.types import BoolN, IntN, N

N_REFERENCES = 10  # customers who stayed, and who left, of each segment
N_SHOWN = 3  # most typical customers of a segment


@dataclass(frozen=True, eq=False)
class ReferenceCustomers:
    """Typical customers of the fit.

    Attributes
    ----------
    rows : CustomerRows
        The most typical first.
    segments : ndarray of int64 of shape (m,)
        Position of the segment of each, from 0.
    has_left : ndarray of bool of shape (m,)
    """

    rows: CustomerRows
    segments: IntN
    has_left: BoolN

    def most_typical(self, segment: int) -> CustomerRows:
        """Return the most typical customers of a segment."""
        return self.rows.select(np.flatnonzero(self.segments == segment)[:N_SHOWN].tolist())


def choose_references(
    X: Any, given_rows: IntN, encoded: EncodedRows, segment_model: ClassModel, has_left: BoolN, weights: N
) -> ReferenceCustomers:
    """Return the most typical customers of each segment, distinct in the columns that the segments use.

    Customers of a segment are those who most probably belong to it, in the order of `compute_prominence`.

    Parameters
    ----------
    X : table
    given_rows : ndarray of int64 of shape (n,)
        Positions in the table of the encoded rows.
    encoded : EncodedRows
    segment_model : ClassModel
    has_left : ndarray of bool of shape (n,)
    weights : ndarray of shape (n,)
    """
    used = segment_model.select_used_cells(encoded)
    distinct = np.sort(merge_equal_rows(used.numeric, used.codes, has_left.astype(np.int64), weights).positions)
    segments, prominence = compute_prominence(segment_model, encoded.select_rows(distinct))
    kept = [
        ranked[:N_REFERENCES]
        for segment in range(segment_model.n_classes)
        for outcome in (False, True)
        if len(ranked := _rank(prominence, (segments == segment) & (has_left[distinct] == outcome)))
    ]
    references = np.concatenate(kept)
    references = references[np.argsort(-prominence[references], kind="stable")]
    rows = distinct[references]
    return ReferenceCustomers(read_customer_rows(X, given_rows[rows]), segments[references], has_left[rows])


def _rank(prominence: N, is_candidate: BoolN) -> IntN:
    """Return the positions of candidates, the most prominent first."""
    positions = np.flatnonzero(is_candidate)
    return positions[np.argsort(-prominence[positions], kind="stable")]
