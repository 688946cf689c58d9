"""Clusters of vectors that point in the same direction: average linkage of cosine similarities."""

import numpy as np

from gaussmix.types import ND, IntN

# Linkage takes memory and time with the square of the rows; of more rows, as many in sorted order are linked at a time.
_MAX_LINKED_ROWS = 2000


def cluster_directions(vectors: ND, min_similarity: float) -> IntN:
    """Return the cluster (n,) of each vector (n, d), counted from 0; vectors of zeros are one cluster.

    Clusters are joined while the mean cosine of their vectors is at least ``min_similarity``. Of many vectors an
    evenly spaced sample in sorted order is clustered. The others join the cluster of the most similar mean direction,
    or are clustered next if none is similar enough. Results do not depend on the order of the vectors.
    """
    units = _normalize(vectors)
    order = np.lexsort(units.T)
    labels, n_found = np.full(len(units), -1, dtype=np.int64), 0
    open_rows = order
    while len(open_rows):
        spaced = np.linspace(0, len(open_rows) - 1, min(_MAX_LINKED_ROWS, len(open_rows))).astype(np.int64)
        sample = open_rows[np.unique(spaced)]
        found = _link(units[sample], min_similarity)
        labels[sample] = found + n_found
        others = open_rows[labels[open_rows] < 0]
        nearest, similarities = _find_most_similar(units[others], units[sample], found)
        is_similar = similarities >= min_similarity
        labels[others[is_similar]] = nearest[is_similar] + n_found
        n_found += int(found.max()) + 1
        open_rows = others[~is_similar]
    return labels


def _normalize(vectors: ND) -> ND:
    """Return unit vectors (n, d + 1); the last entry is 1 for vectors of zeros and else 0."""
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    is_zero = largest == 0
    scaled = vectors / np.where(is_zero, 1.0, largest)[:, None]
    lengths = np.sqrt(np.square(scaled).sum(axis=1))
    return np.column_stack([scaled / np.where(is_zero, 1.0, lengths)[:, None], is_zero])


def _link(units: ND, min_similarity: float) -> IntN:
    """Return the clusters (n,), from 0, of unit vectors (n, d) by average linkage."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    if len(units) == 1:
        return np.zeros(1, dtype=np.int64)
    distances = 0.5 * pdist(units, "sqeuclidean")  # 1 - cosine, and never negative
    tree = linkage(distances, method="average")
    return np.asarray(fcluster(tree, 1.0 - min_similarity, criterion="distance"), dtype=np.int64) - 1


def _find_most_similar(units: ND, sample: ND, labels: IntN) -> tuple[IntN, ND]:
    """Return the cluster (n,) with the largest mean cosine to each unit vector (n, d), and that mean (n,)."""
    sums = np.zeros((int(labels.max()) + 1, units.shape[1]))
    np.add.at(sums, labels, sample)
    similarities = units @ (sums / np.bincount(labels)[:, None]).T
    nearest = similarities.argmax(axis=1)
    return nearest, similarities[np.arange(len(units)), nearest]
