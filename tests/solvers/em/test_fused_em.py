"""Fused EM makes the iterations of the loop, and leaves unusual problems to the loop."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix.core.label_prior import KnownComponents, LogProbabilities
from gaussmix.core.moments import MomentKind
from gaussmix.covariance import MCLUST_NAMES, DefaultPrior, Structure
from gaussmix.engines import AutomaticEngine, automatic
from gaussmix.model import Mixture, Problem
from gaussmix.model.noise_volume import make_noise_box
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers import EM, MeanGainRule, RelativeGainRule, RunResult, StoppingRule, run_solver
from gaussmix.solvers.em.fused_em import run_fused_em
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.solvers.initialization.noise_initialization import add_noise
from gaussmix.solvers.stopping import Progress
from gaussmix.types import ND, IntN
from tests.exhaustive import interleave, parametrize_product
from tests.laws.strategies import groups, hard_table

every_structure = pytest.mark.parametrize("structure", MCLUST_NAMES)


class LoopEM(EM):
    """EM that never makes fused iterations."""

    def run_fused(self, *arguments: Any) -> None:
        return None


def problem_of(rows: ND, structure: str, weights: Any = None) -> Problem:
    return Problem.from_source(
        make_memory_source(rows, weights), Structure.from_name(structure), engine=AutomaticEngine(len(rows))
    )


def run_fused_and_loop(
    rows: ND,
    structure: str,
    n_components: int,
    stopping: StoppingRule,
    weights: Any = None,
    seed: int = 0,
    noise_weight: float = 0.0,
    prior: DefaultPrior | None = None,
    known: IntN | None = None,
) -> tuple[RunResult, RunResult, Problem]:
    """Return one run with fused iterations, the same run by the loop, and the problem; from a random partition."""
    labels = np.random.default_rng(seed).integers(0, n_components, len(rows))
    runs = []
    for solver in (EM, LoopEM):
        problem = problem_of(rows, structure, weights).with_prior(prior, n_components)
        problem = replace(
            problem, source=problem.source.with_label_prior(None if known is None else KnownComponents(known))
        )
        start = initialize_from_labels(problem, labels, n_components)
        box = make_noise_box(problem, True) if noise_weight else None
        start = start if box is None else add_noise(start, box, noise_weight)
        runs.append(run_solver(solver(problem.covariance_estimator), start, problem, stopping))
    return runs[0], runs[1], problem


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(8)})
def test_the_same_iterations(structure: str, seed: int) -> None:
    n_features = (1, 2, 3, 4, 5, 6, 7, 10)[seed]
    rows = groups(seed, 120, n_features, 3)
    weights = np.random.default_rng(seed).uniform(0.0, 2.0, len(rows)) if seed % 2 else None
    found, expected, _ = run_fused_and_loop(rows, structure, 1 + seed % 4, MeanGainRule(0.0, 25), weights, seed)
    values, wanted = found.trace.log_likelihoods, expected.trace.log_likelihoods
    assert len(values) == len(wanted)
    # Turns of shared axes end by a rule that rounding may meet one turn earlier.
    tolerance = 1e-6 if structure in ("EVE", "VVE") else 1e-9
    np.testing.assert_allclose(values, wanted, rtol=tolerance, atol=tolerance * len(rows))
    if structure not in ("EVE", "VVE"):
        np.testing.assert_allclose(found.model.covariances, expected.model.covariances, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.model.means, expected.model.means, rtol=1e-6, atol=1e-8)
    assert type(found.model.covariance) is type(expected.model.covariance)
    assert np.all(np.diff(found.trace.seconds) >= 0.0)


@every_structure
@pytest.mark.parametrize("stopping", [RelativeGainRule(1e-6), MeanGainRule(1e-4, 500)])
def test_the_same_end(structure: str, stopping: StoppingRule) -> None:
    rows = np.concatenate([groups(3, 200, 3, 2), groups(4, 100, 3, 1) + 9.0])
    found, expected, _ = run_fused_and_loop(rows, structure, 3, stopping, seed=1)
    assert found.outcome is expected.outcome
    assert found.last_objective == pytest.approx(expected.last_objective, rel=1e-6)
    assert abs(len(found.trace) - len(expected.trace)) <= 2 + len(expected.trace) // 10


@parametrize_product({"structure": MCLUST_NAMES, "seeds": interleave(range(60), 7)})
def test_likelihood_never_falls_on_hard_tables(structure: str, seeds: Sequence[int]) -> None:
    for seed in seeds:
        rows, n_components = hard_table(seed)
        found, _, problem = run_fused_and_loop(rows, structure, n_components, MeanGainRule(0.0, 15), seed=seed)
        values = found.trace.log_likelihoods
        assert np.isfinite(values).all()
        size = max(float(np.abs(values).max()), 10.0 * rows.size)
        assert (np.diff(values) >= -1e-9 * size).all(), f"table {seed}"
        assert np.isfinite(problem.e_step(found.model).log_likelihood)


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(4)})
def test_the_same_iterations_with_noise(structure: str, seed: int) -> None:
    rows = np.concatenate([groups(seed, 100, 2, 2), np.random.default_rng(seed).uniform(-9.0, 9.0, (40, 2))])
    weights = np.random.default_rng(seed).uniform(0.0, 2.0, len(rows)) if seed % 2 else None
    found, expected, _ = run_fused_and_loop(rows, structure, 2, MeanGainRule(0.0, 25), weights, seed, 0.1)
    tolerance = 1e-6 if structure in ("EVE", "VVE") else 1e-9
    np.testing.assert_allclose(found.trace.log_likelihoods, expected.trace.log_likelihoods, rtol=tolerance)
    ahead_of, after = found.model.noise, expected.model.noise
    assert ahead_of is not None
    assert after is not None
    assert ahead_of.weight == pytest.approx(after.weight, rel=1e-4)
    assert ahead_of.weight + found.model.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert 0.05 < ahead_of.weight < 0.95
    first = problem_of(rows, structure, weights)
    begun = add_noise(found.model, ahead_of.box, ahead_of.weight)
    assert run_fused_em(first.covariance_estimator, begun, first, RelativeGainRule(1e-9), -np.inf, 5) is not None


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(4)})
def test_the_same_iterations_with_a_prior(structure: str, seed: int) -> None:
    rows = groups(seed, 60, 1 + seed, 3)
    weights = np.random.default_rng(seed).uniform(0.0, 2.0, len(rows)) if seed % 2 else None
    prior = DefaultPrior(shrinkage=0.0 if seed == 3 else 0.5)
    share, count = 0.1 * (seed == 1), 1 + seed
    found, expected, _ = run_fused_and_loop(rows, structure, count, MeanGainRule(0.0, 25), weights, seed, share, prior)
    tolerance = 1e-6 if structure in ("EVE", "VVE") else 1e-9
    values, wanted = found.trace.log_likelihoods, expected.trace.log_likelihoods
    np.testing.assert_allclose(values, wanted, rtol=tolerance, atol=tolerance * len(rows))
    np.testing.assert_allclose(found.model.weights, expected.model.weights, rtol=1e-3, atol=1e-4)
    if structure not in ("EVE", "VVE"):
        np.testing.assert_allclose(found.model.covariances, expected.model.covariances, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.model.means, expected.model.means, rtol=1e-6, atol=1e-8)
    whole = problem_of(rows, structure, weights).with_prior(prior, count)
    begun = initialize_from_labels(whole, np.arange(len(rows)) % count, count)
    assert run_fused_em(whole.covariance_estimator, begun, whole, RelativeGainRule(1e-9), -np.inf, 5) is not None


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(4)})
def test_the_same_iterations_with_labelled_rows(structure: str, seed: int) -> None:
    rows = groups(seed, 90, 2, 3)
    weights = np.random.default_rng(100 + seed).integers(0, 3, len(rows)).astype(float) if seed % 2 else None
    known = np.where(np.arange(90) % 3 == 0, np.arange(90) % 2, -1)
    known = known if weights is None else np.where(weights > 0, known, -1)
    found, expected, _ = run_fused_and_loop(
        rows, structure, 3, MeanGainRule(0.0, 25), weights, seed, 0.1 * (seed > 1), None, known
    )
    bare = run_fused_and_loop(rows, structure, 3, MeanGainRule(0.0, 25), weights, seed, 0.1 * (seed > 1))[0]
    tolerance = 1e-6 if structure in ("EVE", "VVE") else 1e-9
    np.testing.assert_allclose(found.trace.log_likelihoods, expected.trace.log_likelihoods, rtol=tolerance)
    assert abs(found.last_objective - bare.last_objective) > 0.01
    whole = problem_of(rows, structure, weights)
    whole = replace(whole, source=whole.source.with_label_prior(None if known is None else KnownComponents(known)))
    begun = initialize_from_labels(whole, np.arange(len(rows)) % 3, 3)
    assert run_fused_em(whole.covariance_estimator, begun, whole, RelativeGainRule(1e-9), -np.inf, 5) is not None


def test_vanishing_noise_is_left_to_the_loop() -> None:
    rows = groups(2, 90, 2, 1)
    found, expected, _ = run_fused_and_loop(rows, "VVV", 1, RelativeGainRule(1e-12, 3000), noise_weight=1e-7)
    assert found.outcome is expected.outcome
    assert found.last_objective == pytest.approx(expected.last_objective, rel=1e-9)


def test_components_at_the_floor_are_left_to_the_loop() -> None:
    rows = np.repeat([[0.0, 0.0], [1.0, 1.0]], 20, axis=0)
    found, expected, _ = run_fused_and_loop(rows, "VVV", 2, RelativeGainRule(1e-8), seed=2)
    assert found.outcome is expected.outcome
    assert found.last_objective == pytest.approx(expected.last_objective, rel=1e-9)
    assert found.model.covariance.is_floored.all()


def run_first_iterations(problem: Problem, **options: Any) -> Any:
    mixture = initialize_from_labels(problem, np.arange(problem.source.n_rows) % 2, 2)
    stopping = options.pop("stopping", MeanGainRule(0.0, 5))
    solver = replace(EM(problem.covariance_estimator), **options)
    return solver.run_fused(mixture, problem, stopping, -np.inf, 5)


def test_few_rows_are_fused() -> None:
    done = run_first_iterations(problem_of(groups(0, 90), "VVV"))
    assert len(done.objectives) == 5
    assert not done.has_converged
    assert isinstance(done.model, Mixture)


def test_unusual_problems_are_left_to_the_loop() -> None:
    """Such are many rows or columns, a ridge, label probabilities, and rules that are no tolerance."""
    rows = groups(0, 90)
    assert run_first_iterations(problem_of(np.tile(rows, (10**4, 1)), "VVV")) is None
    assert run_first_iterations(problem_of(groups(0, 90, 100), "VVV")) is None
    engine = AutomaticEngine(90)
    ridged = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"), ridge=1e-3, engine=engine)
    assert run_first_iterations(ridged) is None
    plain = problem_of(rows, "VVV")
    shares = np.log(np.full((90, 2), 0.5))
    assert run_first_iterations(replace(plain, source=plain.source.with_label_prior(LogProbabilities(shares)))) is None

    class Never(StoppingRule):
        max_iter = 5

        def is_met(self, progress: Progress) -> bool:
            return False

    assert run_first_iterations(plain, stopping=Never()) is None


def test_without_compiled_code_the_loop_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic, "_found_engines", [automatic.NUMPY_ENGINE])
    assert run_first_iterations(problem_of(groups(0, 90), "VVV")) is None


def test_a_callback_hears_of_every_iteration() -> None:
    heard: list[int] = []
    problem = problem_of(groups(0, 90), "VVV")
    mixture = initialize_from_labels(problem, np.arange(90) % 2, 2)
    run_solver(
        EM(problem.covariance_estimator),
        mixture,
        problem,
        MeanGainRule(0.0, 5),
        lambda number, value, gain: heard.append(number),
    )
    assert heard == [1, 2, 3, 4, 5]


@parametrize_product({"structure": ["EII", "VEI", "EEE", "EVE", "VVV"], "seed": range(2)})
def test_the_expectation_is_that_of_the_last_parameters(structure: str, seed: int) -> None:
    rows = groups(seed, 120, 3, 3)
    weights = np.random.default_rng(seed).uniform(0.0, 2.0, len(rows)) if seed else None
    found, _, problem = run_fused_and_loop(rows, structure, 3, MeanGainRule(0.0, 10), weights, seed)
    assert found.expectation is not None
    expected = problem.e_step(found.model, MomentKind.NONE)
    for name in ("log_likelihood", "entropy", "total_log_max_responsibility", "n_rows", "n_distances"):
        assert getattr(found.expectation, name) == pytest.approx(getattr(expected, name), rel=1e-9)
    np.testing.assert_allclose(found.expectation.moments.mass, expected.moments.mass, rtol=1e-9)
    np.testing.assert_allclose(found.expectation.moments.mean, expected.moments.mean, rtol=1e-8, atol=1e-10)
