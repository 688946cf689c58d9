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

from benchmarks.data import load
from benchmarks.workers.answers import answering, reason

SHARES = "shares.bin"
_ENOUGH = 0.5  # seconds that one answer should rest on
_MOST_REPEATS = 20

Fit = Callable[[int], Any]


def ours(rows: np.ndarray, structure: str, K: int) -> Any:
    """gaussmix's estimator at its start, from which it goes on as often as it is asked to."""
    from gaussmix import BayesianGaussianMixture

    mixture = BayesianGaussianMixture(K, covariance_type=structure, max_iter=0, random_state=0, warm_start=True, tol=0)
    return mixture.fit(rows)


def our_fit(rows: np.ndarray, structure: str, K: int) -> Fit:
    """Passes of gaussmix from its start."""
    start = ours(rows, structure, K)
    return lambda passes: copy.copy(start).set_params(max_iter=passes).fit(rows)


def their_fit(rows: np.ndarray, structure: str, K: int, shares: np.ndarray) -> Fit:
    """Passes of scikit-learn from given responsibilities (n, K)."""
    from sklearn.mixture import BayesianGaussianMixture

    class Begun(BayesianGaussianMixture):
        def _initialize_parameters(self, X, random_state, xp=None) -> None:
            self._initialize(X, shares)

    return lambda passes: Begun(n_components=K, covariance_type=structure, max_iter=passes, tol=0).fit(rows)


def seconds_of(fit: Fit, passes: int) -> float:
    """One fit on the clock."""
    began = time.perf_counter()
    fit(passes)
    return time.perf_counter() - began


def main() -> None:
    """Answer until the input ends."""
    answer = answering()
    name, place, structure, passes_given, *shape = sys.argv[1:]
    n, d, K = map(int, shape)
    passes, folder = int(passes_given), Path(place)
    try:
        rows, _ = load(folder, n, d, K)
        if name == "gaussmix":
            fit, ahead = our_fit(rows, structure, K), 1  # its first pass makes the responsibilities the other starts at
        else:
            fit, ahead = their_fit(rows, structure, K, np.fromfile(folder / SHARES).reshape(n, K)), 0
        bound = float(np.ravel(fit(1 + passes + ahead).lower_bound_)[0])
        repeats = max(1, min(_MOST_REPEATS, round(_ENOUGH / seconds_of(fit, 1 + passes))))
    except Exception as error:  # whatever a library raises becomes a line of the table
        return answer({"reason": reason(error)})
    answer({"ready": True, "lower_bound": bound})
    for _ in sys.stdin:
        each = [(seconds_of(fit, 1 + passes) - seconds_of(fit, 1)) / passes for _ in range(repeats)]
        answer({"seconds": median(each)})
    return None


if __name__ == "__main__":
    main()
