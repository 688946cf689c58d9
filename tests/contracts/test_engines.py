"""Contract of engines: results equal the reference engine's to 1e-10, and the reference engine's equal SciPy's."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import AllowedComponents, KnownComponents, LabelPrior, LogProbabilities
from gaussmix.core.moments import MomentKind
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    LowRankPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.threads import threads
from gaussmix.engines import AbstractEngine, AssignmentKind, AutomaticEngine, NumpyEngine, ReferenceEngine
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.errors import LabelError
from gaussmix.model.frame_fitting import fit_frame
from gaussmix.sources import MemorySource
from gaussmix.types import KD, ND, AnyArray, Array
from tests.contracts.passes import PartsOfBatch, e_step, e_step_on_batch
from tests.exhaustive import parametrize_product

# A new engine is a row here and inherits every test.
ENGINES: dict[str, AbstractEngine] = {
    "numpy": NumpyEngine(),
    "compiled": CompiledEngine(),
    "compiled, every pair": CompiledEngine(use_screening=False),
    "automatic, little work": AutomaticEngine(1),
    "automatic, much work": AutomaticEngine(10**9),
    "reference": ReferenceEngine(),
}

FORMS = ["dense", "shared", "diagonal", "spherical", "low rank"]
ENGINES_AND_ROOTS = {"engine": [pytest.param(engine, id=name) for name, engine in ENGINES.items()], "form": FORMS}

every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
every_root = pytest.mark.parametrize("form", FORMS)

K_, D_ = 3, 4


def make_root(form: str, rng: np.random.Generator, condition: float = 10.0) -> AbstractPrecisionRoot:
    """Return random precision roots whose covariances have eigenvalues from ``1 / condition`` to 1."""
    deviations = np.exp(rng.uniform(-0.5 * np.log(condition), 0.0, (K_, D_)))
    deviations[:, 0], deviations[:, -1] = 1.0, condition**-0.5
    axes = np.linalg.qr(rng.normal(size=(K_, D_, D_)))[0]
    roots: dict[str, Callable[[], AbstractPrecisionRoot]] = {
        "dense": lambda: DensePrecisionRoot(axes / deviations[:, None, :]),
        "shared": lambda: SharedPrecisionRoot(axes[0] / deviations[0]),
        "diagonal": lambda: DiagonalPrecisionRoot(1.0 / deviations),
        "spherical": lambda: SphericalPrecisionRoot(1.0 / deviations[:, 1]),
        "low rank": lambda: LowRankPrecisionRoot(
            rng.uniform(0.5, 1.0, (K_, D_)) * condition**0.5, axes[:, :, :2], deviations[:, :2] * condition**0.5
        ),
    }
    return roots[form]()


def make_quadratics(form: str, seed: int = 0, condition: float = 10.0) -> Quadratics:
    rng = np.random.default_rng(seed)
    return Quadratics(np.log(rng.dirichlet(np.ones(K_))), rng.normal(size=(K_, D_)), make_root(form, rng, condition))


@every_root
def test_a_scaled_root_scales_every_distance(form: str) -> None:
    root = make_root(form, np.random.default_rng(0))
    np.testing.assert_allclose(root.scale(3.0).to_dense(K_, D_), 3.0 * root.to_dense(K_, D_), rtol=1e-12, atol=1e-12)


def draw_rows(quadratics: Quadratics, n_rows: int = 200, seed: int = 1) -> ND:
    """Return rows drawn from the components."""
    rng = np.random.default_rng(seed)
    roots = quadratics.precision_root.to_dense(K_, D_)
    chosen = rng.integers(K_, size=n_rows)
    noise = rng.normal(size=(n_rows, D_))
    drawn = [np.linalg.solve(roots[k].T, z) for k, z in zip(chosen, noise, strict=True)]
    return np.asarray(quadratics.center[chosen] + np.array(drawn))


def assert_same(found: Expectation, expected: Expectation, rows: ND, tolerance: float = 1e-10) -> None:
    """Assert equality to a tolerance relative to the sums, the spread of the rows, and the largest entry of scatter.

    Scatter a million times smaller than the rows must only agree to that size.
    """
    assert found.n_rows == expected.n_rows
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=tolerance, abs=tolerance)
    assert found.entropy == pytest.approx(expected.entropy, rel=tolerance, abs=tolerance)
    assert found.total_log_max_responsibility == pytest.approx(
        expected.total_log_max_responsibility, rel=tolerance, abs=tolerance
    )
    ours, theirs = found.moments, expected.moments
    assert ours.kind is theirs.kind
    np.testing.assert_allclose(ours.mass, theirs.mass, rtol=tolerance, atol=tolerance * max(theirs.mass.sum(), 1e-300))
    spread = max(float(np.ptp(rows, axis=0).max()), 1e-300)
    has_mass = theirs.mass > 1e-6 * theirs.mass.sum()
    np.testing.assert_allclose(ours.mean[has_mass], theirs.mean[has_mass], rtol=tolerance, atol=tolerance * spread)
    assert ours.scatter.shape == theirs.scatter.shape
    largest = max(np.abs(theirs.scatter).max(initial=0.0), 1e-6 * theirs.mass.sum() * np.abs(rows).max() ** 2)
    np.testing.assert_allclose(ours.scatter, theirs.scatter, rtol=0, atol=tolerance * largest)


LABEL_PRIORS: dict[str, Callable[[int], LabelPrior | None]] = {
    "none": lambda n: None,
    "labels": lambda n: KnownComponents(np.random.default_rng(3).integers(-1, K_, n)),
    "soft": lambda n: LogProbabilities(np.log(np.random.default_rng(3).dirichlet(np.ones(K_), n))),
    "closed": lambda n: AllowedComponents(np.eye(K_)[np.arange(n) % K_] == 0),
}
WEIGHTS: dict[str, Callable[[int], AnyArray | None]] = {
    "none": lambda n: None,
    "counts": lambda n: np.random.default_rng(4).integers(0, 3, n).astype(float),
    "real": lambda n: np.random.default_rng(4).uniform(0, 1e-3, n),
}


@parametrize_product({**ENGINES_AND_ROOTS, "kind": MomentKind, "assign": AssignmentKind}, strength=2)
def test_equals_the_reference(engine: AbstractEngine, form: str, kind: MomentKind, assign: AssignmentKind) -> None:
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics)
    for label_prior in LABEL_PRIORS.values():
        for weights in WEIGHTS.values():
            batch = Batch(rows, weights(len(rows)), label_prior(len(rows)))
            np.testing.assert_allclose(
                engine.compute_scores(quadratics, batch),
                ENGINES["reference"].compute_scores(quadratics, batch),
                rtol=1e-10,
                atol=1e-10,
            )
            expected = e_step_on_batch(ENGINES["reference"], quadratics, batch, kind, assign)
            assert_same(e_step_on_batch(engine, quadratics, batch, kind, assign), expected, rows)


@parametrize_product(
    {
        **ENGINES_AND_ROOTS,
        "scale, offset": [(1.0, 1e8), (1e-150, 0.0), (1e150, 0.0), (1e-150, 1e-142), (1e150, -1e158)],
    },
    strength=2,
)
def test_equals_the_reference_in_any_units(engine: AbstractEngine, form: str, scale: float, offset: float) -> None:
    """Data far from zero, tiny and huge data reach an engine through their frame."""
    quadratics = make_quadratics(form)
    data = draw_rows(quadratics) * scale + offset
    source, total, _, _ = fit_frame(MemorySource.from_array(data), ENGINES["reference"], scale_per_column=False)
    deviation = np.sqrt(total.scatter[0] / total.mass[0])
    moved = Quadratics(quadratics.offset, total.mean[0] + deviation * quadratics.center, quadratics.precision_root)
    for kind in (MomentKind.FULL, MomentKind.POOLED_DIAGONAL):
        found, expected = (e_step(e, source, moved, kind) for e in (engine, ENGINES["reference"]))
        assert_same(found, expected, source.collect(None)[0])


@every_engine
@every_root
def test_equals_the_reference_for_ill_conditioned_covariances(engine: AbstractEngine, form: str) -> None:
    quadratics = make_quadratics(form, condition=1e12)
    rows = draw_rows(quadratics)
    near = Batch(rows[:50], None, None)
    for kind in (MomentKind.FULL, MomentKind.TRACE):
        found, expected = (e_step_on_batch(e, quadratics, near, kind) for e in (engine, ENGINES["reference"]))
        assert_same(found, expected, rows)


@every_engine
@every_root
def test_one_row(engine: AbstractEngine, form: str) -> None:
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics, n_rows=1)
    found = e_step_on_batch(engine, quadratics, Batch(rows), MomentKind.FULL)
    assert_same(found, e_step_on_batch(ENGINES["reference"], quadratics, Batch(rows), MomentKind.FULL), rows)
    np.testing.assert_allclose(found.moments.mean, np.repeat(rows, K_, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.moments.scatter, 0.0, atol=1e-12)


@parametrize_product({**ENGINES_AND_ROOTS, "assign": AssignmentKind}, strength=2)
def test_a_component_of_weight_zero_gets_no_mass(engine: AbstractEngine, form: str, assign: AssignmentKind) -> None:
    quadratics = make_quadratics(form)
    closed = Quadratics(np.array([-np.inf, -0.5, -0.9]), quadratics.center, quadratics.precision_root)
    rows = draw_rows(quadratics)
    found = e_step_on_batch(engine, closed, Batch(rows), MomentKind.FULL, assign)
    assert found.moments.mass[0] == 0.0
    np.testing.assert_array_equal(found.moments.mean[0], quadratics.center[0])
    assert (found.moments.scatter[0] == 0).all()
    assert np.isfinite([found.log_likelihood, found.entropy]).all()
    assert_same(found, e_step_on_batch(ENGINES["reference"], closed, Batch(rows), MomentKind.FULL, assign), rows)


@every_engine
@every_root
def test_rows_of_weight_zero_have_no_influence(engine: AbstractEngine, form: str) -> None:
    """A row of weight zero has no influence, however far away it lies; its score may be minus infinity."""
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics, n_rows=30)
    far = np.vstack([rows, np.full((1, D_), 1e100)])
    weights = np.append(np.full(30, 2.0), 0.0)
    found = e_step_on_batch(engine, quadratics, Batch(far, weights), MomentKind.FULL)
    expected = e_step_on_batch(engine, quadratics, Batch(rows, weights[:-1]), MomentKind.FULL)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(found.moments.mass, expected.moments.mass, rtol=1e-12)
    np.testing.assert_allclose(found.moments.scatter, expected.moments.scatter, rtol=1e-9)


def normal_log_densities(quadratics: Quadratics, rows: ND) -> Array:
    """Return log N(row; center, covariance) without its constant, by SciPy."""
    roots = quadratics.precision_root.to_dense(K_, D_)
    columns = []
    for k in range(K_):
        precision = roots[k] @ roots[k].T
        bell = stats.multivariate_normal(quadratics.center[k], np.linalg.inv(precision))
        constant = 0.5 * np.linalg.slogdet(precision)[1] - 0.5 * D_ * np.log(2 * np.pi)
        columns.append(bell.logpdf(rows) - constant)
    return np.column_stack(columns)


@parametrize_product({**ENGINES_AND_ROOTS, "weighted": [False, True]}, strength=2)
def test_equals_scipy(engine: AbstractEngine, form: str, weighted: bool) -> None:
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics)
    weights = WEIGHTS["counts"](len(rows)) if weighted else None
    counts = np.ones(len(rows)) if weights is None else weights
    scores = quadratics.offset + normal_log_densities(quadratics, rows)
    found = e_step_on_batch(engine, quadratics, Batch(rows, weights), MomentKind.FULL)
    np.testing.assert_allclose(engine.compute_scores(quadratics, Batch(rows)), scores, rtol=1e-9, atol=1e-9)
    assert found.log_likelihood == pytest.approx(counts @ special.logsumexp(scores, axis=1), rel=1e-10)
    shares = special.softmax(scores, axis=1)
    assert found.entropy == pytest.approx(counts @ stats.entropy(shares, axis=1), rel=1e-10)
    for k in range(K_):
        parts = shares[:, k] * counts
        covariance = np.cov(rows.T, aweights=parts, bias=True)
        assert found.moments.mass[k] == pytest.approx(parts.sum(), rel=1e-10)
        np.testing.assert_allclose(found.moments.mean[k], np.average(rows, axis=0, weights=parts), rtol=1e-9)
        np.testing.assert_allclose(found.moments.scatter[k], covariance * parts.sum(), rtol=1e-9, atol=1e-9)
    assert found.total_weight == pytest.approx(counts.sum(), rel=1e-13)


@every_engine
def test_hard_assignment_breaks_ties_by_the_first(engine: AbstractEngine) -> None:
    center: KD = np.array([[0.0], [2.0], [2.0]])
    quadratics = Quadratics(np.zeros(3), center, SphericalPrecisionRoot(np.ones(3)))
    found = e_step_on_batch(
        engine, quadratics, Batch(np.array([[0.0], [1.0], [3.0]])), MomentKind.FULL, AssignmentKind.HARD
    )
    np.testing.assert_array_equal(found.moments.mass, [2.0, 1.0, 0.0])
    assert found.log_likelihood == pytest.approx(-0.5 * (0 + 1 + 1))
    assert found.entropy == 0.0


# -- E-steps over all batches of a source ----------------------------------------------------------


@parametrize_product({**ENGINES_AND_ROOTS, "kind": MomentKind, "assign": AssignmentKind}, strength=2)
def test_an_e_step_does_not_depend_on_the_batches(
    engine: AbstractEngine, form: str, kind: MomentKind, assign: AssignmentKind
) -> None:
    """However the rows are split, an E-step equals that of one batch of all rows."""
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics, n_rows=5000)
    weights, label_prior = WEIGHTS["counts"](len(rows)), LABEL_PRIORS["labels"](len(rows))
    expected = e_step_on_batch(ENGINES["reference"], quadratics, Batch(rows, weights, label_prior), kind, assign)
    source = MemorySource.from_array(rows, weights).with_label_prior(label_prior)
    assert source.reduce(lambda batch: 1) > 1
    assert_same(e_step(engine, source, quadratics, kind, assign), expected, rows)
    parts = PartsOfBatch(Batch(rows, weights, label_prior), 700)
    assert_same(e_step(engine, parts, quadratics, kind, assign), expected, rows)


@parametrize_product({**ENGINES_AND_ROOTS, "layout": ["float32", "Fortran", "big-endian", "read-only"]}, strength=2)
def test_stored_rows_are_read_through_their_frame(engine: AbstractEngine, form: str, layout: str) -> None:
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics).astype(np.float32).astype(np.float64)
    stored = {
        "float32": rows.astype(np.float32),
        "Fortran": np.asfortranarray(rows),
        "big-endian": rows.astype(">f8"),
        "read-only": np.broadcast_to(rows, rows.shape),
    }[layout]
    frame = Frame(np.array([0, 1, 0, 0]), np.array([0.5, 0.0, -0.25, 0.0]), np.array([1, 0, -1, 0]))
    batch, weights = Batch(stored, frame=frame), np.arange(len(rows)) % 2.0
    plain = Batch(frame.transform_rows(rows))
    np.testing.assert_array_equal(engine.compute_scores(quadratics, batch), engine.compute_scores(quadratics, plain))
    for part in (None, weights):
        found, expected = (replace(b, weights=part) for b in (batch, plain))
        ours, theirs = (e_step_on_batch(engine, quadratics, b, MomentKind.FULL) for b in (found, expected))
        assert_same(ours, theirs, plain.rows, tolerance=1e-13)


@parametrize_product({**ENGINES_AND_ROOTS, "kind": [MomentKind.POOLED_FULL, MomentKind.POOLED_DIAGONAL]}, strength=2)
def test_total_moments_do_not_change_results(engine: AbstractEngine, form: str, kind: MomentKind) -> None:
    """The moments of all rows as one group may be given; results are the same."""
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics, n_rows=5000)
    weights = WEIGHTS["counts"](len(rows))
    one = Quadratics(np.zeros(1), np.zeros((1, D_)), SphericalPrecisionRoot(np.zeros(1)))
    source = MemorySource.from_array(rows, weights)
    total = e_step(ENGINES["reference"], source, one, MomentKind.POOLED_FULL).moments
    found = e_step(engine, source, quadratics, kind, total_moments=total)
    assert_same(found, e_step(ENGINES["reference"], source, quadratics, kind), rows)


@parametrize_product({**ENGINES_AND_ROOTS, "kind": MomentKind}, strength=2)
def test_an_e_step_has_the_same_bits_for_any_number_of_threads(
    engine: AbstractEngine, form: str, kind: MomentKind
) -> None:
    quadratics = make_quadratics(form)
    rows = draw_rows(quadratics, n_rows=5000)
    source = MemorySource.from_array(rows, WEIGHTS["real"](len(rows))).with_label_prior(LABEL_PRIORS["soft"](len(rows)))
    found = []
    for count in (1, 1, 2, 3, 8, 8):
        with threads(count):
            found.append(to_bytes(e_step(engine, source, quadratics, kind)))
    assert len(set(found)) == 1


@every_engine
def test_long_columns_have_the_same_bits_too(engine: AbstractEngine) -> None:
    """BLAS sums long vectors in another order with another number of its own threads."""
    rows = np.random.default_rng(0).normal(size=(200_000, 1))
    source = MemorySource.from_array(rows, np.random.default_rng(1).uniform(size=len(rows)))
    one = Quadratics(np.zeros(1), np.zeros((1, 1)), SphericalPrecisionRoot(np.ones(1)))
    found = []
    for count in (1, 2, 3, 8):
        with threads(count):
            found.append(to_bytes(e_step(engine, source, one, MomentKind.FULL)))
    assert len(set(found)) == 1


def to_bytes(expectation: Expectation) -> tuple[bytes | float, ...]:
    moments = expectation.moments
    arrays = (moments.mass.tobytes(), moments.mean.tobytes(), moments.scatter.tobytes())
    return (*arrays, expectation.log_likelihood, expectation.entropy, expectation.total_log_max_responsibility)


@every_engine
def test_scores_are_written_to_out(engine: AbstractEngine) -> None:
    quadratics = make_quadratics("dense")
    rows = draw_rows(quadratics)
    for label_prior in LABEL_PRIORS.values():
        batch, whole = Batch(rows, None, label_prior(len(rows))), np.full((2 * len(rows), K_), np.nan)
        place = whole[50 : 50 + len(rows)]
        assert engine.compute_scores(quadratics, batch, place) is place
        np.testing.assert_array_equal(place, engine.compute_scores(quadratics, batch))
        assert np.isnan(whole[:50]).all()
        assert np.isnan(whole[50 + len(rows) :]).all()


@parametrize_product({**ENGINES_AND_ROOTS, "n_rows": [1, 200, 40_000]}, strength=2)
def test_best_scores_agree_with_all_scores(engine: AbstractEngine, form: str, n_rows: int) -> None:
    quadratics = make_quadratics(form)
    rows = np.resize(draw_rows(quadratics), (n_rows, D_))
    for label_prior in LABEL_PRIORS.values():
        batch = Batch(rows, None, label_prior(n_rows))
        scores, best = ENGINES["reference"].compute_scores(quadratics, batch), engine.best_scores(quadratics, batch)
        assert best.labels.dtype == np.int64
        np.testing.assert_array_equal(best.labels, scores.argmax(axis=1))
        np.testing.assert_allclose(best.best_scores, scores.max(axis=1), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(best.log_densities, special.logsumexp(scores, axis=1), rtol=1e-10, atol=1e-10)


@every_engine
def test_labels_break_ties_by_the_first(engine: AbstractEngine) -> None:
    quadratics = Quadratics(np.zeros(3), np.array([[0.0], [2.0], [2.0]]), SphericalPrecisionRoot(np.ones(3)))
    best = engine.best_scores(quadratics, Batch(np.array([[0.0], [1.0], [3.0]])))
    np.testing.assert_array_equal(best.labels, [0, 0, 1])


@every_engine
def test_a_row_excluded_from_all_components_is_refused(engine: AbstractEngine) -> None:
    quadratics = make_quadratics("dense")
    log_prior = np.zeros((3, K_))
    log_prior[1] = -np.inf
    with pytest.raises(LabelError, match=r"row 1 .* excludes every component"):
        engine.best_scores(quadratics, Batch(draw_rows(quadratics, 3), None, LogProbabilities(log_prior)))


def test_the_numpy_engine_allocates_less_than_all_scores() -> None:
    """Its arrays are tiles, however many rows a batch has."""
    quadratics = Quadratics(
        np.zeros(50), np.random.default_rng(0).normal(size=(50, 2)), SphericalPrecisionRoot(np.ones(50))
    )
    engine, rows = NumpyEngine(), np.random.default_rng(1).normal(size=(50_000, 2))
    for work in (
        lambda: e_step_on_batch(engine, quadratics, Batch(rows), MomentKind.FULL),
        lambda: engine.best_scores(quadratics, Batch(rows)),
    ):
        tracemalloc.start()
        work()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * len(rows) * 50 / 3
