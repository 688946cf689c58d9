"""Runs of one candidate of a search (a structure with a number of components), from its starts to convergence.

The seconds in a candidate's fit are those of its winning run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.moments import Moments
from gaussmix.core.outcome import Outcome
from gaussmix.errors import GaussmixError
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import N_NOISE_PARAMETERS, Noise, drop_noise_moments
from gaussmix.model.problem import Problem
from gaussmix.selection.candidates import Candidate
from gaussmix.selection.criteria import CRITERIA
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.fit_record import make_fit_after_e_step
from gaussmix.solvers.initialization import initialize_from_moments, sort_components_by_mean
from gaussmix.solvers.initialization.initializer import make_nondegenerate_check
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import HalvingRounds, continue_run, successive_halving
from gaussmix.solvers.stopping import RelativeGainRule

STOPPING_RULE = RelativeGainRule(1e-7)
SAMPLE_STOPPING_RULE = RelativeGainRule(1e-4, 100)  # a run on a sample only has to come near an optimum

FIRST_MAX_ITER = 5  # iterations of the first run over all rows

# A run stops after this many iterations with a floored variance: a degenerate candidate is never chosen.
MAX_FLOORED_ITER = 8

# Further iterations that a candidate is assumed to get when the search estimates what it can still reach.
_N_EXTRAPOLATED_ITER = 100

_RELATIVE_ROUNDING = 1e-9

# Criteria of hierarchical clustering: mclust's, and one on whitened rows. Their partitions come before k-means.
TREE_CRITERIA = ("VVV", "whitened")

_HALVING_ROUNDS: HalvingRounds = ((15, 6), (60, 3))
_SAMPLE_HALVING_ROUNDS: HalvingRounds = ((10, 3), (20, 2))


@dataclass(frozen=True)
class CandidateSpec:
    """A candidate before its runs.

    Attributes
    ----------
    problem : Problem
        All rows.
    screening_problem : Problem
        The rows of the first runs: all, or a sample.
    n_components : int
    labelled_components : tuple of int
        Components with rows that are known to belong to them; they keep their numbers.
    initial_noise : Noise or None
        The noise component of the starts.
    """

    problem: Problem
    screening_problem: Problem
    n_components: int
    labelled_components: tuple[int, ...] = ()
    initial_noise: Noise | None = None

    def make_initial_mixture(self, moments: Moments) -> Mixture:
        """Return the initial mixture, with noise if the candidate has it.

        Moments of ``n_components + 1`` groups end with those of noise, which are ignored.
        """
        component_moments = (
            moments if len(moments.mass) == self.n_components else drop_noise_moments(moments, moments.kind)
        )
        kind = self.screening_problem.covariance_estimator.moment_kind
        mixture = initialize_from_moments(self.screening_problem, component_moments.to_kind(kind))
        noise = self.initial_noise
        return mixture if noise is None else add_noise(mixture, noise.box, noise.weight)

    @property
    def name(self) -> str:
        """Structure and number of components, such as 'VVV, 3 components'."""
        return f"{self.problem.covariance_estimator.structure}, {self.n_components} components"


@dataclass(frozen=True)
class CandidateRun:
    """A candidate and the run that it comes from; ``result`` is None if no run succeeded."""

    spec: CandidateSpec
    candidate: Candidate
    result: RunResult[Mixture] | None = None

    @property
    def can_continue(self) -> bool:
        """Whether the run used up its iterations, and more are allowed."""
        if self.result is None or self.result.outcome is not Outcome.MAX_ITER_REACHED:
            return False
        return len(self.result.trace) < STOPPING_RULE.max_iter

    def can_reach(self, target: float, criterion: str) -> bool:
        """Return whether the criterion could fall to the target if each of many more iterations gained as the last."""
        if self.result is None or not self.candidate.is_eligible:
            return False
        last_gain = float(np.diff(self.result.trace.log_likelihoods[-2:]).sum())
        return self.candidate.criteria[criterion] - 2.0 * _N_EXTRAPOLATED_ITER * last_gain <= target


def run_candidate(spec: CandidateSpec, moments_or_failure_reason: Sequence[Moments] | str) -> CandidateRun:
    """Run a candidate from all starts and return its best run, or a failed run if there is none.

    Without a sample, the run goes to convergence; after a sample, it makes its first iterations on all rows. Instead
    of moments, one for each start, the argument may be the reason (text) why there are no starts.
    """
    if isinstance(moments_or_failure_reason, str):
        return _make_run_without_mixture_and_criteria(spec, moments_or_failure_reason)
    try:
        starts = [spec.make_initial_mixture(moments) for moments in moments_or_failure_reason]
        return _make_candidate_run(spec, _run_starts_and_keep_best(spec, starts))
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _make_run_without_mixture_and_criteria(spec, str(error))


def _run_starts_and_keep_best(spec: CandidateSpec, initial_mixtures: list[Mixture]) -> RunResult[Mixture]:
    """Return the best run of all starts, nondegenerate if any is; after a sample, its first iterations on all rows.

    Starts from trees come first and skip successive halving, so that more starts never end lower.
    """
    problem, n_trees = spec.screening_problem, len(TREE_CRITERIA)
    solver, has_sample = EM(problem.covariance_estimator), problem is not spec.problem
    stopping_rule, rounds = (
        (SAMPLE_STOPPING_RULE, _SAMPLE_HALVING_ROUNDS) if has_sample else (STOPPING_RULE, _HALVING_ROUNDS)
    )
    is_nondegenerate = make_nondegenerate_check(problem)
    tree_runs = [
        run_solver(solver, mixture, problem, stopping_rule, max_iter=0) for mixture in initial_mixtures[:n_trees]
    ]
    other_runs = successive_halving(
        solver, initial_mixtures[n_trees:], problem, stopping_rule, is_nondegenerate, rounds
    )
    finished_runs = [
        continue_run(solver, run, problem, stopping_rule, max_floored_iter=MAX_FLOORED_ITER)
        for run in [*tree_runs, *other_runs]
    ]
    best = min(finished_runs, key=lambda run: (not is_nondegenerate(run), -run.last_objective))
    if not has_sample:
        return best
    full_solver = EM(spec.problem.covariance_estimator)
    return run_solver(full_solver, best.model, spec.problem, STOPPING_RULE, max_iter=FIRST_MAX_ITER)


def continue_candidate(candidate_run: CandidateRun, max_extra_iter: int) -> CandidateRun:
    """Continue a candidate's run on all rows for at most ``max_extra_iter`` iterations; return a new `CandidateRun`.

    A failed candidate is returned as it is. An error of the run makes the candidate a failed one.
    """
    spec, result = candidate_run.spec, candidate_run.result
    if result is None or candidate_run.candidate.fit is None:
        return candidate_run
    try:
        solver = EM(spec.problem.covariance_estimator)
        return _make_candidate_run(spec, continue_run(solver, result, spec.problem, STOPPING_RULE, max_extra_iter))
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _make_run_without_mixture_and_criteria(spec, str(error))


def retry_and_keep_better(candidate_run: CandidateRun, initial_moments: Sequence[Moments]) -> CandidateRun:
    """Run a candidate from other starts; return that run if it is better and nondegenerate, else the old one."""
    retry = run_candidate(candidate_run.spec, initial_moments)
    if retry.result is None or candidate_run.result is None or not retry.candidate.is_eligible:
        return candidate_run
    while retry.can_continue and len(retry.result.trace) < len(candidate_run.result.trace):
        retry = continue_candidate(retry, len(candidate_run.result.trace) - len(retry.result.trace))
        if retry.result is None or retry.candidate.fit is None:
            return candidate_run
    objective = _penalized_log_likelihood(candidate_run)
    is_better = _penalized_log_likelihood(retry) - objective > _RELATIVE_ROUNDING * abs(objective)
    return retry if is_better and retry.candidate.is_eligible else candidate_run


def _penalized_log_likelihood(candidate_run: CandidateRun) -> float:
    """Return what EM maximizes: the log-likelihood plus the log density of the prior; -inf without a mixture."""
    mixture, fit = candidate_run.candidate.mixture, candidate_run.candidate.fit
    if mixture is None or fit is None:
        return -np.inf
    estimator = candidate_run.spec.problem.covariance_estimator
    return fit.log_likelihood + estimator.log_prior(mixture.centers, mixture.covariance)


def candidate_marked_if_pruned(candidate_run: CandidateRun) -> Candidate:
    """Return the candidate of a run, with the outcome PRUNED if the run could continue."""
    fit = candidate_run.candidate.fit
    if fit is None or not candidate_run.can_continue:
        return candidate_run.candidate
    return replace(candidate_run.candidate, fit=replace(fit, outcome=Outcome.PRUNED))


def _make_candidate_run(spec: CandidateSpec, result: RunResult[Mixture]) -> CandidateRun:
    """Return a run with its candidate: the mixture with sorted components, and its criteria on all rows."""
    problem, seconds = spec.problem, result.trace.seconds
    mixture = sort_components_by_mean(result.model, problem, spec.labelled_components)
    fit, _ = make_fit_after_e_step(replace(result, model=mixture), problem, float(seconds[-1]) if len(seconds) else 0.0)
    total_log_max = 0.0 if mixture.n_components == 1 else problem.total_log_max_responsibility(mixture)
    criteria = {
        name: criterion(fit.log_likelihood, mixture.n_parameters, problem.total_weight, total_log_max)
        for name, criterion in CRITERIA.items()
    }
    candidate = Candidate(
        problem.covariance_estimator.structure,
        mixture.n_components,
        criteria,
        mixture.n_parameters,
        mixture,
        fit,
        rejection_reason=" ".join(fit.notes) if fit.is_degenerate else "",
    )
    return CandidateRun(spec, candidate, result)


def _make_run_without_mixture_and_criteria(spec: CandidateSpec, reason: str) -> CandidateRun:
    """Return a run whose candidate has no mixture and is rejected for ``reason``."""
    structure = spec.problem.covariance_estimator.structure
    n_parameters = structure.n_mixture_parameters(spec.n_components, spec.problem.source.n_features)
    n_parameters += 0 if spec.initial_noise is None else N_NOISE_PARAMETERS
    return CandidateRun(spec, Candidate(structure, spec.n_components, {}, n_parameters, None, None, reason))
