"""``WhiteNoiseMotion``: constant velocity or acceleration in continuous time, for irregular time steps."""

import math
from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.scalar_checks import is_integer
from gaussmix.errors import ParameterError
from gaussmix.tracking.motion import LinearMotion, repeat_for_axes, require_axes, require_positive
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import DD

_MAX_DERIVATIVES = 2


@dataclass(frozen=True)
class WhiteNoiseMotion(LinearMotion):
    """Motion whose highest derivative is driven by white noise in continuous time: state (x, vx, y, vy, ...).

    Two steps give the same distribution as one step over their sum. So results do not depend on how time is divided,
    as those of `ConstantVelocity` and `ConstantAcceleration` do (Bar-Shalom, Li & Kirubarajan, *Estimation with
    Applications to Tracking and Navigation*, 2001, sections 6.2.2 and 6.2.3).

    Parameters
    ----------
    density : float
        Square root of the power spectral density of the noise: standard deviation of the change of the highest
        derivative over one unit of time.
    n_derivatives : int, default=1
        1 for nearly constant velocity, 2 for nearly constant acceleration.
    n_axes : int, default=2
        Number of axes in space, 1 to 3.

    Raises
    ------
    ParameterError
        If a parameter is not allowed.

    Examples
    --------
    >>> from gaussmix.tracking import WhiteNoiseMotion
    >>> WhiteNoiseMotion(density=1.0, n_axes=1).noise(2.0).tolist()
    [[2.6666666666666665, 2.0], [2.0, 2.0]]
    """

    density: float
    n_derivatives: int = 1
    n_axes: int = 2
    layout: StateLayout = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_positive("density", self.density)
        require_axes(self.n_axes)
        if not is_integer(self.n_derivatives, 1) or self.n_derivatives > _MAX_DERIVATIVES:
            raise ParameterError.invalid_value("n_derivatives", self.n_derivatives, "1 or 2")
        object.__setattr__(self, "layout", StateLayout.from_derivatives(self.n_axes, self.n_derivatives))

    def transition(self, dt: float) -> DD:
        """Return F(dt), (D, D), with dt^(j - i) / (j - i)! in row i and column j of each axis."""
        n = self.n_derivatives
        block = [[dt ** (j - i) / math.factorial(j - i) if j >= i else 0.0 for j in range(n + 1)] for i in range(n + 1)]
        return repeat_for_axes(np.array(block), self.n_axes)

    def noise(self, dt: float) -> DD:
        """Return Q(dt), (D, D): the integral of the effect of the noise at each moment of the step."""
        n, variance = self.n_derivatives, self.density**2
        orders = range(n, -1, -1)  # how often the noise is integrated to give the column, less one
        block = [
            [variance * abs(dt) ** (i + j + 1) / ((i + j + 1) * math.factorial(i) * math.factorial(j)) for j in orders]
            for i in orders
        ]
        return repeat_for_axes(np.array(block), self.n_axes)
