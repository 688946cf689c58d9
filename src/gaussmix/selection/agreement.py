"""How well two partitions agree, and how well probabilities of known groups come true."""

from dataclasses import dataclass

import numpy as np

from gaussmix.solvers.start.distinct import sorted_order
from gaussmix.types import ND, NK, Array, IntN, N

N_BINS = 10
"""Bins of equal width that probabilities are sorted into."""

_MOST_PASSES, _RESTED = 200, 1e-6  # of the shares of classes within groups


@dataclass(frozen=True)
class Bin:
    """Rows whose most probable group has a probability from ``low`` to ``high``.

    ``weight`` is how many, ``confidence`` their mean probability, ``accuracy`` the share of those that are right.
    """

    low: float
    high: float
    weight: float
    confidence: float
    accuracy: float


def contingency(first: IntN, second: IntN, weights: N, least: tuple[int, int] = (0, 0)) -> Array:
    """The weight of the rows (n,) in each pair of groups, (A, B); there may be groups without rows, up to ``least``."""
    n_first, n_second = max(int(first.max()) + 1, least[0]), max(int(second.max()) + 1, least[1])
    counted = np.bincount(first * n_second + second, weights, n_first * n_second)
    return np.asarray(counted, dtype=np.float64).reshape(n_first, n_second)


def adjusted_rand(first: IntN, second: IntN, weights: N) -> float:
    """The share of pairs of rows on which two partitions agree, less what chance gives; 1 for equal ones.

    Hubert & Arabie, "Comparing partitions", Journal of Classification 2 (1985), equation 5; a row of weight 2
    counts as two rows, and is a pair with its copy. Weights below 1, of which no row has a copy, count in pairs of
    different rows by their product.
    """
    rows = contingency(first, second, weights)
    alone = contingency(first, second, weights * np.minimum(weights, 1.0))
    both, one, other = (_pairs(rows.sum(axis=axis), alone.sum(axis=axis)) for axis in ((), 1, 0))
    whole = _pairs(rows.sum(keepdims=True), alone.sum(keepdims=True))
    if not whole > 0:  # one row
        return 1.0
    expected = one * other / whole
    most = 0.5 * (one + other)
    return 1.0 if np.isclose(most, expected, rtol=1e-12, atol=0.0) else float((both - expected) / (most - expected))


def _pairs(counts: Array, alone: Array) -> float:
    """Pairs within groups: products of weights, without those of rows with themselves."""
    return float((counts * counts - alone).sum() / 2.0)


def matched(groups: IntN, to: IntN, weights: N, least: tuple[int, int] = (0, 0)) -> IntN:
    """The numbers (A,) of groups if each is called like the one of another partition that it shares rows with.

    One to one, so that as many rows as can be agree. Groups for which none is left have the numbers after those of the
    other partition; there may be groups without rows, up to ``least`` in either.
    """
    from scipy.optimize import linear_sum_assignment

    table = contingency(groups, to, weights, least)
    numbers = np.full(len(table), -1, dtype=np.int64)
    own, other = linear_sum_assignment(-table)
    numbers[own] = other
    left = np.flatnonzero(numbers < 0)
    numbers[left] = table.shape[1] + np.arange(len(left))
    return numbers


def folds_of(rows: ND, classes: IntN, n_folds: int, seed: int) -> IntN:
    """A fold (n,) for each row of a known class, each class spread evenly over them; -1 where none is known (-1).

    Rows (n, D) are dealt out in sorted order, so that the order they come in does not matter.
    """
    rng = np.random.default_rng(seed)
    folds = np.full(len(classes), -1, dtype=np.int64)
    order = sorted_order(rows)[rng.permutation(len(classes))]
    order = order[np.argsort(classes[order], kind="stable")]
    order = order[classes[order] >= 0]
    folds[order] = np.arange(len(order)) % n_folds
    return folds


def held_out(soft: NK, classes: IntN, folds: IntN, weights: N) -> Array:
    """Probabilities of the classes (n, C), from those of groups (n, K) and the classes of rows in other folds.

    The share s[k, c] of each class within a group is the one that makes the classes of the rows in other folds most
    probable, sum w log(sum_k soft[n, k] s[k, c_n]). Where rows belong wholly to groups, classes are counted; mean
    probabilities of a class's rows would blur what the probabilities have blurred already.
    """
    found = np.empty((len(soft), int(classes.max()) + 1))
    for fold in np.unique(folds):
        others = np.flatnonzero((folds != fold) & (folds >= 0))
        shares = _most_probable(soft[others], classes[others], weights[others], found.shape[1])
        found[folds == fold] = soft[folds == fold] @ shares
    return found


def _most_probable(soft: NK, classes: IntN, weights: N, n_classes: int) -> Array:
    """Shares (K, C) by EM: a row belongs to a group as far as the group foretells its class."""
    shares = shares_of(_counted(soft * weights[:, None], classes, n_classes))
    for _ in range(_MOST_PASSES):
        own = soft * shares.T[classes]
        total = own.sum(axis=1)
        own *= (weights / np.where(total > 0, total, 1.0))[:, None]
        before, shares = shares, shares_of(_counted(own, classes, n_classes))
        if np.abs(shares - before).max() < _RESTED:
            break
    return shares


def _counted(parts: NK, classes: IntN, n_classes: int) -> Array:
    """The parts (n, K) of the rows of each class, summed, (K, C)."""
    return np.column_stack([parts[classes == one].sum(axis=0) for one in range(n_classes)])


def shares_of(counts: Array) -> Array:
    """Shares (m, C) of counts (m, C); equal ones where nothing is counted."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1.0 / counts.shape[1])


def losses(probabilities: Array, classes: IntN) -> N:
    """-log of the probability (n, C) of each row's own class, (n,) (nats); their mean is the log-loss.

    One below 1 / n counts as 1 / n: so many rows cannot tell how much rarer it is, and one row that was thought
    impossible, as five neighbours may, would else outweigh all others.
    """
    own = probabilities[np.arange(len(classes)), classes]
    return np.asarray(0.0 - np.log(np.minimum(1.0, np.maximum(own, 1.0 / len(own)))))


def difference(first: N, second: N, weights: N) -> tuple[float, float]:
    """The weighted mean of what one row's figure exceeds the other's by, and its standard error."""
    apart, whole = first - second, weights.sum()
    mean = float(weights @ apart / whole)
    return mean, float(np.sqrt(weights**2 @ (apart - mean) ** 2) / whole)


def reliability(probabilities: Array, classes: IntN, weights: N) -> tuple[Bin, ...]:
    """Rows sorted by the probability of their most probable class; bins without rows are left out."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == classes
    places = np.minimum((top * N_BINS).astype(np.int64), N_BINS - 1)
    found = []
    for place in np.unique(places).tolist():
        own = places == place
        total = float(weights[own].sum())
        confidence, accuracy = float(weights[own] @ top[own]) / total, float(weights[own] @ right[own]) / total
        found.append(Bin(place / N_BINS, (place + 1) / N_BINS, total, confidence, accuracy))
    return tuple(found)


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Mean distance between what probabilities promise and what comes true, over rows.

    The expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3).
    """
    total = sum(one.weight for one in bins)
    return sum(one.weight * abs(one.confidence - one.accuracy) for one in bins) / total
