"""Ships near a harbour: tracks from a table of radar detections, of which nothing else is known.

Learnt: how exact the radar is, how often it misses a ship and how many of its echoes are false can be estimated from
the detections themselves, with intervals. With these numbers the filter finds the ships.

Run: python examples/ships.py [PICTURE] (needs pandas; PICTURE is an optional output file)
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gaussmix import plots
from gaussmix.tracking import PMB, collect_paths, fit_target_model


def main() -> None:
    """Estimate a model from the table, track the ships, and describe them."""
    table = pd.read_csv(Path(__file__).with_name("ships.csv"), parse_dates=["time"]).dropna()
    scans = [rows[["east_m", "north_m"]].to_numpy() for _, rows in table.groupby("time")]
    seconds = 10.0  # between two scans

    fit = fit_target_model(scans, seconds)
    rates = fit.rates
    for name, number in [
        ("noise, m", fit.noise_std[0]),
        ("detection probability", rates.detection_probability),
        ("false detections per scan", rates.clutter_rate),
        ("new ships per minute", rates.birth_rate),
    ]:
        scale = 60.0 if name.endswith("minute") else 1.0
        print(f"{name:<26}{scale * number.value:6.2f}  ({scale * number.low:.2f} to {scale * number.high:.2f})")

    estimates = PMB(fit.model).run(scans, seconds)
    print("track  minutes  km/h  missed scans")
    for path in collect_paths(estimates):
        n_missed = len(path) - path.n_detections
        if len(path) > 2:
            print(f"{path.label:5d}  {path.duration / 60:7.1f}  {3.6 * path.mean_speed:4.0f}  {n_missed:12d}")

    if len(sys.argv) > 1:
        figure = Figure(figsize=(10, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        plots.plot_tracks(estimates, scans, left, names=["east (m)", "north (m)"])
        minutes = np.arange(len(scans)) * seconds / 60.0
        plots.plot_existence(estimates, right, times=minutes, time_label="minutes", legend=False)
        figure.savefig(sys.argv[1], dpi=90)
        print(f"Drew {sys.argv[1]}")


if __name__ == "__main__":
    main()
