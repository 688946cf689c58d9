"""Time iterations of variational Bayes of one library; each line of input requests one measurement.

Arguments: library, folder of rows and initial responsibilities, structure, iterations, n, d, K.
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

RESPONSIBILITIES_FILE = "responsibilities.bin"
_MIN_SECONDS_PER_ANSWER = 0.5  # total time of the repeats behind one answer
_MAX_REPEATS = 20

FitFunction = Callable[[int], Any]


def initialize_gaussmix(rows: np.ndarray, structure: str, n_components: int) -> Any:
    """Return gaussmix's estimator after its initialization; ``warm_start`` lets it continue from there."""
    from gaussmix import BayesianGaussianMixture

    mixture = BayesianGaussianMixture(
        n_components, covariance_type=structure, max_iter=0, random_state=0, warm_start=True, tol=0
    )
    return mixture.fit(rows)


def gaussmix_fit_function(rows: np.ndarray, structure: str, n_components: int) -> FitFunction:
    """Return a function that runs so many iterations of gaussmix from its initialization."""
    initialized = initialize_gaussmix(rows, structure, n_components)
    return lambda n_iter: copy.copy(initialized).set_params(max_iter=n_iter).fit(rows)


def sklearn_fit_function(
    rows: np.ndarray, structure: str, n_components: int, responsibilities: np.ndarray
) -> FitFunction:
    """Return a function that runs so many iterations of scikit-learn from responsibilities (n, K)."""
    from sklearn.mixture import BayesianGaussianMixture

    class InitializedMixture(BayesianGaussianMixture):
        def _initialize_parameters(self, X, random_state, xp=None) -> None:
            self._initialize(X, responsibilities)

    options = {"n_components": n_components, "covariance_type": structure, "tol": 0}
    return lambda n_iter: InitializedMixture(**options, max_iter=n_iter).fit(rows)


def time_fit(fit: FitFunction, n_iter: int) -> float:
    """Return the seconds of one fit."""
    start = time.perf_counter()
    fit(n_iter)
    return time.perf_counter() - start


def main() -> None:
    """Answer lines of input until the input ends."""
    answer = open_answer_stream()
    name, folder_name, structure, n_iter_text, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    n_iter, folder = int(n_iter_text), Path(folder_name)
    try:
        rows, _ = load_rows_and_means(folder, n, d, K)
        if name == "gaussmix":
            # Its first iteration computes the responsibilities from which the other library starts.
            fit, n_extra_iter = gaussmix_fit_function(rows, structure, K), 1
        else:
            responsibilities = np.fromfile(folder / RESPONSIBILITIES_FILE).reshape(n, K)
            fit, n_extra_iter = sklearn_fit_function(rows, structure, K, responsibilities), 0
        bound = float(np.ravel(fit(1 + n_iter + n_extra_iter).lower_bound_)[0])
        repeats = max(1, min(_MAX_REPEATS, round(_MIN_SECONDS_PER_ANSWER / time_fit(fit, 1 + n_iter))))
    except Exception as error:  # any failure of a library becomes a line of the table
        return answer({"reason": describe_failure(error)})
    answer({"ready": True, "lower_bound": bound})
    for _ in sys.stdin:
        seconds = [(time_fit(fit, 1 + n_iter) - time_fit(fit, 1)) / n_iter for _ in range(repeats)]
        answer({"seconds": median(seconds)})
    return None


if __name__ == "__main__":
    main()
