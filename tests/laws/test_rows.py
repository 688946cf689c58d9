"""A fit sees a set of weighted rows: their order, and how a weight is written, are irrelevant."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaussmix import GaussianMixture
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.types import ND, AnyArray, Array
from tests.laws.strategies import groups, seeds, structures

starts = st.sampled_from(["kmeans", "k-means++", "random", "random_from_data"])


def fit(
    rows: AnyArray, structure: str, start: str = "kmeans", weights: Array | None = None, means: ND | None = None
) -> GaussianMixture:
    estimator = GaussianMixture(
        3, covariance_type=structure, init_params=start, means_init=means, tol=0.0, max_iter=12, random_state=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # twelve passes need not converge
        return estimator.fit(rows, sample_weight=weights)


def assert_same_fit(found: GaussianMixture, expected: GaussianMixture, rows: ND) -> None:
    assert found.fit_.log_likelihood == pytest.approx(expected.fit_.log_likelihood, rel=1e-9)
    np.testing.assert_allclose(found.weights_, expected.weights_, atol=1e-7)
    np.testing.assert_allclose(found.means_, expected.means_, atol=1e-6)
    np.testing.assert_allclose(found.score_samples(rows), expected.score_samples(rows), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found.predict(rows), expected.predict(rows))


@given(seeds, structures, starts)
def test_order_is_irrelevant(seed: int, structure: str, start: str) -> None:
    rows = groups(seed, 80)
    order = np.random.default_rng(seed).permutation(len(rows))
    assert_same_fit(fit(rows[order], structure, start), fit(rows, structure, start), rows)


@given(seeds, structures, starts)
def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row(seed: int, structure: str, start: str) -> None:
    rows = groups(seed, 80)
    counts = np.random.default_rng(seed).integers(0, 3, len(rows))
    weighted = fit(rows, structure, start, counts.astype(float))
    assert_same_fit(weighted, fit(np.repeat(rows, counts, axis=0), structure, start), rows)


@given(seeds, structures)
def test_weights_are_shares_up_to_a_factor(seed: int, structure: str) -> None:
    """Weights times a power of two: the same mixture, and that multiple of its log-likelihood."""
    rows = groups(seed, 80)
    weights = np.random.default_rng(seed).uniform(0.1, 3.0, len(rows))
    once, often = (fit(rows, structure, weights=factor * weights) for factor in (1.0, 2.0**20))
    assert often.fit_.log_likelihood == pytest.approx(2.0**20 * once.fit_.log_likelihood, rel=1e-9)
    np.testing.assert_allclose(often.means_, once.means_, rtol=1e-9, atol=1e-9)


@given(seeds, structures)
def test_order_of_the_columns_is_irrelevant(seed: int, structure: str) -> None:
    """From the same means; starts that draw go by the order of the rows, which goes by the first column."""
    rows = groups(seed, 80, 3)
    swapped, plain = fit(rows[:, ::-1], structure, means=rows[:3, ::-1]), fit(rows, structure, means=rows[:3])
    assert swapped.fit_.log_likelihood == pytest.approx(plain.fit_.log_likelihood, rel=1e-9)
    np.testing.assert_allclose(swapped.means_[:, ::-1], plain.means_, atol=1e-6)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
@settings(settings.get_profile("each structure"))
@given(seeds)
def test_float32_is_the_same_numbers_in_another_dress(structure: str, seed: int) -> None:
    """float32 rows are fitted exactly as the same values in float64, and close to the rows they were rounded from."""
    rows = groups(seed, 80)
    rounded = rows.astype(np.float32)
    single, double = fit(rounded, structure), fit(rounded.astype(np.float64), structure)
    for part in ("weights", "centers"):
        np.testing.assert_array_equal(getattr(single.model_, part), getattr(double.model_, part))
    np.testing.assert_array_equal(single.model_.covariance.matrices(), double.model_.covariance.matrices())
    assert single.means_.dtype == np.float32
    assert single.fit_.log_likelihood == double.fit_.log_likelihood
    assert single.lower_bound_ == pytest.approx(fit(rows, structure).lower_bound_, rel=1e-3, abs=1e-3)


@given(seeds, structures)
def test_whole_numbers_score_as_the_same_floats(seed: int, structure: str) -> None:
    rows: Any = np.round(3.0 * groups(seed, 80)).astype(np.int32)
    fitted = fit(rows, structure)
    np.testing.assert_array_equal(fitted.score_samples(rows), fitted.score_samples(rows.astype(np.float64)))
    same = fit(rows.astype(np.float64), structure)
    np.testing.assert_array_equal(fitted.means_, same.means_)
