"""Random numbers: generators from seeds, and numbers by position, which depend on seed, iteration and row only."""

import numpy as np
from numpy.typing import NDArray

from gaussmix.errors import ParameterError
from gaussmix.types import N

_GOLDEN_RATIO_64 = np.uint64(0x9E3779B97F4A7C15)


def make_generator(random_state: object, other_types: str = "") -> np.random.Generator:
    """Return a NumPy generator for a seed, a generator or None; raise ParameterError for anything else.

    ``other_types`` are what else a caller accepts, for the error: 'a numpy RandomState, '.
    """
    try:
        return np.random.default_rng(random_state)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        allowed = f"a whole number of at least 0, {other_types}a numpy Generator or None"
        raise ParameterError.invalid_value("random_state", random_state, allowed) from None


def splitmix64(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the finalizer of splitmix64: every bit of the result depends on every bit of the key."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(keys ^ (keys >> np.uint64(31)))


def draw_uniform_by_row(seed: int, iteration: int, first_row: int, n_rows: int) -> N:
    """Return uniform numbers (n,) in the open interval (0, 1) for the rows from ``first_row`` on.

    It is a counter-based generator: the row is the counter, and seed and iteration are the key (Steele, Lea & Flood,
    "Fast splittable pseudorandom number generators", OOPSLA 2014).
    """
    key = splitmix64(
        splitmix64(np.array([seed], dtype=np.uint64)) + np.array([iteration], dtype=np.uint64) * _GOLDEN_RATIO_64
    )
    counters = np.arange(first_row + 1, first_row + n_rows + 1, dtype=np.uint64)
    bits = splitmix64(key + counters * _GOLDEN_RATIO_64)
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54)
