"""Scenes and distances that tests of filters of an intensity share."""

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import numpy as np

from benchmarks.tracking_scenarios import TrueObjects
from gaussmix import Intensity
from gaussmix.tracking import (
    GMCPHD,
    GMPHD,
    Birth,
    Clutter,
    ConstantVelocity,
    Estimates,
    PositionSensor,
    TargetModel,
    average_over_frames,
    ospa,
)
from gaussmix.types import KD

FILTERS = [GMPHD, GMCPHD]


def mean_ospa(estimates: list[Estimates], truth: list[TrueObjects]) -> np.ndarray:
    """Return OSPA, localisation and cardinality part as means over scans."""
    estimated, true = [scan.positions for scan in estimates], [objects.positions for objects in truth]
    return np.array(astuple(average_over_frames(ospa, estimated, true, cutoff=100.0)))


def make_anywhere_model(
    scale: float = 1.0, clutter_rate: float = 3.0, detection_probability: Any = 0.9, **options: Any
) -> TargetModel:
    """Return a model of a square of side 100 with births anywhere; ``scale`` is the unit of length."""
    region = {"low": [0.0, 0.0], "high": [100.0 * scale, 100.0 * scale]}
    sensor = PositionSensor(1.0 * scale, Clutter.in_region(clutter_rate, **region), detection_probability)
    birth = Birth.anywhere(rate=0.2, hidden_std=2.0 * scale, initial_number=2.0, **region)
    return TargetModel(ConstantVelocity(0.3 * scale), sensor, birth, **options)


def simulate_walkers(seed: int, n_scans: int = 15, clutter_rate: float = 3.0, probability: float = 0.9) -> list[KD]:
    """Return detections of three objects on straight lines in a square of side 100, among false ones."""
    rng = np.random.default_rng(seed)
    places, velocities = np.array([[20.0, 20.0], [50.0, 80.0], [80.0, 30.0]]), rng.normal(0.0, 1.0, (3, 2))
    scans = []
    for scan in range(n_scans):
        seen = (places + scan * velocities)[rng.random(3) < probability]
        noisy = seen + rng.normal(0.0, 1.0, seen.shape)
        scans.append(rng.permutation(np.vstack([noisy, rng.uniform(0.0, 100.0, (rng.poisson(clutter_rate), 2))])))
    return scans


def run_filter(make: Callable[..., Any], model: TargetModel, scans: list[Any], **options: Any) -> list[Estimates]:
    """Return what a filter reports of each scan."""
    estimates: list[Estimates] = make(model, **options).run(scans)
    return estimates


def make_place_model(detection_probability: Any = 0.9, clutter_rate: float = 2.0, **options: Any) -> TargetModel:
    """Return a model of a square of side 100 with births at two places."""
    means, covariances = [[10.0, 0.0, 10.0, 0.0], [80.0, 0.0, 60.0, 0.0]], np.repeat(np.eye(4)[None] * 9.0, 2, axis=0)
    places = Intensity.from_parameters([0.3, 0.6], means=means, covariances=covariances)
    clutter = Clutter.in_region(clutter_rate, [0.0, 0.0], [100.0, 100.0])
    sensor = PositionSensor(1.0, clutter, detection_probability)
    return TargetModel(ConstantVelocity(0.5), sensor, Birth(places), **options)
