"""``GMCPHD``: the Gaussian-mixture cardinalized PHD filter.

Beside the intensity of objects, the filter knows the distribution of their number. So its number of objects is less
noisy than that of a PHD filter.

Source: Vo, Vo & Cantoni, "Analytic implementations of the cardinalized probability hypothesis density filter", IEEE
Trans. Signal Processing 55, 2007.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gaussmix.errors import ParameterError
from gaussmix.tracking.cardinality import mean_number, poisson_cardinality, predict_cardinality, update_cardinality
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.intensity_reports import make_estimates, report_selected
from gaussmix.tracking.intensity_steps import (
    ObjectIntensity,
    initial_intensity,
    predict_intensity,
    reduce_intensity,
    score_intensity,
    update_intensity,
)
from gaussmix.tracking.object_labels import LabelMemory, Report
from gaussmix.tracking.object_modes import weigh_objects
from gaussmix.tracking.spawning import Spawn, parse_spawns
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracker import AbstractTracker
from gaussmix.types import ND, IntK, K

_TIE = 1e-9  # weights that differ by this part are equal

# Ways to estimate the number of objects from the log probabilities of 0, 1, ... objects.
_NUMBERS: dict[str, Callable[[K], int]] = {
    "map": lambda log_probabilities: int(np.argmax(log_probabilities)),
    "mean": lambda log_probabilities: round(mean_number(log_probabilities)),
}
_MAX_BORN = 3000  # the matrix of numbers before and after a step would not fit into memory


@dataclass(frozen=True, eq=False)
class GMCPHDState:
    """What a cardinalized PHD filter knows.

    Attributes
    ----------
    intensity : ObjectIntensity
        Expected objects, with labels.
    log_cardinality : array of shape (L,)
        Log probabilities of 0, 1, ..., L - 1 objects.
    memory : LabelMemory
    report : Report
        The components that are reported.
    """

    intensity: ObjectIntensity
    log_cardinality: K
    memory: LabelMemory
    report: Report


class GMCPHD(AbstractTracker):
    """Track many objects by a Gaussian-mixture cardinalized PHD filter.

    It gets the number of objects more often right than `GMPHD`, but not their places: the weight of a missed object
    passes to others, near or far. `PMB` is more accurate.

    Parameters
    ----------
    model : TargetModel
        Motion, sensor, births, and limits; ``undetected_limits`` say how the intensity is reduced.
    number : {"map", "mean"}, default="map"
        Number of reported objects: the most probable one, or the rounded mean. The heaviest components are reported,
        but of several with equal weights all or none.

    spawn : Spawn or sequence of Spawn, default=()
        How objects make others appear beside them.

    Raises
    ------
    ParameterError
        If a value is not allowed, or a spawn has another number of columns than the states of the motion model.

    Examples
    --------
    >>> from gaussmix.tracking import GMCPHD, Birth, Clutter, ConstantVelocity, PositionSensor, TargetModel
    >>> region = {"low": [0.0, 0.0], "high": [100.0, 100.0]}
    >>> sensor = PositionSensor(noise_std=1.0, clutter=Clutter.in_region(1.0, **region), detection_probability=0.95)
    >>> birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    >>> tracker = GMCPHD(TargetModel(ConstantVelocity(acceleration_std=0.5), sensor, birth))
    >>> estimates = tracker.run([[[10.0 + 2.0 * k, 50.0]] for k in range(10)])
    >>> len(estimates[-1]), int(tracker.state.log_cardinality.argmax())
    (1, 1)
    """

    def __init__(
        self,
        model: TargetModel,
        number: Literal["map", "mean"] = "map",
        spawn: Spawn | Sequence[Spawn] = (),
    ) -> None:
        if number not in _NUMBERS:
            raise ParameterError.invalid_choice("number", number, list(_NUMBERS))
        self.model, self.number = model, number
        self.spawn = parse_spawns(spawn, model.motion.n_states)
        self.reset()

    def initial_state(self) -> GMCPHDState:
        """Return the state before the first scan: a Poisson number of objects, all of them anywhere."""
        intensity = initial_intensity(self.model)
        return GMCPHDState(intensity, poisson_cardinality(intensity.mass), LabelMemory.empty(), Report.empty())

    def predict(self, state: GMCPHDState, dt: float) -> GMCPHDState:
        """Return the state after a time ``dt``: objects move, some leave, and new ones appear or are spawned."""
        survival, birth = self.model.survival_probability**dt, self.model.birth
        n_born = dt * (birth.rate + (birth.places.mass if birth.places is not None else 0.0))
        if n_born > _MAX_BORN:
            allowed = f"a time step in which at most {_MAX_BORN} new objects are expected, not {n_born:.4g}"
            raise ParameterError.invalid_value("dt", dt, allowed)
        n_spawned = dt * sum(spawn.weight for spawn in self.spawn)
        return GMCPHDState(
            predict_intensity(self.model, state.intensity, dt, self.spawn),
            predict_cardinality(state.log_cardinality, survival, n_born, n_spawned),
            state.memory.with_existence(survival * state.memory.existence),
            Report.empty(),
        )

    def update(self, state: GMCPHDState, detections: ND) -> GMCPHDState:
        """Return the state after a scan with detections (n, m)."""
        scored = score_intensity(self.model, state.intensity, detections)
        number = update_cardinality(
            state.log_cardinality, state.intensity.mass, scored.n_missed, scored.log_detected, scored.log_clutter
        )
        updated = update_intensity(self.model, scored, number.missed_factor, number.log_detection_factors)
        reduced = reduce_intensity(self.model, updated, len(detections))
        shown = _select_heaviest(weigh_objects(reduced), _NUMBERS[self.number](number.log_probabilities))
        intensity, report, memory = report_selected(reduced, state.memory, shown)
        return GMCPHDState(intensity, number.log_probabilities, memory, report)

    def estimate(self, state: GMCPHDState, time: float) -> Estimates:
        """Return the reported components; the expected number of objects is the mean of its distribution."""
        return make_estimates(self.model, state.intensity, state.report, mean_number(state.log_cardinality), time)


def _select_heaviest(weights: K, n_shown: int) -> IntK:
    """Return the positions of the heaviest components, heaviest first.

    Those of equal weight are shown together or not at all, as the order of detections must not choose among them.
    """
    order = np.argsort(-weights, kind="stable")
    if n_shown < len(order):
        next_weight = weights[order[n_shown]]
        n_shown = int((weights > next_weight * (1.0 + _TIE)).sum())
    n_shown = min(n_shown, int((weights > 0.0).sum()))
    return order[:n_shown]
