"""Measure the filters of many objects on simulated scenes: OSPA, identities and seconds."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress

TITLE = "Tracking simulated objects"
EXPLANATION = """\
Linear scene: twelve objects that appear at four places, at most ten at once, in 2000 m x 2000 m, standard deviation of
detections 10 m, detection probability .98, 50 false detections a scan, 100 scans (linear scenario of Vo's toolbox).
Spawning scene: two objects and a third that leaves the first (first example of Vo & Ma 2006); LMB and PMBM do not model
spawning. Crowded scene: 200 objects and 1000 false detections a scan in 10 km x 10 km, objects appear anywhere;
milliseconds are medians of the second half of the scans. Times are those of the processor, in one thread. All filters
see the same runs and have the same assumptions and limits: gate .999, weights 1e-5, merge distance 2, 8 components a
track or 100 an intensity. OSPA (cutoff 100 m, order 1) is the mean over scans and runs, with its standard error over
runs; localization and cardinality are its parts. IDF1 and identity switches count matches within 50 m. Published for
"GMPHD, standard" on the linear scene: OSPA 19.83, localization 10.17, cardinality 9.65 (500 runs)."""

_CUTOFF = 100.0  # meters
_N_WARM_UP = 1  # runs before the first one that is timed, in which compiled code is loaded


def make_filters(scenario: Any) -> dict[str, Callable[[], Any]]:
    """Return functions that make the filters, by name."""
    from gaussmix.tracking import GMCPHD, GMPHD, LMB, PMB, PMBM

    model = scenario.model
    return {
        "GMPHD, standard": lambda: GMPHD(model, report="standard", spawn=scenario.spawn),
        "GMPHD": lambda: GMPHD(model, spawn=scenario.spawn),
        "GMCPHD": lambda: GMCPHD(model, spawn=scenario.spawn),
        "LMB": lambda: LMB(model),
        "PMB": lambda: PMB(model, spawn=scenario.spawn),
        "PMBM": lambda: PMBM(model, spawn=scenario.spawn),
    }


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--runs", type=int, default=200, help="simulated runs of each scene (crowded: at most 2)")
    parser.add_argument("--seed", type=int, default=20_000, help="seed of the first run")
    parser.add_argument("--scenes", default="linear,spawning,crowded", help="names of scenes, separated by commas")
    parser.add_argument("--filters", default="", help="names of filters, separated by semicolons; default: all")


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one record for each scene, filter and run."""
    from benchmarks.tracking_scenarios import SCENARIOS

    records = []
    for scene in arguments.scenes.split(","):
        if scene not in SCENARIOS:
            raise SystemExit(f"--scenes: {scene} unknown; allowed are {', '.join(SCENARIOS)}")
        scenario = SCENARIOS[scene]()
        filters = make_filters(scenario)
        names = [name.strip() for name in arguments.filters.split(";") if name.strip()] or list(filters)
        n_runs = min(arguments.runs, 2) if scene == "crowded" else arguments.runs
        for run in range(-_N_WARM_UP, n_runs):
            for name in names:
                print_progress(f"{scene}, {name}, run {max(run, 0) + 1} of {n_runs}")
                record = measure_run(scenario, filters[name](), arguments.seed + run)
                if run >= 0:
                    records.append({"scene": scene, "filter": name, "seed": arguments.seed + run, **record})
    return records


def measure_run(scenario: Any, tracker: Any, seed: int) -> dict:
    """Return mean OSPA with its parts, identity measures, and seconds of one run."""
    from gaussmix.tracking import PointProximity, TrackTable, evaluate_tracks, ospa

    scans, truth = scenario.simulate(seed), scenario.truth()
    estimates, seconds = [], []
    for scan in scans:
        start = time.process_time()
        estimates.append(tracker.step(scan))
        seconds.append(time.process_time() - start)
    distances = np.array(
        [
            (found.distance, found.localization, found.cardinality)
            for estimate, objects in zip(estimates, truth, strict=True)
            for found in [ospa(estimate.positions, objects.positions, cutoff=_CUTOFF)]
        ]
    )
    tables = [
        TrackTable.from_frames([each.labels for each in frames], positions=[each.positions for each in frames])
        for frames in (truth, estimates)
    ]
    measures = evaluate_tracks(*tables, similarity=PointProximity(_CUTOFF))
    return {
        "ospa": distances[:, 0].mean(),
        "localization": distances[:, 1].mean(),
        "cardinality": distances[:, 2].mean(),
        "per_scan": [round(value, 3) for value in distances[:, 0].tolist()],
        "idf1": measures.identity.idf1,
        "switches": measures.clear.n_switches,
        "seconds": sum(seconds),
        "seconds_per_late_scan": float(np.median(seconds[len(seconds) // 2 :])),
    }


def merge_results(results: list[list[dict]]) -> list[dict]:
    """Return the runs of several records; of the same run, the last record counts."""
    runs = {(record["scene"], record["filter"], record["seed"]): record for part in results for record in part}
    return list(runs.values())


def format_results(results: list[dict]) -> str:
    """Return a table with a row for each scene and filter."""
    head = ["scene", "filter", "runs", "OSPA", "localization", "cardinality", "IDF1", "switches a run", "s a run"]
    groups: dict[tuple[str, str], list[dict]] = {}
    for record in results:
        groups.setdefault((record["scene"], record["filter"]), []).append(record)
    rows = [_format_group(*key, records) for key, records in groups.items()]
    return format_table([*head, "ms a scan"], rows)


def _format_group(scene: str, name: str, records: list[dict]) -> list[str]:
    """Return the row of one scene and filter."""
    ospa = np.array([record["ospa"] for record in records])
    error = f" ± {ospa.std(ddof=1) / np.sqrt(len(ospa)):.2f}" if len(ospa) > 1 else ""
    mean = {key: float(np.mean([record[key] for record in records])) for key in ("localization", "cardinality", "idf1")}
    switches = float(np.mean([record["switches"] for record in records]))
    seconds = float(np.median([record["seconds"] for record in records]))
    late = float(np.median([record["seconds_per_late_scan"] for record in records]))
    return [
        scene,
        name,
        str(len(records)),
        f"{ospa.mean():.2f}{error}",
        f"{mean['localization']:.2f}",
        f"{mean['cardinality']:.2f}",
        f"{100 * mean['idf1']:.1f}",
        f"{switches:.2f}",
        f"{seconds:.3f}",
        f"{1e3 * late:.1f}",
    ]
