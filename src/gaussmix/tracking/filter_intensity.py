"""``position_intensity``: what a filter knows after a scan, as a mixture over positions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gaussmix.model import Intensity
from gaussmix.tracking.components import Components
from gaussmix.tracking.hypothesis_clusters import marginal_weights
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.tracking.tracks import Tracks

_MIN_WEIGHT = 1e-4  # lighter components are left out


def position_intensity(tracker: AbstractTracker) -> Intensity | None:
    """Return the expected number of objects per unit of volume, as a mixture over positions.

    It is the intensity of all objects after the last scan: those of tracks, each with its probability of existence, and
    those that have not been detected yet at known places of birth. Objects anywhere in the region are left out.

    Parameters
    ----------
    tracker : AbstractTracker
        A filter that has seen at least one scan.

    Returns
    -------
    Intensity or None
        Its columns are the coordinates; None if no component has a weight of at least 1e-4.
    """
    state = tracker.state
    parts = [collect(state) for name, collect in _PARTS.items() if hasattr(state, name)]
    if not parts:
        return None
    components = Components.concatenate(parts)
    components = components.select(components.weights >= _MIN_WEIGHT)
    if not len(components):
        return None
    columns = np.array(tracker.model.motion.layout.positions)
    return Intensity.from_parameters(
        components.weights,
        components.means[:, columns],
        components.covariances[:, columns[:, None], columns],
    )


def _weigh_by_existence(tracks: Tracks) -> Components:
    """Return the components of tracks, with weights that add up to the existence of each track."""
    components = tracks.components
    return components.with_weights(components.weights * tracks.existence[components.groups])


def _weigh_hypotheses(state: Any) -> Components:
    """Return the components of single hypotheses, weighted by the probability that the hypothesis is right, too."""
    hypotheses = state.hypotheses
    weights = marginal_weights(state.clusters, len(hypotheses))
    return _weigh_by_existence(replace(hypotheses, existence=weights * hypotheses.existence))


# Parts of a filter's state by their names, and how a state with such a part becomes weighted components.
_PARTS: dict[str, Callable[[Any], Components]] = {
    "tracks": lambda state: _weigh_by_existence(state.tracks),
    "hypotheses": _weigh_hypotheses,
    "undetected": lambda state: state.undetected,
    "intensity": lambda state: state.intensity.components,
}
