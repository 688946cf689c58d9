"""One cell of a search: a structure and a number of components, from its starts to its end.

The seconds that a cell's fit tells are those of the passes of the run that won.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.moments import Moments
from gaussmix.core.outcome import Outcome
from gaussmix.errors import GaussmixError
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import N_NOISE_PARAMETERS, Noise, drop_noise
from gaussmix.model.problem import Problem
from gaussmix.selection.candidates import Candidate
from gaussmix.selection.criteria import CRITERIA
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.fit_record import evaluate_run
from gaussmix.solvers.initialization import initialize_from_moments, sort_components
from gaussmix.solvers.initialization.initializer import make_nondegenerate_check
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import HalvingRounds, continue_run, successive_halving
from gaussmix.solvers.stopping import RelativeGainRule

STOPPING_RULE = RelativeGainRule(1e-7)
SAMPLE_STOPPING_RULE = RelativeGainRule(1e-4, 100)
"""A sample only has to lead into the right valley."""

FIRST_MAX_ITER = 5
MAX_FLOORED_ITER = 8
"""Passes on the floor after which a run is left: what stands there is never chosen."""

_N_EXTRAPOLATED_ITER = 100
_RELATIVE_ROUNDING = 1e-9
TREE_CRITERIA = ("VVV", "whitened")
"""Criteria of hierarchical clustering whose partitions come before k-means and random ones: mclust's, and ours."""

_HALVING_ROUNDS: HalvingRounds = ((15, 6), (60, 3))
_SAMPLE_HALVING_ROUNDS: HalvingRounds = ((10, 3), (20, 2))


@dataclass(frozen=True)
class CandidateSpec:
    """What is to be fitted: all rows, the rows of first runs (all or a sample), and how many components.

    Those in ``named`` have rows that are known to belong to them, and keep their numbers. ``noise`` is that of a start.
    """

    problem: Problem
    screening_problem: Problem
    n_components: int
    labelled_components: tuple[int, ...] = ()
    initial_noise: Noise | None = None

    def make_initial_mixture(self, moments: Moments) -> Mixture:
        """What begins with moments of the components, and of rows taken for noise after them if there are some."""
        kind = self.screening_problem.covariance_estimator.moment_kind
        own = moments if len(moments.mass) == self.n_components else drop_noise(moments, moments.kind)
        mixture = initialize_from_moments(self.screening_problem, own.to_kind(kind))
        return (
            mixture
            if self.initial_noise is None
            else add_noise(mixture, self.initial_noise.box, self.initial_noise.weight)
        )

    @property
    def name(self) -> str:
        return f"{self.problem.covariance_estimator.structure}, {self.n_components} components"


@dataclass(frozen=True)
class CandidateRun:
    """A candidate with the run that it comes from; without one it could not be fitted."""

    spec: CandidateSpec
    candidate: Candidate
    result: RunResult | None = None

    @property
    def can_continue(self) -> bool:
        """Whether its run used up the passes given so far."""
        if self.result is None or self.result.outcome is not Outcome.MAX_ITER_REACHED:
            return False
        return len(self.result.trace) < STOPPING_RULE.max_iter

    def can_reach(self, target: float, criterion: str) -> bool:
        """Whether it could come down to a value of the criterion if many more passes gained as much as the last."""
        if self.result is None or not self.candidate.is_eligible:
            return False
        last_gain = float(np.diff(self.result.trace.log_likelihoods[-2:]).sum())
        return self.candidate.criteria[criterion] - 2.0 * _N_EXTRAPOLATED_ITER * last_gain <= target


def run_candidate(spec: CandidateSpec, initial_moments: Sequence[Moments] | str) -> CandidateRun:
    """The best of the starts' runs: to convergence where all rows are few, else for the first passes over all."""
    if isinstance(initial_moments, str):
        return _make_failed_run(spec, initial_moments)
    try:
        return _evaluate_run(
            spec, _best_run_from_starts(spec, [spec.make_initial_mixture(moments) for moments in initial_moments])
        )
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _make_failed_run(spec, str(error))


def _best_run_from_starts(spec: CandidateSpec, initial_mixtures: list[Mixture]) -> RunResult:
    """The likeliest of the runs that end sound; where all rows are many, from a sample to the first passes over all.

    Those from trees, which come first, are spared the heats, so that more starts never find less.
    """
    solver = EM(spec.screening_problem.covariance_estimator)
    is_whole = spec.screening_problem is spec.problem
    stopping, rounds = (STOPPING_RULE, _HALVING_ROUNDS) if is_whole else (SAMPLE_STOPPING_RULE, _SAMPLE_HALVING_ROUNDS)
    is_sound = make_nondegenerate_check(spec.screening_problem)
    trees = [
        run_solver(solver, mixture, spec.screening_problem, stopping, max_iter=0)
        for mixture in initial_mixtures[: len(TREE_CRITERIA)]
    ]
    heats = successive_halving(
        solver, initial_mixtures[len(TREE_CRITERIA) :], spec.screening_problem, stopping, is_sound, rounds
    )
    ended = [
        continue_run(solver, heat, spec.screening_problem, stopping, max_floored_iter=MAX_FLOORED_ITER)
        for heat in [*trees, *heats]
    ]
    best = min(ended, key=lambda run: (not is_sound(run), -run.last_log_likelihood))
    if is_whole:
        return best
    return run_solver(
        EM(spec.problem.covariance_estimator), best.mixture, spec.problem, STOPPING_RULE, max_iter=FIRST_MAX_ITER
    )


def continue_candidate(candidate_run: CandidateRun, n_extra_iter: int) -> CandidateRun:
    """A cell given more passes."""
    if candidate_run.result is None or candidate_run.candidate.fit is None:
        return candidate_run
    try:
        longer = continue_run(
            EM(candidate_run.spec.problem.covariance_estimator),
            candidate_run.result,
            candidate_run.spec.problem,
            STOPPING_RULE,
            n_extra_iter,
        )
        return _evaluate_run(candidate_run.spec, longer)
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _make_failed_run(candidate_run.spec, str(error))


def retry_candidate(candidate_run: CandidateRun, initial_moments: Sequence[Moments]) -> CandidateRun:
    """The cell, or what comes of other starts if that is better and sound."""
    other = run_candidate(candidate_run.spec, initial_moments)
    if other.result is None or candidate_run.result is None or not other.candidate.is_eligible:
        return candidate_run
    while other.can_continue and len(other.result.trace) < len(candidate_run.result.trace):
        other = continue_candidate(other, len(candidate_run.result.trace) - len(other.result.trace))
        if other.result is None or other.candidate.fit is None:
            return candidate_run
    gain = _penalized_log_likelihood(other) - _penalized_log_likelihood(candidate_run)
    return (
        other
        if other.candidate.is_eligible and gain > _RELATIVE_ROUNDING * abs(_penalized_log_likelihood(candidate_run))
        else candidate_run
    )


def _penalized_log_likelihood(candidate_run: CandidateRun) -> float:
    """What a fit makes as large as it can: log-likelihood, and the log density of a prior."""
    mixture, fit = candidate_run.candidate.mixture, candidate_run.candidate.fit
    if mixture is None or fit is None:
        return -np.inf
    return fit.log_likelihood + candidate_run.spec.problem.covariance_estimator.log_prior(
        mixture.centers, mixture.covariance
    )


def mark_if_pruned(candidate_run: CandidateRun) -> Candidate:
    """The candidate of a cell that was not run to its end, which it says."""
    fit = candidate_run.candidate.fit
    if fit is None or not candidate_run.can_continue:
        return candidate_run.candidate
    return replace(candidate_run.candidate, fit=replace(fit, outcome=Outcome.PRUNED))


def _evaluate_run(spec: CandidateSpec, result: RunResult) -> CandidateRun:
    problem, spent = spec.problem, result.trace.seconds
    mixture = sort_components(result.mixture, problem, spec.labelled_components)
    fit, _ = evaluate_run(replace(result, mixture=mixture), problem, float(spent[-1]) if len(spent) else 0.0)
    certainty = 0.0 if mixture.n_components == 1 else problem.total_log_max_responsibility(mixture)
    free = mixture.n_parameters
    criteria = {
        name: rule(fit.log_likelihood, free, problem.total_weight, certainty) for name, rule in CRITERIA.items()
    }
    reason = " ".join(fit.notes) if fit.is_degenerate else ""
    structure = problem.covariance_estimator.structure
    return CandidateRun(spec, Candidate(structure, mixture.n_components, criteria, free, mixture, fit, reason), result)


def _make_failed_run(spec: CandidateSpec, reason: str) -> CandidateRun:
    structure = spec.problem.covariance_estimator.structure
    free = structure.n_mixture_parameters(spec.n_components, spec.problem.source.n_features)
    free += 0 if spec.initial_noise is None else N_NOISE_PARAMETERS
    return CandidateRun(spec, Candidate(structure, spec.n_components, {}, free, None, None, reason))
