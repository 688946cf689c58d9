"""Small recordings with known truth for the tests of what is made of estimates."""

from functools import cache
from typing import Any

import numpy as np

from gaussmix.tracking import PMB, Birth, Clutter, ConstantVelocity, Estimates, PositionSensor, TargetModel

LOW, HIGH = [0.0, 0.0], [100.0, 100.0]
STARTS = np.array([[10.0, 2.0, 20.0, 0.5], [90.0, -2.0, 70.0, -0.5]])  # x, vx, y, vy of two objects


def make_model(noise_std: float = 0.5, acceleration_std: float = 0.05) -> TargetModel:
    """Return the model that `simulate_scans` draws from, or one with other noise or acceleration."""
    sensor = PositionSensor(noise_std, Clutter.in_region(1.0, LOW, HIGH), 0.95)
    birth = Birth.anywhere(0.02, LOW, HIGH, hidden_std=2.0, initial_number=2.0)
    return TargetModel(ConstantVelocity(acceleration_std), sensor, birth)


def simulate_scans(seed: int = 0, n_scans: int = 30, clutter_rate: float = 1.0) -> list[Any]:
    """Return scans (n, 2) of two objects, detected with probability 0.95, among false detections."""
    rng = np.random.default_rng(seed)
    motion = ConstantVelocity(0.05)
    states, scans = STARTS.copy(), []
    for _ in range(n_scans):
        is_detected = rng.random(len(states)) < 0.95
        seen = states[is_detected][:, [0, 2]] + rng.normal(0.0, 0.5, (int(is_detected.sum()), 2))
        false = rng.uniform(LOW, HIGH, (rng.poisson(clutter_rate), 2))
        scans.append(rng.permutation(np.concatenate([seen, false])))
        accelerations = rng.normal(0.0, 0.05, (len(states), 2))
        states = motion.propagate(states, 1.0) + np.repeat(accelerations, 2, axis=1) * np.tile([0.5, 1.0], 2)
    return scans


@cache
def run_recording(seed: int = 0, n_scans: int = 30) -> tuple[list[Any], list[Estimates]]:
    """Return the scans of a recording, and what the PMB filter reports of them."""
    scans = simulate_scans(seed, n_scans)
    return scans, PMB(make_model()).run(scans)
