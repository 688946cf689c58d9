"""Similar customers: Gower's distance by ranks, references that are typical, and nothing else of the training table."""

import numpy as np
import pytest

from gaussmix.classification.churn.column_distances import DistanceCoordinates, to_coordinates
from gaussmix.classification.churn.reference_customers import N_REFERENCES, N_SHOWN, choose_medoids
from gaussmix.classification.churn.typicality import compute_prominence
from tests.classification.churn.customers import select_rows


def slow_distance(first, second):
    """Gower's distance of two rows of ranks and codes."""
    parts = [abs(a - b) for a, b in zip(first[0], second[0], strict=True) if not np.isnan(a - b)]
    parts += [float(a != b) for a, b in zip(first[1], second[1], strict=True) if a >= 0 and b >= 0]
    return np.mean(parts) if parts else np.inf


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_gowers(seed):
    rng = np.random.default_rng(seed)
    ranks, codes = rng.random((12, 3)), rng.integers(-1, 3, (12, 2))
    ranks[rng.random((12, 3)) < 0.4] = np.nan
    rows = DistanceCoordinates(ranks, codes)
    for i in range(12):
        expected = [slow_distance((ranks[i], codes[i]), (ranks[j], codes[j])) for j in range(12)]
        np.testing.assert_allclose(rows.distances_to(rows, i), expected)


def test_references_are_typical_customers_of_every_segment_and_outcome(model, customers):
    table, has_left, _ = customers
    references = model.state_.references
    np.testing.assert_array_equal(references.has_left, has_left[references.rows.positions])
    numbers = model.assign_segments(table).numbers
    np.testing.assert_array_equal(references.segments + 1, numbers[references.rows.positions])
    for segment in range(len(model.segments())):
        for outcome in (False, True):
            chosen = (references.segments == segment) & (references.has_left == outcome)
            n_candidates = np.count_nonzero((numbers == segment + 1) & (has_left == outcome))
            assert chosen.sum() == min(N_REFERENCES, n_candidates)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_rows", [1, 3, 9, 40, 700])
def test_medoids_stand_beside_the_first_rows(seed, n_rows):
    rng = np.random.default_rng(seed)
    ranks, codes = rng.random((n_rows, 2)), rng.integers(-1, 3, (n_rows, 1))
    ranks[rng.random((n_rows, 2)) < 0.2] = np.nan
    chosen = choose_medoids(DistanceCoordinates(ranks, codes))
    assert len(chosen) == min(n_rows, N_REFERENCES)
    assert (np.diff(chosen) > 0).all()
    assert set(range(min(n_rows, N_SHOWN))) <= set(chosen.tolist())


@pytest.mark.parametrize("seed", range(3))
def test_every_group_of_a_segment_has_a_medoid(seed):
    """The 30 most typical rows are of one group; five smaller groups are found among less typical ones."""
    rng = np.random.default_rng(seed)
    groups = np.r_[np.zeros(30, dtype=int), rng.permutation(np.arange(50) % 5 + 1)]
    ranks = groups[:, None] / 5.0 + rng.normal(0.0, 0.01, (80, 1))
    chosen = choose_medoids(DistanceCoordinates(ranks, np.zeros((80, 1), dtype=np.int64)))
    assert set(groups[chosen]) == set(range(6))


def test_references_resemble_the_customers_of_their_segment(model, customers):
    """They are nearer to all customers than as many who are only typical."""
    table, has_left, _ = customers
    state, references = model.state_, model.state_.references
    cells = state.model.schema.read_cells(table)
    rows = to_coordinates(state.model, state.model.schema.encode_cells(cells), state.summaries)
    prominence = compute_prominence(state.segment_model, state.model.schema.encode_cells(cells))
    for segment in range(len(model.segments())):
        for outcome in (False, True):
            own = np.flatnonzero((prominence.components == segment) & (has_left == outcome))
            kept = references.rows.positions[(references.segments == segment) & (references.has_left == outcome)]
            typical = own[np.argsort(-prominence.values[own], kind="stable")][: len(kept)]
            found, only_typical = (
                np.mean([rows.distances_to(rows.select_rows(some), row).min() for row in own.tolist()])
                for some in (kept, typical)
            )
            assert found <= only_typical


def test_references_have_the_cells_of_the_table(model, customers):
    table, _, _ = customers
    rows = model.state_.references.rows
    assert rows.columns == tuple(table)
    for position, cells in zip(rows.positions.tolist(), rows.to_dicts(), strict=True):
        for name, value in cells.items():
            cell = table[name][position]
            assert (value is None) if cell != cell else value == cell


def test_a_reference_is_nearest_to_itself(model, customers):
    table, _, _ = customers
    references = model.state_.references
    for has_left in (False, True):
        positions = references.rows.positions[references.has_left == has_left][:5]
        for row, customer in zip(positions, model.explain(select_rows(table, positions)), strict=True):
            own = customer.nearest_churned if has_left else customer.nearest_retained
            other = customer.nearest_retained if has_left else customer.nearest_churned
            assert (own.row, own.distance, own.differences) == (row, 0.0, {})
            assert other.distance > 0


def test_differences_are_cells_of_the_similar_customer(model, customers):
    table, has_left, _ = customers
    rows = np.arange(15)
    for i, customer in enumerate(model.explain(select_rows(table, rows))):
        for nearest, outcome in ((customer.nearest_retained, False), (customer.nearest_churned, True)):
            assert has_left[nearest.row] == outcome
            for name, value in nearest.differences.items():
                assert value == table[name][nearest.row]
                assert value != table[name][i]


def test_the_most_typical_customers_of_a_segment_are_shown(model, customers):
    table, _, group = customers
    for segment in model.segments():
        assert len(segment.typical_rows) == N_SHOWN
        for row, cells in zip(segment.typical_rows, segment.typical_customers, strict=True):
            assert cells["service"] == table["service"][row]
            months = table["months"][group == group[row]]
            low, high = np.nanquantile(months, [0.1, 0.9])
            assert low <= cells["months"] <= high
