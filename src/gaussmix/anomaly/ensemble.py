"""``Ensemble``: mixtures of several numbers of components, fitted to random halves of the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gaussmix.anomaly.member import Member, MemberOptions, fit_mixture, make_member
from gaussmix.anomaly.row_partition import RowPartition
from gaussmix.selection.parallel_tasks import default_n_workers, iterate_results
from gaussmix.types import ND, Array, IntArray, IntN, N

MAX_FIT_ROWS = 1500
_SCORE_STEPS = 2.0**30  # per unit of score: sums of some such scores are exact


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members by repeat and half: ``members[repeat][half]`` has one for each number of components."""

    members: tuple[tuple[tuple[Member, ...], ...], ...]

    def score_by_half(self, rows: ND) -> Array:
        """Return the mean score of the members of each half in each repeat, (n, R, 2); higher is more anomalous.

        Scores are rounded, so that equal rows have equal scores, whichever engine scores them among whichever rows.
        """
        scores = np.empty((len(rows), len(self.members), 2))
        for repeat, halves in enumerate(self.members):
            for half, members in enumerate(halves):
                scores[:, repeat, half] = _mean_score(members, rows)
        return np.asarray(np.rint(scores * _SCORE_STEPS) / _SCORE_STEPS)


def _mean_score(members: Sequence[Member], rows: ND) -> N:
    """Return the mean score (n,) of some members."""
    total = np.zeros(len(rows))
    for member in members:
        total += member.score(rows)
    total /= len(members)
    return total


def select_unseen_scores(scores_by_half: Array, halves: IntArray) -> N:
    """Return the mean score (n,) of each row by the fits of the half that it is not in, from scores (n, R, 2).

    Rows that are in no half, with -1, have the mean score of all fits.
    """
    unseen = np.where(halves[:, :, None] < 0, True, np.arange(2) != halves[:, :, None])
    return np.asarray((scores_by_half * unseen).sum(axis=(1, 2)) / unseen.sum(axis=(1, 2)))


def fit_ensemble(
    rows: ND, weights: N | None, partition: RowPartition, options: list[MemberOptions], rng: np.random.Generator
) -> Ensemble:
    """Fit a member of each of the options to each half of the rows (n, d) in each repeat; halves run in threads."""
    tasks: list[Callable[[], tuple[Member, ...]]] = []
    for repeat in range(partition.n_repeats):
        for half in range(2):
            seeds = rng.integers(2**31, size=len(options))
            tasks.append(partial(_fit_members, rows, weights, partition, repeat, half, options, seeds))
    results = list(iterate_results(tasks, default_n_workers(min(len(rows), MAX_FIT_ROWS))))
    return Ensemble(tuple((results[2 * r], results[2 * r + 1]) for r in range(partition.n_repeats)))


def _fit_members(
    rows: ND,
    weights: N | None,
    partition: RowPartition,
    repeat: int,
    half: int,
    options: list[MemberOptions],
    seeds: IntN,
) -> tuple[Member, ...]:
    """Return one member for each of the options, fitted to a half and scaled on the other."""
    seen, unseen = partition.rows_of_half(repeat, half), partition.rows_of_half(repeat, 1 - half)
    unseen_weights = None if weights is None else weights[unseen]
    fitted = seen[:MAX_FIT_ROWS]
    fitted_weights = None if weights is None else weights[fitted]
    return tuple(
        make_member(fit_mixture(rows[fitted], fitted_weights, each, int(seed)), rows[unseen], unseen_weights, each)
        for each, seed in zip(options, seeds, strict=True)
    )
