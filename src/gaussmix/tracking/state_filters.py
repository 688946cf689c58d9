"""``GaussianSumFilter`` and ``IMM``: filters of one object whose belief is a mixture, and the interface of both."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix.model import Gaussian, Mixture
from gaussmix.model.component_reduction import merge_moments
from gaussmix.model.validation import require_instance
from gaussmix.selection.progress import ProgressCallback, make_progress_callback
from gaussmix.tracking.beliefs import require_proper_states, split_belief
from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.filtering import require_time_step, update_components
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.prediction import predict_components
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.tracking.sequence_filter import parse_measurements
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.tracking.switching import SwitchingMotion
from gaussmix.tracking.tracks import ReductionLimits, reduce_components
from gaussmix.types import DD, ArrayLike, D, K


@dataclass(frozen=True, eq=False)
class StateEstimate:
    """What a filter of one object knows after a step.

    Attributes
    ----------
    time : float
        Sum of the time steps.
    mean : array of shape (D,)
        Mean of the whole mixture.
    covariance : array of shape (D, D)
        Covariance of the whole mixture.
    log_likelihood : float
        Log density of the measurement of this step, given those before; 0 without a measurement.
    mode_probabilities : array of shape (M,)
        Probability of each motion of a `SwitchingMotion`; (1,) for other motions.
    components : Components
        The Gaussians of the mixture, with their modes.
    layout : StateLayout
        Meaning of the columns.
    """

    time: float
    mean: D
    covariance: DD
    log_likelihood: float
    mode_probabilities: K
    components: Components
    layout: StateLayout

    @property
    def belief(self) -> Mixture:
        """The belief about the state, with the names of the columns."""
        parts = self.components
        names = self.layout.names
        return Mixture.from_parameters(parts.weights, parts.means, parts.covariances, feature_names=names)


class AbstractStateFilter(ABC):
    """A filter of one object; subclasses say how its mixture moves, and how it is kept small.

    Attributes
    ----------
    motion : AbstractMotion
    sensor : AbstractSensor
    initial : Gaussian or Mixture
        Belief at time 0.
    state : Components
        Belief after the last step.
    time : float
        Sum of the time steps so far.
    """

    motion: AbstractMotion
    sensor: AbstractSensor
    initial: Gaussian | Mixture
    state: Components
    time: float

    @abstractmethod
    def predict(self, state: Components, dt: float) -> Components:
        """Return the components after a time ``dt``."""

    @abstractmethod
    def reduce(self, state: Components) -> Components:
        """Return fewer components."""

    def reset(self) -> None:
        """Forget all measurements."""
        self.state, self.time = split_belief(self.initial, self.motion.n_states), 0.0

    def step(self, measurement: ArrayLike | None, dt: float = 1.0) -> StateEstimate:
        """Take in the next measurement.

        Parameters
        ----------
        measurement : array-like of shape (m,) or None
            None or NaN is a missing measurement.
        dt : float, default=1.0
            Time since the last step.

        Returns
        -------
        StateEstimate

        Raises
        ------
        DataError
            If the measurement has another number of columns, is infinite, or is missing in part.
        ParameterError
            If ``dt`` is negative or not finite.
        """
        row = parse_measurements([measurement], self.sensor.n_measured)[0]
        require_time_step(dt)
        with np.errstate(over="ignore", invalid="ignore"):
            state, log_likelihood = self.predict(self.state, float(dt)), 0.0
        is_missing = bool(np.isnan(row[0]))
        if not is_missing:
            state, log_likelihood = update_components(state, self.sensor, self.motion.layout, row)
        state = self.reduce(state)
        require_proper_states(state.means, state.covariances, "prediction" if is_missing else "update")
        self.state = state.with_weights(state.weights / state.weights.sum())
        self.time += float(dt)
        return self._estimate(log_likelihood)

    def run(
        self,
        measurements: Iterable[ArrayLike | None],
        dt: float | Sequence[float] = 1.0,
        progress: bool | ProgressCallback | None = None,
    ) -> list[StateEstimate]:
        """Take in many measurements, after those that the filter has seen.

        Parameters
        ----------
        measurements : iterable of array-like of shape (m,) or None
        dt : float or sequence of float, default=1.0
            Time before each measurement: one number for all, or one for each.
        progress : bool or callable, optional
            True shows a progress bar; a callable is called as ``progress(n_done, n_total, step_name)``.

        Returns
        -------
        list of StateEstimate
            One for each measurement.
        """
        rows = list(measurements)
        steps = np.broadcast_to(np.asarray(dt, dtype=np.float64), len(rows))
        estimates = []
        with make_progress_callback(progress, "filter") as callback:
            for position, (row, step) in enumerate(zip(rows, steps.tolist(), strict=True)):
                callback(position, len(rows), f"measurement {position + 1}")
                estimates.append(self.step(row, step))
        return estimates

    def _estimate(self, log_likelihood: float) -> StateEstimate:
        """Return what is known of the state."""
        state, motion = self.state, self.motion
        _, mean, covariance = merge_moments(state.weights, state.means, state.covariances)
        probabilities = (
            sum_in_groups(state.modes - 1, state.weights, motion.n_modes)
            if isinstance(motion, SwitchingMotion) and motion.n_modes > 1
            else np.ones(1)
        )
        return StateEstimate(self.time, mean, covariance, log_likelihood, probabilities, state, motion.layout)


class GaussianSumFilter(AbstractStateFilter):
    """Follow one object by a mixture of Gaussians, each of which is a Kalman filter.

    The weight of a component grows with the density of each measurement under it (Sorenson & Alspach, "Recursive
    Bayesian estimation using Gaussian sums", Automatica 7, 1971). Light components are dropped and close ones merged
    after each step. With a `SwitchingMotion` the mixture holds several hypotheses about the past modes.

    Parameters
    ----------
    motion : AbstractMotion
    sensor : AbstractSensor
        Its probability of detection and its clutter have no effect here.
    initial : Gaussian or Mixture
        Belief at time 0, over the columns of the motion.
    limits : ReductionLimits, default=ReductionLimits(max_components=20)
        How the mixture is kept small; with a `SwitchingMotion` in each mode.

    Raises
    ------
    ParameterError
        If a model or the belief is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import Mixture
    >>> from gaussmix.tracking import Clutter, GaussianSumFilter, PositionSensor, RandomWalk
    >>> start = Mixture.from_parameters([0.5, 0.5], [[-5.0], [5.0]], np.ones((2, 1, 1)))
    >>> sensor = PositionSensor(1.0, Clutter(0.0, 1.0), n_axes=1)
    >>> tracker = GaussianSumFilter(RandomWalk(std=0.1, n_axes=1), sensor, start)
    >>> np.round(tracker.step([4.0]).mean, 1).tolist()
    [4.5]
    """

    def __init__(
        self,
        motion: AbstractMotion,
        sensor: AbstractSensor,
        initial: Gaussian | Mixture,
        limits: ReductionLimits | None = None,
    ) -> None:
        require_instance("motion", motion, AbstractMotion, "a motion model")
        require_instance("sensor", sensor, AbstractSensor, "a sensor model")
        self.limits = ReductionLimits(max_components=20) if limits is None else limits
        require_instance("limits", self.limits, ReductionLimits, "ReductionLimits")
        self.motion, self.sensor, self.initial = motion, sensor, initial
        self.reset()

    def predict(self, state: Components, dt: float) -> Components:
        """Return the components after a time ``dt``."""
        return predict_components(self.motion, state, dt, 0.0)

    def reduce(self, state: Components) -> Components:
        """Return the components within the limits, at least the heaviest."""
        reduced = reduce_components(state, self.limits)
        return reduced if len(reduced) else state.select(np.array([int(np.argmax(state.weights))]))


class IMM(AbstractStateFilter):
    """Follow one object by interacting multiple models: one Gaussian for each mode of a switching motion.

    Before each prediction, the Gaussians that enter a mode are merged (Blom & Bar-Shalom, "The interacting multiple
    model algorithm for systems with Markovian switching coefficients", IEEE Trans. Automatic Control 33, 1988).
    Modes may have different columns and nonlinear motions.

    Parameters
    ----------
    motion : SwitchingMotion
    sensor : AbstractSensor
        Its probability of detection and its clutter have no effect here.
    initial : Gaussian or Mixture
        Belief at time 0, over all columns of the motion; modes have its ``initial_probabilities``.

    Raises
    ------
    ParameterError
        If a model or the belief is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import Gaussian
    >>> from gaussmix.tracking import IMM, Clutter, PositionSensor, RandomWalk, SwitchingMotion
    >>> motion = SwitchingMotion((RandomWalk(0.1, 1), RandomWalk(5.0, 1)), [[0.9, 0.1], [0.1, 0.9]])
    >>> tracker = IMM(motion, PositionSensor(0.1, Clutter(0.0, 1.0), n_axes=1), Gaussian([0.0], [[0.01]]))
    >>> np.round(tracker.step([8.0]).mode_probabilities, 2).tolist()
    [0.0, 1.0]
    """

    def __init__(self, motion: SwitchingMotion, sensor: AbstractSensor, initial: Gaussian | Mixture) -> None:
        require_instance("motion", motion, SwitchingMotion, "a SwitchingMotion")
        require_instance("sensor", sensor, AbstractSensor, "a sensor model")
        self.motion, self.sensor, self.initial = motion, sensor, initial
        self.reset()

    def predict(self, state: Components, dt: float) -> Components:
        """Return one Gaussian for each mode after a time ``dt``."""
        return predict_components(self.motion, state, dt, np.inf)

    def reduce(self, state: Components) -> Components:
        """Return the components as they are, one for each mode."""
        return state
