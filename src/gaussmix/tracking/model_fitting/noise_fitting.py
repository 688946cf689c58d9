"""Maximum likelihood of measurement noise and acceleration, from the histories of tracks.

The Kalman filter's log-likelihood of all histories is maximised over logs of the standard deviations; the curvature at
the maximum gives their intervals.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from gaussmix.core import linalg
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.kalman import predict_states, prepare_update, score_pairs, update_pairs
from gaussmix.tracking.model_fitting.rates import Estimate
from gaussmix.tracking.model_fitting.track_histories import TrackHistory
from gaussmix.tracking.motion import ConstantVelocity
from gaussmix.tracking.sensors import PositionSensor
from gaussmix.types import ND, BoolN, IntN, N

_MAX_HISTORIES, _MAX_SCANS = 60, 400  # more detections change the estimates by less than their intervals
_DIFFERENCE = 0.03  # for second differences, in logs of the standard deviations
_RANGE = 6.0  # logs of the standard deviations move by at most this much
_MIN_ACCELERATION = 0.02  # smallest displacement by acceleration in one step, in standard deviations of the noise
_NORMAL_QUANTILE = 1.96

LogLoss = Callable[[N], float]


class NoiseEstimate(NamedTuple):
    """Standard deviations with 95 % intervals: of detections along each axis, and of the acceleration."""

    noise: tuple[Estimate, ...]
    acceleration: Estimate


class _ScanGroup(NamedTuple):
    """What happens in one scan: time step, histories that begin, that are measured, and their measurements."""

    dt: float
    is_started: BoolN
    measured: IntN
    measurements: ND


def fit_noise(
    histories: Sequence[TrackHistory], times: N, velocity_std: N, noise: N, acceleration: float
) -> NoiseEstimate:
    """Return the standard deviations that make the histories most probable.

    Parameters
    ----------
    histories : sequence of TrackHistory
    times : array of shape (n_scans,)
    velocity_std : array of shape (p,)
        Standard deviation of the velocity of new objects.
    noise, acceleration : array of shape (p,), float
        Where the search begins.
    """
    chosen = sorted(histories, key=lambda history: -len(history.scans))[:_MAX_HISTORIES]
    groups = _group_by_scan(chosen, times)

    def loss(logs: N) -> float:
        return -_log_likelihood(groups, len(chosen), np.exp(logs[:-1]), math.exp(logs[-1]), velocity_std)

    start, floor = np.log(np.append(noise, acceleration)), math.log(_MIN_ACCELERATION * acceleration_unit(noise, times))
    bounds = [(value - _RANGE, value + _RANGE) for value in start[:-1]] + [(floor, max(start[-1], floor) + _RANGE)]
    start[-1] = max(start[-1], floor)
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-7, "maxls": 10}).x
    errors = _standard_errors(loss, found)
    return NoiseEstimate(
        tuple(_log_interval(*pair) for pair in zip(found[:-1], errors[:-1], strict=True)),
        _acceleration_interval(found[-1], floor, errors[-1]),
    )


def _acceleration_interval(log_value: float, log_floor: float, log_error: float) -> Estimate:
    """Return the acceleration with its interval, which begins at 0 where the search ended at the lowest value."""
    if log_value <= log_floor + 1e-3:
        return Estimate(math.exp(log_value), 0.0, math.exp(log_value))
    return _log_interval(log_value, log_error)


def acceleration_unit(noise: N, times: N) -> float:
    """Return the acceleration that moves an object by one standard deviation of the noise in a typical step."""
    steps = np.diff(times)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    return 2.0 * float(np.mean(noise)) / step**2


def _log_interval(log_value: float, log_error: float) -> Estimate:
    """Return an estimate with the normal interval of its logarithm."""
    width = min(_NORMAL_QUANTILE * log_error, _RANGE)
    return Estimate(math.exp(log_value), math.exp(log_value - width), math.exp(log_value + width))


def _group_by_scan(histories: Sequence[TrackHistory], times: N) -> list[_ScanGroup]:
    """Return the scans of the histories, in the order of time."""
    first = min(int(history.scans[0]) for history in histories)
    last = min(max(int(history.scans[-1]) for history in histories), first + _MAX_SCANS)
    members: list[list[tuple[int, ND, bool]]] = [[] for _ in range(last - first + 1)]
    for number, history in enumerate(histories):
        for position, measurement in zip(history.scans.tolist(), history.measurements, strict=True):
            if position <= last:
                members[position - first].append((number, measurement, position == history.scans[0]))
    groups, previous = [], times[first]
    for k, found in enumerate(members):
        if found:
            numbers, rows, starts = zip(*found, strict=True)
            step = float(times[first + k] - previous)
            groups.append(_ScanGroup(step, np.array(starts), np.array(numbers), np.stack(rows)))
            previous = times[first + k]
    return groups


def _log_likelihood(
    groups: Sequence[_ScanGroup], n_histories: int, noise: N, acceleration: float, velocity_std: N
) -> float:
    """Return the log-likelihood of all detections after the first of each history."""
    n_axes = len(noise)
    motion = ConstantVelocity(acceleration, n_axes)
    sensor = PositionSensor(noise, Clutter(0.0, 1.0), n_axes=n_axes)
    layout, positions = motion.layout, np.array(motion.layout.positions)
    initial = np.zeros((layout.n_states, layout.n_states))
    initial[positions, positions], initial[positions + 1, positions + 1] = noise**2, velocity_std**2
    means, covariances = np.zeros((n_histories, layout.n_states)), np.tile(initial, (n_histories, 1, 1))
    total = 0.0
    for group in groups:
        means, covariances = predict_states(motion, means, covariances, group.dt)
        new, old = group.measured[group.is_started], group.measured[~group.is_started]
        means[new], covariances[new] = 0.0, initial
        means[new[:, None], positions] = group.measurements[group.is_started]
        update = prepare_update(sensor, layout, means[old], covariances[old])
        numbers = np.arange(len(old))
        scores = score_pairs(sensor, update, numbers, group.measurements[~group.is_started])
        total += float(scores.log_densities.sum())
        means[old] = update_pairs(means[old], update, numbers, scores.differences)
        covariances[old] = update.covariances
    return total


def _standard_errors(loss: LogLoss, point: N) -> N:
    """Return standard errors (q,) from second differences of the negative log-likelihood; infinite where it is flat."""
    size = len(point)
    shifts = _DIFFERENCE * np.eye(size)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            corners = [loss(point + a * shifts[i] + b * shifts[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            hessian[i, j] = hessian[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4.0 * _DIFFERENCE**2)
    pairs = linalg.eigh_descending(hessian[None])
    with np.errstate(divide="ignore"):
        inverse = 1.0 / np.maximum(pairs.values[0], 0.0)
    return np.asarray(np.sqrt(np.einsum("ij,j->i", pairs.vectors[0] ** 2, np.minimum(inverse, 1e12))))
