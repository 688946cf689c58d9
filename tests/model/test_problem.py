"""What is to be fitted: rows in their frame, with their moments as one group."""

from dataclasses import replace

import numpy as np
import pytest

from gaussmix.core.moments import MomentKind
from gaussmix.covariance import Floor, Ridge, Structure
from gaussmix.engines import Assign, ReferenceEngine
from gaussmix.model import Problem
from gaussmix.model.problem import flat, source_of
from tests.laws.strategies import groups, random_mixture


@pytest.mark.parametrize("structure", ["VVV", "VII"])
def test_rows_are_centred_and_scaled(structure: str) -> None:
    rows = 1e6 * groups(0, 200, 3) * [1.0, 100.0, 1.0] + 1e9
    problem = Problem.of(source_of(rows), Structure.parse(structure))
    working, weights = problem.source.gather()
    np.testing.assert_array_equal(weights, 1.0)
    assert np.abs(working.mean(axis=0)).max() < 1e-3
    np.testing.assert_allclose(problem.variances, working.var(axis=0), rtol=1e-9)
    assert problem.total_weight == 200.0
    per_column = structure == "VVV"
    assert (len(set(problem.source.frame.total_exponent.tolist())) > 1) == per_column
    assert isinstance(problem.family.limit, Floor)  # type: ignore[attr-defined]


def test_weights_count() -> None:
    rows, counts = groups(0, 50), np.arange(50) % 3
    weighted = Problem.of(source_of(rows, counts.astype(float)), Structure.parse("VVV"))
    repeated = Problem.of(source_of(np.repeat(rows, counts, axis=0)), Structure.parse("VVV"))
    assert weighted.total_weight == repeated.total_weight == counts.sum()
    np.testing.assert_allclose(weighted.variances, repeated.variances, rtol=1e-12)
    np.testing.assert_array_equal(weighted.source.frame.exponent, repeated.source.frame.exponent)


def test_rows_of_weight_zero_have_no_say_in_the_frame() -> None:
    rows = np.vstack([groups(0, 50), [[1e300, -1e300]]])
    problem = Problem.of(source_of(rows, np.append(np.ones(50), 0.0)), Structure.parse("VVV"))
    plain = Problem.of(source_of(rows[:50]), Structure.parse("VVV"))
    np.testing.assert_array_equal(problem.source.frame.total_exponent, plain.source.frame.total_exponent)


def test_ridge_is_in_the_datas_units() -> None:
    rows = 1e3 * groups(0, 50)
    problem = Problem.of(source_of(rows), Structure.parse("VVV"), ridge=0.5)
    limit = problem.family.limit  # type: ignore[attr-defined]
    assert isinstance(limit, Ridge)
    frame = problem.source.frame
    np.testing.assert_allclose(frame.restore_variances(limit.amounts[None]), [[0.5, 0.5]])
    np.testing.assert_allclose(frame.restore_points(limit.origin[None]), 0.0, atol=1e-9)


def test_constant_columns_are_named() -> None:
    rows = np.column_stack([groups(0, 30), np.full(30, 7.0)])
    assert Problem.of(source_of(rows), Structure.parse("VVV")).constant_columns == [2]


def test_flat_quadratics_leave_a_partition_alone() -> None:
    rows, labels = groups(0, 40), np.arange(40) % 2
    problem = Problem.of(source_of(rows), Structure.parse("VVV"), engine=ReferenceEngine())
    assert isinstance(problem.engine, ReferenceEngine)
    source = problem.source.hinted(labels)
    found = problem.engine.sweep(source.reduce, flat(np.zeros((2, 2))), MomentKind.FULL, Assign.HARD).moments
    working = source.gather()[0]
    for k in range(2):
        np.testing.assert_allclose(found.mean[k], working[labels == k].mean(axis=0), atol=1e-12)


def test_certainty_is_what_icl_pays_for() -> None:
    rows = groups(0, 60)
    weights = np.random.default_rng(0).uniform(0, 2, 60)
    mixture = random_mixture(0)
    problem = Problem.of(source_of(rows, weights), Structure.parse("VVV"))
    moved = problem.source.framed(mixture.frame)
    plain = replace(problem, source=moved)
    expected = weights @ np.log(mixture.responsibilities(rows).max(axis=1))
    assert plain.log_certainty(mixture.to_quadratics()) == pytest.approx(expected, rel=1e-10)
