"""Peak memory of one call beyond the data and its output, in a process that does nothing else.

Arguments: name, stage (fit, predict, predict_proba or code), n, d, K, passes. Prints one line.
"""

import resource
import sys

import numpy as np

from benchmarks.data import fill_rows
from benchmarks.workers.answers import answering, reason
from benchmarks.workers.whole import estimator_of

STAGES = ("fit", "predict", "predict_proba", "code")
_SMALL = 20_000  # rows of the fit that a prediction needs


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def extra_bytes(name: str, stage: str, n: int, d: int, K: int, passes: int) -> int:
    """What the call adds to the peak, less the size of what it returns; not below zero.

    ``code`` is a small fit in a process without data: libraries and compiled code that the first fit loads.
    """
    mixture = estimator_of(name)(K, random_state=0, max_iter=passes, tol=0.0)
    rows = np.empty((n if stage != "code" else _SMALL, d))
    fill_rows(rows, K)
    if stage not in ("fit", "code"):
        mixture.fit(rows[:_SMALL])
    before = peak_bytes()
    if stage in ("fit", "code"):
        mixture.fit(rows)
        return peak_bytes() - before
    output = getattr(mixture, stage)(rows)
    return max(0, peak_bytes() - before - output.nbytes)


def main() -> None:
    """One call, one answer."""
    answer = answering()
    name, stage, *numbers = sys.argv[1:]
    try:
        answer({"extra_bytes": extra_bytes(name, stage, *map(int, numbers))})
    except Exception as error:  # whatever a library raises becomes a line of the table
        answer({"reason": reason(error)})


if __name__ == "__main__":
    main()
