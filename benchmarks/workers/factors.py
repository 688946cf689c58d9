"""One default fit of factor analysers to many columns, whole, in a process that does nothing else.

Arguments: structure, factors, n, d, K, strength of the loadings, seed, starts. Prints one line.
"""

import sys
import time

from benchmarks.data import make_factor_rows
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream
from benchmarks.workers.memory import peak_bytes


def fit_and_score(
    structure: str, shape: tuple[int, int, int, int], loading_sd: float, seed: int, n_starts: int
) -> dict:
    """How well the groups were found, in how many seconds and passes, and the peak memory of the process, in bytes."""
    from sklearn.metrics import adjusted_rand_score

    from gaussmix import GaussianMixture

    n_factors, n, d, K = shape
    rows, labels = make_factor_rows(n, d, K, n_factors, loading_sd, seed)
    mixture = GaussianMixture(K, covariance_type=structure, n_factors=n_factors, random_state=seed, n_init=n_starts)
    began = time.perf_counter()
    found = mixture.fit_predict(rows)
    seconds = time.perf_counter() - began
    agreement = adjusted_rand_score(labels, found)
    return {"agreement": agreement, "seconds": seconds, "passes": mixture.n_iter_, "peak_bytes": peak_bytes()}


def main() -> None:
    """One fit, one answer."""
    answer = open_answer_stream()
    name, *shape, strength, seed, n_starts = sys.argv[1:]
    try:
        answer(fit_and_score(name, tuple(map(int, shape)), float(strength), int(seed), int(n_starts)))
    except Exception as error:  # whatever goes wrong becomes a line of the table
        answer({"reason": describe_failure(error)})


if __name__ == "__main__":
    main()
