"""The first fit and prediction of a process, and the same again. Arguments: structure, n, d, K. Prints one line."""

import sys
import time

import numpy as np

from benchmarks.data import fill_rows
from benchmarks.workers.answer_stream import open_answer_stream
from benchmarks.workers.default_fit import import_estimator


def main() -> None:
    """Two turns of the same work: what the first takes longer is what it had to compile or load."""
    answer = open_answer_stream()
    structure, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    rows = np.empty((n, d))
    fill_rows(rows, K)
    make = import_estimator("gaussmix")
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        make(K, covariance_type=structure, random_state=0, max_iter=3, tol=0.0).fit(rows).predict(rows)
        taken.append(time.perf_counter() - began)
    answer({"first": taken[0], "second": taken[1], "numba": "numba" in sys.modules})


if __name__ == "__main__":
    main()
