"""Merge close components of mixtures, many mixtures at once: the reduction step of Gaussian-mixture filters.

Pairs are merged by their moments, so that weight, mean and covariance of the whole are kept.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from gaussmix.engines.automatic import call_compiled_function
from gaussmix.types import KD, KDD, Array, BoolK, IntK, K

_RELATIVE_PIVOT = 1e-13  # smaller pivots are rounding errors of a direction without variance
_MIN_PIVOT = 1e-300


class ReducedComponents(NamedTuple):
    """Components that are left: ``positions`` (R,) of the heaviest member of each in the input, and parameters."""

    positions: IntK
    weights: K
    means: KD
    covariances: KDD


def merge_close_components(
    groups: IntK,
    weights: K,
    means: KD,
    covariances: KDD,
    max_squared_distance: float,
    max_components: int,
) -> ReducedComponents:
    """Merge the components of each group that are close to a heavier one, and keep the heaviest of each group.

    The heaviest component takes all others of its group whose squared Mahalanobis distance from it, by their own
    covariance, is at most ``max_squared_distance``; then the next one that is left, and so on (Vo & Ma, "The Gaussian
    mixture probability hypothesis density filter", IEEE Trans. Signal Processing 54, 2006, table II).

    Parameters
    ----------
    groups : int array of shape (M,)
        Components are merged within a group only.
    weights, means, covariances : arrays of shape (M,), (M, D) and (M, D, D)
    max_squared_distance : float
    max_components : int
        Merged components that are kept in each group, the heaviest first found.

    Returns
    -------
    ReducedComponents
        Ordered by group, then by descending weight before merging.
    """
    order = np.lexsort((-weights, groups))
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.concatenate([sorted_groups[:1] == sorted_groups[:1], np.diff(sorted_groups) != 0]))
    starts = np.append(starts, len(order)).astype(np.int64)
    arrays = weights[order], np.ascontiguousarray(means[order]), np.ascontiguousarray(covariances[order])
    kept = np.empty(len(order), dtype=np.int64)
    n_kept = call_compiled_function(
        "merge_in_groups",
        *arrays,
        starts,
        float(max_squared_distance),
        max_components,
        np.zeros_like(arrays[2]),
        np.empty(means.shape[1]),
        np.empty(len(order), dtype=np.bool_),
        kept,
    )
    kept = _merge_in_numpy(*arrays, starts, max_squared_distance, max_components) if n_kept is None else kept[:n_kept]
    return ReducedComponents(order[kept], *(array[kept] for array in arrays))


def _merge_in_numpy(
    weights: K, means: KD, covariances: KDD, starts: IntK, max_squared_distance: float, max_components: int
) -> IntK:
    """Merge in place, one group after the other; return the positions that are left."""
    kept: list[int] = []
    for start, stop in pairwise(starts.tolist()):
        is_left = np.ones(stop - start, dtype=bool)
        for _ in range(max_components):
            if not is_left.any():
                break
            head = int(np.argmax(is_left))
            is_close = _find_close(means[start:stop], covariances[start:stop], head, is_left, max_squared_distance)
            members = start + np.flatnonzero(is_close)
            is_left &= ~is_close
            if weights[members].sum() > weights[start + head]:  # others weigh nothing
                moments = merge_moments(weights[members], means[members], covariances[members])
                weights[start + head], means[start + head], covariances[start + head] = moments
            kept.append(int(start + head))
    return np.array(kept, dtype=np.int64)


def _find_close(means: KD, covariances: KDD, head: int, is_left: BoolK, max_squared_distance: float) -> BoolK:
    """Return which components left are close to the head, itself included."""
    squares = _squared_distances(means[head] - means, covariances)
    is_close: BoolK = is_left & (squares <= max_squared_distance)
    is_close[head] = True
    return is_close


def _squared_distances(differences: KD, covariances: KDD) -> K:
    """Return squared Mahalanobis distances, by Cholesky factors in which small pivots are raised.

    A difference in a direction without variance is far away, and no difference is close.
    """
    n_states = differences.shape[1]
    factors, whitened = np.zeros(covariances.shape), np.zeros(differences.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for a in range(n_states):
            values = covariances[:, a:, a] - np.einsum("kbc,kc->kb", factors[:, a:, :a], factors[:, a, :a])
            smallest = np.maximum(_RELATIVE_PIVOT * covariances[:, a, a], _MIN_PIVOT)
            factors[:, a, a] = np.sqrt(np.maximum(values[:, 0], smallest))
            factors[:, a + 1 :, a] = values[:, 1:] / factors[:, a, a, None]
            left = differences[:, a] - np.einsum("kc,kc->k", factors[:, a, :a], whitened[:, :a])
            whitened[:, a] = left / factors[:, a, a]
        return np.asarray((whitened**2).sum(axis=1))


def merge_moments(weights: K, means: KD, covariances: KDD) -> tuple[float, Array, Array]:
    """Return weight, mean (D,) and covariance (D, D) of several weighted Gaussians together.

    Differences from the first mean are added up, so that a large offset costs no digits. Weights of 0 count alike if
    all are 0.
    """
    total = float(weights.sum())
    fractions = weights / total if total > 0.0 else np.full(len(weights), 1.0 / len(weights))
    differences = means - means[0]
    shift = fractions @ differences
    centered = differences - shift
    spread = np.einsum("k,ki,kj->ij", fractions, centered, centered)
    return total, means[0] + shift, np.einsum("k,kij->ij", fractions, covariances) + spread
