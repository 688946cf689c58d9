"""``TargetModel``: all that a filter of many objects assumes, as one value."""

import math
from dataclasses import dataclass

from gaussmix.core.scalar_checks import is_number_in
from gaussmix.errors import ParameterError
from gaussmix.model.gaussian_algebra import mahalanobis_radius
from gaussmix.model.validation import require_instance
from gaussmix.tracking.birth import Birth
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.tracking.tracks import INTENSITY_LIMITS, TRACK_LIMITS, ReductionLimits


@dataclass(frozen=True, eq=False)
class TargetModel:
    """What filters of many objects assume about objects and detections, and how they keep mixtures small.

    Parameters
    ----------
    motion : AbstractMotion
        How objects move.
    sensor : AbstractSensor
        What a detection shows, how surely objects are detected, and how many detections are false.
    birth : Birth
        Where new objects appear.
    survival_probability : float, default=0.99
        Probability that an object is still there after one unit of time.
    gate_probability : float, default=0.999
        Detections outside the region that has this probability for a component are not assigned to it.
    limits : ReductionLimits, default=ReductionLimits()
        How the mixture of a track is reduced.
    undetected_limits : ReductionLimits, default=ReductionLimits(max_components=100)
        How an intensity, such as that of undetected objects, is reduced.
    min_existence : float, default=1e-5
        Tracks that exist with less probability are dropped.
    report_threshold : float, default=0.5
        Tracks that exist with more than this probability are reported.

    Raises
    ------
    ParameterError
        If a value has another type or lies outside its range.
    """

    motion: AbstractMotion
    sensor: AbstractSensor
    birth: Birth
    survival_probability: float = 0.99
    gate_probability: float = 0.999
    limits: ReductionLimits = TRACK_LIMITS
    undetected_limits: ReductionLimits = INTENSITY_LIMITS
    min_existence: float = 1e-5
    report_threshold: float = 0.5

    def __post_init__(self) -> None:
        for name, kind in (("motion", AbstractMotion), ("sensor", AbstractSensor), ("birth", Birth)):
            require_instance(name, getattr(self, name), kind, f"a {kind.__name__.removeprefix('Abstract')} model")
        if not 0.0 < self.gate_probability < 1.0:
            raise ParameterError.invalid_value("gate_probability", self.gate_probability, "a number between 0 and 1")
        for name in ("survival_probability", "min_existence", "report_threshold"):
            value = getattr(self, name)
            if not is_number_in(value, 0.0, math.nextafter(1.0, 2.0), includes_low=True):
                raise ParameterError.invalid_value(name, value, "a number from 0 to 1")

    @property
    def max_squared_distance(self) -> float:
        """The squared Mahalanobis distance at the border of the gate."""
        return mahalanobis_radius(self.gate_probability, self.sensor.n_measured) ** 2
