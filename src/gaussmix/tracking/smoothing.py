"""``smooth``: the Rauch-Tung-Striebel smoother for linear and nonlinear motions, and irregular times."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core import linalg
from gaussmix.errors import FilterOverflowError
from gaussmix.model.validation import require_instance
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.sequence_filter import FilteredStates
from gaussmix.tracking.unscented import unscented_moments
from gaussmix.types import DD, KD, KDD, Array, D, N


@dataclass(frozen=True, eq=False)
class SmoothedStates:
    """States of one object at T times, each given all measurements.

    Attributes
    ----------
    times : array of shape (T,)
    means : array of shape (T, D)
    covariances : array of shape (T, D, D)
    gains : array of shape (T - 1, D, D)
        ``gains[k] @ covariances[k + 1]`` is the covariance of the states k and k + 1, given all measurements.
    """

    times: N
    means: KD
    covariances: KDD
    gains: Array

    def __len__(self) -> int:
        return len(self.times)


def smooth(filtered: FilteredStates) -> SmoothedStates:
    """Return the states of one object, each given all measurements, before and after.

    Exact for linear motions (Rauch, Tung & Striebel, AIAA Journal 3, 1965). Others use their Jacobian at the filtered
    means, or sigma points (Särkkä, IEEE Trans. Automatic Control 53, 2008). Process noise may be singular.

    Parameters
    ----------
    filtered : FilteredStates
        Result of `filter_measurements`.

    Returns
    -------
    SmoothedStates

    Raises
    ------
    FilterOverflowError
        If a number overflows.
    """
    require_instance("filtered", filtered, FilteredStates, "the result of filter_measurements")
    means, covariances = filtered.means.copy(), filtered.covariances.copy()
    gains = np.zeros((max(len(means) - 1, 0), *covariances.shape[1:]))
    steps, smooth_step = np.diff(filtered.times).tolist(), _SMOOTHERS[filtered.motion.linearization]
    roots = linalg.triangular_inverse_transposes(linalg.cholesky_stack(filtered.predicted_covariances).factors)
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(len(means) - 2, -1, -1):
            gains[k], covariances[k] = smooth_step(
                filtered.motion, filtered.means[k], filtered.covariances[k], roots[k + 1], covariances[k + 1], steps[k]
            )
            means[k] += gains[k] @ (means[k + 1] - filtered.predicted_means[k + 1])
    if not (np.isfinite(means).all() and np.isfinite(covariances).all()):
        raise FilterOverflowError.after("smoothing")
    return SmoothedStates(filtered.times, means, covariances, gains)


def _smooth_by_jacobian(
    motion: AbstractMotion, mean: D, covariance: DD, root: DD, following: DD, dt: float
) -> tuple[DD, DD]:
    """Return the gain, and the smoothed covariance as a sum of positive semidefinite terms, like Joseph's form.

    ``root`` is that of the precision of the prediction, and ``following`` the smoothed covariance of the next state.
    """
    jacobian = np.broadcast_to(motion.jacobian(mean[None], dt), (1, *covariance.shape))[0]
    noise = np.broadcast_to(motion.noise_covariance(mean[None], dt), (1, *covariance.shape))[0]
    gain = (covariance @ jacobian.T @ root) @ root.T
    reduction = np.eye(len(mean)) - gain @ jacobian
    result = reduction @ covariance @ reduction.T + gain @ (following + noise) @ gain.T
    return gain, 0.5 * (result + result.T)


def _smooth_by_sigma_points(
    motion: AbstractMotion, mean: D, covariance: DD, root: DD, following: DD, dt: float
) -> tuple[DD, DD]:
    """Return the gain, and the smoothed covariance, from the cross-covariance of the sigma points."""
    moments = unscented_moments(lambda states: motion.propagate(states, dt), mean[None], covariance[None])
    whitened = moments.cross_covariances[0] @ root
    gain = whitened @ root.T
    result = covariance + gain @ following @ gain.T - whitened @ whitened.T
    return gain, 0.5 * (result + result.T)


_SMOOTHERS = {"jacobian": _smooth_by_jacobian, "unscented": _smooth_by_sigma_points}
