"""Measure the peak rates of this machine and compute the shortest possible time of an EM iteration."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

from benchmarks.data import BenchmarkCase
from benchmarks.machine import count_cores

_MATRIX_SIZE = 2_000  # large enough for BLAS to reach its peak rate
_N_CACHED_EXPONENTIALS = 1 << 14  # length of an array that fits into the cache
_N_EXPONENTIAL_REPEATS = 64


def _median_seconds(function: Callable[[], object], n_repeats: int) -> float:
    function()
    """Return the median time of a call, after one call that is not timed."""
    seconds = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def measure_peak_rates(n_repeats: int = 3) -> tuple[float, float]:
    """Return float64 operations per second of a matrix product and exponentials per second, on all cores."""
    left, right = np.random.default_rng(0).random((2, _MATRIX_SIZE, _MATRIX_SIZE))
    output = np.empty_like(left)
    flops = 2.0 * _MATRIX_SIZE**3 / _median_seconds(lambda: np.matmul(left, right, out=output), n_repeats)
    arrays = [-10.0 * np.random.default_rng(k).random(_N_CACHED_EXPONENTIALS) for k in range(count_cores())]

    def compute_exponentials(values: np.ndarray) -> None:
        output = np.empty_like(values)
        for _ in range(_N_EXPONENTIAL_REPEATS):
            np.exp(values, out=output)

    with ThreadPoolExecutor(len(arrays)) as pool:
        seconds = _median_seconds(lambda: list(pool.map(compute_exponentials, arrays)), 3 * n_repeats)
    return flops, len(arrays) * _N_CACHED_EXPONENTIALS * _N_EXPONENTIAL_REPEATS / seconds


def count_operations(case: BenchmarkCase) -> float:
    """Return the multiplications and additions of an EM iteration that computes every pair of row and component.

    Full covariances take a triangular product and half a symmetric one, n K d^2 each. Diagonal covariances take
    8 n K d operations. A tied covariance takes one whitening and the scatter of all rows. Spherical covariances take
    distances and sums, 4 n K d.
    """
    n, d, K = case.n_rows, case.n_features, case.n_components
    counts = {
        "full": 2.0 * n * K * d * d,
        "diag": 8.0 * n * K * d,
        "tied": 4.0 * n * K * d + 2.0 * n * d * d,
        "spherical": 4.0 * n * K * d,
    }
    return counts[case.structure]


def roofline_seconds(case: BenchmarkCase, flops_per_second: float, exponentials_per_second: float) -> float:
    """Return the time of the operations at the peak rate plus that of one exponential per row and component."""
    return count_operations(case) / flops_per_second + case.n_rows * case.n_components / exponentials_per_second
