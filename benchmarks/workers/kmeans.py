"""One library's k-means from given centres: every line of input is a seed, every answer seconds, passes and inertia.

Arguments: name, folder of rows and means, n, d, K, most passes.
"""

import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

LIBRARIES = ("gaussmix", "scikit-learn")


def import_estimator(name: str) -> type:
    """The class that users call."""
    if name == "gaussmix":
        from gaussmix import KMeans
    else:
        from sklearn.cluster import KMeans
    return KMeans


def main() -> None:
    """Answer until the input ends."""
    answer = open_answer_stream()
    name, folder, *shape, passes = sys.argv[1:]
    n, d, K = map(int, shape)
    rows, means = load_rows_and_means(Path(folder), n, d, K)
    try:
        make = import_estimator(name)
        make(K, init=means, n_init=1, max_iter=2, tol=0).fit(rows)
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for line in sys.stdin:
        start = rows[np.random.default_rng(int(line)).choice(n, K, replace=False)]
        clusters = make(K, init=start, n_init=1, max_iter=int(passes), tol=0)
        make(K, init=start, n_init=1, max_iter=5, tol=0).fit(rows)  # threads that have rested take long to wake
        began = time.perf_counter()
        clusters.fit(rows)
        seconds = time.perf_counter() - began
        labels = np.bincount(clusters.labels_, minlength=K).tolist()
        answer({"seconds": seconds, "passes": clusters.n_iter_, "inertia": clusters.inertia_, "sizes": labels})
    return None


if __name__ == "__main__":
    main()
