"""Initialization of many rows: on a sample, better than one run of k-means, and in little memory."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from gaussmix import GaussianMixture
from gaussmix.covariance import MCLUST_NAMES, Structure
from gaussmix.errors import CollapseError
from gaussmix.model import Mixture, Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers import EM, MeanGainRule, run_solver, run_with_halving
from gaussmix.solvers.initialization import INIT_METHODS, initialize, initialize_from_labels, initializer
from gaussmix.solvers.initialization.init_methods import KMEANS_METHOD
from gaussmix.solvers.initialization.subsampling import max_unsampled_rows, sample_if_many_rows, start_sample_size
from gaussmix.types import ND, Array, IntN
from tests.contracts.problems import assert_same_mixture, expectation_of, groups, problem_of
from tests.exhaustive import parametrize_product

MANY = 12_000
every_start = pytest.mark.parametrize("method", INIT_METHODS)


def make_start(
    method: str, rows: ND, n_components: int = 3, structure: str = "VVV", weights: Array | None = None
) -> Mixture:
    return initialize(problem_of(rows, structure, weights), method, n_components, np.random.default_rng(0))


def groups_of_any_shape(seed: int, n_rows: int = 24_000, n_groups: int = 16, distance: float = 3.0) -> tuple[ND, IntN]:
    """Return groups of equal size and random shapes in 8 columns, and the group of each row."""
    rng = np.random.default_rng(seed)
    centers = distance * rng.normal(size=(n_groups, 8))
    shapes = rng.normal(size=(n_groups, 8, 8)) / np.sqrt(8) + np.eye(8)
    member = np.arange(n_rows) % n_groups
    return np.einsum("nij,nj->ni", shapes[member], rng.normal(size=(n_rows, 8))) + centers[member], member


@pytest.mark.parametrize("n_features", [1, 2, 5])
@pytest.mark.parametrize("seed", range(6))
def test_compiled_starts_are_those_of_numpy(seed: int, n_features: int) -> None:
    """Overlapping groups: Lloyd's algorithm stops by its tolerance, by the limit, or when no row moves."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(900, n_features)) + 2.0 * rng.normal(size=(3, n_features))[np.arange(900) % 3]
    scores = [
        GaussianMixture(3, random_state=seed, engine=engine).fit(rows).score_samples(rows)
        for engine in ("compiled", "numpy")
    ]
    np.testing.assert_allclose(*scores, rtol=1e-9)


@parametrize_product({"structure": ["VVV", "VVI", "EEE", "VII"], "seed": range(3)})
def test_a_start_of_separated_groups_is_where_em_from_other_starts_ends(structure: str, seed: int) -> None:
    """Then one start without EM suffices: no other one is better by more than single rows."""
    rng = np.random.default_rng(seed)
    rows = 9.0 * rng.normal(size=(6, 5))[np.arange(1800) % 6] + rng.normal(size=(1800, 5))
    problem, rule = problem_of(rows, structure), MeanGainRule(1e-8, 500)
    solver = EM(problem.covariance_estimator)
    start = initialize(problem, "kmeans", 6, np.random.default_rng(seed))
    others = [initialize(problem, "random_from_data", 6, np.random.default_rng(k)) for k in range(30)]
    others.append(initialize_from_labels(problem, np.arange(1800) % 6, 6))
    best = max(run_solver(solver, other, problem, rule).last_objective for other in others)
    assert expectation_of(problem, start).log_likelihood + problem.total_weight * (
        problem.source.frame.log_abs_det_jacobian
    ) == pytest.approx(best, rel=1e-4)


def test_overlapping_groups_are_fitted_by_em_before_the_fit_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    n_runs = []

    def count_and_run(*arguments, **options):
        n_runs.append(1)
        return run_with_halving(*arguments, **options)

    monkeypatch.setattr(initializer, "run_with_halving", count_and_run)
    for distance, expected in ((9.0, 0), (1.0, 1)):
        n_runs.clear()
        rows = np.random.default_rng(0).normal(size=(600, 2)) + distance * (np.arange(600) % 3)[:, None]
        initialize(problem_of(rows), "kmeans", 3, np.random.default_rng(0))
        assert len(n_runs) == expected


def test_sample_size_grows_with_components_and_columns() -> None:
    assert start_sample_size(1, 1) == 4000
    assert start_sample_size(16, 8) == 4000
    assert start_sample_size(32, 8) == 8000
    assert start_sample_size(32, 100) == 32_000
    assert max_unsampled_rows(3, 2) == 10_000
    assert max_unsampled_rows(32, 100) == 64_000


@every_start
def test_few_rows_are_not_sampled(method: str) -> None:
    rows = groups(0, 10_000)
    problem = problem_of(rows)
    assert sample_if_many_rows(problem, 3, np.random.default_rng(0)) is problem
    if method == KMEANS_METHOD:  # compares another start, too
        return
    plain = INIT_METHODS[method](problem_of(rows), 3, np.random.default_rng(0))
    assert_same_mixture(make_start(method, rows), plain, 0.0)


@parametrize_product({"method": INIT_METHODS, "structure": MCLUST_NAMES})
def test_initial_mixtures_of_many_rows_are_usable(method: str, structure: str) -> None:
    rows = 1e6 * groups(0, MANY) + 1e9
    problem = problem_of(rows, structure)
    found = initialize(problem, method, 3, np.random.default_rng(0))
    assert found.frame is problem.source.frame
    assert found.structure == Structure.from_name(structure)
    assert found.weights.sum() == pytest.approx(1.0)
    assert np.isfinite(expectation_of(problem, found).log_likelihood)
    assert ((found.means > rows.min(axis=0)) & (found.means < rows.max(axis=0))).all()


@every_start
def test_initialization_is_invariant_to_order_repetition_and_weights(method: str) -> None:
    rows = groups(1, MANY)
    counts = np.random.default_rng(0).integers(0, 3, MANY)
    shuffled = np.random.default_rng(0).permutation(rows)
    assert_same_mixture(make_start(method, shuffled), make_start(method, rows), 1e-9)
    repeated = np.repeat(rows, counts, axis=0)
    assert len(repeated) > max_unsampled_rows(3, 2)
    assert_same_mixture(make_start(method, rows, weights=counts.astype(float)), make_start(method, repeated), 1e-9)


@pytest.mark.parametrize("structure", ["VVV", "EII"])
def test_initialization_is_invariant_to_units(structure: str) -> None:
    rows = groups(2, MANY) * [1.0, 3.0]
    plain, moved = (make_start("kmeans", some, structure=structure) for some in (rows, 2.54e-20 * (rows + 40.0)))
    np.testing.assert_allclose(moved.means / 2.54e-20 - 40.0, plain.means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moved.weights, plain.weights, rtol=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_groups_are_found_where_one_kmeans_cuts_and_joins_them(seed: int) -> None:
    rows, member = groups_of_any_shape(seed)
    problem = problem_of(rows)
    truth = expectation_of(problem, initialize_from_labels(problem, member, 16)).log_likelihood / len(rows)
    usual = INIT_METHODS["kmeans"](problem_of(rows[:4000]), 16, np.random.default_rng(0)).logpdf(rows).mean()
    found = initialize(problem, "kmeans", 16, np.random.default_rng(0))
    assert usual < found.logpdf(rows).mean() - 0.1
    # A mixture of 4000 rows is worth about its free parameters over twice as many less on other rows.
    assert expectation_of(problem, found).log_likelihood / len(rows) > truth - 1.5 * found.n_parameters / 8000


@parametrize_product({"method": INIT_METHODS, "n_components": [1, 5]})
def test_fewer_distinct_rows_than_components(method: str, n_components: int) -> None:
    rows = np.repeat([[0.0, 1.0], [2.0, 5.0], [4.0, 4.0]], MANY // 3, axis=0)
    found = make_start(method, rows, n_components)
    assert found.centers.shape == (n_components, 2)
    assert np.isfinite(found.covariances).all()


def test_group_too_small_in_the_sample_gets_its_covariance_from_all_rows() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(60_000, 6)), rng.normal(size=(60, 6)) * 0.1 + 50.0])
    found = make_start("kmeans", rows, 2)
    assert not found.covariance.is_floored.any()
    assert found.weights.min() == pytest.approx(60 / 60_060, rel=1e-6)


def test_collapse_on_the_sample_does_not_stop_the_fit() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(60_000, 6)), rng.normal(size=(60, 6)) * 0.1 + 50.0])
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"), ridge=0.0)
    found = initialize(problem, "kmeans", 2, np.random.default_rng(0))
    assert found.weights.min() == pytest.approx(60 / 60_060, rel=1e-6)
    hopeless = Problem.from_source(
        make_memory_source(np.repeat(np.eye(2), MANY, axis=0)), Structure.from_name("VVV"), ridge=0.0
    )
    with pytest.raises(CollapseError):
        initialize(hopeless, "kmeans", 3, np.random.default_rng(0))


def test_n_iter_counts_only_iterations_on_all_rows() -> None:
    rows = groups(0, MANY)
    fitted = GaussianMixture(3, random_state=0).fit(rows)
    assert fitted.n_iter_ == len(fitted.lower_bounds_) == len(fitted.fit_.trace)
    assert fitted.lower_bound_ == pytest.approx(fitted.score(rows), abs=1e-3)
    begun = GaussianMixture(3, random_state=0, max_iter=0).fit(rows)
    assert begun.n_iter_ == 0
    assert begun.score(rows) == pytest.approx(fitted.lower_bounds_[0], rel=1e-12)
    again = GaussianMixture(3, random_state=0, warm_start=True, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one pass need not converge
        first, second = again.fit(rows).lower_bound_, again.fit(rows).lower_bound_
    assert second > first


MEMORY = """
import resource, warnings
import numpy as np
from gaussmix import GaussianMixture

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
centers = 3.0 * rng.normal(size=(16, 8))
rows = np.empty((500_000, 8))
for begin in range(0, len(rows), 10_000):
    rows[begin : begin + 10_000] = centers[rng.integers(16, size=10_000)] + rng.normal(size=(10_000, 8))
GaussianMixture(2, max_iter=1).fit(rows[:100])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for options in ({"means_init": centers}, {"init_params": "random"}, {}):
    GaussianMixture(16, max_iter=2, random_state=0, **options).fit(rows)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the process in kilobytes, as Linux counts it")
def test_fit_needs_little_memory_beyond_the_rows() -> None:
    """The rows need 32 MB. Labels of all rows would need 4 MB, responsibilities 64 MB."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    peaks = dict(zip(("given", "random", "kmeans"), map(int, done.stdout.split()), strict=True))
    assert max(peaks.values()) < 30_000, peaks
