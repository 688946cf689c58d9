"""Where new objects appear, and how many."""

from dataclasses import dataclass, field

import numpy as np

from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.model import Intensity
from gaussmix.tracking.clutter import parse_region_volume
from gaussmix.tracking.components import Components
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import KD, KDD, ND, ArrayLike, D, K


@dataclass(frozen=True, eq=False)
class Birth:
    """New objects: at known places, anywhere in a region, or both.

    Parameters
    ----------
    places : Intensity, optional
        Density of states of new objects; its mass is their expected number per unit of time.
    rate : float, default=0.0
        Expected number of new objects per unit of time that appear anywhere in the region.
    volume : float, default=1.0
        Volume of the region in units of position, such as width times height.
    hidden_std : float or array-like of shape (D,), default=1.0
        Standard deviations of the columns of the state that a first detection does not show, such as velocities.
    initial_number : float, default=0.0
        Expected number of objects anywhere in the region before the first scan.

    Examples
    --------
    >>> from gaussmix.tracking import Birth
    >>> birth = Birth.anywhere(rate=0.2, low=[0, 0], high=[640, 480], hidden_std=5.0, initial_number=4)
    >>> birth.volume
    307200.0
    """

    places: Intensity | None = None
    rate: float = 0.0
    volume: float = 1.0
    hidden_std: ArrayLike = 1.0
    initial_number: float = 0.0
    _place_arrays: tuple[K, KD, KDD] | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        for name in ("rate", "initial_number"):
            if not is_number_in(getattr(self, name), 0.0, np.inf, includes_low=True):
                raise ParameterError.invalid_value(name, getattr(self, name), "a finite number of at least 0")
        if not is_number_in(self.volume, 0.0, np.inf):
            raise ParameterError.invalid_value("volume", self.volume, "a finite number above 0")
        stds = parse_finite_numbers("hidden_std", self.hidden_std)
        if not (stds > 0).all():
            raise ParameterError.invalid_value("hidden_std", self.hidden_std, "numbers above 0")
        if self.places is not None:
            mixture = self.places.mixture
            object.__setattr__(self, "_place_arrays", (self.places.weights, mixture.means, mixture.covariances))

    @classmethod
    def anywhere(
        cls, rate: float, low: ArrayLike, high: ArrayLike, hidden_std: ArrayLike = 1.0, initial_number: float = 0.0
    ) -> "Birth":
        """Return births anywhere between the corners ``low`` and ``high`` of a region in space.

        Every detection is then a possible first detection of a new object.

        Raises
        ------
        ParameterError
            If a corner or a number is not allowed.
        """
        return cls(None, rate, parse_region_volume(low, high), hidden_std, initial_number)

    def make_components(self, n_states: int, dt: float) -> Components:
        """Return the new objects at known places over a time ``dt``, in group 0."""
        if self._place_arrays is None:
            return Components.empty(n_states)
        weights, means, covariances = self._place_arrays
        if means.shape[1] != n_states:
            raise ParameterError.wrong_n_features("the birth", means.shape[1], n_states)
        none = np.zeros(len(weights), dtype=np.int64)
        return Components(none, weights * dt, means, covariances, none)

    def locate(self, sensor: AbstractSensor, layout: StateLayout, measurements: ND) -> tuple[KD, KDD]:
        """Return the states of objects anywhere, given their first detections: means (n, D), covariances (n, D, D)."""
        located = sensor.locate(measurements, layout)
        means = np.zeros((len(measurements), layout.n_states))
        stds: D = np.broadcast_to(np.asarray(self.hidden_std, dtype=np.float64), layout.n_states)
        covariances = np.repeat(np.diag(stds**2)[None], len(measurements), axis=0)
        means[:, located.columns] = located.means
        covariances[:, located.columns[:, None], located.columns] = located.covariances
        return means, covariances
