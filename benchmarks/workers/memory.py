"""Measure the peak memory of one call beyond the data and its output.

Arguments: library, stage (fit, predict, predict_proba or code), n, d, K, iterations. Prints one line.
"""

import resource
import sys

import numpy as np

from benchmarks.data import fill_rows
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream
from benchmarks.workers.default_fit import import_estimator

STAGES = ("fit", "predict", "predict_proba", "code")
_N_SMALL_FIT_ROWS = 20_000  # rows of the fit before a prediction


def peak_bytes() -> int:
    """Return the peak memory of this process in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure_extra_bytes(name: str, stage: str, n_rows: int, n_features: int, n_components: int, n_iter: int) -> int:
    """Return the increase of the peak memory by a call, minus the size of its output, but at least 0.

    The stage ``code`` is a small fit without large data, which loads libraries and compiled code.
    """
    mixture = import_estimator(name)(n_components, random_state=0, max_iter=n_iter, tol=0.0)
    rows = np.empty((n_rows if stage != "code" else _N_SMALL_FIT_ROWS, n_features))
    fill_rows(rows, n_components)
    if stage not in ("fit", "code"):
        mixture.fit(rows[:_N_SMALL_FIT_ROWS])
    before = peak_bytes()
    if stage in ("fit", "code"):
        mixture.fit(rows)
        return peak_bytes() - before
    output = getattr(mixture, stage)(rows)
    return max(0, peak_bytes() - before - output.nbytes)


def main() -> None:
    """Run one call and print one answer."""
    answer = open_answer_stream()
    name, stage, *numbers = sys.argv[1:]
    try:
        answer({"extra_bytes": measure_extra_bytes(name, stage, *map(int, numbers))})
    except Exception as error:  # any failure of a library becomes a line of the table
        answer({"reason": describe_failure(error)})


if __name__ == "__main__":
    main()
