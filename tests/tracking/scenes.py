"""Small simulated scenes for tests of trackers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gaussmix.tracking import Birth, Clutter, ConstantVelocity, PositionSensor, TargetModel

Array = NDArray[np.float64]

REGION = {"low": [-100.0, -100.0], "high": [100.0, 100.0]}


def make_model(**changes: object) -> TargetModel:
    """A model of points that appear anywhere in a square of 200 by 200."""
    values: dict[str, object] = {
        "motion": ConstantVelocity(acceleration_std=0.3),
        "sensor": PositionSensor(1.0, Clutter.in_region(5.0, **REGION), detection_probability=0.95),
        "birth": Birth.anywhere(0.05, hidden_std=3.0, initial_number=3.0, **REGION),
    }
    return TargetModel(**{**values, **changes})  # type: ignore[arg-type]


def simulate_scene(
    seed: int,
    n_scans: int = 30,
    n_objects: int = 3,
    clutter_rate: float = 5.0,
    detection_probability: float = 0.95,
    noise_std: float = 1.0,
    n_axes: int = 2,
    times: Sequence[float] | None = None,
) -> tuple[list[Array], list[Array]]:
    """Return detections and true positions of each scan; objects move straight through the middle of the region."""
    rng = np.random.default_rng(seed)
    starts = rng.uniform(-60.0, 60.0, (n_objects, n_axes))
    velocities = rng.uniform(-1.5, 1.5, (n_objects, n_axes))
    scans, truth = [], []
    for time in np.arange(n_scans) if times is None else times:
        positions = starts + velocities * time
        seen = positions[rng.random(n_objects) < detection_probability]
        detections = seen + rng.normal(0.0, noise_std, seen.shape)
        clutter = rng.uniform(-100.0, 100.0, (rng.poisson(clutter_rate), n_axes))
        scans.append(rng.permutation(np.vstack([detections, clutter])))
        truth.append(positions)
    return scans, truth
