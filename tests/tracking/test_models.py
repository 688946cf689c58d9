"""Models of motion, sensor, clutter and birth."""

import numpy as np
import pytest

from gaussmix import Intensity, ParameterError
from gaussmix.tracking import (
    Birth,
    BoxSensor,
    Clutter,
    CombinedMotion,
    ConstantAcceleration,
    ConstantVelocity,
    PositionSensor,
    RandomWalk,
    RangeBearingSensor,
)
from gaussmix.tracking.motion import LinearMotion
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.tracking.state_layout import StateLayout

BOX_SIZE = RandomWalk(2.0, names=("width", "height"), is_extent=True)
MOTIONS: list[LinearMotion] = [
    ConstantVelocity(2.0),
    ConstantVelocity(2.0, n_axes=3),
    ConstantAcceleration(0.5),
    ConstantAcceleration(0.5, n_axes=1),
    RandomWalk(3.0),
    CombinedMotion((ConstantVelocity(2.0), BOX_SIZE)),
]
CLUTTER = Clutter(2.0, 100.0)


@pytest.mark.parametrize("motion", MOTIONS, ids=repr)
def test_two_steps_are_one_step_of_their_sum(motion: LinearMotion) -> None:
    states = np.random.default_rng(0).normal(size=(5, motion.n_states))
    twice = motion.propagate(motion.propagate(states, 0.7), 1.1)
    np.testing.assert_allclose(twice, motion.propagate(states, 1.8), rtol=1e-12)
    np.testing.assert_array_equal(motion.propagate(states, 0.0), states)


@pytest.mark.parametrize("motion", MOTIONS, ids=repr)
def test_process_noise_is_positive_semidefinite_and_zero_without_time(motion: LinearMotion) -> None:
    noise = motion.noise_covariance(np.zeros((1, motion.n_states)), 1.3)
    np.testing.assert_array_equal(noise, noise.T)
    assert np.linalg.eigvalsh(noise).min() >= -1e-12
    assert not motion.noise(0.0).any()


def test_velocities_follow_from_positions() -> None:
    for motion in (ConstantVelocity(1.0), ConstantAcceleration(1.0)):
        layout = motion.layout
        state = np.arange(1.0, motion.n_states + 1.0)[None]
        change = (motion.propagate(state, 1e-6) - state) / 1e-6
        np.testing.assert_allclose(change[:, layout.positions], state[:, layout.velocities], atol=1e-4)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ConstantVelocity(1.0), ConstantVelocity(2.0)),
        (ConstantAcceleration(1.0), ConstantAcceleration(2.0)),
        (RandomWalk(1.0), RandomWalk(2.0)),
    ],
)
def test_standard_deviations_scale_the_noise(first: LinearMotion, second: LinearMotion) -> None:
    np.testing.assert_allclose(4.0 * first.noise(0.5), second.noise(0.5))


def test_layouts_name_the_columns() -> None:
    assert ConstantVelocity(1.0).layout.names == ("x", "vx", "y", "vy")
    assert ConstantAcceleration(1.0, 1).layout.names == ("x", "vx", "ax")
    box = CombinedMotion((ConstantVelocity(2.0), BOX_SIZE)).layout
    assert box.names == ("x", "vx", "y", "vy", "width", "height")
    assert box.observable_columns.tolist() == [0, 2, 4, 5]
    assert box.velocities == (1, 3)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ConstantVelocity(0.0), "acceleration_std"),
        (lambda: ConstantVelocity(float("nan")), "acceleration_std"),
        (lambda: ConstantVelocity(1.0, 4), "n_axes"),
        (lambda: ConstantAcceleration(-1.0), "acceleration_change_std"),
        (lambda: RandomWalk(float("inf")), "std"),
        (lambda: RandomWalk(1.0, names=("a",)), "names"),
        (lambda: CombinedMotion(()), "motions"),
        (lambda: CombinedMotion((RandomWalk(1.0), RandomWalk(1.0))), "names"),
        (lambda: StateLayout(("x",), (1,)), "columns"),
        (lambda: StateLayout(("x", "y", "v"), (0, 1), (2,)), "velocities"),
        (lambda: Clutter(-1.0, 1.0), "rate"),
        (lambda: Clutter(1.0, 0.0), "volume"),
        (lambda: Clutter.in_region(1.0, [0.0, 0.0], [1.0, 0.0]), "high"),
        (lambda: PositionSensor(0.0, CLUTTER), "positive.definite"),
        (lambda: PositionSensor([1.0, 2.0, 3.0], CLUTTER, n_axes=2), "noise_std"),
        (lambda: PositionSensor(1.0, CLUTTER, 1.1), "detection_probability"),
        (lambda: BoxSensor(np.eye(3), CLUTTER), "noise_std"),
        (lambda: RangeBearingSensor(1.0, 0.0, CLUTTER), "bearing_std"),
        (lambda: Birth(rate=-1.0), "rate"),
        (lambda: Birth(volume=0.0), "volume"),
        (lambda: Birth(hidden_std=[1.0, 0.0]), "hidden_std"),
        (lambda: Birth.anywhere(1.0, [0.0], [0.0]), "high"),
        (lambda: Birth.anywhere(1.0, [0.0], [1.0, 2.0]), "high"),
    ],
)
def test_bad_parameters_are_named(make: object, text: str) -> None:
    with pytest.raises((ParameterError, ValueError), match=text):
        make()  # type: ignore[operator]


def test_range_and_bearing_are_those_of_the_position() -> None:
    sensor = RangeBearingSensor(1.0, 0.01, CLUTTER, origin=(1.0, -2.0))
    layout = ConstantVelocity(1.0).layout
    states = np.array([[1.0, 9.0, 3.0, 9.0], [-2.0, 9.0, -2.0, 9.0]])
    np.testing.assert_allclose(sensor.observe(states, layout), [[5.0, np.pi / 2], [3.0, np.pi]])


@pytest.mark.parametrize("seed", range(3))
def test_jacobian_equals_differences(seed: int) -> None:
    sensor = RangeBearingSensor(1.0, 0.01, CLUTTER, origin=(0.5, 0.25))
    layout = ConstantVelocity(1.0).layout
    states = np.random.default_rng(seed).normal(0.0, 10.0, size=(4, 4))
    step = 1e-6
    shifts = step * np.eye(4)
    differences = np.stack(
        [
            sensor.subtract(sensor.observe(states + shift, layout), sensor.observe(states - shift, layout)) / (2 * step)
            for shift in shifts
        ],
        axis=2,
    )
    np.testing.assert_allclose(sensor.jacobian(states, layout), differences, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("sensor", "motion"),
    [
        (PositionSensor([1.0, 2.0], CLUTTER), ConstantVelocity(1.0)),
        (PositionSensor(np.array([[2.0, 1.0], [1.0, 2.0]]), CLUTTER), ConstantAcceleration(1.0)),
        (BoxSensor([1.0, 1.0, 2.0, 2.0], CLUTTER), CombinedMotion((ConstantVelocity(2.0), BOX_SIZE))),
        (RangeBearingSensor(1.0, 0.01, CLUTTER, origin=(3.0, 4.0)), ConstantVelocity(1.0)),
    ],
)
def test_a_located_measurement_is_observed_again(sensor: AbstractSensor, motion: LinearMotion) -> None:
    measurements = np.random.default_rng(0).uniform(0.5, 3.0, size=(6, sensor.n_measured))
    means, covariances = Birth(hidden_std=7.0).locate(sensor, motion.layout, measurements)
    np.testing.assert_allclose(sensor.observe(means, motion.layout), measurements, rtol=1e-9)
    located = sensor.locate(measurements, motion.layout).columns
    hidden = np.setdiff1d(np.arange(motion.n_states), located)
    np.testing.assert_allclose(covariances[:, hidden, hidden], 49.0)
    jacobian = sensor.jacobian(means, motion.layout)
    seen = jacobian @ covariances @ np.swapaxes(jacobian, -1, -2)
    np.testing.assert_allclose(seen, np.broadcast_to(sensor.noise_covariance, seen.shape), rtol=1e-9, atol=1e-12)


def test_bearings_differ_around_the_circle() -> None:
    sensor = RangeBearingSensor(1.0, 0.01, CLUTTER)
    difference = sensor.subtract(np.array([[1.0, 3.1]]), np.array([[0.5, -3.1]]))
    np.testing.assert_allclose(difference, [[0.5, 6.2 - 2.0 * np.pi]])


def test_detection_and_clutter_may_depend_on_the_place() -> None:
    sensor = PositionSensor(1.0, CLUTTER, lambda positions: np.where(positions[:, 0] > 0, 0.9, 0.1))
    states = np.array([[1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0]])
    assert sensor.detection_probabilities(states, ConstantVelocity(1.0).layout).tolist() == [0.9, 0.1]
    clutter = Clutter(4.0, 100.0, lambda measurements: measurements[:, 0])
    assert clutter.intensity(np.array([[0.5, 0.0], [0.25, 0.0]])).tolist() == [2.0, 1.0]
    assert CLUTTER.intensity(np.zeros((3, 2))).tolist() == [0.02] * 3


def test_births_at_places_count_per_unit_of_time() -> None:
    places = Intensity.from_parameters([0.1, 0.3], means=np.zeros((2, 4)), covariances=np.stack([np.eye(4)] * 2))
    made = Birth(places).make_components(4, dt=2.0)
    np.testing.assert_allclose(made.weights, [0.2, 0.6])
    with pytest.raises(ParameterError, match="4"):
        Birth(places).make_components(6, dt=1.0)


def test_a_sensor_needs_columns_to_see() -> None:
    with pytest.raises(ParameterError, match="positions and extents"):
        BoxSensor(1.0, CLUTTER).observe(np.zeros((1, 4)), ConstantVelocity(1.0).layout)
