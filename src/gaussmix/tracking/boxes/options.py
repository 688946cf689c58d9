"""``BoxOptions``: all numbers that trackers of boxes assume, checked, as one value."""

import math
from dataclasses import dataclass

from gaussmix.core.scalar_checks import is_number_in, require_integer
from gaussmix.errors import ParameterError

_AT_MOST_ONE = math.nextafter(1.0, 2.0)

# Name: lower bound, upper bound (not included), whether the lower bound is included, sentence.
_RANGES = {
    "frame_rate": (0.0, math.inf, False, "a finite number above 0, in frames per second"),
    "high_confidence": (0.0, _AT_MOST_ONE, True, "a number from 0 to 1"),
    "low_confidence": (0.0, _AT_MOST_ONE, True, "a number from 0 to 1"),
    "buffer": (0.0, math.inf, True, "a finite number of at least 0, in frames"),
    "coasting": (0.0, math.inf, True, "a finite number of at least 0, in frames"),
    "duplicate_overlap": (0.0, _AT_MOST_ONE, False, "a number above 0 and at most 1"),
    "gate_probability": (0.0, 1.0, False, "a number between 0 and 1"),
    "noise_std": (0.0, math.inf, False, "a finite number above 0, in heights of a box"),
    "speed_change_std": (0.0, math.inf, False, "a finite number above 0, in heights of a box per second"),
    "size_change_std": (0.0, math.inf, False, "a finite number above 0, in heights of a box after one second"),
    "speed_std": (0.0, math.inf, False, "a finite number above 0, in heights of a box per second"),
    "new_box_density": (0.0, math.inf, False, "a finite number above 0"),
}


@dataclass(frozen=True)
class BoxOptions:
    """What trackers of boxes assume; `BoxTracker` describes the fields.

    Raises
    ------
    ParameterError
        If a value is out of range.
    """

    frame_rate: float = 25.0
    high_confidence: float = 0.6
    low_confidence: float = 0.1
    min_hits: int = 2
    buffer: float = 30.0
    coasting: float = 2.0
    duplicate_overlap: float = 0.9
    gate_probability: float = 0.999
    noise_std: float = 0.05
    speed_change_std: float = 0.3
    size_change_std: float = 0.15
    speed_std: float = 1.0
    new_box_density: float = 0.5

    def __post_init__(self) -> None:
        for name, (low, high, includes_low, allowed) in _RANGES.items():
            if not is_number_in(getattr(self, name), low, high, includes_low=includes_low):
                raise ParameterError.invalid_value(name, getattr(self, name), allowed)
        require_integer("min_hits", self.min_hits, 1)
        if self.low_confidence > self.high_confidence:
            allowed = f"at most high_confidence={self.high_confidence}"
            raise ParameterError.invalid_value("low_confidence", self.low_confidence, allowed)
