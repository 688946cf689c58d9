"""Time the first and the second fit and prediction of a process.

Arguments: structure, n, d, K. Prints one line.
"""

import sys
import time

import numpy as np

from benchmarks.data import fill_rows
from benchmarks.workers.answer_stream import open_answer_stream
from benchmarks.workers.default_fit import import_estimator


def main() -> None:
    """Time the same work twice; the first time includes compiling and loading."""
    answer = open_answer_stream()
    structure, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    rows = np.empty((n, d))
    fill_rows(rows, K)
    estimator_class = import_estimator("gaussmix")
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        estimator_class(K, covariance_type=structure, random_state=0, max_iter=3, tol=0.0).fit(rows).predict(rows)
        seconds.append(time.perf_counter() - start)
    answer({"first": seconds[0], "second": seconds[1], "imports_numba": "numba" in sys.modules})


if __name__ == "__main__":
    main()
