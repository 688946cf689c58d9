"""Coordinated turns, white-noise motions, and models from functions."""

from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad_vec, solve_ivp
from scipy.optimize import approx_fprime

from gaussmix import Gaussian, ParameterError
from gaussmix.tracking import (
    PMB,
    Birth,
    Clutter,
    ConstantVelocity,
    CoordinatedTurn,
    FunctionMotion,
    FunctionSensor,
    PositionSensor,
    StateLayout,
    TargetModel,
    WhiteNoiseMotion,
    filter_measurements,
    predict,
)
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.sensors import LocatedMeasurements
from gaussmix.types import Array
from tests.tracking.single_object_scenes import CLUTTER, pendulum, velocity_scene

RATES = [0.0, 1e-12, 1e-5, 0.049, 0.051, 0.5, 3.0]
LINE = StateLayout(("x",), (0,))


def turning_states(rate: float, seed: int = 0) -> Array:
    return np.append(np.random.default_rng(seed).normal(size=4), rate)[None]


@pytest.mark.parametrize("rate", [*RATES, -0.7])
@pytest.mark.parametrize("dt", [2.0, 0.3])
def test_a_turn_solves_its_differential_equation(rate: float, dt: float) -> None:
    state = turning_states(rate)

    def derivative(_: float, y: Array) -> Array:
        return np.array([y[1], -y[4] * y[3], y[3], y[4] * y[1], 0.0])

    solution = solve_ivp(derivative, (0.0, dt), state[0], rtol=1e-11, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(CoordinatedTurn(1.0, 1.0).propagate(state, dt)[0], solution, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rate", [*RATES, -0.7])
@pytest.mark.parametrize("dt", [2.0, 0.3, 0.0])
def test_the_jacobian_of_a_turn_equals_differences(rate: float, dt: float) -> None:
    motion, state = CoordinatedTurn(1.0, 1.0), turning_states(rate)
    high, low = (
        np.stack([motion.propagate(state + sign * 1e-5 * axis, dt)[0] for axis in np.eye(5)], axis=1)
        for sign in (1.0, -1.0)
    )
    np.testing.assert_allclose(motion.jacobian(state, dt)[0], (high - low) / 2e-5, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("angle", [1e-9, 0.01, 0.09999, 0.10001, 0.5, 2.0, 4.0])
def test_slopes_of_a_turn_have_all_digits(angle: float) -> None:
    jacobian = CoordinatedTurn(1.0, 1.0).jacobian(np.array([[0.0, 1.0, 0.0, 0.0, angle]]), 1.0)[0]
    with mpmath.workdps(40):
        exact = [mpmath.diff(f, angle) for f in (lambda a: mpmath.sin(a) / a, lambda a: (1 - mpmath.cos(a)) / a)]
    np.testing.assert_allclose(jacobian[[0, 2], 4], [float(value) for value in exact], rtol=1e-13)


def test_the_jacobian_is_continuous_where_series_end() -> None:
    motion = CoordinatedTurn(1.0, 1.0)
    below, above = (motion.jacobian(turning_states(rate), 1.0) for rate in (0.1 - 1e-13, 0.1 + 1e-13))
    np.testing.assert_allclose(below, above, rtol=1e-11)


def test_a_turn_of_rate_zero_is_constant_velocity() -> None:
    state = turning_states(0.0)
    turned = CoordinatedTurn(1.0, 1.0).propagate(state, 3.0)
    np.testing.assert_allclose(turned[:, :4], ConstantVelocity(1.0).propagate(state[:, :4], 3.0), rtol=1e-15)


def test_turns_add_up_and_keep_the_speed() -> None:
    motion, state = CoordinatedTurn(1.0, 1.0), turning_states(0.4)
    twice = motion.propagate(motion.propagate(state, 0.7), 1.1)
    np.testing.assert_allclose(twice, motion.propagate(state, 1.8), rtol=1e-12)
    assert np.hypot(*twice[0, [1, 3]]) == pytest.approx(np.hypot(*state[0, [1, 3]]), rel=1e-12)


def test_parameters_of_a_turn_matter() -> None:
    base = CoordinatedTurn(1.0, 0.1)
    np.testing.assert_array_equal(
        base.noise_covariance(turning_states(0.0), 2.0)[:4, :4], ConstantVelocity(1.0).noise(2.0)
    )
    assert base.noise_covariance(turning_states(0.0), 2.0)[4, 4] == pytest.approx(0.02)
    belief = Gaussian(turning_states(0.3)[0], np.eye(5))
    moved = [
        predict(belief, motion, 1.0)
        for motion in (
            base,
            CoordinatedTurn(2.0, 0.1),
            CoordinatedTurn(1.0, 0.2),
            CoordinatedTurn(1.0, 0.1, "unscented"),
        )
    ]
    assert len({other.covariance.tobytes() for other in moved}) == 4
    assert not np.allclose(moved[0].mean, moved[3].mean)


@pytest.mark.parametrize("n_derivatives", [1, 2])
def test_white_noise_is_the_integral_over_the_step(n_derivatives: int) -> None:
    motion, dt = WhiteNoiseMotion(0.7, n_derivatives, n_axes=1), 1.3
    drive = np.zeros((n_derivatives + 1, n_derivatives + 1))
    drive[-1, -1] = 0.49

    def integrand(t: float) -> Array:
        transition = motion.transition(dt - t)
        return np.asarray(transition @ drive @ transition.T)

    np.testing.assert_allclose(motion.noise(dt), quad_vec(integrand, 0.0, dt)[0], rtol=1e-10)


@pytest.mark.parametrize("n_derivatives", [1, 2])
def test_two_steps_of_white_noise_are_one(n_derivatives: int) -> None:
    motion = WhiteNoiseMotion(0.7, n_derivatives, n_axes=3)
    transition = motion.transition(1.5)
    np.testing.assert_allclose(transition @ motion.transition(0.4), motion.transition(1.9), rtol=1e-12)
    noise = transition @ motion.noise(0.4) @ transition.T + motion.noise(1.5)
    np.testing.assert_allclose(noise, motion.noise(1.9), rtol=1e-12)
    assert motion.layout.names[: n_derivatives + 1] == ("x", "vx", "ax")[: n_derivatives + 1]
    assert motion.n_states == 3 * (n_derivatives + 1)
    np.testing.assert_allclose(WhiteNoiseMotion(1.4, n_derivatives, 3).noise(1.0), 4.0 * motion.noise(1.0))


def test_function_models_equal_the_models_that_they_wrap() -> None:
    motion, sensor, initial, measurements = velocity_scene(0)
    wrapped = FunctionMotion(motion.propagate, motion.layout, motion.noise, motion.jacobian)
    wrapped_sensor = FunctionSensor(
        lambda x: x[:, [0, 2]], [0.5, 1.5], CLUTTER, jacobian_function=lambda _: np.eye(4)[[0, 2]]
    )
    expected = filter_measurements(initial, motion, sensor, measurements)
    states = filter_measurements(initial, wrapped, wrapped_sensor, measurements)
    np.testing.assert_allclose(states.means, expected.means, rtol=1e-12)
    assert wrapped.linearization == wrapped_sensor.linearization == "jacobian"
    assert pendulum(has_jacobian=False)[0].linearization == "unscented"


def test_noise_of_a_function_motion_grows_with_time() -> None:
    constant = FunctionMotion(lambda x, dt: x, LINE, [[2.0]])
    square = FunctionMotion(lambda x, dt: x, LINE, lambda dt: np.array([[dt**2]]))
    belief = Gaussian([0.0], [[1.0]])
    assert predict(belief, constant, 3.0).covariance[0, 0] == pytest.approx(7.0)
    assert predict(belief, square, 3.0).covariance[0, 0] == pytest.approx(10.0)


def test_jacobians_of_test_models_are_right() -> None:
    motion, sensor = pendulum(has_jacobian=True)
    state = np.array([0.3, -0.7])
    difference = approx_fprime(state, lambda x: motion.propagate(x[None], 0.5)[0])
    np.testing.assert_allclose(motion.jacobian(state[None], 0.5)[0], difference, atol=1e-6)
    difference = approx_fprime(state, lambda x: sensor.observe(x[None], motion.layout)[0])
    np.testing.assert_allclose(
        sensor.jacobian(state[None], motion.layout)[0], difference[None, :].reshape(1, 2), atol=1e-6
    )


def test_angles_of_a_function_sensor_wrap() -> None:
    values = {}
    for angles in ((), (0,)):
        sensor = FunctionSensor(lambda x: x[:, :1], [0.1], CLUTTER, angles=angles)
        values[angles] = sensor.subtract(np.array([[3.1]]), np.array([[-3.1]]))[0, 0]
    assert values[()] == pytest.approx(6.2)
    assert values[0,] == pytest.approx(6.2 - 2.0 * np.pi)


def test_function_sensors_work_in_filters_of_many_objects() -> None:
    def locate(measurements: Array) -> LocatedMeasurements:
        return LocatedMeasurements(
            np.array([0, 2]), measurements, np.repeat(np.eye(2)[None], len(measurements), axis=0)
        )

    region = {"low": [0.0, 0.0], "high": [100.0, 100.0]}
    birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    scans = [[[10.0 + 2.0 * k, 50.0]] for k in range(6)]
    clutter = Clutter.in_region(1.0, **region)
    sensors = [
        PositionSensor(1.0, clutter, 0.9),
        FunctionSensor(lambda x: x[:, [0, 2]], [1.0, 1.0], clutter, 0.9, locate_function=locate),
    ]
    results = [PMB(TargetModel(ConstantVelocity(0.5), sensor, birth)).run(scans)[-1] for sensor in sensors]
    np.testing.assert_allclose(results[0].states, results[1].states, rtol=1e-9)
    np.testing.assert_allclose(results[0].existence, results[1].existence, rtol=1e-9)
    blind = FunctionSensor(lambda x: x[:, [0, 2]], [1.0, 1.0], clutter)
    with pytest.raises(ParameterError, match="give locate_function"):
        PMB(TargetModel(ConstantVelocity(0.5), blind, birth)).run(scans)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CoordinatedTurn(0.0, 1.0), "acceleration_std must be a finite number above 0"),
        (lambda: CoordinatedTurn(1.0, np.inf), "turn_rate_std"),
        (lambda: CoordinatedTurn(1.0, 1.0, "exact"), "linearization must be one of jacobian, unscented"),  # type: ignore[arg-type]
        (lambda: WhiteNoiseMotion(-1.0), "density"),
        (lambda: WhiteNoiseMotion(1.0, 3), "n_derivatives must be 1 or 2"),
        (lambda: WhiteNoiseMotion(1.0, 1, 4), "n_axes must be 1, 2 or 3"),
        (lambda: FunctionMotion(3.0, LINE, [[1.0]]), "function must be a function, but has the type float"),  # type: ignore[arg-type]
        (lambda: FunctionMotion(np.sin, "x", [[1.0]]), "layout must be a StateLayout"),  # type: ignore[arg-type]
        (lambda: FunctionMotion(np.sin, LINE, np.eye(2)), "noise must give an array of the shape .1, 1."),
        (lambda: FunctionMotion(np.sin, LINE, [[np.nan]]), "NaN or infinity in noise"),
        (lambda: FunctionMotion(np.sin, LINE, [[1.0]], 3.0), "jacobian_function must be a function"),  # type: ignore[arg-type]
        (lambda: FunctionSensor(None, [1.0], CLUTTER), "function must be a function"),  # type: ignore[arg-type]
        (lambda: FunctionSensor(np.sin, [1.0], CLUTTER, 2.0), "detection_probability"),
        (
            lambda: FunctionSensor(np.sin, [[1.0, 2.0], [2.0, 1.0]], CLUTTER),
            "the covariance of noise_std should be symmetric, positive-definite",
        ),
        (lambda: FunctionSensor(np.sin, [1.0], CLUTTER, angles=(1,)), "angles must be columns from 0 to 0"),
        (lambda: FunctionSensor(np.sin, [1.0], CLUTTER, locate_function=1.0), "locate_function must be a function"),  # type: ignore[arg-type]
    ],
)
def test_bad_parameters_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize(
    ("motion", "message"),
    [
        (FunctionMotion(lambda x, dt: x[:, :0], LINE, [[1.0]]), "function must give an array of the shape .1, 1."),
        (FunctionMotion(lambda x, dt: x, LINE, lambda dt: np.eye(2)), "noise must give an array"),
        (FunctionMotion(lambda x, dt: x, LINE, [[1.0]], lambda x, dt: np.eye(2)), "jacobian_function must give"),
    ],
)
def test_functions_of_other_shapes_are_refused(motion: AbstractMotion, message: str) -> None:
    belief = Gaussian([0.0], [[1.0]])
    if motion.linearization == "unscented" and "function must" in message:
        message = "function must give an array"
    with pytest.raises(ParameterError, match=message):
        predict(belief, motion)


def test_models_without_jacobian_say_so() -> None:
    motion, sensor = pendulum(has_jacobian=False)
    for ask in (
        lambda: motion.jacobian(np.zeros((1, 2)), 1.0),
        lambda: sensor.jacobian(np.zeros((1, 2)), motion.layout),
    ):
        with pytest.raises(ParameterError, match="has no jacobian_function"):
            ask()
