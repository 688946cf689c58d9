"""Parameter vectors of mixtures: their length, the way there and back, and gradients against differences."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind
from gaussmix.core.statistics import Statistics
from gaussmix.covariance import MCLUST_NAMES, DefaultPrior
from gaussmix.covariance.factor_structure import FACTOR_STRUCTURE_NAMES, parse_structure
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.fixed_parameters import apply_fixed_parameters
from gaussmix.model.mixture_parameters import expected_moments_per_unit_weight
from gaussmix.model.noise import unpool_kind_if_noise
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.model.parametrization import MixtureParametrization
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.types import Array
from tests.exhaustive import parametrize_product

every_structure = pytest.mark.parametrize("structure", MCLUST_NAMES)
WITH_FACTORS = [*MCLUST_NAMES, *FACTOR_STRUCTURE_NAMES]
SCALES = np.array([1.0, 2.0, 0.5, 30.0])


def make_problem_and_mixture(
    structure: str, seed: int = 0, n_features: int = 4, with_noise: bool = False, prior: Any = None
) -> tuple[Problem, Mixture]:
    """Return a problem and a mixture of three components that has not converged."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, n_features)) * SCALES[:n_features] + 2.0 * rng.integers(0, 2, 200)[:, None]
    problem = Problem.from_source(make_memory_source(rows), parse_structure(structure, 1)).with_prior(prior, 3)
    mixture = initialize_from_labels(problem, rng.integers(0, 3, 200), 3)
    box = make_noise_box(problem, True)
    assert box is not None
    return problem, add_noise(mixture, box, 0.1) if with_noise else mixture


def numerical_gradient(
    problem: Problem, at: MixtureParametrization, vector: Array, fixed: Any = None, step: float = 1e-4
) -> Array:
    def height(numbers: Array) -> float:
        mixture = at.to_mixture(numbers)
        mixture = mixture if fixed is None else apply_fixed_parameters(mixture, fixed)
        kind = unpool_kind_if_noise(mixture.noise, problem.covariance_estimator.moment_kind)
        prior = problem.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
        return problem.e_step(mixture, kind).log_likelihood + prior

    axes = step * np.eye(len(vector))
    return np.array([(height(vector + axis) - height(vector - axis)) / (2.0 * step) for axis in axes])


def analytic_gradient(problem: Problem, at: MixtureParametrization, vector: Array, fixed: Any = None) -> Array:
    mixture = at.to_mixture(vector)
    mixture = mixture if fixed is None else apply_fixed_parameters(mixture, fixed)
    moments = problem.e_step(mixture, at.covariance_parametrization.moment_kind).moments
    return at.log_posterior_gradient(vector, mixture, moments, problem.covariance_estimator.prior_statistics(3), fixed)


def assert_equal_gradients(found: Array, expected: Array) -> None:
    """Compare with a tolerance of 1e-6 of the largest entry, and more where differences lose precision."""
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@every_structure
@pytest.mark.parametrize("n_features", [1, 2, 4])
def test_vector_has_as_many_entries_as_parameters(structure: str, n_features: int) -> None:
    problem, mixture = make_problem_and_mixture(structure, n_features=n_features)
    at = MixtureParametrization.from_origin(mixture, problem.total_weight)
    assert at.n_parameters == mixture.n_parameters + 1  # weights say one too many, as they only compare
    np.testing.assert_allclose(at.to_vector(mixture), 0.0, atol=1e-6)


@parametrize_product(
    {"structure": WITH_FACTORS, "with_noise": [False, True], "seed": range(3)}, together=[("structure", "with_noise")]
)
def test_round_trip(structure: str, with_noise: bool, seed: int) -> None:
    problem, mixture = make_problem_and_mixture(structure, seed, with_noise=with_noise)
    at = MixtureParametrization.from_origin(mixture, problem.total_weight)
    moved = at.to_mixture(np.random.default_rng(seed).normal(size=at.n_parameters))
    assert moved.structure == mixture.structure
    assert (moved.noise is None) != with_noise
    total = moved.weights.sum() + (0.0 if moved.noise is None else moved.noise.weight)
    assert total == pytest.approx(1.0)
    again = at.to_mixture(at.to_vector(moved))
    np.testing.assert_allclose(again.weights, moved.weights, rtol=1e-9)
    np.testing.assert_allclose(again.means, moved.means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(again.covariances, moved.covariances, rtol=1e-7, atol=1e-8)


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(3)})
def test_every_vector_has_the_structure(structure: str, seed: int) -> None:
    problem, mixture = make_problem_and_mixture(structure, seed)
    at = MixtureParametrization.from_origin(mixture, problem.total_weight)
    moved = at.to_mixture(np.random.default_rng(seed).normal(size=at.n_parameters))
    moments = expected_moments_per_unit_weight(moved, MomentKind.FULL).scale_weights(problem.total_weight)
    again = problem.covariance_estimator.estimate(
        moments.to_kind(problem.covariance_estimator.moment_kind), moved.covariance
    )
    np.testing.assert_allclose(again.matrices(), moved.covariance.matrices(), rtol=1e-6, atol=1e-7)


@parametrize_product({"structure": FACTOR_STRUCTURE_NAMES, "seed": range(3)})
def test_every_vector_has_the_factor_structure(structure: str, seed: int) -> None:
    problem, mixture = make_problem_and_mixture(structure, seed)
    for _ in range(2):
        at = MixtureParametrization.from_origin(mixture, problem.total_weight)
        mixture = at.to_mixture(np.random.default_rng(seed).normal(size=at.n_parameters))
    covariance = mixture.covariance
    assert isinstance(covariance, LowRankCovariance)
    parts = (covariance.loadings, covariance.noise_variance)
    for letter, part in zip(structure, parts, strict=False):
        assert (letter == "C") == np.allclose(part, part[0], rtol=1e-12)
    assert (structure[2] == "C") == np.allclose(covariance.noise_variance, covariance.noise_variance[:, :1], rtol=1e-12)


@parametrize_product({"structure": WITH_FACTORS, "seed": range(3)})
def test_gradient_equals_differences(structure: str, seed: int) -> None:
    problem, mixture = make_problem_and_mixture(structure, seed)
    at = MixtureParametrization.from_origin(mixture, problem.total_weight)
    vector = 0.8 * np.random.default_rng(seed).normal(size=at.n_parameters)
    assert_equal_gradients(analytic_gradient(problem, at, vector), numerical_gradient(problem, at, vector))


@every_structure
@pytest.mark.parametrize("n_features", [1, 3])
def test_gradient_with_prior_and_noise_equals_differences(structure: str, n_features: int) -> None:
    problem, mixture = make_problem_and_mixture(
        structure, 1, n_features, with_noise=True, prior=DefaultPrior(shrinkage=0.5)
    )
    at = MixtureParametrization.from_origin(mixture, problem.total_weight)
    vector = 0.8 * np.random.default_rng(1).normal(size=at.n_parameters)
    assert_equal_gradients(analytic_gradient(problem, at, vector), numerical_gradient(problem, at, vector))


FIXED: dict[str, Constraints] = {
    "weights": Constraints(equal_weights=True),
    "one weight": Constraints(weights=[0.2, np.nan, np.nan]),
    "one mean": Constraints(means=[[1.0, 2.0], [np.nan] * 2, [np.nan] * 2]),
    "one covariance": Constraints(covariances=[None, np.eye(2), None]),
}


@pytest.mark.parametrize("with_noise", [False, True])
@pytest.mark.parametrize("what", FIXED)
def test_gradient_with_fixed_parameters_equals_differences(what: str, with_noise: bool) -> None:
    problem, mixture = make_problem_and_mixture("VVV", 2, 2, with_noise=with_noise)
    fixed = FIXED[what].to_fixed_parameters(problem.covariance_estimator.structure, 3, problem.source.frame, with_noise)
    assert fixed is not None
    at = MixtureParametrization.from_origin(apply_fixed_parameters(mixture, fixed), problem.total_weight)
    vector = 0.5 * np.random.default_rng(2).normal(size=at.n_parameters)
    assert_equal_gradients(
        analytic_gradient(problem, at, vector, fixed), numerical_gradient(problem, at, vector, fixed)
    )


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(3)})
def test_gradient_step_is_an_em_step_to_first_order(structure: str, seed: int) -> None:
    """In units of the complete-data Fisher information, an EM step is the gradient to first order."""
    problem, mixture = make_problem_and_mixture(structure, seed)
    for _ in range(6):
        moments = problem.e_step(mixture).moments
        before, mixture = mixture, mixture.m_step(Statistics(moments), problem.covariance_estimator)
    at = MixtureParametrization.from_origin(before, problem.total_weight)
    step, slope = at.to_vector(mixture), analytic_gradient(problem, at, np.zeros(at.n_parameters))
    assert step @ slope > 0.97 * np.linalg.norm(step) * np.linalg.norm(slope)
    assert np.linalg.norm(step) == pytest.approx(np.linalg.norm(slope), rel=0.35)


@every_structure
def test_vectors_are_invariant_to_units(structure: str) -> None:
    lengths = []
    for unit in (1.0, 1e-7):
        rng = np.random.default_rng(3)
        rows = unit * (rng.normal(size=(150, 3)) + 2.0 * rng.integers(0, 2, 150)[:, None]) + 5.0 * unit
        problem = Problem.from_source(make_memory_source(rows), parse_structure(structure, None))
        mixture = initialize_from_labels(problem, rng.integers(0, 3, 150), 3)
        updated = mixture.m_step(problem.e_step(mixture).statistics, problem.covariance_estimator)
        lengths.append(np.linalg.norm(MixtureParametrization.from_origin(mixture, 150.0).to_vector(updated)))
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)


def test_component_without_weight_has_a_vector() -> None:
    problem, mixture = make_problem_and_mixture("VVV")
    empty = replace(mixture, weights=np.array([0.4, 0.6, 0.0]))
    at = MixtureParametrization.from_origin(empty, problem.total_weight)
    assert np.isfinite(at.to_vector(mixture)).all()
    assert at.to_mixture(np.ones(at.n_parameters)).weights[2] == 0.0
