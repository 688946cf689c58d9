"""Contract of k-means runners: seeds and runs are those of NumPy and of the solver's loop."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.kmeans_run import LloydRunInput, NearestCenters
from gaussmix.core.outcome import Outcome
from gaussmix.core.quadratics import CentersModel
from gaussmix.engines import AbstractEngine, AutomaticEngine, NumpyEngine, automatic
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.engines.kmeans_runner import AbstractKMeansRunner, SupportsKMeansRuns
from gaussmix.errors import CompiledCodeError, CompiledCodeWarning
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers import RunResult, run_solver
from gaussmix.solvers.em.lloyd import RELATIVE_ROUNDING, Lloyd
from gaussmix.solvers.initialization.distinct_rows import DistinctRows
from gaussmix.solvers.initialization.kmeans import KMeansRows, make_standardized_metric
from gaussmix.solvers.initialization.kmeans_plusplus import kmeans_plusplus
from gaussmix.solvers.stopping import MovementRule
from gaussmix.types import KD, ND, N
from tests.contracts.problems import groups, problem_of

# A new runner is a row here and inherits every test.
ENGINES: dict[str, AbstractEngine] = {"compiled": CompiledEngine(), "automatic": AutomaticEngine(n_rows=150)}
every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)

# Rows, columns and centers: whole and partial registers, tiles and chunks.
SHAPES = [(1, 1, 1), (2, 3, 2), (7, 1, 2), (8, 2, 3), (50, 3, 4), (203, 5, 9), (400, 17, 30), (90, 40, 5)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def runner_of(engine: AbstractEngine) -> AbstractKMeansRunner:
    assert isinstance(engine, SupportsKMeansRuns)
    return engine.kmeans_runner


def run_from(problem: Problem, engine: AbstractEngine, start: KD, max_iter: int, relocate: bool) -> RunResult[KD]:
    problem = replace(problem, engine=engine)
    return run_solver(Lloyd(relocate_empty=relocate), start, problem, MovementRule(0.0, max_iter))


def weights_of(kind: str, n_rows: int) -> N | None:
    rng = np.random.default_rng(n_rows)
    return {"none": None, "counts": rng.integers(1, 4, n_rows) * 1.0, "any": rng.uniform(0.1, 2.0, n_rows)}[kind]


@every_engine
@every_shape
@pytest.mark.parametrize("weights", ["counts", "any"])
def test_seeds_equal_those_of_numpy(engine: AbstractEngine, shape: tuple[int, int, int], weights: str) -> None:
    n_rows, n_columns, n_clusters = shape
    row_weights, nothing = weights_of(weights, n_rows), np.empty(0, dtype=np.int64)
    assert row_weights is not None
    for seed in range(3):
        rows = groups(seed, n_rows, n_columns, n_groups=n_clusters)
        distinct = DistinctRows(rows, row_weights, nothing, nothing)
        for metric in (CentersModel.euclidean, make_standardized_metric(rows.std(axis=0) * 3.0)):
            found, expected = (
                kmeans_plusplus(distinct, n_clusters, one, np.random.default_rng(seed), metric)
                for one in (engine, NumpyEngine())
            )
            np.testing.assert_array_equal(found, expected)


@every_engine
def test_every_distinct_row_is_drawn_once_and_then_any(engine: AbstractEngine) -> None:
    rows = np.arange(6.0)[:, None]
    for seed in range(10):
        uniforms = np.random.default_rng(seed).random(1 + 8 * 3)
        seeds = runner_of(engine).draw_seeds(rows, np.ones(6), uniforms, 3)
        assert seeds is not None
        np.testing.assert_array_equal(np.sort(seeds[:6]), np.arange(6))
        assert (seeds[6:] >= 0).all()
        assert (seeds[6:] < 6).all()


@every_engine
def test_seeds_are_drawn_in_proportion_to_weights(engine: AbstractEngine) -> None:
    uniforms = np.random.default_rng(0).random(2000)
    weights = np.array([1.0, 0.0, 9.0])
    draws = [runner_of(engine).draw_seeds(np.arange(3.0)[:, None], weights, value[None], 1) for value in uniforms]
    shares = np.bincount([int(draw[0]) for draw in draws if draw is not None], minlength=3) / len(draws)
    assert shares[1] == 0.0
    assert shares[2] == pytest.approx(0.9, abs=0.03)


@every_engine
def test_distances_that_overflow_are_refused(engine: AbstractEngine) -> None:
    rows = 1e200 * groups(0, 20)
    assert runner_of(engine).draw_seeds(rows, np.ones(20), np.full(3, 0.5), 1) is None
    run = LloydRunInput(rows, None, 1e200 * groups(1, 2), 0.0, RELATIVE_ROUNDING**2, False, 10)
    result = runner_of(engine).run_lloyd(run)
    assert result is not None
    assert not len(result.objectives)
    assert not result.has_converged


@every_engine
@every_shape
@pytest.mark.parametrize("weights", ["none", "counts", "any"])
def test_runs_equal_those_of_the_loop(engine: AbstractEngine, shape: tuple[int, int, int], weights: str) -> None:
    n_rows, n_columns, n_clusters = shape
    rows = groups(n_rows, n_rows, n_columns, n_groups=n_clusters)
    problem = problem_of(rows, "EII", weights_of(weights, n_rows))
    start = problem.source.collect(None)[0][:n_clusters].copy()
    for max_iter in (1, 3, 300):
        for relocate in (False, True):
            found, expected = (run_from(problem, one, start, max_iter, relocate) for one in (engine, NumpyEngine()))
            np.testing.assert_allclose(found.model, expected.model, rtol=1e-11, atol=1e-11)
            np.testing.assert_allclose(
                found.trace.log_likelihoods, expected.trace.log_likelihoods, rtol=1e-10, atol=1e-9
            )
            assert found.outcome is expected.outcome
    assert found.outcome is Outcome.CONVERGED


@every_engine
def test_empty_clusters_stay_or_are_relocated_as_in_the_loop(engine: AbstractEngine) -> None:
    for seed in range(5):
        problem = problem_of(groups(seed, 150), "EII")
        start = np.vstack([problem.source.collect(None)[0][:3], [[80.0, 80.0], [-90.0, 70.0]]])
        for relocate in (False, True):
            found, expected = (run_from(problem, one, start, 300, relocate) for one in (engine, NumpyEngine()))
            np.testing.assert_allclose(found.model, expected.model, rtol=1e-11, atol=1e-11)
            np.testing.assert_array_equal((found.model == start).all(axis=1)[3:], not relocate)


@every_engine
def test_centers_are_means_of_clusters_of_the_returned_masses(engine: AbstractEngine) -> None:
    rows, weights = groups(0, 300, 4, n_groups=6), np.random.default_rng(0).uniform(0.5, 2.0, 300)
    run = LloydRunInput(rows, weights, rows[:6].copy(), 0.0, RELATIVE_ROUNDING**2, False, 300)
    result = runner_of(engine).run_lloyd(run)
    assert result is not None
    assert result.has_converged
    labels = cdist(rows, result.centers).argmin(axis=1)
    np.testing.assert_allclose(result.masses, np.bincount(labels, weights, minlength=6), rtol=1e-12)
    for k in range(6):
        members = labels == k
        np.testing.assert_allclose(result.centers[k], np.average(rows[members], axis=0, weights=weights[members]))


@every_engine
@every_shape
@pytest.mark.parametrize("weights", ["none", "any"])
def test_nearest_centers_are_those_of_the_last_centers(
    engine: AbstractEngine, shape: tuple[int, int, int], weights: str
) -> None:
    n_rows, n_columns, n_clusters = shape
    rows = groups(n_rows, n_rows, n_columns, n_groups=n_clusters)
    for max_iter in (1, 300):
        run = LloydRunInput(
            rows, weights_of(weights, n_rows), rows[:n_clusters].copy(), 0.0, RELATIVE_ROUNDING**2, False, max_iter
        )
        result = runner_of(engine).run_lloyd(replace(run, finds_nearest_centers=True))
        without = runner_of(engine).run_lloyd(run)
        assert result is not None
        assert result.nearest_centers is not None
        assert without is not None
        assert without.nearest_centers is None
        np.testing.assert_array_equal(result.centers, without.centers)
        squares = cdist(rows, result.centers, "sqeuclidean")
        np.testing.assert_array_equal(result.nearest_centers.labels, squares.argmin(axis=1))
        np.testing.assert_allclose(result.nearest_centers.squared_distances, squares.min(axis=1), atol=1e-12)


@every_engine
def test_a_run_that_needs_python_finds_no_nearest_centers(engine: AbstractEngine) -> None:
    start = np.vstack([groups(0, 2), [[80.0, 80.0]]])
    run = LloydRunInput(groups(0, 50), None, start, 0.0, RELATIVE_ROUNDING**2, True, 10, finds_nearest_centers=True)
    result = runner_of(engine).run_lloyd(run)
    assert result is not None
    assert result.nearest_centers is None


@every_engine
def test_rows_in_any_layout_give_the_same_run(engine: AbstractEngine) -> None:
    rows = groups(2, 120, 5)
    runs = [
        runner_of(engine).run_lloyd(LloydRunInput(one, None, rows[:4].copy(), 0.0, RELATIVE_ROUNDING**2, False, 20))
        for one in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2])
    ]
    for run in runs:
        assert run is not None
        assert runs[0] is not None
        np.testing.assert_array_equal(run.centers, runs[0].centers)


@every_engine
@every_shape
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_as_stored_have_the_nearest_centers_and_distances_of_their_working_coordinates(
    engine: AbstractEngine, shape: tuple[int, int, int], kind: type, order: Literal["C", "F"]
) -> None:
    n_rows, n_columns, n_clusters = shape
    rows = np.asarray(10.0 * groups(n_rows, n_rows, n_columns, n_groups=n_clusters), dtype=kind, order=order)
    exponents = np.arange(n_columns) % 3 - 1
    for frame in (None, Frame(exponents, rows.mean(axis=0), -exponents)):
        batch = Batch(rows, frame=frame)
        centers = batch.rows[:n_clusters] + 0.25
        labels, squares = np.full(n_rows + 1, -7), np.full(n_rows + 1, -7.0)
        out = np.full((n_rows + 1, n_clusters), -7.0)
        assert runner_of(engine).find_nearest_centers(batch, centers, NearestCenters(labels[:-1], squares[:-1]))
        assert runner_of(engine).measure_distances(batch, centers, out[:-1])
        expected = cdist(batch.rows, centers)
        np.testing.assert_allclose(out[:-1], expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(squares[:-1], (expected**2).min(axis=1), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(expected[np.arange(n_rows), labels[:-1]], expected.min(axis=1), rtol=1e-12)
        assert labels[-1] == squares[-1] == -7
        assert (out[-1] == -7.0).all()


@every_engine
def test_the_first_of_equally_near_centers_is_nearest_and_overflow_is_infinite(engine: AbstractEngine) -> None:
    batch = Batch(np.array([[0.0, 0.0], [1.0, 1.0], [1e200, 0.0]]))
    centers = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 2.0], [0.0, -1.0]])
    nearest = NearestCenters(np.empty(3, dtype=np.int64), np.empty(3))
    distances = np.empty((3, 5))
    assert runner_of(engine).find_nearest_centers(batch, centers, nearest)
    assert runner_of(engine).measure_distances(batch, centers, distances)
    np.testing.assert_array_equal(nearest.labels, 0)
    np.testing.assert_array_equal(nearest.squared_distances, [1.0, 1.0, np.inf])
    np.testing.assert_array_equal(distances[2], np.inf)


@every_engine
def test_rows_far_from_the_origin_lose_no_digit(engine: AbstractEngine) -> None:
    rows = np.round(groups(0, 200, 3) * 2.0**20) / 2.0**20
    near, far = problem_of(rows, "EII"), problem_of(rows + 2.0**28, "EII")
    for one in (near, far):
        assert isinstance(one, Problem)
    found = [
        run_from(problem, engine, problem.source.frame.transform_rows(rows[:3] + shift), 300, False).model
        for problem, shift in ((near, 0.0), (far, 2.0**28))
    ]
    centers = [problem.source.frame.restore_means(model) for problem, model in zip((near, far), found, strict=True)]
    np.testing.assert_allclose(centers[1] - 2.0**28, centers[0], atol=1e-6)


@every_engine
def test_groups_do_not_depend_on_the_engine_the_order_and_the_repetition_of_rows(engine: AbstractEngine) -> None:
    rows = groups(1, 200, 3, n_groups=5)
    order = np.random.default_rng(0).permutation(400)

    def centers_of(data: ND, weights: N | None, one: AbstractEngine) -> KD:
        kmeans_rows = KMeansRows.from_problem(replace(problem_of(data, "EII", weights), engine=one))
        return kmeans_rows.find_centers(5, np.random.default_rng(3))

    expected = centers_of(rows, np.full(200, 2.0), NumpyEngine())
    np.testing.assert_allclose(centers_of(rows, np.full(200, 2.0), engine), expected, rtol=1e-10, atol=1e-10)
    repeated = centers_of(np.repeat(rows, 2, axis=0)[order], None, engine)
    np.testing.assert_allclose(repeated, expected, rtol=1e-10, atol=1e-10)


def fail_to_load() -> None:
    """Raise the error of a missing library."""
    raise CompiledCodeError.no_library("nowhere")


def test_without_compiled_code_numpy_runs_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = replace(problem_of(groups(3), "EII"), engine=AutomaticEngine(n_rows=90))
    numpy_rows = KMeansRows.from_problem(replace(problem, engine=NumpyEngine()))
    expected = numpy_rows.find_centers(3, np.random.default_rng(0))
    monkeypatch.setattr(automatic, "_found_engines", [])
    monkeypatch.setattr(automatic, "_load_compiled_engine", fail_to_load)
    with pytest.warns(CompiledCodeWarning, match="at nowhere"):
        found = KMeansRows.from_problem(problem).find_centers(3, np.random.default_rng(0))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    nearest = NearestCenters(np.empty(2, dtype=np.int64), np.empty(2))
    assert not runner_of(problem.engine).find_nearest_centers(Batch(np.zeros((2, 2))), np.zeros((1, 2)), nearest)
    assert not runner_of(problem.engine).measure_distances(Batch(np.zeros((2, 2))), np.zeros((1, 2)), np.empty((2, 1)))


def test_a_coreset_has_the_inertia_of_all_rows_on_average() -> None:
    rng = np.random.default_rng(0)
    rows = groups(0, 2000, 3, n_groups=6)
    distinct = DistinctRows(rows, rng.uniform(0.5, 1.5, 2000), np.arange(2000), np.arange(2000))
    centers = rng.normal(size=(4, 3))

    def inertia_of(one: DistinctRows) -> float:
        return float(one.weights @ cdist(one.rows, centers, "sqeuclidean").min(axis=1))

    found = [distinct.draw_coreset(200, np.random.default_rng(seed)) for seed in range(200)]
    assert np.mean([inertia_of(one) for one in found]) == pytest.approx(inertia_of(distinct), rel=0.01)
    assert np.std([inertia_of(one) for one in found]) < 0.1 * inertia_of(distinct)
    assert distinct.draw_coreset(2000, rng) is distinct
    heavy = replace(distinct, weights=np.where(np.arange(2000) < 2, 1e12, 1.0))
    assert heavy.draw_coreset(200, rng) is heavy


def test_a_coreset_contains_small_distant_groups() -> None:
    rows = np.vstack([groups(0, 4000, 6), 50.0 + 0.1 * groups(1, 4, 6)])
    distinct = DistinctRows.from_source(make_memory_source(rows))
    for seed in range(20):
        assert (distinct.draw_coreset(300, np.random.default_rng(seed)).rows > 40.0).any()


def test_sources_of_few_rows_are_one_distinct_row_at_least() -> None:
    distinct = DistinctRows.from_source(make_memory_source(np.ones((20, 2))))
    for engine in ENGINES.values():
        seeds = kmeans_plusplus(distinct, 3, engine, np.random.default_rng(0), CentersModel.euclidean)
        np.testing.assert_array_equal(seeds, np.ones((3, 2)))
