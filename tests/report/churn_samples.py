"""Simulated customers and a comparison without a fit, for the tests of the report on churn."""

from typing import Any

import numpy as np

from gaussmix.classification import PeerComparison, compare_measures, compute_measures

PLAN = "5 stratified folds of 400 rows"


def make_comparison(n_rows: int = 400, seed: int = 0, plan: str = PLAN, slope: float = 1.0) -> PeerComparison:
    """Return two models of simulated outcomes; probabilities of the first are right for a slope of 1."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1.0, 1.5, n_rows)
    p, other = 1.0 / (1.0 + np.exp(-slope * z)), 1.0 / (1.0 + np.exp(-0.5 * z - rng.normal(size=n_rows)))
    y = rng.random(n_rows) < 1.0 / (1.0 + np.exp(-z))
    models: dict[str, Any] = {"mixture classifier": p, "logistic regression": other}
    return PeerComparison(
        plan,
        np.arange(n_rows),
        y,
        None,
        models,
        {name: compute_measures(y, values) for name, values in models.items()},
        {"logistic regression": compare_measures(y, p, other)},
        dict.fromkeys(models, 1.0),
    )
