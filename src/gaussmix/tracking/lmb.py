"""``LMB``: the labelled multi-Bernoulli filter.

Each place of birth gives a labelled Bernoulli component in each scan, before anything is detected there. After a scan,
marginal association probabilities make one Bernoulli component of all hypotheses of a track (Reuter, Vo, Vo &
Dietmayer, "The labeled multi-Bernoulli filter", IEEE Trans. Signal Processing 62, 2014). The marginals come from loopy
belief propagation instead of ranked assignments.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.tracking.components import Components
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.hypotheses import score_hypotheses, weigh_associations
from gaussmix.tracking.marginals import compute_marginals
from gaussmix.tracking.prediction import predict_tracks
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_estimates import estimate_tracks
from gaussmix.tracking.track_update import keep_undetected, update_tracks
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.tracking.tracks import Tracks, join_tracks
from gaussmix.types import ND


@dataclass(frozen=True, eq=False)
class LMBState:
    """What an LMB filter knows.

    Attributes
    ----------
    n_anywhere : float
        Expected number of undetected objects anywhere in the region.
    tracks : Tracks
        Objects that may exist, those at places of birth included.
    next_label : int
    """

    n_anywhere: float
    tracks: Tracks
    next_label: int = 1


class LMB(AbstractTracker):
    """Track many objects by a labelled multi-Bernoulli filter.

    Each component of ``model.birth.places`` is a new track in each scan, which exists with the component's mass over
    the time step, at most 1. Births anywhere in a region are driven by measurements: each detection that no track
    explains may start one. `PMB` needs fewer tracks for the same births, and is more accurate when objects are born.

    Parameters
    ----------
    model : TargetModel
        Motion, sensor, births, and limits.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import Intensity
    >>> from gaussmix.tracking import LMB, Birth, Clutter, ConstantVelocity, PositionSensor, TargetModel
    >>> sensor = PositionSensor(noise_std=1.0, clutter=Clutter(rate=1.0, volume=1e4), detection_probability=0.95)
    >>> place = Intensity.from_parameters([0.1], means=[[10.0, 0.0, 50.0, 0.0]], covariances=[9.0 * np.eye(4)])
    >>> tracker = LMB(TargetModel(ConstantVelocity(acceleration_std=0.5), sensor, Birth(place)))
    >>> estimates = tracker.run([[[10.0 + 2.0 * k, 50.0]] for k in range(10)])
    >>> estimates[-1].labels.tolist(), np.round(estimates[-1].positions).tolist()
    ([1], [[28.0, 50.0]])
    """

    def __init__(self, model: TargetModel) -> None:
        self.model = model
        self.reset()

    def initial_state(self) -> LMBState:
        """Return the state before the first scan: no tracks."""
        return LMBState(self.model.birth.initial_number, Tracks.empty(self.model.motion.n_states))

    def predict(self, state: LMBState, dt: float) -> LMBState:
        """Return the state after a time ``dt``: objects move, some leave, and new ones appear."""
        born = make_birth_tracks(self.model, dt, state.next_label)
        return LMBState(
            self.model.survival_probability**dt * state.n_anywhere + self.model.birth.rate * dt,
            join_tracks(predict_tracks(self.model, state.tracks, dt), born),
            state.next_label + len(born),
        )

    def update(self, state: LMBState, detections: ND) -> LMBState:
        """Return the state after a scan with detections (n, m)."""
        nowhere = Components.empty(self.model.motion.n_states)
        scan = score_hypotheses(self.model, state.tracks, nowhere, state.n_anywhere, detections)
        marginals = compute_marginals(weigh_associations(scan))
        tracks, next_label = update_tracks(self.model, scan, marginals, state.next_label)
        _, n_anywhere = keep_undetected(self.model, scan, state.n_anywhere)
        return LMBState(n_anywhere, tracks, next_label)

    def estimate(self, state: LMBState, time: float) -> Estimates:
        """Return the tracks that exist with more than ``report_threshold``: the mean of their heaviest component."""
        return estimate_tracks(self.model, state.tracks, state.n_anywhere, time)


def make_birth_tracks(model: TargetModel, dt: float, next_label: int) -> Tracks:
    """Return a new track for each place of birth; it exists with the mass of the place over ``dt``, at most 1."""
    places = model.birth.make_components(model.motion.n_states, dt)
    positions = np.arange(len(places))
    is_born = places.weights > model.min_existence
    tracks = Tracks(
        np.minimum(places.weights, 1.0),
        positions,
        np.full(len(places), -1),
        places.with_groups(positions).with_weights(np.ones(len(places))),
    ).select(is_born)
    return Tracks(tracks.existence, next_label + np.arange(len(tracks)), tracks.detections, tracks.components)
