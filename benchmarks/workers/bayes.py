"""One library's variational Bayes: seconds per pass after the first; one line of input asks for one figure.

Arguments: name, folder of rows and starting responsibilities, structure, passes, n, d, K.
"""

import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.data import load_rows_and_means
from benchmarks.workers.answer_stream import describe_failure, open_answer_stream

RESPONSIBILITIES_FILE = "shares.bin"
_MIN_SECONDS_PER_ANSWER = 0.5  # seconds that one answer should rest on
_MAX_REPEATS = 20

FitFunction = Callable[[int], Any]


def initialize_gaussmix(rows: np.ndarray, structure: str, n_components: int) -> Any:
    """gaussmix's estimator at its start, from which it goes on as often as it is asked to."""
    from gaussmix import BayesianGaussianMixture

    mixture = BayesianGaussianMixture(
        n_components, covariance_type=structure, max_iter=0, random_state=0, warm_start=True, tol=0
    )
    return mixture.fit(rows)


def gaussmix_fit_function(rows: np.ndarray, structure: str, n_components: int) -> FitFunction:
    """Passes of gaussmix from its start."""
    start = initialize_gaussmix(rows, structure, n_components)
    return lambda passes: copy.copy(start).set_params(max_iter=passes).fit(rows)


def sklearn_fit_function(
    rows: np.ndarray, structure: str, n_components: int, responsibilities: np.ndarray
) -> FitFunction:
    """Passes of scikit-learn from given responsibilities (n, K)."""
    from sklearn.mixture import BayesianGaussianMixture

    class Begun(BayesianGaussianMixture):
        def _initialize_parameters(self, X, random_state, xp=None) -> None:
            self._initialize(X, responsibilities)

    return lambda passes: Begun(n_components=n_components, covariance_type=structure, max_iter=passes, tol=0).fit(rows)


def time_fit(fit: FitFunction, n_iter: int) -> float:
    """One fit on the clock."""
    began = time.perf_counter()
    fit(n_iter)
    return time.perf_counter() - began


def main() -> None:
    """Answer until the input ends."""
    answer = open_answer_stream()
    name, place, structure, passes_given, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    passes, folder = int(passes_given), Path(place)
    try:
        rows, _ = load_rows_and_means(folder, n, d, K)
        if name == "gaussmix":
            fit, ahead = (
                gaussmix_fit_function(rows, structure, K),
                1,
            )  # its first pass makes the responsibilities the other starts at
        else:
            fit, ahead = (
                sklearn_fit_function(rows, structure, K, np.fromfile(folder / RESPONSIBILITIES_FILE).reshape(n, K)),
                0,
            )
        bound = float(np.ravel(fit(1 + passes + ahead).lower_bound_)[0])
        repeats = max(1, min(_MAX_REPEATS, round(_MIN_SECONDS_PER_ANSWER / time_fit(fit, 1 + passes))))
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True, "lower_bound": bound})
    for _ in sys.stdin:
        each = [(time_fit(fit, 1 + passes) - time_fit(fit, 1)) / passes for _ in range(repeats)]
        answer({"seconds": median(each)})
    return None


if __name__ == "__main__":
    main()
