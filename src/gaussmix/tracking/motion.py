"""Motion models: how the state of an object changes in time.

A model is a frozen value. Filters ask it for three things: where states go, the Jacobian there, and the covariance of
the process noise. All work on stacks of states.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gaussmix.core.scalar_checks import is_integer, is_number_in
from gaussmix.errors import ParameterError
from gaussmix.tracking.state_layout import StateLayout, join_layouts
from gaussmix.types import DD, KD, KDD, Array

Linearization = Literal["jacobian", "unscented"]


class AbstractMotion(ABC):
    """A motion model; ``layout`` says what the columns of its states mean."""

    layout: StateLayout
    linearization: Linearization = "jacobian"

    @abstractmethod
    def propagate(self, states: KD, dt: float) -> KD:
        """Return the states (M, D) after a time ``dt`` without noise, shape (M, D)."""

    @abstractmethod
    def jacobian(self, states: KD, dt: float) -> KDD | DD:
        """Return the derivatives of ``propagate`` at the states, (M, D, D), or one matrix (D, D) for all of them."""

    @abstractmethod
    def noise_covariance(self, states: KD, dt: float) -> KDD | DD:
        """Return the covariance of the process noise over ``dt``: one matrix (D, D), or one for each state."""

    @property
    def n_states(self) -> int:
        """Number of columns D of a state."""
        return self.layout.n_states


class LinearMotion(AbstractMotion):
    """A linear motion with the same noise everywhere: x' = F(dt) x + w, w ~ N(0, Q(dt))."""

    @abstractmethod
    def transition(self, dt: float) -> DD:
        """Return F(dt), (D, D)."""

    @abstractmethod
    def noise(self, dt: float) -> DD:
        """Return Q(dt), (D, D), positive semidefinite."""

    def propagate(self, states: KD, dt: float) -> KD:
        """Return F x for each state."""
        return np.asarray(states @ self.transition(dt).T)

    def jacobian(self, states: KD, dt: float) -> DD:
        """Return F."""
        return self.transition(dt)

    def noise_covariance(self, states: KD, dt: float) -> DD:
        """Return Q."""
        return self.noise(dt)


def require_positive(name: str, value: object) -> None:
    """Raise ParameterError unless a value is a finite number above 0."""
    if not is_number_in(value, 0.0, np.inf):
        raise ParameterError.invalid_value(name, value, "a finite number above 0")


def require_axes(n_axes: object) -> None:
    """Raise ParameterError unless a value is a number of axes in space."""
    if not is_integer(n_axes, 1) or n_axes > 3:  # type: ignore[operator]
        raise ParameterError.invalid_value("n_axes", n_axes, "1, 2 or 3")


@dataclass(frozen=True)
class ConstantVelocity(LinearMotion):
    """Nearly constant velocity: state (x, vx, y, vy, ...), accelerations constant within each time step.

    The noise is that of a random acceleration a over each step, Q = a^2 G G^T with G = (dt^2 / 2, dt)
    (Bar-Shalom, Li & Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001, section 6.3.2).

    Parameters
    ----------
    acceleration_std : float
        Standard deviation of the acceleration, in units of position per squared unit of time.
    n_axes : int, default=2
        Number of axes in space, 1 to 3.

    Examples
    --------
    >>> from gaussmix.tracking import ConstantVelocity
    >>> ConstantVelocity(acceleration_std=5.0).propagate([[0.0, 1.0, 10.0, -2.0]], 2.0).tolist()
    [[2.0, 1.0, 6.0, -2.0]]
    """

    acceleration_std: float
    n_axes: int = 2
    layout: StateLayout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_positive("acceleration_std", self.acceleration_std)
        require_axes(self.n_axes)
        object.__setattr__(self, "layout", StateLayout.from_derivatives(self.n_axes, 1))

    def transition(self, dt: float) -> DD:
        """Return F(dt), (D, D)."""
        return repeat_for_axes(np.array([[1.0, dt], [0.0, 1.0]]), self.n_axes)

    def noise(self, dt: float) -> DD:
        """Return Q(dt), (D, D)."""
        gain = self.acceleration_std * np.array([dt * dt / 2.0, dt])
        return repeat_for_axes(np.outer(gain, gain), self.n_axes)


@dataclass(frozen=True)
class ConstantAcceleration(LinearMotion):
    """Nearly constant acceleration: state (x, vx, ax, y, vy, ay, ...).

    The acceleration changes by a random amount a in each time step, Q = a^2 G G^T with G = (dt^2 / 2, dt, 1)
    (Bar-Shalom, Li & Kirubarajan 2001, section 6.3.3: discrete Wiener process acceleration).

    Parameters
    ----------
    acceleration_change_std : float
        Standard deviation of the change of acceleration over one unit of time; it grows as the square root of time.
    n_axes : int, default=2
        Number of axes in space, 1 to 3.
    """

    acceleration_change_std: float
    n_axes: int = 2
    layout: StateLayout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_positive("acceleration_change_std", self.acceleration_change_std)
        require_axes(self.n_axes)
        object.__setattr__(self, "layout", StateLayout.from_derivatives(self.n_axes, 2))

    def transition(self, dt: float) -> DD:
        """Return F(dt), (D, D)."""
        return repeat_for_axes(np.array([[1.0, dt, dt * dt / 2.0], [0.0, 1.0, dt], [0.0, 0.0, 1.0]]), self.n_axes)

    def noise(self, dt: float) -> DD:
        """Return Q(dt), (D, D)."""
        gain = self.acceleration_change_std * np.sqrt(abs(dt)) * np.array([dt * dt / 2.0, dt, 1.0])
        return repeat_for_axes(np.outer(gain, gain), self.n_axes)


@dataclass(frozen=True)
class RandomWalk(LinearMotion):
    """Positions or sizes that drift: state (x, y, ...), Q = std^2 dt I.

    Parameters
    ----------
    std : float
        Standard deviation of the change over one unit of time.
    n_axes : int, default=2
        Number of columns, 1 to 3.
    names : tuple of str, optional
        Names of the columns; by default x, y, z.
    is_extent : bool, default=False
        Whether the columns are sizes, such as width and height, rather than positions.
    """

    std: float
    n_axes: int = 2
    names: tuple[str, ...] | None = None
    is_extent: bool = False
    layout: StateLayout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_positive("std", self.std)
        require_axes(self.n_axes)
        if self.names is not None and len(self.names) != self.n_axes:
            raise ParameterError.invalid_value("names", self.names, f"{self.n_axes} names")
        names, columns = self.names or tuple("xyz"[: self.n_axes]), tuple(range(self.n_axes))
        layout = StateLayout(names, (), extents=columns) if self.is_extent else StateLayout(names, columns)
        object.__setattr__(self, "layout", layout)

    def transition(self, dt: float) -> DD:
        """Return the identity."""
        return np.eye(self.n_axes)

    def noise(self, dt: float) -> DD:
        """Return Q(dt), (D, D)."""
        return np.asarray(self.std**2 * abs(dt) * np.eye(self.n_axes))


@dataclass(frozen=True)
class CombinedMotion(LinearMotion):
    """Independent linear motions side by side, such as the velocity of a box and its slowly changing size.

    Parameters
    ----------
    motions : tuple of LinearMotion
        Their states stand one after the other.
    """

    motions: tuple[LinearMotion, ...]
    layout: StateLayout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.motions or not all(isinstance(motion, LinearMotion) for motion in self.motions):
            raise ParameterError.invalid_value("motions", self.motions, "at least one linear motion model")
        object.__setattr__(self, "layout", join_layouts([motion.layout for motion in self.motions]))

    def transition(self, dt: float) -> DD:
        """Return F(dt), (D, D), block by block."""
        return block_diagonal([motion.transition(dt) for motion in self.motions])

    def noise(self, dt: float) -> DD:
        """Return Q(dt), (D, D), block by block."""
        return block_diagonal([motion.noise(dt) for motion in self.motions])


def repeat_for_axes(block: Array, n_axes: int) -> DD:
    """Return a block-diagonal matrix with the same block for each axis."""
    return block_diagonal([block] * n_axes)


def block_diagonal(blocks: list[Array]) -> DD:
    """Return a matrix with square blocks on its diagonal."""
    size = sum(len(block) for block in blocks)
    matrix, start = np.zeros((size, size)), 0
    for block in blocks:
        matrix[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return matrix
