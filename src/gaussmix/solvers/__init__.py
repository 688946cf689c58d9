"""Solvers, their one loop, starts, stopping rules, restarts, and the record of a fit."""

from gaussmix.solvers.base import AbstractSolver, MixtureSolver
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.em.split_merge import split_merge
from gaussmix.solvers.fit_record import ComponentDiagnostics, Fit
from gaussmix.solvers.loop import RunResult, run_solver
from gaussmix.solvers.restarts import best_run, run_with_halving
from gaussmix.solvers.stopping import MeanGainRule, RelativeGainRule, StoppingRule

__all__ = [
    "EM",
    "AbstractSolver",
    "ComponentDiagnostics",
    "Fit",
    "MeanGainRule",
    "MixtureSolver",
    "RelativeGainRule",
    "RunResult",
    "StoppingRule",
    "best_run",
    "run_solver",
    "run_with_halving",
    "split_merge",
]
