"""The parameters of a `BackgroundMixture`, checked, and the numbers that one update needs."""

from dataclasses import dataclass
from typing import Any

from gaussmix.core.pixel_mixtures import PixelRules
from gaussmix.core.scalar_checks import is_bool, is_number_in, is_real_number, require_integer
from gaussmix.errors import ParameterError

# Brightness levels of bytes; floats are scaled to them.
BYTE_RANGE = 255.0

MAX_COMPONENTS = 16

# Largest threshold and range for which all squares stay finite in single precision.
_MAX_THRESHOLD, _RANGE_BOUNDS = 1e6, (1e-100, 1e100)


@dataclass(frozen=True)
class BackgroundOptions:
    """Parameters of a `BackgroundMixture`, which documents them."""

    n_components: int
    history: int
    background_ratio: float
    complexity: float
    match_threshold: float
    background_threshold: float
    initial_deviation: float
    min_deviation: float
    max_deviation: float
    detect_shadows: bool
    min_shadow_brightness: float
    value_range: float

    def __post_init__(self) -> None:
        if require_integer("n_components", self.n_components, 1) > MAX_COMPONENTS:
            raise ParameterError.invalid_value("n_components", self.n_components, f"at most {MAX_COMPONENTS}")
        require_integer("history", self.history, 1)
        _require_number("background_ratio", self.background_ratio, 0.0, 1.0)
        _require_number("complexity", self.complexity, 0.0, 1.0, includes_low=True)
        for name in ("match_threshold", "background_threshold"):
            _require_number(name, getattr(self, name), 0.0, _MAX_THRESHOLD)
        for name in ("min_deviation", "initial_deviation", "max_deviation"):
            _require_number(name, getattr(self, name), 0.0, 1.0)
        if not self.min_deviation <= self.initial_deviation <= self.max_deviation:
            allowed = f"from min_deviation ({self.min_deviation}) to max_deviation ({self.max_deviation})"
            raise ParameterError.invalid_value("initial_deviation", self.initial_deviation, allowed)
        if not is_bool(self.detect_shadows):
            raise ParameterError.invalid_value("detect_shadows", self.detect_shadows, "True or False")
        _require_number("min_shadow_brightness", self.min_shadow_brightness, 0.0, 1.0)
        _require_number("value_range", self.value_range, *_RANGE_BOUNDS)

    def choose_rate(self, learning_rate: object, n_learned: int) -> float:
        """Return the weight of a new frame: the given one, or 1 / n for the n-th of the first ``history`` frames.

        Raises
        ------
        ParameterError
            If ``learning_rate`` is neither None nor a number from 0 to 1.
        """
        if learning_rate is None:
            return 1.0 / min(n_learned + 1, int(self.history))
        if not is_real_number(learning_rate) or not 0.0 <= float(learning_rate) <= 1.0:  # type: ignore[arg-type]
            raise ParameterError.invalid_value("learning_rate", learning_rate, "a number from 0 to 1, or None")
        return float(learning_rate)  # type: ignore[arg-type]

    def make_rules(self, rate: float) -> PixelRules:
        """Return the numbers of one update with a learning rate."""
        return PixelRules(
            rate=rate,
            complexity=float(self.complexity),
            background_ratio=float(self.background_ratio),
            match_threshold=float(self.match_threshold) ** 2,
            background_threshold=float(self.background_threshold) ** 2,
            initial_variance=(BYTE_RANGE * self.initial_deviation) ** 2,
            min_variance=(BYTE_RANGE * self.min_deviation) ** 2,
            max_variance=(BYTE_RANGE * self.max_deviation) ** 2,
            min_brightness=float(self.min_shadow_brightness) if self.detect_shadows else None,
        )


def _require_number(name: str, value: Any, low: float, high: float, includes_low: bool = False) -> None:
    """Raise ParameterError unless a value is a number between two bounds."""
    if not is_number_in(value, low, high, includes_low):
        bound = "of at least" if includes_low else "above"
        raise ParameterError.invalid_value(name, value, f"a number {bound} {low:g} and below {high:g}")
