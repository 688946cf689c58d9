"""Filled cells: conditional means, draws and deviations, against formulas for each row and against draws."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from gaussmix import GaussianMixture, ParameterError
from gaussmix.model import Mixture
from gaussmix.model.imputation import impute_rows
from gaussmix.types import Array

COVARIANCES = np.array([[[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 0.5]], 0.4 * np.eye(3)])
MIXTURE = Mixture.from_parameters([0.4, 0.6], [[0.0, 0.0, 0.0], [1.5, 2.0, -1.0]], COVARIANCES)


def draw_gaps(seed: int, n_rows: int = 60, missing: float = 0.4) -> tuple[Array, Array]:
    rows = MIXTURE.sample(n_rows, seed)[0]
    gaps = np.where(np.random.default_rng(seed).random(rows.shape) < missing, np.nan, rows)
    return rows, gaps


def expect_row(mixture: Mixture, row: Array) -> tuple[Array, Array, Array]:
    """Conditional mean, covariance, and mean of the most probable component, of the missing cells of a row."""
    missing, seen = np.flatnonzero(np.isnan(row)), np.flatnonzero(~np.isnan(row))
    scores, means, covariances = [], [], []
    for weight, mean, covariance in zip(mixture.weights, mixture.means, mixture.covariances, strict=True):
        inverse = np.linalg.inv(covariance[np.ix_(seen, seen)])
        slope = covariance[np.ix_(missing, seen)] @ inverse
        density = (
            stats.multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).logpdf(row[seen]) if len(seen) else 0
        )
        scores.append(np.log(weight) + density)
        means.append(mean[missing] + slope @ (row[seen] - mean[seen]))
        covariances.append(covariance[np.ix_(missing, missing)] - slope @ covariance[np.ix_(seen, missing)])
    probabilities = np.exp(scores - np.logaddexp.reduce(scores))
    mean = probabilities @ np.array(means)
    second = sum(p * (c + np.outer(m, m)) for p, c, m in zip(probabilities, covariances, means, strict=True))
    return mean, np.asarray(second) - np.outer(mean, mean), means[int(np.argmax(scores))]


@pytest.mark.parametrize("structure", ["VVV", "VVI"])
def test_means_modes_and_deviations_equal_the_formulas(structure: str) -> None:
    diagonals = np.einsum("kii->ki", COVARIANCES)
    mixture = MIXTURE if structure == "VVV" else Mixture.from_parameters([0.4, 0.6], MIXTURE.means, diagonals, "VVI")
    _, gaps = draw_gaps(0)
    by_mean, by_mode = impute_rows(mixture, gaps), impute_rows(mixture, gaps, "mode")
    for row, filled, mode, deviation in zip(gaps, by_mean.rows, by_mode.rows, by_mean.standard_deviations, strict=True):
        missing = np.isnan(row)
        mean, covariance, of_best = expect_row(mixture, row)
        np.testing.assert_allclose(filled[missing], mean, atol=1e-10)
        np.testing.assert_allclose(mode[missing], of_best, atol=1e-10)
        np.testing.assert_allclose(deviation[missing], np.sqrt(np.diag(covariance)), atol=1e-10)
        np.testing.assert_array_equal(filled[~missing], row[~missing])
        np.testing.assert_array_equal(deviation[~missing], 0.0)


def test_draws_have_the_conditional_distribution() -> None:
    row = np.array([[np.nan, 1.0, np.nan]])
    mean, covariance, _ = expect_row(MIXTURE, row[0])
    drawn = impute_rows(MIXTURE, row, "draw", 40_000, 0).rows[:, 0, [0, 2]]
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.03)


def test_intervals_of_filled_cells_cover_what_they_should() -> None:
    rows, gaps = draw_gaps(3, 4000, 0.3)
    result = impute_rows(MIXTURE, gaps)
    is_inside = np.abs(result.rows - rows) <= stats.norm.ppf(0.95) * result.standard_deviations
    assert 0.88 < is_inside[np.isnan(gaps)].mean() < 0.92


def test_draws_keep_the_covariance_and_means_shrink_it() -> None:
    rows, gaps = draw_gaps(4, 6000, 0.4)
    truth = np.cov(rows.T)
    drawn = np.cov(impute_rows(MIXTURE, gaps, "draw", random_state=0).rows.T)
    np.testing.assert_allclose(drawn, truth, atol=0.12)
    assert (np.diag(np.cov(impute_rows(MIXTURE, gaps).rows.T)) < 0.9 * np.diag(truth)).all()


def test_a_seed_repeats_draws_and_tables_differ() -> None:
    _, gaps = draw_gaps(1)
    first, again = (impute_rows(MIXTURE, gaps, "draw", 2, 5).rows for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, *gaps.shape)
    assert (first[0] != first[1]).any(axis=1).sum() == np.isnan(gaps).any(axis=1).sum()
    assert impute_rows(MIXTURE, gaps, "draw", random_state=5).rows.shape == gaps.shape


def test_noise_expects_the_middle_of_its_box() -> None:
    rows = np.vstack([np.random.default_rng(0).normal(size=(90, 2)), [[60.0, 60.0]] * 3, [[-40.0, 10.0]] * 3])
    estimator = GaussianMixture(1, noise=True, random_state=0).fit(rows)
    model = estimator.model_
    assert model.noise is not None
    middle = model.frame.restore_means(model.noise.box.center[None])[0]
    result = estimator.impute([[60.0, np.nan]])
    assert result.rows[0, 1] == pytest.approx(middle[1], abs=0.2)
    sides = np.ldexp(model.noise.box.maximum - model.noise.box.minimum, -model.frame.total_exponent)
    assert result.standard_deviations[0, 1] == pytest.approx(sides[1] / np.sqrt(12.0), rel=0.02)
    drawn = impute_rows(model, [[60.0, np.nan]], "draw", 500, 0).rows[:, 0, 1]
    assert drawn.min() > middle[1] - 0.51 * sides[1]
    assert drawn.std() == pytest.approx(sides[1] / np.sqrt(12.0), rel=0.15)


def test_transformed_columns_are_filled_in_their_own_units() -> None:
    rng = np.random.default_rng(0)
    logs = rng.multivariate_normal([1.0, 2.0], [[0.5, 0.4], [0.4, 0.5]], 400)
    rows = np.expm1(logs)
    model = GaussianMixture(1, column_transform="log1p", random_state=0).fit(rows).model_
    result = impute_rows(model, [[np.expm1(2.0), np.nan]])
    slope = model.covariances[0][1, 0] / model.covariances[0][0, 0]
    middle = model.means[0][1] + slope * (2.0 - model.means[0][0])
    deviation = np.sqrt(model.covariances[0][1, 1] - slope * model.covariances[0][0, 1])
    assert result.rows[0, 1] == pytest.approx(np.expm1(middle), rel=1e-9)
    half = 0.5 * (np.expm1(middle + deviation) - np.expm1(middle - deviation))
    assert result.standard_deviations[0, 1] == pytest.approx(half, rel=1e-9)


def test_columns_that_follow_from_others_are_filled_from_them() -> None:
    rng = np.random.default_rng(0)
    pair = np.round(rng.normal(size=(200, 2)), 3)
    rows = np.column_stack([pair, pair.sum(axis=1)])
    estimator = GaussianMixture(1, random_state=0).fit(rows)
    result = estimator.impute([[1.0, 2.0, np.nan], [1.0, np.nan, np.nan]])
    assert result.rows[0, 2] == pytest.approx(3.0, abs=1e-9)
    assert result.standard_deviations[0, 2] == pytest.approx(0.0, abs=1e-6)
    assert result.rows[1, 2] == pytest.approx(1.0 + result.rows[1, 1], abs=1e-9)
    assert result.standard_deviations[1, 2] == pytest.approx(result.standard_deviations[1, 1], rel=1e-6)


def test_complete_rows_stay_and_empty_rows_get_the_means() -> None:
    rows, _ = draw_gaps(2)
    result = impute_rows(MIXTURE, rows)
    np.testing.assert_array_equal(result.rows, rows)
    assert not result.standard_deviations.any()
    empty = impute_rows(MIXTURE, [[np.nan] * 3]).rows[0]
    np.testing.assert_allclose(empty, MIXTURE.weights @ MIXTURE.means, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "median"}, "method must be one of mean, draw, mode, but is 'median'"),
        ({"n_draws": 3}, "n_draws"),
        ({"method": "draw", "n_draws": 0}, "n_draws"),
    ],
)
def test_bad_arguments_raise(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        impute_rows(MIXTURE, [[np.nan, 0.0, 0.0]], **arguments)
