"""Contract of agglomerators: the merges are those of NumPy, with the same choice among equal pairs."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris

from gaussmix.core.group_costs import GroupCost
from gaussmix.core.moments import MomentKind
from gaussmix.engines import (
    AbstractAgglomerator,
    AbstractEngine,
    AutomaticEngine,
    NumpyEngine,
    automatic,
)
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.errors import CompiledCodeError, CompiledCodeWarning
from gaussmix.model.problem import Problem
from gaussmix.solvers.initialization.agglomeration import MAX_GROUPS_FOR_ALL_PAIRS, agglomerate, merge_groups_into_tree
from gaussmix.solvers.initialization.all_pair_merges import pair_merge_costs
from gaussmix.solvers.initialization.hierarchical_clustering import MergeTree, build_merge_tree
from gaussmix.solvers.initialization.merge_criteria import (
    LIKELIHOOD_CRITERIA,
    MAX_DETERMINANT_COLUMNS,
    MERGE_CRITERIA,
    GroupStatistics,
    MergeCriterion,
)
from gaussmix.types import ND, N
from tests.contracts.problems import groups, problem_of
from tests.exhaustive import parametrize_product

# A new agglomerator is a row here and inherits every test.
ENGINES: dict[str, AbstractEngine] = {
    "compiled": CompiledEngine(),
    "automatic": AutomaticEngine(n_rows=150),
}
N_COLUMNS = [*range(1, MAX_DETERMINANT_COLUMNS + 2), 20]

every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
every_criterion = pytest.mark.parametrize("criterion", MERGE_CRITERIA.values(), ids=MERGE_CRITERIA)


def agglomerator_of(engine: AbstractEngine) -> AbstractAgglomerator:
    assert isinstance(engine, CompiledEngine | AutomaticEngine)
    return engine.agglomerator


def group_cost_of(criterion: MergeCriterion, n_columns: int) -> GroupCost:
    cost = criterion.to_group_cost(n_columns, 0.7)
    assert cost is not None
    return cost


def assert_same_merges(engine: AbstractEngine, criterion: MergeCriterion, rows: ND, weights: N | None = None) -> None:
    weights = np.ones(len(rows)) if weights is None else weights
    found = agglomerate(rows, weights, 0.7, agglomerator_of(engine), criterion=criterion)
    np.testing.assert_array_equal(found, agglomerate(rows, weights, 0.7, criterion=criterion))


def tree_of(rows: ND, criterion: str, engine: AbstractEngine, weights: N | None = None) -> MergeTree:
    problem: Problem = problem_of(rows, weights=weights)
    return build_merge_tree(replace(problem, engine=engine), criterion)


@every_engine
@parametrize_product({"criterion": MERGE_CRITERIA, "n_columns": N_COLUMNS})
def test_merges_equal_those_in_numpy(engine: AbstractEngine, criterion: str, n_columns: int) -> None:
    for seed, n_rows in enumerate((1, 2, 3, 8, 9, 75)):
        rows = groups(seed, n_rows=n_rows, n_features=n_columns)
        assert_same_merges(engine, MERGE_CRITERIA[criterion], rows)
        weights = np.random.default_rng(seed).integers(1, 5, n_rows) / 2.0
        assert_same_merges(engine, MERGE_CRITERIA[criterion], rows, weights)


@every_engine
@pytest.mark.parametrize("n_columns", [1, 2, 3, 8])
def test_equal_costs_are_merged_in_the_order_of_numpy(engine: AbstractEngine, n_columns: int) -> None:
    """Without logarithms, which may round otherwise: rows on a grid, many of them repeated."""
    for seed in range(5):
        rows = np.random.default_rng(seed).integers(0, 4, size=(70, n_columns)).astype(float)
        assert_same_merges(engine, MERGE_CRITERIA["EII"], rows)


@every_engine
@every_criterion
def test_rows_that_are_all_equal(engine: AbstractEngine, criterion: MergeCriterion) -> None:
    assert_same_merges(engine, criterion, np.full((20, 3), 2.0))


@every_engine
@every_criterion
@pytest.mark.parametrize("n_columns", [1, 2, 5, MAX_DETERMINANT_COLUMNS, MAX_DETERMINANT_COLUMNS + 1])
def test_costs_of_pairs_equal_those_in_numpy(engine: AbstractEngine, criterion: MergeCriterion, n_columns: int) -> None:
    rng = np.random.default_rng(n_columns)
    parts = [
        GroupStatistics.from_rows(rng.normal(size=(11, n_columns)), rng.uniform(0.5, 2.0, 11), criterion.needs_scatter)
        for _ in range(2 * n_columns)
    ]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge_pairwise_with(part)
    for n_pairs in (1, 7, 8, 30):
        first, second = rng.integers(0, 5, n_pairs), rng.integers(5, 11, n_pairs)
        found = agglomerator_of(engine).compute_pair_costs(
            merged.to_moments(), group_cost_of(criterion, n_columns), first, second
        )
        np.testing.assert_allclose(found, pair_merge_costs(merged, criterion, 0.7, first, second), rtol=1e-10)


@every_engine
@parametrize_product({"criterion": MERGE_CRITERIA, "n_columns": [1, 2, 5, 15]})
def test_trees_of_many_rows_equal_those_in_numpy(engine: AbstractEngine, criterion: str, n_columns: int) -> None:
    rows = groups(n_columns, n_rows=MAX_GROUPS_FOR_ALL_PAIRS + 150, n_features=n_columns)
    found, expected = tree_of(rows, criterion, engine), tree_of(rows, criterion, NumpyEngine())
    np.testing.assert_array_equal(found.children, expected.children)


@every_engine
@pytest.mark.parametrize("criterion", MERGE_CRITERIA)
def test_trees_of_rounded_repeated_and_weighted_rows_equal_those_in_numpy(
    engine: AbstractEngine, criterion: str
) -> None:
    rows = load_iris().data
    for weights in (None, np.random.default_rng(0).integers(0, 4, len(rows)).astype(float)):
        found, expected = (tree_of(rows, criterion, one, weights) for one in (engine, NumpyEngine()))
        np.testing.assert_array_equal(found.children, expected.children)
        np.testing.assert_array_equal(found.leaf_of_row, expected.leaf_of_row)


@every_engine
@pytest.mark.parametrize("n_columns", [1, 2, 5, 13])
def test_merges_by_likelihood_equal_those_in_numpy(engine: AbstractEngine, n_columns: int) -> None:
    """Groups of several rows, for each kind of scatter."""
    for seed, n_groups in enumerate((2, 3, 9, 40)):
        rng = np.random.default_rng(seed)
        draws = 0.3 * rng.normal(size=(n_groups, 7, n_columns)) + 3.0 * rng.normal(size=(n_groups, 1, n_columns))
        mass, mean = rng.uniform(1.0, 50.0, n_groups), draws.mean(axis=1)
        differences = draws - mean[:, None]
        scatter = np.ascontiguousarray(np.einsum("mri,mrj->ijm", differences, differences) * mass / 7.0)
        variances = np.ascontiguousarray(np.einsum("iim->im", scatter))
        for kind, part in ((MomentKind.FULL, scatter), (MomentKind.DIAGONAL, variances), (MomentKind.TRACE, None)):
            statistics = GroupStatistics(
                np.arange(n_groups), mass, np.ascontiguousarray(mean.T), variances.sum(axis=0), part
            )
            criterion = LIKELIHOOD_CRITERIA[kind]
            found, expected = (
                merge_groups_into_tree(statistics, criterion, 1.0, one) for one in (agglomerator_of(engine), None)
            )
            np.testing.assert_array_equal(found, expected)


@every_engine
def test_costs_that_overflow_are_refused(engine: AbstractEngine) -> None:
    criterion = MERGE_CRITERIA["EII"]
    statistics = GroupStatistics.from_rows(groups(0, n_rows=10) * 1e200, np.ones(10), with_scatter=False)
    with np.errstate(over="ignore"):
        assert agglomerator_of(engine).merge_groups(statistics.to_moments(), group_cost_of(criterion, 2)) is None


def test_without_compiled_code_numpy_merges_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, engine = groups(3), AutomaticEngine(n_rows=90)
    expected = tree_of(rows, "VVV", NumpyEngine())
    monkeypatch.setattr(automatic, "_found_engines", [])
    monkeypatch.setattr(automatic, "_load_compiled_engine", fail_to_load)
    with pytest.warns(CompiledCodeWarning, match="at nowhere"):
        np.testing.assert_array_equal(tree_of(rows, "VVV", engine).children, expected.children)
    np.testing.assert_array_equal(tree_of(rows, "VVV", engine).children, expected.children)


def fail_to_load() -> None:
    """Raise the error of a missing library."""
    raise CompiledCodeError.no_library("nowhere")
