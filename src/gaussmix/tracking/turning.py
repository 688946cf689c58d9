"""``CoordinatedTurn``: objects that turn at a nearly constant rate, and fly straight where the rate is 0."""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.tracking.motion import AbstractMotion, Linearization, require_positive
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import DD, KD, KDD, N

_MAX_SERIES_ANGLE = 0.1  # radians; below, the series lose no digit, and differences of sines would
_LAYOUT = StateLayout(("x", "vx", "y", "vy", "turn_rate"), (0, 2), (1, 3))


@dataclass(frozen=True)
class CoordinatedTurn(AbstractMotion):
    """A turn in the plane with nearly constant speed and turn rate: state (x, vx, y, vy, turn_rate).

    The transition is exact for a constant turn rate, 0 included (Bar-Shalom, Li & Kirubarajan, *Estimation with
    Applications to Tracking and Navigation*, 2001, section 11.7). A positive rate turns from the x axis to the y axis.
    Noise is a random acceleration within each step, as in `ConstantVelocity`, and a random walk of the turn rate.

    Parameters
    ----------
    acceleration_std : float
        Standard deviation of the acceleration, in units of position per squared unit of time.
    turn_rate_std : float
        Standard deviation of the change of the turn rate over one unit of time, in radians per unit of time; it grows
        as the square root of time.
    linearization : {"jacobian", "unscented"}, default="jacobian"
        How filters pass the nonlinear transition.

    Raises
    ------
    ParameterError
        If a standard deviation is not above 0, or the linearization is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import CoordinatedTurn
    >>> quarter = CoordinatedTurn(1.0, 0.1).propagate([[0.0, 1.0, 0.0, 0.0, np.pi / 2]], 1.0)
    >>> np.round(quarter, 3).tolist()
    [[0.637, 0.0, 0.637, 1.0, 1.571]]
    """

    acceleration_std: float
    turn_rate_std: float
    linearization: Linearization = "jacobian"
    layout: StateLayout = field(init=False, repr=False, default=_LAYOUT)

    def __post_init__(self) -> None:
        require_positive("acceleration_std", self.acceleration_std)
        require_positive("turn_rate_std", self.turn_rate_std)
        require_linearization(self.linearization)

    def propagate(self, states: KD, dt: float) -> KD:
        """Return the states (M, 5) after a turn."""
        states = np.asarray(states, dtype=np.float64)
        x, vx, y, vy, rate = states.T
        sine, cosine = np.sin(rate * dt), np.cos(rate * dt)
        along, across = dt * _sine_over_angle(rate * dt), dt * _versine_over_angle(rate * dt)
        return np.column_stack(
            [
                x + along * vx - across * vy,
                cosine * vx - sine * vy,
                y + across * vx + along * vy,
                sine * vx + cosine * vy,
                rate,
            ]
        )

    def jacobian(self, states: KD, dt: float) -> KDD:
        """Return the derivatives (M, 5, 5) of the turn."""
        states = np.asarray(states, dtype=np.float64)
        vx, vy, rate = states[:, 1], states[:, 3], states[:, 4]
        angle = rate * dt
        sine, cosine = np.sin(angle), np.cos(angle)
        along, across = dt * _sine_over_angle(angle), dt * _versine_over_angle(angle)
        along_slope, across_slope = dt**2 * _sine_over_angle_slope(angle), dt**2 * _versine_over_angle_slope(angle)
        result = np.zeros((len(states), 5, 5))
        result[:, 0, 0] = result[:, 2, 2] = result[:, 4, 4] = 1.0
        result[:, 0, 1] = result[:, 2, 3] = along
        result[:, 2, 1], result[:, 0, 3] = across, -across
        result[:, 1, 1] = result[:, 3, 3] = cosine
        result[:, 3, 1], result[:, 1, 3] = sine, -sine
        result[:, 0, 4] = along_slope * vx - across_slope * vy
        result[:, 2, 4] = across_slope * vx + along_slope * vy
        result[:, 1, 4] = -dt * (sine * vx + cosine * vy)
        result[:, 3, 4] = dt * (cosine * vx - sine * vy)
        return result

    def noise_covariance(self, states: KD, dt: float) -> DD:
        """Return the covariance (5, 5) of the noise over ``dt``."""
        gain = self.acceleration_std * np.array([dt * dt / 2.0, dt])
        result = np.zeros((5, 5))
        result[:2, :2] = result[2:4, 2:4] = np.outer(gain, gain)
        result[4, 4] = self.turn_rate_std**2 * abs(dt)
        return result


def require_linearization(value: object) -> None:
    """Raise ParameterError unless a value names a way to pass a nonlinear function."""
    if value not in ("jacobian", "unscented"):
        raise ParameterError.invalid_choice("linearization", value, ["jacobian", "unscented"])


def _sine_over_angle(angle: N) -> N:
    """Return sin(a) / a, 1 at 0."""
    return np.asarray(np.sinc(angle / np.pi))


def _versine_over_angle(angle: N) -> N:
    """Return (1 - cos(a)) / a, 0 at 0."""
    return np.asarray(0.5 * angle * np.sinc(0.5 * angle / np.pi) ** 2)


def _sine_over_angle_slope(angle: N) -> N:
    """Return the derivative of sin(a) / a."""
    large = np.where(np.abs(angle) < _MAX_SERIES_ANGLE, 1.0, angle)
    square = angle**2
    series = angle * (-1.0 / 3.0 + square * (1.0 / 30.0 + square * (-1.0 / 840.0 + square / 45360.0)))
    closed = (large * np.cos(large) - np.sin(large)) / large**2
    return np.where(np.abs(angle) < _MAX_SERIES_ANGLE, series, closed)


def _versine_over_angle_slope(angle: N) -> N:
    """Return the derivative of (1 - cos(a)) / a."""
    large = np.where(np.abs(angle) < _MAX_SERIES_ANGLE, 1.0, angle)
    square = angle**2
    series = 0.5 + square * (-1.0 / 8.0 + square * (1.0 / 144.0 + square * (-1.0 / 5760.0 + square / 403200.0)))
    closed = (large * np.sin(large) - 2.0 * np.sin(0.5 * large) ** 2) / large**2
    return np.where(np.abs(angle) < _MAX_SERIES_ANGLE, series, closed)
