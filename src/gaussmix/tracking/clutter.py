"""False detections of a sensor: how many a scan has on average, and where they are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix.core.parameter_arrays import parse_finite_numbers
from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.types import ND, ArrayLike, K, N


@dataclass(frozen=True)
class Clutter:
    """A Poisson process of false detections.

    Parameters
    ----------
    rate : float
        Expected number of false detections in a scan.
    volume : float
        Volume of the observed region in the units of the measurements, such as width times height. Detections outside
        of it count as if it continued there.
    density : callable, optional
        Function from measurements (n, m) to their probability densities (n,) as false detections; by default
        ``1 / volume`` everywhere.

    Raises
    ------
    ParameterError
        If the rate is negative, or the volume not above 0.

    Examples
    --------
    >>> from gaussmix.tracking import Clutter
    >>> clutter = Clutter.in_region(rate=50, low=[-1000, -1000], high=[1000, 1000])
    >>> clutter.volume
    4000000.0
    """

    rate: float
    volume: float
    density: Callable[[ND], N] | None = None

    def __post_init__(self) -> None:
        if not is_number_in(self.rate, 0.0, np.inf, includes_low=True):
            raise ParameterError.invalid_value("rate", self.rate, "a finite number of at least 0")
        if not is_number_in(self.volume, 0.0, np.inf):
            raise ParameterError.invalid_value("volume", self.volume, "a finite number above 0")

    @classmethod
    def in_region(cls, rate: float, low: ArrayLike, high: ArrayLike) -> "Clutter":
        """Return uniform clutter between the corners ``low`` and ``high`` (m,) of a box.

        Raises
        ------
        ParameterError
            If the corners have other shapes, or ``high`` is not above ``low`` everywhere.
        """
        return cls(rate, parse_region_volume(low, high))

    def intensity(self, measurements: ND) -> N:
        """Return the expected number of false detections per unit of volume at each measurement (n, m), (n,)."""
        if self.density is None:
            return np.full(len(measurements), self.rate / self.volume)
        return self.rate * np.asarray(self.density(measurements), dtype=np.float64)


def parse_region_volume(low: ArrayLike, high: ArrayLike) -> float:
    """Return the volume between the corners ``low`` and ``high`` (m,) of a box.

    Raises
    ------
    ParameterError
        If the corners have other shapes, or ``high`` is not above ``low`` everywhere.
    """
    corner: K = np.atleast_1d(parse_finite_numbers("low", low))
    opposite = np.atleast_1d(parse_finite_numbers("high", high, corner.shape))
    if not (opposite > corner).all():
        raise ParameterError.invalid_value("high", opposite.tolist(), f"above low={corner.tolist()} in each column")
    return float(np.prod(opposite - corner))
