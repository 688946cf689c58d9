"""Fit mixtures to one simulated table by one library; each line of input is a seed.

Arguments: library, structure, n, d, K. An answer holds seconds and log-likelihood per row.
"""

import sys
import time
import warnings

import numpy as np

from benchmarks.workers.answer_stream import describe_failure, open_answer_stream
from benchmarks.workers.default_fit import import_estimator


def draw_rows(n: int, d: int, K: int) -> np.ndarray:
    """Draw rows (n, d) of K Gaussians of one diagonal covariance."""
    rng = np.random.default_rng(n + d + K)
    means = 3.0 * rng.normal(size=(K, d))
    return means[rng.integers(K, size=n)] + rng.normal(size=(n, d)) * rng.uniform(0.5, 1.5, d)


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    name, structure, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    rows = draw_rows(n, d, K)
    warnings.simplefilter("ignore")
    try:
        estimator_class = import_estimator(name)
        estimator_class(K, covariance_type=structure, random_state=0).fit(rows)
    except Exception as error:  # any failure of a library becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for line in sys.stdin:
        mixture = estimator_class(K, covariance_type=structure, random_state=int(line))
        start_time = time.perf_counter()
        mixture.fit(rows)
        seconds = time.perf_counter() - start_time
        answer({"seconds": seconds, "log_likelihood": float(mixture.score(rows))})
    return None


if __name__ == "__main__":
    main()
