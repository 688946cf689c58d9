"""`Problem`: the frame, the moments of all rows as one group, and the regularizer."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import CentersModel
from gaussmix.covariance import FloorRegularizer, RidgeRegularizer, Structure, parse_structure
from gaussmix.covariance.structure import MCLUST_NAMES
from gaussmix.engines import AssignmentKind, ReferenceEngine
from gaussmix.model import Problem
from gaussmix.model.problem import make_memory_source
from gaussmix.solvers.initialization import initialize
from gaussmix.sources import MemorySource
from tests.laws.strategies import groups, random_mixture


@pytest.mark.parametrize("structure", ["VVV", "VII"])
def test_rows_are_centered_and_scaled(structure: str) -> None:
    rows = 1e6 * groups(0, 200, 3) * [1.0, 100.0, 1.0] + 1e9
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name(structure))
    working, weights = problem.source.collect(None)
    np.testing.assert_array_equal(weights, 1.0)
    assert np.abs(working.mean(axis=0)).max() < 1e-3
    np.testing.assert_allclose(problem.column_variances, working.var(axis=0), rtol=1e-9)
    assert problem.total_weight == 200.0
    per_column = structure == "VVV"
    assert (len(set(problem.source.frame.total_exponent.tolist())) > 1) == per_column
    assert isinstance(problem.covariance_estimator.regularizer, FloorRegularizer)  # type: ignore[attr-defined]


def test_weights_equal_repeated_rows() -> None:
    rows, counts = groups(0, 50), np.arange(50) % 3
    weighted = Problem.from_source(make_memory_source(rows, counts.astype(float)), Structure.from_name("VVV"))
    repeated = Problem.from_source(make_memory_source(np.repeat(rows, counts, axis=0)), Structure.from_name("VVV"))
    assert weighted.total_weight == repeated.total_weight == counts.sum()
    np.testing.assert_allclose(weighted.column_variances, repeated.column_variances, rtol=1e-12)
    np.testing.assert_array_equal(weighted.source.frame.scale_exponent, repeated.source.frame.scale_exponent)


def test_rows_of_weight_zero_do_not_change_the_frame() -> None:
    rows = np.vstack([groups(0, 50), [[1e300, -1e300]]])
    problem = Problem.from_source(make_memory_source(rows, np.append(np.ones(50), 0.0)), Structure.from_name("VVV"))
    plain = Problem.from_source(make_memory_source(rows[:50]), Structure.from_name("VVV"))
    np.testing.assert_array_equal(problem.source.frame.total_exponent, plain.source.frame.total_exponent)


def test_ridge_is_in_the_units_of_the_data() -> None:
    rows = 1e3 * groups(0, 50)
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"), ridge=0.5)
    regularizer = problem.covariance_estimator.regularizer  # type: ignore[attr-defined]
    assert isinstance(regularizer, RidgeRegularizer)
    frame = problem.source.frame
    np.testing.assert_allclose(frame.restore_variances(regularizer.added_variances[None]), [[0.5, 0.5]])
    np.testing.assert_allclose(frame.restore_means(regularizer.origin[None]), 0.0, atol=1e-9)


def test_constant_columns_are_found() -> None:
    rows = np.column_stack([groups(0, 30), np.full(30, 7.0)])
    assert Problem.from_source(make_memory_source(rows), Structure.from_name("VVV")).constant_columns == [2]


def test_uniform_scores_give_the_moments_of_a_partition() -> None:
    rows, labels = groups(0, 40), np.arange(40) % 2
    problem = Problem.from_source(make_memory_source(rows), Structure.from_name("VVV"), engine=ReferenceEngine())
    assert isinstance(problem.engine, ReferenceEngine)
    source = problem.source.with_label_prior(KnownComponents(labels))
    session = problem.engine.bind(source)
    moments = session.e_step(CentersModel.uniform(np.zeros((2, 2))), MomentKind.FULL, AssignmentKind.HARD).moments
    working = source.collect(None)[0]
    for k in range(2):
        np.testing.assert_allclose(moments.mean[k], working[labels == k].mean(axis=0), atol=1e-12)


def test_total_log_max_responsibility_is_a_weighted_sum() -> None:
    rows = groups(0, 60)
    weights = np.random.default_rng(0).uniform(0, 2, 60)
    mixture = random_mixture(0)
    problem = Problem.from_source(make_memory_source(rows, weights), Structure.from_name("VVV"))
    source = problem.source.with_frame(mixture.frame)
    plain = replace(problem, source=source)
    expected = weights @ np.log(mixture.predict_proba(rows).max(axis=1))
    assert plain.total_log_max_responsibility(mixture) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("structure", [*MCLUST_NAMES, "UUU"])
def test_a_problem_is_picklable(structure: str) -> None:
    source = MemorySource.from_array(np.random.default_rng(0).normal(size=(30, 4)))
    problem = Problem.from_source(source, parse_structure(structure, 1))
    copy = pickle.loads(pickle.dumps(problem))
    start = initialize(problem, "kmeans", 2, np.random.default_rng(0))
    assert copy.e_step(start).log_likelihood == problem.e_step(start).log_likelihood
    assert copy.covariance_estimator.m_step == problem.covariance_estimator.m_step
