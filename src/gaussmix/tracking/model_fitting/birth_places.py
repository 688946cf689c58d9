"""Places where objects appear again and again: a mixture of the first positions of tracks, with uniform noise."""

import warnings
from collections.abc import Sequence

import numpy as np

from gaussmix.errors import GaussmixError, GaussmixWarning
from gaussmix.model import Intensity
from gaussmix.selection import select
from gaussmix.tracking.birth import Birth
from gaussmix.tracking.model_fitting.track_histories import TrackHistory
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.types import ND, D, N

_MIN_STARTS = 8
_ROWS_PER_PLACE = 3


def fit_birth(
    histories: Sequence[TrackHistory],
    layout: StateLayout,
    noise_std: N,
    hidden_std: D,
    volume: float,
    rate: float,
    initial_number: float,
) -> Birth:
    """Return births at places if BIC prefers them to births anywhere, else births anywhere.

    Parameters
    ----------
    histories : sequence of TrackHistory
        Their first detections are the positions of births.
    layout : StateLayout
    noise_std : array of shape (p,)
        Standard deviation of detections; a place is at least as wide.
    hidden_std : array of shape (D,)
        Standard deviations of the columns that a first detection does not show.
    volume, rate, initial_number : float
        As in `Birth`; places and the rest of the region share the rate.
    """
    starts = np.stack([history.measurements[0] for history in histories])
    places = _find_places(starts / noise_std, volume / float(np.prod(noise_std)))
    if places is None:
        return Birth(None, rate, volume, hidden_std, initial_number)
    weights, means, variances = places
    positions = np.array(layout.positions)
    states = np.zeros((len(weights), layout.n_states))
    states[:, positions] = means * noise_std
    covariances = np.tile(np.diag(np.asarray(hidden_std) ** 2), (len(weights), 1, 1))
    covariances[:, positions, positions] = variances[:, None] * noise_std**2
    intensity = Intensity.from_parameters(rate * weights, states, covariances)
    return Birth(intensity, rate * max(1.0 - float(weights.sum()), 0.0), volume, hidden_std, initial_number)


def _find_places(starts: ND, volume: float) -> tuple[N, ND, N] | None:
    """Return weights (K,), means (K, p) and variances (K,) of places in units of the noise; None without places.

    The mixture adds a uniform part of the region; it must have a lower BIC than the uniform part alone.
    """
    n_starts = len(starts)
    if n_starts < _MIN_STARTS:
        return None
    largest = max(n_starts // _ROWS_PER_PLACE, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GaussmixWarning)  # the comparison below judges the fit
            best = select(starts, range(1, min(largest, 9) + 1), ["EII"], noise=volume).best
    except GaussmixError:  # first positions that no mixture describes, such as equal ones
        return None
    mixture = best.mixture
    if mixture is None or best.criteria["bic"] >= 2.0 * n_starts * np.log(volume):
        return None
    variances = np.maximum(mixture.covariances[:, 0, 0], 1.0)
    return mixture.weights, mixture.means, variances
