"""The data of the comparison: K Gaussians of equal weight, means spread out, covariances at random."""

import numpy as np

SHAPES = ((200_000, 2, 10), (200_000, 8, 16), (50_000, 32, 32), (20_000, 128, 16))


def mixture_rows(n, d, K, separation=3.0, seed=0):
    """Rows (n, d) in random order and the true means (K, d), from which every fit starts with unit covariances."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(K, d)) * separation
    factors = rng.normal(size=(K, d, d)) / np.sqrt(d) + np.eye(d)
    sizes = np.full(K, n // K)
    sizes[: n % K] += 1
    groups = zip(sizes, factors, means, strict=True)
    rows = [rng.normal(size=(size, d)) @ factor.T + mean for size, factor, mean in groups]
    return np.concatenate(rows)[rng.permutation(n)], means
