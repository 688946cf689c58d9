"""What the members of an ensemble are, chosen by the likelihood of rows that no fit has seen."""

from collections.abc import Callable, Sequence
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
_NUMBERS_TOGETHER = (8, 16, 32)
_NUMBERS_TO_CHOOSE_FROM = (1, 2, 4, 8, 16, 32)
_MIN_ROWS_PER_PARAMETER = 10  # of a Gaussian: the usual rule of thumb for estimates that can be trusted
_DROPPED_FRACTION = 0.01  # of held-out rows: one absurd value would otherwise decide


def choose_members(
    rows: ND,
    weights: N | None,
    partition: RowPartition,
    base: MemberOptions,
    numbers_of_components: tuple[int, ...] | None,
    ridge: float | None,
    rng: np.random.Generator,
) -> list[MemberOptions]:
    """Return the options of the members of a half, for rows (n, d) with weights (n,) or None.

    Where they are not given, rows choose one number of components and a ridge, if they are many: that describes the
    normal ones best. Otherwise 8, 16 and 32 components together find more kinds of anomalies, and rows choose only the
    ridge.
    """
    chooses_one = numbers_of_components is None and _are_many(rows, weights, partition)
    together = numbers_of_components or _NUMBERS_TOGETHER
    tried = _NUMBERS_TO_CHOOSE_FROM if chooses_one else sorted(together)[len(together) // 2 :][:1]
    all_vouch = base._replace(light_components_vouch=True)
    ridges = RIDGES if ridge is None else (ridge,)
    candidates = [all_vouch._replace(n_components=k, ridge=value) for k in tried for value in ridges]
    best = _choose_by_likelihood(rows, weights, partition, candidates, rng)
    numbers = (best.n_components,) if chooses_one else together
    return [base._replace(n_components=k, ridge=best.ridge) for k in numbers]


def _are_many(rows: ND, weights: N | None, partition: RowPartition) -> bool:
    """Return whether a fit sees ten rows for each parameter of a full Gaussian."""
    seen = partition.rows_of_half(0, 0)[:MAX_FIT_ROWS]
    n_features = rows.shape[1]
    n_parameters = n_features * (n_features + 3) // 2
    n_seen = float(len(seen) if weights is None else weights[seen].sum())
    return bool(n_seen >= _MIN_ROWS_PER_PARAMETER * n_parameters)


def _choose_by_likelihood(
    rows: ND, weights: N | None, partition: RowPartition, candidates: Sequence[MemberOptions], rng: np.random.Generator
) -> MemberOptions:
    """Return the candidate whose mixture of one half has the highest mean log density on the other half.

    The hundredth of rows of lowest density does not count. A single candidate is not fitted.
    """
    seed = int(rng.integers(2**31))
    if len(candidates) == 1:
        return candidates[0]
    tasks: list[Callable[[], float]] = [
        partial(_score_options, rows, weights, partition, options, seed) for options in candidates
    ]
    scores = list(iterate_results(tasks, default_n_workers(min(len(rows), MAX_FIT_ROWS))))
    return candidates[int(np.argmax(scores))]


def _score_options(rows: ND, weights: N | None, partition: RowPartition, options: MemberOptions, seed: int) -> float:
    """Return the mean log density of held-out rows, without the lowest ones."""
    seen = partition.rows_of_half(0, 0)[:MAX_FIT_ROWS]
    unseen = partition.rows_of_half(0, 1)[:MAX_FIT_ROWS]
    mixture = fit_mixture(rows[seen], None if weights is None else weights[seen], options, seed)
    densities = log_density(mixture, rows[unseen]) + mixture.frame.log_abs_det_jacobian
    unseen_weights = None if weights is None else weights[unseen]
    is_kept = densities >= weighted_quantile(densities, unseen_weights, _DROPPED_FRACTION)
    return float(np.average(densities[is_kept], weights=None if unseen_weights is None else unseen_weights[is_kept]))
