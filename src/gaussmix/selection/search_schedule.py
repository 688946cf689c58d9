"""Schedule of a model search: which candidates run, continue and start again, and in which order.

Candidates run in rounds. In each round all that may still win get twice as many iterations as in the one before. A
candidate may win if a hundred more iterations with the gain of the last one would bring its criterion within 10 of the
best. With at most 300 rows all candidates run to convergence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from gaussmix.core.moments import Moments
from gaussmix.covariance.structure import Structure
from gaussmix.selection import candidate_runs
from gaussmix.selection.candidate_results import make_candidate
from gaussmix.selection.candidate_runs import CandidateRun
from gaussmix.selection.candidate_spec import CandidateSpec
from gaussmix.selection.candidates import Candidate, round_criterion
from gaussmix.selection.initial_moments import InitialMomentsCache, screening_moments_from_responsibilities
from gaussmix.selection.neighbour_starts import moments_with_each_component_split, moments_with_two_components_merged
from gaussmix.selection.parallel_tasks import iterate_results
from gaussmix.selection.progress import ProgressCallback
from gaussmix.selection.search_problem import SearchProblem

_N_ALWAYS_CONTINUED = 1  # the best candidates that run to convergence whatever they can reach

# A criterion this far above the best is very strong evidence against the candidate.
_MAX_CRITERION_DIFFERENCE = 10.0

# How many of the best candidates start again, and from how many others.
_MAX_RETRIED_CANDIDATES, _MAX_NEIGHBOURS = 5, 3

# How often the neighbours of a new best candidate are tried.
_MAX_CHANGES_OF_BEST = 5


@dataclass(frozen=True)
class _RankedRun:
    """A run of a candidate, and its criterion so far."""

    run: CandidateRun
    criterion: float

    @classmethod
    def from_run(cls, run: CandidateRun, criterion: str) -> "_RankedRun":
        """Return a run with its criterion of that name, which may take a pass over the rows."""
        return cls(run, run.estimate_criterion(criterion))

    @cached_property
    def sort_key(self) -> tuple[int, float, int]:
        """Sorts best first, as `candidate_sort_key` sorts candidates."""
        return self.run.severity, round_criterion(self.criterion), self.run.spec.n_parameters


@dataclass(frozen=True)
class SearchPlan:
    """What a search tries.

    Attributes
    ----------
    search_problem : SearchProblem
    structures : sequence of Structure
    component_counts : sequence of int
    may_go_on : bool
        Whether more numbers of components are tried while the best candidate has the largest one.
    """

    search_problem: SearchProblem
    structures: Sequence[Structure]
    component_counts: Sequence[int]
    may_go_on: bool

    def make_first_specs(self) -> list[CandidateSpec]:
        """Return the specification of every structure with every number of components."""
        return self.search_problem.make_specs(self.structures, self.component_counts)

    def make_larger_specs(self, ranked: Sequence[_RankedRun]) -> list[CandidateSpec]:
        """Return specifications with larger numbers if the best candidate has the largest one of its structure."""
        if not self.may_go_on or not _is_best_at_largest_count(ranked):
            return []
        return self.search_problem.make_larger_specs(
            self.structures, max(each.run.spec.n_components for each in ranked)
        )


def run_search(
    plan: SearchPlan, criterion: str, n_workers: int, progress_callback: ProgressCallback
) -> list[Candidate]:
    """Run all candidates, continue those that may win, and retry the best ones; return all candidates.

    Parameters
    ----------
    plan : SearchPlan
    criterion : str
        A name of ``CRITERIA``.
    n_workers : int
        How many candidates run at once.
    progress_callback : callable
        Called before each candidate, and after each that continues.
    """
    initial_moments, specs = plan.search_problem.initial_moments, plan.make_first_specs()
    ranked: list[_RankedRun] = []
    while specs:
        new_runs = _run_possible_candidates(specs, initial_moments, n_workers, progress_callback)
        ranked += [_RankedRun.from_run(run, criterion) for run in new_runs]
        ranked = _continue_contenders(ranked, criterion, n_workers, progress_callback)
        ranked = _improve_best(ranked, criterion, n_workers, progress_callback)
        specs = plan.make_larger_specs(ranked)
    tasks = [partial(make_candidate, each.run) for each in ranked]
    return list(iterate_results(tasks, n_workers))


def _is_best_at_largest_count(ranked: Sequence[_RankedRun]) -> bool:
    """Return whether the best candidate is nondegenerate, with the largest number tried for its structure."""
    best = ranked[0].run.spec
    structure = best.problem.covariance_estimator.structure
    counts = (
        each.run.spec.n_components
        for each in ranked
        if each.run.spec.problem.covariance_estimator.structure == structure
    )
    return not ranked[0].run.severity and best.n_components == max(counts)


def _run_possible_candidates(
    specs: list[CandidateSpec],
    initial_moments: InitialMomentsCache,
    n_workers: int,
    progress_callback: ProgressCallback,
) -> list[CandidateRun]:
    """Return the first runs of every candidate; those short of rows have none if another one is nondegenerate.

    In many columns, candidates that no fit makes sound would take nearly all of the time.
    """
    shortages = [spec.shortage_of_rows for spec in specs]
    possible = [spec for spec, shortage in zip(specs, shortages, strict=True) if not shortage]
    runs = _make_first_runs(possible, initial_moments, n_workers, progress_callback) if possible else []
    if not any(run.severity == 0 for run in runs):
        short = [spec for spec, shortage in zip(specs, shortages, strict=True) if shortage]
        return runs + (_make_first_runs(short, initial_moments, n_workers, progress_callback) if short else [])
    return runs + [
        CandidateRun(spec, (), shortage) for spec, shortage in zip(specs, shortages, strict=True) if shortage
    ]


def _make_first_runs(
    specs: list[CandidateSpec],
    initial_moments: InitialMomentsCache,
    n_workers: int,
    progress_callback: ProgressCallback,
) -> list[CandidateRun]:
    """Return the first runs of every candidate; several run in parallel, and their starts are made one by one."""
    starts = (
        initial_moments.get_moments_or_failure_reason(
            spec.screening_problem.covariance_estimator.structure, spec.n_components
        )
        for spec in specs
    )
    tasks = (partial(candidate_runs.run_candidate, spec, moments) for spec, moments in zip(specs, starts, strict=True))
    runs: list[CandidateRun] = []
    progress_callback(0, len(specs), specs[0].name)
    for run in iterate_results(tasks, min(n_workers, len(specs))):
        runs.append(run)
        if len(runs) < len(specs):
            progress_callback(len(runs), len(specs), specs[len(runs)].name)
    return runs


def _continue_contenders(
    ranked: Sequence[_RankedRun], criterion: str, n_workers: int, progress_callback: ProgressCallback
) -> list[_RankedRun]:
    """Continue the runs that may still win, twice as long in each round; return all runs, best first."""
    max_extra_iter = 2 * candidate_runs.FIRST_MAX_ITER
    while True:
        ranked = sorted(ranked, key=lambda each: each.sort_key)
        target = _worst_competitive_criterion(ranked[0])
        ranks = [
            rank
            for rank, each in enumerate(ranked)
            if each.run.can_continue and (rank < _N_ALWAYS_CONTINUED or each.run.can_reach(target, each.criterion))
        ]
        if not ranks:
            return ranked
        tasks = [partial(candidate_runs.continue_candidate, ranked[rank].run, max_extra_iter) for rank in ranks]
        for rank, run in zip(ranks, iterate_results(tasks, min(n_workers, len(tasks))), strict=True):
            progress_callback(len(ranked), len(ranked), f"{run.spec.name} again")
            ranked[rank] = _RankedRun.from_run(run, criterion)
        max_extra_iter *= 2


def _worst_competitive_criterion(best: _RankedRun) -> float:
    """Return the highest value of a criterion with which a candidate may still win: 10 above the best run's."""
    return best.criterion + _MAX_CRITERION_DIFFERENCE


def _improve_best(
    ranked: list[_RankedRun], criterion: str, n_workers: int, progress_callback: ProgressCallback
) -> list[_RankedRun]:
    """Retry the best candidates from other mixtures; again from the new best one, as long as the best one changes."""
    ranked = _retry(ranked, _starts_from_other_structures(ranked), criterion, n_workers, progress_callback)
    for _ in range(_MAX_CHANGES_OF_BEST):
        best_spec = ranked[0].run.spec
        starts = {**_starts_from_best_with_other_counts(ranked), **_starts_from_best_of_other_structures(ranked)}
        ranked = _retry(ranked, starts, criterion, n_workers, progress_callback)
        if ranked[0].run.spec is best_spec:
            break
    return ranked


def _retry(
    ranked: Sequence[_RankedRun],
    starts_by_rank: dict[int, list[Moments]],
    criterion: str,
    n_workers: int,
    progress_callback: ProgressCallback,
) -> list[_RankedRun]:
    """Run candidates again from given starts, keep the better run of each, and continue those that may now win."""
    retried, ranks = list(ranked), [rank for rank, starts in starts_by_rank.items() if starts]
    if not ranks:
        return retried
    tasks = [partial(candidate_runs.retry_and_keep_better, ranked[rank].run, starts_by_rank[rank]) for rank in ranks]
    for rank, run in zip(ranks, iterate_results(tasks, min(n_workers, len(tasks))), strict=True):
        progress_callback(len(retried), len(retried), f"{run.spec.name} from others")
        if run is not ranked[rank].run:
            retried[rank] = _RankedRun.from_run(run, criterion)
    return _continue_contenders(retried, criterion, n_workers, progress_callback)


def _starts_from_other_structures(ranked: Sequence[_RankedRun]) -> dict[int, list[Moments]]:
    """Return starts of the best candidates, by rank: the mixtures of other structures with as many components."""
    runs, target = [each.run for each in ranked], _worst_competitive_criterion(ranked[0])
    n_near_best = sum(not each.run.severity and each.criterion <= target for each in ranked)
    return {
        rank: _moments_by_neighbour_mixtures(run, runs)
        for rank, run in enumerate(runs[: min(n_near_best, _MAX_RETRIED_CANDIDATES)])
        if run.spec.n_components > 1
    }


def _starts_from_best_with_other_counts(ranked: Sequence[_RankedRun]) -> dict[int, list[Moments]]:
    """Return starts, by rank, of the best structure with one component less and more: the best mixture, changed.

    Its two components that are most alike are merged, or one is split. Numbers of labelled components stay, so that
    there are no such starts with labels.
    """
    best = ranked[0].run
    if best.mixture is None or best.spec.labelled_components:
        return {}
    make_starts = {-1: moments_with_two_components_merged, 1: moments_with_each_component_split}
    structure, n_components = best.mixture.structure, best.spec.n_components
    return {
        rank: make_starts[each.run.spec.n_components - n_components](best.mixture, best.spec)
        for rank, each in enumerate(ranked)
        if each.run.spec.problem.covariance_estimator.structure == structure
        and each.run.results
        and each.run.spec.n_components - n_components in make_starts
    }


def _starts_from_best_of_other_structures(ranked: Sequence[_RankedRun]) -> dict[int, list[Moments]]:
    """Return starts, by rank, of the other structures with as many components as the best: the best mixture.

    A run on a plateau of the likelihood looks as if it could no longer win; the best mixture is beyond the plateau.
    """
    best = ranked[0].run
    if best.mixture is None or best.spec.n_components == 1:
        return {}
    specs = {
        rank: each.run.spec
        for rank, each in enumerate(ranked)
        if rank and each.run.results and each.run.spec.n_components == best.spec.n_components
    }
    moments = screening_moments_from_responsibilities(best.mixture, best.spec.screening_problem, list(specs.values()))
    return {rank: [each] for rank, each in zip(specs, moments, strict=True)}


def _moments_by_neighbour_mixtures(run: CandidateRun, runs: Sequence[CandidateRun]) -> list[Moments]:
    """Return moments of a candidate's screening rows, one for each of the best others with as many components."""
    neighbours = [
        other
        for other in runs
        if other is not run and not other.severity and other.spec.n_components == run.spec.n_components
    ]
    return [
        screening_moments_from_responsibilities(other.mixture, other.spec.screening_problem, [run.spec])[0]
        for other in neighbours[:_MAX_NEIGHBOURS]
        if other.mixture is not None
    ]
