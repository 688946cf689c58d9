"""``filter_measurements``: the Kalman filter over a sequence of measurements, some of them missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.core.input_arrays import require_finite
from gaussmix.core.parameter_arrays import parse_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import MeasurementError, ParameterError
from gaussmix.model import Gaussian
from gaussmix.model.validation import require_instance
from gaussmix.tracking.beliefs import require_proper_states, split_belief
from gaussmix.tracking.components import Components
from gaussmix.tracking.filtering import update_components
from gaussmix.tracking.kalman import predict_states
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.types import KD, KDD, ND, ArrayLike, N


@dataclass(frozen=True, eq=False)
class FilteredStates:
    """States of one object at T times, each given the measurements until then.

    Attributes
    ----------
    times : array of shape (T,)
    means : array of shape (T, D)
    covariances : array of shape (T, D, D)
    predicted_means : array of shape (T, D)
        Before the measurement of each time.
    predicted_covariances : array of shape (T, D, D)
    log_likelihoods : array of shape (T,)
        Log density of each measurement given those before; 0 where it is missing.
    motion : AbstractMotion
        The motion model that was used.
    """

    times: N
    means: KD
    covariances: KDD
    predicted_means: KD
    predicted_covariances: KDD
    log_likelihoods: N
    motion: AbstractMotion

    def __len__(self) -> int:
        return len(self.times)

    @property
    def log_likelihood(self) -> float:
        """Log density of all measurements together."""
        return float(self.log_likelihoods.sum())


def filter_measurements(
    initial: Gaussian,
    motion: AbstractMotion,
    sensor: AbstractSensor,
    measurements: Iterable[ArrayLike | None],
    times: ArrayLike | None = None,
    start_time: float = 0.0,
) -> FilteredStates:
    """Return the states of one object, each given the measurements until then.

    Parameters
    ----------
    initial : Gaussian
        Belief about the state at ``start_time``.
    motion : AbstractMotion
    sensor : AbstractSensor
        Its probability of detection and its clutter have no effect here.
    measurements : sequence of T array-likes of shape (m,)
        None or a row of NaN is a missing measurement.
    times : array-like of shape (T,), optional
        Time of each measurement, not decreasing; by default 1, 2, ... after the start.
    start_time : float, default=0.0
        Equal to the first time if the belief holds just before the first measurement.

    Returns
    -------
    FilteredStates

    Raises
    ------
    DataError
        If a measurement is not finite, has other columns or is missing in part, or times decrease.
    ParameterError
        If the belief has another number of columns, or the motion switches.
    BeliefError
        If a covariance loses its positive definiteness.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import Gaussian
    >>> from gaussmix.tracking import Clutter, ConstantVelocity, PositionSensor, filter_measurements, smooth
    >>> sensor = PositionSensor(1.0, Clutter(0.0, 1.0), n_axes=1)
    >>> motion = ConstantVelocity(acceleration_std=0.1, n_axes=1)
    >>> states = filter_measurements(Gaussian([0.0, 0.0], 9.0 * np.eye(2)), motion, sensor, [[1.1], None, [3.2]])
    >>> np.round(states.means[:, 0], 1).tolist(), np.round(smooth(states).means[:, 0], 1).tolist()
    ([1.0, 1.6, 3.2], [1.1, 2.1, 3.2])
    """
    require_instance("motion", motion, AbstractMotion, "a motion model")
    require_instance("sensor", sensor, AbstractSensor, "a sensor model")
    require_instance("initial", initial, Gaussian, "a Gaussian; GaussianSumFilter begins with a mixture")
    rows = parse_measurements(measurements, sensor.n_measured)
    moments, steps = parse_times(times, len(rows), start_time)
    belief = split_belief(initial, motion.n_states)
    means, covariances = (
        np.empty((2, len(rows), motion.n_states)),
        np.empty((2, len(rows), *belief.covariances.shape[1:])),
    )
    log_likelihoods = np.zeros(len(rows))
    for k, (row, dt) in enumerate(zip(rows, steps.tolist(), strict=True)):
        with np.errstate(over="ignore", invalid="ignore"):
            moved = predict_states(motion, belief.means, belief.covariances, dt)
        belief = Components(belief.groups, belief.weights, *moved, belief.modes)
        means[0, k], covariances[0, k] = belief.means[0], belief.covariances[0]
        if not np.isnan(row[0]):
            belief, log_likelihoods[k] = update_components(belief, sensor, motion.layout, row)
        means[1, k], covariances[1, k] = belief.means[0], belief.covariances[0]
    for part, step in enumerate(("prediction", "update")):
        require_proper_states(means[part], covariances[part], step)
    return FilteredStates(moments, means[1], covariances[1], means[0], covariances[0], log_likelihoods, motion)


def parse_measurements(measurements: Iterable[ArrayLike | None], n_measured: int) -> ND:
    """Return measurements (T, m), with rows of NaN where one is missing.

    Raises
    ------
    DataError
        If a measurement has another number of columns, is infinite, or is missing in part.
    """
    missing = np.full(n_measured, np.nan)
    parsed = [missing if row is None else np.atleast_1d(parse_numbers("measurements", row)) for row in measurements]
    for position, row in enumerate(parsed):
        if row.shape != (n_measured,):
            raise MeasurementError.wrong_columns(position, row.shape, n_measured)
    rows = np.array(parsed).reshape(len(parsed), n_measured)
    is_missing = np.isnan(rows)
    is_partly = is_missing.any(axis=1) & ~is_missing.all(axis=1)
    if is_partly.any():
        raise MeasurementError.partly_missing(int(np.argmax(is_partly)))
    require_finite(np.where(is_missing, 0.0, rows))
    return rows


def parse_times(times: ArrayLike | None, n_times: int, start_time: float) -> tuple[N, N]:
    """Return times (T,) and the steps (T,) that lead to them; raise MeasurementError if a step is negative."""
    if not is_number_in(start_time, -np.inf, np.inf):
        raise ParameterError.invalid_value("start_time", start_time, "a finite number")
    moments = start_time + np.arange(1.0, n_times + 1.0) if times is None else parse_numbers("times", times)
    if moments.shape != (n_times,):
        raise ParameterError.wrong_shape("times", moments.shape, (n_times,))
    steps = np.diff(moments, prepend=start_time)
    is_wrong = ~(np.isfinite(steps) & (steps >= 0.0))
    if is_wrong.any():
        position = int(np.argmax(is_wrong))
        previous: Sequence[float] = [start_time, *moments.tolist()]
        raise MeasurementError.invalid_times(position, previous[position], previous[position + 1])
    return moments, steps
