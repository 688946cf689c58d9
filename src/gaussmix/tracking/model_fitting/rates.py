"""Detection probability, clutter, births and survival: counts over the histories of tracks, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from gaussmix.tracking.model_fitting.track_histories import TrackHistory
from gaussmix.types import ND, N

_LEVEL = 0.95
_N_END_DETECTIONS = 2  # at either end of a track; they may be false


@dataclass(frozen=True)
class Estimate:
    """A number estimated from data, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


@dataclass(frozen=True)
class Rates:
    """Rates of a recording.

    Attributes
    ----------
    detection_probability, survival_probability, clutter_rate, birth_rate, initial_number : Estimate
        Survival and births count per unit of time, clutter per scan.
    """

    detection_probability: Estimate
    survival_probability: Estimate
    clutter_rate: Estimate
    birth_rate: Estimate
    initial_number: Estimate


def estimate_rates(histories: Sequence[TrackHistory], scans: Sequence[ND], times: N) -> Rates:
    """Return rates from counts.

    An object certainly exists between two of its detections. So the scans between the third and the third last
    detection give the probability of detection; those at the ends may be false. An object left if the probability to
    miss it in all the scans after its last detection is below one in a hundred.
    """
    n_scans, duration = len(scans), max(float(times[-1] - times[0]), np.finfo(float).tiny)
    inner = [history.scans[_N_END_DETECTIONS:-_N_END_DETECTIONS] for history in histories]
    inner = [scans_of_object for scans_of_object in inner if len(scans_of_object) > 1]
    between = sum(int(positions[-1] - positions[0]) - 1 for positions in inner)
    detection = _proportion(sum(len(positions) - 2 for positions in inner), between)
    patience = int(np.ceil(np.log(0.01) / np.log1p(-min(max(detection.value, 0.05), 0.999))))
    n_left = sum(int(history.scans[-1]) + patience < n_scans for history in histories)
    exposure = sum(float(times[history.scans[-1]] - times[history.scans[0]]) for history in histories)
    hazard = _rate(n_left, max(exposure, np.finfo(float).tiny))
    survival = Estimate(*(float(np.exp(-rate)) for rate in (hazard.value, hazard.high, hazard.low)))
    n_initial = sum(int(history.scans[0]) < patience for history in histories)
    n_tracked = sum(len(history.scans) for history in histories)
    n_clutter = sum(len(scan) for scan in scans) - n_tracked
    return Rates(
        detection,
        survival,
        _rate(n_clutter, n_scans),
        _rate(len(histories) - n_initial, duration),
        _rate(n_initial, 1.0),
    )


def _proportion(successes: int, trials: int) -> Estimate:
    """Return the mean of the posterior with Jeffreys' prior, and its central interval."""
    a, b = successes + 0.5, trials - successes + 0.5
    tail = 0.5 * (1.0 - _LEVEL)
    return Estimate(a / (a + b), float(special.betaincinv(a, b, tail)), float(special.betaincinv(a, b, 1.0 - tail)))


def _rate(n_events: int, exposure: float) -> Estimate:
    """Return the mean of the posterior of a Poisson rate with Jeffreys' prior, and its central interval."""
    tail = 0.5 * (1.0 - _LEVEL)
    shape = n_events + 0.5
    low, high = (float(special.gammaincinv(shape, level)) / exposure for level in (tail, 1.0 - tail))
    return Estimate(shape / exposure, low, high)
