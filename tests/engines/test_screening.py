"""Exact screening: sums equal those of a full pass to 1e-12, and most pairs are skipped."""

import numpy as np
import pytest

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind
from gaussmix.core.precision_roots import DensePrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.threads import threads
from gaussmix.engines import AssignmentKind
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.engines.compiled.compiled_pass import CompiledPass
from gaussmix.engines.compiled.screening import make_screening_bounds
from gaussmix.engines.compiled.screening_lists import near_candidate_lists, one_candidate_list
from gaussmix.model.mixture import Mixture
from gaussmix.sources import MemorySource
from gaussmix.types import ND
from tests.contracts.passes import e_step, e_step_on_batch
from tests.exhaustive import parametrize_product

FULL, SCREENED = CompiledEngine(use_screening=False), CompiledEngine()
KIND = {
    "VVV": MomentKind.FULL,
    "EEE": MomentKind.POOLED_FULL,
    "VVI": MomentKind.DIAGONAL,
    "VII": MomentKind.TRACE,
    "EEI": MomentKind.POOLED_DIAGONAL,
}


def make_example(
    structure: str, n_components: int, n_features: int, separation: float, n_rows: int = 3000, seed: int = 0
) -> tuple[Mixture, ND]:
    """Return a mixture with random means and covariances, and rows drawn from it."""
    rng = np.random.default_rng(seed)
    means = separation * rng.normal(size=(n_components, n_features))
    factors = np.eye(n_features) + rng.normal(size=(n_components, n_features, n_features)) / np.sqrt(n_features)
    full = factors @ np.swapaxes(factors, 1, 2)
    variances = np.einsum("kii->ki", full)
    natural = {
        "VVV": full,
        "EEE": full.mean(axis=0),
        "VVI": variances,
        "VII": variances.mean(axis=1),
        "EEI": np.repeat(variances.mean(axis=0)[None], n_components, axis=0),
    }[structure]
    weights = rng.dirichlet(np.full(n_components, 5.0))
    mixture = Mixture.from_parameters(weights, means, natural, structure)
    return mixture, mixture.sample(n_rows, random_state=seed)[0]


def assert_close(found: Expectation, expected: Expectation, tolerance: float = 1e-12) -> None:
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=tolerance)
    assert found.entropy == pytest.approx(expected.entropy, rel=tolerance, abs=tolerance * expected.n_rows)
    assert found.total_log_max_responsibility == pytest.approx(
        expected.total_log_max_responsibility, rel=tolerance, abs=tolerance * expected.n_rows
    )
    ours, theirs = found.moments, expected.moments
    np.testing.assert_allclose(ours.mass, theirs.mass, rtol=tolerance)
    spread = np.abs(theirs.mean).max()
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=0, atol=tolerance * spread)
    np.testing.assert_allclose(ours.scatter, theirs.scatter, rtol=0, atol=tolerance * np.abs(theirs.scatter).max())


SIZES = [
    ("VVV", 16, 8),
    ("VVV", 32, 32),
    ("VVV", 6, 70),
    ("VVV", 40, 9),
    ("VVV", 200, 5),
    ("EEE", 16, 32),
    ("VVI", 30, 20),
    ("VII", 30, 20),
    ("EEI", 150, 4),
    ("EEE", 140, 32),
    ("VVI", 70, 32),
    ("VII", 140, 32),
    ("EEI", 600, 4),
    ("VVV", 1500, 6),
    ("VVV", 400, 20),
]


@parametrize_product(
    {"structure, n_components, n_features": SIZES, "separation": [0.5, 3.0, 12.0], "seed": range(3)},
    together=[("structure, n_components, n_features", "separation")],
)
def test_equals_the_full_pass(structure: str, n_components: int, n_features: int, separation: float, seed: int) -> None:
    mixture, rows = make_example(structure, n_components, n_features, separation, seed=seed)
    quadratics, kind = mixture.to_quadratics(), KIND[structure]
    weights = None if seed else np.random.default_rng(seed).integers(0, 3, len(rows)).astype(float)
    batch = Batch(rows, weights)
    for assign in AssignmentKind:
        expected = e_step_on_batch(FULL, quadratics, batch, kind, assign)
        if (expected.moments.mass > 0).all() or assign is AssignmentKind.SOFT:
            assert_close(e_step_on_batch(SCREENED, quadratics, batch, kind, assign), expected)
    ours, theirs = SCREENED.best_scores(quadratics, batch), FULL.best_scores(quadratics, batch)
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    np.testing.assert_allclose(ours.best_scores, theirs.best_scores, rtol=1e-13)
    np.testing.assert_allclose(ours.log_densities, theirs.log_densities, rtol=1e-13)


def count_pairs_per_row(mixture: Mixture, rows: ND) -> float:
    """Return the number of computed distances per row."""
    compiled_pass = CompiledPass.from_quadratics(mixture.to_quadratics(), 2, use_screening=True)
    return float(compiled_pass.accumulate(Batch(rows)).sums.totals[2]) / len(rows)


@pytest.mark.parametrize(
    ("n_components", "n_features", "separation", "most"),
    [(32, 32, 6.0, 4.0), (16, 128, 6.0, 2.0), (300, 8, 20.0, 40.0), (64, 20, 6.0, 10.0)],
)
def test_skips_most_pairs_of_separated_components(
    n_components: int, n_features: int, separation: float, most: float
) -> None:
    """Copies that fill up groups count as rows here, so the numbers are upper bounds."""
    mixture, rows = make_example("VVV", n_components, n_features, separation, n_rows=6000)
    assert 1.0 <= count_pairs_per_row(mixture, rows) < most


@parametrize_product(
    {
        "n_components, n_features, separation, most": [
            (300, 9, 2.5, 100.0),
            (300, 16, 3.0, 40.0),
            (517, 24, 3.0, 60.0),
            (140, 12, 3.0, 30.0),
        ],
        "seed": range(4),
    }
)
def test_overlapping_components_stand_in_one_list(
    n_components: int, n_features: int, separation: float, most: float, seed: int
) -> None:
    """Sums equal those of the full pass, with weights and without, and a component of weight zero stays empty."""
    mixture, rows = make_example("VVV", n_components, n_features, separation, n_rows=6000, seed=seed)
    quadratics = mixture.to_quadratics()
    offset = quadratics.offset.copy()
    offset[seed] = -np.inf
    closed = Quadratics(offset, quadratics.center, quadratics.precision_root)
    bounds = make_screening_bounds(closed, is_hard=False)
    assert bounds is not None
    assert len(bounds.component_axes) > 0
    assert count_pairs_per_row(mixture, rows) < most
    rows = np.concatenate([rows, 30.0 * rows[:3]])
    weights = None if seed % 2 else np.random.default_rng(seed).integers(0, 3, len(rows)).astype(float)
    for assign in AssignmentKind:
        found, expected = (
            e_step_on_batch(e, closed, Batch(rows, weights), MomentKind.FULL, assign) for e in (SCREENED, FULL)
        )
        assert found.moments.mass[seed] == 0.0
        if (np.delete(expected.moments.mass, seed) > 0).all() or assign is AssignmentKind.SOFT:
            assert_close(found, expected)
    ours, theirs = SCREENED.best_scores(closed, Batch(rows)), FULL.best_scores(closed, Batch(rows))
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    np.testing.assert_allclose(ours.log_densities, theirs.log_densities, rtol=1e-13)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("depth", [3, 8])
def test_squares_along_axes_are_lower_bounds_of_squared_distances(depth: int, seed: int) -> None:
    """They are close to the distances, except where a component is singular."""
    rng = np.random.default_rng(seed)
    n_components = 7
    center = rng.normal(size=(n_components, depth))
    factors = rng.normal(size=(n_components, depth, depth))
    factors[0, -1] = factors[0, 0]  # singular
    covariances = factors @ np.swapaxes(factors, 1, 2)
    _, axes = one_candidate_list(center, covariances, np.zeros(n_components))
    rows = 3.0 * rng.normal(size=(50, depth))
    directions = axes.component_axes.reshape(n_components, -1, depth)
    values = np.einsum("nd,kad->nka", rows, directions) + axes.axis_shifts.reshape(n_components, -1)
    for k in range(1, n_components):
        difference = rows - center[k]
        distances = (difference * np.linalg.solve(covariances[k], difference.T).T).sum(axis=1)
        sums = (values[:, k] ** 2).cumsum(axis=1)
        assert (sums <= distances[:, None] * (1 + 1e-9)).all()
        if np.linalg.eigvalsh(covariances[k]).min() > 1e-2:
            np.testing.assert_allclose(sums[:, -1], distances, rtol=1e-3)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_components", "depth"), [(130, 3), (300, 8), (517, 16)])
def test_lists_of_candidates_hold_the_components_that_the_definition_names(
    n_components: int, depth: int, seed: int
) -> None:
    """The definition is written out in NumPy for every pair; the directions have unit variance."""
    rng = np.random.default_rng(seed)
    center = (60.0 / depth) * rng.normal(size=(n_components, depth))
    factors = np.eye(depth) + 0.5 * rng.normal(size=(n_components, depth, depth)) / np.sqrt(depth)
    covariances, offset = factors @ np.swapaxes(factors, 1, 2), rng.normal(size=n_components)
    offset[seed] = -np.inf
    lists = near_candidate_lists(center, covariances, offset, 40.0)
    assert lists is not None
    max_distance, finite_offset = np.sqrt(depth) + 3.0, np.where(np.isfinite(offset), offset, 0.0)
    n_entries = len(lists.listed_component)
    for b in range(n_components):
        differences = center[b] - center
        separation = (differences**2).sum(axis=1)
        gap = separation - max_distance * np.sqrt(np.einsum("ki,ij,kj->k", differences, covariances[b], differences))
        variance = np.einsum("ki,kij,kj->k", differences, covariances, differences)
        limit = variance * (max_distance**2 + 2.0 * (40.0 - finite_offset[b] + finite_offset))
        is_open = ~((gap > 0) & (gap**2 >= limit)) & np.isfinite(offset)
        is_open[b] = False
        begin, end = lists.list_start[b], lists.list_start[b + 1]
        is_used = np.isfinite(lists.bound_offset[begin:end])
        np.testing.assert_array_equal(lists.listed_component[begin:end][is_used], np.flatnonzero(is_open))
        directions = lists.directions.reshape(-1)[begin * depth : end * depth].reshape(depth, end - begin)[:, is_used]
        used = covariances[is_open]
        np.testing.assert_allclose(np.einsum("ik,kij,jk->k", directions, used, directions), 1.0, rtol=1e-12)
    assert n_entries < 0.5 * n_components**2


def test_lists_that_would_hold_most_components_are_not_made() -> None:
    rng = np.random.default_rng(0)
    covariances = np.repeat(np.eye(5)[None], 200, axis=0)
    assert near_candidate_lists(rng.normal(size=(200, 5)), covariances, np.zeros(200), 40.0) is None


def test_computes_all_pairs_where_components_overlap() -> None:
    mixture, rows = make_example("VVV", 16, 20, 0.05, n_rows=6000)
    assert count_pairs_per_row(mixture, rows) > 0.9 * 16


@pytest.mark.parametrize(
    ("structure", "n_components", "n_features", "looks"),
    [
        ("VVV", 5, 100, False),
        ("VVV", 16, 8, False),
        ("VVV", 100, 3, False),
        ("VVV", 16, 32, True),
        ("EEE", 16, 32, False),
        ("EEE", 140, 32, True),
        ("VII", 64, 32, False),
        ("VII", 140, 32, True),
        ("VVI", 30, 20, False),
        ("VVI", 70, 32, True),
    ],
)
def test_bounds_are_made_only_if_they_save_time(
    structure: str, n_components: int, n_features: int, looks: bool
) -> None:
    mixture, _ = make_example(structure, n_components, n_features, 6.0, n_rows=10)
    assert (make_screening_bounds(mixture.to_quadratics(), is_hard=False) is not None) is looks


def test_a_component_without_a_row_is_computed_in_full() -> None:
    """Its mass of 1e-200 and its mean equal those of the full pass."""
    mixture, rows = make_example("VVV", 12, 24, 6.0)
    quadratics = mixture.to_quadratics()
    center = quadratics.center.copy()
    center[3] = quadratics.center.mean(axis=0) + 8.0
    moved = Quadratics(quadratics.offset, center, quadratics.precision_root)
    found, expected = (e_step_on_batch(e, moved, Batch(rows), MomentKind.FULL) for e in (SCREENED, FULL))
    assert 0 < expected.moments.mass[3] < 1e-12
    assert_close(found, expected)


def test_components_of_weight_zero_and_far_rows() -> None:
    mixture, rows = make_example("VVV", 12, 24, 6.0)
    quadratics = mixture.to_quadratics()
    offset = quadratics.offset.copy()
    offset[5] = -np.inf
    closed = Quadratics(offset, quadratics.center, quadratics.precision_root)
    rows = np.concatenate([rows, 1e6 * rows[:9]])
    found, expected = (e_step_on_batch(e, closed, Batch(rows), MomentKind.FULL) for e in (SCREENED, FULL))
    assert found.moments.mass[5] == 0.0
    assert_close(found, expected)


def test_a_tight_component_within_a_broad_one() -> None:
    rng = np.random.default_rng(0)
    n_features = 30
    center = np.concatenate([np.zeros((2, n_features)), 5.0 * rng.normal(size=(10, n_features))])
    deviations = np.ones((12, n_features))
    deviations[1] = 1e-4
    root = DensePrecisionRoot(np.eye(n_features) / deviations[:, None, :])
    quadratics = Quadratics(np.log(1 / deviations).sum(axis=1), center, root)
    rows = center[rng.integers(12, size=2000)]
    rows = rows + rng.normal(size=rows.shape) * np.where(rng.random((2000, 1)) < 0.3, 1e-4, 1.0)
    found, expected = (e_step_on_batch(e, quadratics, Batch(rows), MomentKind.FULL) for e in (SCREENED, FULL))
    assert_close(found, expected)


def test_the_same_bits_for_any_number_of_threads() -> None:
    mixture, rows = make_example("VVV", 32, 32, 3.0, n_rows=20_000)
    quadratics, source = mixture.to_quadratics(), MemorySource.from_array(rows)
    results = []
    for count in (1, 2, 3, 8):
        with threads(count):
            results.append(e_step(SCREENED, source, quadratics, MomentKind.FULL))
    for other in results[1:]:
        assert other.log_likelihood == results[0].log_likelihood
        np.testing.assert_array_equal(other.moments.scatter, results[0].moments.scatter)
