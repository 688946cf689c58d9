"""Time whole default fits of one library; each line of input is a seed.

Arguments: library, folder of rows and means, n, d, K. An answer holds seconds, iterations and log-likelihood.
"""

import sys
import time
from pathlib import Path

from benchmarks import scoring
from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

LIBRARIES = ("gaussmix", "scikit-learn")


def import_estimator(name: str) -> type:
    """Return the library's GaussianMixture class."""
    if name == "gaussmix":
        from gaussmix import GaussianMixture
    else:
        from sklearn.mixture import GaussianMixture
    return GaussianMixture


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    name, folder, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    rows, _ = load_rows_and_means(Path(folder), n, d, K)
    try:
        estimator_class = import_estimator(name)
        estimator_class(K, random_state=0, max_iter=2).fit(rows)
    except Exception as error:  # any failure of a library becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for line in sys.stdin:
        mixture = estimator_class(K, random_state=int(line))
        start_time = time.perf_counter()
        mixture.fit(rows)
        seconds = time.perf_counter() - start_time
        parameters = mixture.weights_, mixture.means_, mixture.covariances_
        log_likelihood = scoring.mean_log_likelihood(rows, *parameters)
        answer({"seconds": seconds, "n_iter": mixture.n_iter_, "log_likelihood": log_likelihood})
    return None


if __name__ == "__main__":
    main()
