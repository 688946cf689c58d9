"""What the nearest rows of other folds say of a row's group."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from gaussmix.comparison.assignment_comparison import KnownLabels
from gaussmix.comparison.metrics import normalize_rows
from gaussmix.types import ND, Array, N


def neighbor_class_probabilities(rows: ND, known_labels: KnownLabels, sample_weight: N, n_neighbors: int) -> Array:
    """Probabilities (n, C) of the known groups for rows (n, D), from the nearest labelled rows of other folds.

    Neighbours count by their weights.
    """
    n_classes = len(known_labels.class_names)
    counts = np.zeros((len(rows), n_classes))
    for fold in np.unique(known_labels.folds):
        own, others = (
            np.flatnonzero(known_labels.folds == fold),
            np.flatnonzero((known_labels.folds != fold) & known_labels.is_known),
        )
        finder = NearestNeighbors(n_neighbors=min(n_neighbors, len(others))).fit(rows[others])
        near = others[finder.kneighbors(rows[own], return_distance=False)]
        np.add.at(counts, (own[:, None], known_labels.class_indices[near]), sample_weight[near])
    return normalize_rows(counts)
