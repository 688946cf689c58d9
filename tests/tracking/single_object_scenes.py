"""Models and recordings that several tests of filters of one object share."""

import numpy as np

from gaussmix import Gaussian
from gaussmix.tracking import Clutter, ConstantVelocity, FunctionMotion, FunctionSensor, PositionSensor, StateLayout
from gaussmix.types import ND, Array

CLUTTER = Clutter(0.0, 1.0)


def random_gaussian(seed: int, n_features: int) -> Gaussian:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n_features, n_features)) + 2.0 * np.eye(n_features)
    return Gaussian(rng.normal(size=n_features), factor @ factor.T)


def velocity_scene(seed: int, n_times: int = 30) -> tuple[ConstantVelocity, PositionSensor, Gaussian, ND]:
    """Return models, a belief and measurements (T, 2) of an object in the plane; every fifth one is missing."""
    rng = np.random.default_rng(seed)
    motion, sensor = ConstantVelocity(0.4), PositionSensor([0.5, 1.5], CLUTTER)
    walk = rng.normal(size=(n_times, 2)).cumsum(axis=0)
    measurements = walk + np.arange(n_times)[:, None] * [1.0, -0.5]
    measurements[4::5] = np.nan
    return motion, sensor, random_gaussian(seed, 4), measurements


def swing(states: ND, dt: float) -> Array:
    """Return angles and rates of a pendulum after ``dt``."""
    return np.column_stack([states[:, 0] + dt * states[:, 1], states[:, 1] - dt * np.sin(states[:, 0])])


def swing_jacobian(states: ND, dt: float) -> Array:
    """Return the derivatives of ``swing``."""
    result = np.repeat(np.array([[1.0, dt], [0.0, 1.0]])[None], len(states), axis=0)
    result[:, 1, 0] = -dt * np.cos(states[:, 0])
    return result


def pendulum(has_jacobian: bool) -> tuple[FunctionMotion, FunctionSensor]:
    """Return a pendulum, whose horizontal displacement is measured."""
    layout = StateLayout(("angle", "rate"), (0,), (1,))
    noise = [[0.01, 0.002], [0.002, 0.02]]
    if not has_jacobian:
        return FunctionMotion(swing, layout, noise), FunctionSensor(lambda x: np.sin(x[:, :1]), [0.1], CLUTTER)
    motion = FunctionMotion(swing, layout, noise, swing_jacobian)
    derivative = lambda x: np.stack([np.cos(x[:, :1]), np.zeros((len(x), 1))], axis=2)  # noqa: E731
    return motion, FunctionSensor(lambda x: np.sin(x[:, :1]), [0.1], CLUTTER, jacobian_function=derivative)
