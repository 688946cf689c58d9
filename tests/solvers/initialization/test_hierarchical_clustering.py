"""Trees of model-based hierarchical clustering, and initial mixtures cut from them."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture as ScikitMixture

from gaussmix import GaussianMixture, ParameterError
from gaussmix.solvers.initialization.agglomeration import MAX_GROUPS_FOR_ALL_PAIRS
from gaussmix.solvers.initialization.hierarchical_clustering import (
    AGGLOMERATION_METHODS,
    MAX_TREE_ROWS,
    MCLUST_CRITERIA,
    build_merge_tree,
)
from gaussmix.solvers.initialization.merge_criteria import MERGE_CRITERIA, GroupStatistics, MergeCriterion
from gaussmix.solvers.initialization.pooled_agglomeration import agglomerate_pooled
from gaussmix.types import ND, Array, IntN
from tests.contracts.problems import groups, problem_of
from tests.exhaustive import parametrize_product

every_criterion = pytest.mark.parametrize("criterion", AGGLOMERATION_METHODS)
every_sum = pytest.mark.parametrize("criterion", MERGE_CRITERIA)

# R, mclust 6.0.0: sizes of the groups of hclass(hc(iris[, 1:4], modelName, use = "SVD"), 2:6)
IRIS_SIZES = {
    "EII": [[49, 101], [39, 49, 62], [18, 39, 44, 49], [13, 18, 36, 39, 44], [13, 17, 18, 22, 36, 44]],
    "VII": [[49, 101], [39, 49, 62], [16, 33, 39, 62], [16, 18, 33, 39, 44], [16, 17, 18, 22, 33, 44]],
    "EEE": [[49, 101], [39, 49, 62], [18, 39, 44, 49], [13, 18, 36, 39, 44], [13, 17, 18, 22, 36, 44]],
    "VVV": [[49, 101], [39, 49, 62], [16, 33, 39, 62], [16, 18, 33, 39, 44], [16, 17, 18, 22, 33, 44]],
}


def is_same_partition(one: IntN, other: IntN) -> bool:
    return bool(adjusted_rand_score(one, other) == 1.0)


def cut_tree_of(rows: ND, criterion: str, n_components: int = 4, weights: Array | None = None) -> IntN:
    return build_merge_tree(problem_of(rows, weights=weights), criterion).cut_tree(n_components)


def scatter(rows: ND) -> ND:
    return np.asarray((rows - rows.mean(axis=0)).T @ (rows - rows.mean(axis=0)))


def brute_force_term(criterion: str, rows: ND, spread: float) -> float:
    """Return the cost of a group of rows, computed from the rows."""
    (n, d), within = rows.shape, scatter(rows)
    volume = np.linalg.det(within / n) if n > d else 0.0
    prior = np.linalg.det((within + (d + 1) * 0.1 * np.eye(d)) / (n + d + 1))
    terms = {
        "EII": float(np.trace(within)),
        "VII": n * float(np.log((np.trace(within) + spread) / n)),
        "VVV": n * float(np.log(volume + (np.trace(within) + spread) / n)),
        "whitened": n * float(np.log(prior)),
    }
    return float(terms[criterion])


def brute_force_partition(criterion: str, rows: ND, n_left: int, spread: float) -> IntN:
    """Merge the best of all pairs at every step, and return labels."""
    members = [[i] for i in range(len(rows))]
    while len(members) > n_left:
        terms = [brute_force_term(criterion, rows[some], spread) for some in members]
        pairs = [(i, j) for i in range(len(members)) for j in range(i)]
        costs = [
            brute_force_term(criterion, rows[members[i] + members[j]], spread) - terms[i] - terms[j] for i, j in pairs
        ]
        i, j = pairs[int(np.argmin(costs))]
        members[j] += members.pop(i)
    labels = np.empty(len(rows), dtype=np.int64)
    for number, some in enumerate(members):
        labels[some] = number
    return labels


def labels_from_children(steps: IntN, n_rows: int, n_left: int) -> IntN:
    members = {i: [i] for i in range(n_rows)}
    for number, (one, other) in enumerate(steps[: n_rows - n_left].tolist()):
        members[n_rows + number] = members.pop(one) + members.pop(other)
    labels = np.empty(n_rows, dtype=np.int64)
    for number, some in enumerate(members.values()):
        labels[some] = number
    return labels


@parametrize_product({"criterion": MERGE_CRITERIA, "n_features": [1, 2, 3]})
def test_partition_equals_brute_force(criterion: str, n_features: int) -> None:
    rows = groups(n_features, n_rows=30, n_features=n_features)
    steps = AGGLOMERATION_METHODS[criterion].agglomerate(rows, np.ones(30), 0.7)
    for n_left in (2, 5, 12):
        assert is_same_partition(
            labels_from_children(steps, 30, n_left), brute_force_partition(criterion, rows, n_left, 0.7)
        )


def brute_force_pooled_partition(rows: ND, weights: Array, n_left: int, spread: float) -> IntN:
    """Merge the best of all pairs at every step, by determinant and trace of the pooled scatter, and return labels."""
    total, members = weights.sum(), [[i] for i in range(len(rows))]

    def within(some: list[int]) -> ND:
        moved = rows[some] - np.average(rows[some], axis=0, weights=weights[some])
        return np.asarray((moved * weights[some, None]).T @ moved)

    while len(members) > n_left:
        own = sum(within(some) for some in members)
        pairs = [(i, j) for i in range(len(members)) for j in range(i)]
        tried = [
            (own - within(members[i]) - within(members[j]) + within(members[i] + members[j])) / total for i, j in pairs
        ]
        volumes, lengths = np.linalg.det(np.array(tried)), np.trace(np.array(tried), axis1=1, axis2=2)
        by_volume_alone = volumes.min() >= spread
        i, j = pairs[int(np.argmin(volumes if by_volume_alone else volumes + lengths))]
        members[j] += members.pop(i)
    labels = np.empty(len(rows), dtype=np.int64)
    for number, some in enumerate(members):
        labels[some] = number
    return labels


@parametrize_product(
    {
        "n_features": [1, 2, 3],
        "spread": [1e-9, 0.2, 2.0, 1e9],  # determinants alone from the first possible step, or never
        "seed": range(5),
    }
)
def test_pooled_partition_equals_brute_force(n_features: int, spread: float, seed: int) -> None:
    rows = groups(seed, n_rows=25, n_features=n_features)
    weights = np.random.default_rng(seed).integers(1, 4, 25).astype(float)
    steps = agglomerate_pooled(rows, weights, spread)
    for n_left in (2, 5, 12):
        assert is_same_partition(
            labels_from_children(steps, 25, n_left), brute_force_pooled_partition(rows, weights, n_left, spread)
        )


@every_sum
@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_merge_cost_is_the_increase_of_the_criterion(criterion: str, n_features: int) -> None:
    rule: MergeCriterion = MERGE_CRITERIA[criterion]
    rows = groups(1, n_rows=16, n_features=n_features)
    leaves = GroupStatistics.from_rows(rows, np.ones(16), rule.needs_scatter)
    one, other = leaves.take(np.array([0])), leaves.take(np.array([7]))
    for number in range(1, 7):
        one = one.merge_pairwise_with(leaves.take(np.array([number])))
    for number in range(8, 16):
        other = other.merge_pairwise_with(leaves.take(np.array([number])))
    parts = (
        rule.group_costs(one, 0.7),
        rule.group_costs(other, 0.7),
        rule.group_costs(one.merge_pairwise_with(other), 0.7),
    )
    expected = [brute_force_term(criterion, some, 0.7) for some in (rows[:7], rows[7:], rows)]
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-10)


@pytest.mark.parametrize("criterion", MCLUST_CRITERIA)
def test_same_groups_of_iris_as_mclust(criterion: str) -> None:
    rows = load_iris().data
    for n_components, sizes in enumerate(IRIS_SIZES[criterion], start=2):
        assert sorted(np.bincount(cut_tree_of(rows, criterion, n_components))) == sizes


@every_criterion
def test_tree_is_invariant_to_units_offset_and_order(criterion: str) -> None:
    rows, rng = groups(3, n_features=3), np.random.default_rng(0)
    expected = cut_tree_of(rows, criterion)
    assert is_same_partition(
        cut_tree_of(rows * np.array([1e-3, 7.0, 1e90]) + np.array([5.0, -1e6, 0.0]), criterion), expected
    )
    order = rng.permutation(len(rows))
    np.testing.assert_array_equal(np.unique(cut_tree_of(rows[order], criterion)), np.unique(expected))
    assert is_same_partition(cut_tree_of(rows[order], criterion), expected[order])


def test_whitened_criterion_is_invariant_to_linear_maps() -> None:
    rows, turned = groups(4, n_features=3), np.random.default_rng(1).normal(size=(3, 3))
    assert is_same_partition(cut_tree_of(rows @ turned, "whitened"), cut_tree_of(rows, "whitened"))


@every_criterion
def test_weights_equal_repeated_rows(criterion: str) -> None:
    rows, counts = groups(5), np.random.default_rng(2).integers(0, 4, 90)
    weighted = cut_tree_of(rows, criterion, weights=counts.astype(float))
    np.testing.assert_array_equal(weighted == -1, counts == 0)
    repeated = cut_tree_of(np.repeat(rows, counts, axis=0), criterion)
    assert is_same_partition(repeated, np.repeat(weighted, counts))


@every_criterion
def test_cuts_are_nested_and_have_the_requested_number_of_groups(criterion: str) -> None:
    tree = build_merge_tree(problem_of(groups(6)), criterion)
    for n_components in range(1, 90):
        fine, coarse = tree.cut_tree(n_components + 1), tree.cut_tree(n_components)
        assert np.array_equal(np.unique(coarse), np.arange(n_components))
        assert len(np.unique(np.column_stack([fine, coarse]), axis=0)) == n_components + 1


@every_criterion
def test_many_rows_are_merged_with_neighbors_first(criterion: str) -> None:
    rows = groups(7, n_rows=MAX_GROUPS_FOR_ALL_PAIRS + 300) * np.array([1.0, 0.5])
    tree = build_merge_tree(problem_of(rows), criterion)
    assert tree.children.shape == (len(rows) - 1, 2)
    assert len(np.unique(tree.children)) == 2 * (len(rows) - 1)
    for n_components in (3, MAX_GROUPS_FOR_ALL_PAIRS, MAX_GROUPS_FOR_ALL_PAIRS + 100):
        assert len(np.unique(tree.cut_tree(n_components))) == n_components


HARD = {
    "equal rows": (np.full((6, 2), 3.0), 1),
    "one row": (np.array([[1.0, 2.0]]), 1),
    "two rows": (np.array([[1.0, 2.0], [3.0, 2.0]]), 2),
    "a constant column": (np.column_stack([np.arange(8.0), np.full(8, 5.0)]), 8),
    "columns that repeat": (np.repeat(groups(0, n_rows=12, n_features=1), 3, axis=1), 12),
    "more columns than rows": (groups(0, n_rows=5, n_features=20), 5),
    "many columns": (groups(0, n_rows=40, n_features=15), 40),
    "tiny units": (1e-150 * groups(0, n_rows=9), 9),
}


@every_criterion
@pytest.mark.parametrize("case", HARD)
def test_hard_data(criterion: str, case: str) -> None:
    rows, n_distinct = HARD[case]
    tree = build_merge_tree(problem_of(rows), criterion)
    assert len(np.unique(tree.cut_tree(n_distinct))) == n_distinct
    assert len(np.unique(tree.cut_tree(n_distinct + 3))) == n_distinct
    assert not tree.cut_tree(1).any()


def test_normalized_weights_equal_counts() -> None:
    rows = groups(8)
    for criterion in AGGLOMERATION_METHODS:
        assert is_same_partition(
            cut_tree_of(rows, criterion, weights=np.full(90, 1 / 90)), cut_tree_of(rows, criterion)
        )


def test_unknown_criterion() -> None:
    with pytest.raises(ParameterError, match="criterion"):
        build_merge_tree(problem_of(groups(0)), "EEV")


def make_lines(seed: int, n_lines: int, angle: float) -> tuple[ND, IntN]:
    """Return parallel long thin groups, 20 long and 6 apart in units of their width, rotated by an angle."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_lines, size=150 * n_lines)
    rows = np.column_stack([20.0 * rng.normal(size=len(truth)), 6.0 * truth + rng.normal(size=len(truth))])
    return rows @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]), truth


@pytest.mark.parametrize(("n_lines", "angle"), [(2, 0.6), (3, 0.8)])
def test_long_groups_are_found_where_kmeans_cuts_them(n_lines: int, angle: float) -> None:
    found = []
    for seed in range(20):
        rows, truth = make_lines(seed, n_lines, angle)
        ours = GaussianMixture(n_lines, init_params="hierarchical").fit_predict(rows)
        theirs = ScikitMixture(n_lines, random_state=seed).fit_predict(rows) if seed < 3 else np.zeros_like(truth)
        assert adjusted_rand_score(truth, theirs) < 0.5
        found.append(adjusted_rand_score(truth, ours))
    assert np.sum(np.array(found) > 0.95) >= 19


def test_many_rows_are_sampled() -> None:
    rows, _ = make_lines(0, 2, 0.6)
    many = np.vstack([rows + shift * 1e-3 for shift in range(12)])
    assert len(many) > MAX_TREE_ROWS
    starts = [
        GaussianMixture(2, init_params="hierarchical", max_iter=0, random_state=seed).fit(many) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(starts[0].means_, starts[1].means_)
    assert not np.array_equal(starts[0].means_, starts[2].means_)
