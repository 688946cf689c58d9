"""Random samples from mixtures."""

import numpy as np

from gaussmix.core.random_numbers import make_generator
from gaussmix.core.scalar_checks import require_integer
from gaussmix.covariance.base import AbstractCovariance
from gaussmix.model.noise import NOISE_LABEL, Noise
from gaussmix.types import KD, ND, IntN, K

_N_SAMPLES_NAME = "Invalid value for 'n_samples': it"  # the error of a mixture begins as scikit-learn's does


def sample_gaussians(
    weights: K,
    centers: KD,
    covariance: AbstractCovariance,
    n_samples: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ND, IntN]:
    """Draw rows (n_samples, D) from a mixture without noise; return them and their components, sorted by component.

    Raises
    ------
    ParameterError
        If ``n_samples`` is not a positive integer.
    """
    n_samples, rng = require_integer(_N_SAMPLES_NAME, n_samples, 1), make_generator(random_state)
    counts = rng.multinomial(n_samples, weights / weights.sum())
    labels = np.repeat(np.arange(len(weights)), counts)
    rows = rng.standard_normal((n_samples, centers.shape[1]))
    for component in np.flatnonzero(counts):
        is_member = labels == component
        rows[is_member] = centers[component] + covariance.unwhiten(rows[is_member], int(component))
    return rows, labels


def sample_gaussians_and_noise(
    weights: K,
    centers: KD,
    covariance: AbstractCovariance,
    noise: Noise,
    n_samples: int,
    random_state: int | np.random.Generator | None = None,
) -> tuple[ND, IntN]:
    """Draw rows (n_samples, D) from a mixture with noise; return them and their components, noise (-1) last.

    Noise is uniform over its box, has the component -1, and comes last.
    """
    n_samples, rng = require_integer(_N_SAMPLES_NAME, n_samples, 1), make_generator(random_state)
    n_noise = int(rng.binomial(n_samples, noise.weight))
    noise_rows = rng.uniform(noise.box.minimum, noise.box.maximum, (n_noise, centers.shape[1]))
    labels = np.full(n_noise, NOISE_LABEL)
    if n_noise == n_samples:
        return noise_rows, labels
    rows, components = sample_gaussians(weights, centers, covariance, n_samples - n_noise, rng)
    return np.concatenate([rows, noise_rows]), np.concatenate([components, labels])
