"""Boxes for tests: one that moves straight, two that cross, and a crowd."""

import numpy as np
from numpy.typing import NDArray

from gaussmix.tracking import BoxTracker

Array = NDArray[np.float64]
METHODS = ("assignment", "pmb")


def moving_box(frames: Array, left: float = 20.0, speed: float = 3.0, top: float = 50.0) -> list[Array]:
    """Return a box of 40 by 100 that moves to the right, in some frames."""
    return [np.array([[left + speed * frame, top, 40.0, 100.0]]) for frame in np.asarray(frames, dtype=float)]


def crowd(seed: int, n_frames: int = 40, n_objects: int = 8) -> tuple[list[Array], list[Array]]:
    """Return boxes and confidences of a crowd that walks about, with missed, false and unsure boxes."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(60.0, 140.0, n_objects)
    center, speed = rng.uniform(0.0, 600.0, (n_objects, 2)), rng.normal(0.0, 3.0, (n_objects, 2))
    frames, confidences = [], []
    for frame in range(n_frames):
        sizes = np.column_stack([0.4 * height, height]) * (1.0 + 0.03 * rng.normal(size=(n_objects, 2)))
        boxes = np.hstack([center + speed * frame + 0.02 * height[:, None] * rng.normal(size=(n_objects, 2)), sizes])
        boxes = boxes[rng.random(n_objects) < 0.85]
        false = np.column_stack([rng.uniform(0.0, 600.0, (rng.poisson(1.0), 2))])
        boxes = np.vstack([boxes, np.hstack([false, np.full((len(false), 2), (40.0, 100.0))])])
        frames.append(boxes)
        confidences.append(rng.uniform(0.2, 1.0, len(boxes)))
    return frames, confidences


def labels_per_frame(
    tracker: BoxTracker, frames: list[Array], confidences: list[Array] | None = None
) -> list[list[int]]:
    """Return the labels that are reported in each frame."""
    return [tracked.labels.tolist() for tracked in tracker.run(frames, confidences)]
