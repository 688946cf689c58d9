"""Steps of tracking boxes by assignment: predict, match, update, start, and the life cycle."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gaussmix.tracking.boxes.assignment import Matches, match_in_stages
from gaussmix.tracking.boxes.box_detections import BoxDetections
from gaussmix.tracking.boxes.box_filter import predict_boxes, prepare_box_update, start_boxes
from gaussmix.tracking.boxes.box_tracks import BoxState, BoxTracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.kalman import UpdateStack, update_pairs


class AssignmentMemory(NamedTuple):
    """The next label, and whether a frame has been seen."""

    next_label: int = 1
    has_started: bool = False


def advance_assignment(options: BoxOptions, state: BoxState, detections: BoxDetections, dt: float) -> BoxState:
    """Return the state after ``dt`` frames and the detections of the next one."""
    before = state.tracks.select(state.tracks.can_return(dt, options.buffer))
    means, covariances = predict_boxes(options, before.states, dt)
    moved = replace(before, means=means, covariances=covariances)
    update = prepare_box_update(options, moved.states)
    matches = match_in_stages(options, moved, update, detections)
    aged = replace(moved, idle=moved.idle + dt)
    continued = _update_tracks(options, aged, update, detections, matches)
    is_missed = np.ones(len(before), dtype=bool)
    is_missed[matches.tracks] = False
    is_kept = ~is_missed | (continued.is_confirmed & (continued.idle <= options.buffer))
    started = _start_tracks(options, state.memory, detections, matches)
    tracks = continued.select(is_kept).join(started)
    return BoxState(
        tracks,
        tracks.is_confirmed & tracks.is_in_view(options.coasting),
        np.setdiff1d(state.tracks.labels, tracks.labels),
        AssignmentMemory(state.memory.next_label + len(started), True),
    )


def _update_tracks(
    options: BoxOptions, tracks: BoxTracks, update: UpdateStack, detections: BoxDetections, matches: Matches
) -> BoxTracks:
    """Return the tracks after the detections that continue them; the others stay as they are."""
    rows, boxes = matches.tracks, detections.boxes[matches.detections]
    columns = {
        "means": update_pairs(tracks.means, update, rows, boxes - update.predicted[rows]),
        "covariances": update.covariances[rows],
        "n_hits": tracks.n_hits[rows] + 1,
        "idle": 0.0,
        "is_confirmed": tracks.is_confirmed[rows] | (tracks.n_hits[rows] + 1 >= options.min_hits),
        "confidences": detections.confidences[matches.detections],
        "detections": boxes,
    }
    changed = {name: getattr(tracks, name).copy() for name in columns}
    for name, values in columns.items():
        changed[name][rows] = values
    return replace(tracks, **changed)


def _start_tracks(
    options: BoxOptions, memory: AssignmentMemory, detections: BoxDetections, matches: Matches
) -> BoxTracks:
    """Return new tracks of confident detections that continue no other track.

    Those of the first frame are confirmed at once, because no earlier frame could have shown them.
    """
    is_new = detections.confidences >= options.high_confidence
    is_new[matches.detections] = False
    new = detections.select(is_new)
    return BoxTracks(
        memory.next_label + np.arange(len(new)),
        *start_boxes(options, new.boxes),
        np.ones(len(new), dtype=np.int64),
        np.zeros(len(new)),
        np.full(len(new), not memory.has_started or options.min_hits == 1),
        new.confidences,
        new.boxes,
    )
