"""Passes done ahead of the loop, all at once, where rows are few and an engine can (`core/whole.py`)."""

from dataclasses import dataclass, replace

from gaussmix.core.whole import WholeRun
from gaussmix.covariance.plain import from_plain, to_plain
from gaussmix.model.mixture import Mixture
from gaussmix.model.problem import Problem
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.em import EM
from gaussmix.solvers.stopping import Stopping
from gaussmix.types import Array


@dataclass(frozen=True)
class Ahead:
    """How far passes came: the mixture after them, the log-likelihood of each, and whether the rule is met."""

    mixture: Mixture
    log_likelihoods: Array
    has_converged: bool


def ahead(
    solver: AbstractSolver, start: Mixture, problem: Problem, stopping: Stopping, last: float, passes: int
) -> Ahead | None:
    """The first passes of a run, or None where they have to be done one by one.

    ``last`` is the log-likelihood before, in the frame; ``passes`` the most that are allowed.
    """
    rule, floor = stopping.as_tolerance, solver.family.bare_floor
    is_plain = isinstance(solver, EM) and solver.held is None
    if not is_plain or rule is None or floor is None or passes == 0:
        return None
    if not problem.engine.offers_whole(problem.source.n_rows, *start.centers.shape):
        return None  # before anything is made for it
    few = problem.few_rows
    if few is None or start.covariance.floored.any():
        return None
    structure, noise = start.structure, start.noise
    plain = to_plain(start.covariance)
    even = None if noise is None else (noise.weight, -noise.box.log_volume)
    prior = solver.family.belief(start.n_components)
    state = (start.weights, start.centers, *plain)
    asked = WholeRun(str(structure), *few, *state, floor, *rule, last, passes, even, prior)
    found = problem.engine.whole(asked)
    if found is None or not len(found.log_likelihoods):
        return None
    covariance = from_plain(structure, found.values, found.axes, found.factors)
    noise = None if noise is None else replace(noise, weight=found.noise_share)
    mixture = replace(start, weights=found.shares, centers=found.centers, covariance=covariance, noise=noise)
    return Ahead(mixture, found.log_likelihoods, found.has_converged)
