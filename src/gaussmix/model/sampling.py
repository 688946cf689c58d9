"""Drawing rows from a mixture."""

import numpy as np

from gaussmix.covariance.base import AbstractCovariance
from gaussmix.errors import ParameterError
from gaussmix.model.noise import NOISE_LABEL, Noise
from gaussmix.types import KD, ND, IntN, K


def make_generator(seed: int) -> np.random.Generator:
    """A generator to hand to `draw` where more than one draw shall follow from a seed."""
    return np.random.default_rng(seed)


def sample_gaussians(
    weights: K,
    centers: KD,
    covariance: AbstractCovariance,
    n_samples: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ND, IntN]:
    """``n`` rows (n, D) and their components, grouped by component.

    Raises
    ------
    ParameterError
        If ``n`` is not a positive number.
    """
    _check_n_samples(n_samples)
    rng = np.random.default_rng(random_state)
    counts = rng.multinomial(n_samples, weights / weights.sum())
    labels = np.repeat(np.arange(len(weights)), counts)
    rows = rng.standard_normal((n_samples, centers.shape[1]))
    for k in np.flatnonzero(counts):
        chosen = labels == k
        rows[chosen] = centers[k] + covariance.unwhiten(rows[chosen], int(k))
    return rows, labels


def sample_with_noise(
    weights: K,
    centers: KD,
    covariance: AbstractCovariance,
    noise: Noise,
    n_samples: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ND, IntN]:
    """``n`` rows (n, D) and their components, the noise's, even over its box and labelled -1, at the end."""
    _check_n_samples(n_samples)
    rng = np.random.default_rng(random_state)
    n_noise = int(rng.binomial(n_samples, noise.weight))
    loose = rng.uniform(noise.box.minimum, noise.box.maximum, (n_noise, centers.shape[1]))
    labels = np.full(n_noise, NOISE_LABEL)
    if n_noise == n_samples:
        return loose, labels
    rows, own = sample_gaussians(weights, centers, covariance, n_samples - n_noise, rng)
    return np.concatenate([rows, loose]), np.concatenate([own, labels])


def _check_n_samples(n_samples: int) -> None:
    if not isinstance(n_samples, (int, np.integer)) or n_samples < 1:
        raise ParameterError.invalid_value(
            "Invalid value for 'n_samples': it", n_samples, "a whole number of at least 1"
        )
