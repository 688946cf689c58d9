"""Short cuts of compiled arithmetic: on both sides of each threshold, results equal the reference engine's."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gaussmix.core.batch import Batch
from gaussmix.core.moments import MomentKind
from gaussmix.core.precision_roots import (
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import CentersModel, Quadratics
from gaussmix.covariance import Structure
from gaussmix.engines import NumpyEngine, ReferenceEngine
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.engines.compiled.engine import _can_subtract_from_total
from gaussmix.engines.compiled.packing import pack_model
from gaussmix.errors import DataError
from gaussmix.estimators import GaussianMixture
from gaussmix.kernels.argument_tuples import (
    DIAGONAL_DISTANCE,
    SPHERICAL_DISTANCE,
    SUM_FIRST_MOMENTS,
    SUM_POOLED_PRODUCTS,
    SUM_SQUARES,
)
from gaussmix.model.problem import Problem, make_memory_source
from gaussmix.solvers.initialization import initialize_from_labels
from gaussmix.sources import MemorySource
from gaussmix.types import ND
from tests.contracts.passes import e_step, e_step_on_batch
from tests.exhaustive import parametrize_product

REFERENCE = ReferenceEngine()


def make_tied_example(smallest: float, n_features: int = 6, seed: int = 0) -> tuple[Quadratics, ND]:
    """Return eight components with one covariance of given smallest deviation, and rows drawn from them."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0]
    deviations = np.geomspace(smallest, 1.0, n_features)
    center = 3.0 * rng.normal(size=(8, n_features))
    rows = center[rng.integers(8, size=900)] + rng.normal(size=(900, n_features)) * deviations @ axes.T
    return Quadratics(np.zeros(8), center, SharedPrecisionRoot(axes / deviations)), rows


@pytest.mark.parametrize(("smallest", "whitens_rows"), [(0.1, True), (2e-3, True), (5e-4, False), (1e-6, False)])
def test_rows_are_whitened_once_only_where_nothing_cancels(smallest: float, whitens_rows: bool) -> None:
    quadratics, rows = make_tied_example(smallest)
    assert (pack_model(quadratics, SUM_FIRST_MOMENTS).arrays.distance_code == SPHERICAL_DISTANCE) is whitens_rows
    batch = Batch(rows)
    for screening in (False, True):
        found = e_step_on_batch(CompiledEngine(screening), quadratics, batch, MomentKind.POOLED_FULL)
        expected = e_step_on_batch(REFERENCE, quadratics, batch, MomentKind.POOLED_FULL)
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-10)
        np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, atol=1e-10 * len(rows))


@pytest.mark.parametrize(("smallest", "from_total"), [(0.1, True), (0.05, True), (1e-3, False), (3e-4, False)])
def test_pooled_scatter_comes_from_the_total_only_where_nothing_cancels(smallest: float, from_total: bool) -> None:
    quadratics, rows = make_tied_example(smallest)
    source = MemorySource.from_array(rows)
    total = REFERENCE.bind(source).e_step(CentersModel.uniform(rows.mean(axis=0)[None]), MomentKind.FULL).moments
    total = total.to_kind(MomentKind.POOLED_FULL)
    assert _can_subtract_from_total(quadratics, total) is from_total
    found = e_step(CompiledEngine(), source, quadratics, MomentKind.POOLED_FULL, total_moments=total)
    expected = e_step(REFERENCE, source, quadratics, MomentKind.POOLED_FULL)
    root = quadratics.precision_root.to_dense(8, 6)[0]
    white = [root.T @ e.moments.scatter @ root / len(rows) for e in (found, expected)]
    # Relative to the smallest eigenvalue, so that a digit lost along the thinnest direction shows.
    np.testing.assert_allclose(white[0], white[1], atol=1e-9)
    assert pack_model(quadratics, SUM_POOLED_PRODUCTS).n_padded_columns >= 6


@parametrize_product({"n_features": [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 31, 40], "n_rows": [1, 7, 8, 9, 65, 500]})
def test_every_number_of_columns_and_rows(n_features: int, n_rows: int) -> None:
    """Padding of registers and of groups of rows must not count."""
    rng = np.random.default_rng(n_features)
    rows = rng.normal(size=(n_rows, n_features))
    mixture = GaussianMixture(3, means_init=rng.normal(size=(3, n_features)), max_iter=0, reg_covar=1.0)
    quadratics = mixture.fit(rng.normal(size=(50, n_features))).model_.to_quadratics()
    for kind in MomentKind:
        found, expected = (e_step_on_batch(e, quadratics, Batch(rows), kind) for e in (CompiledEngine(), REFERENCE))
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
        assert found.n_distances == expected.n_distances == 3 * n_rows
        np.testing.assert_allclose(found.moments.mean, expected.moments.mean, atol=1e-12)
        np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, atol=1e-11 * n_rows)


def assert_engines_agree(quadratics: Quadratics, batch: Batch, kind: MomentKind) -> None:
    """Assert that the kernels, with and without screening, equal the reference."""
    expected = e_step_on_batch(REFERENCE, quadratics, batch, kind)
    for engine in (CompiledEngine(), CompiledEngine(use_screening=False)):
        found = e_step_on_batch(engine, quadratics, batch, kind)
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
        assert found.entropy == pytest.approx(expected.entropy, rel=1e-10, abs=1e-10 * batch.n_rows)
        assert found.total_log_max_responsibility == pytest.approx(
            expected.total_log_max_responsibility, rel=1e-10, abs=1e-10 * batch.n_rows
        )
        np.testing.assert_allclose(found.moments.mass, expected.moments.mass, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(found.moments.mean, expected.moments.mean, atol=1e-10)
        scale = np.abs(expected.moments.scatter).max()
        np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, atol=1e-11 * scale)


@parametrize_product(
    {
        "separation": [0.1, 1.5, 4.0, 40.0],  # from rows that all share to rows with one component
        "n_features": [2, 7, 8, 9, 20],
        "seed": range(2),
    },
    together=[("separation", "n_features")],
)
def test_sums_for_many_and_few_active_rows(separation: float, n_features: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    center = separation * rng.normal(size=(11, n_features))
    rows = center[rng.integers(11, size=700)] + rng.normal(size=(700, n_features))
    weights = rng.integers(0, 3, size=700).astype(float)
    roots = np.triu(0.2 * rng.normal(size=(11, n_features, n_features)), 1) + np.eye(n_features)
    for root in (
        DensePrecisionRoot(roots),
        DiagonalPrecisionRoot(rng.uniform(0.5, 2.0, size=center.shape)),
        SphericalPrecisionRoot(np.ones(11)),
    ):
        for kind in (MomentKind.FULL, MomentKind.DIAGONAL, MomentKind.POOLED_FULL):
            assert_engines_agree(Quadratics(np.zeros(11), center, root), Batch(rows, weights), kind)


@pytest.mark.parametrize("n_components", [1, 3, 4, 5, 8, 11])
def test_diagonal_components_in_fours_and_a_remainder(n_components: int) -> None:
    rng = np.random.default_rng(n_components)
    rows, center = rng.normal(size=(300, 6)), rng.normal(size=(n_components, 6))
    scales = rng.uniform(0.5, 2.0, size=center.shape)
    for root in (
        DiagonalPrecisionRoot(scales),
        SphericalPrecisionRoot(scales[:, 0]),
        SharedPrecisionRoot(np.diag(scales[0])),
    ):
        assert_engines_agree(Quadratics(rng.normal(size=n_components), center, root), Batch(rows), MomentKind.DIAGONAL)


@pytest.mark.parametrize(
    ("power", "form"),
    [
        (0, SPHERICAL_DISTANCE),
        (-60, SPHERICAL_DISTANCE),
        (60, SPHERICAL_DISTANCE),
        (-510, DIAGONAL_DISTANCE),
        (510, DIAGONAL_DISTANCE),
    ],
)
def test_spherical_components_of_any_size(power: int, form: int) -> None:
    """Squares of numbers near the limits of a double neither overflow nor vanish before they are scaled."""
    rng = np.random.default_rng(1)
    unit = np.ldexp(1.0, -power)
    rows, center = rng.normal(size=(300, 4)) * unit, 3 * rng.normal(size=(5, 4)) * unit
    quadratics = Quadratics(np.zeros(5), center, SphericalPrecisionRoot(np.full(5, 1.0 / unit)))
    assert pack_model(quadratics, SUM_SQUARES).arrays.distance_code == form
    found, expected = (engine.best_scores(quadratics, Batch(rows)) for engine in (CompiledEngine(), REFERENCE))
    np.testing.assert_allclose(found.log_densities, expected.log_densities, rtol=1e-12)
    np.testing.assert_array_equal(found.labels, expected.labels)


@pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
def test_single_precision_rows_far_from_zero(structure: str) -> None:
    """float32 rows at an offset of 1e4 stay as stored and are computed in double precision."""
    rng = np.random.default_rng(0)
    center = 4.0 * rng.normal(size=(6, 8))
    rows = center[rng.integers(6, size=30_000)] + rng.normal(size=(30_000, 8)) + 1e4
    single = rows.astype(np.float32)
    fits = [
        GaussianMixture(6, covariance_type=structure, means_init=center + 1e4, max_iter=20).fit(data)
        for data in (single, single.astype(np.float64), rows)
    ]
    assert fits[0].fit_.mean_log_likelihood == pytest.approx(fits[1].fit_.mean_log_likelihood, abs=1e-12)
    assert fits[0].fit_.mean_log_likelihood == pytest.approx(fits[2].fit_.mean_log_likelihood, abs=1e-4)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")  # 100 rows are few for 32 columns
def test_the_fit_reports_the_fraction_of_computed_pairs() -> None:
    rng = np.random.default_rng(0)
    center = 8.0 * rng.normal(size=(20, 32))
    rows = center[rng.integers(20, size=20_000)] + rng.normal(size=(20_000, 32))
    fitted = GaussianMixture(20, means_init=center, max_iter=5).fit(rows)
    assert 1 / 20 <= fitted.fit_.fraction_computed < 0.2
    assert GaussianMixture(2).fit(rows[:100]).fit_.fraction_computed == 1.0


def test_the_error_names_a_float32_row_with_zero_density() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3)).astype(np.float32)
    fitted = GaussianMixture(2, random_state=0).fit(rows)
    rows[7] = 1e20
    with pytest.raises(DataError, match="row 7 "):
        fitted.score_samples(rows)
    assert fitted.score(rows) == pytest.approx(fitted.score(rows.astype(np.float64)), rel=1e-12)


@pytest.mark.parametrize("structure", ["full", "tied"])
def test_zero_weight_and_repeated_rows_do_not_count_as_distinct(structure: str) -> None:
    """Fewer than 10 000 distinct rows start from all of them, however many other rows there are."""
    rng = np.random.default_rng(0)
    center = 4.0 * rng.normal(size=(5, 4))
    rows = center[rng.integers(5, size=15_000)] + rng.normal(size=(15_000, 4))
    weights = (rng.random(15_000) < 0.5).astype(float)
    kept = rows[weights > 0]

    def bound(data: ND, sample_weight: ND | None = None) -> float:
        mixture = GaussianMixture(8, covariance_type=structure, random_state=0, max_iter=20)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return float(mixture.fit(data, sample_weight=sample_weight).lower_bound_)

    alone = bound(kept)
    assert bound(rows, weights) == pytest.approx(alone, rel=1e-10)
    assert bound(np.repeat(kept, 2, axis=0)) == pytest.approx(alone, rel=1e-10)
    assert bound(kept, np.full(len(kept), 2.0)) == pytest.approx(alone, rel=1e-10)


@pytest.mark.parametrize("kind", MomentKind)
@pytest.mark.parametrize("structure", ["VII", "VVI", "EEE", "VVV"])
def test_tiles_are_reused_for_rows_of_other_widths(structure: str, kind: MomentKind) -> None:
    """Threads keep tiles from pass to pass; padding columns must stay zero."""
    engine, rng = CompiledEngine(), np.random.default_rng(0)
    for n_features in (8, 3, 4, 2, 1, 7, 2):
        rows = rng.normal(size=(300, n_features)) + 5.0
        problem = Problem.from_source(make_memory_source(rows), Structure.from_name(structure), engine=NumpyEngine())
        quadratics = initialize_from_labels(problem, rng.integers(0, 2, 300), 2).to_quadratics()
        batch = Batch(problem.source.collect(None)[0])
        found, expected = (e_step_on_batch(one, quadratics, batch, kind) for one in (engine, NumpyEngine()))
        assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
        np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, rtol=1e-9, atol=1e-9)
