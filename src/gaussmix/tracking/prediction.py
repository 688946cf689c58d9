"""Components and tracks after a time step, with one motion model or a choice of several for each object."""

from collections.abc import Sequence

import numpy as np

from gaussmix.model.component_reduction import merge_close_components
from gaussmix.tracking.components import Components
from gaussmix.tracking.kalman import predict_states
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.switching import SwitchingMotion
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks
from gaussmix.types import Array

_MAX_SQUARED_MIXING_DISTANCE = 4.0  # as the reduction after an update


def predict_components(
    motion: AbstractMotion,
    components: Components,
    dt: float,
    max_squared_mixing_distance: float = _MAX_SQUARED_MIXING_DISTANCE,
) -> Components:
    """Return the components after a time ``dt``; groups and their weights stay.

    With a `SwitchingMotion` of several motions each component is split over the modes, close components of the same
    group and mode are merged, and each moves by the motion of its mode. They are then ordered by group. Mode 0 means
    that the mode of a new object is not yet known, and m the motion m - 1.

    Parameters
    ----------
    motion : AbstractMotion
    components : Components
    dt : float
    max_squared_mixing_distance : float, default=4.0
        Squared Mahalanobis distance within which components that enter the same mode are merged; infinity merges all,
        as interacting multiple models do (Blom & Bar-Shalom, IEEE Trans. Automatic Control 33, 1988).
    """
    modes = motion.modes if isinstance(motion, SwitchingMotion) else (motion,)
    if not isinstance(motion, SwitchingMotion) or len(modes) == 1:
        predicted = predict_states(modes[0], components.means, components.covariances, dt)
        return Components(components.groups, components.weights, *predicted, components.modes)
    mixed = _mix_modes(components, motion.mode_probabilities(dt), max_squared_mixing_distance)
    means, covariances = np.empty(mixed.means.shape), np.empty(mixed.covariances.shape)
    for number, mode in enumerate(modes, start=1):
        is_in_mode = mixed.modes == number
        means[is_in_mode], covariances[is_in_mode] = predict_states(
            mode, mixed.means[is_in_mode], mixed.covariances[is_in_mode], dt
        )
    return Components(mixed.groups, mixed.weights, means, covariances, mixed.modes)


def predict_tracks(model: TargetModel, tracks: Tracks, dt: float) -> Tracks:
    """Return the tracks after a time ``dt``: their states move, and each survives with ``survival_probability``."""
    return Tracks(
        model.survival_probability**dt * tracks.existence,
        tracks.labels,
        tracks.detections,
        predict_components(model.motion, tracks.components, dt),
    )


def predict_undetected(
    model: TargetModel, undetected: Components, n_anywhere: float, dt: float, spawned: Sequence[Components] = ()
) -> tuple[Components, float]:
    """Return an intensity of objects after a time ``dt``: they move, some leave, others appear or are spawned.

    Parameters
    ----------
    model : TargetModel
    undetected : Components
        The intensity at places.
    n_anywhere : float
        Expected number of objects anywhere in the region.
    dt : float
    spawned : sequence of Components, default=()
        Objects that others spawn in this time.

    Returns
    -------
    undetected : Components
    n_anywhere : float
    """
    survival, birth = model.survival_probability**dt, model.birth
    moved = predict_components(model.motion, undetected, dt)
    parts = [moved.with_weights(survival * moved.weights), *spawned, birth.make_components(model.motion.n_states, dt)]
    return Components.concatenate(parts), survival * n_anywhere + birth.rate * dt


def _mix_modes(components: Components, probabilities: Array, max_squared_distance: float) -> Components:
    """Split each component over the modes that it may enter, and merge close ones of the same group and mode."""
    weights = components.weights[:, None] * probabilities[components.modes]
    owners, entered = np.nonzero(weights > 0.0)
    n_modes = probabilities.shape[1]
    keys = components.groups[owners] * n_modes + entered
    merged = merge_close_components(
        keys,
        weights[owners, entered],
        components.means[owners],
        components.covariances[owners],
        max_squared_distance,
        max(len(owners), 1),
    )
    groups, modes = np.divmod(keys[merged.positions], n_modes)
    return Components(groups, merged.weights, merged.means, merged.covariances, modes + 1)
