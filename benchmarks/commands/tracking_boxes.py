"""Track the boxes of a detector: simulated people with truth, and the recording TUD-Campus."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress
from benchmarks.simulated_boxes import DETECTORS, SCENES, simulate_boxes

TITLE = "Tracks of boxes"
EXPLANATION = """\
`BoxTracker` with its default parameters and the frame rate of each recording. Simulated people walk past cameras of
five kinds, and three kinds of detectors miss, merge, double and invent boxes (`benchmarks/simulated_boxes.py`); a
figure is the mean over seeds, detectors and scenes. TUD-Campus has the detections of SORT's Faster R-CNN and the ground
truth in the package `motmetrics`, which also scores it; SORT has MOTA 62.7, IDF1 60.6 and 6 identity switches there.
The default was changed once after its first scores there, MOTA 58.2 and IDF1 71.6: the detections of the file, without
its truth, suggested that errors belong to the sides of a box, and simulations chose the numbers. Boxes match at an
intersection over union of .5. "Offline" smooths each track and fills gaps of up to 20 frames."""

VARIANTS = {
    "assignment": ("assignment", "track"),
    "assignment, offline": ("assignment", "track_offline"),
    "pmb": ("pmb", "track"),
    "pmb, offline": ("pmb", "track_offline"),
}
_CAMPUS = REPOSITORY_ROOT.parent / "shared" / "data" / "tracking" / "TUD-Campus.det.txt"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--seeds", type=int, default=5, help="simulated recordings of each scene and detector")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--variants", default=";".join(VARIANTS), help="names separated by semicolons; default: all")
    parser.add_argument("--campus", action="store_true", help="score TUD-Campus, and nothing else")


def run_benchmark(arguments: Namespace) -> list[dict]:
    """Return one record per recording and variant."""
    names = arguments.variants.split(";")
    if arguments.campus:
        return [score_campus(name, _CAMPUS) for name in names]
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    records = []
    for scene in SCENES:
        for detector in DETECTORS:
            print_progress(f"{scene}, {detector}")
            for seed in seeds:
                records += [score_simulation(scene, detector, seed, name) for name in names]
    return records


def score_simulation(scene: str, detector: str, seed: int, variant: str) -> dict:
    """Return the measures of one variant on one simulated recording."""
    from gaussmix.tracking import BoxTracker, evaluate_tracks

    recording = simulate_boxes(SCENES[scene], DETECTORS[detector], seed)
    method, action = VARIANTS[variant]
    tracker = BoxTracker(method, frame_rate=SCENES[scene].frame_rate)
    start = time.perf_counter()
    tracks = getattr(tracker, action)(recording.detections)
    seconds = time.perf_counter() - start
    result = evaluate_tracks(recording.truth, tracks)
    return {
        "recording": "simulated",
        "scene": scene,
        "detector": detector,
        "variant": variant,
        "mota": result.clear.mota,
        "idf1": result.identity.idf1,
        "hota": result.hota.hota,
        "switches": result.clear.n_switches,
        "objects": len(np.unique(recording.truth.label)),
        "seconds_per_frame": seconds / int(recording.truth.frame.max()),
    }


def score_campus(variant: str, path: Path) -> dict:
    """Return the measures of `motmetrics` on TUD-Campus."""
    from gaussmix.tracking import BoxTracker, read_mot

    if not hasattr(np, "asfarray"):
        np.asfarray = lambda values, dtype=np.float64: np.asarray(values, dtype=dtype)  # type: ignore[attr-defined]
    import motmetrics

    method, action = VARIANTS[variant]
    start = time.perf_counter()
    tracks = getattr(BoxTracker(method), action)(read_mot(path))
    seconds = time.perf_counter() - start
    truth_path = Path(motmetrics.__file__).parent / "data" / "TUD-Campus" / "gt.txt"
    truth = read_mot(truth_path)
    accumulator = motmetrics.MOTAccumulator(auto_id=False)
    for frame in range(1, int(truth.frame.max()) + 1):
        parts = [table.select_frames(frame, frame) for table in (truth, tracks)]
        distances = motmetrics.distances.iou_matrix(parts[0].boxes, parts[1].boxes, max_iou=0.5)
        accumulator.update(parts[0].label, parts[1].label, distances, frameid=frame)
    names = ["mota", "idf1", "num_switches", "num_false_positives", "num_misses", "num_unique_objects"]
    summary = motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0]
    return {
        "recording": "TUD-Campus",
        "scene": "TUD-Campus",
        "detector": "Faster R-CNN",
        "variant": variant,
        "mota": float(summary["mota"]),
        "idf1": float(summary["idf1"]),
        "switches": int(summary["num_switches"]),
        "false_positives": int(summary["num_false_positives"]),
        "misses": int(summary["num_misses"]),
        "objects": int(summary["num_unique_objects"]),
        "seconds_per_frame": seconds / int(truth.frame.max()),
    }


def merge_results(results: list[list[dict]]) -> list[dict]:
    """Return the records of several runs."""
    return [record for records in results for record in records]


def format_results(results: list[dict]) -> str:
    """Return a table with one row per scene and variant, and one for all simulated scenes."""
    variants = list(dict.fromkeys(record["variant"] for record in results))
    rows = []
    for variant in variants:
        own = [record for record in results if record["variant"] == variant]
        scenes = list(dict.fromkeys(record["scene"] for record in own))
        rows += [_format_row(variant, scene, [r for r in own if r["scene"] == scene]) for scene in scenes]
        simulated = [record for record in own if record["recording"] == "simulated"]
        rows += [_format_row(variant, "all simulated", simulated)] if simulated else []
    head = ["variant", "scene", "MOTA", "IDF1", "HOTA", "switches per object", "ms per frame"]
    return format_table(head, rows)


def _format_row(variant: str, scene: str, records: list[dict]) -> list[str]:
    """Return the row of a variant on a scene."""
    measures = [100 * np.mean([record.get(name, np.nan) for record in records]) for name in ("mota", "idf1", "hota")]
    switches = np.mean([record["switches"] / record["objects"] for record in records])
    milliseconds = 1000 * np.median([record["seconds_per_frame"] for record in records])
    texts = ["" if np.isnan(value) else f"{value:.1f}" for value in measures]
    return [variant, scene, *texts, f"{switches:.2f}", f"{milliseconds:.1f}"]
