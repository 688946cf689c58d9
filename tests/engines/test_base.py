"""What all engines compute from the scores of rows."""

import numpy as np
import pytest
from scipy import special

from gaussmix.core.batch import Batch
from gaussmix.core.label_prior import KnownComponents
from gaussmix.core.precision_roots import SphericalPrecisionRoot
from gaussmix.core.quadratics import Quadratics
from gaussmix.engines.base import AssignmentKind
from gaussmix.engines.responsibilities import (
    add_category_and_label_log_probabilities,
    compute_weighted_responsibilities,
)
from gaussmix.engines.score_tiles import log_sum_exp_with_shifted_terms


def test_log_sum_exp_equals_scipy_at_any_offset() -> None:
    rng = np.random.default_rng(0)
    for height in (0.0, 1e5, -1e5, 1e300):
        scores = rng.normal(size=(20, 4)) * 30 + height
        found, powers = log_sum_exp_with_shifted_terms(scores)
        np.testing.assert_allclose(found, special.logsumexp(scores, axis=1), rtol=1e-13)
        np.testing.assert_array_equal(powers.max(axis=1), 1.0)


def test_rows_excluded_from_all_components_have_density_zero() -> None:
    found, powers = log_sum_exp_with_shifted_terms(np.array([[-np.inf, -np.inf], [0.0, -np.inf]]))
    np.testing.assert_array_equal(found, [-np.inf, 0.0])
    assert np.isfinite(powers).all()


def test_soft_responsibilities_sum_to_the_weights() -> None:
    scores, weights = np.random.default_rng(1).normal(size=(10, 3)), np.arange(10.0)
    shares, log_likelihood, entropy, total_log_max = compute_weighted_responsibilities(
        scores, Batch(np.zeros((10, 1)), weights), AssignmentKind.SOFT
    )
    np.testing.assert_allclose(shares.sum(axis=1), weights, rtol=1e-13)
    assert log_likelihood == pytest.approx(weights @ special.logsumexp(scores, axis=1))
    soft = special.softmax(scores, axis=1)
    assert entropy == pytest.approx(-(weights @ (soft * np.log(soft)).sum(axis=1)))
    assert total_log_max == pytest.approx(weights @ np.log(soft.max(axis=1)))


def test_hard_responsibilities_have_one_component() -> None:
    scores = np.array([[1.0, 2.0], [3.0, 3.0], [0.0, -np.inf]])
    shares, *totals = compute_weighted_responsibilities(scores, Batch(np.zeros((3, 1))), AssignmentKind.HARD)
    np.testing.assert_array_equal(shares, [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert totals == [5.0, 0.0, 0.0]


def test_a_row_of_weight_zero_may_have_no_density() -> None:
    scores = np.array([[0.0, 0.0], [-np.inf, -np.inf]])
    batch = Batch(np.zeros((2, 1)), np.array([1.0, 0.0]))
    assert compute_weighted_responsibilities(scores, batch, AssignmentKind.HARD)[1] == 0.0


def test_label_priors_add_to_the_scores() -> None:
    scores = np.zeros((2, 2))
    quadratics = Quadratics(np.zeros(2), np.zeros((2, 1)), SphericalPrecisionRoot(np.ones(2)))
    assert add_category_and_label_log_probabilities(scores, quadratics, Batch(np.zeros((2, 1)))) is scores
    batch = Batch(np.zeros((2, 1)), label_prior=KnownComponents(np.array([1, -1])))
    hinted = add_category_and_label_log_probabilities(scores, quadratics, batch)
    np.testing.assert_array_equal(hinted, [[-np.inf, 0.0], [0.0, 0.0]])
