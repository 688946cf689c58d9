"""Time one default fit of a mixture of factor analysers to many columns.

Arguments: structure, factors, n, d, K, standard deviation of the loadings, seed, n_init. Prints one line.
"""

import sys
import time

from benchmarks.data import make_factor_rows
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream
from benchmarks.workers.memory import peak_bytes


def fit_and_score(structure: str, shape: tuple[int, int, int, int], loading_sd: float, seed: int, n_init: int) -> dict:
    """Return accuracy, seconds, iterations and the peak memory of the process in bytes."""
    from sklearn.metrics import adjusted_rand_score

    from gaussmix import GaussianMixture

    n_factors, n, d, K = shape
    rows, labels = make_factor_rows(n, d, K, n_factors, loading_sd, seed)
    mixture = GaussianMixture(K, covariance_type=structure, n_factors=n_factors, random_state=seed, n_init=n_init)
    start = time.perf_counter()
    predicted = mixture.fit_predict(rows)
    seconds = time.perf_counter() - start
    accuracy = adjusted_rand_score(labels, predicted)
    n_iter = mixture.n_iter_
    return {"adjusted_rand_index": accuracy, "seconds": seconds, "n_iter": n_iter, "peak_bytes": peak_bytes()}


def main() -> None:
    """Run one fit and print one answer."""
    answer = open_answer_stream()
    structure, *shape, loading_sd, seed, n_init = sys.argv[1:]
    try:
        answer(fit_and_score(structure, tuple(map(int, shape)), float(loading_sd), int(seed), int(n_init)))
    except Exception as error:  # any failure becomes a line of the table
        answer({"reason": describe_failure(error)})


if __name__ == "__main__":
    main()
