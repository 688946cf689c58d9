"""When an iteration has changed so little that a run has converged."""

import math

import pytest

from gaussmix.solvers import MeanGainRule, RelativeGainRule, StoppingRule
from gaussmix.solvers.stopping import MovementRule, Progress, TotalGainRule


def is_met(rule: StoppingRule, previous: float, current: float, total_weight: float) -> bool:
    return rule.is_met(Progress(previous, current, total_weight))


def test_mean_gain_is_per_row() -> None:
    rule = MeanGainRule(1e-3)
    assert is_met(rule, -500.0, -499.95, total_weight=100.0)
    assert not is_met(rule, -500.0, -499.85, total_weight=100.0)
    assert is_met(rule, -499.95, -500.0, total_weight=100.0)  # a fall by rounding stops as well
    assert not is_met(rule, -math.inf, -500.0, total_weight=100.0)
    assert rule.tolerance_and_is_relative == (1e-3, False)


def test_relative_gain_is_relative_to_the_objective_or_to_a_nat_per_row() -> None:
    rule = RelativeGainRule(1e-6)
    assert is_met(rule, -1e6, -1e6 + 0.9, total_weight=10.0)
    assert not is_met(rule, -1e6, -1e6 + 1.1, total_weight=10.0)
    assert is_met(rule, 0.0, 0.9e-4, total_weight=100.0)
    assert not is_met(rule, 0.0, 1.1e-4, total_weight=100.0)
    assert not is_met(rule, -math.inf, -1e6, total_weight=10.0)
    assert rule.tolerance_and_is_relative == (1e-6, True)


def test_total_gain_is_of_all_rows_together() -> None:
    rule = TotalGainRule(1e-3, 7)
    assert is_met(rule, -10.0, -10.0005, total_weight=1e6)
    assert not is_met(rule, -10.0, -9.99, total_weight=1e6)
    assert rule.tolerance_and_is_relative is None
    assert rule.max_iter == 7


def test_movement_counts_whatever_the_objective_gains() -> None:
    rule = MovementRule(0.5)
    assert rule.is_met(Progress(-10.0, -1.0, 3.0, movement=0.5))
    assert not rule.is_met(Progress(-10.0, -10.0, 3.0, movement=0.6))
    assert not is_met(rule, -10.0, -10.0, total_weight=3.0)  # solvers that report no movement never stop by it


@pytest.mark.parametrize("rule", [MeanGainRule(0.0), RelativeGainRule(0.0)])
def test_no_gain_meets_a_tolerance_of_zero(rule: StoppingRule) -> None:
    assert not is_met(rule, -500.0, -500.0, total_weight=100.0)
