"""Drawing rows from a mixture."""

import numpy as np

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.errors import ParameterError
from gaussmix.model.noise import LABEL, Noise
from gaussmix.types import KD, ND, IntN, K


def generator(seed: int) -> np.random.Generator:
    """A generator to hand to `draw` where more than one draw shall follow from a seed."""
    return np.random.default_rng(seed)


def draw(
    weights: K,
    centers: KD,
    covariance: AbstractCovariance,
    n: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ND, IntN]:
    """``n`` rows (n, D) and their components, grouped by component.

    Raises
    ------
    ParameterError
        If ``n`` is not a positive number.
    """
    _check(n)
    rng = np.random.default_rng(random_state)
    counts = rng.multinomial(n, weights / weights.sum())
    labels = np.repeat(np.arange(len(weights)), counts)
    rows = rng.standard_normal((n, centers.shape[1]))
    for k in np.flatnonzero(counts):
        chosen = labels == k
        rows[chosen] = centers[k] + covariance.spread(rows[chosen], int(k))
    return rows, labels


def draw_with_noise(
    weights: K,
    centers: KD,
    covariance: AbstractCovariance,
    noise: Noise,
    n: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ND, IntN]:
    """``n`` rows (n, D) and their components, the noise's, even over its box and labelled -1, at the end."""
    _check(n)
    rng = np.random.default_rng(random_state)
    n_noise = int(rng.binomial(n, noise.weight))
    loose = rng.uniform(noise.box.low, noise.box.high, (n_noise, centers.shape[1]))
    labels = np.full(n_noise, LABEL)
    if n_noise == n:
        return loose, labels
    rows, own = draw(weights, centers, covariance, n - n_noise, rng)
    return np.concatenate([rows, loose]), np.concatenate([own, labels])


def _check(n: int) -> None:
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ParameterError.value("Invalid value for 'n_samples': it", n, "a whole number of at least 1")
