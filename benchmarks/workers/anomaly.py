"""Fit one anomaly detector to training rows and score test rows; each line of input is a seed.

Arguments: detector, folder, training mode. The folder holds train.npy and test.npy, which may change between the lines.
The scores go to a file of the folder. An answer holds the seconds of fit and of scoring, or the reason of a failure.
"""

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.adapters import DETECTORS
from benchmarks.adapters.detectors import DetectorSpec
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

TRAIN_FILE, TEST_FILE = "train.npy", "test.npy"
_WARM_UP_SHAPE = (200, 3)


def scores_file(folder: Path, name: str) -> Path:
    """Return the file of a detector's scores."""
    return folder / f"{name}.npy"


def fit_and_score(
    spec: DetectorSpec, train: np.ndarray, test: np.ndarray, training: str, seed: int
) -> tuple[np.ndarray, dict]:
    """Return the scores of the test rows (n,) and the seconds."""
    start = time.perf_counter()
    detector = spec.create(training, seed)
    detector.fit(train)
    fitted = time.perf_counter()
    scores = spec.score(detector, test)
    end = time.perf_counter()
    if not np.isfinite(scores).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(scores))} of {len(scores)} scores are not finite")
    return scores, {"fit_seconds": fitted - start, "score_seconds": end - fitted}


def _answer_seed(name: str, folder: Path, training: str, seed: int) -> dict:
    """Fit and score one split; a failure concerns this split only, so the process goes on."""
    try:
        train, test = np.load(folder / TRAIN_FILE), np.load(folder / TEST_FILE)
        scores, seconds = fit_and_score(DETECTORS[name], train, test, training, seed)
    except Exception as error:  # any failure of a library becomes a line of the report
        return {"failure": describe_failure(error)}
    np.save(scores_file(folder, name), scores)
    return seconds


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    name, folder, training = sys.argv[1:]
    rows = np.random.default_rng(0).normal(size=_WARM_UP_SHAPE)
    try:
        fit_and_score(DETECTORS[name], rows, rows, training, 0)  # loads compiled code, which is not timed
    except Exception as error:  # any failure of a library becomes a line of the report
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for line in sys.stdin:
        answer(_answer_seed(name, Path(folder), training, int(line)))
    return None


if __name__ == "__main__":
    main()
