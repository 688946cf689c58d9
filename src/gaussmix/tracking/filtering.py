"""``predict`` and ``update``: the steps of a Kalman filter as pure functions on Gaussians and mixtures.

Linear models give the exact Kalman filter. Others give the extended or the unscented one, as the model says.
"""

from typing import Generic, NamedTuple

import numpy as np

from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import BeliefError, FilterOverflowError, ParameterError
from gaussmix.model.validation import require_instance
from gaussmix.tracking.beliefs import Belief, join_belief, split_belief
from gaussmix.tracking.components import Components
from gaussmix.tracking.kalman import predict_states, prepare_update, score_pairs, update_pairs
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import ArrayLike, D


class UpdatedBelief(NamedTuple, Generic[Belief]):
    """A belief after a measurement, and the log of the density of that measurement before."""

    belief: Belief
    log_likelihood: float


class UpdatedComponents(NamedTuple):
    """Components after a measurement, and the log of the density of that measurement before."""

    components: Components
    log_likelihood: float


def predict(belief: Belief, motion: AbstractMotion, dt: float = 1.0) -> Belief:
    """Return the belief about a state after a time ``dt``.

    Parameters
    ----------
    belief : Gaussian, Mixture or Intensity
        Over the D columns of the motion.
    motion : AbstractMotion
        Linear motions are exact; others use their Jacobian at each mean, or sigma points.
    dt : float, default=1.0
        In the unit of time of the motion.

    Returns
    -------
    Gaussian, Mixture or Intensity
        Of the type of the input, with the same number of components and the same weights.

    Raises
    ------
    ParameterError
        If the belief has another number of columns, noise or transforms, ``dt`` is negative, or the motion switches.
    FilterOverflowError
        If a number overflows.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import Gaussian
    >>> from gaussmix.tracking import ConstantVelocity, predict
    >>> belief = Gaussian([0.0, 1.0], np.eye(2))
    >>> predict(belief, ConstantVelocity(acceleration_std=1.0, n_axes=1), dt=2.0)
    Gaussian(mean=[2.0, 1.0], covariance=[[9.0, 6.0], [6.0, 5.0]])
    """
    require_instance("motion", motion, AbstractMotion, "a motion model")
    require_time_step(dt)
    components = split_belief(belief, motion.n_states)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = predict_states(motion, components.means, components.covariances, float(dt))
    predicted = Components(components.groups, components.weights, *moved, components.modes)
    return join_belief(belief, predicted, "prediction")


def update(
    belief: Belief, sensor: AbstractSensor, measurement: ArrayLike, layout: StateLayout
) -> UpdatedBelief[Belief]:
    """Return the belief about a state after a measurement that surely belongs to it.

    Each component is updated in Joseph's form, and its weight grows with the density of the measurement under it.

    Parameters
    ----------
    belief : Gaussian, Mixture or Intensity
        Over the D columns of the layout.
    sensor : AbstractSensor
        Its probability of detection and its clutter have no effect here.
    measurement : array-like of shape (m,)
    layout : StateLayout
        Meaning of the columns, such as ``motion.layout``.

    Returns
    -------
    UpdatedBelief
        The belief, of the type of the input, and the log likelihood of the measurement. An intensity becomes its
        product with the likelihood, so that its mass changes.

    Raises
    ------
    ParameterError
        If the belief or the measurement has another number of columns, or the belief noise or transforms.
    FilterOverflowError
        If a number overflows, as for a measurement 1e150 standard deviations away.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import Gaussian
    >>> from gaussmix.tracking import Clutter, ConstantVelocity, PositionSensor, update
    >>> sensor = PositionSensor(1.0, Clutter(0.0, 1.0), n_axes=1)
    >>> layout = ConstantVelocity(acceleration_std=1.0, n_axes=1).layout
    >>> result = update(Gaussian([0.0, 1.0], np.eye(2)), sensor, [2.0], layout)
    >>> np.round(result.belief.mean, 12).tolist(), round(result.log_likelihood, 3)
    ([1.0, 1.0], -2.266)
    """
    require_instance("sensor", sensor, AbstractSensor, "a sensor model")
    require_instance("layout", layout, StateLayout, "a StateLayout, such as motion.layout")
    values = parse_finite_numbers("measurement", measurement)
    if np.atleast_1d(values).shape != (sensor.n_measured,):
        raise ParameterError.wrong_shape("measurement", values.shape, (sensor.n_measured,))
    result = update_components(split_belief(belief, layout.n_states), sensor, layout, np.atleast_1d(values))
    joined = join_belief(belief, result.components, "update", result.log_likelihood)
    return UpdatedBelief(joined, result.log_likelihood)


def update_components(
    components: Components, sensor: AbstractSensor, layout: StateLayout, measurement: D
) -> UpdatedComponents:
    """Return the components of one object after a measurement (m,); weights add up to 1 before and after.

    Raises
    ------
    FilterOverflowError
        If the density of the measurement has no finite logarithm.
    BeliefError
        If the covariance of the expected measurement is not positive definite.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        update = prepare_update(sensor, layout, components.means, components.covariances)
        positions = np.arange(len(components))
        measurements = np.repeat(measurement[None], len(components), axis=0)
        scores = score_pairs(sensor, update, positions, measurements)
        log_weights = np.log(components.weights) + scores.log_densities
        means = update_pairs(components.means, update, positions, scores.differences)
    top = float(log_weights.max())
    if np.isnan(update.log_constants).any() and np.isfinite(update.predicted).all():
        raise BeliefError.lost_definiteness("prediction of the measurement")
    if not np.isfinite(top):
        raise FilterOverflowError.after("update")
    relative = np.exp(log_weights - top)
    total = float(relative.sum())
    updated = Components(components.groups, relative / total, means, update.covariances, components.modes)
    return UpdatedComponents(updated, top + float(np.log(total)))


def require_time_step(dt: object) -> None:
    """Raise ParameterError unless a time step is a finite number of at least 0."""
    if not is_number_in(dt, 0.0, np.inf, includes_low=True):
        raise ParameterError.invalid_value("dt", dt, "a finite number of at least 0")
