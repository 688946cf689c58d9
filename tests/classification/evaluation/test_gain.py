"""Gain and lift: a count over sorted rows, scikit-learn's ROC curve, and the mean over random orders of ties."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from gaussmix.classification import gain_table
from gaussmix.classification.evaluation.rate_intervals import wilson_interval
from gaussmix.errors import OutcomeError, ParameterError
from tests.classification.evaluation.outcome_samples import draw_sample


@pytest.mark.parametrize("seed", range(4))
def test_rows_of_highest_probability_are_counted(seed):
    y, p, _ = draw_sample(seed, 400)
    order = np.argsort(-p)
    for row in gain_table(y, p, fractions=(0.01, 0.05, 0.25, 0.5, 1.0)).rows:
        top = order[: round(400 * row.fraction)]
        assert row.gain == pytest.approx(y[top].sum() / y.sum())
        assert row.rate == pytest.approx(y[top].mean())
        assert row.lift == pytest.approx(y[top].mean() / y.mean())
        assert row.min_probability == p[top].min()
        assert row.rate_interval == pytest.approx(wilson_interval(y[top].mean(), len(top), 0.95))


@pytest.mark.parametrize("n_distinct", [None, 8])
def test_the_curve_has_the_true_positive_rates_of_scikit_learn(n_distinct):
    y, p, weights = draw_sample(1, 300, n_distinct)
    false_positive, true_positive, _ = roc_curve(y, p, sample_weight=weights, drop_intermediate=False)
    found, rate = gain_table(y, p, weights), np.average(y, weights=weights)
    np.testing.assert_allclose(found.curve_gains, true_positive, atol=1e-12)
    np.testing.assert_allclose(found.curve_fractions, rate * true_positive + (1 - rate) * false_positive, atol=1e-12)
    np.testing.assert_allclose(found.gain_at(found.curve_fractions), found.curve_gains)
    assert found.rate == pytest.approx(rate)


def test_tied_rows_count_as_in_random_order():
    y, p, _ = draw_sample(2, 60, n_distinct=4)
    rng, gains = np.random.default_rng(0), []
    for _ in range(4000):
        order = rng.permutation(60)
        gains.append(y[order][np.argsort(-p[order], kind="stable")[:18]].sum() / y.sum())
    found = gain_table(y, p, fractions=[0.3]).rows[0]
    assert found.gain == pytest.approx(np.mean(gains), abs=0.003)
    order = rng.permutation(60)
    assert gain_table(y[order], p[order], fractions=[0.3]).rows[0] == found


def test_all_rows_have_a_lift_of_one_and_the_best_order_the_largest():
    y, p, _ = draw_sample(3)
    last = gain_table(y, p).rows[-1]
    assert (last.fraction, last.gain, last.lift) == (1.0, 1.0, 1.0)
    best = gain_table(y, y.astype(float), fractions=[y.mean()]).rows[0]
    assert best.gain == pytest.approx(1.0)
    assert best.lift == pytest.approx(1.0 / y.mean())
    assert gain_table(np.ones(4), p[:4]).rows[0].lift == pytest.approx(1.0)


def test_level_and_weights_matter_and_the_table_shows_the_rows():
    y, p, weights = draw_sample(4)
    narrow, wide = (gain_table(y, p, level=level).rows[2].rate_interval for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    found = gain_table(y, p, weights)
    assert [row["gain"] for row in found.table()] == [row.gain for row in found.rows]
    assert found.table() != gain_table(y, p).table()
    assert found.table()[0]["rate_high"] == found.rows[0].rate_interval.high


@pytest.mark.parametrize("fractions", [[], [0.0], [1.1], [0.5, np.nan], "all", 0.5, None, [[0.5]]])
def test_fractions_lie_above_zero_and_up_to_one(fractions):
    with pytest.raises(ParameterError, match="fractions must be one or more numbers above 0"):
        gain_table([0, 1], [0.1, 0.9], fractions=fractions)


def test_no_positive_row_is_refused():
    with pytest.raises(OutcomeError, match="no positive row"):
        gain_table([0, 0], [0.1, 0.9])
