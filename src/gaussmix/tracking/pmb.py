"""``PMB``: the track-oriented Poisson multi-Bernoulli filter with a small mixture for each track.

Undetected objects are a Poisson process; each detection may start a track, and each track is a Bernoulli component
whose state is a mixture. After a scan, marginal association probabilities from loopy belief propagation make one
Bernoulli component of all hypotheses of a track (TOMB/P of Williams, "Marginal multi-Bernoulli filters: RFS
derivation of MHT, JIPDA, and association-based MeMBer", IEEE Trans. Aerospace and Electronic Systems 51, 2015;
García-Fernández, Williams, Granström & Svensson, "Poisson multi-Bernoulli mixture filter", ibid. 54, 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix.tracking.components import Components
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.hypotheses import score_hypotheses, weigh_associations
from gaussmix.tracking.marginals import compute_marginals
from gaussmix.tracking.prediction import predict_tracks, predict_undetected
from gaussmix.tracking.spawning import Spawn, parse_spawns
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_estimates import estimate_tracks
from gaussmix.tracking.track_update import keep_undetected, update_tracks
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.tracking.tracks import Tracks, weigh_by_existence
from gaussmix.types import ND


@dataclass(frozen=True, eq=False)
class PMBState:
    """What a PMB filter knows.

    Attributes
    ----------
    undetected : Components
        Intensity of objects that have not been detected yet, at the places of birth.
    n_anywhere : float
        Expected number of undetected objects anywhere in the region.
    tracks : Tracks
        Objects that may have been detected.
    next_label : int
    """

    undetected: Components
    n_anywhere: float
    tracks: Tracks
    next_label: int = 1


class PMB(AbstractTracker):
    """Track many objects by a Poisson multi-Bernoulli filter; the default of this package.

    Parameters
    ----------
    model : TargetModel
        Motion, sensor, births, and limits.
    spawn : Spawn or sequence of Spawn, default=()
        How objects make others appear beside them.

    Raises
    ------
    ParameterError
        If a spawn has another type, or another number of columns than the states of the motion model.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import PMB, Birth, Clutter, ConstantVelocity, PositionSensor, TargetModel
    >>> region = {"low": [0.0, 0.0], "high": [100.0, 100.0]}
    >>> sensor = PositionSensor(noise_std=1.0, clutter=Clutter.in_region(1.0, **region), detection_probability=0.95)
    >>> birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    >>> tracker = PMB(TargetModel(ConstantVelocity(acceleration_std=0.5), sensor, birth))
    >>> scans = [[[10.0 + 2.0 * k, 50.0]] for k in range(10)]
    >>> estimates = tracker.run(scans)
    >>> estimates[-1].labels.tolist(), np.round(estimates[-1].positions).tolist()
    ([1], [[28.0, 50.0]])
    """

    def __init__(self, model: TargetModel, spawn: Spawn | Sequence[Spawn] = ()) -> None:
        self.model, self.spawn = model, parse_spawns(spawn, model.motion.n_states)
        self.reset()

    def initial_state(self) -> PMBState:
        """Return the state before the first scan: no tracks."""
        n_states = self.model.motion.n_states
        return PMBState(Components.empty(n_states), self.model.birth.initial_number, Tracks.empty(n_states))

    def predict(self, state: PMBState, dt: float) -> PMBState:
        """Return the state after a time ``dt``: objects move, some leave, and new ones appear or are spawned."""
        spawned = []
        if self.spawn:
            parents = Components.concatenate([weigh_by_existence(state.tracks), state.undetected])
            spawned = [spawn.make_components(parents, dt) for spawn in self.spawn]
        undetected, n_anywhere = predict_undetected(self.model, state.undetected, state.n_anywhere, dt, spawned)
        return PMBState(undetected, n_anywhere, predict_tracks(self.model, state.tracks, dt), state.next_label)

    def update(self, state: PMBState, detections: ND) -> PMBState:
        """Return the state after a scan with detections (n, m)."""
        scan = score_hypotheses(self.model, state.tracks, state.undetected, state.n_anywhere, detections)
        marginals = compute_marginals(weigh_associations(scan))
        tracks, next_label = update_tracks(self.model, scan, marginals, state.next_label)
        undetected, n_anywhere = keep_undetected(self.model, scan, state.n_anywhere)
        return PMBState(undetected, n_anywhere, tracks, next_label)

    def estimate(self, state: PMBState, time: float) -> Estimates:
        """Return the tracks that exist with more than ``report_threshold``: the mean of their heaviest component."""
        n_undetected = float(state.undetected.weights.sum()) + state.n_anywhere
        return estimate_tracks(self.model, state.tracks, n_undetected, time)
