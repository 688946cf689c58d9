"""Softmax and log-sum-exp over components, one row of an array for each.

Arrays (K, n) have the components first: NumPy then reduces long contiguous rows, many at a time.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.types import KN, Array, N


class Responsibilities(NamedTuple):
    """Log density (n,) of each row, and the probability (K, n) of each component given the row."""

    log_density: N
    values: KN


def compute_responsibilities(scores: KN) -> Responsibilities:
    """Return the softmax and the log-sum-exp of scores (K, n), which may be minus infinity for some components."""
    largest = scores.max(axis=0)
    values = np.exp(scores - largest)
    totals = values.sum(axis=0)
    values /= totals
    return Responsibilities(largest + np.log(totals), values)


def log_sum_exp(scores: KN) -> N:
    """Return the log of the sum of exp(scores) (K, n) over the components, (n,)."""
    if len(scores) == 1:
        return np.asarray(scores[0])
    largest = scores.max(axis=0)
    return np.asarray(largest + np.log(np.exp(scores - largest).sum(axis=0)))


def normalize_logits(logits: Array) -> Array:
    """Return log probabilities (K, L) from logits (K, L): the softmax of each row, as logarithms."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
