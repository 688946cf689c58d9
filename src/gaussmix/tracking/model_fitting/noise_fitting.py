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
from gaussmix.tracking.model_fitting.rates import Estimate
from gaussmix.tracking.model_fitting.track_histories import TrackHistory
from gaussmix.types import ND, Array, BoolN, IntN, N

_MAX_HISTORIES, _MAX_SCANS = 60, 400  # more detections change the estimates by less than their intervals
_STEP, _DIFFERENCE = 1e-4, 0.03  # of first and second differences, in logs of the standard deviations
_RANGE = 6.0  # logs of the standard deviations move by at most this much
_MIN_ACCELERATION = 1e-4  # smallest displacement by acceleration in one step, in standard deviations of the noise
_NORMAL_QUANTILE, _ONE_SIDED_QUANTILE = 1.96, 1.645
_N_SHIFTS = 241


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
    histories: Sequence[TrackHistory], times: N, velocity_std: N, noise: N, acceleration: float, min_noise: N
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
    min_noise : array of shape (p,)
        Smallest standard deviations of detections.
    """
    chosen = sorted(histories, key=lambda history: -len(history.scans))[:_MAX_HISTORIES]
    groups = _group_by_scan(chosen, times)
    unit = acceleration_unit(noise, times)
    start, floor = np.log(np.append(noise, acceleration)), math.log(_MIN_ACCELERATION * unit)
    low = np.append(np.log(min_noise), floor)
    start = np.maximum(start, low)
    bounds = [(max(value - _RANGE, least), value + _RANGE) for value, least in zip(start, low, strict=True)]

    def losses(points: Array) -> Array:
        return -_log_likelihoods(groups, len(chosen), np.exp(points), velocity_std)

    def loss_and_gradient(point: N) -> tuple[float, N]:
        values = losses(np.vstack([point, point + _STEP * np.eye(len(point)), point - _STEP * np.eye(len(point))]))
        rises, falls = values[1 : 1 + len(point)], values[1 + len(point) :]
        return float(values[0]), (rises - falls) / (2.0 * _STEP)

    found = minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-9}).x
    errors = _standard_errors(losses, found)
    return NoiseEstimate(
        tuple(_log_interval(*pair) for pair in zip(found[:-1], errors[:-1], strict=True)),
        _estimate_acceleration(losses, found, floor, errors[-1]),
    )


def acceleration_unit(noise: N, times: N) -> float:
    """Return the acceleration that moves an object by one standard deviation of the noise in a typical step."""
    steps = np.diff(times)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    return 2.0 * float(np.mean(noise)) / step**2


def _log_interval(log_value: float, log_error: float) -> Estimate:
    """Return an estimate with the normal interval of its logarithm."""
    width = min(_NORMAL_QUANTILE * log_error, _RANGE)
    return Estimate(math.exp(log_value), math.exp(log_value - width), math.exp(log_value + width))


def _estimate_acceleration(losses: Callable[[Array], Array], point: N, log_floor: float, log_error: float) -> Estimate:
    """Return the acceleration with its interval; the largest one that the data allow if they allow none at all, too.

    A filter that assumed none could not follow an object that turns later.
    """
    points = np.repeat(point[None], _N_SHIFTS, axis=0)
    points[:, -1] = np.linspace(log_floor, max(point[-1], log_floor) + _RANGE, _N_SHIFTS)
    is_allowed = losses(points) - losses(point[None]) <= 0.5 * _ONE_SIDED_QUANTILE**2
    if not is_allowed[0]:
        return _log_interval(point[-1], log_error)
    largest = math.exp(points[np.flatnonzero(is_allowed)[-1], -1])
    return Estimate(largest, 0.0, largest)


def _group_by_scan(histories: Sequence[TrackHistory], times: N) -> list[_ScanGroup]:
    """Return the scans of the histories, in the order of time."""
    first = min(int(history.scans[0]) for history in histories)
    last = min(max(int(history.scans[-1]) for history in histories), first + _MAX_SCANS)
    origin = histories[0].measurements[0]  # differences of positions near it lose no digits
    members: list[list[tuple[int, ND, bool]]] = [[] for _ in range(last - first + 1)]
    for number, history in enumerate(histories):
        for position, measurement in zip(history.scans.tolist(), history.measurements, strict=True):
            if position <= last:
                members[position - first].append((number, measurement - origin, position == history.scans[0]))
    groups, previous = [], times[first]
    for k, found in enumerate(members):
        if found:
            numbers, rows, starts = zip(*found, strict=True)
            step = float(times[first + k] - previous)
            groups.append(_ScanGroup(step, np.array(starts), np.array(numbers), np.stack(rows)))
            previous = times[first + k]
    return groups


def _log_likelihoods(groups: Sequence[_ScanGroup], n_histories: int, points: Array, velocity_std: N) -> Array:
    """Return the log-likelihood of all detections after the first of each history, at each of P points (P,).

    A point holds the standard deviations of the noise along each axis, and of the acceleration. Axes are independent,
    so each is a Kalman filter of position and velocity with numbers instead of matrices; all points run side by side.
    """
    shape = (len(points), n_histories, points.shape[1] - 1)
    variance, power = points[:, None, :-1] ** 2, points[:, None, -1:] ** 2
    x, v, p_xx, p_xv, p_vv = (np.zeros(shape) for _ in range(5))
    total = np.zeros(len(points))
    for group in groups:
        dt = group.dt
        x += dt * v
        p_xx += dt * (2.0 * p_xv + dt * p_vv) + power * dt**4 / 4.0
        p_xv += dt * p_vv + power * dt**3 / 2.0
        p_vv += power * dt**2
        new, old = group.measured[group.is_started], group.measured[~group.is_started]
        x[:, new], v[:, new], p_xx[:, new], p_xv[:, new] = group.measurements[group.is_started], 0.0, variance, 0.0
        p_vv[:, new] = velocity_std**2
        spread = p_xx[:, old] + variance
        differences = group.measurements[~group.is_started] - x[:, old]
        total -= 0.5 * (np.log(2.0 * math.pi * spread) + differences**2 / spread).sum(axis=(1, 2))
        gain_x, gain_v = p_xx[:, old] / spread, p_xv[:, old] / spread
        x[:, old] += gain_x * differences
        v[:, old] += gain_v * differences
        p_vv[:, old] -= gain_v * p_xv[:, old]
        p_xx[:, old] *= variance / spread
        p_xv[:, old] *= variance / spread
    return total


def _standard_errors(losses: Callable[[Array], Array], point: N) -> N:
    """Return standard errors (q,) from second differences of the negative log-likelihood; infinite where it is flat."""
    size = len(point)
    shifts = _DIFFERENCE * np.eye(size)
    sums, differences = shifts[:, None] + shifts, shifts[:, None] - shifts
    corners = np.stack([point + sums, point + differences, point - differences, point - sums])
    values = losses(corners.reshape(-1, size)).reshape(4, size, size)
    hessian = (values[0] - values[1] - values[2] + values[3]) / (4.0 * _DIFFERENCE**2)
    pairs = linalg.eigh_descending(hessian[None])
    with np.errstate(divide="ignore"):
        inverse = 1.0 / np.maximum(pairs.values[0], 0.0)
    return np.asarray(np.sqrt(np.einsum("ij,j->i", pairs.vectors[0] ** 2, np.minimum(inverse, 1e12))))
