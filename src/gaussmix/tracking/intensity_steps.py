"""Prediction, update and reduction of an intensity of objects: what filters of an intensity share.

An intensity is a mixture of Gaussians whose weights add up to the expected number of objects, and a uniform part:
objects anywhere in the region that no detection has shown yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gaussmix.model.component_reduction import merge_close_components
from gaussmix.tracking.association import GatedPairs, gate_pairs
from gaussmix.tracking.components import Components
from gaussmix.tracking.hypotheses import locate_births, log_sum_in_groups, miss_anywhere, weigh_anywhere
from gaussmix.tracking.kalman import UpdateStack, prepare_update, update_pairs
from gaussmix.tracking.prediction import predict_undetected
from gaussmix.tracking.spawning import Spawn
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import ND, IntN, K, N


@dataclass(frozen=True, eq=False)
class ObjectIntensity:
    """Gaussians whose weights are expected numbers of objects, and ``n_anywhere`` objects that are anywhere.

    ``components.groups`` are labels; 0 marks components of objects without a label. ``detections`` (M,) are positions
    of the detections of the last scan that the components come from, -1 for those without.
    """

    components: Components
    n_anywhere: float
    detections: IntN

    @property
    def mass(self) -> float:
        """Expected number of all objects."""
        return float(self.components.weights.sum()) + self.n_anywhere


class ScoredIntensity(NamedTuple):
    """A predicted intensity and the n detections of a scan.

    ``log_pair_weights`` (P,) are logs of w p_D times the density of the detection, for pairs in the gate;
    ``log_anywhere`` (n,) the same for the uniform part, ``log_detected`` (n,) their sum for each detection, and
    ``log_clutter`` (n,) logs of the intensity of false detections. ``missed_anywhere`` is the probability that an
    object of the uniform part is not detected.
    """

    intensity: ObjectIntensity
    measurements: ND
    detection_probabilities: K
    update: UpdateStack
    pairs: GatedPairs
    log_pair_weights: N
    log_anywhere: N
    log_detected: N
    log_clutter: N
    missed_anywhere: float

    @property
    def n_missed(self) -> float:
        """Expected number of objects that are not detected."""
        missed = float(self.intensity.components.weights @ (1.0 - self.detection_probabilities))
        return missed + self.intensity.n_anywhere * self.missed_anywhere


def initial_intensity(model: TargetModel) -> ObjectIntensity:
    """Return the intensity before the first scan."""
    return ObjectIntensity(Components.empty(model.motion.n_states), model.birth.initial_number, np.zeros(0, np.int64))


def predict_intensity(
    model: TargetModel, intensity: ObjectIntensity, dt: float, spawns: Sequence[Spawn] = ()
) -> ObjectIntensity:
    """Return the intensity after a time ``dt``: objects move, leave, spawn others, and appear."""
    spawned = [spawn.make_components(intensity.components, dt) for spawn in spawns]
    predicted, n_anywhere = predict_undetected(model, intensity.components, intensity.n_anywhere, dt, spawned)
    return ObjectIntensity(predicted, n_anywhere, np.full(len(predicted), -1))


def score_intensity(model: TargetModel, intensity: ObjectIntensity, measurements: ND) -> ScoredIntensity:
    """Weigh every pair of a component and a detection (n, m) of a scan."""
    sensor, layout, components = model.sensor, model.motion.layout, intensity.components
    update = prepare_update(sensor, layout, components.means, components.covariances)
    probabilities = sensor.detection_probabilities(components.means, layout)
    pairs = gate_pairs(sensor, update, measurements, model.max_squared_distance)
    with np.errstate(divide="ignore"):
        log_weights = np.log(components.weights * probabilities)[pairs.components] + pairs.log_densities
        log_clutter = np.log(sensor.clutter.intensity(measurements))
    log_anywhere = weigh_anywhere(model, intensity.n_anywhere, measurements)
    log_detected = np.logaddexp(log_sum_in_groups(pairs.detections, log_weights, len(measurements)), log_anywhere)
    return ScoredIntensity(
        intensity,
        measurements,
        probabilities,
        update,
        pairs,
        log_weights,
        log_anywhere,
        log_detected,
        log_clutter,
        miss_anywhere(model, measurements),
    )


def update_intensity(
    model: TargetModel, scored: ScoredIntensity, missed_factor: float, log_detection_factors: N
) -> ObjectIntensity:
    """Return the intensity after a scan.

    Parameters
    ----------
    model : TargetModel
    scored : ScoredIntensity
    missed_factor : float
        Times w (1 - p_D), the weight of a component that is not detected.
    log_detection_factors : array of shape (n,)
        Logs of factors; times the weight of a pair, the weight of the component after an update with the detection.
    """
    components, pairs = scored.intensity.components, scored.pairs
    missed = components.with_weights(missed_factor * components.weights * (1.0 - scored.detection_probabilities))
    detected = Components(
        components.groups[pairs.components],
        np.exp(scored.log_pair_weights + log_detection_factors[pairs.detections]),
        update_pairs(components.means, scored.update, pairs.components, pairs.differences),
        scored.update.covariances[pairs.components],
        components.modes[pairs.components],
    )
    born, first_detections = _start_anywhere(model, scored, log_detection_factors)
    return ObjectIntensity(
        Components.concatenate([missed, detected, born]),
        missed_factor * scored.intensity.n_anywhere * scored.missed_anywhere,
        np.concatenate([np.full(len(missed), -1), pairs.detections, first_detections]),
    )


def reduce_intensity(model: TargetModel, intensity: ObjectIntensity, n_detections: int) -> ObjectIntensity:
    """Return the intensity with fewer components, by ``model.undetected_limits``: prune, merge, and cap.

    Merged components have label and detection of the heaviest. Components that are heavy enough to be reported do not
    count towards the cap. Neither does one for each detection if objects appear anywhere, as each may be a new object.
    """
    limits = model.undetected_limits
    is_kept = intensity.components.weights > limits.min_weight
    kept = intensity.components.select(is_kept)
    reduced = merge_close_components(
        kept.modes, kept.weights, kept.means, kept.covariances, limits.merge_distance**2, max(len(kept), 1)
    )
    room = limits.max_components + int((reduced.weights > model.report_threshold).sum())
    room += n_detections if model.birth.rate > 0.0 or model.birth.initial_number > 0.0 else 0
    heaviest = np.argsort(-reduced.weights, kind="stable")[:room]
    positions: IntN = reduced.positions[heaviest]
    components = Components(
        kept.groups[positions],
        reduced.weights[heaviest],
        reduced.means[heaviest],
        reduced.covariances[heaviest],
        kept.modes[positions],
    )
    return ObjectIntensity(components, intensity.n_anywhere, intensity.detections[is_kept][positions])


def _start_anywhere(model: TargetModel, scored: ScoredIntensity, log_detection_factors: N) -> tuple[Components, IntN]:
    """Return components without labels from the uniform part, and their detections.

    Source: Beard, Vo, Vo & Arulampalam, "A partially uniform target birth model for Gaussian mixture PHD/CPHD
    filtering", IEEE Trans. Aerospace and Electronic Systems 49, 2013.
    """
    weights = np.exp(scored.log_anywhere + log_detection_factors)
    detections = np.flatnonzero(weights > model.undetected_limits.min_weight)
    means, covariances = locate_births(model, scored.measurements[detections])
    none = np.zeros(len(detections), dtype=np.int64)
    return Components(none, weights[detections], means, covariances, none), detections
