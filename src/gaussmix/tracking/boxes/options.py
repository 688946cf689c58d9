"""``BoxOptions``: all numbers that tracking of boxes assumes, checked, as one value."""

import math
from dataclasses import dataclass

from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import ParameterError

_AT_MOST_ONE = math.nextafter(1.0, 2.0)


@dataclass(frozen=True)
class BoxOptions:
    """What is assumed of boxes; lengths are fractions of the height of the box, times are in seconds.

    Fields are those of `BoxTracker`, which describes them.
    """

    frame_rate: float = 25.0
    high_confidence: float = 0.6
    low_confidence: float = 0.1
    min_hits: int = 2
    buffer: float = 30.0
    gate_probability: float = 0.999
    duplicate_overlap: float = 0.9
    acceleration_std: float = 0.5
    size_change_std: float = 0.15
    noise_std: float = 0.05
    speed_std: float = 1.0
    distance: str = "mahalanobis"
    max_cost: float = 1000.0
    start_overlap: float = 1.0
    iou_min: float = 0.2
    extra: float = 0.0
    extra_low: bool = False
    wide: float = 1.0
    nodet: bool = False
    raw: bool = False

    def __post_init__(self) -> None:
        for name in ("frame_rate", "acceleration_std", "size_change_std", "noise_std", "speed_std"):
            if not is_number_in(getattr(self, name), 0.0, math.inf):
                raise ParameterError.invalid_value(name, getattr(self, name), "a finite number above 0")
        for name in ("high_confidence", "low_confidence"):
            if not is_number_in(getattr(self, name), 0.0, _AT_MOST_ONE, includes_low=True):
                raise ParameterError.invalid_value(name, getattr(self, name), "a number from 0 to 1")
        if self.low_confidence > self.high_confidence:
            allowed = f"at most high_confidence={self.high_confidence}"
            raise ParameterError.invalid_value("low_confidence", self.low_confidence, allowed)
        if not is_number_in(self.duplicate_overlap, 0.0, _AT_MOST_ONE):
            raise ParameterError.invalid_value("duplicate_overlap", self.duplicate_overlap, "a number in (0, 1]")
        if not is_number_in(self.gate_probability, 0.0, 1.0):
            raise ParameterError.invalid_value("gate_probability", self.gate_probability, "a number between 0 and 1")
        if not is_number_in(self.buffer, 0.0, math.inf, includes_low=True):
            raise ParameterError.invalid_value("buffer", self.buffer, "a finite number of at least 0")
        require_integer("min_hits", self.min_hits, 1)
