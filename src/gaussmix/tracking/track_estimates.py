"""What a filter of tracks reports."""

import numpy as np

from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks


def estimate_tracks(model: TargetModel, tracks: Tracks, n_undetected: float, time: float) -> Estimates:
    """Return the tracks that exist with more than ``report_threshold``, each at the mean of its heaviest component."""
    expected_number = float(tracks.existence.sum()) + n_undetected
    return make_estimates(model, tracks.select(tracks.existence > model.report_threshold), expected_number, time)


def make_estimates(model: TargetModel, tracks: Tracks, expected_number: float, time: float) -> Estimates:
    """Return all tracks, each at the mean of its heaviest component."""
    components = tracks.components
    order = np.lexsort((-components.weights, components.groups))
    groups = components.groups[order]
    is_heaviest = np.ones(len(order), dtype=bool)
    is_heaviest[1:] = groups[1:] != groups[:-1]
    heaviest = order[is_heaviest]
    owners = components.groups[heaviest]
    return Estimates(
        time,
        tracks.labels[owners],
        components.means[heaviest],
        components.covariances[heaviest],
        tracks.existence[owners],
        tracks.detections[owners],
        expected_number,
        model.motion.layout,
    )
