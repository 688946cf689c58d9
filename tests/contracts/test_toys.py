"""Toy plugs pass the contracts by implementing only what the sockets name."""

import pickle
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import AllowedComponents, KnownComponents, LogProbabilities
from gaussmix.core.moments import MomentKind
from gaussmix.covariance import Structure
from gaussmix.engines import AbstractEngine, AutomaticEngine, NumpyEngine, ReferenceEngine
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.compiled import CompiledEngine
from gaussmix.errors import CapabilityError
from gaussmix.model import Problem, prediction
from gaussmix.solvers import EM, RelativeGainRule, run_solver
from gaussmix.solvers.initialization import initialize
from gaussmix.sources import MemorySource, SupportsRowHashSplit, require_capability
from gaussmix.types import ND, Array, IntNC
from tests.contracts.problems import groups
from tests.contracts.toys import ChunkStream, LoggingEngine, MixedModel, StreamSource


def stream_and_memory(n_rows: int = 2500, seed: int = 0) -> tuple[StreamSource, MemorySource]:
    rows = groups(seed, n_rows)
    weights = np.random.default_rng(seed).integers(0, 3, n_rows).astype(float)
    return StreamSource(ChunkStream(rows, weights)), MemorySource.from_array(rows, weights)


@pytest.mark.parametrize("engine", [NumpyEngine(), CompiledEngine(), ReferenceEngine()], ids=lambda e: e.name)
@pytest.mark.parametrize("assignment", AssignmentKind)
def test_an_e_step_travels_to_another_process(engine: AbstractEngine, assignment: AssignmentKind) -> None:
    stream, memory = stream_and_memory()
    problem = Problem.from_source(memory, Structure.from_name("VVV"))
    start = initialize(problem, "kmeans", 3, np.random.default_rng(0))
    framed = stream.with_frame(problem.source.frame)
    there = engine.bind(framed).e_step(start, MomentKind.FULL, assignment)
    here = engine.bind(problem.source).e_step(start, MomentKind.FULL, assignment)
    assert there.n_rows == here.n_rows
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(there.moments.mean, here.moments.mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(there.moments.scatter, here.moments.scatter, rtol=1e-9, atol=1e-9)


def test_a_stream_of_unknown_length_is_framed_fitted_and_predicted_like_rows_in_memory() -> None:
    stream, memory = stream_and_memory()
    assert stream.n_rows is None
    fits = []
    for source in (stream, memory):
        problem = Problem.from_source(source, Structure.from_name("VVV"))
        assert problem.n_rows == memory.n_rows
        start = initialize(problem, "kmeans", 3, np.random.default_rng(1))
        mixture = run_solver(EM(problem.covariance_estimator), start, problem, RelativeGainRule(1e-8, 50)).model
        labels = prediction.hard_labels(mixture, problem.source, problem.engine)
        soft = prediction.responsibilities(mixture, problem.source, problem.engine)
        fits.append((mixture.means, mixture.covariances, labels, soft))
    (means, covariances, labels, soft), (means_, covariances_, labels_, soft_) = fits
    np.testing.assert_allclose(means, means_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(covariances, covariances_, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(labels, labels_)
    np.testing.assert_allclose(soft, soft_, atol=1e-9)


@pytest.mark.parametrize(
    "prior",
    [
        KnownComponents(np.arange(2500) % 4 - 1),
        AllowedComponents(np.random.default_rng(0).random((2500, 3)) < [1.0, 0.7, 0.7]),
        LogProbabilities(np.log(np.random.default_rng(1).dirichlet(np.ones(3), 2500))),
    ],
    ids=lambda prior: type(prior).__name__,
)
def test_label_priors_and_frames_are_views_of_any_source(prior: Any) -> None:
    stream, memory = stream_and_memory()
    problem = Problem.from_source(memory, Structure.from_name("VVV"))
    start = initialize(problem, "kmeans", 3, np.random.default_rng(0))
    frame = problem.source.frame
    there = NumpyEngine().bind(stream.with_frame(frame).with_label_prior(prior)).e_step(start, MomentKind.DIAGONAL)
    here = ReferenceEngine().bind(memory.with_label_prior(prior).with_frame(frame)).e_step(start, MomentKind.DIAGONAL)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(there.moments.mass, here.moments.mass, rtol=1e-10)
    np.testing.assert_allclose(there.moments.scatter, here.moments.scatter, rtol=1e-8, atol=1e-9)


def test_rows_are_collected_by_content_in_a_fixed_order() -> None:
    stream, memory = stream_and_memory()
    shuffled = np.random.default_rng(3).permutation(memory.n_rows)
    assert memory.weights is not None
    moved = MemorySource.from_array(memory.rows[shuffled], memory.weights[shuffled])
    chosen = memory.collect(40, hash_key=5)
    for other in (stream.collect(40, hash_key=5), moved.collect(40, hash_key=5)):
        np.testing.assert_array_equal(other.rows, chosen.rows)
        np.testing.assert_array_equal(other.weights, chosen.weights)
    assert not np.array_equal(memory.collect(40, hash_key=6).rows, chosen.rows)
    np.testing.assert_array_equal(stream.collect(None).rows, memory.collect(None).rows)
    doubled = MemorySource.from_array(np.repeat(memory.rows, 2, axis=0), np.repeat(memory.weights, 2))
    np.testing.assert_array_equal(doubled.collect(40, hash_key=5).rows, chosen.rows)
    np.testing.assert_array_equal(doubled.collect(40, hash_key=5).weights, 2 * chosen.weights)


def test_a_missing_capability_is_named() -> None:
    stream, memory = stream_and_memory()
    assert require_capability(memory, SupportsRowHashSplit, "solver='adam'") is memory
    with pytest.raises(CapabilityError, match=r"solver='adam' needs a source with .* StreamSource does not have"):
        require_capability(stream, SupportsRowHashSplit, "solver='adam'")


def test_a_logging_engine_fits_what_its_delegate_fits() -> None:
    rows = groups(2, 400)
    found = []
    for engine in (LoggingEngine(NumpyEngine()), NumpyEngine()):
        problem = Problem.from_source(MemorySource.from_array(rows), Structure.from_name("EVI"), engine=engine)
        start = initialize(problem, "kmeans", 3, np.random.default_rng(1))
        found.append(run_solver(EM(problem.covariance_estimator), start, problem, RelativeGainRule(1e-8, 40)))
        prediction.responsibilities(found[-1].model, problem.source, problem.engine)
        if isinstance(engine, LoggingEngine):
            assert {"bind", "e_step", "reduce_scores"} <= set(engine.log)
            assert engine.log.count("e_step") >= len(found[-1].trace)
    np.testing.assert_array_equal(found[0].model.means, found[1].model.means)
    np.testing.assert_array_equal(found[0].trace.log_likelihoods, found[1].trace.log_likelihoods)


# -- a model with a categorical column -------------------------------------------------------------


def mixed_data(n_rows: int = 300, seed: int = 0) -> tuple[ND, IntNC, Array]:
    rng = np.random.default_rng(seed)
    group = rng.integers(2, size=n_rows)
    rows = rng.normal(size=(n_rows, 2)) + 2.0 * group[:, None]
    codes = np.where(rng.random(n_rows) < 0.8, group, 2)[:, None]
    codes[rng.random(n_rows) < 0.1] = -1  # missing
    return rows, codes, rng.integers(1, 3, n_rows).astype(float)


START = MixedModel(
    np.array([0.5, 0.5]),
    np.array([[0.0, 0.0], [1.0, 1.0]]),
    np.array([np.eye(2), np.eye(2)]),
    (np.full((2, 3), 1.0 / 3.0),),
)


def brute_force_em(rows: ND, codes: IntNC, weights: Array, n_iter: int) -> tuple[MixedModel, float]:
    """EM written out with SciPy's densities."""
    model, log_likelihood = START, np.nan
    for _ in range(n_iter):
        joint = np.empty((len(rows), 2))
        for k in range(2):
            joint[:, k] = np.log(model.weights[k])
            joint[:, k] += stats.multivariate_normal(model.means[k], model.covariances[k]).logpdf(rows)
            present = codes[:, 0] >= 0
            joint[present, k] += np.log(model.probabilities[0][k, codes[present, 0]])
        log_likelihood = float(weights @ special.logsumexp(joint, axis=1))
        shares = special.softmax(joint, axis=1) * weights[:, None]
        means = (shares.T @ rows) / shares.sum(axis=0)[:, None]
        covariances = np.array([np.cov(rows.T, aweights=shares[:, k], bias=True) for k in range(2)])
        counts = np.array([[shares[codes[:, 0] == level, k].sum() for level in range(3)] for k in range(2)])
        probabilities = counts / counts.sum(axis=1, keepdims=True)
        model = MixedModel(shares.sum(axis=0) / weights.sum(), means, covariances, (probabilities,))
    return model, log_likelihood


@pytest.mark.parametrize("engine", [ReferenceEngine(), NumpyEngine(), AutomaticEngine(10**9)], ids=lambda e: e.name)
@pytest.mark.parametrize("seed", range(3))
def test_a_categorical_column_is_fitted_as_by_brute_force(engine: AbstractEngine, seed: int) -> None:
    rows, codes, weights = mixed_data(seed=seed)
    expected, log_likelihood = brute_force_em(rows, codes, weights, n_iter=12)
    session = engine.bind(MemorySource.from_array(rows, weights, codes=codes))
    model, last = START, np.nan
    for _ in range(12):
        expectation = session.e_step(model, MomentKind.FULL)
        model, last = model.m_step(expectation.statistics), expectation.log_likelihood
    assert last == pytest.approx(log_likelihood, rel=1e-10)
    np.testing.assert_allclose(model.weights, expected.weights, rtol=1e-9)
    np.testing.assert_allclose(model.means, expected.means, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.covariances, expected.covariances, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.probabilities[0], expected.probabilities[0], rtol=1e-8)


def test_categories_travel_too() -> None:
    rows, codes, weights = mixed_data(2500)
    here = NumpyEngine().bind(MemorySource.from_array(rows, weights, codes=codes)).e_step(START, MomentKind.FULL)
    there = NumpyEngine().bind(StreamSource(ChunkStream(rows, weights, codes))).e_step(START, MomentKind.FULL)
    np.testing.assert_allclose(there.statistics.counts[0], here.statistics.counts[0], rtol=1e-12)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-12)


def test_the_compiled_engine_says_that_it_has_no_categories() -> None:
    rows, codes, _ = mixed_data()
    session = CompiledEngine().bind(MemorySource.from_array(rows, codes=codes))
    with pytest.raises(CapabilityError, match="engine='auto' or engine='numpy'"):
        session.e_step(START, MomentKind.FULL)


@pytest.mark.parametrize("engine", [NumpyEngine(), CompiledEngine(), AutomaticEngine(100)], ids=lambda e: e.name)
def test_engines_and_models_are_picklable(engine: AbstractEngine) -> None:
    copy = pickle.loads(pickle.dumps((engine, START, MomentKind.FULL)))
    assert type(copy[0]) is type(engine)
    np.testing.assert_array_equal(copy[1].means, START.means)
    frame = Frame.identity(2)
    assert pickle.loads(pickle.dumps(frame)).is_identity
