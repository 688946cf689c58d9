"""``PMBM``: the Poisson multi-Bernoulli mixture filter, which keeps the best global hypotheses of each cluster.

Undetected objects are a Poisson process. A track has several single hypotheses, each with a probability of existence
and a state; a global hypothesis takes one of each track. After a scan, each global hypothesis goes on with its best
assignments by Murty's algorithm (García-Fernández, Williams, Granström & Svensson, "Poisson multi-Bernoulli mixture
filter: direct derivation and implementation", IEEE Trans. Aerospace and Electronic Systems 54, 2018). Tracks that share
no detection are in different clusters, which are independent.
"""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.tracking.cluster_update import HypothesisLimits, expand_clusters
from gaussmix.tracking.components import Components
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.hypotheses import score_hypotheses
from gaussmix.tracking.hypothesis_clusters import Cluster
from gaussmix.tracking.prediction import predict_components, predict_tracks
from gaussmix.tracking.single_hypotheses import make_problem, project_to_tracks, update_hypotheses
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_estimates import estimate_tracks
from gaussmix.tracking.track_update import keep_undetected
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.tracking.tracks import Tracks
from gaussmix.types import ND, Array


@dataclass(frozen=True, eq=False)
class PMBMState:
    """What a PMBM filter knows.

    Attributes
    ----------
    undetected : Components
        Intensity of objects that have not been detected yet, at the places of birth.
    n_anywhere : float
        Expected number of undetected objects anywhere in the region.
    hypotheses : Tracks
        Single hypotheses; those of one track have the same label.
    histories : int array of shape (L, h)
        Detections of the last scans of each single hypothesis, the last scan first; -1 for none.
    clusters : tuple of Cluster
        Global hypotheses; their members are positions in ``hypotheses``.
    next_label : int
    """

    undetected: Components
    n_anywhere: float
    hypotheses: Tracks
    histories: Array
    clusters: tuple[Cluster, ...] = ()
    next_label: int = 1


class PMBM(AbstractTracker):
    """Track many objects by a Poisson multi-Bernoulli mixture filter.

    Parameters
    ----------
    model : TargetModel
        Motion, sensor, births, and limits.
    limits : HypothesisLimits
        How many global hypotheses are kept.
    """

    def __init__(self, model: TargetModel, limits: HypothesisLimits = HypothesisLimits(), estimator=project_to_tracks) -> None:
        self.model, self.limits = model, limits
        self.estimator = estimator
        self.reset()

    def initial_state(self) -> PMBMState:
        """Return the state before the first scan: no tracks."""
        n_states = self.model.motion.n_states
        histories = np.zeros((0, max(1, self.limits.n_scans or 1)), dtype=np.int64)
        n_anywhere = self.model.birth.initial_number
        return PMBMState(Components.empty(n_states), n_anywhere, Tracks.empty(n_states), histories)

    def predict(self, state: PMBMState, dt: float) -> PMBMState:
        """Return the state after a time ``dt``: objects move, some leave, and new ones appear."""
        survival, birth, motion = self.model.survival_probability**dt, self.model.birth, self.model.motion
        undetected = predict_components(motion, state.undetected, dt)
        undetected = undetected.with_weights(survival * undetected.weights)
        return replace(
            state,
            undetected=Components.concatenate([undetected, birth.make_components(motion.n_states, dt)]),
            n_anywhere=survival * state.n_anywhere + birth.rate * dt,
            hypotheses=predict_tracks(self.model, state.hypotheses, dt),
        )

    def update(self, state: PMBMState, detections: ND) -> PMBMState:
        """Return the state after a scan with detections (n, m)."""
        scan = score_hypotheses(self.model, state.hypotheses, state.undetected, state.n_anywhere, detections)
        problem = make_problem(self.model, scan)
        expanded = expand_clusters(state.clusters, problem, self.limits)
        updated = update_hypotheses(self.model, scan, state.histories, expanded, self.limits, state.next_label)
        return PMBMState(*keep_undetected(self.model, scan, state.n_anywhere), *updated)

    def estimate(self, state: PMBMState, time: float) -> Estimates:
        """Return the tracks that exist with more than ``report_threshold``: the mean of their heaviest component."""
        n_undetected = float(state.undetected.weights.sum()) + state.n_anywhere
        tracks = self.estimator(self.model, state.hypotheses, state.clusters)
        return estimate_tracks(self.model, tracks, n_undetected, time)
