"""Two-stage assignment of boxes to tracks: confident boxes first, the others to the tracks that are left.

The idea is that of ByteTrack (Zhang et al., "ByteTrack: multi-object tracking by associating every detection box",
ECCV 2022): a box of low confidence is often a person who is partly hidden, so it continues a track, but starts none.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from gaussmix.model.gaussian_algebra import mahalanobis_radius
from gaussmix.tracking.association import gate_pairs
from gaussmix.tracking.boxes.box_detections import BoxDetections
from gaussmix.tracking.boxes.box_filter import make_sensor
from gaussmix.tracking.boxes.box_tracks import BoxTracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.kalman import UpdateStack
from gaussmix.types import ND, BoolN, IntN


class Matches(NamedTuple):
    """Tracks (P,) and the detections (P,) that continue them."""

    tracks: IntN
    detections: IntN


def match_in_stages(options: BoxOptions, tracks: BoxTracks, update: UpdateStack, detections: BoxDetections) -> Matches:
    """Return which detection continues which predicted track; each occurs at most once.

    A pair gains the log density of the detection under the track, in units of the height of the box, minus that of
    boxes that belong to no track. So a track that has just been seen wins against a lost one, whose density is spread
    over a larger region. Pairs that gain nothing stay apart.

    Parameters
    ----------
    options : BoxOptions
    tracks : BoxTracks
        Predicted, with the ``idle`` of the frame before.
    update : UpdateStack
        Of these tracks.
    detections : BoxDetections
    """
    radius = mahalanobis_radius(options.gate_probability, 4)
    pairs = gate_pairs(make_sensor(options), update, detections.boxes, radius**2)
    gains = np.zeros((len(tracks), len(detections)))
    gains[pairs.components, pairs.detections] = pairs.log_densities - math.log(options.new_box_density)
    is_confident = detections.confidences >= options.high_confidence
    stages = (
        (tracks.is_confirmed, is_confident),
        (tracks.is_confirmed & (tracks.idle == 0.0), ~is_confident),
        (~tracks.is_confirmed, is_confident),
    )
    is_free_track, is_free_detection = np.ones(len(tracks), dtype=bool), np.ones(len(detections), dtype=bool)
    found: list[Matches] = []
    for is_track, is_detection in stages:
        matches = _match(gains, is_track & is_free_track, is_detection & is_free_detection)
        is_free_track[matches.tracks], is_free_detection[matches.detections] = False, False
        found.append(matches)
    return Matches(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _match(gains: ND, is_track: BoolN, is_detection: BoolN) -> Matches:
    """Return the pairs of some tracks and detections with the largest total gain; pairs without gain stay apart."""
    tracks, detections = np.flatnonzero(is_track), np.flatnonzero(is_detection)
    part = gains[np.ix_(tracks, detections)]
    first, second = linear_sum_assignment(part, maximize=True)
    has_gain = part[first, second] > 0
    return Matches(tracks[first[has_gain]], detections[second[has_gain]])
