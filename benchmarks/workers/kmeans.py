"""Time k-means of one library from random centres; each line of input is a seed.

Arguments: library, folder of rows and means, n, d, K, max_iter. An answer holds seconds, iterations and inertia.
"""

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

LIBRARIES = ("gaussmix", "scikit-learn")


def import_estimator(name: str) -> type:
    """Return the library's KMeans class."""
    if name == "gaussmix":
        from gaussmix import KMeans
    else:
        from sklearn.cluster import KMeans
    return KMeans


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    name, folder, *shape, max_iter = sys.argv[1:]
    n, d, K = map(int, shape)
    rows, means = load_rows_and_means(Path(folder), n, d, K)
    try:
        estimator_class = import_estimator(name)
        estimator_class(K, init=means, n_init=1, max_iter=2, tol=0).fit(rows)
    except Exception as error:  # any failure of a library becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for line in sys.stdin:
        start = rows[np.random.default_rng(int(line)).choice(n, K, replace=False)]
        clusters = estimator_class(K, init=start, n_init=1, max_iter=int(max_iter), tol=0)
        estimator_class(K, init=start, n_init=1, max_iter=5, tol=0).fit(rows)  # idle threads are slow at first
        start_time = time.perf_counter()
        clusters.fit(rows)
        seconds = time.perf_counter() - start_time
        sizes = np.bincount(clusters.labels_, minlength=K).tolist()
        answer({"seconds": seconds, "n_iter": clusters.n_iter_, "inertia": clusters.inertia_, "sizes": sizes})
    return None


if __name__ == "__main__":
    main()
