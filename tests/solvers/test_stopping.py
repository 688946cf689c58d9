"""When two log-likelihoods are near enough."""

import pytest

from gaussmix.solvers import MeanGainRule, RelativeGainRule


def test_absolute_gain_is_per_row() -> None:
    rule = MeanGainRule(1e-3)
    assert rule.is_met(-500.0, -499.95, total_weight=100.0)
    assert not rule.is_met(-500.0, -499.85, total_weight=100.0)
    assert rule.is_met(-499.95, -500.0, total_weight=100.0)  # a fall by rounding stops as well
    assert not rule.is_met(-float("inf"), -500.0, total_weight=100.0)


def test_relative_gain_is_of_the_size_or_of_a_nat_per_row() -> None:
    rule = RelativeGainRule(1e-6)
    assert rule.is_met(-1e6, -1e6 + 0.9, total_weight=10.0)
    assert not rule.is_met(-1e6, -1e6 + 1.1, total_weight=10.0)
    assert rule.is_met(0.0, 0.9e-4, total_weight=100.0)
    assert not rule.is_met(0.0, 1.1e-4, total_weight=100.0)
    assert not rule.is_met(-float("inf"), -1e6, total_weight=10.0)


@pytest.mark.parametrize("rule", [MeanGainRule(0.0), RelativeGainRule(0.0)])
def test_no_gain_is_small_enough_for_a_tolerance_of_zero(rule: MeanGainRule | RelativeGainRule) -> None:
    assert not rule.is_met(-500.0, -500.0, total_weight=100.0)
