"""The unscented transform: moments of a nonlinear function of Gaussian states, from sigma points."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.types import KD, KDD, Array


class UnscentedMoments(NamedTuple):
    """Moments of f(x): means (M, m), covariances (M, m, m), cross-covariances (M, D, m) of x and f(x)."""

    means: Array
    covariances: Array
    cross_covariances: Array


def unscented_moments(
    function: Callable[[Array], Array],
    means: KD,
    covariances: KDD,
    subtract: Callable[[Array, Array], Array] = np.subtract,
) -> UnscentedMoments:
    """Return mean and covariances of ``function`` of M Gaussian states, by 2 D + 1 sigma points each.

    The points are the mean, and the mean +- sqrt(D + kappa) times the columns of a square root of the covariance
    (Julier & Uhlmann, "Unscented filtering and nonlinear estimation", Proceedings of the IEEE 92, 2004). D + kappa is
    3, which matches the fourth moments of a Gaussian, but at least D. So no weight is negative, and covariances stay
    positive semidefinite.

    Parameters
    ----------
    function : callable
        From states (P, D) to values (P, m).
    means, covariances : arrays of shape (M, D) and (M, D, D)
    subtract : callable, default=numpy.subtract
        Difference of values; takes angles around the circle.
    """
    n_stacks, n_states = means.shape
    spread = max(3.0, float(n_states))
    roots = np.sqrt(spread) * _symmetric_roots(covariances)
    columns = np.swapaxes(roots, 1, 2)
    offsets = np.concatenate([np.zeros((n_stacks, 1, n_states)), columns, -columns], axis=1)
    weights = np.full(2 * n_states + 1, 0.5 / spread)
    weights[0] = 1.0 - n_states / spread
    points = means[:, None, :] + offsets
    flat = np.asarray(function(points.reshape(-1, n_states)))
    values = flat.reshape(n_stacks, len(weights), flat.shape[1])  # also without states
    differences = subtract(values, values[:, :1])  # about the value at the mean, so that angles average rightly
    shifts = np.einsum("s,ksm->km", weights, differences)
    centered = differences - shifts[:, None, :]
    weighted = weights[None, :, None] * centered
    return UnscentedMoments(
        values[:, 0] + shifts,
        np.einsum("ksi,ksj->kij", weighted, centered),
        np.einsum("ksd,ksm->kdm", offsets, weighted),
    )


def _symmetric_roots(covariances: KDD) -> KDD:
    """Return square roots (M, D, D) by the axes of the correlations, which depend neither on units nor on order.

    Process noise may leave directions without variance.
    """
    deviations = np.sqrt(np.maximum(np.einsum("kii->ki", covariances), 0.0))
    scales = np.where(deviations > 0.0, deviations, 1.0)
    pairs = linalg.eigh_descending(covariances / (scales[:, :, None] * scales[:, None, :]))
    return np.asarray(scales[:, :, None] * pairs.vectors * np.sqrt(np.maximum(pairs.values, 0.0))[:, None, :])
