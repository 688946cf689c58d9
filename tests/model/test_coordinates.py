"""Mixtures as free numbers: as many as there are parameters, there and back, and gradients against differences."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind
from gaussmix.covariance import ALL, DefaultPrior
from gaussmix.covariance.factor_structure import FACTOR_NAMES, structure_of
from gaussmix.covariance.low_rank import LowRankCovariance
from gaussmix.model import Constraints, Mixture, Problem
from gaussmix.model.coordinates import Coordinates
from gaussmix.model.held import imposed
from gaussmix.model.implied import implied
from gaussmix.model.noise import kind_beside
from gaussmix.model.problem import source_of
from gaussmix.model.volume import box_of
from gaussmix.solvers.start import from_labels
from gaussmix.solvers.start.noise import with_noise
from gaussmix.types import Array

every_structure = pytest.mark.parametrize("structure", ALL)
with_factors = pytest.mark.parametrize("structure", [*ALL, *FACTOR_NAMES])
SCALES = np.array([1.0, 2.0, 0.5, 30.0])


def made(
    structure: str, seed: int = 0, n_features: int = 4, noisy: bool = False, prior: Any = None
) -> tuple[Problem, Mixture]:
    """A problem, and a mixture of three components somewhere on the way."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, n_features)) * SCALES[:n_features] + 2.0 * rng.integers(0, 2, 200)[:, None]
    problem = Problem.of(source_of(rows), structure_of(structure, 1)).believing(prior, 3)
    mixture = from_labels(problem, rng.integers(0, 3, 200), 3)
    box = box_of(problem, True)
    assert box is not None
    return problem, with_noise(mixture, box, 0.1) if noisy else mixture


def differences(problem: Problem, at: Coordinates, vector: Array, held: Any = None, step: float = 1e-4) -> Array:
    def height(numbers: Array) -> float:
        mixture = at.mixture(numbers)
        mixture = mixture if held is None else imposed(mixture, held)
        kind = kind_beside(mixture.noise, problem.family.kind)
        prior = problem.family.log_prior(mixture.centers, mixture.covariance)
        return problem.expect(mixture.to_quadratics(), kind).log_likelihood + prior

    axes = step * np.eye(len(vector))
    return np.array([(height(vector + axis) - height(vector - axis)) / (2.0 * step) for axis in axes])


def gradient(problem: Problem, at: Coordinates, vector: Array, held: Any = None) -> Array:
    mixture = at.mixture(vector)
    mixture = mixture if held is None else imposed(mixture, held)
    moments = problem.expect(mixture.to_quadratics(), at.inner.kind).moments
    return at.gradient(vector, mixture, moments, problem.family.belief(3), held)


def assert_equal_gradients(found: Array, expected: Array) -> None:
    """To 1e-6 of the longest entry, but for what differences of so large numbers are worth."""
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@every_structure
@pytest.mark.parametrize("n_features", [1, 2, 4])
def test_as_many_numbers_as_parameters(structure: str, n_features: int) -> None:
    problem, mixture = made(structure, n_features=n_features)
    at = Coordinates.about(mixture, problem.total_weight)
    assert at.size == mixture.n_parameters + 1  # weights say one too many, as they only compare
    np.testing.assert_allclose(at.vector(mixture), 0.0, atol=1e-6)


@with_factors
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_there_and_back(structure: str, noisy: bool, seed: int) -> None:
    problem, mixture = made(structure, seed, noisy=noisy)
    at = Coordinates.about(mixture, problem.total_weight)
    moved = at.mixture(np.random.default_rng(seed).normal(size=at.size))
    assert moved.structure == mixture.structure
    assert (moved.noise is None) != noisy
    total = moved.weights.sum() + (0.0 if moved.noise is None else moved.noise.weight)
    assert total == pytest.approx(1.0)
    again = at.mixture(at.vector(moved))
    np.testing.assert_allclose(again.weights, moved.weights, rtol=1e-9)
    np.testing.assert_allclose(again.means, moved.means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(again.covariances, moved.covariances, rtol=1e-7, atol=1e-8)


@every_structure
@pytest.mark.parametrize("seed", range(3))
def test_no_move_leaves_the_structure(structure: str, seed: int) -> None:
    problem, mixture = made(structure, seed)
    at = Coordinates.about(mixture, problem.total_weight)
    moved = at.mixture(np.random.default_rng(seed).normal(size=at.size))
    moments = implied(moved, MomentKind.FULL).scale(problem.total_weight)
    again = problem.family.estimate(moments.reduce(problem.family.kind), moved.covariance)
    np.testing.assert_allclose(again.matrices(), moved.covariance.matrices(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("structure", FACTOR_NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_no_move_leaves_the_structure_of_factors(structure: str, seed: int) -> None:
    problem, mixture = made(structure, seed)
    for _ in range(2):
        at = Coordinates.about(mixture, problem.total_weight)
        mixture = at.mixture(np.random.default_rng(seed).normal(size=at.size))
    covariance = mixture.covariance
    assert isinstance(covariance, LowRankCovariance)
    parts = (covariance.loadings, covariance.noise)
    for letter, part in zip(structure, parts, strict=False):
        assert (letter == "C") == np.allclose(part, part[0], rtol=1e-12)
    assert (structure[2] == "C") == np.allclose(covariance.noise, covariance.noise[:, :1], rtol=1e-12)


@with_factors
@pytest.mark.parametrize("seed", range(3))
def test_gradient_equals_differences(structure: str, seed: int) -> None:
    problem, mixture = made(structure, seed)
    at = Coordinates.about(mixture, problem.total_weight)
    vector = 0.8 * np.random.default_rng(seed).normal(size=at.size)
    assert_equal_gradients(gradient(problem, at, vector), differences(problem, at, vector))


@every_structure
@pytest.mark.parametrize("n_features", [1, 3])
def test_gradient_with_prior_and_noise_equals_differences(structure: str, n_features: int) -> None:
    problem, mixture = made(structure, 1, n_features, noisy=True, prior=DefaultPrior(shrinkage=0.5))
    at = Coordinates.about(mixture, problem.total_weight)
    vector = 0.8 * np.random.default_rng(1).normal(size=at.size)
    assert_equal_gradients(gradient(problem, at, vector), differences(problem, at, vector))


HELD: dict[str, Constraints] = {
    "weights": Constraints(equal_weights=True),
    "one weight": Constraints(weights=[0.2, np.nan, np.nan]),
    "one mean": Constraints(means=[[1.0, 2.0], [np.nan] * 2, [np.nan] * 2]),
    "one covariance": Constraints(covariances=[None, np.eye(2), None]),
}


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("what", HELD)
def test_gradient_beside_what_is_held_equals_differences(what: str, noisy: bool) -> None:
    problem, mixture = made("VVV", 2, 2, noisy=noisy)
    held = HELD[what].held(problem.family.structure, 3, problem.source.frame, noisy)
    assert held is not None
    at = Coordinates.about(imposed(mixture, held), problem.total_weight)
    vector = 0.5 * np.random.default_rng(2).normal(size=at.size)
    assert_equal_gradients(gradient(problem, at, vector, held), differences(problem, at, vector, held))


@every_structure
@pytest.mark.parametrize("seed", range(3))
def test_a_step_along_the_gradient_is_nearly_a_step_of_em(structure: str, seed: int) -> None:
    """Natural gradient: in units of the complete rows' information EM's step is the gradient, to first order."""
    problem, mixture = made(structure, seed)
    for _ in range(6):
        moments = problem.expect(mixture.to_quadratics()).moments
        before, mixture = mixture, mixture.update(moments, problem.family)
    at = Coordinates.about(before, problem.total_weight)
    step, slope = at.vector(mixture), gradient(problem, at, np.zeros(at.size))
    assert step @ slope > 0.97 * np.linalg.norm(step) * np.linalg.norm(slope)
    assert np.linalg.norm(step) == pytest.approx(np.linalg.norm(slope), rel=0.35)


@every_structure
def test_lengths_do_not_depend_on_units(structure: str) -> None:
    lengths = []
    for unit in (1.0, 1e-7):
        rng = np.random.default_rng(3)
        rows = unit * (rng.normal(size=(150, 3)) + 2.0 * rng.integers(0, 2, 150)[:, None]) + 5.0 * unit
        problem = Problem.of(source_of(rows), structure_of(structure, None))
        mixture = from_labels(problem, rng.integers(0, 3, 150), 3)
        updated = mixture.update(problem.expect(mixture.to_quadratics()).moments, problem.family)
        lengths.append(np.linalg.norm(Coordinates.about(mixture, 150.0).vector(updated)))
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)


def test_a_component_without_weight_has_coordinates() -> None:
    problem, mixture = made("VVV")
    empty = replace(mixture, weights=np.array([0.4, 0.6, 0.0]))
    at = Coordinates.about(empty, problem.total_weight)
    assert np.isfinite(at.vector(mixture)).all()
    assert at.mixture(np.ones(at.size)).weights[2] == 0.0
