"""Metrics of partitions and of class probabilities: adjusted Rand index, log-loss and calibration."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.solvers.initialization.distinct_rows import lexicographic_order
from gaussmix.types import ND, NK, Array, IntK, IntN, N

N_CALIBRATION_BINS = 10  # of equal width between probabilities 0 and 1

# Convergence of the class fractions of groups: iterations, and the largest change of a fraction.
_MAX_ITER, _TOLERANCE = 200, 1e-6


@dataclass(frozen=True)
class CalibrationBin:
    """The rows whose largest class probability lies between two limits.

    Attributes
    ----------
    min_probability, max_probability : float
        The limits of the bin.
    weight : float
        Total weight of the rows.
    confidence : float
        Their mean largest probability.
    accuracy : float
        The fraction of them whose most probable class is right.
    """

    min_probability: float
    max_probability: float
    weight: float
    confidence: float
    accuracy: float


class MeanDifference(NamedTuple):
    """A weighted mean difference of two values per row, and its standard error."""

    mean: float
    standard_error: float


def contingency_matrix(
    first_labels: IntN, second_labels: IntN, weights: N, min_shape: tuple[int, int] = (0, 0)
) -> Array:
    """Return the weight of the rows in each pair of a first and a second group, (A, B).

    Labels (n,) count from 0. The matrix is at least as large as ``min_shape``, for groups without rows.
    """
    n_first = max(int(first_labels.max()) + 1, min_shape[0])
    n_second = max(int(second_labels.max()) + 1, min_shape[1])
    pair_weights = np.bincount(first_labels * n_second + second_labels, weights, n_first * n_second)
    return np.asarray(pair_weights, dtype=np.float64).reshape(n_first, n_second)


def adjusted_rand_index(first_labels: IntN, second_labels: IntN, weights: N) -> float:
    """Return the adjusted Rand index of two partitions; 1 for equal ones, about 0 for independent ones.

    Hubert & Arabie, "Comparing partitions", Journal of Classification 2 (1985), equation 5. A row of weight 2 counts
    as two equal rows, which form a pair. Rows of weight below 1 form pairs with other rows only.
    """
    matrix = contingency_matrix(first_labels, second_labels, weights)
    self_pairs = contingency_matrix(first_labels, second_labels, weights * np.minimum(weights, 1.0))
    in_both, in_first, in_second = (
        _total_pair_weight(matrix.sum(axis=axis), self_pairs.sum(axis=axis)) for axis in ((), 1, 0)
    )
    n_pairs = _total_pair_weight(matrix.sum(keepdims=True), self_pairs.sum(keepdims=True))
    if not n_pairs > 0:  # one row
        return 1.0
    expected = in_first * in_second / n_pairs
    maximum = 0.5 * (in_first + in_second)
    if np.isclose(maximum, expected, rtol=1e-12, atol=0.0):
        return 1.0
    return float((in_both - expected) / (maximum - expected))


def _total_pair_weight(group_weights: Array, self_pair_weights: Array) -> float:
    """Return the total weight of pairs of rows within groups, without pairs of a row with itself."""
    return float((group_weights * group_weights - self_pair_weights).sum() / 2.0)


def match_groups_to_reference(
    labels: IntN, reference_labels: IntN, weights: N, min_shape: tuple[int, int] = (0, 0)
) -> IntK:
    """Return the reference label (A,) of each group, one to one, so that the agreeing weight is largest.

    Unmatched groups get labels beyond the reference labels. ``min_shape`` are the least numbers of groups in both
    partitions, for groups without rows.
    """
    from scipy.optimize import linear_sum_assignment

    matrix = contingency_matrix(labels, reference_labels, weights, min_shape)
    matches = np.full(len(matrix), -1, dtype=np.int64)
    groups, reference_groups = linear_sum_assignment(-matrix)
    matches[groups] = reference_groups
    unmatched = np.flatnonzero(matches < 0)
    matches[unmatched] = matrix.shape[1] + np.arange(len(unmatched))
    return matches


def assign_stratified_folds(rows: ND, class_indices: IntN, n_folds: int, seed: int) -> IntN:
    """Return a random fold (n,) for each row of known class, -1 for rows of unknown class (-1).

    Each class is spread evenly over the folds. Rows (n, D) are sorted first, so their order does not matter.
    """
    rng = np.random.default_rng(seed)
    folds = np.full(len(class_indices), -1, dtype=np.int64)
    order = lexicographic_order(rows)[rng.permutation(len(class_indices))]
    order = order[np.argsort(class_indices[order], kind="stable")]
    order = order[class_indices[order] >= 0]
    folds[order] = np.arange(len(order)) % n_folds
    return folds


def predict_held_out_class_probabilities(
    group_probabilities: NK, class_indices: IntN, folds: IntN, weights: N
) -> Array:
    """Return class probabilities (n, C) of each row, learned from the known classes of rows in other folds.

    A group k has class fractions s[k, c]. They maximise sum w log(sum_k group_probabilities[n, k] s[k, c_n]) over the
    rows in other folds. With hard groups they are relative frequencies. Mean probabilities of a class's rows would
    instead add the uncertainty of the groups twice.
    """
    class_probabilities = np.empty((len(group_probabilities), int(class_indices.max()) + 1))
    for fold in np.unique(folds):
        training = np.flatnonzero((folds != fold) & (folds >= 0))
        fractions = _fit_class_fractions_of_groups(
            group_probabilities[training], class_indices[training], weights[training], class_probabilities.shape[1]
        )
        class_probabilities[folds == fold] = group_probabilities[folds == fold] @ fractions
    return class_probabilities


def _fit_class_fractions_of_groups(group_probabilities: NK, class_indices: IntN, weights: N, n_classes: int) -> Array:
    """Return the class fractions (K, C) of groups, fitted by EM with a row's group as the hidden variable."""
    fractions = normalize_rows_or_make_uniform(
        _sum_rows_by_class(group_probabilities * weights[:, None], class_indices, n_classes)
    )
    for _ in range(_MAX_ITER):
        responsibilities = group_probabilities * fractions.T[class_indices]
        totals = responsibilities.sum(axis=1)
        responsibilities *= (weights / np.where(totals > 0, totals, 1.0))[:, None]
        previous = fractions
        fractions = normalize_rows_or_make_uniform(_sum_rows_by_class(responsibilities, class_indices, n_classes))
        if np.abs(fractions - previous).max() < _TOLERANCE:
            break
    return fractions


def _sum_rows_by_class(values: NK, class_indices: IntN, n_classes: int) -> Array:
    """Return the sums (K, C) over the rows of each class of the values (n, K)."""
    return np.column_stack([values[class_indices == index].sum(axis=0) for index in range(n_classes)])


def normalize_rows_or_make_uniform(counts: Array) -> Array:
    """Return counts (m, C) divided by their row sums; rows of zeros become uniform."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1.0 / counts.shape[1])


def clipped_log_losses(probabilities: Array, class_indices: IntN) -> N:
    """Return -log(max(p, 1 / n)) for each of n rows, (n,), where p is the probability (n, C) of its own class (nats).

    The mean is the log-loss. Few rows cannot show a smaller one, and a single zero, as nearest
    neighbours often predict, would outweigh all other rows.
    """
    own_probabilities = probabilities[np.arange(len(class_indices)), class_indices]
    return np.asarray(0.0 - np.log(np.minimum(1.0, np.maximum(own_probabilities, 1.0 / len(own_probabilities)))))


def paired_mean_difference(first_values: N, second_values: N, weights: N) -> MeanDifference:
    """Return the weighted mean of first - second over the rows, and its standard error."""
    differences, total_weight = first_values - second_values, weights.sum()
    mean = float(weights @ differences / total_weight)
    return MeanDifference(mean, float(np.sqrt(weights**2 @ (differences - mean) ** 2) / total_weight))


def make_calibration_bins(probabilities: Array, class_indices: IntN, weights: N) -> tuple[CalibrationBin, ...]:
    """Return bins of a reliability diagram: rows by their largest probability (n, C), in tenths; no empty bins."""
    confidences = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == class_indices
    numbers = np.minimum((confidences * N_CALIBRATION_BINS).astype(np.int64), N_CALIBRATION_BINS - 1)
    bins = []
    for number in np.unique(numbers).tolist():
        is_inside = numbers == number
        bin_weights = weights[is_inside]
        total_weight = float(bin_weights.sum())
        bins.append(
            CalibrationBin(
                number / N_CALIBRATION_BINS,
                (number + 1) / N_CALIBRATION_BINS,
                total_weight,
                float(bin_weights @ confidences[is_inside]) / total_weight,
                float(bin_weights @ is_right[is_inside]) / total_weight,
            )
        )
    return tuple(bins)


def expected_calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Return the mean of |confidence - accuracy| over the bins, weighted by their rows.

    Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3.
    """
    total_weight = sum(one.weight for one in bins)
    return sum(one.weight * abs(one.confidence - one.accuracy) for one in bins) / total_weight
