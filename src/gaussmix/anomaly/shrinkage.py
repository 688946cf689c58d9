"""The ridge of the members: what is added to every variance, chosen by the likelihood of rows that no fit has seen."""

from collections.abc import Callable
from functools import partial

import numpy as np

from gaussmix.anomaly.ensemble import MAX_FIT_ROWS
from gaussmix.anomaly.member import MemberOptions, fit_mixture, log_density
from gaussmix.anomaly.row_partition import RowPartition
from gaussmix.anomaly.weighted_quantiles import weighted_quantile
from gaussmix.selection.parallel_tasks import default_n_workers, iterate_results
from gaussmix.types import ND, N

# In squared deviations of a column. Many columns, few rows and anomalies need a strong ridge; narrow groups a weak one.
RIDGES = (0.1, 0.01, 0.001)
_DROPPED_FRACTION = 0.01  # of held-out rows: one absurd value would otherwise decide


def choose_ridge(
    rows: ND, weights: N | None, partition: RowPartition, options: MemberOptions, rng: np.random.Generator
) -> float:
    """Return the ridge whose mixture of one half has the highest mean log density on the other half.

    The hundredth of rows of lowest density does not count.
    """
    seed = int(rng.integers(2**31))
    tasks: list[Callable[[], float]] = [
        partial(_score_ridge, rows, weights, partition, options._replace(ridge=ridge), seed) for ridge in RIDGES
    ]
    scores = list(iterate_results(tasks, default_n_workers(min(len(rows), MAX_FIT_ROWS))))
    return RIDGES[int(np.argmax(scores))]


def _score_ridge(rows: ND, weights: N | None, partition: RowPartition, options: MemberOptions, seed: int) -> float:
    """Return the mean log density of held-out rows, without the lowest ones."""
    seen = partition.rows_of_half(0, 0)[:MAX_FIT_ROWS]
    unseen = partition.rows_of_half(0, 1)[:MAX_FIT_ROWS]
    mixture = fit_mixture(rows[seen], None if weights is None else weights[seen], options, seed)
    densities = log_density(mixture, rows[unseen]) + mixture.frame.log_abs_det_jacobian
    unseen_weights = None if weights is None else weights[unseen]
    is_kept = densities >= weighted_quantile(densities, unseen_weights, _DROPPED_FRACTION)
    return float(np.average(densities[is_kept], weights=None if unseen_weights is None else unseen_weights[is_kept]))
