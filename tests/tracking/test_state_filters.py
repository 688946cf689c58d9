"""Interacting multiple models and the Gaussian sum filter."""

from typing import Any

import numpy as np
import pytest

from gaussmix import DataError, Gaussian, Mixture, ParameterError
from gaussmix.errors.tracking_filters import FilterOverflowError
from gaussmix.tracking import (
    IMM,
    ConstantAcceleration,
    ConstantVelocity,
    CoordinatedTurn,
    GaussianSumFilter,
    PositionSensor,
    RandomWalk,
    RangeBearingSensor,
    ReductionLimits,
    SwitchingMotion,
    filter_measurements,
    predict,
    update,
)
from gaussmix.tracking.state_filters import AbstractStateFilter, StateEstimate
from gaussmix.types import Array
from tests.tracking.single_object_scenes import CLUTTER, random_gaussian, velocity_scene

TURNING = SwitchingMotion(
    (ConstantVelocity(0.1), CoordinatedTurn(0.1, 0.02)),
    [[0.95, 0.05], [0.05, 0.95]],
    missing_std={"turn_rate": 0.3},
)
SENSOR = PositionSensor(1.0, CLUTTER)


def as_mixture(gaussian: Gaussian) -> Mixture:
    return Mixture.from_parameters([1.0], gaussian.mean[None], gaussian.covariance[None])


def simulate_manoeuvre(seed: int) -> tuple[Array, Array]:
    """Return true states (60, 5) of a flight with a turn in the middle, and measured positions."""
    turn, states = CoordinatedTurn(1.0, 1.0), [np.array([[0.0, 5.0, 0.0, 0.0, 0.0]])]
    for k in range(60):
        states[-1][:, 4] = 0.25 if 20 <= k < 40 else 0.0
        states.append(turn.propagate(states[-1], 1.0))
    truth = np.concatenate(states[1:])
    return truth, truth[:, [0, 2]] + np.random.default_rng(seed).normal(size=(60, 2))


START = Gaussian([0.0, 5.0, 0.0, 0.0, 0.0], np.diag([4.0, 4.0, 4.0, 4.0, 0.09]))


@pytest.mark.parametrize("seed", range(2))
def test_one_model_and_one_component_are_the_kalman_filter(seed: int) -> None:
    motion, sensor, initial, measurements = velocity_scene(seed)
    expected = filter_measurements(initial, motion, sensor, measurements)
    filters: list[AbstractStateFilter] = [
        IMM(SwitchingMotion((motion,), [[1.0]]), sensor, initial),
        GaussianSumFilter(motion, sensor, initial),
        GaussianSumFilter(motion, sensor, as_mixture(initial)),
    ]
    for state_filter in filters:
        estimates = state_filter.run(measurements)
        np.testing.assert_allclose([e.mean for e in estimates], expected.means, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose([e.covariance for e in estimates], expected.covariances, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose([e.log_likelihood for e in estimates], expected.log_likelihoods, rtol=1e-10)
        assert estimates[-1].mode_probabilities.tolist() == [1.0]
        assert estimates[-1].time == len(measurements)


def test_the_sum_filter_updates_a_mixture_by_bayes_theorem() -> None:
    motion, sensor, _, measurements = velocity_scene(2)
    parts = [random_gaussian(k, 4) for k in range(3)]
    mixture = Mixture.from_parameters([0.2, 0.3, 0.5], [p.mean for p in parts], [p.covariance for p in parts])
    tracker = GaussianSumFilter(motion, sensor, mixture, ReductionLimits(0.0, 0.0, 10))
    for row in measurements[:4]:
        estimate = tracker.step(row)
        mixture, log_likelihood = update(predict(mixture, motion, 1.0), sensor, row, motion.layout)
        assert estimate.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)
        rows = np.random.default_rng(0).normal(size=(10, 4))
        np.testing.assert_allclose(estimate.belief.logpdf(rows), mixture.logpdf(rows), rtol=1e-8)
        assert estimate.belief.feature_names == motion.layout.names


def test_limits_of_the_sum_filter_matter() -> None:
    motion, sensor, _, measurements = velocity_scene(2)
    means = np.random.default_rng(0).normal(size=(12, 4)) * [8.0, 1.0, 8.0, 1.0]
    start = Mixture.from_parameters(np.full(12, 1 / 12), means, np.repeat(4.0 * np.eye(4)[None], 12, axis=0))
    counts = {}
    for name, limits in {
        "all": ReductionLimits(0.0, 0.0, 100),
        "few": ReductionLimits(0.0, 0.0, 3),
        "heavy": ReductionLimits(0.1, 0.0, 100),
        "merged": ReductionLimits(0.0, 3.0, 100),
        "heaviest": ReductionLimits(0.999, 0.0, 100),
    }.items():
        estimate = GaussianSumFilter(motion, sensor, start, limits).step(measurements[0])
        counts[name] = len(estimate.components)
        assert estimate.components.weights.sum() == pytest.approx(1.0)
    assert counts["all"] == 12
    assert counts["few"] == 3
    assert counts["heaviest"] == 1
    assert max(counts["heavy"], counts["merged"]) < 12


def errors_of(estimates: list[StateEstimate], truth: Array) -> float:
    means = np.array([estimate.mean for estimate in estimates])
    return float(np.sqrt(((means[:, [0, 2]] - truth[:, [0, 2]]) ** 2).mean()))


@pytest.mark.parametrize("seed", range(2))
def test_modes_of_unequal_size_follow_a_manoeuvre(seed: int) -> None:
    truth, measurements = simulate_manoeuvre(seed)
    straight_start = Gaussian(START.mean[:4], START.covariance[:4, :4])
    estimates = IMM(TURNING, SENSOR, START).run(measurements)
    turning = np.array([estimate.mode_probabilities[1] for estimate in estimates])
    assert turning[28:40].mean() > 0.75 > 0.5 > turning[5:20].mean()
    assert estimates[35].mean[4] == pytest.approx(0.25, abs=0.1)
    rivals = [
        GaussianSumFilter(ConstantVelocity(std), SENSOR, straight_start).run(measurements)
        for std in (0.1, 0.3, 1.0, 3.0)
    ]
    error = errors_of(estimates, truth)
    assert error < min(errors_of(rival, truth) for rival in rivals)
    sums = GaussianSumFilter(TURNING, SENSOR, START).run(measurements)
    assert errors_of(sums, truth) < 1.1 * error
    assert sum(e.log_likelihood for e in sums) > sum(e.log_likelihood for e in estimates) - 5.0


def test_nonlinear_sensors_and_columns_that_no_mode_shares() -> None:
    motion = SwitchingMotion((RandomWalk(3.0), ConstantAcceleration(0.1), TURNING.motions[1]), np.full((3, 3), 1 / 3))
    assert motion.layout.names == ("x", "y", "vx", "ax", "vy", "ay", "turn_rate")
    truth, _ = simulate_manoeuvre(0)
    sensor = RangeBearingSensor(1.0, 0.01, CLUTTER, origin=(-50.0, -50.0), linearization="unscented")
    start = Gaussian(np.zeros(7), np.diag([9.0, 9.0, 25.0, 1.0, 25.0, 1.0, 0.09]))
    measurements = sensor.observe(truth, TURNING.layout)
    estimates = IMM(motion, sensor, start).run(measurements)
    means = np.array([estimate.mean[:2] for estimate in estimates])
    assert np.abs(means - truth[:, [0, 2]])[10:].mean() < 1.5
    for estimate in estimates:
        assert estimate.mode_probabilities.sum() == pytest.approx(1.0)
        assert np.linalg.eigvalsh(estimate.covariance).min() > 0.0


def test_without_measurements_modes_follow_the_chain() -> None:
    motion = SwitchingMotion((ConstantVelocity(0.1), ConstantVelocity(1.0)), [[0.9, 0.1], [0.4, 0.6]], [1.0, 0.0])
    initial = random_gaussian(0, 4)
    estimate = IMM(motion, SENSOR, initial).step(None, dt=2.0)
    np.testing.assert_allclose(estimate.mode_probabilities, np.linalg.matrix_power([[0.9, 0.1], [0.4, 0.6]], 2)[0])
    assert estimate.log_likelihood == 0.0
    np.testing.assert_allclose(estimate.mean, predict(initial, ConstantVelocity(1.0), 2.0).mean, rtol=1e-12)


def test_initial_probabilities_and_transitions_matter() -> None:
    _, measurements = simulate_manoeuvre(0)
    motions = (TURNING.motions[0], TURNING.motions[1])
    variants = [
        TURNING,
        SwitchingMotion(motions, [[0.95, 0.05], [0.05, 0.95]], [0.9, 0.1], {"turn_rate": 0.3}),
        SwitchingMotion(motions, [[0.8, 0.2], [0.05, 0.95]], None, {"turn_rate": 0.3}),
        SwitchingMotion(motions, [[0.95, 0.05], [0.05, 0.95]], None, {"turn_rate": 0.1}),
    ]
    results = [IMM(motion, SENSOR, START).run(measurements[:25])[-1].mode_probabilities[0] for motion in variants]
    assert len(set(np.round(results, 10))) == 4


def test_steps_may_differ_and_reset_forgets() -> None:
    motion, sensor, initial, measurements = velocity_scene(0, 6)
    steps = [0.5, 1.0, 0.0, 2.0, 1.0, 0.25]
    tracker = GaussianSumFilter(motion, sensor, initial)
    seen: list[Any] = []
    estimates = tracker.run(measurements, steps, progress=lambda *arguments: seen.append(arguments))
    expected = filter_measurements(initial, motion, sensor, measurements, np.cumsum(steps))
    np.testing.assert_allclose(estimates[-1].mean, expected.means[-1], rtol=1e-10)
    assert estimates[-1].time == pytest.approx(4.75)
    assert seen
    tracker.reset()
    np.testing.assert_allclose(tracker.run(measurements, steps)[-1].mean, estimates[-1].mean, rtol=1e-15)


def test_a_failed_step_changes_nothing() -> None:
    motion, sensor, initial, measurements = velocity_scene(0, 6)
    tracker = GaussianSumFilter(motion, sensor, initial)
    before = tracker.step(measurements[0])
    for bad, dt, error in (
        ([1.0, np.nan], 1.0, DataError),
        ([1.0], 1.0, DataError),
        ([np.inf, 0.0], 1.0, DataError),
        ([0.0, 0.0], -1.0, ParameterError),
        ([0.0, 1e200], 1.0, FilterOverflowError),
    ):
        with pytest.raises(error):
            tracker.step(bad, dt)
    assert tracker.time == before.time
    np.testing.assert_array_equal(tracker.state.means, before.components.means)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: IMM(ConstantVelocity(1.0), SENSOR, START), "motion must be a SwitchingMotion"),  # type: ignore[arg-type]
        (lambda: IMM(TURNING, None, START), "sensor must be a sensor model"),  # type: ignore[arg-type]
        (lambda: IMM(TURNING, SENSOR, random_gaussian(0, 4)), "the belief has 4 columns, but states have 5"),
        (lambda: GaussianSumFilter(None, SENSOR, START), "motion must be a motion model"),  # type: ignore[arg-type]
        (lambda: GaussianSumFilter(TURNING, TURNING, START), "sensor must be a sensor model"),  # type: ignore[arg-type]
        (lambda: GaussianSumFilter(TURNING, SENSOR, START, 3), "limits must be ReductionLimits"),  # type: ignore[arg-type]
        (lambda: GaussianSumFilter(TURNING, SENSOR, [0.0]), "a Gaussian, a Mixture or an Intensity"),  # type: ignore[arg-type]
    ],
)
def test_bad_parameters_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()
