"""Tracks and undetected objects after a scan, given probabilities of its associations."""

from dataclasses import replace

import numpy as np

from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.hypotheses import ScanHypotheses, detect_anywhere, locate_births
from gaussmix.tracking.marginals import Marginals
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks, normalize_tracks, reduce_components
from gaussmix.types import IntN, K, N

_TINY = np.finfo(np.float64).tiny


def update_tracks(model: TargetModel, scan: ScanHypotheses, marginals: Marginals) -> Tracks:
    """Return the tracks after the scan: each is the mixture of its hypotheses, missed and with each detection.

    A missed track exists with r (1 - p_D) / (1 - r + r (1 - p_D)), a detected one with 1.
    """
    existence, edges = scan.tracks.existence, scan.edges
    missed_existence = marginals.missed * existence * scan.missed / (1.0 - existence * (1.0 - scan.missed))
    detected_existence = sum_in_groups(edges.tracks, marginals.edges, len(existence))
    left = _weigh_missed(scan, missed_existence / np.maximum(scan.missed, _TINY))
    return _make_tracks(
        model,
        missed_existence + detected_existence,
        scan.tracks.labels,
        _most_probable_detections(scan, marginals),
        Components.concatenate([left, _weigh_detected(scan, marginals.edges)]),
    )


def _most_probable_detections(scan: ScanHypotheses, marginals: Marginals) -> IntN:
    """Return the most probable detection of each track (T,), -1 if none is the most probable."""
    edges = scan.edges
    best = np.array(marginals.missed)
    np.maximum.at(best, edges.tracks, marginals.edges)
    is_best = (marginals.edges >= best[edges.tracks]) & (marginals.edges > marginals.missed[edges.tracks])
    detections = np.full(len(best), -1)
    detections[edges.tracks[is_best]] = edges.detections[is_best]
    return detections


def _weigh_missed(scan: ScanHypotheses, factors: K) -> Components:
    """Return the components of tracks with weights w (1 - p_D), times a factor for each track."""
    components = scan.components.select(slice(0, scan.n_track_components))
    not_detected = 1.0 - scan.detection_probabilities[: scan.n_track_components]
    return components.with_weights(components.weights * not_detected * factors[components.groups])


def _weigh_detected(scan: ScanHypotheses, edge_weights: N) -> Components:
    """Return the updated components of all pairs of tracks; those of an edge add up to its weight."""
    edges, pairs, n_pairs = scan.edges, scan.pairs, scan.n_track_pairs
    parts = np.exp(scan.log_pair_weights[:n_pairs] - edges.log_likelihoods[edges.edge_of_pair])
    owners = pairs.components[:n_pairs]
    return Components(
        scan.components.groups[owners],
        edge_weights[edges.edge_of_pair] * parts,
        scan.pair_means[:n_pairs],
        scan.update.covariances[owners],
        scan.components.modes[owners],
    )


def start_tracks(model: TargetModel, scan: ScanHypotheses, new_probabilities: N, next_label: int) -> Tracks:
    """Return a new track for each detection that may be the first one of an object.

    Parameters
    ----------
    model : TargetModel
    scan : ScanHypotheses
    new_probabilities : array of shape (n,)
        Probabilities that no earlier track gave the detection.
    next_label : int
        Label of the first new track.
    """
    n_detections = len(scan.measurements)
    with np.errstate(invalid="ignore"):
        born_fraction = np.where(np.isfinite(scan.log_born), np.exp(scan.log_born - scan.log_new), 0.0)
    existence = new_probabilities * born_fraction
    is_started = existence > model.min_existence
    owners, detections = scan.pairs.components[scan.n_track_pairs :], scan.pairs.detections[scan.n_track_pairs :]
    weights = np.exp(scan.log_pair_weights[scan.n_track_pairs :] - np.maximum(scan.log_born[detections], -1e300))
    at_places = Components(
        detections,
        weights * existence[detections],
        scan.pair_means[scan.n_track_pairs :],
        scan.update.covariances[owners],
        scan.components.modes[owners],
    )
    is_anywhere = is_started & np.isfinite(scan.log_anywhere)
    means, covariances = locate_births(model, scan.measurements[is_anywhere])
    positions = np.flatnonzero(is_anywhere)
    fractions = np.exp(scan.log_anywhere[positions] - scan.log_born[positions])
    anywhere = Components(
        positions, existence[positions] * fractions, means, covariances, np.zeros(len(positions), dtype=np.int64)
    )
    labels = np.zeros(n_detections, dtype=np.int64)
    labels[is_started] = next_label + np.arange(int(is_started.sum()))
    components = Components.concatenate([at_places, anywhere])
    return _make_tracks(model, existence, labels, np.arange(n_detections), components)


def keep_undetected(model: TargetModel, scan: ScanHypotheses, n_anywhere: float) -> tuple[Components, float]:
    """Return the intensity of undetected objects, and their number anywhere, after a scan that did not detect them."""
    undetected = scan.components.select(slice(scan.n_track_components, None))
    left = undetected.with_weights(undetected.weights * (1.0 - scan.detection_probabilities[scan.n_track_components :]))
    reduced = reduce_components(left, model.undetected_limits)
    probability = model.sensor.detection_probability
    mean_probability = (
        (float(np.mean(detect_anywhere(model, scan.measurements))) if len(scan.measurements) else 0.0)
        if callable(probability)
        else float(probability)
    )
    return reduced, n_anywhere * (1.0 - mean_probability)


def _make_tracks(model: TargetModel, existence: K, labels: IntN, detections: IntN, components: Components) -> Tracks:
    """Return the tracks that are likely enough, with reduced mixtures whose weights add up to 1.

    Weights of components add up to the existence of their track.
    """
    kept = Tracks(np.minimum(existence, 1.0), labels, detections, components).select(existence > model.min_existence)
    relative = kept.components.weights / kept.existence[kept.components.groups]
    reduced = reduce_components(kept.components.with_weights(relative), model.limits)
    return normalize_tracks(replace(kept, components=reduced))
