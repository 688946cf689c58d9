"""Contract of passes over rows that lack cells: SciPy's marginals and conditional moments, row by row."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.exceptions import ConvergenceWarning

from gaussmix import GaussianMixture
from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import KnownComponents, LabelPrior, LogProbabilities
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.threads import threads
from gaussmix.engines import AbstractEngine, AssignmentKind, NumpyEngine
from gaussmix.model import Mixture, prediction
from gaussmix.model.noise import Box, Noise
from gaussmix.sources import IncompleteSource, MemorySource
from gaussmix.types import Array
from tests.contracts.test_engines import ENGINES

K, D = 3, 4
STRUCTURES = ["VVV", "EEE", "VVI", "VII", "EVE", "UUU"]
KINDS = list(MomentKind)


def make_mixture(structure: str, seed: int, n_features: int = D) -> Mixture:
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(K, n_features, n_features))
    covariances = roots @ np.swapaxes(roots, 1, 2) + 0.3 * np.eye(n_features)
    means, weights = 2.0 * rng.normal(size=(K, n_features)), np.array([0.2, 0.3, 0.5])
    diagonals = np.einsum("kii->ki", covariances)
    forms: dict[str, Any] = {"EEE": covariances[0], "VVI": diagonals, "VII": diagonals[:, 0]}
    if structure in ("EVE", "UUU"):  # a full covariance of any kind, in the form that the structure has
        rows = np.vstack([rng.multivariate_normal(m, c, 80) for m, c in zip(means, covariances, strict=True)])
        estimator = GaussianMixture(K, covariance_type=structure, n_factors=1, means_init=means, max_iter=5, tol=0.0)
        with pytest.warns(ConvergenceWarning):
            return estimator.fit(rows).model_
    return Mixture.from_parameters(weights, means, forms.get(structure, covariances), structure)


@dataclass
class Case:
    """A mixture, rows of it that lack cells, and what each row owes by the definition."""

    mixture: Mixture
    rows: Array
    weights: Array | None
    prior: LabelPrior | None

    @classmethod
    def draw(cls, structure: str, seed: int, n_rows: int = 160, missing: float = 0.35, n_features: int = D) -> "Case":
        rng, mixture = np.random.default_rng(seed + 100), make_mixture(structure, seed, n_features)
        rows = mixture.sample(n_rows, seed)[0]
        rows[rng.random(rows.shape) < missing] = np.nan
        rows[:2] = np.nan  # nothing observed
        return cls(mixture, rows, rng.integers(0, 4, n_rows).astype(float), None)

    def source(self) -> IncompleteSource:
        completed = MemorySource.from_array(np.where(np.isnan(self.rows), 7.0, self.rows), self.weights)
        source = IncompleteSource.from_completed_rows(self.rows, completed.with_frame(self.mixture.frame))
        return source.with_label_prior(self.prior)

    def scores(self) -> Array:
        """Log weight plus SciPy's log density of the observed cells, in the frame, (n, K)."""
        mixture, frame = self.mixture, self.mixture.frame
        scores = np.empty((len(self.rows), K + (mixture.noise is not None)))
        for row, out in zip(self.rows, scores, strict=True):
            seen = np.flatnonzero(~np.isnan(row))
            shift = np.log(2.0) * frame.total_exponent[seen].sum()
            for k in range(K):
                out[k] = np.log(mixture.weights[k])
                if len(seen):
                    covariance = mixture.covariances[k][np.ix_(seen, seen)]
                    out[k] += stats.multivariate_normal(mixture.means[k][seen], covariance).logpdf(row[seen]) - shift
            if mixture.noise is not None:
                box = mixture.noise.box
                out[K] = np.log(mixture.noise.weight) - np.log(box.maximum - box.minimum)[seen].sum()
        return scores if self.prior is None else scores + self.prior.log_prior(K)

    def moments(self, responsibilities: Array) -> Moments:
        """Expected full moments in the frame, from conditional means and covariances of each row."""
        centers = self.mixture.centers
        covariances, rows = self.mixture.covariance.matrices(), self.mixture.frame.transform_rows(self.rows)
        filled, spread = np.empty((len(rows), K, rows.shape[1])), np.zeros((K, rows.shape[1], rows.shape[1]))
        for n, row in enumerate(rows):
            seen = ~np.isnan(row)
            for k in range(K):
                by_seen = covariances[k][:, seen] @ np.linalg.pinv(covariances[k][np.ix_(seen, seen)])
                filled[n, k] = centers[k] + by_seen @ (row[seen] - centers[k][seen])
                rest = covariances[k] - by_seen @ covariances[k][seen]
                spread[k] += responsibilities[n, k] * rest
        mass = responsibilities[:, :K].sum(axis=0)
        mean = np.einsum("nk,nkd->kd", responsibilities[:, :K], filled) / mass[:, None]
        scatter = np.einsum("nk,nkd,nke->kde", responsibilities[:, :K], filled - mean, filled - mean) + spread
        return Moments(mass, mean, scatter, MomentKind.FULL)


def responsibilities_of(case: Case, scores: Array, is_hard: bool) -> Array:
    weights = np.ones(len(scores)) if case.weights is None else case.weights
    if is_hard:
        return np.asarray(np.eye(scores.shape[1])[scores.argmax(axis=1)] * weights[:, None])
    return np.asarray(np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None]) * weights[:, None])


def assert_pass_is_right(case: Case, engine: AbstractEngine, kind: MomentKind, assignment: AssignmentKind) -> None:
    scores, is_hard = case.scores(), assignment is AssignmentKind.HARD
    weights = np.ones(len(scores)) if case.weights is None else case.weights
    responsibilities = responsibilities_of(case, scores, is_hard)
    result, expected = engine.bind(case.source()).e_step(case.mixture, kind, assignment), case.moments(responsibilities)
    log_densities = scores.max(axis=1) if is_hard else np.logaddexp.reduce(scores, axis=1)
    assert result.log_likelihood == pytest.approx(float(weights @ log_densities), rel=1e-11)
    assert result.n_rows == len(scores)
    scale = float(weights.sum())
    np.testing.assert_allclose(result.moments.mass[:K], expected.mass, atol=1e-11 * scale)
    np.testing.assert_allclose(result.moments.mean[:K], expected.mean, atol=1e-10)
    if case.mixture.noise is None:
        np.testing.assert_allclose(result.moments.scatter, expected.to_kind(kind).scatter, atol=1e-10 * scale)
    if not is_hard:
        parts = responsibilities / np.where(weights > 0, weights, 1.0)[:, None]
        entropy = -float((responsibilities * np.log(np.where(parts > 0, parts, 1.0))).sum())
        assert result.entropy == pytest.approx(entropy, abs=1e-10 * scale)
        largest = float(weights @ (scores.max(axis=1) - log_densities))
        assert result.total_log_max_responsibility == pytest.approx(largest, abs=1e-10 * scale)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_pass_equals_the_definition(engine: AbstractEngine, structure: str) -> None:
    for seed, kind in enumerate(KINDS):
        assert_pass_is_right(Case.draw(structure, seed), engine, kind, AssignmentKind.SOFT)
    assert_pass_is_right(Case.draw(structure, 9), engine, MomentKind.FULL, AssignmentKind.HARD)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("name", ["known components", "log probabilities", "no weights", "noise", "few missing"])
def test_a_pass_with_all_that_rows_may_have(engine: AbstractEngine, name: str) -> None:
    case, rng = Case.draw("VVV", 3), np.random.default_rng(0)
    if name == "known components":
        case.prior = KnownComponents(rng.integers(-1, K, len(case.rows)))
    elif name == "log probabilities":
        case.prior = LogProbabilities(np.log(rng.dirichlet(np.ones(K), len(case.rows))))
    elif name == "no weights":
        case.weights = None
    elif name == "few missing":
        case.rows = case.mixture.sample(200, 1)[0]
        case.rows[7, 2], case.weights = np.nan, None
    else:
        box = Box(np.full(D, -9.0), np.array([9.0, 12.0, 8.0, 30.0]))
        case.mixture = replace(case.mixture, weights=0.8 * case.mixture.weights, noise=Noise(0.2, box))
    assert_pass_is_right(case, engine, MomentKind.FULL, AssignmentKind.SOFT)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_patterns_of_many_and_of_few_rows_and_wide_rows_agree_with_numpy(engine: AbstractEngine) -> None:
    """Patterns of more than a thousand rows, and rows of more than 64 columns, go another way."""
    for case in (Case.draw("VVV", 1, 9000, 0.1), Case.draw("VVV", 2, 60, 0.1, 70), Case.draw("VVV", 3, 400, 0.4, 9)):
        expected, result = (
            each.bind(case.source()).e_step(case.mixture, MomentKind.FULL) for each in (NumpyEngine(), engine)
        )
        assert result.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
        np.testing.assert_allclose(result.moments.mean, expected.moments.mean, atol=1e-10)
        np.testing.assert_allclose(result.moments.scatter, expected.moments.scatter, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_results_per_row_equal_the_definition(engine: AbstractEngine) -> None:
    case = Case.draw("VVV", 5)
    case.weights = None  # a row of weight zero may hold any number
    scores, source = case.scores(), case.source()
    np.testing.assert_allclose(prediction.component_scores(case.mixture, source, engine), scores, atol=1e-10)
    log_densities = prediction.logpdf_in_frame_units(case.mixture, source, engine)
    np.testing.assert_allclose(log_densities, np.logaddexp.reduce(scores, axis=1), atol=1e-10)
    np.testing.assert_array_equal(prediction.hard_labels(case.mixture, source, engine), scores.argmax(axis=1))
    probabilities = prediction.responsibilities(case.mixture, source, engine)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(probabilities[:2], np.tile(case.mixture.weights, (2, 1)), rtol=1e-12)
    np.testing.assert_allclose(log_densities[:2], 0.0, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_threads_change_no_bit(engine: AbstractEngine) -> None:
    case = Case.draw("VVV", 6, 5000, 0.3)
    results = []
    for n_threads in (1, 3):
        with threads(n_threads):
            results.append(engine.bind(case.source()).e_step(case.mixture, MomentKind.FULL))
    assert results[0].log_likelihood == results[1].log_likelihood
    np.testing.assert_array_equal(results[0].moments.scatter, results[1].moments.scatter)


def test_nearly_dependent_columns_lose_no_digit() -> None:
    """A Schur complement of precisions would cancel here."""
    covariance = np.array([[1.0, 1.0 - 1e-10], [1.0 - 1e-10, 1.0]])
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [covariance])
    rows = np.array([[0.3, np.nan], [np.nan, -1.2]])
    np.testing.assert_allclose(mixture.logpdf(rows), stats.norm.logpdf([0.3, -1.2]), rtol=1e-9)


def test_a_source_hands_over_rows_in_a_frame_and_by_position() -> None:
    rows = np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 4.0], [5.0, np.nan]])
    weights, frame = np.array([1.0, 2.0, 3.0, 4.0]), Frame(np.zeros(2, int), np.array([1.0, 2.0]), np.array([1, -1]))
    completed = MemorySource.from_array(np.nan_to_num(rows, nan=9.0), weights)
    source = IncompleteSource.from_completed_rows(rows, completed).with_frame(frame)
    assert not source.is_complete
    assert source.completion.is_complete
    assert source.sum_log_jacobians(10.0) == pytest.approx(np.log(2.0) * ((1 + 2 + 4) * 1 - (2 + 3) * 1))
    part = source.take_rows(np.array([0, 3]))
    np.testing.assert_array_equal(part.patterns.is_observed, [[True, False]])
    taken = part.take_observed(0)
    np.testing.assert_array_equal(taken.rows, [[1.0], [5.0]])
    np.testing.assert_array_equal(taken.weights, [1.0, 4.0])
    np.testing.assert_array_equal(taken.collect(None).rows, [[0.0], [8.0]])
    parts = source.split_by_row_hash(3, 0)
    assert sum(each.n_rows or 0 for each in parts) == 4
