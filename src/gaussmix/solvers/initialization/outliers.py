"""Which rows lie alone: clutter told from features by the distance to the k-th nearest neighbour.

Where rows are spread evenly, the distance to the k-th nearest neighbour raised to the power D is gamma
distributed with shape k and a rate that grows with how densely they lie. So a mixture of two gamma
distributions, fitted by a few passes of EM, tells the rows of groups from those of an even background
(Byers & Raftery, "Nearest-neighbor clutter removal for estimating features in spatial point
processes", JASA 93, 1998, eq. 5). Columns are measured in their standard deviations.
"""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import expit

from gaussmix.types import ND, N

_NEIGHBOR_RANK = 12
_N_EM_ITERATIONS = 60
_INITIAL_OUTLIER_FRACTION = 0.25  # of the weight, that of the farthest rows, with which the search begins
_MAX_LOG_DISTANCE_RATIO = 500.0


def outlier_probabilities(rows: ND, weights: N) -> N:
    """The probability that each of some distinct rows (n, D), in comparable units, is clutter, (n,)."""
    k = min(_NEIGHBOR_RANK, len(rows) - 1)
    if k < 1:
        return np.zeros(len(rows))
    distances = np.asarray(cKDTree(rows).query(rows, k + 1)[0])[:, k]
    powers = rows.shape[1] * np.log(np.maximum(distances, np.finfo(float).tiny))
    powers = np.minimum(powers - np.median(powers), _MAX_LOG_DISTANCE_RATIO)
    order = np.argsort(powers, kind="stable")
    below = np.cumsum(weights[order]) / weights.sum()
    share = np.zeros(len(rows))
    share[order] = below > 1.0 - _INITIAL_OUTLIER_FRACTION
    return _sparse_gamma_responsibilities(powers, weights, share, k)


def _sparse_gamma_responsibilities(log_values: N, weights: N, responsibilities: N, gamma_shape: int) -> N:
    """Responsibilities of the sparser of two gamma distributions of shape k, from log values (n,)."""
    values = np.exp(log_values)
    for _ in range(_N_EM_ITERATIONS):
        sparse, dense = weights * responsibilities, weights * (1.0 - responsibilities)
        if not (sparse.sum() > 0 and dense.sum() > 0):
            break
        rates = gamma_shape * sparse.sum() / (sparse @ values), gamma_shape * dense.sum() / (dense @ values)
        if not rates[0] < rates[1]:
            return np.zeros(len(values))
        odds = np.log(sparse.sum() / dense.sum()) + gamma_shape * np.log(rates[0] / rates[1])
        responsibilities = expit(odds + (rates[1] - rates[0]) * values)
    return np.asarray(responsibilities)
