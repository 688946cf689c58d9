"""Schedule of a model search: which candidates run, continue and start again, and in which order."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

import numpy as np

from gaussmix.core.moments import Moments
from gaussmix.core.threads import threads
from gaussmix.selection import candidate_runs
from gaussmix.selection.candidate_runs import CandidateRun, CandidateSpec
from gaussmix.selection.candidates import candidate_sort_key
from gaussmix.selection.initial_moments import InitialMomentsCache, screening_moments_from_responsibilities
from gaussmix.selection.progress import ProgressCallback

_N_ALWAYS_CONTINUED = 1  # the best candidates that run to convergence whatever they can reach

# A criterion this far above the best is very strong evidence against the candidate.
_MAX_CRITERION_DIFFERENCE = 10.0

# How many of the best candidates start again, and from how many others.
_MAX_RETRIED_CANDIDATES, _MAX_NEIGHBOURS = 5, 3


def run_search(
    specs: list[CandidateSpec],
    initial_moments: InitialMomentsCache,
    criterion: str,
    n_workers: int,
    progress_callback: ProgressCallback,
) -> list[CandidateRun]:
    """Run all candidates, continue those that may win, and retry the best ones; return all runs, best first."""
    runs = _make_first_runs(specs, initial_moments, n_workers, progress_callback)
    runs = _continue_contenders(runs, criterion, progress_callback)
    runs = _retry_best_from_neighbours(runs, criterion, progress_callback)
    return _continue_contenders(runs, criterion, progress_callback)


def _make_first_runs(
    specs: list[CandidateSpec],
    initial_moments: InitialMomentsCache,
    n_workers: int,
    progress_callback: ProgressCallback,
) -> list[CandidateRun]:
    """Return the first run of every candidate; several run in parallel, and their starts are made one by one."""
    n_workers = min(n_workers, len(specs))
    runs: list[CandidateRun] = []
    with ThreadPoolExecutor(n_workers) as pool, threads(1 if n_workers > 1 else None):
        starts = (
            initial_moments.get_moments_or_failure_reason(
                spec.screening_problem.covariance_estimator.structure, spec.n_components
            )
            for spec in specs
        )
        tasks = (
            partial(candidate_runs.run_candidate, spec, moments) for spec, moments in zip(specs, starts, strict=True)
        )
        get_results: Iterable[Callable[[], CandidateRun]] = tasks
        if n_workers > 1:
            get_results = [pool.submit(copy_context().run, task).result for task in tasks]
        try:
            for spec, get_result in zip(specs, get_results, strict=True):
                progress_callback(len(runs), len(specs), spec.name)
                runs.append(get_result())
        except BaseException:  # an interrupt waits for running candidates only
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return runs


def _continue_contenders(
    runs: list[CandidateRun], criterion: str, progress_callback: ProgressCallback
) -> list[CandidateRun]:
    """Continue the runs that may still win, twice as long in each round; return all runs, best first."""
    max_extra_iter = 2 * candidate_runs.FIRST_MAX_ITER
    while True:
        runs = sorted(runs, key=lambda run: candidate_sort_key(run.candidate, criterion))
        target = _worst_competitive_criterion(runs[0], criterion)
        should_continue = [
            run.can_continue and (rank < _N_ALWAYS_CONTINUED or run.can_reach(target, criterion))
            for rank, run in enumerate(runs)
        ]
        if not any(should_continue):
            return runs
        for rank in np.flatnonzero(should_continue):
            progress_callback(len(runs), len(runs), f"{runs[rank].candidate.name} again")
            runs[rank] = candidate_runs.continue_candidate(runs[rank], max_extra_iter)
        max_extra_iter *= 2


def _worst_competitive_criterion(best_run: CandidateRun, criterion: str) -> float:
    """Return the highest value of a criterion with which a candidate may still win: 10 above the best run's."""
    return best_run.candidate.criteria.get(criterion, -np.inf) + _MAX_CRITERION_DIFFERENCE


def _retry_best_from_neighbours(
    runs: list[CandidateRun], criterion: str, progress_callback: ProgressCallback
) -> list[CandidateRun]:
    """Return all runs; those of the best candidates are retried from other mixtures with as many components."""
    runs = list(runs)
    target = _worst_competitive_criterion(runs[0], criterion)
    near_best = [run for run in runs if run.candidate.is_eligible and run.candidate.criteria[criterion] <= target]
    for rank, run in enumerate(near_best[:_MAX_RETRIED_CANDIDATES]):
        starts = _moments_by_neighbour_mixtures(run, runs)
        if run.candidate.n_components == 1 or not starts:
            continue
        progress_callback(len(runs), len(runs), f"{run.candidate.name} from others")
        runs[rank] = candidate_runs.retry_and_keep_better(run, starts)
    return runs


def _moments_by_neighbour_mixtures(run: CandidateRun, runs: list[CandidateRun]) -> list[Moments]:
    """Return moments of a candidate's screening rows, one for each of the best others with as many components."""
    neighbours = [
        other
        for other in runs
        if other is not run
        and other.candidate.is_eligible
        and other.candidate.n_components == run.candidate.n_components
    ]
    return [
        screening_moments_from_responsibilities(other.candidate.mixture, other.spec.screening_problem, run.spec)
        for other in neighbours[:_MAX_NEIGHBOURS]
        if other.candidate.mixture is not None
    ]
