"""``GMPHD``: the Gaussian-mixture probability hypothesis density filter.

The filter knows the intensity of objects, a mixture whose weights add up to their expected number, and no single
objects (Vo & Ma, "The Gaussian mixture probability hypothesis density filter", IEEE Trans. Signal Processing 54, 2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gaussmix.core.scalar_checks import require_integer
from gaussmix.errors import ParameterError
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.intensity_reports import REPORT_RULES, make_estimates
from gaussmix.tracking.intensity_steps import (
    ObjectIntensity,
    initial_intensity,
    predict_intensity,
    reduce_intensity,
    score_intensity,
    update_intensity,
)
from gaussmix.tracking.label_existence import update_existence
from gaussmix.tracking.object_labels import LabelMemory, Report
from gaussmix.tracking.spawning import Spawn, parse_spawns
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.types import ND


@dataclass(frozen=True, eq=False)
class GMPHDState:
    """What a PHD filter knows.

    Attributes
    ----------
    intensity : ObjectIntensity
        Expected objects, with labels.
    memory : LabelMemory
        Hits and existence of each label.
    report : Report
        The components that are reported.
    """

    intensity: ObjectIntensity
    memory: LabelMemory
    report: Report


class GMPHD(AbstractTracker):
    """Track many objects by a Gaussian-mixture PHD filter.

    Its cost grows with the product of objects and detections near them, and it is simple, but an object that is missed
    loses nearly all of its weight. `PMB` is more accurate.

    Parameters
    ----------
    model : TargetModel
        Motion, sensor, births, and limits; ``undetected_limits`` say how the intensity is reduced.
    report : {"labelled", "standard"}, default="labelled"
        "standard" reports round(w) copies of each component of a weight w above ``report_threshold``, as published;
        labels are then new in each scan. "labelled" reports each such component once, with a label that persists, and
        established objects that were missed.
    min_hits : int, default=3
        Number of scans that must show an object before it is established; used by "labelled" only.
    spawn : Spawn or sequence of Spawn, default=()
        New objects that appear beside others.

    Raises
    ------
    ParameterError
        If a value is not allowed, or a spawn has another number of columns than the states of the motion model.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.tracking import GMPHD, Birth, Clutter, ConstantVelocity, PositionSensor, TargetModel
    >>> region = {"low": [0.0, 0.0], "high": [100.0, 100.0]}
    >>> sensor = PositionSensor(noise_std=1.0, clutter=Clutter.in_region(1.0, **region), detection_probability=0.95)
    >>> birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    >>> tracker = GMPHD(TargetModel(ConstantVelocity(acceleration_std=0.5), sensor, birth))
    >>> scans = [[[10.0 + 2.0 * k, 50.0]] for k in range(10)]
    >>> estimates = tracker.run(scans)
    >>> estimates[-1].labels.tolist(), np.round(estimates[-1].positions).tolist()
    ([1], [[28.0, 50.0]])
    """

    def __init__(
        self,
        model: TargetModel,
        report: Literal["labelled", "standard"] = "labelled",
        min_hits: int = 3,
        spawn: Spawn | Sequence[Spawn] = (),
    ) -> None:
        if report not in REPORT_RULES:
            raise ParameterError.invalid_choice("report", report, list(REPORT_RULES))
        self.model, self.report = model, report
        self.min_hits = require_integer("min_hits", min_hits, 1)
        self.spawn = parse_spawns(spawn, model.motion.n_states)
        self.reset()

    def initial_state(self) -> GMPHDState:
        """Return the state before the first scan: no objects."""
        return GMPHDState(initial_intensity(self.model), LabelMemory.empty(), Report.empty())

    def predict(self, state: GMPHDState, dt: float) -> GMPHDState:
        """Return the state after a time ``dt``: objects move, some leave, and new ones appear or are spawned."""
        survival = self.model.survival_probability**dt
        return GMPHDState(
            predict_intensity(self.model, state.intensity, dt, self.spawn),
            state.memory.with_existence(survival * state.memory.existence),
            Report.empty(),
        )

    def update(self, state: GMPHDState, detections: ND) -> GMPHDState:
        """Return the state after a scan with detections (n, m).

        A detection with no clutter and no object near it is ignored.
        """
        scored = score_intensity(self.model, state.intensity, detections)
        log_totals = np.logaddexp(scored.log_detected, scored.log_clutter)
        log_factors = np.where(np.isfinite(log_totals), -log_totals, -np.inf)
        updated = update_intensity(self.model, scored, 1.0, log_factors)
        reduced = reduce_intensity(self.model, updated, len(detections))
        memory = update_existence(scored, log_factors, state.memory)
        reported = REPORT_RULES[self.report](self.model, reduced, memory, self.min_hits)
        return GMPHDState(reported.intensity, reported.memory, reported.report)

    def estimate(self, state: GMPHDState, time: float) -> Estimates:
        """Return the reported components; the expected number of objects is the sum of all weights."""
        return make_estimates(self.model, state.intensity, state.report, state.intensity.mass, time)
