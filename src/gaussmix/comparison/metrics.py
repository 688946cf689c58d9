"""How well two partitions agree, and how well probabilities of known groups come true."""

from dataclasses import dataclass

import numpy as np

from gaussmix.solvers.initialization.distinct_rows import lexicographic_order
from gaussmix.types import ND, NK, Array, IntN, N

N_CALIBRATION_BINS = 10
"""Bins of equal width that probabilities are sorted into."""

_MAX_ITER, _TOLERANCE = 200, 1e-6  # of the shares of classes within groups


@dataclass(frozen=True)
class CalibrationBin:
    """Rows whose most probable group has a probability from ``low`` to ``high``.

    ``weight`` is how many, ``confidence`` their mean probability, ``accuracy`` the share of those that are right.
    """

    min_probability: float
    max_probability: float
    weight: float
    confidence: float
    accuracy: float


def contingency_matrix(
    first_labels: IntN, second_labels: IntN, weights: N, min_shape: tuple[int, int] = (0, 0)
) -> Array:
    """The weight of the rows (n,) in each pair of groups, (A, B); there may be groups without rows, up to ``least``."""
    n_first, n_second = max(int(first_labels.max()) + 1, min_shape[0]), max(int(second_labels.max()) + 1, min_shape[1])
    counted = np.bincount(first_labels * n_second + second_labels, weights, n_first * n_second)
    return np.asarray(counted, dtype=np.float64).reshape(n_first, n_second)


def adjusted_rand_index(first_labels: IntN, second_labels: IntN, weights: N) -> float:
    """The share of pairs of rows on which two partitions agree, less what chance gives; 1 for equal ones.

    Hubert & Arabie, "Comparing partitions", Journal of Classification 2 (1985), equation 5; a row of weight 2
    counts as two rows, and is a pair with its copy. Weights below 1, of which no row has a copy, count in pairs of
    different rows by their product.
    """
    rows = contingency_matrix(first_labels, second_labels, weights)
    alone = contingency_matrix(first_labels, second_labels, weights * np.minimum(weights, 1.0))
    both, one, other = (_count_pairs(rows.sum(axis=axis), alone.sum(axis=axis)) for axis in ((), 1, 0))
    whole = _count_pairs(rows.sum(keepdims=True), alone.sum(keepdims=True))
    if not whole > 0:  # one row
        return 1.0
    expected = one * other / whole
    most = 0.5 * (one + other)
    return 1.0 if np.isclose(most, expected, rtol=1e-12, atol=0.0) else float((both - expected) / (most - expected))


def _count_pairs(group_weights: Array, self_pair_weights: Array) -> float:
    """Pairs within groups: products of weights, without those of rows with themselves."""
    return float((group_weights * group_weights - self_pair_weights).sum() / 2.0)


def match_labels(labels: IntN, reference_labels: IntN, weights: N, min_shape: tuple[int, int] = (0, 0)) -> IntN:
    """The numbers (A,) of groups if each is called like the one of another partition that it shares rows with.

    One to one, so that as many rows as can be agree. Groups for which none is left have the numbers after those of the
    other partition; there may be groups without rows, up to ``least`` in either.
    """
    from scipy.optimize import linear_sum_assignment

    table = contingency_matrix(labels, reference_labels, weights, min_shape)
    numbers = np.full(len(table), -1, dtype=np.int64)
    own, other = linear_sum_assignment(-table)
    numbers[own] = other
    left = np.flatnonzero(numbers < 0)
    numbers[left] = table.shape[1] + np.arange(len(left))
    return numbers


def assign_stratified_folds(rows: ND, class_indices: IntN, n_folds: int, seed: int) -> IntN:
    """A fold (n,) for each row of a known class, each class spread evenly over them; -1 where none is known (-1).

    Rows (n, D) are dealt out in sorted order, so that the order they come in does not matter.
    """
    rng = np.random.default_rng(seed)
    folds = np.full(len(class_indices), -1, dtype=np.int64)
    order = lexicographic_order(rows)[rng.permutation(len(class_indices))]
    order = order[np.argsort(class_indices[order], kind="stable")]
    order = order[class_indices[order] >= 0]
    folds[order] = np.arange(len(order)) % n_folds
    return folds


def predict_held_out_classes(group_probabilities: NK, class_indices: IntN, folds: IntN, weights: N) -> Array:
    """Probabilities of the classes (n, C), from those of groups (n, K) and the classes of rows in other folds.

    The share s[k, c] of each class within a group is the one that makes the classes of the rows in other folds most
    probable, sum w log(sum_k soft[n, k] s[k, c_n]). Where rows belong wholly to groups, classes are counted; mean
    probabilities of a class's rows would blur what the probabilities have blurred already.
    """
    found = np.empty((len(group_probabilities), int(class_indices.max()) + 1))
    for fold in np.unique(folds):
        others = np.flatnonzero((folds != fold) & (folds >= 0))
        shares = _estimate_class_fractions(
            group_probabilities[others], class_indices[others], weights[others], found.shape[1]
        )
        found[folds == fold] = group_probabilities[folds == fold] @ shares
    return found


def _estimate_class_fractions(group_probabilities: NK, class_indices: IntN, weights: N, n_classes: int) -> Array:
    """Shares (K, C) by EM: a row belongs to a group as far as the group foretells its class."""
    shares = normalize_rows(_sum_rows_by_class(group_probabilities * weights[:, None], class_indices, n_classes))
    for _ in range(_MAX_ITER):
        own = group_probabilities * shares.T[class_indices]
        total = own.sum(axis=1)
        own *= (weights / np.where(total > 0, total, 1.0))[:, None]
        before, shares = shares, normalize_rows(_sum_rows_by_class(own, class_indices, n_classes))
        if np.abs(shares - before).max() < _TOLERANCE:
            break
    return shares


def _sum_rows_by_class(values: NK, class_indices: IntN, n_classes: int) -> Array:
    """The parts (n, K) of the rows of each class, summed, (K, C)."""
    return np.column_stack([values[class_indices == one].sum(axis=0) for one in range(n_classes)])


def normalize_rows(counts: Array) -> Array:
    """Shares (m, C) of counts (m, C); equal ones where nothing is counted."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1.0 / counts.shape[1])


def row_log_losses(probabilities: Array, class_indices: IntN) -> N:
    """-log of the probability (n, C) of each row's own class, (n,) (nats); their mean is the log-loss.

    One below 1 / n counts as 1 / n: so many rows cannot tell how much rarer it is, and one row that was thought
    impossible, as five neighbours may, would else outweigh all others.
    """
    own = probabilities[np.arange(len(class_indices)), class_indices]
    return np.asarray(0.0 - np.log(np.minimum(1.0, np.maximum(own, 1.0 / len(own)))))


def paired_mean_difference(first_values: N, second_values: N, weights: N) -> tuple[float, float]:
    """The weighted mean of what one row's figure exceeds the other's by, and its standard error."""
    apart, whole = first_values - second_values, weights.sum()
    mean = float(weights @ apart / whole)
    return mean, float(np.sqrt(weights**2 @ (apart - mean) ** 2) / whole)


def make_calibration_bins(probabilities: Array, class_indices: IntN, weights: N) -> tuple[CalibrationBin, ...]:
    """Rows sorted by the probability of their most probable class; bins without rows are left out."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == class_indices
    places = np.minimum((top * N_CALIBRATION_BINS).astype(np.int64), N_CALIBRATION_BINS - 1)
    found = []
    for place in np.unique(places).tolist():
        own = places == place
        total = float(weights[own].sum())
        confidence, accuracy = float(weights[own] @ top[own]) / total, float(weights[own] @ right[own]) / total
        found.append(
            CalibrationBin(place / N_CALIBRATION_BINS, (place + 1) / N_CALIBRATION_BINS, total, confidence, accuracy)
        )
    return tuple(found)


def expected_calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Mean distance between what probabilities promise and what comes true, over rows.

    The expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3).
    """
    total = sum(one.weight for one in bins)
    return sum(one.weight * abs(one.confidence - one.accuracy) for one in bins) / total
