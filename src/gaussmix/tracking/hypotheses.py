"""What single associations of a scan weigh: track with detection, track without, detection without track.

Filters of tracks differ in how they combine these weights, and share everything here.
"""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.tracking.association import GatedPairs, gate_pairs, select_pairs
from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.kalman import UpdateStack, prepare_update, update_pairs
from gaussmix.tracking.marginals import AssociationWeights
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks
from gaussmix.types import KD, KDD, ND, AnyArray, IntN, K, N

# A detection probability of 1 would leave no explanation for a missed object.
_MAX_DETECTION_PROBABILITY = 1.0 - 1e-12


class Edges(NamedTuple):
    """Tracks and detections with at least one pair in the gate: E edges, ordered by track, and the edge of each pair.

    ``log_likelihoods`` (E,) are logs of the density of the detection, times the probability of detection.
    """

    tracks: IntN
    detections: IntN
    log_likelihoods: N
    edge_of_pair: IntN


class ScanHypotheses(NamedTuple):
    """All single hypotheses of a scan with n detections.

    The components of tracks (first ``n_track_components``), then those of undetected objects, with everything that
    their pairs with detections need. ``missed`` (T,) are probabilities that a track that exists is not detected;
    ``log_born`` (n,) logs of the intensity of first detections of new objects, of which ``log_anywhere`` (n,) belongs
    to objects that appear anywhere; ``log_new`` (n,) also counts false detections.
    """

    measurements: ND
    tracks: Tracks
    components: Components
    n_track_components: int
    detection_probabilities: K
    update: UpdateStack
    pairs: GatedPairs
    n_track_pairs: int
    log_pair_weights: N
    edges: Edges
    missed: K
    log_born: N
    log_anywhere: N
    log_new: N

    def update_means(self, positions: AnyArray | slice) -> KD:
        """Return the means of the updated components of some pairs."""
        pairs = self.pairs
        return update_pairs(
            self.components.means, self.update, pairs.components[positions], pairs.differences[positions]
        )


def score_hypotheses(
    model: TargetModel, tracks: Tracks, undetected: Components, n_anywhere: float, measurements: ND
) -> ScanHypotheses:
    """Weigh every association of a scan.

    Parameters
    ----------
    model : TargetModel
    tracks : Tracks
        Predicted tracks.
    undetected : Components
        Predicted intensity of undetected objects.
    n_anywhere : float
        Expected number of undetected objects anywhere in the region.
    measurements : array of shape (n, m)
    """
    sensor, layout = model.sensor, model.motion.layout
    components = Components.concatenate([tracks.components, undetected])
    n_track_components, n_detections = len(tracks.components), len(measurements)
    update = prepare_update(sensor, layout, components.means, components.covariances)
    probabilities = np.minimum(sensor.detection_probabilities(components.means, layout), _MAX_DETECTION_PROBABILITY)
    pairs = gate_pairs(sensor, update, measurements, model.max_squared_distance)
    detected_weights = components.weights * probabilities
    pairs = select_pairs(pairs, detected_weights[pairs.components] > 0.0)
    n_track_pairs = int(np.searchsorted(pairs.components, n_track_components))
    with np.errstate(divide="ignore"):
        log_weights = np.log(detected_weights)[pairs.components] + pairs.log_densities
        log_clutter = np.log(sensor.clutter.intensity(measurements))
    log_anywhere = weigh_anywhere(model, n_anywhere, measurements)
    log_born = np.logaddexp(
        log_sum_in_groups(pairs.detections[n_track_pairs:], log_weights[n_track_pairs:], n_detections), log_anywhere
    )
    return ScanHypotheses(
        measurements,
        tracks,
        components,
        n_track_components,
        probabilities,
        update,
        pairs,
        n_track_pairs,
        log_weights,
        _make_edges(
            components.groups[pairs.components[:n_track_pairs]],
            pairs.detections[:n_track_pairs],
            log_weights[:n_track_pairs],
            n_detections,
        ),
        _sum_not_detected(tracks, probabilities[:n_track_components]),
        log_born,
        log_anywhere,
        np.logaddexp(log_born, log_clutter),
    )


def _sum_not_detected(tracks: Tracks, probabilities: K) -> K:
    """Return the probability that each track gives no detection if it exists, from those of its components."""
    components = tracks.components
    return sum_in_groups(components.groups, components.weights * (1.0 - probabilities), len(tracks))


def weigh_anywhere(model: TargetModel, n_anywhere: float, measurements: ND) -> N:
    """Return logs of the intensity of first detections (n,) of objects that appear anywhere in the region."""
    if n_anywhere <= 0.0:
        return np.full(len(measurements), -np.inf)
    with np.errstate(divide="ignore"):
        probabilities = np.log(_detect_anywhere(model, measurements))
    return np.asarray(probabilities + math.log(n_anywhere / model.birth.volume))


def _detect_anywhere(model: TargetModel, measurements: ND) -> N:
    """Return the probability of detection where each measurement lies, (n,)."""
    sensor = model.sensor
    if not callable(sensor.detection_probability):  # it is the same everywhere, so no place has to be found
        return np.full(len(measurements), float(sensor.detection_probability))
    means, _ = locate_births(model, measurements)
    return sensor.detection_probabilities(means, model.motion.layout)


def miss_anywhere(model: TargetModel, measurements: ND) -> float:
    """Return the probability that an object anywhere is not detected, as a mean over detections if it varies."""
    probability = model.sensor.detection_probability
    if not callable(probability):
        return 1.0 - float(probability)
    return 1.0 - float(_detect_anywhere(model, measurements).mean()) if len(measurements) else 1.0


def locate_births(model: TargetModel, measurements: ND) -> tuple[KD, KDD]:
    """Return means (n, D) and covariances (n, D, D) of new objects with first detections (n, m)."""
    return model.birth.locate(model.sensor, model.motion.layout, measurements)


def weigh_associations(scan: ScanHypotheses) -> AssociationWeights:
    """Return the weights of a scan's associations: r p_D l for edges, 1 - r + r (1 - p_D) for missed tracks."""
    existence, edges = scan.tracks.existence, scan.edges
    with np.errstate(divide="ignore"):
        log_existence = np.log(existence)
        log_missed = np.log1p(-existence * (1.0 - scan.missed))
    return AssociationWeights(
        edges.tracks, edges.detections, log_existence[edges.tracks] + edges.log_likelihoods, log_missed, scan.log_new
    )


def log_sum_in_groups(groups: IntN, log_values: N, n_groups: int) -> N:
    """Return the log of the sum of exp(log_values) of each group, (n_groups,); minus infinity for an empty group."""
    top = np.full(n_groups, -np.inf)
    np.maximum.at(top, groups, log_values)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(shift + np.log(sum_in_groups(groups, np.exp(log_values - shift[groups]), n_groups)))


def _make_edges(tracks: IntN, detections: IntN, log_weights: N, n_detections: int) -> Edges:
    """Join the pairs of each track and detection to edges."""
    keys, edge_of_pair = np.unique(tracks * n_detections + detections, return_inverse=True)
    return Edges(
        keys // max(n_detections, 1),
        keys % max(n_detections, 1),
        log_sum_in_groups(edge_of_pair, log_weights, len(keys)),
        edge_of_pair,
    )
