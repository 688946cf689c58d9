"""The solvers by name: what a user may ask for."""

from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.errors import ParameterError
from gaussmix.solvers.anderson import Anderson
from gaussmix.solvers.annealed import AnnealedEM
from gaussmix.solvers.base import AbstractSolver
from gaussmix.solvers.batches import SGD, Adam
from gaussmix.solvers.em import EM
from gaussmix.solvers.gradient import LBFGS
from gaussmix.solvers.hard import ClassificationEM, StochasticEM
from gaussmix.solvers.natural import Natural
from gaussmix.solvers.squarem import Squarem
from gaussmix.solvers.switching import Switching

EM_SOLVER = "em"


@dataclass(frozen=True)
class Options:
    """What solvers may want to know: a seed for draws, the length of a step, and the rows of a mini-batch."""

    seed: int = 0
    learning_rate: float | None = None
    batch_size: int | None = None

    def rate(self, default: float) -> float:
        return default if self.learning_rate is None else self.learning_rate


EXACT, SUMMED, NONE = "exact", "summed", "none"
"""What a trace holds: the log-likelihood; at first sums over parts of the rows, each before its own step, or the free
energy of annealing; or another likelihood altogether."""


@dataclass(frozen=True)
class Row:
    """How a solver is made from EM, whether it needs a gradient or a seed, and what its trace holds."""

    make: Callable[[EM, Options], AbstractSolver]
    by_gradient: bool = False
    draws: bool = False
    curve: str = EXACT


SOLVERS: dict[str, Row] = {
    EM_SOLVER: Row(lambda em, options: em),
    "squarem": Row(lambda em, options: Squarem(em)),
    "anderson": Row(lambda em, options: Anderson(em)),
    "lbfgs": Row(lambda em, options: LBFGS(em), by_gradient=True),
    "adam": Row(
        lambda em, options: Adam(em, options.seed, options.rate(0.05), options.batch_size), True, True, SUMMED
    ),
    "sgd": Row(
        lambda em, options: SGD(em, options.seed, options.rate(0.5), options.batch_size), True, True, SUMMED
    ),
    "natural": Row(lambda em, options: Natural(em, options.rate(1.1))),
    "cem": Row(lambda em, options: ClassificationEM(em), curve=NONE),
    "sem": Row(lambda em, options: StochasticEM(em, options.seed), draws=True),
    "annealing": Row(lambda em, options: AnnealedEM(em), curve=SUMMED),
    "auto": Row(lambda em, options: Switching(em)),
}
"""EM, and what goes other ways to its goal."""


def solver_of(name: str, em: EM, options: Options) -> AbstractSolver:
    """A solver by name; ParameterError if there is none of that name."""
    if name not in SOLVERS:
        raise ParameterError.choice("solver", name, list(SOLVERS))
    return SOLVERS[name].make(em, options)
