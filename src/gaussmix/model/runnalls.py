"""Runnalls' reduction of a mixture: the pair whose merging costs least is merged, until a limit is reached.

The cost is an upper bound of the increase of the Kullback-Leibler divergence (Runnalls, "Kullback-Leibler approach to
Gaussian mixture reduction", IEEE Trans. Aerospace and Electronic Systems 43, 2007, equation 16).
"""

import numpy as np

from gaussmix.core import linalg
from gaussmix.model.component_reduction import ReducedComponents, merge_moments
from gaussmix.types import KD, KDD, Array, IntK, K


def merge_cheapest_pairs(
    weights: K, means: KD, covariances: KDD, max_components: int, max_cost: float
) -> ReducedComponents:
    """Merge the cheapest pair, again and again, by its moments.

    Merging stops when no pair costs at most ``max_cost``, and there are at most ``max_components``. Costs do not
    depend on units or offsets. The running time is quadratic in the number of components.

    Parameters
    ----------
    weights, means, covariances : arrays of shape (M,), (M, D) and (M, D, D)
        Covariances are positive definite.
    max_components : int
        At least 1.
    max_cost : float
        In units of the weights; pairs that cost at most this are merged even below ``max_components``.

    Returns
    -------
    ReducedComponents
        In the order of the input; each stands at the position of its heaviest member.
    """
    weights, means, covariances = weights.copy(), means.copy(), covariances.copy()
    heaviest, alive = np.arange(len(weights)), list(range(len(weights)))
    peaks = weights.copy()
    log_determinants = linalg.symmetric_log_determinants(covariances)
    costs = np.full((len(weights), len(weights)), np.inf)
    for i in alive[:-1]:
        costs[i, i + 1 :] = _pair_costs(weights, means, covariances, log_determinants, i, np.arange(i + 1, len(alive)))
    while len(alive) > 1:
        i, j = divmod(int(np.argmin(costs)), len(costs))
        if len(alive) <= max_components and costs[i, j] > max_cost:
            break
        if peaks[j] > peaks[i]:
            heaviest[i], peaks[i] = heaviest[j], peaks[j]
        pair = np.array([i, j])
        weights[i], means[i], covariances[i] = merge_moments(weights[pair], means[pair], covariances[pair])
        alive.remove(j)
        log_determinants[i] = linalg.symmetric_log_determinants(covariances[i : i + 1])[0]
        costs[j], costs[:, j] = np.inf, np.inf
        others = np.array([k for k in alive if k != i], dtype=np.int64)
        new_costs = _pair_costs(weights, means, covariances, log_determinants, i, others)
        costs[np.minimum(others, i), np.maximum(others, i)] = new_costs
    order = np.array(sorted(alive, key=lambda k: int(heaviest[k])))
    return ReducedComponents(heaviest[order], weights[order], means[order], covariances[order])


def _pair_costs(weights: K, means: KD, covariances: KDD, log_determinants: K, first: int, others: IntK) -> Array:
    """Return the cost of merging one component with each of some others.

    B = ((w_i + w_j) log |P_ij| - w_i log |P_i| - w_j log |P_j|) / 2, with the covariance P_ij of both together.
    """
    totals = weights[first] + weights[others]
    fractions = np.divide(weights[others], totals, out=np.zeros_like(totals), where=totals > 0.0)
    differences = means[others] - means[first]
    merged = (
        covariances[first]
        + fractions[:, None, None] * (covariances[others] - covariances[first])
        + (fractions * (1.0 - fractions))[:, None, None] * differences[:, :, None] * differences[:, None, :]
    )
    joint = linalg.symmetric_log_determinants(merged)
    first_part = (1.0 - fractions) * (joint - log_determinants[first])
    return np.asarray(0.5 * totals * (first_part + fractions * (joint - log_determinants[others])))
