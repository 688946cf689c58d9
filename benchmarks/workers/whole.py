"""One library's default fit, whole: every line of input is a seed, every answer seconds, passes and log-likelihood.

Arguments: name, folder of rows and means, n, d, K.
"""

import sys
import time
from pathlib import Path

from benchmarks import score
from benchmarks.data import load
from benchmarks.workers.answers import answering, reason

LIBRARIES = ("gaussmix", "scikit-learn")


def estimator_of(name: str) -> type:
    """The class that users call."""
    if name == "gaussmix":
        from gaussmix import GaussianMixture
    else:
        from sklearn.mixture import GaussianMixture
    return GaussianMixture


def main() -> None:
    """Answer until the input ends."""
    answer = answering()
    name, folder, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    rows, _ = load(Path(folder), n, d, K)
    try:
        make = estimator_of(name)
        make(K, random_state=0, max_iter=2).fit(rows)
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": reason(error)})
    answer({"ready": True})
    for line in sys.stdin:
        mixture = make(K, random_state=int(line))
        began = time.perf_counter()
        mixture.fit(rows)
        seconds = time.perf_counter() - began
        fitted = mixture.weights_, mixture.means_, mixture.covariances_
        value = score.mean_log_likelihood(rows, *fitted)
        numba = "numba" in sys.modules
        answer({"seconds": seconds, "passes": mixture.n_iter_, "log_likelihood": value, "numba": numba})
    return None


if __name__ == "__main__":
    main()
