"""Filters of an intensity: what they do not depend on, other sensors, and bad input."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.tracking_scenarios import make_crowded_scenario
from gaussmix.errors import ParameterError
from gaussmix.tracking import (
    GMCPHD,
    GMPHD,
    Birth,
    BoxSensor,
    Clutter,
    CombinedMotion,
    ConstantVelocity,
    Estimates,
    RandomWalk,
    RangeBearingSensor,
    TargetModel,
)
from tests.tracking.intensity_scenes import (
    FILTERS,
    make_anywhere_model,
    mean_ospa,
    run_filter,
)


def assert_same_estimates(first: list[Estimates], second: list[Estimates], scale: float, rtol: float) -> None:
    """Assert that two runs report the same objects, one in other units of length."""
    for one, other in zip(first, second, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(scale * one.states, other.states, rtol=rtol, atol=rtol * 100.0 * scale)
        np.testing.assert_allclose(one.existence, other.existence, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(one.expected_number, other.expected_number, rtol=rtol)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (GMPHD, {"report": "copies"}, "report"),
        (GMPHD, {"min_hits": 0}, "min_hits"),
        (GMPHD, {"min_hits": 1.5}, "min_hits"),
        (GMPHD, {"spawn": [3.0]}, "spawn"),
        (GMCPHD, {"number": "median"}, "number"),
    ],
)
def test_bad_parameters_are_refused(make: Callable[..., Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make(make_anywhere_model(), **options)


@pytest.mark.parametrize("make", FILTERS)
def test_other_sensors(make: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    radar = RangeBearingSensor(1.0, 0.01, Clutter(1.0, 200.0 * 2.0 * np.pi), 0.95)
    anywhere = Birth.anywhere(0.2, [-100.0, -100.0], [100.0, 100.0], 2.0, 1.0)
    scans = [[[50.0 + k, np.pi - 0.01 * k], [30.0, -np.pi + 0.002 * k]] for k in range(8)]
    noisy = [np.array(scan) + rng.normal(0.0, [0.5, 0.005], (2, 2)) for scan in scans]
    last = run_filter(make, TargetModel(ConstantVelocity(0.5), radar, anywhere), noisy)[-1]
    np.testing.assert_allclose(np.sort(last.positions[:, 0]), [57.0 * np.cos(np.pi - 0.07), -30.0], atol=2.0)
    size = RandomWalk(0.5, names=("width", "height"), is_extent=True)
    boxes = BoxSensor(1.0, Clutter(1.0, 100.0**2 * 50.0**2), 0.95)
    model = TargetModel(CombinedMotion((ConstantVelocity(0.5), size)), boxes, anywhere)
    last = run_filter(make, model, [[[10.0 + k, 20.0, 8.0, 16.0]] for k in range(8)])[-1]
    np.testing.assert_allclose(last.states[:, [0, 2, 4, 5]], [[17.0, 20.0, 8.0, 16.0]], atol=0.5)


@pytest.mark.parametrize("make", FILTERS)
def test_many_objects_among_much_clutter(make: Callable[..., Any]) -> None:
    scenario = make_crowded_scenario(n_objects=60, clutter_rate=300.0, n_scans=8)
    estimates = run_filter(make, scenario.model, scenario.simulate(0))
    assert mean_ospa(estimates[-1:], scenario.truth()[-1:])[0] < 25.0
    assert estimates[-1].expected_number == pytest.approx(60.0, rel=0.15)


def test_a_step_with_too_many_births_is_refused_by_the_cardinalized_filter() -> None:
    with pytest.raises(ParameterError, match="at most 3000 new objects"):
        GMCPHD(make_anywhere_model()).step([], dt=1e9)
