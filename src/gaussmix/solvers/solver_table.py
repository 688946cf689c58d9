"""The solvers by name, as the parameter ``solver`` of the estimators names them."""

from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.errors import ParameterError
from gaussmix.solvers.base import MixtureSolver
from gaussmix.solvers.em.anderson import AndersonAcceleration
from gaussmix.solvers.em.annealing import AnnealedEM
from gaussmix.solvers.em.em import EM, ClassificationEM
from gaussmix.solvers.em.em_then_anderson import EMThenAnderson
from gaussmix.solvers.em.natural_gradient import NaturalGradient
from gaussmix.solvers.em.squarem import SQUAREM
from gaussmix.solvers.em.stochastic import StochasticEM
from gaussmix.solvers.gradient.lbfgs import LBFGS
from gaussmix.solvers.gradient.mini_batch import SGD, Adam

EM_SOLVER_NAME = "em"

# What the trace of a solver holds: the log-likelihood before each step; sums over batches (each before its own step)
# or the free energy in the first iterations; or an objective other than the log-likelihood.
EXACT_TRACE, SUMMED_TRACE, OTHER_OBJECTIVE_TRACE = "exact", "summed", "none"


@dataclass(frozen=True)
class SolverOptions:
    """What some solvers need beside the rows: a seed, a learning rate, and the rows of a mini-batch."""

    seed: int = 0
    learning_rate: float | None = None
    batch_size: int | None = None

    def learning_rate_or(self, default: float) -> float:
        """Return the learning rate, or a default where none is given."""
        return default if self.learning_rate is None else self.learning_rate


@dataclass(frozen=True)
class SolverSpec:
    """One solver of the table.

    Attributes
    ----------
    factory : callable
        Makes the solver from EM (which knows structure and fixed parameters) and options.
    uses_gradient : bool
        Whether it needs a gradient, which a ridge has not.
    is_stochastic : bool
        Whether its result depends on the seed.
    trace_kind : {'exact', 'summed', 'none'}
        What its trace holds.
    """

    factory: Callable[[EM, SolverOptions], MixtureSolver]
    uses_gradient: bool = False
    is_stochastic: bool = False
    trace_kind: str = EXACT_TRACE


def _make_adam(em: EM, options: SolverOptions) -> Adam:
    """Return Adam with the default learning rate 0.05 unless the options give one."""
    return Adam(em, options.seed, options.learning_rate_or(0.05), options.batch_size)


def _make_sgd(em: EM, options: SolverOptions) -> SGD:
    """Return SGD with the default learning rate 0.5 unless the options give one."""
    return SGD(em, options.seed, options.learning_rate_or(0.5), options.batch_size)


SOLVERS: dict[str, SolverSpec] = {
    EM_SOLVER_NAME: SolverSpec(lambda em, options: em),
    "squarem": SolverSpec(lambda em, options: SQUAREM(em)),
    "anderson": SolverSpec(lambda em, options: AndersonAcceleration(em)),
    "lbfgs": SolverSpec(lambda em, options: LBFGS(em), uses_gradient=True),
    "adam": SolverSpec(_make_adam, uses_gradient=True, is_stochastic=True, trace_kind=SUMMED_TRACE),
    "sgd": SolverSpec(_make_sgd, uses_gradient=True, is_stochastic=True, trace_kind=SUMMED_TRACE),
    "natural": SolverSpec(lambda em, options: NaturalGradient(em, options.learning_rate_or(1.1))),
    "cem": SolverSpec(lambda em, options: ClassificationEM(em), trace_kind=OTHER_OBJECTIVE_TRACE),
    "sem": SolverSpec(lambda em, options: StochasticEM(em, options.seed), is_stochastic=True),
    "annealing": SolverSpec(lambda em, options: AnnealedEM(em), trace_kind=SUMMED_TRACE),
    "auto": SolverSpec(lambda em, options: EMThenAnderson(em)),
}


def make_solver(name: str, em: EM, options: SolverOptions) -> MixtureSolver:
    """Return the solver of a name, with the EM step, structure and fixed parameters of ``em``.

    Raises
    ------
    ParameterError
        If there is no solver of that name.
    """
    if name not in SOLVERS:
        raise ParameterError.invalid_choice("solver", name, list(SOLVERS))
    return SOLVERS[name].factory(em, options)
