"""Crossing objects among false detections: tracks with identities, compared with the truth.

Learnt: six objects that cross keep their labels, although nine of ten detections are false, some objects are missed,
and nothing says which detection belongs to which object. A new object is reported a scan or two after it appears.

Run: python examples/crossing.py [PICTURE] (PICTURE is an optional output file)
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from gaussmix import plots
from gaussmix.tracking import (
    PMB,
    Birth,
    Clutter,
    ConstantVelocity,
    PointProximity,
    PositionSensor,
    TargetModel,
    TrackTable,
    average_over_frames,
    evaluate_tracks,
    ospa,
)

REGION = {"low": [-1000.0, -1000.0], "high": [1000.0, 1000.0]}
N_SCANS, N_FALSE, NOISE, DETECTION = 60, 40, 10.0, 0.95


def simulate(rng):
    """Return the true positions of each scan, their numbers, and the detections."""
    angles = np.linspace(0.0, 2.0 * np.pi, 6, endpoint=False)
    starts = 800.0 * np.column_stack([np.cos(angles), np.sin(angles)])
    velocities = -starts / 30.0 + rng.normal(0.0, 1.5, (6, 2))  # all meet near the center after 30 scans
    truth, numbers, scans = [], [], []
    for scan in range(N_SCANS):
        present = np.arange(6)[np.arange(6) * 4 <= scan]  # one more object every fourth scan
        positions = starts[present] + velocities[present] * (scan - 4 * present)[:, None]
        seen = positions[rng.random(len(present)) < DETECTION]
        false = rng.uniform(REGION["low"], REGION["high"], (rng.poisson(N_FALSE), 2))
        scans.append(np.vstack([seen + rng.normal(0.0, NOISE, seen.shape), false]))
        truth.append(positions)
        numbers.append(present + 1)
    return truth, numbers, scans


def main() -> None:
    """Track the simulated objects and compare their tracks with the truth."""
    truth, numbers, scans = simulate(np.random.default_rng(1))
    sensor = PositionSensor(NOISE, Clutter.in_region(N_FALSE, **REGION), DETECTION)
    birth = Birth.anywhere(rate=0.2, hidden_std=25.0, initial_number=1.0, **REGION)
    tracker = PMB(TargetModel(ConstantVelocity(acceleration_std=1.0), sensor, birth))
    estimates = tracker.run(scans)

    found = TrackTable.from_frames([each.labels for each in estimates], [each.positions for each in estimates])
    known = TrackTable.from_frames(numbers, truth)
    quality = evaluate_tracks(known, found, PointProximity(zero_distance=100.0))
    distance = average_over_frames(ospa, [each.positions for each in estimates], truth)
    n_detections, n_tracks = sum(map(len, scans)), len(set(found.label.tolist()))
    switches, idf1 = quality.clear.n_switches, quality.identity.idf1
    print(f"{n_detections} detections in {N_SCANS} scans; {sum(map(len, truth))} true positions of 6 objects")
    print(f"{n_tracks} tracks, {switches} identity switches, IDF1 {idf1:.1%}")
    print(f"OSPA distance {distance.distance:.1f}, of which localization {distance.localization:.1f}")

    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        plots.plot_tracks(estimates, scans, left)
        plots.plot_target_numbers(estimates, list(map(len, truth)), right)
        figure.savefig(sys.argv[1], dpi=90)
        print(f"Drew {sys.argv[1]}")


if __name__ == "__main__":
    main()
