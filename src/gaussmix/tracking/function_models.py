"""Motion and sensor models from functions: with a Jacobian, or by sigma points where none is given."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.parameter_arrays import parse_covariances, parse_finite_numbers
from gaussmix.core.scalar_checks import is_integer
from gaussmix.errors import MotionError, ParameterError
from gaussmix.model.validation import require_instance
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.motion import AbstractMotion, Linearization
from gaussmix.tracking.sensors import (
    AbstractSensor,
    DetectionProbability,
    LocatedMeasurements,
    parse_noise,
    require_detection_probability,
)
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import DD, KD, ND, Array, ArrayLike


@dataclass(frozen=True, eq=False)
class FunctionMotion(AbstractMotion):
    """A motion given by a function: x' = f(x, dt) + w.

    Parameters
    ----------
    function : callable
        From states (M, D) and a time step to states (M, D).
    layout : StateLayout
        Meaning of the D columns.
    noise : array-like of shape (D, D) or callable
        Covariance of the noise for one unit of time, which grows in proportion to time; or a function from a time step
        to the covariance (D, D).
    jacobian_function : callable, optional
        From states (M, D) and a time step to the derivatives (M, D, D) or (D, D). Without it, filters use sigma points.

    Raises
    ------
    ParameterError
        If a function is no function or returns another shape, or the noise is no covariance matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import FunctionMotion, StateLayout
    >>> decay = FunctionMotion(lambda states, dt: states * 0.5**dt, StateLayout(("x",), (0,)), noise=[[0.1]])
    >>> decay.propagate(np.array([[8.0]]), 2.0).tolist(), decay.linearization
    ([[2.0]], 'unscented')
    """

    function: Callable[[KD, float], KD]
    layout: StateLayout
    noise: ArrayLike | Callable[[float], DD]
    jacobian_function: Callable[[KD, float], Array] | None = None
    linearization: Linearization = field(init=False, repr=False, default="unscented")

    def __post_init__(self) -> None:
        require_instance("layout", self.layout, StateLayout, "a StateLayout")
        _require_callable("function", self.function)
        if self.jacobian_function is not None:
            _require_callable("jacobian_function", self.jacobian_function)
            object.__setattr__(self, "linearization", "jacobian")
        if not callable(self.noise):
            covariance = parse_covariances(self.noise, "noise")
            _require_shape("noise", covariance, (self.n_states, self.n_states))
            object.__setattr__(self, "noise", covariance)

    def propagate(self, states: KD, dt: float) -> KD:
        """Return f(states, dt), (M, D)."""
        states = np.asarray(states, dtype=np.float64)
        return _require_shape("function", self.function(states, dt), states.shape)

    def jacobian(self, states: KD, dt: float) -> Array:
        """Return the derivatives of the function; raise MotionError if there is none."""
        if self.jacobian_function is None:
            raise MotionError.no_jacobian("FunctionMotion")
        result = np.asarray(self.jacobian_function(states, dt), dtype=np.float64)
        n = self.n_states
        return _require_shape("jacobian_function", result, (n, n) if result.ndim == 2 else (len(states), n, n))

    def noise_covariance(self, states: KD, dt: float) -> DD:
        """Return the covariance (D, D) of the noise over ``dt``."""
        if not callable(self.noise):
            return np.asarray(self.noise) * abs(dt)
        return _require_shape("noise", self.noise(dt), (self.n_states, self.n_states))


@dataclass(frozen=True, eq=False)
class FunctionSensor(AbstractSensor):
    """A sensor given by a function: z = h(x) + noise.

    Parameters
    ----------
    function : callable
        From states (M, D) to measurements (M, m).
    noise_std : array-like of shape (m,) or (m, m)
        Standard deviation of each column of a measurement, or their covariance matrix.
    clutter : Clutter
        False detections.
    detection_probability : float or callable, default=0.98
        See `AbstractSensor`.
    jacobian_function : callable, optional
        From states (M, D) to the derivatives (M, m, D) or (m, D). Without it, filters use sigma points.
    locate_function : callable, optional
        From measurements (n, m) to `LocatedMeasurements`; only for objects that may appear anywhere.
    angles : tuple of int, default=()
        Columns of a measurement that are angles in radians.

    Raises
    ------
    ParameterError
        If a function is no function or returns another shape, or a parameter is not allowed.
    """

    function: Callable[[KD], Array]
    noise_std: ArrayLike
    clutter: Clutter
    detection_probability: DetectionProbability = 0.98
    jacobian_function: Callable[[KD], Array] | None = None
    locate_function: Callable[[ND], LocatedMeasurements] | None = None
    angles: tuple[int, ...] = ()
    n_measured: int = field(init=False, repr=False)
    noise_covariance: DD = field(init=False, repr=False)
    linearization: Linearization = field(init=False, repr=False, default="unscented")

    def __post_init__(self) -> None:
        require_detection_probability(self.detection_probability)
        for name in ("function", "jacobian_function", "locate_function"):
            if name == "function" or getattr(self, name) is not None:
                _require_callable(name, getattr(self, name))
        stds = np.atleast_1d(parse_finite_numbers("noise_std", self.noise_std))
        n_measured = int(stds.shape[-1])
        if not all(is_integer(column, 0) and column < n_measured for column in self.angles):
            raise ParameterError.invalid_value("angles", self.angles, f"columns from 0 to {n_measured - 1}")
        object.__setattr__(self, "n_measured", n_measured)
        object.__setattr__(self, "noise_covariance", parse_noise(stds, n_measured))
        if self.jacobian_function is not None:
            object.__setattr__(self, "linearization", "jacobian")

    def observe(self, states: KD, layout: StateLayout) -> Array:
        """Return h(states), (M, m)."""
        states = np.asarray(states, dtype=np.float64)
        return _require_shape("function", self.function(states), (len(states), self.n_measured))

    def jacobian(self, states: KD, layout: StateLayout) -> Array:
        """Return the derivatives of the function; raise MotionError if there is none."""
        if self.jacobian_function is None:
            raise MotionError.no_jacobian("FunctionSensor")
        result = np.asarray(self.jacobian_function(states), dtype=np.float64)
        shape = (self.n_measured, layout.n_states)
        return _require_shape("jacobian_function", result, shape if result.ndim == 2 else (len(states), *shape))

    def locate(self, measurements: ND, layout: StateLayout) -> LocatedMeasurements:
        """Return what ``locate_function`` says of the measurements; raise MotionError if there is none."""
        if self.locate_function is None:
            raise MotionError.cannot_locate()
        return self.locate_function(measurements)


def _require_callable(name: str, value: object) -> None:
    """Raise ParameterError unless a value can be called."""
    if not callable(value):
        raise ParameterError.wrong_type(name, value, "a function")


def _require_shape(name: str, values: object, shape: tuple[int, ...]) -> Array:
    """Return values as an array; raise MotionError if they have another shape than a function must return."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise MotionError.wrong_output(name, array.shape, shape)
    return array
