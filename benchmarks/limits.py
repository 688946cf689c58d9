"""The floor of a dense pass: its multiplications at the rate of a matrix product, its exponentials at NumPy's."""

import time
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from statistics import median

import numpy as np


def _seconds(function, repeats=7):
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return median(taken)


def rates():
    """Floating-point operations a second of a large matrix product, and exponentials a second, on all cores."""
    size = 1500
    one, other = np.random.default_rng(0).random((2, size, size))
    flops = 2.0 * size**3 / _seconds(lambda: one @ other)
    cores = cpu_count() or 1
    parts = [-10.0 * np.random.default_rng(k).random(1 << 18) for k in range(cores)]
    outputs = [np.empty_like(part) for part in parts]
    with ThreadPoolExecutor(cores) as pool:
        exponentials = sum(map(len, parts)) / _seconds(lambda: list(pool.map(np.exp, parts, outputs)), 21)
    return flops, exponentials


def floor_seconds(shape, structure, flops, exponentials):
    """Operations of a fused pass (half the distances' matrices are triangular) plus one exponential per pair."""
    n, d, K = shape
    operations = {
        "full": 2.0 * n * K * d * d,
        "diag": 8.0 * n * K * d,
        "tied": 4.0 * n * K * d + 2.0 * n * d * d,
        "spherical": 4.0 * n * K * d,
    }[structure]
    return operations / flops + n * K / exponentials
