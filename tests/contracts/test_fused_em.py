"""Contract of fused EM runners: each iteration equals the E-step, the prior and the M-step of `covariance`."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import special, stats

from gaussmix.core.fused_em import FirstMStepInput, FusedRunInput, FusedRunResult
from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.covariance import (
    MCLUST_NAMES,
    AbstractCovariance,
    AbstractCovarianceEstimator,
    FloorRegularizer,
    Structure,
    make_covariance_estimator,
)
from gaussmix.covariance.eigen_arrays import covariance_from_eigen_arrays, to_eigen_arrays
from gaussmix.covariance.prior import NormalInverseWishart
from gaussmix.covariance.structure import MclustStructure
from gaussmix.engines import AbstractFusedRunner, AutomaticEngine
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.types import KD, ND, NK, IntN, K, N

# A new runner is a row here and inherits every test.
RUNNERS: dict[str, AbstractFusedRunner] = {
    "compiled": CompiledEngine().fused_runner,
    "automatic": AutomaticEngine(n_rows=150, n_runs=100).fused_runner,
}
N_FEATURES = 3

every_runner = pytest.mark.parametrize("runner", RUNNERS.values(), ids=RUNNERS)
every_structure = pytest.mark.parametrize("structure", MCLUST_NAMES)


def make_prior(shrinkage: float) -> NormalInverseWishart:
    scale = np.diag([0.5, 1.0, 2.0]) + 0.1
    return NormalInverseWishart(shrinkage, np.array([0.5, -0.5, 0.0]), N_FEATURES + 2.0, scale)


def run_here(runner: AbstractFusedRunner, run: FusedRunInput) -> FusedRunResult:
    """Return the result of a run that the runner accepts."""
    assert runner.should_run(len(run.rows), *run.centers.shape)
    result = runner.run(run)
    assert result is not None
    return result


@dataclass(frozen=True)
class Problem:
    """Rows, their weights and known components, a noise component and a covariance estimator."""

    estimator: AbstractCovarianceEstimator
    rows: ND
    row_weights: N | None = None
    known_labels: IntN | None = None
    noise: tuple[float, float] | None = None


@dataclass(frozen=True)
class Parameters:
    """Weights, centers and covariances of the components, and the weight of the noise component."""

    weights: K
    centers: KD
    covariance: AbstractCovariance
    noise_weight: float


def make_problem(structure: str, n_components: int, prior: NormalInverseWishart | None, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    centers = 2.0 * rng.normal(size=(n_components, N_FEATURES))
    rows = centers[np.arange(150) % n_components] + rng.normal(size=(150, N_FEATURES)) * [0.5, 1.0, 1.5]
    floor = FloorRegularizer(np.full(N_FEATURES, 1e-9))
    return Problem(make_covariance_estimator(Structure.from_name(structure), floor, prior), rows)


def make_start(problem: Problem, n_components: int, seed: int) -> Parameters:
    """Return the M-step of random responsibilities."""
    responsibilities = np.random.default_rng(seed).dirichlet(np.ones(n_components), len(problem.rows))
    moments = moments_of(problem, responsibilities, np.zeros((n_components, N_FEATURES)))
    noise_weight = 0.0 if problem.noise is None else problem.noise[0]
    return m_step(problem, moments, noise_weight * moments.mass.sum() / (1.0 - noise_weight), None)


def moments_of(problem: Problem, responsibilities: NK, centers: KD) -> Moments:
    return compute_moments(problem.rows, responsibilities, centers, MomentKind.FULL)


def e_step(problem: Problem, parameters: Parameters) -> tuple[Moments, float, float]:
    """Return moments, mass of the noise component and log-likelihood, by SciPy's densities."""
    matrices = parameters.covariance.matrices()
    with np.errstate(divide="ignore"):
        scores = np.log(parameters.weights) + np.column_stack(
            [
                stats.multivariate_normal(*pair).logpdf(problem.rows)
                for pair in zip(parameters.centers, matrices, strict=True)
            ]
        )
        log_noise = -np.inf if problem.noise is None else np.log(parameters.noise_weight) + problem.noise[1]
    scores = np.column_stack([scores, np.full(len(scores), log_noise)])
    if problem.known_labels is not None:
        is_excluded = (problem.known_labels[:, None] >= 0) & (
            problem.known_labels[:, None] != np.arange(scores.shape[1])
        )
        scores = np.where(is_excluded, -np.inf, scores)
    row_weights = np.ones(len(scores)) if problem.row_weights is None else problem.row_weights
    responsibilities = special.softmax(scores, axis=1) * row_weights[:, None]
    log_likelihood = float(row_weights @ special.logsumexp(scores, axis=1))
    log_likelihood += problem.estimator.log_prior(parameters.centers, parameters.covariance)
    moments = moments_of(problem, responsibilities[:, :-1], parameters.centers)
    return moments, float(responsibilities[:, -1].sum()), log_likelihood


def m_step(problem: Problem, moments: Moments, noise_mass: float, previous: AbstractCovariance | None) -> Parameters:
    total = moments.mass.sum() + noise_mass
    reduced = problem.estimator.with_prior(moments.to_kind(problem.estimator.moment_kind))
    covariance = problem.estimator.estimate(reduced, previous)
    return Parameters(moments.mass / total, reduced.mean, covariance, noise_mass / total)


def make_run(problem: Problem, start: Parameters, max_iter: int) -> FusedRunInput:
    """Return the run that cannot converge before ``max_iter``."""
    estimator = problem.estimator
    return FusedRunInput(
        str(estimator.structure),
        problem.rows,
        problem.row_weights,
        problem.known_labels,
        start.weights,
        start.centers,
        *to_eigen_arrays(start.covariance),
        np.full(N_FEATURES, 1e-9),
        0.0,
        False,
        -np.inf,
        max_iter,
        None if problem.noise is None else (start.noise_weight, problem.noise[1]),
        estimator.prior_statistics(len(start.weights)),
    )


def assert_iterations_agree(runner: AbstractFusedRunner, problem: Problem, n_components: int, seed: int) -> None:
    """Assert that three iterations agree with three E-steps and M-steps."""
    start = parameters = make_start(problem, n_components, seed)
    for n_iter in range(1, 4):
        moments, noise_mass, log_likelihood = e_step(problem, parameters)
        parameters = m_step(problem, moments, noise_mass, parameters.covariance)
        result = run_here(runner, make_run(problem, start, n_iter))
        assert len(result.log_likelihoods) == n_iter
        assert not result.has_converged
        assert result.log_likelihoods[-1] == pytest.approx(log_likelihood, rel=1e-8, abs=1e-8)
        np.testing.assert_allclose(result.component_weights, parameters.weights, rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(result.centers, parameters.centers, rtol=1e-7, atol=1e-8)
        assert result.noise_weight == pytest.approx(parameters.noise_weight, rel=1e-7)
        found = covariance_from_eigen_arrays(
            problem.estimator.structure, result.axis_variances, result.axes, result.covariance_factors
        )
        expected = parameters.covariance.matrices()
        np.testing.assert_allclose(found.matrices(), expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())


@every_runner
@every_structure
@pytest.mark.parametrize("n_components", [1, 3])
@pytest.mark.parametrize("prior", [None, make_prior(0.7)], ids=["no prior", "prior"])
def test_iterations_equal_e_steps_and_m_steps(
    runner: AbstractFusedRunner, structure: str, n_components: int, prior: NormalInverseWishart | None
) -> None:
    assert_iterations_agree(runner, make_problem(structure, n_components, prior, n_components), n_components, 0)


@every_runner
@every_structure
@pytest.mark.parametrize("prior", [None, make_prior(0.0)], ids=["no prior", "prior without shrinkage"])
def test_weights_known_rows_and_noise(
    runner: AbstractFusedRunner, structure: str, prior: NormalInverseWishart | None
) -> None:
    rng = np.random.default_rng(5)
    problem = replace(
        make_problem(structure, 3, prior, 7),
        row_weights=rng.integers(0, 3, 150).astype(float),
        known_labels=np.where(rng.random(150) < 0.3, np.arange(150) % 3, -1),
        noise=(0.1, -6.0),
    )
    assert_iterations_agree(runner, problem, 3, 1)


@every_runner
@every_structure
def test_cases_for_the_python_loop_end_the_run_before_the_step(runner: AbstractFusedRunner, structure: str) -> None:
    """An active floor, a component without rows, and numbers that are not finite."""
    problem = make_problem(structure, 2, None, 3)
    start = make_start(problem, 2, 2)
    run = make_run(problem, start, 5)
    flat_rows = problem.rows * [1.0, 1.0, 0.0]
    infinite_rows = np.where(np.arange(150)[:, None] == 4, np.inf, problem.rows)
    far_centers = np.add(start.centers, [[0.0], [1e6]])
    for unusual in (
        replace(run, rows=flat_rows, variance_floor=np.full(N_FEATURES, 1e3)),
        replace(run, rows=infinite_rows),
        replace(run, centers=far_centers),
    ):
        result = run_here(runner, unusual)
        assert len(result.log_likelihoods) == 0
        assert not result.has_converged
        np.testing.assert_array_equal(result.component_weights, start.weights)


@every_runner
@every_structure
@pytest.mark.parametrize("is_relative", [False, True])
def test_the_run_stops_when_the_gain_is_small(runner: AbstractFusedRunner, structure: str, is_relative: bool) -> None:
    problem = make_problem(structure, 2, None, 4)
    run = make_run(problem, make_start(problem, 2, 3), 500)
    tolerance = 1e-4
    result = run_here(runner, replace(run, tolerance=tolerance, is_tolerance_relative=is_relative))
    values = result.log_likelihoods
    total_weight = float(len(problem.rows))
    unit = np.maximum(np.abs(values[1:]), total_weight) if is_relative else np.full(len(values) - 1, total_weight)
    is_small = np.abs(np.diff(values)) < tolerance * unit
    assert result.has_converged
    assert is_small[-1]
    assert not is_small[:-1].any()


def test_the_automatic_runner_refuses_what_does_not_repay_compilation() -> None:
    assert not AutomaticEngine(n_rows=150, n_runs=1).fused_runner.should_run(150, 3, 3)
    assert not AutomaticEngine(n_rows=150, n_runs=100).fused_runner.should_run(10**6, 3, 3)
    assert not AutomaticEngine(n_rows=150, n_runs=100).fused_runner.should_run(150, 3, 100)


FULL_STRUCTURES = [name for name in MCLUST_NAMES if make_problem(name, 2, None, 0).estimator.moment_kind.value == "KDD"]


def make_first_m_step_input(estimator: AbstractCovarianceEstimator, moments: Moments) -> FirstMStepInput:
    """Return the input of an M-step without previous covariances, with the axes that `covariance` tries."""
    largest = np.argsort(-moments.mass, kind="stable")[:4]
    matrices = [moments.scatter.sum(axis=0), *moments.scatter[largest]]
    axes = np.array([np.linalg.eigh(matrix)[1][:, ::-1] for matrix in matrices])
    floor = estimator.min_variances
    assert floor is not None
    return FirstMStepInput(str(estimator.structure), moments.mass, moments.scatter, axes, floor)


@every_runner
@pytest.mark.parametrize("structure", FULL_STRUCTURES)
@pytest.mark.parametrize("seed", range(3))
def test_the_first_m_step_equals_that_of_covariance(runner: AbstractFusedRunner, structure: str, seed: int) -> None:
    problem = make_problem(structure, 3, None, seed)
    labels = np.random.default_rng(seed).integers(0, 3, 150)
    moments = compute_moments(problem.rows, np.eye(3)[labels], np.zeros((3, N_FEATURES)), MomentKind.FULL)
    found = runner.fit_first_covariances(make_first_m_step_input(problem.estimator, moments))
    assert found is not None
    mclust_structure = problem.estimator.structure
    assert isinstance(mclust_structure, MclustStructure)
    covariance = covariance_from_eigen_arrays(
        mclust_structure, found.axis_variances, found.axes, found.covariance_factors
    )
    expected = problem.estimator.estimate(moments).matrices()
    np.testing.assert_allclose(covariance.matrices(), expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())


@every_runner
@pytest.mark.parametrize("structure", FULL_STRUCTURES)
def test_a_first_m_step_at_the_floor_or_without_rows_is_left_to_covariance(
    runner: AbstractFusedRunner, structure: str
) -> None:
    estimator = make_problem(structure, 3, None, 0).estimator
    flat = np.tile(np.diag([1.0, 1.0, 0.0]), (3, 1, 1))
    for mass, scatter in (([5.0, 5.0, 5.0], flat), ([5.0, 0.0, 5.0], np.tile(np.eye(3), (3, 1, 1)))):
        moments = Moments(np.array(mass), np.zeros((3, N_FEATURES)), scatter, MomentKind.FULL)
        assert runner.fit_first_covariances(make_first_m_step_input(estimator, moments)) is None
