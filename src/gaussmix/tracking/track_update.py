"""Tracks and undetected objects after a scan, given probabilities of its associations."""

from dataclasses import replace

import numpy as np

from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.hypotheses import ScanHypotheses, locate_births, miss_anywhere
from gaussmix.tracking.marginals import Marginals
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracks import Tracks, join_tracks, normalize_tracks, reduce_components
from gaussmix.types import IntN, K, N

_TINY = np.finfo(np.float64).tiny


def update_tracks(
    model: TargetModel, scan: ScanHypotheses, marginals: Marginals, next_label: int
) -> tuple[Tracks, int]:
    """Return the tracks after a scan, new ones included, and the next free label.

    A track is the mixture of its hypotheses: missed, and with each detection. Tracks that exist with at most
    ``min_existence`` are dropped, and mixtures reduced.
    """
    started = _start_tracks(model, scan, marginals.new, next_label)
    tracks = join_tracks(_continue_tracks(model, scan, marginals), started)
    relative = tracks.components.weights / tracks.existence[tracks.components.groups]
    reduced = reduce_components(tracks.components.with_weights(relative), model.limits)
    return normalize_tracks(replace(tracks, components=reduced)), next_label + len(started)


def _continue_tracks(model: TargetModel, scan: ScanHypotheses, marginals: Marginals) -> Tracks:
    """Return the earlier tracks that still exist; weights of components add up to the existence of their track.

    A missed track exists with r (1 - p_D) / (1 - r + r (1 - p_D)), a detected one with 1.
    """
    existence, edges = scan.tracks.existence, scan.edges
    missed_existence = marginals.missed * existence * scan.missed / (1.0 - existence * (1.0 - scan.missed))
    detected_existence = sum_in_groups(edges.tracks, marginals.edges, len(existence))
    left = weigh_missed(scan, missed_existence / np.maximum(scan.missed, _TINY))
    updated_existence = np.minimum(missed_existence + detected_existence, 1.0)
    return Tracks(
        updated_existence,
        scan.tracks.labels,
        _most_probable_detections(scan, marginals),
        Components.concatenate([left, weigh_detected(scan, marginals.edges)]),
    ).select(updated_existence > model.min_existence)


def _most_probable_detections(scan: ScanHypotheses, marginals: Marginals) -> IntN:
    """Return the most probable detection of each track (T,), -1 if none is the most probable."""
    edges = scan.edges
    best = np.array(marginals.missed)
    np.maximum.at(best, edges.tracks, marginals.edges)
    is_best = (marginals.edges >= best[edges.tracks]) & (marginals.edges > marginals.missed[edges.tracks])
    detections = np.full(len(best), -1)
    detections[edges.tracks[is_best]] = edges.detections[is_best]
    return detections


def weigh_missed(scan: ScanHypotheses, factors: K) -> Components:
    """Return the components of tracks with weights w (1 - p_D), times a factor for each track."""
    components = scan.components.select(slice(0, scan.n_track_components))
    not_detected = 1.0 - scan.detection_probabilities[: scan.n_track_components]
    return components.with_weights(components.weights * not_detected * factors[components.groups])


def weigh_detected(scan: ScanHypotheses, edge_weights: N) -> Components:
    """Return the updated components of all pairs of tracks; those of an edge add up to its weight."""
    edges, pairs, n_pairs = scan.edges, scan.pairs, scan.n_track_pairs
    parts = np.exp(scan.log_pair_weights[:n_pairs] - edges.log_likelihoods[edges.edge_of_pair])
    owners = pairs.components[:n_pairs]
    return Components(
        scan.components.groups[owners],
        edge_weights[edges.edge_of_pair] * parts,
        scan.update_means(slice(0, n_pairs)),
        scan.update.covariances[owners],
        scan.components.modes[owners],
    )


def _start_tracks(model: TargetModel, scan: ScanHypotheses, new_probabilities: N, next_label: int) -> Tracks:
    """Return a new track for each detection that may be the first one of an object.

    ``new_probabilities`` (n,) are those that no earlier track gave the detection. Weights of components add up to the
    existence of their track.
    """
    existence = np.minimum(new_probabilities * born_fractions(scan), 1.0)
    started = np.flatnonzero(existence > model.min_existence)
    positions = np.full(len(existence), -1)
    positions[started] = np.arange(len(started))
    factors = np.zeros(len(existence))
    factors[started] = existence[started]
    components = weigh_first_detections(model, scan, factors)
    return Tracks(
        existence[started],
        next_label + np.arange(len(started)),
        started,
        components.with_groups(positions[components.groups]),
    )


def born_fractions(scan: ScanHypotheses) -> N:
    """Return the probability that a detection (n,) without an earlier track is the first one of an object."""
    fractions = np.zeros(len(scan.log_born))
    born = np.flatnonzero(np.isfinite(scan.log_born))
    fractions[born] = np.exp(scan.log_born[born] - scan.log_new[born])
    return fractions


def weigh_first_detections(model: TargetModel, scan: ScanHypotheses, factors: N) -> Components:
    """Return the states of new objects after their first detections, in groups 0 to n - 1 of detections.

    Weights add up to ``factors`` (n,); detections with the factor 0 are left out.
    """
    log_factors = np.full(len(factors), -np.inf)
    used = np.flatnonzero(factors > 0.0)
    log_factors[used] = np.log(factors[used]) - scan.log_born[used]
    owners, detections = scan.pairs.components[scan.n_track_pairs :], scan.pairs.detections[scan.n_track_pairs :]
    is_used = factors[detections] > 0.0
    positions = scan.n_track_pairs + np.flatnonzero(is_used)
    owners, detections = owners[is_used], detections[is_used]
    at_places = Components(
        detections,
        np.exp(scan.log_pair_weights[positions] + log_factors[detections]),
        scan.update_means(positions),
        scan.update.covariances[owners],
        scan.components.modes[owners],
    )
    anywhere = np.flatnonzero((factors > 0.0) & np.isfinite(scan.log_anywhere))
    means, covariances = locate_births(model, scan.measurements[anywhere])
    weights = np.exp(scan.log_anywhere[anywhere] + log_factors[anywhere])
    modes = np.zeros(len(anywhere), dtype=np.int64)
    return Components.concatenate([at_places, Components(anywhere, weights, means, covariances, modes)])


def keep_undetected(model: TargetModel, scan: ScanHypotheses, n_anywhere: float) -> tuple[Components, float]:
    """Return the intensity of undetected objects, and their number anywhere, after a scan that did not detect them."""
    undetected = scan.components.select(slice(scan.n_track_components, None))
    left = undetected.with_weights(undetected.weights * (1.0 - scan.detection_probabilities[scan.n_track_components :]))
    reduced = reduce_components(left, model.undetected_limits)
    return reduced, n_anywhere * miss_anywhere(model, scan.measurements)
