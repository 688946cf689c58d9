"""Compare the background mixture with OpenCV's: boxes of moving people, simulated scenes, and time per frame."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import REPOSITORY_ROOT
from benchmarks.markdown import format_table
from benchmarks.round_robin import print_progress
from benchmarks.video_scenes import SCENES, f_score, score_masks
from benchmarks.video_scoring import read_boxes, score_boxes

TITLE = "Moving objects of a video"
EXPLANATION = """\
Every background subtractor has its defaults, and the same `BlobDetector` turns its masks into boxes, the same
`BoxTracker` these into tracks. Boxes are scored at an IoU of at least 0.5 against those of a person detector, which are
no exact truth. Defaults were chosen on the
first half of the video and on principle; the second half confirms them. In simulated scenes, F is that of pixels after
60 frames, without any clean-up. Shadows count as background unless the row says otherwise. Times are medians per frame
in one process, the subtractors one after another on each frame."""

_FIRST_HALF = 400
_FRAME_RATE = 10.0


def _create_subtractors() -> dict[str, Callable[[], Any]]:
    """Return functions that create the subtractors, by name."""
    import cv2

    from gaussmix.tracking import BackgroundMixture

    return {
        "BackgroundMixture": BackgroundMixture,
        "OpenCV MOG2": cv2.createBackgroundSubtractorMOG2,
        "OpenCV KNN": cv2.createBackgroundSubtractorKNN,
    }


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    folder = REPOSITORY_ROOT.parent / "shared" / "data"
    parser.add_argument("--video", default=str(folder / "video" / "vtest.avi"), help="video of moving people")
    parser.add_argument(
        "--boxes",
        default=str(folder / "tracking" / "PETS09-S2L1.det.txt"),
        help="boxes of its frames, in MOTChallenge's format",
    )
    parser.add_argument("--frames", type=int, help="number of frames to read; default: all")
    parser.add_argument("--seeds", type=int, default=3, help="simulated videos of each scene; default: 3")
    parser.add_argument("--threads", default="1,2", help="thread counts to time, separated by commas; default: 1,2")


def run_benchmark(arguments: Namespace) -> dict:
    """Return scores of boxes and of pixels, and times."""
    create = _create_subtractors()
    truth = read_boxes(Path(arguments.boxes))
    results = {"boxes": [], "scenes": {}, "times": {}}
    for name in create:
        for foreground in ("255", "127 and 255"):
            print_progress(f"{name}, {foreground}")
            boxes = _find_boxes(create[name](), arguments, 255 if foreground == "255" else 127)
            for stage, found in (("boxes", boxes), ("tracks", _track_boxes(boxes))):
                row = {"name": name, "foreground": foreground, "stage": stage, "n_frames": len(found)}
                results["boxes"].append(row | _score_parts(found, truth))
    for name in create:
        print_progress(f"{name}, scenes")
        results["scenes"][name] = {
            scene.name: f_score(np.sum([score_masks(create[name](), scene, s) for s in range(arguments.seeds)], axis=0))
            for scene in SCENES
        }
    for n_threads in map(int, arguments.threads.split(",")):
        results["times"][n_threads] = _time_frames(arguments, n_threads)
    return results


def _find_boxes(subtractor: Any, arguments: Namespace, least_value: int) -> list[np.ndarray]:
    """Return the boxes of every frame; mask values of at least ``least_value`` are foreground."""
    from gaussmix.tracking import BlobDetector, read_frames

    detector, boxes = BlobDetector(), []
    for frame in read_frames(arguments.video):
        if frame.number == arguments.frames:
            break
        boxes.append(detector.detect(subtractor.apply(frame.pixels) >= least_value).boxes)
    return boxes


def _track_boxes(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Return the boxes of tracks in every frame, as known then."""
    from gaussmix.tracking import BoxTracker

    tracker = BoxTracker(frame_rate=_FRAME_RATE)
    return [tracker.step(boxes).boxes for boxes in frames]


def _score_parts(boxes: list[np.ndarray], truth: dict[int, np.ndarray]) -> dict:
    """Return the scores of the first half, the second half, and all frames."""
    n = len(boxes)
    half = min(_FIRST_HALF, n // 2) if n < 2 * _FIRST_HALF - 10 else _FIRST_HALF
    parts = {"first half": range(1, half + 1), "second half": range(half + 1, n + 1), "all": range(1, n + 1)}
    return {name: score_boxes(boxes, truth, part) for name, part in parts.items()}


def _time_frames(arguments: Namespace, n_threads: int) -> dict[str, float]:
    """Return median milliseconds per frame of each subtractor, and of the other steps to tracks with ours."""
    import cv2

    from gaussmix.core.threads import threads
    from gaussmix.tracking import BlobDetector, BoxTracker, read_frames

    cv2.setNumThreads(n_threads)
    print_progress(f"times, {n_threads} threads")
    subtractors = {name: create() for name, create in _create_subtractors().items()}
    seconds: dict[str, list[float]] = {
        name: [] for name in ("reading", *subtractors, "boxes", "tracks", "reading to tracks")
    }
    detector, tracker = BlobDetector(), BoxTracker(frame_rate=_FRAME_RATE)
    with threads(n_threads):
        start = time.perf_counter()
        for frame in read_frames(arguments.video):
            if frame.number == arguments.frames:
                break
            seconds["reading"].append(time.perf_counter() - start)
            masks = {}
            for name, subtractor in subtractors.items():
                start = time.perf_counter()
                masks[name] = subtractor.apply(frame.pixels)
                seconds[name].append(time.perf_counter() - start)
            start = time.perf_counter()
            blobs = detector.detect(masks["BackgroundMixture"])
            seconds["boxes"].append(time.perf_counter() - start)
            start = time.perf_counter()
            tracker.step(blobs.boxes)
            seconds["tracks"].append(time.perf_counter() - start)
            seconds["reading to tracks"].append(
                sum(seconds[part][-1] for part in ("reading", "BackgroundMixture", "boxes", "tracks"))
            )
            start = time.perf_counter()
    medians = {name: 1e3 * float(np.median(values)) for name, values in seconds.items()}
    return medians | {"frames per second": 1.0 / float(np.mean(seconds["reading to tracks"]))}


def format_results(results: dict) -> str:
    """Return tables of boxes, of scenes and of times."""
    parts = ("first half", "second half", "all")
    header = ["subtractor", "foreground", "scored", *(f"{part}: precision, recall, F1" for part in parts)]
    rows = [
        [
            row["name"],
            row["foreground"],
            row["stage"],
            *(", ".join(f"{row[part][key]:.3f}" for key in ("precision", "recall", "f1")) for part in parts),
        ]
        for row in results["boxes"]
    ]
    names = list(results["scenes"])
    scenes = [
        [scene, *(f"{results['scenes'][name][scene]:.3f}" for name in names)] for scene in results["scenes"][names[0]]
    ]
    times = results["times"]
    steps = next(iter(times.values()))
    time_rows = [[step, *(f"{values[step]:.1f}" for values in times.values())] for step in steps]
    return "\n\n".join(
        [
            format_table(header, rows),
            format_table(["scene, F of pixels", *names], scenes),
            format_table(["ms per frame", *(f"threads: {n}" for n in times)], time_rows),
        ]
    )
