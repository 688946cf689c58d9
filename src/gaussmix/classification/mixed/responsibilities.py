"""Responsibilities and log densities of rows from the scores of the components."""

from typing import NamedTuple

import numpy as np

from gaussmix.types import NK, N


class Responsibilities(NamedTuple):
    """Log density (n,) of each row, and the probability (n, K) of each component given the row."""

    log_density: N
    values: NK


def compute_responsibilities(scores: NK) -> Responsibilities:
    """Return the softmax and the log-sum-exp of scores (n, K), which may be minus infinity for some components."""
    largest = scores.max(axis=1, keepdims=True)
    values = np.exp(scores - largest)
    totals = values.sum(axis=1, keepdims=True)
    values /= totals
    return Responsibilities((largest + np.log(totals))[:, 0], values)
