"""How a mixture gets better: one loop over passes, solvers that step, starts, stopping rules, restarts."""

from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.em import EM
from gaussmix.solvers.fit import ComponentDiagnostics, Fit
from gaussmix.solvers.moves import moved
from gaussmix.solvers.restarts import best_of, polish
from gaussmix.solvers.run import Run, run
from gaussmix.solvers.stopping import AbsoluteGain, RelativeGain, Stopping

__all__ = [
    "EM",
    "AbsoluteGain",
    "AbstractSolver",
    "ComponentDiagnostics",
    "Fit",
    "RelativeGain",
    "Run",
    "Stopping",
    "best_of",
    "moved",
    "polish",
    "run",
]
