"""Split-and-merge moves leave poor optima, and never lower the likelihood."""

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.outcome import Outcome
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.model import Problem, prediction
from gaussmix.model.noise import Box
from gaussmix.solvers import EM, MeanGainRule, RunResult, run_solver, split_merge
from gaussmix.solvers.em.split_merge import _split_into_lower_and_upper_half
from gaussmix.solvers.em.split_merge_candidates import (
    OverlapStatistics,
    SplitMergeCandidate,
    compute_overlap_statistics,
    iterate_best_candidates_first,
)
from gaussmix.solvers.initialization import initialize, initialize_from_labels
from gaussmix.solvers.initialization.noise_initialization import add_noise
from tests.contracts.problems import expectation_of, groups, problem_of
from tests.exhaustive import parametrize_product
from tests.laws.strategies import groups as overlapping

STOPPING = MeanGainRule(1e-5, 1000)
CENTERS = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
NO_LABELS = np.empty(0, dtype=np.int64)


def four_groups(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = np.repeat(np.arange(4), 80)
    return CENTERS[member] + rng.normal(size=(320, 2)), member


def run_to_poor_optimum(problem: Problem, rows: np.ndarray, member: np.ndarray) -> RunResult:
    """Return a converged run with two components in one group, and one over two others."""
    labels = np.choose(member, [np.where(rows[:, 0] > 0, 0, 1), 2, 3, 3])
    return run_solver(EM(problem.covariance_estimator), initialize_from_labels(problem, labels, 4), problem, STOPPING)


def objective(problem: Problem, found: RunResult) -> float:
    return expectation_of(problem, found.model).log_likelihood


@parametrize_product({"structure": MCLUST_NAMES, "seed": range(2)})
def test_moves_leave_a_poor_optimum(structure: str, seed: int) -> None:
    rows, member = four_groups(seed)
    problem = problem_of(rows, structure)
    before = run_to_poor_optimum(problem, rows, member)
    best = run_solver(EM(problem.covariance_estimator), initialize_from_labels(problem, member, 4), problem, STOPPING)
    after = split_merge(EM(problem.covariance_estimator), before, problem, STOPPING, 3, NO_LABELS)
    if objective(problem, before) > objective(problem, best) - 1e-3:  # EM has found the way out by itself
        assert after is before
        return
    assert objective(problem, before) < objective(problem, best) - 50
    assert after.n_split_merge == 1
    assert after.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(objective(problem, after), objective(problem, best), rtol=1e-6)
    assert np.all(np.diff(after.trace.log_likelihoods) >= -1e-9 * abs(after.last_objective))


@parametrize_product({"structure": ["VVV", "EEE", "VVI", "EII", "VEV"], "seed": range(5)})
def test_the_likelihood_never_falls(structure: str, seed: int) -> None:
    problem = problem_of(overlapping(seed, 120, n_groups=5), structure)
    start = initialize(problem, "random_from_data", 4, np.random.default_rng(seed))
    before = run_solver(EM(problem.covariance_estimator), start, problem, STOPPING)
    after = split_merge(EM(problem.covariance_estimator), before, problem, STOPPING, 2, NO_LABELS)
    assert objective(problem, after) >= objective(problem, before)
    assert after is before or after.n_split_merge > 0


def test_without_possible_moves_the_run_is_returned() -> None:
    rows, member = four_groups(0)
    problem = problem_of(rows)
    before = run_to_poor_optimum(problem, rows, member)
    assert split_merge(EM(problem.covariance_estimator), before, problem, STOPPING, 0, NO_LABELS) is before
    unfinished = run_solver(EM(problem.covariance_estimator), before.model, problem, STOPPING, max_iter=1)
    assert split_merge(EM(problem.covariance_estimator), unfinished, problem, STOPPING, 1, NO_LABELS) is unfinished
    two = run_solver(
        EM(problem.covariance_estimator), initialize_from_labels(problem, member // 2, 2), problem, STOPPING
    )
    assert split_merge(EM(problem.covariance_estimator), two, problem, STOPPING, 1, NO_LABELS) is two


@pytest.mark.parametrize("seed", range(3))
def test_moves_do_not_depend_on_order_weights_or_units(seed: int) -> None:
    rows, member = four_groups(seed)
    order = np.random.default_rng(seed).permutation(len(rows))

    def found(these: np.ndarray, theirs: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        problem = problem_of(these, weights=weights)
        half = np.median(these[theirs == 0, 0])
        labels = np.choose(theirs, [np.where(these[:, 0] > half, 0, 1), 2, 3, 3])
        before = run_solver(
            EM(problem.covariance_estimator), initialize_from_labels(problem, labels, 4), problem, STOPPING
        )
        after = split_merge(EM(problem.covariance_estimator), before, problem, STOPPING, 2, NO_LABELS)
        assert after.n_split_merge == 1
        return after.model.means[np.lexsort(np.round(after.model.centers).T)]

    expected = found(rows, member)
    np.testing.assert_allclose(found(rows[order], member[order]), expected, atol=1e-6)
    np.testing.assert_allclose((found(1e-3 * rows + 7.0, member) - 7.0) * 1e3, expected, atol=1e-6)
    twice = found(np.repeat(rows, 2, axis=0), np.repeat(member, 2), np.full(640, 0.5))
    np.testing.assert_allclose(twice, expected, atol=1e-6)


def test_moves_with_a_noise_component() -> None:
    rows, member = four_groups(0)
    problem = problem_of(rows)
    box = Box(problem.column_range.minimum, problem.column_range.maximum)
    start = add_noise(run_to_poor_optimum(problem, rows, member).model, box, 0.02)
    before = run_solver(EM(problem.covariance_estimator), start, problem, STOPPING)
    after = split_merge(EM(problem.covariance_estimator), before, problem, STOPPING, 2, NO_LABELS)
    assert after.n_split_merge == 1
    assert after.model.noise is not None
    assert objective(problem, after) > objective(problem, before) + 50


def test_moves_reuse_an_empty_component() -> None:
    rows, member = four_groups(0)
    problem = problem_of(rows)
    labels = np.choose(member, [0, 0, 1, 1])
    before = run_solver(EM(problem.covariance_estimator), initialize_from_labels(problem, labels, 4), problem, STOPPING)
    assert before.model.weights.min() == 0
    after = split_merge(EM(problem.covariance_estimator), before, problem, STOPPING, 4, NO_LABELS)
    assert after.n_split_merge >= 1
    assert objective(problem, after) > objective(problem, before) + 50


@pytest.mark.parametrize("weights", [None, np.random.default_rng(1).integers(0, 3, 90).astype(float)])
def test_overlap_statistics_equal_their_definition(weights: np.ndarray | None) -> None:
    problem = problem_of(groups(0), weights=weights)
    mixture = initialize(problem, "kmeans", 3, np.random.default_rng(0))
    found, rows = compute_overlap_statistics(problem, mixture), problem.source.collect(None)[0]
    counts = np.ones(90) if weights is None else weights
    shares = prediction.responsibilities(mixture, problem.source, problem.engine)
    np.testing.assert_allclose(found.responsibility_products, (shares * counts[:, None]).T @ shares, rtol=1e-12)
    lengths = np.sqrt(counts @ shares**2)
    np.testing.assert_allclose(found.overlaps, found.responsibility_products / np.outer(lengths, lengths), rtol=1e-12)
    for k in range(3):
        mass = counts @ shares[:, k]
        white = (rows - mixture.centers[k]) @ mixture.covariance.precision_root.to_dense(3, 2)[k]
        logs = -0.5 * (white**2).sum(axis=1) - 0.5 * mixture.covariance.log_determinants[k] - np.log(2 * np.pi)
        local = np.where(shares[:, k] > 0, shares[:, k], 1.0) / mass
        expected = counts @ (shares[:, k] / mass * (np.log(local) - logs))
        np.testing.assert_allclose(found.misfits[k], expected, rtol=1e-9)


def test_candidates_are_ranked_and_spare_labelled_and_fixed_components() -> None:
    products = np.array([[1.0, 0.5, 0.1, 0.0], [0.5, 1.0, 0.2, 0.0], [0.1, 0.2, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    found = OverlapStatistics(products, np.array([0.0, 1.0, 2.0, 3.0]), np.zeros(4), np.ones(4))
    nobody = np.zeros(4, dtype=bool)
    every = list(iterate_best_candidates_first(found, NO_LABELS, nobody))
    assert every[0] == SplitMergeCandidate(0, 1, 3)
    assert every[1] == SplitMergeCandidate(0, 1, 2)
    assert all(len({move.merge_target, move.merge_source, move.split_component}) == 3 for move in every)
    for move in iterate_best_candidates_first(found, np.array([1]), nobody):
        assert move.merge_source != 1
    assert SplitMergeCandidate(1, 0, 3) in iterate_best_candidates_first(found, np.array([1]), nobody)
    assert {move.is_flipped for move in iterate_best_candidates_first(found, np.array([3]), nobody)} == {False, True}
    held = np.array([False, False, False, True])
    assert all(
        3 not in (move.merge_target, move.merge_source, move.split_component)
        for move in iterate_best_candidates_first(found, NO_LABELS, held)
    )
    assert not list(iterate_best_candidates_first(found, np.arange(4), nobody))


@pytest.mark.parametrize("kind", [MomentKind.FULL, MomentKind.DIAGONAL])
def test_halves_add_to_the_whole_and_have_moments_of_a_half_gaussian(kind: MomentKind) -> None:
    scatter = 100.0 * (np.array([[4.0, 0.0], [0.0, 1.0]]) if kind is MomentKind.FULL else np.array([4.0, 1.0]))
    whole = Moments(np.array([100.0]), np.array([[1.0, 2.0]]), scatter[None], kind)
    low, high = _split_into_lower_and_upper_half(whole, np.ones(2))
    both = low + high
    for name in ("mass", "mean", "scatter"):
        np.testing.assert_allclose(getattr(both, name), getattr(whole, name), atol=1e-12)
    drawn = np.abs(2.0 * np.random.default_rng(0).normal(size=400_000))
    np.testing.assert_allclose(high.mean[0], [1.0 + drawn.mean(), 2.0], atol=0.01)
    np.testing.assert_allclose(low.mean[0], [1.0 - drawn.mean(), 2.0], atol=0.01)
    spread = high.scatter[0] / 50.0
    np.testing.assert_allclose(spread[0, 0] if kind is MomentKind.FULL else spread[0], drawn.var(), atol=0.02)
