"""``ReferenceCustomers``: typical customers of each segment, the only rows of the fit that a model keeps.

The most typical customers alone are nearly alike, and unlike many others of their segment. So a few of them are kept,
and beside them medoids: those from which all customers of the segment differ least.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix.classification.churn.column_distances import DistanceCoordinates
from gaussmix.classification.churn.customer_rows import CustomerRows, read_customer_rows
from gaussmix.classification.churn.typicality import compute_prominence
from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.families.training_rows import merge_equal_rows
from gaussmix.classification.table import EncodedRows
from gaussmix.types import BoolN, IntN, N

N_REFERENCES = 10  # customers who stayed, and who left, of each segment
N_SHOWN = 3  # most typical customers of a segment
_MAX_COMPARED = 300  # customers of a segment and outcome, among whom medoids are sought


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
    X: Any,
    given_rows: IntN,
    encoded: EncodedRows,
    segment_model: ClassModel,
    coordinates: DistanceCoordinates,
    has_left: BoolN,
    weights: N,
) -> ReferenceCustomers:
    """Return typical customers of each segment, distinct in the columns that the segments use.

    Customers of a segment are those who most probably belong to it, in the order of `compute_prominence`. Of those who
    stayed, and of those who left, the first three are kept, and up to seven medoids.

    Parameters
    ----------
    X : table
    given_rows : ndarray of int64 of shape (n,)
        Positions in the table of the encoded rows.
    encoded : EncodedRows
    segment_model : ClassModel
    coordinates : DistanceCoordinates
        Of the encoded rows.
    has_left : ndarray of bool of shape (n,)
    weights : ndarray of shape (n,)
    """
    used = segment_model.select_used_cells(encoded)
    distinct = np.sort(merge_equal_rows(used.numeric, used.codes, has_left.astype(np.int64), weights).positions)
    segments, prominence = compute_prominence(segment_model, encoded.select_rows(distinct))
    kept = [
        ranked[choose_medoids(coordinates.select_rows(distinct[ranked]))]
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


def choose_medoids(coordinates: DistanceCoordinates) -> IntN:
    """Return the positions of the first rows and of medoids, ascending; at most ten.

    The medoids are found one after the other: each is the row that lowers the sum of the distances from the nearest
    chosen row most (Nemhauser, Wolsey & Fisher, Mathematical Programming 14, 1978). Of many rows, as many are compared
    at equal steps.
    """
    n_rows = len(coordinates.codes)
    compared = np.arange(n_rows)
    if n_rows > _MAX_COMPARED:
        compared = np.union1d(np.arange(N_SHOWN), np.linspace(0, n_rows - 1, _MAX_COMPARED).astype(np.int64))
    rows = coordinates.select_rows(compared)
    distances = np.minimum([rows.distances_to(rows, row) for row in range(len(compared))], 1.0)
    chosen = list(range(min(N_SHOWN, n_rows)))
    nearest = distances[chosen].min(axis=0)
    while len(chosen) < min(N_REFERENCES, n_rows):
        gains = np.maximum(nearest - distances, 0.0).sum(axis=1)
        gains[chosen] = -1.0
        chosen.append(int(gains.argmax()))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    return np.asarray(compared[np.sort(chosen)], dtype=np.int64)
