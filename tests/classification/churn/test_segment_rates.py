"""Churn rates of soft segments: laws, Wilson's interval as a limit, and coverage."""

import numpy as np
import pytest

from gaussmix.classification.churn.segment_rates import estimate_segment_rates
from gaussmix.classification.evaluation.rate_intervals import wilson_interval

UNIT = np.ones


def draw(seed, n=200, k=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(k, 0.5), n), rng.random(n) < 0.3, rng.uniform(0.5, 2.0, n)


@pytest.mark.parametrize("seed", range(3))
def test_certain_memberships_give_wilson_intervals(seed):
    _, has_left, _ = draw(seed)
    labels = np.random.default_rng(seed).integers(0, 3, 200)
    found = estimate_segment_rates(np.eye(3)[labels], has_left, UNIT(200), 0.9)
    for segment, estimate in enumerate(found):
        own = has_left[labels == segment]
        assert estimate.rate == pytest.approx(own.mean(), rel=1e-12)
        assert estimate.effective_count == pytest.approx(len(own), rel=1e-12)
        assert estimate.interval == pytest.approx(wilson_interval(own.mean(), len(own), 0.9), rel=1e-12)


def test_equal_memberships_say_as_much_as_all_rows():
    _, has_left, _ = draw(0)
    for estimate in estimate_segment_rates(np.full((200, 4), 0.25), has_left, UNIT(200), 0.9):
        assert estimate.rate == pytest.approx(has_left.mean())
        assert estimate.effective_count == pytest.approx(200)


@pytest.mark.parametrize("seed", range(3))
def test_order_and_unit_of_weights_do_not_matter(seed):
    memberships, has_left, weights = draw(seed)
    first = estimate_segment_rates(memberships, has_left, weights, 0.9)
    order = np.random.default_rng(seed).permutation(200)
    second = estimate_segment_rates(memberships[order], has_left[order], 1e6 * weights[order], 0.9)
    for one, other in zip(first, second, strict=True):
        assert (one.rate, *one.interval) == pytest.approx((other.rate, *other.interval), rel=1e-12)


def test_a_higher_level_gives_a_longer_interval_around_the_rate():
    memberships, has_left, weights = draw(1)
    for short, long in zip(
        *(estimate_segment_rates(memberships, has_left, weights, level) for level in (0.5, 0.99)), strict=True
    ):
        assert long.interval.low < short.interval.low < short.rate < short.interval.high < long.interval.high


@pytest.mark.parametrize("value", [False, True])
def test_segments_where_nobody_or_everybody_left_have_an_interval(value):
    memberships, _, weights = draw(2)
    for estimate in estimate_segment_rates(memberships, np.full(200, value), weights, 0.9):
        low, high = estimate.interval
        assert (estimate.rate, low if not value else high) == (float(value), float(value))
        assert 0.0 < high - low < 0.1


@pytest.mark.parametrize("rates", [(0.5, 0.1, 0.3), (0.02, 0.6, 0.02)])
def test_intervals_cover_at_their_level(rates):
    """Rows of three groups, known up to noise: the memberships are the true posterior probabilities."""
    rng = np.random.default_rng(5)
    centers, covered = np.array([-1.0, 0.0, 1.5]), []

    def draw_rows(n):
        group = rng.integers(0, 3, n)
        x = centers[group] + 0.8 * rng.normal(size=n)
        scores = np.exp(-0.5 * ((x[:, None] - centers) / 0.8) ** 2)
        return scores / scores.sum(axis=1, keepdims=True), np.array(rates)[group]

    memberships, p = draw_rows(400_000)
    truth = p @ memberships / memberships.sum(axis=0)
    for _ in range(400):
        memberships, p = draw_rows(250)
        found = estimate_segment_rates(memberships, rng.random(250) < p, UNIT(250), 0.9)
        covered.append([each.interval.low <= t <= each.interval.high for each, t in zip(found, truth, strict=True)])
    assert (np.mean(covered, axis=0) >= 0.86).all()
    assert 0.88 <= np.mean(covered) <= 0.94
