"""Outcomes of rows with known probabilities, for the tests of the evaluation."""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit


class Sample(NamedTuple):
    """Outcomes, probabilities and weights of rows, all of shape (n,)."""

    y: Any
    p: Any
    weights: Any


def draw_sample(seed: int, n_rows: int = 200, n_distinct: int | None = None, bias: float = 0.0) -> Sample:
    """Return outcomes that follow their probabilities, up to a bias of the log-odds.

    With ``n_distinct``, probabilities are rounded, so that many are equal.
    """
    rng = np.random.default_rng(seed)
    log_odds = 1.5 * rng.normal(size=n_rows) - 0.8
    p = expit(log_odds)
    if n_distinct is not None:
        p = np.round(p * n_distinct) / n_distinct
    y = rng.uniform(size=n_rows) < expit(log_odds + bias)
    return Sample(y, p, rng.uniform(0.2, 3.0, n_rows))
