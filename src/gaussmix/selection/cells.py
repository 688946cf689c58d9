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
from gaussmix.model.noise import N_PARAMETERS, Noise, apart
from gaussmix.model.problem import Problem
from gaussmix.selection.candidates import Candidate
from gaussmix.selection.criteria import CRITERIA
from gaussmix.solvers.em import EM
from gaussmix.solvers.fit import finished
from gaussmix.solvers.restarts import Rounds, continued, halved
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.start import from_moments, in_order
from gaussmix.solvers.start.noise import with_noise
from gaussmix.solvers.start.race import is_sound_for
from gaussmix.solvers.stopping import RelativeGain

STOPPING = RelativeGain(1e-7)
ON_SAMPLE = RelativeGain(1e-4, 100)
"""A sample only has to lead into the right valley."""

LEAD_PASSES = 5
FORBEARANCE = 8
"""Passes on the floor after which a run is left: what stands there is never chosen."""

_FUTURE_PASSES = 100
_ROUNDING = 1e-9
TREES = ("VVV", "whitened")
"""Criteria of hierarchical clustering whose partitions come before k-means and random ones: mclust's, and ours."""

_ROUNDS: Rounds = ((15, 6), (60, 3))
_ROUNDS_ON_SAMPLE: Rounds = ((10, 3), (20, 2))


@dataclass(frozen=True)
class Task:
    """What is to be fitted: all rows, the rows of first runs (all or a sample), and how many components.

    Those in ``named`` have rows that are known to belong to them, and keep their numbers. ``noise`` is that of a start.
    """

    problem: Problem
    heats: Problem
    n_components: int
    named: tuple[int, ...] = ()
    noise: Noise | None = None

    def start(self, moments: Moments) -> Mixture:
        """What begins with moments of the components, and of rows taken for noise after them if there are some."""
        kind = self.heats.family.kind
        own = moments if len(moments.mass) == self.n_components else apart(moments, moments.kind)
        mixture = from_moments(self.heats, own.reduce(kind))
        return mixture if self.noise is None else with_noise(mixture, self.noise.box, self.noise.weight)

    @property
    def name(self) -> str:
        return f"{self.problem.family.structure}, {self.n_components} components"


@dataclass(frozen=True)
class Cell:
    """A candidate with the run that it comes from; without one it could not be fitted."""

    task: Task
    candidate: Candidate
    run: Run | None = None

    @property
    def is_running(self) -> bool:
        """Whether its run used up the passes given so far."""
        if self.run is None or self.run.outcome is not Outcome.PASSES_USED_UP:
            return False
        return len(self.run.trace) < STOPPING.max_passes

    def may_reach(self, goal: float, criterion: str) -> bool:
        """Whether it could come down to a value of the criterion if many more passes gained as much as the last."""
        if self.run is None or not self.candidate.is_eligible:
            return False
        last_gain = float(np.diff(self.run.trace.log_likelihood[-2:]).sum())
        return self.candidate.criteria[criterion] - 2.0 * _FUTURE_PASSES * last_gain <= goal


def begun(task: Task, starts: Sequence[Moments] | str) -> Cell:
    """The best of the starts' runs: to convergence where all rows are few, else for the first passes over all."""
    if isinstance(starts, str):
        return _failed(task, starts)
    try:
        return _evaluated(task, _best_run(task, [task.start(moments) for moments in starts]))
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _failed(task, str(error))


def _best_run(task: Task, mixtures: list[Mixture]) -> Run:
    """The likeliest of the runs that end sound; where all rows are many, from a sample to the first passes over all.

    Those from trees, which come first, are spared the heats, so that more starts never find less.
    """
    solver = EM(task.heats.family)
    is_whole = task.heats is task.problem
    stopping, rounds = (STOPPING, _ROUNDS) if is_whole else (ON_SAMPLE, _ROUNDS_ON_SAMPLE)
    is_sound = is_sound_for(task.heats)
    trees = [run(solver, mixture, task.heats, stopping, max_passes=0) for mixture in mixtures[: len(TREES)]]
    heats = halved(solver, mixtures[len(TREES) :], task.heats, stopping, is_sound, rounds)
    ended = [continued(solver, heat, task.heats, stopping, forbearance=FORBEARANCE) for heat in [*trees, *heats]]
    best = min(ended, key=lambda run: (not is_sound(run), -run.last_log_likelihood))
    if is_whole:
        return best
    return run(EM(task.problem.family), best.mixture, task.problem, STOPPING, max_passes=LEAD_PASSES)


def carried_on(cell: Cell, passes: int) -> Cell:
    """A cell given more passes."""
    if cell.run is None or cell.candidate.fit is None:
        return cell
    try:
        longer = continued(EM(cell.task.problem.family), cell.run, cell.task.problem, STOPPING, passes)
        return _evaluated(cell.task, longer)
    except (GaussmixError, np.linalg.LinAlgError) as error:
        return _failed(cell.task, str(error))


def improved(cell: Cell, starts: Sequence[Moments]) -> Cell:
    """The cell, or what comes of other starts if that is better and sound."""
    other = begun(cell.task, starts)
    if other.run is None or cell.run is None or not other.candidate.is_eligible:
        return cell
    while other.is_running and len(other.run.trace) < len(cell.run.trace):
        other = carried_on(other, len(cell.run.trace) - len(other.run.trace))
        if other.run is None or other.candidate.fit is None:
            return cell
    gain = _reached(other) - _reached(cell)
    return other if other.candidate.is_eligible and gain > _ROUNDING * abs(_reached(cell)) else cell


def _reached(cell: Cell) -> float:
    """What a fit makes as large as it can: log-likelihood, and the log density of a prior."""
    mixture, fit = cell.candidate.mixture, cell.candidate.fit
    if mixture is None or fit is None:
        return -np.inf
    return fit.log_likelihood + cell.task.problem.family.log_prior(mixture.centers, mixture.covariance)


def left_behind(cell: Cell) -> Candidate:
    """The candidate of a cell that was not run to its end, which it says."""
    fit = cell.candidate.fit
    if fit is None or not cell.is_running:
        return cell.candidate
    return replace(cell.candidate, fit=replace(fit, outcome=Outcome.LEFT_BEHIND))


def _evaluated(task: Task, winner: Run) -> Cell:
    problem, spent = task.problem, winner.trace.seconds
    mixture = in_order(winner.mixture, problem, task.named)
    fit, _ = finished(replace(winner, mixture=mixture), problem, float(spent[-1]) if len(spent) else 0.0)
    certainty = 0.0 if mixture.n_components == 1 else problem.log_certainty(mixture.to_quadratics())
    free = mixture.n_parameters
    criteria = {
        name: rule(fit.log_likelihood, free, problem.total_weight, certainty) for name, rule in CRITERIA.items()
    }
    reason = " ".join(fit.notes) if fit.is_degenerate else ""
    structure = problem.family.structure
    return Cell(task, Candidate(structure, mixture.n_components, criteria, free, mixture, fit, reason), winner)


def _failed(task: Task, reason: str) -> Cell:
    structure = task.problem.family.structure
    free = structure.n_mixture_parameters(task.n_components, task.problem.source.n_features)
    free += 0 if task.noise is None else N_PARAMETERS
    return Cell(task, Candidate(structure, task.n_components, {}, free, None, None, reason))
