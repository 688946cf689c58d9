"""What this machine can do: matrix products and exponentials, and what a pass needs of them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

from benchmarks.data import BenchmarkCase
from benchmarks.machine import count_cores

_MATRIX_SIZE = 2_000  # of the matrices multiplied: large enough for BLAS to reach its rate
_N_CACHED_EXPONENTIALS = 1 << 14  # exponentials taken at one time
_N_EXPONENTIAL_REPEATS = 64


def _median_seconds(function: Callable[[], object], n_repeats: int) -> float:
    function()
    taken = []
    for _ in range(n_repeats):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return median(taken)


def measure_peak_rates(n_repeats: int = 3) -> tuple[float, float]:
    """Floating-point operations a second of a large float64 product and NumPy's exponentials a second, all cores."""
    one, other = np.random.default_rng(0).random((2, _MATRIX_SIZE, _MATRIX_SIZE))
    output = np.empty_like(one)
    flops = 2.0 * _MATRIX_SIZE**3 / _median_seconds(lambda: np.matmul(one, other, out=output), n_repeats)
    parts = [-10.0 * np.random.default_rng(k).random(_N_CACHED_EXPONENTIALS) for k in range(count_cores())]

    def exponentials(part: np.ndarray) -> None:
        held = np.empty_like(part)
        for _ in range(_N_EXPONENTIAL_REPEATS):
            np.exp(part, out=held)

    with ThreadPoolExecutor(len(parts)) as pool:
        seconds = _median_seconds(lambda: list(pool.map(exponentials, parts)), 3 * n_repeats)
    return flops, len(parts) * _N_CACHED_EXPONENTIALS * _N_EXPONENTIAL_REPEATS / seconds


def count_operations(case: BenchmarkCase) -> float:
    """Multiplications and additions of a pass that computes every pair: distances, and sums for the moments.

    Full covariances: a triangular product and half a symmetric one, n K d^2 each. Diagonal: four numbers
    for each of n K d. Tied whitens once, and its pooled scatter is that of all rows. Spherical: distances
    and sums of n K d.
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
    """The operations at the rate of a matrix product, and one exponential for each pair."""
    return count_operations(case) / flops_per_second + case.n_rows * case.n_components / exponentials_per_second
