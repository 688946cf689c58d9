"""Martingales: every bet is fair, the wealth is that of all starts, and false alarms stay below Ville's bound."""

import numpy as np
import pytest
from scipy.stats import norm

from gaussmix.anomaly.drift_bets import BETS, bet_sequentially, initial_wealth


def factor(bet, p_value):
    """The density ratio by SciPy."""
    z = norm.ppf(p_value)
    return norm.pdf(z, bet.shift, bet.scale) / norm.pdf(z)


def test_every_bet_is_a_density_of_the_p_value():
    """Each p-value is a column of its own; the integral over u is taken over z = Phi^-1(u)."""
    scores = np.linspace(-8, 8, 4001)
    p_values = norm.cdf(scores)
    wealth = bet_sequentially(p_values[None, :], 0, initial_wealth(len(scores))).wealth[0]
    factors = wealth / wealth[2000] * [factor(bet, 0.5) for bet in BETS]
    expected = np.array([factor(bet, p_values) for bet in BETS]).T
    np.testing.assert_allclose(factors[600:-600], expected[600:-600], rtol=1e-9)
    integrals = np.trapezoid(factors * norm.pdf(scores)[:, None], scores, axis=0)
    np.testing.assert_allclose(integrals, 1.0, atol=1e-4)
    assert {bet.direction for bet in BETS} == {"up", "down", "wider", "narrower"}


def test_wealth_is_the_mixture_over_all_starts():
    rng = np.random.default_rng(0)
    p_values = rng.random(40)
    survival = 1.0 / (1.0 + np.log(1.0 + np.arange(41) / 100.0))
    expected = survival[40]
    for bet in BETS:
        factors = np.array([factor(bet, p_value) for p_value in p_values])
        for start in range(40):
            expected += (survival[start] - survival[start + 1]) / len(BETS) * np.prod(factors[start:])
    martingales = bet_sequentially(p_values[:, None], 0, initial_wealth(1)).martingales
    assert martingales[-1, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_false_alarms_of_uniform_p_values_stay_below_the_bound(seed):
    martingales = bet_sequentially(np.random.default_rng(seed).random((1000, 400)), 0, initial_wealth(400)).martingales
    assert (martingales.max(axis=0) >= 20).mean() <= 0.05
    assert (martingales.max(axis=0) >= 5).mean() <= 0.2
    assert martingales[2].mean() == pytest.approx(1.0, abs=0.02)


def test_missing_p_values_pause_a_column():
    p_values = np.full((50, 2), 0.999)
    p_values[10:20, 1] = np.nan
    martingales = bet_sequentially(p_values, 0, initial_wealth(2)).martingales
    np.testing.assert_allclose(martingales[10:20, 1], martingales[9, 1], rtol=1e-12)
    assert martingales[20, 1] > martingales[19, 1]


def test_any_split_gives_the_same_bits():
    p_values = np.random.default_rng(1).random((300, 5))
    whole = bet_sequentially(p_values, 0, initial_wealth(5))
    wealth, start, parts = initial_wealth(5), 0, []
    for size in (1, 2, 7, 90, 200):
        path = bet_sequentially(p_values[start : start + size], start, wealth)
        parts.append(path.martingales)
        wealth, start = path.wealth[-1], start + size
    np.testing.assert_array_equal(np.concatenate(parts), whole.martingales)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-300])
def test_extreme_p_values_keep_the_wealth_finite(value):
    martingales = bet_sequentially(np.full((3000, 1), value), 0, initial_wealth(1)).martingales
    assert np.isfinite(martingales).all()
    assert martingales[-1, 0] > 1e100
