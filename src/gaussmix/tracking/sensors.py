"""Sensor models: what is measured of a state, how exactly, how surely, and among how many false detections."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.parameter_arrays import parse_covariances, parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.motion import Linearization
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import DD, KD, KDD, ND, Array, ArrayLike, IntD, K, N

DetectionProbability = float | Callable[[KD], K]


class LocatedMeasurements(NamedTuple):
    """What measurements say of ``columns`` (c,) of a state: means (n, c) and covariances (n, c, c)."""

    columns: IntD
    means: ND
    covariances: Array


class AbstractSensor(ABC):
    """A sensor model.

    Attributes
    ----------
    n_measured : int
        Number of columns m of a measurement.
    noise_covariance : array of shape (m, m)
        Covariance of the errors of a measurement.
    detection_probability : float or callable
        Probability that an object gives a detection in a scan: one number from 0 to 1, or a function from positions
        (M, p) to probabilities (M,).
    clutter : Clutter
        False detections.
    angles : tuple of int
        Columns of a measurement that are angles in radians; their differences are taken around the circle.
    linearization : {"jacobian", "unscented"}
        How filters pass a nonlinear measurement.
    """

    n_measured: int
    noise_covariance: DD
    detection_probability: DetectionProbability
    clutter: Clutter
    angles: tuple[int, ...] = ()
    linearization: Linearization = "jacobian"

    @abstractmethod
    def observe(self, states: KD, layout: StateLayout) -> Array:
        """Return the measurements (M, m) of states (M, D) without noise."""

    @abstractmethod
    def jacobian(self, states: KD, layout: StateLayout) -> Array:
        """Return the derivatives (M, m, D) of ``observe``, or one matrix (m, D) for all states."""

    @abstractmethod
    def locate(self, measurements: ND, layout: StateLayout) -> LocatedMeasurements:
        """Return what measurements (n, m) say of columns of the state, for objects seen for the first time."""

    def subtract(self, measurements: Array, predicted: Array) -> Array:
        """Return the differences of measurements; angles differ by at most half a turn."""
        differences = measurements - predicted
        for column in self.angles:
            differences[..., column] = np.remainder(differences[..., column] + np.pi, 2.0 * np.pi) - np.pi
        return np.asarray(differences)

    def detection_probabilities(self, states: KD, layout: StateLayout) -> K:
        """Return the probability (M,) that each state (M, D) gives a detection."""
        if not callable(self.detection_probability):
            return np.full(len(states), float(self.detection_probability))
        return np.asarray(self.detection_probability(states[:, layout.positions]), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class PositionSensor(AbstractSensor):
    """A sensor of positions: z = (x, y, ...) + noise.

    Parameters
    ----------
    noise_std : float or array-like of shape (m,) or (m, m)
        Standard deviation of each coordinate in units of position, or their covariance matrix.
    clutter : Clutter
        False detections.
    detection_probability : float or callable, default=0.98
        See `AbstractSensor`.
    n_axes : int, default=2
        Number of coordinates m.
    """

    noise_std: ArrayLike
    clutter: Clutter
    detection_probability: DetectionProbability = 0.98
    n_axes: int = 2
    noise_covariance: DD = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_detection_probability(self.detection_probability)
        object.__setattr__(self, "noise_covariance", parse_noise(self.noise_std, self.n_axes))

    @property
    def n_measured(self) -> int:  # type: ignore[override]
        """Number of columns of a measurement."""
        return self.n_axes

    def observe(self, states: KD, layout: StateLayout) -> Array:
        """Return the positions."""
        return np.asarray(states)[:, _first_columns(layout, self.n_axes)]

    def jacobian(self, states: KD, layout: StateLayout) -> Array:
        """Return the matrix that selects the positions."""
        return np.eye(layout.n_states)[_first_columns(layout, self.n_axes)]

    def locate(self, measurements: ND, layout: StateLayout) -> LocatedMeasurements:
        """Return the measurements as positions."""
        return _locate_directly(measurements, _first_columns(layout, self.n_axes), self.noise_covariance)


@dataclass(frozen=True, eq=False)
class BoxSensor(AbstractSensor):
    """A detector of boxes: z = (x, y, width, height) + noise, with the center (x, y) of the box.

    Parameters
    ----------
    noise_std : float or array-like of shape (4,) or (4, 4)
        Standard deviation of center, width and height, in pixels, or their covariance matrix.
    clutter : Clutter
        False detections.
    detection_probability : float or callable, default=0.9
        See `AbstractSensor`.
    """

    noise_std: ArrayLike
    clutter: Clutter
    detection_probability: DetectionProbability = 0.9
    noise_covariance: DD = field(init=False, repr=False)
    n_measured = 4

    def __post_init__(self) -> None:
        require_detection_probability(self.detection_probability)
        object.__setattr__(self, "noise_covariance", parse_noise(self.noise_std, 4))

    def observe(self, states: KD, layout: StateLayout) -> Array:
        """Return centers and sizes."""
        return np.asarray(states)[:, _first_columns(layout, 4)]

    def jacobian(self, states: KD, layout: StateLayout) -> Array:
        """Return the matrix that selects centers and sizes."""
        return np.eye(layout.n_states)[_first_columns(layout, 4)]

    def locate(self, measurements: ND, layout: StateLayout) -> LocatedMeasurements:
        """Return the measurements as centers and sizes."""
        return _locate_directly(measurements, _first_columns(layout, 4), self.noise_covariance)


@dataclass(frozen=True, eq=False)
class RangeBearingSensor(AbstractSensor):
    """A radar or sonar: z = (distance, bearing) + noise; the bearing is in radians, from the x axis to the y axis.

    Parameters
    ----------
    range_std, bearing_std : float
        Standard deviations of the distance, in units of position, and of the bearing, in radians.
    clutter : Clutter
        False detections; its volume is in units of position times radians.
    detection_probability : float or callable, default=0.98
        See `AbstractSensor`.
    origin : tuple of float, default=(0.0, 0.0)
        Position of the sensor.
    linearization : {"jacobian", "unscented"}, default="jacobian"
        How filters pass the nonlinear measurement.
    """

    range_std: float
    bearing_std: float
    clutter: Clutter
    detection_probability: DetectionProbability = 0.98
    origin: tuple[float, float] = (0.0, 0.0)
    linearization: Linearization = "jacobian"
    noise_covariance: DD = field(init=False, repr=False)
    n_measured = 2
    angles = (1,)

    def __post_init__(self) -> None:
        require_detection_probability(self.detection_probability)
        for name in ("range_std", "bearing_std"):
            if not is_number_in(getattr(self, name), 0.0, np.inf):
                raise ParameterError.invalid_value(name, getattr(self, name), "a finite number above 0")
        object.__setattr__(self, "noise_covariance", np.diag([self.range_std**2, self.bearing_std**2]))

    def observe(self, states: KD, layout: StateLayout) -> Array:
        """Return distances and bearings."""
        x, y = self._differences(states, layout)
        return np.column_stack([np.hypot(x, y), np.arctan2(y, x)])

    def jacobian(self, states: KD, layout: StateLayout) -> Array:
        """Return the derivatives of distance and bearing."""
        x, y = self._differences(states, layout)
        distance = np.maximum(np.hypot(x, y), np.finfo(np.float64).tiny ** 0.25)
        derivatives = np.zeros((len(x), 2, layout.n_states))
        first, second = layout.positions[:2]
        derivatives[:, 0, first], derivatives[:, 0, second] = x / distance, y / distance
        derivatives[:, 1, first], derivatives[:, 1, second] = -y / distance**2, x / distance**2
        return derivatives

    def locate(self, measurements: ND, layout: StateLayout) -> LocatedMeasurements:
        """Return the positions that give the measurements, with linearized covariances."""
        distance, bearing = measurements.T
        cosine, sine = np.cos(bearing), np.sin(bearing)
        positions = np.column_stack([distance * cosine, distance * sine]) + np.array(self.origin)
        jacobians = np.stack([cosine, -distance * sine, sine, distance * cosine], axis=1).reshape(-1, 2, 2)
        covariances = jacobians @ self.noise_covariance @ np.swapaxes(jacobians, 1, 2)
        return LocatedMeasurements(np.array(layout.positions[:2]), positions, covariances)

    def _differences(self, states: KD, layout: StateLayout) -> tuple[N, N]:
        """Return x and y of the states, seen from the sensor."""
        states = np.asarray(states)
        first, second = layout.positions[:2]
        return states[:, first] - self.origin[0], states[:, second] - self.origin[1]


def require_detection_probability(value: object) -> None:
    """Raise ParameterError if a value is neither a probability nor a function."""
    if not callable(value) and not (is_number_in(value, 0.0, 1.0, includes_low=True) or value == 1.0):
        raise ParameterError.invalid_value("detection_probability", value, "a number from 0 to 1, or a function")


def parse_noise(noise_std: ArrayLike, n_measured: int) -> DD:
    """Return the covariance (m, m) of measurement errors, given standard deviations or a covariance matrix."""
    values = parse_finite_numbers("noise_std", noise_std)
    if values.ndim < 2 and values.size not in (1, n_measured):
        raise ParameterError.wrong_shape("noise_std", values.shape, (n_measured,))
    is_matrix = values.ndim == 2
    covariance = parse_covariances(values, "noise_std") if is_matrix else np.eye(n_measured) * values**2
    if covariance.shape != (n_measured, n_measured):
        raise ParameterError.wrong_shape("noise_std", covariance.shape, (n_measured, n_measured))
    if linalg.cholesky(covariance) is None:
        raise ParameterError.not_positive_definite("covariance of noise_std")
    return np.asarray(covariance)


def _first_columns(layout: StateLayout, n_columns: int) -> IntD:
    """Return the first ``n_columns`` of positions, then extents."""
    columns = layout.observable_columns
    if len(columns) < n_columns:
        raise ParameterError.invalid_value(
            "motion", layout.names, f"a model with at least {n_columns} columns of positions and extents"
        )
    return columns[:n_columns]


def _locate_directly(measurements: ND, columns: IntD, covariance: DD) -> LocatedMeasurements:
    """Return measurements that are columns of the state."""
    covariances: KDD = np.broadcast_to(covariance, (len(measurements), *covariance.shape))
    return LocatedMeasurements(columns, measurements, covariances)
