"""Kalman, extended, unscented, smoothing and interacting-multiple-model filters equal those of filterpy."""

import warnings
from typing import Any

import numpy as np
import pytest

from gaussmix import Gaussian
from gaussmix.tracking import (
    IMM,
    ConstantVelocity,
    FunctionMotion,
    SwitchingMotion,
    WhiteNoiseMotion,
    filter_measurements,
    predict,
    smooth,
    update,
)
from gaussmix.types import Array
from tests.tracking.single_object_scenes import pendulum, random_gaussian, swing, swing_jacobian, velocity_scene

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # filterpy uses old names of Python and NumPy
    kalman: Any = pytest.importorskip("filterpy.kalman")

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}


def make_kalman(motion: Any, sensor: Any, initial: Gaussian) -> Any:
    """Return filterpy's Kalman filter of linear models; vectors are columns there."""
    peer = kalman.KalmanFilter(dim_x=motion.n_states, dim_z=sensor.n_measured)
    peer.x, peer.P = initial.mean[:, None].copy(), initial.covariance.copy()
    peer.F, peer.Q = motion.transition(1.0), motion.noise(1.0)
    peer.H, peer.R = sensor.jacobian(initial.mean[None], motion.layout), sensor.noise_covariance.copy()
    return peer


@pytest.mark.parametrize("seed", range(3))
def test_kalman_filter_and_smoother(seed: int) -> None:
    motion, sensor, initial, measurements = velocity_scene(seed)
    peer = make_kalman(motion, sensor, initial)
    rows = [None if np.isnan(row[0]) else row[:, None] for row in measurements]
    means, covariances, predicted_means, predicted_covariances = peer.batch_filter(rows)
    states = filter_measurements(initial, motion, sensor, measurements)
    np.testing.assert_allclose(states.means, means[:, :, 0], **TOLERANCE)
    np.testing.assert_allclose(states.covariances, covariances, **TOLERANCE)
    np.testing.assert_allclose(states.predicted_means, predicted_means[:, :, 0], **TOLERANCE)
    np.testing.assert_allclose(states.predicted_covariances, predicted_covariances, **TOLERANCE)
    means, covariances, _, _ = peer.rts_smoother(means, covariances)
    smoothed = smooth(states)
    np.testing.assert_allclose(smoothed.means, means[:, :, 0], **TOLERANCE)
    np.testing.assert_allclose(smoothed.covariances, covariances, **TOLERANCE)


@pytest.mark.parametrize("seed", range(3))
def test_log_likelihoods(seed: int) -> None:
    motion, sensor, initial, measurements = velocity_scene(seed)
    peer = make_kalman(motion, sensor, initial)
    states = filter_measurements(initial, motion, sensor, measurements)
    for row, log_likelihood in zip(measurements, states.log_likelihoods, strict=True):
        peer.predict()
        if np.isnan(row[0]):
            assert log_likelihood == 0.0
            continue
        peer.update(row[:, None])
        assert log_likelihood == pytest.approx(peer.log_likelihood, rel=1e-10)


def test_extended_filter() -> None:
    motion, sensor = pendulum(has_jacobian=True)
    belief = random_gaussian(0, 2)
    peer = kalman.ExtendedKalmanFilter(dim_x=2, dim_z=1)
    peer.x, peer.P, peer.R = belief.mean[:, None].copy(), belief.covariance.copy(), sensor.noise_covariance
    for value in [0.3, -0.2, 0.8, 0.1]:
        mean = belief.mean[None]
        peer.F, peer.Q = swing_jacobian(mean, 0.2)[0], motion.noise_covariance(mean, 0.2)
        peer.x = swing(mean, 0.2).T
        peer.P = peer.F @ peer.P @ peer.F.T + peer.Q
        peer.update(
            np.array([[value]]),
            lambda x: np.array([[np.cos(x[0, 0]), 0.0]]),
            lambda x: np.sin(x[:1]),
        )
        belief = update(predict(belief, motion, 0.2), sensor, [value], motion.layout).belief
        np.testing.assert_allclose(belief.mean, peer.x[:, 0], **TOLERANCE)
        np.testing.assert_allclose(belief.covariance, peer.P, **TOLERANCE)


def correlation_root(matrix: Array) -> Array:
    """Return a square root by the axes of the correlations, as gaussmix has it; filterpy takes its rows."""
    scales = np.sqrt(np.diagonal(matrix))
    values, vectors = np.linalg.eigh(matrix / np.outer(scales, scales))
    return (scales[:, None] * vectors * np.sqrt(values)).T


@pytest.mark.parametrize("seed", range(3))
def test_unscented_filter_and_smoother(seed: int) -> None:
    motion, sensor = pendulum(has_jacobian=False)
    initial, dt = random_gaussian(seed, 2), 0.2
    points = kalman.JulierSigmaPoints(n=2, kappa=1.0, sqrt_method=correlation_root)  # n + kappa = 3
    peer = kalman.UnscentedKalmanFilter(2, 1, dt, lambda x: np.sin(x[:1]), lambda x, dt: swing(x[None], dt)[0], points)
    peer.x, peer.P = initial.mean.copy(), initial.covariance.copy()
    peer.Q, peer.R = motion.noise_covariance(initial.mean[None], dt), sensor.noise_covariance
    belief, values = initial, [0.3, -0.2, 0.8, 0.1]
    for value in values:
        peer.predict()
        belief = predict(belief, motion, dt)
        np.testing.assert_allclose(belief.mean, peer.x, **TOLERANCE)
        np.testing.assert_allclose(belief.covariance, peer.P, **TOLERANCE)
        peer.x, peer.P = belief.mean.copy(), belief.covariance.copy()
        # filterpy measures the sigma points of the state before process noise, gaussmix draws new ones.
        peer.sigmas_f = points.sigma_points(peer.x, peer.P)
        peer.update(np.array([value]))
        belief = update(belief, sensor, [value], motion.layout).belief
        np.testing.assert_allclose(belief.mean, peer.x, **TOLERANCE)
        np.testing.assert_allclose(belief.covariance, peer.P, **TOLERANCE)
    states = filter_measurements(initial, motion, sensor, np.array(values)[:, None], dt * np.arange(1.0, 5.0))
    np.testing.assert_allclose(states.means[-1], belief.mean, **TOLERANCE)
    means, covariances, _ = peer.rts_smoother(states.means, states.covariances)
    smoothed = smooth(states)
    np.testing.assert_allclose(smoothed.means, means, **TOLERANCE)
    np.testing.assert_allclose(smoothed.covariances, covariances, **TOLERANCE)


def test_sigma_points_of_linear_models_give_the_kalman_filter() -> None:
    motion, sensor, initial, measurements = velocity_scene(5)
    linear = FunctionMotion(lambda x, dt: motion.propagate(x, dt), motion.layout, motion.noise)
    expected, states = (filter_measurements(initial, m, sensor, measurements) for m in (motion, linear))
    np.testing.assert_allclose(states.means, expected.means, **TOLERANCE)
    np.testing.assert_allclose(smooth(states).covariances, smooth(expected).covariances, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_interacting_multiple_models(seed: int) -> None:
    motion, sensor, initial, measurements = velocity_scene(seed)
    measurements = measurements[~np.isnan(measurements[:, 0])]
    motions = (motion, ConstantVelocity(3.0), WhiteNoiseMotion(1.0))
    transitions = np.array([[0.9, 0.06, 0.04], [0.2, 0.7, 0.1], [0.05, 0.15, 0.8]])
    switching = SwitchingMotion(motions, transitions, [0.5, 0.2, 0.3])
    peer = kalman.IMMEstimator([make_kalman(m, sensor, initial) for m in motions], [0.5, 0.2, 0.3], transitions)
    for row, estimate in zip(measurements, IMM(switching, sensor, initial).run(measurements), strict=True):
        peer.predict()
        peer.update(row[:, None])
        np.testing.assert_allclose(estimate.mode_probabilities, peer.mu, **TOLERANCE)
        np.testing.assert_allclose(estimate.mean, peer.x[:, 0], **TOLERANCE)
        np.testing.assert_allclose(estimate.covariance, peer.P, **TOLERANCE)
