"""Steps of tracking by assignment: predict, match, update, start, and the life cycle."""

from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.tracking.boxes.assignment import Matches, match_in_stages
from gaussmix.tracking.boxes.box_detections import BoxDetections, overlap_all, remove_duplicates
from gaussmix.tracking.boxes.box_filter import OBSERVED, predict_boxes, prepare_box_update, start_boxes
from gaussmix.tracking.boxes.box_tracks import BoxTracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.kalman import UpdateStack, update_pairs
from gaussmix.types import IntN


@dataclass(frozen=True, eq=False)
class BoxState:
    """What is known after a frame: tracks, labels that ended in this frame, and the next label."""

    tracks: BoxTracks = field(default_factory=BoxTracks.empty)
    removed: IntN = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    next_label: int = 1
    is_first: bool = True


def advance(options: BoxOptions, state: BoxState, detections: BoxDetections, dt: float) -> BoxState:
    """Return the state after ``dt`` frames and the detections of the next one."""
    detections = detections.select(detections.confidences >= options.low_confidence)
    detections = remove_duplicates(detections, options.duplicate_overlap)
    moved = _move(options, state.tracks, dt)
    update = prepare_box_update(options, moved.states)
    matches = match_in_stages(options, moved, update, detections)
    tracks = _update_tracks(options, moved, update, detections, matches)
    is_kept = np.where(tracks.is_confirmed, tracks.idle <= options.buffer, tracks.idle == 0)
    started = _start_tracks(options, state, tracks, detections, matches)
    return BoxState(
        tracks.select(is_kept).join(started), tracks.labels[~is_kept], state.next_label + len(started), False
    )


def _move(options: BoxOptions, tracks: BoxTracks, dt: float) -> BoxTracks:
    """Return the predicted tracks."""
    means, covariances = predict_boxes(options, tracks.states, dt)
    return replace(tracks, means=means, covariances=covariances)


def _update_tracks(
    options: BoxOptions, tracks: BoxTracks, update: UpdateStack, detections: BoxDetections, matches: Matches, dt=1.0
) -> BoxTracks:
    """Return the tracks after the detections that continue them; the others become older."""
    rows, columns = matches
    means, covariances = tracks.means.copy(), tracks.covariances.copy()
    differences = detections.boxes[columns] - update.predicted[rows]
    means[rows] = update_pairs(tracks.means, update, rows, differences)
    covariances[rows] = update.covariances[rows]
    idle, confidences = tracks.idle + dt, tracks.confidences.copy()
    idle[rows], confidences[rows] = 0.0, detections.confidences[columns]
    n_hits = tracks.n_hits + np.isin(np.arange(len(tracks)), rows)
    return BoxTracks(
        tracks.labels,
        means,
        covariances,
        n_hits,
        idle,
        tracks.is_confirmed | (n_hits >= options.min_hits),
        confidences,
    )


def _start_tracks(
    options: BoxOptions, state: BoxState, tracks: BoxTracks, detections: BoxDetections, matches: Matches
) -> BoxTracks:
    """Return new tracks of confident detections that continue no other track.

    Those of the first frame are confirmed at once: no earlier frame could have shown them.
    """
    is_free = detections.confidences >= options.high_confidence
    is_free[matches.detections] = False
    if options.start_overlap < 1:
        seen = tracks.select(tracks.idle == 0)
        o = overlap_all(detections.boxes, seen.means[:, OBSERVED])
        is_free &= ~(o > options.start_overlap).any(axis=1)
    new = detections.select(is_free)
    count = len(new.boxes)
    return BoxTracks(
        state.next_label + np.arange(count),
        *start_boxes(options, new.boxes),
        np.ones(count, dtype=np.int64),
        np.zeros(count),
        np.full(count, state.is_first or options.min_hits == 1),
        new.confidences,
    )
