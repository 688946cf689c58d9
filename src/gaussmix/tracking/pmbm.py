"""``PMBM``: the Poisson multi-Bernoulli mixture filter, which keeps the best global hypotheses of each cluster.

Undetected objects are a Poisson process. A track has several single hypotheses, each with a probability of existence
and a state; a global hypothesis takes one of each track. After a scan, each global hypothesis goes on with its best
assignments by Murty's algorithm (García-Fernández, Williams, Granström & Svensson, "Poisson multi-Bernoulli mixture
filter: direct derivation and implementation", IEEE Trans. Aerospace and Electronic Systems 54, 2018). Tracks that share
no detection are in different clusters, which are independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.tracking.cluster_update import expand_clusters
from gaussmix.tracking.components import Components
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.hypotheses import score_hypotheses
from gaussmix.tracking.hypothesis_clusters import Cluster, HypothesisLimits, marginal_weights
from gaussmix.tracking.hypothesis_reports import REPORTS, marginal_existence
from gaussmix.tracking.prediction import predict_tracks, predict_undetected
from gaussmix.tracking.single_hypotheses import make_problem, update_hypotheses
from gaussmix.tracking.spawning import Spawn, parse_spawns
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.track_estimates import make_estimates
from gaussmix.tracking.track_update import keep_undetected
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.tracking.tracks import Tracks, weigh_by_existence
from gaussmix.types import ND, IntArray


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
    histories: IntArray
    clusters: tuple[Cluster, ...] = ()
    next_label: int = 1


class PMBM(AbstractTracker):
    """Track many objects by a Poisson multi-Bernoulli mixture filter.

    It is more accurate than `PMB` where identities are ambiguous for several scans, and takes about ten times as long.
    Clusters of more than 10000 pairs of track and detection are updated by loopy belief propagation, as in `PMB`.

    Parameters
    ----------
    model : TargetModel
        Motion, sensor, births, and limits.
    n_hypotheses : int, default=100
        Global hypotheses kept in each cluster of tracks.
    min_hypothesis_weight : float, default=1e-4
        Global hypotheses with less probability are dropped.
    n_scans : int or None, default=3
        Single hypotheses of a track that agree on its detections in the last ``n_scans`` scans are merged into a
        mixture. None merges none, so that every past assignment stays a hypothesis of its own. With 0, the filter is a
        `PMB` with marginals from ranked assignments.
    report : {"best_hypothesis", "marginal"}, default="best_hypothesis"
        Whether tracks are reported that probably exist in the most probable global hypothesis, or over all of them.
        Existence in `Estimates` is over all of them.
    spawn : Spawn or sequence of Spawn, default=()
        How objects make others appear beside them.

    Raises
    ------
    ParameterError
        If a value lies outside its range, or a spawn has another number of columns than the states of the motion model.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import PMBM, Birth, Clutter, ConstantVelocity, PositionSensor, TargetModel
    >>> region = {"low": [0.0, 0.0], "high": [100.0, 100.0]}
    >>> sensor = PositionSensor(noise_std=1.0, clutter=Clutter.in_region(1.0, **region), detection_probability=0.95)
    >>> birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    >>> tracker = PMBM(TargetModel(ConstantVelocity(acceleration_std=0.5), sensor, birth), n_hypotheses=50)
    >>> scans = [[[10.0 + 2.0 * k, 50.0]] for k in range(10)]
    >>> estimates = tracker.run(scans)
    >>> estimates[-1].labels.tolist(), np.round(estimates[-1].positions).tolist()
    ([1], [[28.0, 50.0]])
    """

    def __init__(
        self,
        model: TargetModel,
        n_hypotheses: int = 100,
        min_hypothesis_weight: float = 1e-4,
        n_scans: int | None = 3,
        report: str = "best_hypothesis",
        spawn: Spawn | Sequence[Spawn] = (),
    ) -> None:
        if report not in REPORTS:
            raise ParameterError.invalid_value("report", report, f"one of {', '.join(map(repr, REPORTS))}")
        self.model, self.report = model, report
        self.spawn = parse_spawns(spawn, model.motion.n_states)
        self.limits = HypothesisLimits(n_hypotheses, min_hypothesis_weight, n_scans)
        self.reset()

    def initial_state(self) -> PMBMState:
        """Return the state before the first scan: no tracks."""
        n_states = self.model.motion.n_states
        histories = np.zeros((0, max(1, self.limits.n_scans or 1)), dtype=np.int64)
        n_anywhere = self.model.birth.initial_number
        return PMBMState(Components.empty(n_states), n_anywhere, Tracks.empty(n_states), histories)

    def predict(self, state: PMBMState, dt: float) -> PMBMState:
        """Return the state after a time ``dt``: objects move, some leave, and new ones appear or are spawned."""
        spawned = []
        if self.spawn:
            probabilities = marginal_weights(state.clusters, len(state.hypotheses))
            tracked = weigh_by_existence(state.hypotheses, probabilities)
            parents = Components.concatenate([tracked, state.undetected])
            spawned = [spawn.make_components(parents, dt) for spawn in self.spawn]
        undetected, n_anywhere = predict_undetected(self.model, state.undetected, state.n_anywhere, dt, spawned)
        return replace(
            state,
            undetected=undetected,
            n_anywhere=n_anywhere,
            hypotheses=predict_tracks(self.model, state.hypotheses, dt),
        )

    def update(self, state: PMBMState, detections: ND) -> PMBMState:
        """Return the state after a scan with detections (n, m)."""
        scan = score_hypotheses(self.model, state.hypotheses, state.undetected, state.n_anywhere, detections)
        problem = make_problem(self.model, scan)
        expanded = expand_clusters(state.clusters, problem, self.limits)
        updated = update_hypotheses(self.model, scan, state.histories, expanded, self.limits, state.next_label)
        undetected, n_anywhere = keep_undetected(self.model, scan, state.n_anywhere)
        return PMBMState(
            undetected, n_anywhere, updated.hypotheses, updated.histories, updated.clusters, updated.next_label
        )

    def estimate(self, state: PMBMState, time: float) -> Estimates:
        """Return tracks as ``report`` tells, each at the mean of its heaviest component."""
        n_undetected = float(state.undetected.weights.sum()) + state.n_anywhere
        _, existence = marginal_existence(state.hypotheses, state.clusters)
        tracks = REPORTS[self.report](self.model, state.hypotheses, state.clusters)
        return make_estimates(self.model, tracks, float(existence.sum()) + n_undetected, time)
