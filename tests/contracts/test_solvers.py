"""The contract of mixture solvers: steps raise the objective, and the loop stops by its rule."""

from collections.abc import Callable

import numpy as np
import pytest

from gaussmix.core.expectation import Expectation
from gaussmix.core.outcome import Outcome
from gaussmix.covariance import MCLUST_NAMES, AbstractCovarianceEstimator
from gaussmix.model import Mixture, Problem
from gaussmix.solvers import EM, AbstractSolver, MeanGainRule, RelativeGainRule, StoppingRule, run_solver
from gaussmix.solvers.base import EStepRequest
from gaussmix.solvers.initialization import initialize
from gaussmix.solvers.solver_table import SOLVERS, SolverOptions
from gaussmix.solvers.stopping import Progress
from tests.contracts.problems import assert_same_mixture, expectation_of, groups, problem_of
from tests.exhaustive import parametrize_product

SolverFactory = Callable[[AbstractCovarianceEstimator], AbstractSolver]


def make_factory(name: str) -> SolverFactory:
    return lambda family: SOLVERS[name].factory(EM(family), SolverOptions(3))


# A new solver is a row in the table of solvers and inherits every test that it owes; which it does not, is said here.
MAY_FALL = {"lbfgs", "adam", "sgd", "cem", "sem", "annealing"}  # an iteration may evaluate a lower mixture
OTHER_OBJECTIVE = {"cem", "annealing"}  # the first objective is not the log-likelihood
HARD_ASSIGNMENT = {"cem"}  # maximises the classification likelihood
# These do not stop after every iteration.
MAY_STOP_LATE = {"adam", "sgd", "sem", "annealing", "lbfgs", "squarem", "anderson", "natural", "auto"}

every_solver = pytest.mark.parametrize("make", [make_factory(name) for name in SOLVERS], ids=list(SOLVERS))
FACTORIES = [pytest.param(make_factory(name), id=name) for name in SOLVERS]
MONOTONE = [pytest.param(make_factory(name), id=name) for name in SOLVERS if name not in MAY_FALL]
SOFT = [pytest.param(make_factory(name), id=name) for name in SOLVERS if name not in HARD_ASSIGNMENT]
likelihood_solver = pytest.mark.parametrize(
    "make",
    [make_factory(name) for name in SOLVERS if name not in OTHER_OBJECTIVE],
    ids=[n for n in SOLVERS if n not in OTHER_OBJECTIVE],
)
stops_at_once = pytest.mark.parametrize(
    "make",
    [make_factory(name) for name in SOLVERS if name not in MAY_STOP_LATE],
    ids=[n for n in SOLVERS if n not in MAY_STOP_LATE],
)


class StopAfter(StoppingRule):
    """Stop after a number of iterations, whatever they gained."""

    def __init__(self, passes: int) -> None:
        self.max_iter = 50
        self.left = passes

    def is_met(self, progress: Progress) -> bool:
        self.left -= 1
        return self.left == 0


def run_request(request: EStepRequest) -> Expectation:
    return request.session.e_step(request.model, request.moment_kind, request.assignment, request.total_moments)


def make_start(problem: Problem, seed: int = 0, method: str = "kmeans") -> Mixture:
    return initialize(problem, method, 3, np.random.default_rng(seed))


@parametrize_product({"make": MONOTONE, "structure": MCLUST_NAMES, "seed": range(3)}, together=[("make", "structure")])
def test_a_step_raises_the_likelihood(make: SolverFactory, structure: str, seed: int) -> None:
    problem = problem_of(groups(seed), structure)
    solver = make(problem.covariance_estimator)
    state, last = solver.init(make_start(problem, seed, "random"), problem, 30), -np.inf
    for _ in range(1, 30):
        state = solver.step(state, run_request(solver.request(state, problem)))
        assert state.objective >= last - 1e-12 * abs(last)
        reached = expectation_of(problem, state.model).log_likelihood
        assert reached >= state.objective - 1e-12 * abs(state.objective)
        last = state.objective
    assert last > expectation_of(problem, make_start(problem, seed, "random")).log_likelihood


@parametrize_product({"make": FACTORIES, "structure": MCLUST_NAMES})
def test_a_run_raises_the_likelihood(make: SolverFactory, structure: str) -> None:
    problem = problem_of(groups(2), structure)
    start = make_start(problem, 2, "random")
    end = run_solver(make(problem.covariance_estimator), start, problem, RelativeGainRule(1e-6, 500)).model
    assert expectation_of(problem, end).log_likelihood > expectation_of(problem, start).log_likelihood


@every_solver
def test_a_step_depends_on_state_and_expectation_alone(make: SolverFactory) -> None:
    problem = problem_of(groups(0))
    solver, start = make(problem.covariance_estimator), make_start(problem)
    state = solver.init(start, problem, 30)
    if not state.requests_e_step:
        pytest.skip("its loop belongs to SciPy")
    expectation = run_request(solver.request(state, problem))
    before = start.centers.copy()
    first, second = (solver.step(solver.init(start, problem, 30), expectation) for _ in range(2))
    np.testing.assert_array_equal(first.model.centers, second.model.centers)
    np.testing.assert_array_equal(start.centers, before)
    assert first.model.structure == start.structure
    assert first.model.frame is start.frame


@parametrize_product({"make": SOFT, "structure": MCLUST_NAMES})
def test_a_converged_run_is_a_fixed_point_of_em(make: SolverFactory, structure: str) -> None:
    problem = problem_of(groups(1), structure)
    found = run_solver(
        make(problem.covariance_estimator), make_start(problem), problem, RelativeGainRule(1e-14, 5000)
    ).model
    em = EM(problem.covariance_estimator)
    again = em.m_step(found, expectation_of(problem, found))
    assert_same_mixture(again, found, tolerance=1e-3)
    height = expectation_of(problem, found).log_likelihood
    assert expectation_of(problem, again).log_likelihood == pytest.approx(height, rel=1e-9)


@every_solver
def test_no_iteration_returns_the_start(make: SolverFactory) -> None:
    problem = problem_of(groups(0))
    start = make_start(problem)
    done = run_solver(make(problem.covariance_estimator), start, problem, MeanGainRule(1e-3, max_iter=0))
    assert done.model is start
    assert done.outcome is Outcome.NOT_STARTED
    assert len(done.trace) == 0
    assert done.last_objective == -np.inf


@every_solver
@pytest.mark.parametrize("passes", [1, 4])
def test_iterations_are_counted(make: SolverFactory, passes: int) -> None:
    problem = problem_of(groups(0))
    done = run_solver(
        make(problem.covariance_estimator), make_start(problem), problem, MeanGainRule(0.0, max_iter=passes)
    )
    assert done.outcome is Outcome.MAX_ITER_REACHED
    assert len(done.trace) == len(done.trace.log_likelihoods) == len(done.trace.seconds) == passes


@stops_at_once
def test_a_run_stops_when_its_rule_is_met_and_not_before(make: SolverFactory) -> None:
    problem = problem_of(groups(0))
    done = run_solver(make(problem.covariance_estimator), make_start(problem), problem, StopAfter(3))
    assert done.outcome is Outcome.CONVERGED
    assert len(done.trace) == 3
    rule = MeanGainRule(1e-4, 1000)
    done = run_solver(make(problem.covariance_estimator), make_start(problem), problem, rule)
    gains = np.abs(np.diff(done.trace.log_likelihoods)) / problem.total_weight
    assert done.outcome is Outcome.CONVERGED
    assert gains[-1] < 1e-4 <= gains[:-1].min(initial=np.inf)


@stops_at_once
def test_a_previous_objective_counts_as_an_iteration_before(make: SolverFactory) -> None:
    problem = problem_of(groups(0))
    rule = MeanGainRule(1e-4, 1000)
    first = run_solver(make(problem.covariance_estimator), make_start(problem), problem, rule)
    again = run_solver(
        make(problem.covariance_estimator),
        first.model,
        problem,
        rule,
        previous_objective_in_data_units=first.last_objective,
    )
    assert len(again.trace) == 1


@every_solver
def test_a_callback_hears_of_every_iteration(make: SolverFactory) -> None:
    problem = problem_of(1e3 * groups(0) + 7)
    calls: list[tuple[int, float, float]] = []
    done = run_solver(
        make(problem.covariance_estimator),
        make_start(problem),
        problem,
        MeanGainRule(0.0, 5),
        lambda *told: calls.append(told),
    )
    numbers, values, gains = (np.array(column) for column in zip(*calls, strict=True))
    np.testing.assert_array_equal(numbers, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(values, done.trace.log_likelihoods)
    assert gains[0] == np.inf
    np.testing.assert_allclose(gains[1:], np.diff(values), atol=1e-9)


@likelihood_solver
def test_the_trace_is_in_data_units(make: SolverFactory) -> None:
    rows = 1e3 * groups(0) + 7
    problem = problem_of(rows)
    start = make_start(problem)
    done = run_solver(make(problem.covariance_estimator), start, problem, MeanGainRule(0.0, 3))
    assert done.trace.log_likelihoods[0] == pytest.approx(start.logpdf(rows).sum(), rel=1e-12)
    assert (np.diff(done.trace.seconds) >= 0).all()
    assert done.trace.seconds[0] >= 0


@every_solver
def test_iterations_at_the_floor_are_counted(make: SolverFactory) -> None:
    rows = np.vstack([groups(0), np.full((20, 2), 9.0)])  # twenty equal rows draw a component to the floor
    problem = problem_of(rows)
    done = run_solver(make(problem.covariance_estimator), make_start(problem), problem, MeanGainRule(0.0, 30))
    assert 0 < done.n_floored_iter <= 30
    sound = problem_of(groups(0))
    assert (
        run_solver(make(sound.covariance_estimator), make_start(sound), sound, MeanGainRule(0.0, 5)).n_floored_iter == 0
    )
