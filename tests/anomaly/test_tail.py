"""Tails of scores: SciPy's generalised Pareto distribution as an oracle, and monotony."""

import numpy as np
import pytest
from scipy import optimize, stats

from gaussmix.anomaly.tail import TailFunction, _fit_pareto_tail


def brute_force_likelihood(excess, weights, censoring):
    """The best log-likelihood of shapes from 0 to 0.5, by SciPy's density and survival function."""

    def negative(parameters):
        shape, scale = parameters[0], np.exp(parameters[1])
        is_observed = excess <= censoring
        terms = np.where(
            is_observed,
            stats.genpareto.logpdf(np.minimum(excess, censoring), shape, scale=scale),
            stats.genpareto.logsf(censoring, shape, scale=scale),
        )
        return -float(weights @ terms)

    starts = [(shape, np.log(excess.mean())) for shape in (0.01, 0.2, 0.45)]
    bounds = [(1e-9, 0.5), (-20, 20)]
    return min(optimize.minimize(negative, start, bounds=bounds, method="L-BFGS-B").fun for start in starts), negative


@pytest.mark.parametrize("shape", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("is_censored", [False, True])
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e12])
def test_shape_and_scale_have_the_largest_likelihood(shape, is_censored, unit):
    rng = np.random.default_rng(3)
    excess = stats.genpareto.rvs(shape, size=300, random_state=rng)
    weights = rng.integers(1, 4, 300).astype(float)
    censoring = float(np.quantile(excess, 0.8)) if is_censored else np.inf
    found = _fit_pareto_tail(unit * (excess + 5.0), weights, unit * 5.0, unit * (censoring + 5.0))
    best, negative = brute_force_likelihood(excess, weights, min(censoring, 1e6))
    assert negative((max(found[0], 1e-9), np.log(found[1] / unit))) <= best + 1e-3


def test_the_tail_beyond_the_knots_is_that_of_scipy():
    scores = np.random.default_rng(0).exponential(size=500)
    tail = TailFunction.from_contaminated_scores(scores)
    beyond = np.array([0.1, 1.0, 30.0, 1e6])
    expected = stats.genpareto.logsf(beyond, tail.shape, scale=tail.scale) + tail.log_tails[-1]
    np.testing.assert_allclose(tail(tail.knots[-1] + beyond), expected, rtol=1e-9)


@pytest.mark.parametrize("make", [TailFunction.from_clean_scores, TailFunction.from_contaminated_scores])
@pytest.mark.parametrize("kind", ["normal", "ties", "two", "one", "heavy", "many", "equal"])
def test_a_higher_score_has_a_strictly_smaller_log_tail_and_a_finite_one(make, kind):
    rng = np.random.default_rng(1)
    scores = {
        "normal": rng.normal(size=200),
        "ties": rng.integers(0, 4, 200).astype(float),
        "two": np.array([0.0, 1.0]),
        "one": np.array([3.0]),
        "heavy": rng.standard_cauchy(300) ** 3,
        "many": rng.normal(size=5000),
        "equal": np.full(50, 2.0),
    }[kind]
    tail = make(scores)
    span = np.ptp(scores) or 1.0
    grid = np.concatenate(
        [scores.min() - span * np.geomspace(100, 0.1, 50), np.linspace(scores.min(), scores.max(), 99)]
    )
    grid = np.unique(np.concatenate([grid, scores.max() + span * np.geomspace(0.1, 100, 50)]))
    log_tails = tail(grid)
    assert np.isfinite(log_tails).all()
    assert (log_tails < 0).all()
    assert (np.diff(log_tails) < 0).all()
    assert np.isfinite(tail(np.array([-1e250, 1e250]))).all()


def test_clean_tails_are_ranks_among_the_scores():
    scores = np.random.default_rng(2).normal(size=300)
    tail = TailFunction.from_clean_scores(scores)
    expected = (1.0 + stats.rankdata(-scores)) / 301.0
    np.testing.assert_allclose(np.exp(tail(scores)), expected, rtol=1e-12)


def test_the_highest_tenth_does_not_change_a_contaminated_tail():
    scores = np.sort(np.random.default_rng(4).exponential(size=1000))
    moved = scores.copy()
    moved[-99:] = 1e6
    grid = np.linspace(0.0, 8.0, 30)
    expected = TailFunction.from_contaminated_scores(scores)(grid)
    np.testing.assert_allclose(TailFunction.from_contaminated_scores(moved)(grid), expected, rtol=1e-9)
    np.testing.assert_allclose(expected, stats.expon.logsf(grid), rtol=0.25, atol=0.1)


@pytest.mark.parametrize("make", [TailFunction.from_clean_scores, TailFunction.from_contaminated_scores])
def test_weights_are_repetitions(make):
    rng = np.random.default_rng(5)
    scores, counts = rng.exponential(size=150), rng.integers(1, 4, 150)
    grid = np.linspace(-1.0, 9.0, 40)
    expected = make(np.repeat(scores, counts))(grid)
    np.testing.assert_allclose(make(scores, counts.astype(float))(grid), expected, rtol=1e-6)


@pytest.mark.parametrize("make", [TailFunction.from_clean_scores, TailFunction.from_contaminated_scores])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_inverse_is_the_inverse(make, seed):
    scores = np.random.default_rng(seed).standard_t(4, size=400)
    tail = make(scores)
    for log_tail in (-0.2, -1.0, -3.0, -9.0, -40.0):
        assert float(tail(np.array([tail.inverse(log_tail)]))[0]) == pytest.approx(log_tail, rel=1e-9)
