"""Small frames with a textured background, noise, flicker and a moving square."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def make_frames(n: int, shape: tuple[int, ...], seed: int = 0, dtype: Any = np.uint8) -> Iterator[np.ndarray]:
    """Yield frames in levels from 0 to 255."""
    rng = np.random.default_rng(seed)
    base = rng.integers(60, 200, shape).astype(float)
    flicker = rng.random(shape[:2]) < 0.2
    for time in range(n):
        frame = base + rng.normal(size=shape) * 3
        frame[flicker & (rng.random(shape[:2]) < 0.5)] += 50
        top, left = 2, time % max(1, shape[1] - 4)
        frame[top : top + 3, left : left + 3] *= 0.4 if time % 2 else 0.7
        yield np.clip(frame, 0, 255).astype(dtype)
