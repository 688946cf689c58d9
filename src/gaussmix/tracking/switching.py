"""``SwitchingMotion``: objects that switch among several motion models, the modes of a Markov chain.

The states of all modes have one layout, the union of theirs by the names of the columns. A column that a mode lacks has
the mean 0, a prior variance and no covariance with others while the object is in that mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.errors import MotionError, ParameterError
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.state_layout import StateLayout, merge_layouts
from gaussmix.types import DD, KD, KDD, Array, ArrayLike, D, IntD, K

_SUM_TOLERANCE = 1e-9
_MAX_TERMS = 2000  # of a power series whose terms shrink by a constant factor


@dataclass(frozen=True, eq=False)
class PaddedMotion(AbstractMotion):
    """A motion in a layout with more columns; those that it lacks become their prior at each step.

    Parameters
    ----------
    motion : AbstractMotion
    layout : StateLayout
        Has all columns of the motion.
    missing_variances : array of shape (D,)
        Prior variances of the columns.
    """

    motion: AbstractMotion
    layout: StateLayout
    missing_variances: D
    _columns: IntD = field(init=False, repr=False)
    _missing: IntD = field(init=False, repr=False)

    def __post_init__(self) -> None:
        columns = [self.layout.names.index(name) for name in self.motion.layout.names]
        object.__setattr__(self, "_columns", np.array(columns, dtype=np.int64))
        object.__setattr__(self, "_missing", np.setdiff1d(np.arange(self.n_states), columns))
        object.__setattr__(self, "linearization", self.motion.linearization)

    def propagate(self, states: KD, dt: float) -> KD:
        """Return the states (M, D) after ``dt``; columns that the motion lacks are 0."""
        result = np.zeros(states.shape)
        result[:, self._columns] = self.motion.propagate(states[:, self._columns], dt)
        return result

    def jacobian(self, states: KD, dt: float) -> KDD | DD:
        """Return the derivatives of ``propagate``."""
        return self._pad(self.motion.jacobian(states[:, self._columns], dt), np.zeros(self.n_states))

    def noise_covariance(self, states: KD, dt: float) -> KDD | DD:
        """Return the covariance of the noise; columns that the motion lacks have their prior variance."""
        return self._pad(self.motion.noise_covariance(states[:, self._columns], dt), self.missing_variances)

    def _pad(self, matrices: Array, diagonal: D) -> Array:
        """Return matrices over all columns, with ``diagonal`` where the motion has no column."""
        result = np.zeros((*matrices.shape[:-2], self.n_states, self.n_states))
        result[..., self._columns[:, None], self._columns] = matrices
        result[..., self._missing, self._missing] = diagonal[self._missing]
        return result


@dataclass(frozen=True, eq=False)
class SwitchingMotion(AbstractMotion):
    """Objects that switch among several motion models, whose states may have different columns.

    `IMM`, `GaussianSumFilter` and all filters of many objects follow the mode of each object. Beliefs and births are
    about all columns of ``layout``, also about those that some modes lack.

    Parameters
    ----------
    motions : tuple of AbstractMotion
        One for each of M modes. Columns of the same name are the same quantity.
    transition_matrix : array-like of shape (M, M)
        Probabilities of the mode (columns) one unit of time after a mode (rows).
    initial_probabilities : array-like of shape (M,), optional
        Probabilities of the modes of new objects; equal by default.
    missing_std : float, array-like of shape (D,) or dict, default=1.0
        Standard deviation of a column when an object enters a mode that has it, from one that lacks it: one number for
        all columns, one for each column of ``layout``, or a dict from names to numbers.

    Attributes
    ----------
    layout : StateLayout
        All columns of all motions, in the order in which they appear first.
    modes : tuple of PaddedMotion
        The motions over all columns.

    Raises
    ------
    ParameterError
        If there is no motion, a motion switches itself, or probabilities or standard deviations are not allowed.

    Examples
    --------
    >>> from gaussmix.tracking import ConstantVelocity, CoordinatedTurn, SwitchingMotion
    >>> motion = SwitchingMotion(
    ...     (ConstantVelocity(0.5), CoordinatedTurn(0.5, 0.1)), [[0.95, 0.05], [0.1, 0.9]], missing_std=0.3
    ... )
    >>> motion.layout.names
    ('x', 'vx', 'y', 'vy', 'turn_rate')
    """

    motions: tuple[AbstractMotion, ...]
    transition_matrix: ArrayLike
    initial_probabilities: ArrayLike | None = None
    missing_std: ArrayLike | Mapping[str, float] = 1.0
    layout: StateLayout = field(init=False, repr=False)
    modes: tuple[PaddedMotion, ...] = field(init=False, repr=False)
    _transitions: DD = field(init=False, repr=False)
    _initial: K = field(init=False, repr=False)

    def __post_init__(self) -> None:
        is_motion = [isinstance(m, AbstractMotion) and not isinstance(m, SwitchingMotion) for m in self.motions]
        if not is_motion or not all(is_motion):
            raise ParameterError.invalid_value(
                "motions", self.motions, "at least one motion model that does not switch"
            )
        layout = merge_layouts([motion.layout for motion in self.motions])
        variances = _parse_missing_stds(self.missing_std, layout) ** 2
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "modes", tuple(PaddedMotion(motion, layout, variances) for motion in self.motions))
        object.__setattr__(self, "_transitions", _parse_transitions(self.transition_matrix, self.n_modes))
        object.__setattr__(self, "_initial", _parse_probabilities(self.initial_probabilities, self.n_modes))

    @property
    def n_modes(self) -> int:
        """Number of modes M."""
        return len(self.motions)

    def mode_probabilities(self, dt: float) -> Array:
        """Return probabilities (M + 1, M) of the modes after a time ``dt``.

        Row 0 is for objects that are new before that time, row m for objects in mode m - 1.
        """
        return np.vstack([self._initial, np.eye(self.n_modes)]) @ power_of_transitions(self._transitions, dt)

    def propagate(self, states: KD, dt: float) -> KD:
        """Raise MotionError: states alone do not tell their mode."""
        raise MotionError.several_modes()

    def jacobian(self, states: KD, dt: float) -> KDD:
        """Raise MotionError: states alone do not tell their mode."""
        raise MotionError.several_modes()

    def noise_covariance(self, states: KD, dt: float) -> KDD:
        """Raise MotionError: states alone do not tell their mode."""
        raise MotionError.several_modes()


def power_of_transitions(transitions: DD, dt: float) -> DD:
    """Return the transition probabilities (M, M) over a time ``dt``, given those over one unit of time.

    A fraction of a unit is the power series of P^dt about the identity, which is that of the Markov chain in continuous
    time if there is one. Where the series does not converge surely, because a mode is more likely left than kept, it is
    (1 - dt) I + dt P.
    """
    n_steps = int(dt)
    return np.asarray(_integer_power(transitions, n_steps) @ _fractional_power(transitions, dt - n_steps))


def _integer_power(matrix: DD, exponent: int) -> DD:
    """Return a power of a matrix by repeated squaring."""
    result, square = np.eye(len(matrix)), matrix
    while exponent:
        if exponent % 2:
            result = result @ square
        square, exponent = square @ square, exponent // 2
    return result


def _fractional_power(transitions: DD, exponent: float) -> DD:
    """Return P^exponent for an exponent from 0 to 1, with rows that add up to 1 and no negative entry."""
    eye = np.eye(len(transitions))
    if np.diagonal(transitions).min() <= 0.5:
        return np.asarray((1.0 - exponent) * eye + exponent * transitions)
    result, term = eye.copy(), eye
    for k in range(1, _MAX_TERMS):
        term = term @ (transitions - eye) * ((exponent - k + 1.0) / k)
        result += term
        if np.abs(term).max() < 1e-17:
            break
    result = np.maximum(result, 0.0)
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def _parse_transitions(values: ArrayLike, n_modes: int) -> DD:
    """Return a matrix of transition probabilities, or raise MotionError."""
    matrix = parse_finite_numbers("transition_matrix", values)
    is_valid = matrix.shape == (n_modes, n_modes) and (matrix >= 0).all()
    if not is_valid or (np.abs(matrix.sum(axis=1) - 1.0) > _SUM_TOLERANCE).any():
        raise MotionError.invalid_transition_matrix(matrix.shape, n_modes)
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def _parse_probabilities(values: ArrayLike | None, n_modes: int) -> K:
    """Return probabilities (n_modes,); equal ones for None."""
    if values is None:
        return np.full(n_modes, 1.0 / n_modes)
    probabilities = parse_finite_numbers("initial_probabilities", values, (n_modes,))
    if (probabilities < 0).any() or abs(probabilities.sum() - 1.0) > _SUM_TOLERANCE:
        raise ParameterError.invalid_value(
            "initial_probabilities", probabilities.tolist(), "numbers of at least 0 that add up to 1"
        )
    return np.asarray(probabilities / probabilities.sum())


def _parse_missing_stds(values: ArrayLike | Mapping[str, float], layout: StateLayout) -> D:
    """Return the standard deviation (D,) of each column that a mode may lack."""
    if isinstance(values, Mapping):
        for name in values:
            if name not in layout.names:
                raise MotionError.unknown_column(name, layout.names)
        values = [values.get(name, 1.0) for name in layout.names]
    stds = parse_finite_numbers("missing_std", values)
    if stds.shape not in ((), (layout.n_states,)):
        raise ParameterError.wrong_shape("missing_std", stds.shape, (layout.n_states,))
    if not (stds > 0).all():
        raise ParameterError.invalid_value("missing_std", stds.tolist(), "numbers above 0")
    return np.broadcast_to(stds, layout.n_states)
