"""Steps of tracking boxes by the Poisson multi-Bernoulli filter, where boxes behind others are hard to detect."""

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from gaussmix.tracking.birth import Birth
from gaussmix.tracking.boxes.box_arrays import cover_fractions
from gaussmix.tracking.boxes.box_detections import BoxDetections
from gaussmix.tracking.boxes.box_filter import OBSERVED, make_motion, side_noise
from gaussmix.tracking.boxes.box_tracks import BoxState, BoxTracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.pmb import PMB, PMBState
from gaussmix.tracking.sensors import BoxSensor
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import KD, KDD, ND, IntN, K

# What is assumed of a scene. Only the sizes of detections say how large it is, so lengths are typical heights of boxes.
_SECONDS_IN_VIEW = 10.0
_BIRTHS_PER_SECOND = 0.5
_FALSE_BOXES_PER_FRAME = 0.2
_DETECTION_PROBABILITY = 0.9
_MIN_DETECTION_PROBABILITY = 0.05  # of an object that is fully hidden
_PICTURE_AREA = 24.0
_SIZE_AREA = 0.5  # range of widths times range of heights
_SAME_OBJECT_OVERLAP = 0.7
_MIN_EXISTENCE = 1e-8  # small, so that hidden objects are kept


@dataclass(frozen=True, eq=False)
class OccludedBoxSensor(BoxSensor):
    """A detector that finds boxes behind others less often: by the fraction that the largest occluder covers.

    Parameters
    ----------
    occluders : array of shape (k, 4)
        Center, width and height of objects that are there.
    """

    occluders: ND = field(default_factory=lambda: np.zeros((0, 4)))

    def detection_probabilities(self, states: KD, layout: StateLayout) -> K:
        """Return the probability (M,) that each state (M, D) gives a detection."""
        covered = cover_fractions(states[:, OBSERVED], self.occluders, _SAME_OBJECT_OVERLAP)
        return np.maximum(_DETECTION_PROBABILITY * (1.0 - covered), _MIN_DETECTION_PROBABILITY)


class PmbMemory(NamedTuple):
    """State of the filter, and the typical height of boxes; None and 0 before the first box."""

    filter_state: PMBState | None = None
    height: float = 0.0


def advance_pmb(options: BoxOptions, state: BoxState, detections: BoxDetections, dt: float) -> BoxState:
    """Return the state after ``dt`` frames and the detections of the next one."""
    filter_state, height = state.memory
    if filter_state is None and not len(detections):
        return state
    if filter_state is None:
        height = float(np.median(detections.boxes[:, 3]))
        model = make_target_model(options, height, len(detections))
        predicted = PMB(model).initial_state()
    else:
        model = make_target_model(options, height)
        can_return = state.tracks.can_return(dt, options.buffer)
        living = replace(filter_state, tracks=filter_state.tracks.select(can_return))
        predicted = PMB(model).predict(living, dt / options.frame_rate)
    updated = PMB(_add_occluders(model, predicted)).update(predicted, detections.boxes)
    tracks = _update_life_cycle(state.tracks, updated, detections, dt, model.report_threshold)
    is_kept = tracks.idle <= options.buffer
    kept = replace(updated, tracks=updated.tracks.select(is_kept))
    tracks = tracks.select(is_kept)
    return BoxState(
        tracks,
        (kept.tracks.existence > model.report_threshold) & tracks.is_in_view(options.coasting),
        np.setdiff1d(state.tracks.labels, tracks.labels),
        PmbMemory(kept, height),
    )


def make_target_model(options: BoxOptions, height: float, initial_number: int = 0) -> TargetModel:
    """Return the model of a scene with boxes of a typical height, for times in seconds."""
    volume = _PICTURE_AREA * _SIZE_AREA * height**4
    clutter = Clutter(_FALSE_BOXES_PER_FRAME, volume)
    return TargetModel(
        make_motion(options, height),
        OccludedBoxSensor(side_noise(height * options.noise_std), clutter, _DETECTION_PROBABILITY),
        Birth(None, _BIRTHS_PER_SECOND, volume, height * options.speed_std, float(initial_number)),
        survival_probability=math.exp(-1.0 / _SECONDS_IN_VIEW),
        gate_probability=options.gate_probability,
        min_existence=_MIN_EXISTENCE,
    )


def _add_occluders(model: TargetModel, predicted: PMBState) -> TargetModel:
    """Return the model in which objects that probably exist hide those behind them."""
    is_there = predicted.tracks.existence > model.report_threshold
    occluders = _find_heaviest(predicted).means[is_there][:, OBSERVED]
    return replace(model, sensor=replace(model.sensor, occluders=occluders))  # type: ignore[type-var]


class _Heaviest(NamedTuple):
    """Mean (T, D) and covariance (T, D, D) of the heaviest component of each track."""

    means: KD
    covariances: KDD


def _find_heaviest(state: PMBState) -> _Heaviest:
    """Return the heaviest component of each track."""
    components = state.tracks.components
    order = np.lexsort((-components.weights, components.groups))
    heaviest = order[np.searchsorted(components.groups[order], np.arange(len(state.tracks)))]
    return _Heaviest(components.means[heaviest], components.covariances[heaviest])


def _update_life_cycle(
    before: BoxTracks, updated: PMBState, detections: BoxDetections, dt: float, threshold: float
) -> BoxTracks:
    """Return the tracks of boxes after an update of the filter; labels of both are in ascending order."""
    tracks = updated.tracks
    rows: IntN = np.flatnonzero(np.isin(tracks.labels, before.labels))
    old = np.searchsorted(before.labels, tracks.labels[rows])
    is_hit = tracks.detections >= 0
    found = tracks.detections[is_hit]
    n_hits, was_confirmed = np.zeros(len(tracks), dtype=np.int64), np.zeros(len(tracks), dtype=bool)
    idle, confidences, boxes = np.zeros(len(tracks)), np.zeros(len(tracks)), np.zeros((len(tracks), 4))
    n_hits[rows], was_confirmed[rows], idle[rows] = before.n_hits[old], before.is_confirmed[old], before.idle[old] + dt
    confidences[rows], boxes[rows] = before.confidences[old], before.detections[old]
    confidences[is_hit], boxes[is_hit], idle[is_hit] = detections.confidences[found], detections.boxes[found], 0.0
    is_confirmed = was_confirmed | (tracks.existence > threshold)
    return BoxTracks(tracks.labels, *_find_heaviest(updated), n_hits + is_hit, idle, is_confirmed, confidences, boxes)
