"""Mixtures and rows with planted anomalies, for the tests of explanations."""

import numpy as np

from gaussmix import Mixture

NAMES = ("tenure", "monthly_charge", "total_charge", "calls")


def make_mixture(seed: int, n_groups: int = 3, n_columns: int = 4, separation: float = 8.0) -> Mixture:
    """Return a mixture of random means and correlated covariances."""
    rng = np.random.default_rng(seed)
    roots = np.eye(n_columns) + 0.4 * rng.normal(size=(n_groups, n_columns, n_columns))
    weights = rng.dirichlet(np.full(n_groups, 5.0))
    covariances = roots @ np.swapaxes(roots, 1, 2) + 0.1 * np.eye(n_columns)
    return Mixture.from_parameters(weights, separation * rng.normal(size=(n_groups, n_columns)), covariances)


def move_columns(mixture: Mixture, rows: np.ndarray, groups: np.ndarray, columns: list[int], size: float) -> np.ndarray:
    """Return rows of which each column of ``columns`` is moved by ``size`` conditional standard deviations."""
    moved = rows.copy()
    deviations = 1.0 / np.sqrt(np.einsum("kii->ki", mixture.precisions))
    moved[:, columns] += size * deviations[groups][:, columns]
    return moved


def make_pair_mixture(correlation: float = 0.95) -> Mixture:
    """Return one group of three columns, of which the first two are correlated."""
    covariance = np.eye(3)
    covariance[0, 1] = covariance[1, 0] = correlation
    return Mixture.from_parameters([1.0], [[0.0, 0.0, 0.0]], [covariance])
