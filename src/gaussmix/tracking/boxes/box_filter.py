"""Kalman filter of boxes, with noise proportional to the height of each box.

A state is (x, vx, y, vy, width, height) of the center and the sides. The filter runs in units of the height of each
box: the larger a person in the picture, the faster it moves, and the larger are the errors of its detector. So results
do not depend on the resolution of the picture.
"""

from typing import Any

import numpy as np

from gaussmix.tracking.boxes.box_arrays import to_corners
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.kalman import StateStack, UpdateStack, predict_states, prepare_update
from gaussmix.tracking.motion import CombinedMotion, RandomWalk
from gaussmix.tracking.sensors import BoxSensor
from gaussmix.tracking.white_noise_motion import WhiteNoiseMotion
from gaussmix.types import KD, ND, K

OBSERVED = [0, 2, 4, 5]  # center, width and height in a state
_HEIGHT = 5


def make_motion(options: BoxOptions, height: float = 1.0) -> CombinedMotion:
    """Return the motion of boxes of a height: nearly constant velocity of the center, and sides that drift.

    Times are in seconds. Accelerations are white noise, so that the frame rate does not matter.
    """
    sides = RandomWalk(height * options.size_change_std, names=("width", "height"), is_extent=True)
    return CombinedMotion((WhiteNoiseMotion(height * options.speed_change_std), sides))


def make_sensor(options: BoxOptions) -> BoxSensor:
    """Return the detector of boxes of height 1."""
    return BoxSensor(side_noise(options.noise_std), Clutter(1.0, 1.0))


def side_noise(side_std: float) -> K:
    """Return standard deviations (4,) of center, width and height, if errors of the sides are independent."""
    return side_std * np.sqrt([0.5, 0.5, 2.0, 2.0])


def start_boxes(options: BoxOptions, boxes: ND) -> StateStack:
    """Return the states of boxes (n, 4) of center, width and height that are detected for the first time."""
    means = np.zeros((len(boxes), 6))
    means[:, OBSERVED] = boxes
    stds = np.full(6, options.speed_std)
    stds[OBSERVED] = side_noise(options.noise_std)
    return StateStack(means, boxes[:, 3, None, None] ** 2 * np.diag(stds**2))


def predict_boxes(options: BoxOptions, states: StateStack, dt: float, heights: K | None = None) -> StateStack:
    """Return the states after ``dt`` frames; ``heights`` (M,) scale the noise, by default those of the states."""
    units = states.means[:, _HEIGHT] if heights is None else heights
    seconds = dt / options.frame_rate
    moved = predict_states(make_motion(options), *_divide(states, units), seconds)
    return _divide(moved, 1.0 / units)


def prepare_box_update(options: BoxOptions, states: StateStack, heights: K | None = None) -> UpdateStack:
    """Return what an update of the states needs; logs of densities are those in units of each box."""
    units = states.means[:, _HEIGHT] if heights is None else heights
    update = prepare_update(make_sensor(options), make_motion(options).layout, *_divide(states, units))
    scaled: dict[str, Any] = {
        "predicted": update.predicted * units[:, None],
        "deviations": update.deviations * units[:, None],
        "whitening": update.whitening / units[:, None, None],
        "covariances": update.covariances * units[:, None, None] ** 2,
    }
    return update._replace(**scaled)


def _divide(states: StateStack, units: K) -> StateStack:
    """Return the states in other units of length, one for each."""
    return StateStack(states.means / units[:, None], states.covariances / units[:, None, None] ** 2)


def to_boxes(means: KD) -> ND:
    """Return boxes (M, 4) of left, top, width and height of states (M, 6)."""
    return to_corners(means[:, OBSERVED])
