"""Components and tracks after a time step."""

from gaussmix.tracking.components import Components
from gaussmix.tracking.kalman import predict_states
from gaussmix.tracking.motion import AbstractMotion
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks


def predict_components(motion: AbstractMotion, components: Components, dt: float) -> Components:
    """Return the components after a time ``dt``; groups and weights stay."""
    predicted = predict_states(motion, components.means, components.covariances, dt)
    return Components(components.groups, components.weights, *predicted, components.modes)


def predict_tracks(model: TargetModel, tracks: Tracks, dt: float) -> Tracks:
    """Return the tracks after a time ``dt``: their states move, and existence becomes less by the survival."""
    return Tracks(
        model.survival_probability**dt * tracks.existence,
        tracks.labels,
        tracks.detections,
        predict_components(model.motion, tracks.components, dt),
    )
