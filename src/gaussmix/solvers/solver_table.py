"""The solvers by name: what a user may ask for."""

from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.errors import ParameterError
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.em.anderson import AndersonAcceleration
from gaussmix.solvers.em.annealing import AnnealedEM
from gaussmix.solvers.em.em import EM
from gaussmix.solvers.em.em_then_anderson import EMThenAnderson
from gaussmix.solvers.em.natural_gradient import NaturalGradient
from gaussmix.solvers.em.squarem import SQUAREM
from gaussmix.solvers.em.stochastic import ClassificationEM, StochasticEM
from gaussmix.solvers.gradient.base import LBFGS
from gaussmix.solvers.gradient.mini_batch import SGD, Adam

EM_SOLVER_NAME = "em"


@dataclass(frozen=True)
class SolverOptions:
    """What solvers may want to know: a seed for draws, the length of a step, and the rows of a mini-batch."""

    seed: int = 0
    learning_rate: float | None = None
    batch_size: int | None = None

    def learning_rate_or(self, default: float) -> float:
        return default if self.learning_rate is None else self.learning_rate


EXACT_TRACE, SUMMED_TRACE, OTHER_OBJECTIVE_TRACE = "exact", "summed", "none"
"""What a trace holds: the log-likelihood; at first sums over parts of the rows, each before its own step, or the free
energy of annealing; or another likelihood altogether."""


@dataclass(frozen=True)
class SolverSpec:
    """How a solver is made from EM, whether it needs a gradient or a seed, and what its trace holds."""

    factory: Callable[[EM, SolverOptions], AbstractSolver]
    uses_gradient: bool = False
    is_stochastic: bool = False
    trace_kind: str = EXACT_TRACE


SOLVERS: dict[str, SolverSpec] = {
    EM_SOLVER_NAME: SolverSpec(lambda em, options: em),
    "squarem": SolverSpec(lambda em, options: SQUAREM(em)),
    "anderson": SolverSpec(lambda em, options: AndersonAcceleration(em)),
    "lbfgs": SolverSpec(lambda em, options: LBFGS(em), uses_gradient=True),
    "adam": SolverSpec(
        lambda em, options: Adam(em, options.seed, options.learning_rate_or(0.05), options.batch_size),
        True,
        True,
        SUMMED_TRACE,
    ),
    "sgd": SolverSpec(
        lambda em, options: SGD(em, options.seed, options.learning_rate_or(0.5), options.batch_size),
        True,
        True,
        SUMMED_TRACE,
    ),
    "natural": SolverSpec(lambda em, options: NaturalGradient(em, options.learning_rate_or(1.1))),
    "cem": SolverSpec(lambda em, options: ClassificationEM(em), trace_kind=OTHER_OBJECTIVE_TRACE),
    "sem": SolverSpec(lambda em, options: StochasticEM(em, options.seed), is_stochastic=True),
    "annealing": SolverSpec(lambda em, options: AnnealedEM(em), trace_kind=SUMMED_TRACE),
    "auto": SolverSpec(lambda em, options: EMThenAnderson(em)),
}
"""EM, and what goes other ways to its goal."""


def make_solver(name: str, em: EM, options: SolverOptions) -> AbstractSolver:
    """A solver by name; ParameterError if there is none of that name."""
    if name not in SOLVERS:
        raise ParameterError.invalid_choice("solver", name, list(SOLVERS))
    return SOLVERS[name].factory(em, options)
