"""Components after a time step."""

from gaussmix.tracking.components import Components
from gaussmix.tracking.kalman import predict_states
from gaussmix.tracking.motion import AbstractMotion


def predict_components(motion: AbstractMotion, components: Components, dt: float) -> Components:
    """Return the components after a time ``dt``; groups and weights stay."""
    predicted = predict_states(motion, components.means, components.covariances, dt)
    return Components(components.groups, components.weights, *predicted, components.modes)
