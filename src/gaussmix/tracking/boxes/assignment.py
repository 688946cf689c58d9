"""Two-stage assignment of boxes to tracks: confident boxes first, the others to the tracks that are left.

The idea is that of ByteTrack (Zhang et al., "ByteTrack: multi-object tracking by associating every detection box",
ECCV 2022): a box of low confidence is often a person who is partly hidden, so it continues a track, but starts none.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.model.gaussian_algebra import mahalanobis_radius
from gaussmix.tracking.association import gate_pairs
from gaussmix.tracking.boxes.box_detections import BoxDetections, overlap_all
from gaussmix.tracking.boxes.box_filter import OBSERVED, make_sensor
from gaussmix.tracking.boxes.box_tracks import BoxTracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.kalman import UpdateStack
from gaussmix.types import BoolN, IntN, N


class Matches(NamedTuple):
    """Tracks (P,) and the detections (P,) that continue them."""

    tracks: IntN
    detections: IntN


def match_in_stages(
    options: BoxOptions, tracks: BoxTracks, update: UpdateStack, detections: BoxDetections
) -> Matches:
    """Return which detection continues which predicted track; each occurs at most once."""
    gains = score_pairs(options, tracks, update, detections)
    is_confident = detections.confidences >= options.high_confidence
    was_seen = tracks.idle == 0
    stages = (
        (tracks.is_confirmed, is_confident),
        (tracks.is_confirmed & was_seen, ~is_confident),
        (~tracks.is_confirmed, is_confident),
    )
    is_free_track, is_free_detection = np.ones(len(tracks), dtype=bool), np.ones(len(is_confident), dtype=bool)
    found: list[Matches] = []
    for stage_tracks, stage_detections in stages:
        matches = _match(gains, stage_tracks & is_free_track, stage_detections & is_free_detection)
        is_free_track[matches.tracks], is_free_detection[matches.detections] = False, False
        found.append(matches)
    if options.extra:
        iou = overlap_all(tracks.means[:, OBSERVED], detections.boxes)
        g = np.where(iou > options.extra, iou, 0.0)
        matches = _match(g, tracks.is_confirmed & was_seen & is_free_track, is_free_detection & (is_confident | options.extra_low))
        found.append(matches)
    return Matches(*(np.concatenate(column) for column in zip(*found, strict=True)))


def score_pairs(options, tracks, update, detections):
    if options.distance == "mahalanobis":
        pairs = gate_pairs(make_sensor(options), update, detections.boxes, mahalanobis_radius(options.gate_probability, 4) ** 2)
        if options.wide > 1:
            from gaussmix.tracking.boxes.box_filter import prepare_box_update
            from dataclasses import replace
            u2 = prepare_box_update(replace(options, noise_std=options.wide*options.noise_std), tracks.states)
            pairs = gate_pairs(make_sensor(options), u2, detections.boxes, mahalanobis_radius(options.gate_probability, 4) ** 2)
        if options.nodet:
            pairs = pairs._replace(log_densities=pairs.log_densities-update.log_constants[pairs.components])
        g = np.zeros((len(tracks), len(detections.boxes)))
        g[pairs.components, pairs.detections] = np.maximum(options.max_cost + pairs.log_densities, 1e-9)
        return g
    iou = overlap_all(tracks.means[:, OBSERVED], detections.boxes)
    return np.where(iou > options.iou_min, iou, 0.0)


def _match(gains: N, rows: BoolN, columns: BoolN) -> Matches:
    """Return the pairs of some rows and columns with the largest total gain; pairs without gain stay apart."""
    row_positions, column_positions = np.flatnonzero(rows), np.flatnonzero(columns)
    part = gains[np.ix_(row_positions, column_positions)]
    first, second = linear_sum_assignment(part, maximize=True)
    has_gain = part[first, second] > 0
    return Matches(row_positions[first[has_gain]], column_positions[second[has_gain]])
