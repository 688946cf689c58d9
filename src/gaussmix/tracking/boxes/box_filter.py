"""Kalman filter of boxes, with noise proportional to the height of each box.

A state is (x, vx, y, vy, width, height) of the center and the sides. The filter runs in units of the height of each
box: the larger a person in the picture, the faster it moves, and the larger are the errors of its detector. So results
do not depend on the resolution of the picture.
"""

import numpy as np

from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.kalman import StateStack, UpdateStack, predict_states, prepare_update
from gaussmix.tracking.motion import CombinedMotion, ConstantVelocity, RandomWalk
from gaussmix.tracking.sensors import BoxSensor
from gaussmix.types import KD, ND, K

OBSERVED = np.array([0, 2, 4, 5])  # center, width and height in a state
_VELOCITIES = np.array([1, 3])
_HEIGHT = 5


def make_motion(options: BoxOptions, height: float = 1.0) -> CombinedMotion:
    """Return the motion of boxes of a height: nearly constant velocity of the center, and sides that drift."""
    sides = RandomWalk(height * options.size_change_std, names=("width", "height"), is_extent=True)
    return CombinedMotion((ConstantVelocity(height * options.acceleration_std), sides))


def make_sensor(options: BoxOptions, height: float = 1.0, **values: object) -> BoxSensor:
    """Return the detector of boxes of a height."""
    return BoxSensor(height * options.noise_std, **{"clutter": Clutter(1.0, 1.0), **values})  # type: ignore[arg-type]


def start_boxes(options: BoxOptions, boxes: ND) -> StateStack:
    """Return the states of boxes (n, 4) of center, width and height that are detected for the first time."""
    means = np.zeros((len(boxes), 6))
    means[:, OBSERVED] = boxes
    stds = np.full(6, options.noise_std)
    stds[_VELOCITIES] = options.speed_std
    return StateStack(means, boxes[:, 3, None, None] ** 2 * np.diag(stds**2))


def predict_boxes(options: BoxOptions, states: StateStack, dt: float, heights: K | None = None) -> StateStack:
    """Return the states after ``dt`` frames; ``heights`` (M,) scale the noise, by default those of the states."""
    units = states.means[:, _HEIGHT] if heights is None else heights
    moved = predict_states(make_motion(options), *_divide(states, units), dt / options.frame_rate)
    return _divide(moved, 1.0 / units)


def prepare_box_update(options: BoxOptions, states: StateStack, heights: K | None = None) -> UpdateStack:
    """Return what an update of the states needs; ``heights`` (M,) scale the noise."""
    units = states.means[:, _HEIGHT] if heights is None else heights
    layout = make_motion(options).layout
    update = prepare_update(make_sensor(options), layout, *_divide(states, units))
    return UpdateStack(
        update.predicted * units[:, None],
        update.deviations * units[:, None],
        update.whitening / units[:, None, None],
        update.log_constants,
        update.gains,
        update.covariances * units[:, None, None] ** 2,
    )


def _divide(states: StateStack, units: K) -> StateStack:
    """Return the states in other units of length, one for each."""
    return StateStack(states.means / units[:, None], states.covariances / units[:, None, None] ** 2)


def to_boxes(means: KD) -> ND:
    """Return boxes (M, 4) of left, top, width and height of states (M, 6)."""
    sizes = means[:, OBSERVED[2:]]
    return np.hstack([means[:, OBSERVED[:2]] - 0.5 * sizes, sizes])
