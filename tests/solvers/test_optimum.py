"""Every solver converges to the maximum that EM converges to, and none fails on degenerate data."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix import Constraints, GaussianMixture, ParameterError
from gaussmix.core.threads import threads
from gaussmix.covariance import MCLUST_NAMES, DefaultPrior
from gaussmix.covariance.factor_structure import FACTOR_STRUCTURE_NAMES, parse_structure
from gaussmix.engines import NumpyEngine
from gaussmix.model import Mixture, Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers import EM, MeanGainRule, run_solver
from gaussmix.solvers.em.stochastic import DrawnComponents
from gaussmix.solvers.initialization import initialize, initialize_from_labels
from gaussmix.solvers.solver_table import SOLVERS, SolverOptions
from gaussmix.types import ND, IntN
from tests.exhaustive import interleave, parametrize_product
from tests.laws.strategies import hard_table

SOFT_SOLVERS = [name for name in SOLVERS if name != "cem"]
KEEPING_THE_OPTIMUM = [name for name in SOFT_SOLVERS if name not in ("em", "annealing")]
soft_solver = pytest.mark.parametrize("name", SOFT_SOLVERS)
ignore_convergence_warning = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_separated_groups(seed: int, n_rows: int = 300, n_features: int = 3) -> tuple[ND, IntN]:
    """Return rows of three elongated groups that hardly overlap, and their groups."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n_rows)
    turns = rng.normal(size=(3, n_features, n_features))
    spread = np.einsum("nij,nj->ni", turns[truth], rng.normal(size=(n_rows, n_features)))
    return spread + 9.0 * rng.normal(size=(3, n_features))[truth], truth


def make_overlapping_groups(seed: int, n_rows: int = 1000) -> tuple[ND, IntN]:
    """Return rows of three groups with unit covariance, two standard deviations apart, and their groups."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n_rows)
    return rng.normal(size=(n_rows, 2)) + np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])[truth], truth


def mean_objective(problem: Problem, mixture: Mixture) -> float:
    """Return log-likelihood plus log prior density per row."""
    prior = problem.covariance_estimator.log_prior(mixture.centers, mixture.covariance)
    return (problem.e_step(mixture).log_likelihood + prior) / problem.total_weight


def run_to_convergence(name: str, problem: Problem, start: Mixture, passes: int = 3000) -> Mixture:
    solver = SOLVERS[name].factory(EM(problem.covariance_estimator), SolverOptions(5))
    return run_solver(solver, start, problem, MeanGainRule(1e-9, passes)).model


# From its start of seed 4 L-BFGS reaches a point from which no step raises the likelihood.
@parametrize_product({"name": KEEPING_THE_OPTIMUM, "seed": range(20)}, also=[("lbfgs", 4)])
def test_the_same_maximum_as_em(name: str, seed: int) -> None:
    problem = Problem.from_source(make_memory_source(make_separated_groups(seed)[0]), parse_structure("VVV", None))
    start = initialize(problem, "kmeans", 3, np.random.default_rng(seed))
    found, expected = (mean_objective(problem, run_to_convergence(each, problem, start)) for each in (name, "em"))
    if name == "sem":  # may leave a start for a better place
        assert found > expected - 1e-5
    else:
        assert found == pytest.approx(expected, abs=1e-5)


def test_annealing_mostly_finds_the_same_maximum() -> None:
    """Annealing forgets the start, even a good one."""
    reached = []
    for seed in range(20):
        problem = Problem.from_source(make_memory_source(make_separated_groups(seed)[0]), parse_structure("VVV", None))
        start = initialize(problem, "kmeans", 3, np.random.default_rng(seed))
        found, expected = (
            mean_objective(problem, run_to_convergence(each, problem, start)) for each in ("annealing", "em")
        )
        reached.append(found > expected - 1e-5)
    assert np.mean(reached) >= 0.7


@parametrize_product({"name": KEEPING_THE_OPTIMUM, "structure": [*MCLUST_NAMES, *FACTOR_STRUCTURE_NAMES[::-1]]})
def test_the_same_maximum_in_every_structure(name: str, structure: str) -> None:
    rows, truth = make_separated_groups(3)
    problem = Problem.from_source(make_memory_source(rows), parse_structure(structure, 1))
    start = initialize_from_labels(problem, truth, 3)
    # Where loadings and noise of each column stand for much the same, first-order steps become very slow.
    slow = structure in FACTOR_STRUCTURE_NAMES and name in ("adam", "sgd")
    limit = 1000 if structure in FACTOR_STRUCTURE_NAMES else 3000
    ends = (
        run_to_convergence(name, problem, start, 200 if slow else limit),
        run_to_convergence("em", problem, start, limit),
    )
    found, expected = (mean_objective(problem, end) for end in ends)
    assert found > expected - (5e-3 if slow else 1e-5)


@parametrize_product({"name": SOFT_SOLVERS, "seed": range(3)})
def test_the_same_maximum_with_prior_noise_and_known_rows(name: str, seed: int) -> None:
    rows, truth = make_separated_groups(seed)
    rows = np.vstack([rows, np.random.default_rng(seed).uniform(rows.min(), rows.max(), size=(30, 3))])
    known = np.where(np.arange(330) % 10 == 0, np.append(truth, np.full(30, -1)), -1)
    options = {"prior": DefaultPrior(), "noise": True, "tol": 1e-9, "max_iter": 3000, "random_state": seed}
    found, expected = (GaussianMixture(3, solver=each, **options).fit(rows, labels=known) for each in (name, "em"))
    assert found.lower_bound_ == pytest.approx(expected.lower_bound_, abs=1e-5)
    assert np.mean(found.predict(rows)[:300] == truth) > 0.9


FIXED = {
    "weights": Constraints(equal_weights=True),
    "a weight": Constraints(weights=[0.5, np.nan, np.nan]),
    "a mean": Constraints(means=[[1.0, 2.0, 3.0], [np.nan] * 3, [np.nan] * 3]),
    "a covariance": Constraints(covariances=[np.diag([1.0, 2.0, 3.0]), None, None]),
}


@parametrize_product({"name": SOFT_SOLVERS, "what": FIXED})
def test_fixed_parameters_stay_fixed(name: str, what: str) -> None:
    rows, _ = make_separated_groups(4)
    options = {"constraints": FIXED[what], "tol": 1e-9, "max_iter": 3000, "random_state": 0}
    found, expected = (GaussianMixture(3, solver=each, **options).fit(rows) for each in (name, "em"))
    assert found.fit_.log_likelihood > expected.fit_.log_likelihood - 1e-5 * len(rows)
    if what == "weights":
        np.testing.assert_allclose(found.weights_, 1 / 3)
    if what == "a weight":
        assert 0.5 in found.weights_
    if what == "a mean":
        np.testing.assert_allclose(found.means_[0], [1.0, 2.0, 3.0])
    if what == "a covariance":
        np.testing.assert_allclose(found.covariances_[0], np.diag([1.0, 2.0, 3.0]), atol=1e-12)


@parametrize_product(
    {
        "name": SOLVERS,
        "structure": ["VVV", "EEE", "VVI", "VII", "VEV", "EVE"],
        "seeds": interleave(range(12), 3),
    },
    together=[("name", "seeds")],
)
def test_degenerate_data_give_finite_parameters(name: str, structure: str, seeds: Sequence[int]) -> None:
    """Fit duplicates, ties, collinear and constant columns, fewer rows than columns, and heavy tails."""
    for seed in seeds:
        rows, n_components = hard_table(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = GaussianMixture(n_components, covariance_type=structure, solver=name, random_state=seed)
            estimator.set_params(max_iter=60, tol=1e-5).fit(rows)
        assert np.isfinite(estimator.fit_.log_likelihood), seed
        assert np.isfinite(estimator.means_).all(), seed
        model = estimator.model_
        assert np.isfinite(model.covariance.log_determinants).all(), seed
        assert (np.linalg.eigvalsh(model.covariance.matrices()) > 0).all(), seed
        assert np.isfinite(estimator.score_samples(rows)).all(), seed


@pytest.mark.parametrize("name", ["squarem", "anderson", "auto", "lbfgs"])
def test_accelerated_solvers_need_fewer_iterations_where_groups_overlap(name: str) -> None:
    fewer = []
    for seed in range(5):
        rows, truth = make_overlapping_groups(seed)
        problem = Problem.from_source(make_memory_source(rows), parse_structure("VVV", None))
        start = initialize_from_labels(problem, truth, 3)
        stopping = MeanGainRule(1e-9, 5000)
        slow = run_solver(EM(problem.covariance_estimator), start, problem, stopping)
        fast = run_solver(
            SOLVERS[name].factory(EM(problem.covariance_estimator), SolverOptions()), start, problem, stopping
        )
        assert fast.last_objective > slow.last_objective - 1e-4 * len(rows)
        fewer.append(len(slow.trace) / len(fast.trace))
    assert np.median(fewer) > 2.0


@parametrize_product({"name": ["em", "squarem", "anderson", "natural", "auto"], "seed": range(5)})
def test_a_trace_never_falls(name: str, seed: int) -> None:
    rows, _ = make_overlapping_groups(seed, 300)
    problem = Problem.from_source(make_memory_source(rows), parse_structure("VEV", None))
    start = initialize(problem, "random", 3, np.random.default_rng(seed))
    values = run_solver(
        SOLVERS[name].factory(EM(problem.covariance_estimator), SolverOptions()),
        start,
        problem,
        MeanGainRule(1e-10, 500),
    ).trace
    assert np.diff(values.log_likelihoods).min() >= -1e-9 * abs(values.log_likelihoods[-1])


def test_annealing_keeps_a_good_start_of_groups_at_the_corners_of_a_simplex() -> None:
    corners = 6.0 * np.vstack([np.zeros(3), np.eye(3)])
    kept = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rows = corners[rng.integers(0, 4, 800)] + rng.normal(size=(800, 3))
        given: Any = {"random_state": 0, "tol": 1e-5, "max_iter": 500}
        ends = [GaussianMixture(4, solver=name, **given).fit(rows) for name in ("annealing", "em")]
        kept.append(ends[0].score(rows) > ends[1].score(rows) - 1e-3)
    assert np.mean(kept) >= 0.9


def test_annealing_leaves_a_poor_start_that_em_cannot_leave() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 100)
    rows = rng.normal(size=(300, 2)) + np.array([[0.0, 0.0], [8.0, 0.0], [16.0, 0.0]])[truth]
    poor = np.where(truth == 0, np.arange(300) % 2, 2)  # two components in one group, one on two
    problem = Problem.from_source(make_memory_source(rows), parse_structure("VVV", None))
    start = initialize_from_labels(problem, poor, 3)
    stuck, free = (mean_objective(problem, run_to_convergence(name, problem, start)) for name in ("em", "annealing"))
    assert free > stuck + 0.1


def test_classification_em_makes_groups_too_narrow_and_reports_its_own_objective() -> None:
    rows, _ = make_overlapping_groups(1)
    options = {"random_state": 0, "tol": 1e-8, "max_iter": 2000}
    hard, soft_ = (GaussianMixture(3, solver=name, **options).fit(rows) for name in ("cem", "em"))
    assert np.linalg.det(hard.covariances_).mean() < np.linalg.det(soft_.covariances_).mean()
    assert hard.fit_.log_likelihood < soft_.fit_.log_likelihood
    scores = hard.model_.predict_proba(rows).max(axis=1)
    classified = (np.log(scores) + hard.score_samples(rows)).sum() / len(rows)
    assert hard.lower_bound_ == pytest.approx(classified, abs=1e-6)


def draw_labels(problem: Problem, mixture: Mixture, seed: int, iteration: int) -> IntN:
    """Return the component that stochastic EM draws for each row, (n,)."""
    draws = DrawnComponents(NumpyEngine(), mixture.to_quadratics(), seed, iteration, None)
    return np.concatenate(problem.source.reduce(lambda batch: [draws.resolve(batch).labels]))


def test_draws_depend_on_seed_and_iteration_but_not_on_threads() -> None:
    rows, truth = make_overlapping_groups(2, 20_000)
    problem = Problem.from_source(make_memory_source(rows), parse_structure("VVV", None))
    mixture = initialize_from_labels(problem, truth, 3)
    with threads(1):
        one = draw_labels(problem, mixture, 7, 1)
    with threads(4):
        several = draw_labels(problem, mixture, 7, 1)
    np.testing.assert_array_equal(one, several)
    part = replace(problem, source=make_memory_source(rows[:5000]).with_frame(problem.source.frame))
    np.testing.assert_array_equal(draw_labels(part, mixture, 7, 1), one[:5000])
    assert np.mean(draw_labels(problem, mixture, 8, 1) != one) > 0.1
    assert np.mean(draw_labels(problem, mixture, 7, 2) != one) > 0.1
    shares = mixture.predict_proba(rows).mean(axis=0)
    np.testing.assert_allclose(np.bincount(one) / len(rows), shares, atol=0.02)


@ignore_convergence_warning
@pytest.mark.parametrize("name", ["adam", "sgd", "natural"])
def test_the_learning_rate_changes_the_trace(name: str) -> None:
    rows, _ = make_overlapping_groups(0, 300)
    ends = [
        GaussianMixture(3, solver=name, learning_rate=rate, max_iter=5, tol=0.0, random_state=0).fit(rows).lower_bounds_
        for rate in (None, 0.01 if name != "natural" else 0.5)
    ]
    assert ends[0] != ends[1]


@ignore_convergence_warning
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_the_batch_size_changes_the_trace(name: str) -> None:
    rows, _ = make_overlapping_groups(0, 2000)
    ends = [
        GaussianMixture(3, solver=name, batch_size=size, max_iter=5, tol=0.0, random_state=0).fit(rows).lower_bounds_
        for size in (None, 50, 2000)
    ]
    assert ends[0] != ends[1]
    assert ends[1] != ends[2]


@ignore_convergence_warning
@pytest.mark.parametrize("name", ["adam", "sgd", "sem"])
def test_results_depend_on_the_seed_but_not_on_the_row_order(name: str) -> None:
    rows, _ = make_overlapping_groups(0, 600)
    means = [
        GaussianMixture(3, solver=name, max_iter=15, tol=0.0, random_state=seed).fit(table).means_
        for seed, table in ((0, rows), (0, rows), (1, rows), (0, rows[::-1]))
    ]
    np.testing.assert_array_equal(means[0], means[1])
    assert not np.array_equal(means[0], means[2])
    if name != "sem":  # which draws by the place of a row
        np.testing.assert_allclose(means[0], means[3], rtol=1e-6, atol=1e-8)


@soft_solver
def test_units_and_offsets_are_irrelevant(name: str) -> None:
    rows, _ = make_overlapping_groups(5, 400)
    fits = [
        GaussianMixture(3, solver=name, tol=1e-9, max_iter=3000, random_state=0).fit(table)
        for table in (rows, 1e-6 * rows, rows + 1e5)
    ]
    shifts = [0.0, 2 * np.log(1e-6), 0.0]
    for fit, shift in zip(fits, shifts, strict=True):
        assert fit.lower_bound_ + shift == pytest.approx(fits[0].lower_bound_, abs=1e-4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"solver": "newton"}, "solver must be one of em, squarem"),
        ({"solver": None}, "solver must be one of"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"learning_rate": "fast"}, "learning_rate must be"),
        ({"learning_rate": np.inf}, "learning_rate must be"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size must be"),
        ({"solver": "lbfgs", "reg_covar": 1e-6}, "has no ridge"),
        ({"solver": "adam", "reg_covar": 1e-6}, "has no ridge"),
    ],
)
def test_invalid_options_raise(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        GaussianMixture(2, **wrong).fit(make_overlapping_groups(0, 100)[0])


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_an_exhausted_run_has_converged() -> None:
    rows = np.repeat(make_overlapping_groups(0, 3)[0], 20, axis=0)
    fitted = GaussianMixture(3, solver="lbfgs", random_state=0, max_iter=1000).fit(rows)
    assert fitted.n_iter_ < 1000
    assert fitted.converged_


DETERMINISTIC = [name for name in SOFT_SOLVERS if name not in ("sem", "annealing")]


@parametrize_product(
    {"name": DETERMINISTIC, "init_params": ["k-means++", "random_from_data"], "seed": range(3)},
    together=[("name", "init_params")],
)
def test_starts_at_single_rows_converge_as_em_does(name: str, init_params: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(300, 2)) + np.array([[0.0, 0.0], [8.0, 0.0]])[rng.integers(0, 2, 300)]
    given: Any = {"init_params": init_params, "random_state": 0}
    expected = GaussianMixture(2, **given).fit(rows).score(rows)
    assert GaussianMixture(2, solver=name, **given).fit(rows).score(rows) > expected - 2e-3


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@parametrize_product({"name": DETERMINISTIC, "structure": ["VVV", "EVE", "VVI", "VII"]})
def test_one_component_has_one_optimum(name: str, structure: str) -> None:
    rows = np.round(np.random.default_rng(86).normal(size=(239, 4)))
    given: Any = {"covariance_type": structure, "tol": 1e-8, "max_iter": 2000, "random_state": 0}
    expected = GaussianMixture(1, **given).fit(rows).score(rows)
    found = GaussianMixture(1, solver=name, init_params="k-means++", **given).fit(rows)
    assert found.score(rows) == pytest.approx(expected, abs=1e-5)


@parametrize_product(
    {"name": ["adam", "sgd", "natural"], "rate": [3.0, 10.0, 1e3, 1e300], "passes": [1, 3, 200]}, strength=2
)
@ignore_convergence_warning
def test_no_learning_rate_ends_below_the_start(name: str, rate: float, passes: int) -> None:
    rows, _ = make_overlapping_groups(1, 2000)
    start = GaussianMixture(3, random_state=0, max_iter=0).fit(rows).score(rows)
    found = GaussianMixture(3, solver=name, learning_rate=rate, max_iter=passes, random_state=0).fit(rows)
    assert found.score(rows) > start - 1e-3
    assert np.isfinite(found.covariances_).all()


@pytest.mark.filterwarnings("ignore::gaussmix.DataWarning")
@ignore_convergence_warning
@parametrize_product(
    {"passes": [3, 4, 30, 300], "name, rate, size": [("sgd", 2.0, None), ("adam", 0.99, 7), ("adam", 5.0, None)]}
)
def test_small_batches_of_heavy_tails_do_not_end_below_the_start(
    name: str, rate: float, size: int | None, passes: int
) -> None:
    for seed in range(4):
        rows = np.random.default_rng(seed).standard_t(1.2, size=(400, 2))
        given: Any = {"covariance_type": "diag", "init_params": "random", "random_state": 1}
        start = GaussianMixture(2, max_iter=0, **given).fit(rows).score(rows)
        way: Any = {"solver": name, "learning_rate": rate, "batch_size": size, "max_iter": passes}
        found = GaussianMixture(2, **way, **given).fit(rows)
        assert found.score(rows) >= start - 1e-12 * abs(start)
        assert found.lower_bound_ == pytest.approx(found.score(rows), rel=1e-9)


@pytest.mark.parametrize(("name", "rate"), [("adam", 1e-4), ("sgd", 1e-2), ("natural", 1e-6)])
def test_a_small_learning_rate_is_not_taken_for_convergence(name: str, rate: float) -> None:
    rows, _ = make_overlapping_groups(1, 1000)
    best = GaussianMixture(3, random_state=0).fit(rows).score(rows)
    found = GaussianMixture(3, solver=name, learning_rate=rate, max_iter=3000, random_state=0).fit(rows)
    assert found.converged_
    assert found.score(rows) > best - 5e-3


@ignore_convergence_warning
@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_has_the_same_start(name: str) -> None:
    rows, _ = make_overlapping_groups(1, 200)
    for seed in range(3):
        given: Any = {"max_iter": 0, "random_state": seed, "init_params": "random_from_data"}
        starts = [GaussianMixture(3, solver=one, **given).fit(rows).means_ for one in ("em", name)]
        np.testing.assert_array_equal(starts[0], starts[1])


@pytest.mark.parametrize("name", ["lbfgs", "adam", "sgd"])
@pytest.mark.parametrize("tol", [1e-3, 1e-6])
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_gradient_solvers_converge_at_the_floor(name: str, tol: float) -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(100, 2)), rng.normal(size=(100, 2)) + 6.0])
    flat = np.column_stack([rows, np.full(200, 3.0)])
    fitted = GaussianMixture(2, solver=name, tol=tol, random_state=0).fit(flat)
    assert fitted.converged_
    assert fitted.score(flat) == pytest.approx(GaussianMixture(2, random_state=0).fit(flat).score(flat), abs=1e-6)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_annealing_from_a_start_of_noise_alone() -> None:
    rows = np.random.default_rng(108).normal(size=(9, 5))
    rows[:2] *= 1e6
    given: Any = {"covariance_type": "EII", "prior": "default", "noise": True, "random_state": 0}
    assert np.isfinite(GaussianMixture(5, solver="annealing", **given).fit(rows).score(rows))


@parametrize_product({"name": SOLVERS, "structure": ["VVV", "EVV", "VEE"]})
@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_a_warm_start_from_noise_alone(name: str, structure: str) -> None:
    rows = np.random.default_rng(0).uniform(size=(60, 2))
    mixture = GaussianMixture(1, covariance_type=structure, noise=True, solver="cem", random_state=0).fit(rows)
    assert mixture.noise_weight_ == 1.0
    again = mixture.set_params(solver=name, warm_start=True).fit(rows)
    assert np.isfinite(again.score(rows))
    assert np.isfinite(again.means_).all()
