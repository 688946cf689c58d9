"""Kalman filter steps for stacks of Gaussians: prediction, and the parts of an update that pairs share.

The covariance of an update does not depend on the measurement, nor does the gain. So each component has them once, and
a pair of component and detection costs one matrix-vector product. Linear models give the exact Kalman filter, others
the extended or the unscented one, as the model says.
"""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.sensors import AbstractSensor
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.tracking.unscented import unscented_moments
from gaussmix.types import KD, KDD, Array, IntN, K, N


class StateStack(NamedTuple):
    """M Gaussian states: means (M, D) and covariances (M, D, D)."""

    means: KD
    covariances: KDD


class UpdateStack(NamedTuple):
    """What M components need for an update with any detection.

    Attributes
    ----------
    predicted : array of shape (M, m)
        Expected measurements.
    deviations : array of shape (M, m)
        Their standard deviations.
    whitening : array of shape (M, m, m)
        Lower triangles W with W S W^T = I for the covariances S of the measurements.
    log_constants : array of shape (M,)
        Logs of the densities at the expected measurements.
    gains : array of shape (M, D, m)
    covariances : array of shape (M, D, D)
        Those after the update.
    """

    predicted: Array
    deviations: Array
    whitening: Array
    log_constants: K
    gains: Array
    covariances: KDD


def predict_states(motion: AbstractMotion, means: KD, covariances: KDD, dt: float) -> StateStack:
    """Return the Gaussians after a time ``dt``: F P F^T + Q, with F the Jacobian at the means or sigma points."""
    if motion.linearization == "unscented":
        moments = unscented_moments(lambda states: motion.propagate(states, dt), means, covariances)
        predicted, spread = moments.means, moments.covariances
    else:
        jacobian = motion.jacobian(means, dt)
        predicted = motion.propagate(means, dt)
        spread = jacobian @ covariances @ np.swapaxes(jacobian, -1, -2)
    result = spread + motion.noise_covariance(means, dt)
    return StateStack(predicted, 0.5 * (result + np.swapaxes(result, -1, -2)))


def prepare_update(sensor: AbstractSensor, layout: StateLayout, means: KD, covariances: KDD) -> UpdateStack:
    """Return expected measurements, gains and updated covariances, in Joseph's form where the Jacobian is used.

    Joseph's form (I - K H) P (I - K H)^T + K R K^T stays positive semidefinite under rounding (Bar-Shalom, Li &
    Kirubarajan 2001, section 5.2.2).
    """
    noise = sensor.noise_covariance
    if sensor.linearization == "unscented":
        moments = unscented_moments(
            lambda states: sensor.observe(states, layout), means, covariances, subtract=sensor.subtract
        )
        predicted, cross = moments.means, moments.cross_covariances
        innovation = moments.covariances + noise
    else:
        jacobian = sensor.jacobian(means, layout)
        predicted = sensor.observe(means, layout)
        cross = covariances @ np.swapaxes(jacobian, -1, -2)
        innovation = jacobian @ cross + noise
    factors, has_failed = linalg.cholesky_stack(innovation)
    factors[has_failed] = np.nan  # without digits left, so that no gate and no update passes it
    whitening = np.swapaxes(linalg.triangular_inverse_transposes(factors), -1, -2)
    gains = cross @ np.swapaxes(whitening, -1, -2) @ whitening
    if sensor.linearization == "unscented":
        updated = covariances - gains @ innovation @ np.swapaxes(gains, -1, -2)
    else:
        reduction = np.eye(means.shape[1]) - gains @ jacobian
        updated = reduction @ covariances @ np.swapaxes(reduction, -1, -2) + gains @ noise @ np.swapaxes(gains, -1, -2)
    constants = -0.5 * predicted.shape[1] * math.log(2.0 * math.pi) - 0.5 * linalg.log_determinants_from_factors(
        factors
    )
    deviations = np.sqrt(np.einsum("kii->ki", innovation))
    return UpdateStack(
        predicted, deviations, whitening, constants, gains, 0.5 * (updated + np.swapaxes(updated, -1, -2))
    )


class PairScores(NamedTuple):
    """Pairs of component and detection: differences (P, m), squared Mahalanobis distances (P,), log densities (P,)."""

    differences: Array
    squared_distances: N
    log_densities: N


def score_pairs(sensor: AbstractSensor, update: UpdateStack, components: IntN, measurements: Array) -> PairScores:
    """Return distances and log densities of measurements (P, m), each under the component (P,) it is paired with."""
    differences = sensor.subtract(measurements, update.predicted[components])
    whitened = np.einsum("pij,pj->pi", update.whitening[components], differences)
    squares = np.einsum("pi,pi->p", whitened, whitened)
    return PairScores(differences, squares, update.log_constants[components] - 0.5 * squares)


def update_pairs(means: KD, update: UpdateStack, components: IntN, differences: Array) -> KD:
    """Return the means (P, D) after the update of component ``components[p]`` with difference ``differences[p]``."""
    return np.asarray(means[components] + np.einsum("pij,pj->pi", update.gains[components], differences))
