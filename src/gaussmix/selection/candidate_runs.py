"""Runs of one candidate of a search (a structure with a number of components), from its starts to convergence.

A candidate runs in rounds, so that the search can stop it as soon as it can no longer win. It keeps the runs from all
starts that may still be its best; the others are dropped. The seconds in a candidate's fit are those of its best run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix.core.moments import Moments
from gaussmix.core.outcome import Outcome
from gaussmix.errors import GaussmixError
from gaussmix.model.degeneracy import count_degenerate_components, far_component_mask
from gaussmix.model.mixture import Mixture
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.selection.criteria import CRITERIA, CRITERIA_OF_RESPONSIBILITIES
from gaussmix.selection.near_rows import evaluate_near_rows
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.initialization.initializer import make_nondegenerate_check
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import HalvingRounds, continue_run, successive_halving
from gaussmix.solvers.stopping import RelativeGainRule

STOPPING_RULE = RelativeGainRule(1e-7)
SAMPLE_STOPPING_RULE = RelativeGainRule(1e-4, 100)  # a run on a sample only has to come near an optimum

FIRST_MAX_ITER_FROM_PARTITION = 15  # iterations of the first runs without a sample
FIRST_MAX_ITER = 5  # iterations of the first run over all rows, after runs on a sample

# Further iterations that a run is assumed to get when the search estimates what it can still reach.
_N_EXTRAPOLATED_ITER = 100

# A retry of a candidate stops when it can hardly raise the log-likelihood by more nats than this.
_MIN_RAISED_NATS = 0.02

_RELATIVE_ROUNDING = 1e-9

# Criteria of hierarchical clustering: mclust's, and one on whitened rows. Their partitions come before k-means.
TREE_CRITERIA = ("VVV", "whitened")

_HALVING_ROUNDS: HalvingRounds = ((15, 6), (60, 3))
_SAMPLE_HALVING_ROUNDS: HalvingRounds = ((10, 3), (20, 2))


@dataclass(frozen=True)
class CandidateRun:
    """A candidate and its runs on all rows so far.

    Attributes
    ----------
    spec : CandidateSpec
    results : tuple of RunResult
        Runs from different starts, the best first; empty if all failed.
    failure_reason : str
        Why there is no run.
    """

    spec: CandidateSpec
    results: tuple[RunResult[Mixture], ...]
    failure_reason: str = ""

    @property
    def mixture(self) -> Mixture | None:
        """The mixture of the best run, or None."""
        return self.results[0].model if self.results else None

    @property
    def can_continue(self) -> bool:
        """Whether a run used up its iterations, and more are allowed."""
        return any(map(is_unfinished, self.results))

    @property
    def has_floored_component(self) -> bool:
        """Whether a covariance of the best run, unless of far rows, is at the variance floor."""
        if self.mixture is None or not self.mixture.covariance.is_floored.any():
            return False
        is_far = far_component_mask(self.mixture, self.spec.problem)
        return bool((self.mixture.covariance.is_floored & ~is_far).any())

    @cached_property
    def severity(self) -> int:
        """0 nondegenerate, 1 a component of too few rows, 2 a floored variance, 3 failed."""
        if self.mixture is None:
            return 3
        if self.has_floored_component:
            return 2
        return int(count_degenerate_components(self.mixture, self.spec.problem) > 0)

    def estimate_criterion(self, criterion: str) -> float:
        """Return a criterion of the best run so far; its log-likelihood is that before the last update."""
        mixture, problem = self.mixture, self.spec.problem
        if mixture is None:
            return np.inf
        near = evaluate_near_rows(self.spec.near_problem, problem, mixture)
        if near is not None:
            return CRITERIA[criterion](*near)
        log_prior = problem.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
        log_likelihood = self.results[0].last_objective - log_prior
        is_needed = criterion in CRITERIA_OF_RESPONSIBILITIES and mixture.n_components > 1
        total_log_max = problem.total_log_max_responsibility(mixture) if is_needed else 0.0
        return CRITERIA[criterion](log_likelihood, mixture.n_parameters, problem.total_weight, total_log_max)

    def can_reach(self, target: float, criterion_so_far: float) -> bool:
        """Return whether many more iterations with the last gain would bring the criterion down to the target.

        Always True for few rows, unless the candidate is at the variance floor.
        """
        if self.has_floored_component:
            return False
        if self.spec.is_never_pruned:
            return True
        return criterion_so_far - 2.0 * max(map(_extrapolate_gain, self.results)) <= target


def is_unfinished(result: RunResult[Mixture]) -> bool:
    """Return whether a run used up its iterations, and more are allowed."""
    return result.outcome is Outcome.MAX_ITER_REACHED and len(result.trace) < STOPPING_RULE.max_iter


def _extrapolate_gain(result: RunResult[Mixture]) -> float:
    """Return the gain of many more iterations if each gains as much as the last one; gains of EM mostly decrease."""
    if not is_unfinished(result):
        return 0.0
    if len(result.trace) < 2:
        return np.inf
    return _N_EXTRAPOLATED_ITER * float(np.diff(result.trace.log_likelihoods[-2:]).sum())


def run_candidate(spec: CandidateSpec, moments_or_failure_reason: Sequence[Moments] | str) -> CandidateRun:
    """Return the first runs of a candidate from all starts, or a failed run if there is none.

    After runs on a sample, the best one makes its first iterations on all rows. Instead of moments, one for each
    start, the argument may be the reason (text) why there are no starts.
    """
    if isinstance(moments_or_failure_reason, str):
        return CandidateRun(spec, (), moments_or_failure_reason)
    try:
        starts = [spec.make_initial_mixture(moments) for moments in moments_or_failure_reason]
        runs = _run_on_sample_then_on_all_rows(spec, starts) if spec.has_sample else _run_on_all_rows(spec, starts)
        return CandidateRun(spec, _sort_and_drop_hopeless_runs(spec, runs))
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return CandidateRun(spec, (), str(error))


def _run_on_all_rows(spec: CandidateSpec, initial_mixtures: list[Mixture]) -> list[RunResult[Mixture]]:
    """Return the first iterations of the runs from all starts.

    Starts from trees come first and skip successive halving, so that more starts never end lower.
    """
    problem, solver, n_trees = spec.problem, EM(spec.problem.covariance_estimator), len(TREE_CRITERIA)
    max_iter = None if spec.is_never_pruned else FIRST_MAX_ITER_FROM_PARTITION
    other_runs = successive_halving(
        solver,
        initial_mixtures[n_trees:],
        problem,
        STOPPING_RULE,
        make_nondegenerate_check(problem),
        _HALVING_ROUNDS,
    )
    tree_runs = [
        run_solver(solver, start, problem, STOPPING_RULE, max_iter=max_iter, max_floored_iter=spec.max_floored_iter)
        for start in initial_mixtures[:n_trees]
    ]
    continued_runs = [
        run if len(run.trace) else continue_run(solver, run, problem, STOPPING_RULE, max_iter, spec.max_floored_iter)
        for run in other_runs
    ]
    return [*tree_runs, *continued_runs]


def _run_on_sample_then_on_all_rows(spec: CandidateSpec, initial_mixtures: list[Mixture]) -> list[RunResult[Mixture]]:
    """Run all starts on the sample; return the first iterations of the best one on all rows."""
    sample, n_trees = spec.screening_problem, len(TREE_CRITERIA)
    solver, is_nondegenerate = EM(sample.covariance_estimator), make_nondegenerate_check(sample)
    other_runs = successive_halving(
        solver, initial_mixtures[n_trees:], sample, SAMPLE_STOPPING_RULE, is_nondegenerate, _SAMPLE_HALVING_ROUNDS
    )
    tree_runs = [
        run_solver(solver, mixture, sample, SAMPLE_STOPPING_RULE, max_floored_iter=spec.max_floored_iter)
        for mixture in initial_mixtures[:n_trees]
    ]
    continued_runs = [
        continue_run(solver, run, sample, SAMPLE_STOPPING_RULE, max_floored_iter=spec.max_floored_iter)
        for run in other_runs
    ]
    finished_runs = [*tree_runs, *continued_runs]
    best = min(finished_runs, key=lambda run: (not is_nondegenerate(run), -run.last_objective))
    full_solver = EM(spec.problem.covariance_estimator)
    return [run_solver(full_solver, best.model, spec.problem, STOPPING_RULE, max_iter=FIRST_MAX_ITER)]


def _sort_and_drop_hopeless_runs(
    spec: CandidateSpec, runs: Sequence[RunResult[Mixture]]
) -> tuple[RunResult[Mixture], ...]:
    """Return the runs of a candidate, the best first, without those that can hardly overtake it.

    Of degenerate runs none is better than another, so that all others stay.
    """
    if len(runs) == 1:
        return tuple(runs)
    is_nondegenerate = make_nondegenerate_check(spec.problem)
    best, *others = sorted(runs, key=lambda run: (not is_nondegenerate(run), -run.last_objective))
    keeps_all = spec.is_never_pruned or not is_nondegenerate(best)
    least = -np.inf if keeps_all else best.last_objective + _MIN_RAISED_NATS
    return best, *(run for run in others if is_unfinished(run) and run.last_objective + _extrapolate_gain(run) > least)


def continue_candidate(candidate_run: CandidateRun, max_extra_iter: int) -> CandidateRun:
    """Continue the runs of a candidate on all rows for at most ``max_extra_iter`` iterations each.

    A failed candidate is returned as it is. An error of a run makes the candidate a failed one.
    """
    spec = candidate_run.spec
    solver = EM(spec.problem.covariance_estimator)
    try:
        runs = [
            continue_run(solver, run, spec.problem, STOPPING_RULE, max_extra_iter, spec.max_floored_iter)
            if is_unfinished(run)
            else run
            for run in candidate_run.results
        ]
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return CandidateRun(spec, (), str(error))
    return replace(candidate_run, results=_sort_and_drop_hopeless_runs(spec, runs)) if runs else candidate_run


def run_to_convergence(candidate_run: CandidateRun) -> CandidateRun:
    """Continue all runs of a candidate until they have converged or can hardly become its best."""
    max_extra_iter = FIRST_MAX_ITER_FROM_PARTITION
    while candidate_run.can_continue:
        candidate_run = continue_candidate(candidate_run, max_extra_iter)
        max_extra_iter *= 2
    return candidate_run


def retry_and_keep_better(candidate_run: CandidateRun, initial_moments: Sequence[Moments]) -> CandidateRun:
    """Run a candidate from other starts; return that run if it is better and nondegenerate, else the old one."""
    old = candidate_run.results[0]
    retry, max_extra_iter = run_candidate(candidate_run.spec, initial_moments), FIRST_MAX_ITER_FROM_PARTITION
    while retry.can_continue and retry.results[0].last_objective <= old.last_objective + _MIN_RAISED_NATS:
        can_raise = any(
            run.last_objective + _extrapolate_gain(run) > old.last_objective + _MIN_RAISED_NATS for run in retry.results
        )
        if not can_raise:
            return candidate_run
        retry = continue_candidate(retry, max_extra_iter)
        max_extra_iter *= 2
    if retry.severity > 0:
        return candidate_run
    gain = retry.results[0].last_objective - old.last_objective
    return retry if gain > _RELATIVE_ROUNDING * abs(old.last_objective) else candidate_run
