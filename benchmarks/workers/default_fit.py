"""One library's default fit, whole: every line of input is a seed, every answer seconds, passes and log-likelihood.

Arguments: name, folder of rows and means, n, d, K.
"""

import sys
import time
from pathlib import Path

from benchmarks import scoring
from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

LIBRARIES = ("gaussmix", "scikit-learn")


def import_estimator(name: str) -> type:
    """The class that users call."""
    if name == "gaussmix":
        from gaussmix import GaussianMixture
    else:
        from sklearn.mixture import GaussianMixture
    return GaussianMixture


def main() -> None:
    """Answer until the input ends."""
    answer = open_answer_stream()
    name, folder, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    rows, _ = load_rows_and_means(Path(folder), n, d, K)
    try:
        make = import_estimator(name)
        make(K, random_state=0, max_iter=2).fit(rows)
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True})
    for line in sys.stdin:
        mixture = make(K, random_state=int(line))
        began = time.perf_counter()
        mixture.fit(rows)
        seconds = time.perf_counter() - began
        fitted = mixture.weights_, mixture.means_, mixture.covariances_
        value = scoring.mean_log_likelihood(rows, *fitted)
        numba = "numba" in sys.modules
        answer({"seconds": seconds, "passes": mixture.n_iter_, "log_likelihood": value, "numba": numba})
    return None


if __name__ == "__main__":
    main()
