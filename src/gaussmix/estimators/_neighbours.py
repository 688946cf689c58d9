"""What the nearest rows of other folds say of a row's group."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from gaussmix.selection.agreement import shares_of
from gaussmix.selection.assignment import Known
from gaussmix.types import ND, Array, N


def votes(rows: ND, known: Known, weights: N, n_neighbors: int) -> Array:
    """Probabilities (n, C) of the known groups for rows (n, D), from the nearest labelled rows of other folds.

    Neighbours count by their weights.
    """
    n_classes = len(known.names)
    counts = np.zeros((len(rows), n_classes))
    for fold in np.unique(known.folds):
        own, others = np.flatnonzero(known.folds == fold), np.flatnonzero((known.folds != fold) & known.rows)
        finder = NearestNeighbors(n_neighbors=min(n_neighbors, len(others))).fit(rows[others])
        near = others[finder.kneighbors(rows[own], return_distance=False)]
        np.add.at(counts, (own[:, None], known.classes[near]), weights[near])
    return shares_of(counts)
