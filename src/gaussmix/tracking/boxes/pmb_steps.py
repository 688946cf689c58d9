"""Steps of tracking boxes by the Poisson multi-Bernoulli filter, in which boxes behind others are hard to detect."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.tracking.birth import Birth
from gaussmix.tracking.boxes.box_detections import BoxDetections
from gaussmix.tracking.boxes.box_filter import OBSERVED, make_motion
from gaussmix.tracking.boxes.box_tracks import BoxTracks
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.clutter import Clutter
from gaussmix.tracking.pmb import PMB, PMBState
from gaussmix.tracking.sensors import BoxSensor
from gaussmix.tracking.state_layout import StateLayout
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import KD, ND, AnyArray, BoolN, IntN, K

# What is assumed of a scene: rates per second, sizes in typical heights of its boxes.
_STAY = 10.0  # seconds that an object stays in view
_BIRTH_RATE = 0.5
_CLUTTER_PER_FRAME = 0.2
_DETECTION_PROBABILITY = 0.9
_MIN_DETECTION_PROBABILITY = 0.05  # of an object that is fully hidden
_PLACES = 24.0  # area of the picture
_SIZES = 0.5  # range of widths times range of heights
_MIN_EXISTENCE = 1e-8


@dataclass(frozen=True, eq=False)
class OccludedBoxSensor(BoxSensor):
    """A detector of boxes that sees less of boxes behind others.

    Parameters
    ----------
    occluders : array of shape (k, 4)
        Center, width and height of objects that are there. A box is behind another one whose lower side is lower in
        the picture. The fraction that is covered lowers ``detection_probability``.
    """

    occluders: ND = field(default_factory=lambda: np.zeros((0, 4)))

    def detection_probabilities(self, states: KD, layout: StateLayout) -> K:
        """Return the probability (M,) that each state (M, D) gives a detection."""
        visible = 1.0 - cover_fractions(states[:, layout.observed], self.occluders)
        return np.maximum(float(self.detection_probability) * visible, _MIN_DETECTION_PROBABILITY)  # type: ignore[arg-type]


def cover_fractions(boxes: ND, occluders: ND) -> K:
    """Return the largest fraction (n,) of each box (n, 4) that one of the nearer occluders (k, 4) covers.

    Occluders that overlap a box by more than 0.7 (intersection over union) are taken for the box itself.
    """
    if not len(occluders):
        return np.zeros(len(boxes))
    center, half = boxes[:, None, :2], 0.5 * boxes[:, None, 2:]
    other, other_half = occluders[None, :, :2], 0.5 * occluders[None, :, 2:]
    sides = np.minimum(center + half, other + other_half) - np.maximum(center - half, other - other_half)
    common = np.prod(np.maximum(sides, 0.0), axis=2)
    area, other_area = boxes[:, None, 2:].prod(axis=2), occluders[None, :, 2:].prod(axis=2)
    is_nearer = (other + other_half)[:, :, 1] > (center + half)[:, :, 1]
    is_other = common < 0.7 * (area + other_area - common)
    return np.asarray(np.where(is_nearer & is_other, common / area, 0.0).max(axis=1))


@dataclass(frozen=True, eq=False)
class PmbBoxState:
    """What is known after a frame, as for `AssignmentState`; the filter and its unit of length stand beside."""

    tracks: BoxTracks = field(default_factory=BoxTracks.empty)
    is_reported: BoolN = field(default_factory=lambda: np.zeros(0, dtype=bool))
    removed: IntN = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    filter_state: PMBState | None = None
    height: float = 0.0


def advance_pmb(options: BoxOptions, state: PmbBoxState, detections: BoxDetections, dt: float) -> PmbBoxState:
    """Return the state after ``dt`` frames and the detections of the next one."""
    if state.filter_state is None:
        if not len(detections.boxes):
            return state
        height = float(np.median(detections.boxes[:, 3]))
        model = make_target_model(options, height, len(detections.boxes), np.zeros((0, 4)))
        predicted = PMB(model).initial_state()
    else:
        height = state.height
        model = make_target_model(options, height, 0, np.zeros((0, 4)))
        predicted = PMB(model).predict(state.filter_state, dt / options.frame_rate)
    expected = _summarize(predicted)
    occluders = expected.means[expected.existence > model.report_threshold][:, OBSERVED]
    sensor = replace(model.sensor, occluders=occluders)  # type: ignore[type-var]
    updated = PMB(replace(model, sensor=sensor)).update(predicted, detections.boxes)
    tracks = _update_life_cycle(options, state.tracks, expected, _summarize(updated), dt)
    is_kept = tracks.idle <= options.buffer
    updated = replace(updated, tracks=updated.tracks.select(is_kept))
    tracks = tracks.select(is_kept)
    removed = np.setdiff1d(state.tracks.labels, tracks.labels)
    is_reported = tracks.is_confirmed & (tracks.confidences > model.report_threshold)
    return PmbBoxState(tracks, is_reported, removed, updated, height)


def make_target_model(options: BoxOptions, height: float, initial_number: int, occluders: ND) -> TargetModel:
    """Return the model of a scene with boxes of a typical height, for times in seconds."""
    volume = _PLACES * _SIZES * height**4
    sensor = OccludedBoxSensor(
        height * options.noise_std,
        Clutter(_CLUTTER_PER_FRAME, volume),
        _DETECTION_PROBABILITY,
        occluders,
    )
    return TargetModel(
        make_motion(options, height),
        sensor,
        Birth(None, _BIRTH_RATE, volume, height * options.speed_std, float(initial_number)),
        survival_probability=math.exp(-1.0 / _STAY),
        gate_probability=options.gate_probability,
        min_existence=_MIN_EXISTENCE,
    )


@dataclass(frozen=True, eq=False)
class _Summary:
    """Tracks of a filter, each by its heaviest component."""

    labels: IntN
    existence: K
    means: KD
    covariances: AnyArray


def _summarize(state: PMBState) -> _Summary:
    """Return the heaviest component of each track."""
    tracks, components = state.tracks, state.tracks.components
    order = np.lexsort((-components.weights, components.groups))
    heaviest = order[np.searchsorted(components.groups[order], np.arange(len(tracks)))]
    return _Summary(tracks.labels, tracks.existence, components.means[heaviest], components.covariances[heaviest])


def _update_life_cycle(
    options: BoxOptions, before: BoxTracks, expected: _Summary, after: _Summary, dt: float
) -> BoxTracks:
    """Return the tracks of boxes after an update of the filter.

    A detection raises the probability that a track exists, and a missed one lowers it.
    """
    count = len(after.labels)
    n_hits, idle, was_confirmed = np.zeros(count, dtype=np.int64), np.zeros(count), np.zeros(count, dtype=bool)
    existed = np.zeros(count)
    rows = np.flatnonzero(np.isin(after.labels, before.labels))
    old = np.searchsorted(before.labels, after.labels[rows])
    n_hits[rows], idle[rows], was_confirmed[rows] = before.n_hits[old], before.idle[old] + dt, before.is_confirmed[old]
    existed[rows] = expected.existence[np.searchsorted(expected.labels, after.labels[rows])]
    is_hit = after.existence >= existed
    n_hits, idle = n_hits + is_hit, np.where(is_hit, 0.0, idle)
    is_confirmed = was_confirmed | (after.existence > 0.5)
    return BoxTracks(after.labels, after.means, after.covariances, n_hits, idle, is_confirmed, after.existence)
