"""Simulated boxes of walking people, with the truth: perspective, occlusion, missed, false and merged boxes."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from gaussmix.tracking import TrackTable

_GRID = (np.arange(16) + 0.5) / 16  # points of a box, along each side, whose visibility is counted
_MIN_VISIBLE = 0.1  # truth holds people of whom at least this fraction is visible
_PERSON_HEIGHT = 1.75  # meters
_ASPECT = 0.36  # width over height


@dataclass(frozen=True)
class Scene:
    """A camera above a plane, and people who walk there.

    Attributes
    ----------
    picture : tuple of int
        Width and height in pixels.
    focal_length : float
        In pixels.
    camera_height : float
        In meters.
    depths : tuple of float
        Range of distances from the camera in meters.
    n_people : int
        At the same time.
    speeds : tuple of float
        Range in meters per second.
    spread : float
        Standard deviation of headings in radians, around left or right; pi means all directions.
    frame_rate : float
        Frames per second.
    seconds : float
    """

    picture: tuple[int, int] = (640, 480)
    focal_length: float = 600.0
    camera_height: float = 1.6
    depths: tuple[float, float] = (4.0, 12.0)
    n_people: int = 7
    speeds: tuple[float, float] = (0.7, 1.8)
    spread: float = 0.2
    frame_rate: float = 25.0
    seconds: float = 12.0


@dataclass(frozen=True)
class Detector:
    """How boxes are detected; lengths are fractions of the height of the box.

    Attributes
    ----------
    probability : float
        Of detecting a person who is fully visible. Whoever is missed is likely to be missed again for `memory` seconds.
    jitter : float
        Standard deviation of sides; half of the variance is correlated in time.
    false_rate : float
        False boxes per frame at random places.
    n_decoys, decoy_probability : int, float
        Places that look like people, and how often each gives a box.
    duplicate_probability : float
        Of a second box for the same person.
    merge_probability : float
        That one box covers two people who overlap.
    max_overlap : float
        Boxes that overlap a more confident one by more are dropped, as detectors do (non-maximum suppression).
    min_confidence : float
        Boxes below are not reported.
    memory : float
        Seconds over which errors and misses are correlated.
    """

    probability: float = 0.95
    jitter: float = 0.03
    false_rate: float = 0.2
    n_decoys: int = 1
    decoy_probability: float = 0.15
    duplicate_probability: float = 0.01
    merge_probability: float = 0.3
    max_overlap: float = 0.5
    min_confidence: float = 0.1
    memory: float = 0.15


SCENES = {
    "street": Scene(),
    "street at 10 Hz": Scene(frame_rate=10.0),
    "square": Scene((1920, 1080), 1400.0, 4.0, (8.0, 30.0), 20, (0.5, 1.6), np.pi, 30.0, 8.0),
    "corridor": Scene((1280, 720), 900.0, 2.5, (4.0, 20.0), 10, (0.8, 1.6), np.pi, 15.0),
    "runners": Scene((1280, 720), 900.0, 3.0, (8.0, 20.0), 8, (3.0, 6.0), 0.3, 25.0),
}
DETECTORS = {
    "good": Detector(),
    "weak": Detector(probability=0.8, jitter=0.05, false_rate=1.0, n_decoys=3),
    "strict": Detector(probability=0.9, min_confidence=0.5, false_rate=0.5, max_overlap=0.3),
}


@dataclass(frozen=True)
class SimulatedBoxes:
    """True boxes with labels, and detections without."""

    truth: TrackTable
    detections: TrackTable


class Walks(NamedTuple):
    """Where people are (T, P): meters to the right and ahead of the camera, phase of the stride, and identity."""

    sides: np.ndarray
    depths: np.ndarray
    phases: np.ndarray
    labels: np.ndarray


def simulate_boxes(scene: Scene, detector: Detector, seed: int) -> SimulatedBoxes:
    """Return truth and detections of a scene."""
    rng = np.random.default_rng(seed)
    n_frames = round(scene.seconds * scene.frame_rate)
    walks = _walk(scene, n_frames, rng)
    boxes = _project_people(scene, walks, rng)
    correlation = np.exp(-1.0 / (scene.frame_rate * detector.memory))
    errors = _correlated_errors(n_frames, scene.n_people, detector.jitter, correlation, rng)
    luck = ndtr(_correlated_noise((n_frames, scene.n_people), correlation, rng))
    decoys = _random_boxes(scene, detector.n_decoys, rng)
    truth: list[np.ndarray] = []
    found: list[np.ndarray] = []
    for frame in range(n_frames):
        visible, shown = _visible_parts(scene, boxes[frame], walks.depths[frame])
        people = np.flatnonzero(visible >= _MIN_VISIBLE)
        labels = walks.labels[frame, people]
        truth.append(np.column_stack([np.full(len(people), frame + 1), labels, boxes[frame, people]]))
        rows = _detect_people(detector, boxes[frame], shown, visible, errors[frame], luck[frame], rng)
        rows = np.vstack([rows, _detect_nothing(scene, detector, decoys, rng)])
        rows = _suppress(detector, _clip(scene, rows[rows[:, 4] >= detector.min_confidence]))
        found.append(np.column_stack([np.full(len(rows), frame + 1), rows[rng.permutation(len(rows))]]))
    rows, all_found = np.vstack(truth), np.vstack(found)
    return SimulatedBoxes(
        TrackTable(rows[:, 0], rows[:, 1], boxes=rows[:, 2:]),
        TrackTable(all_found[:, 0], np.full(len(all_found), -1), boxes=all_found[:, 1:5], confidence=all_found[:, 5]),
    )


def _walk(scene: Scene, n_frames: int, rng: np.random.Generator) -> Walks:
    """Return how people walk; whoever leaves the picture comes back as another person."""
    near, far = scene.depths
    n, dt = scene.n_people, 1.0 / scene.frame_rate
    view = 0.5 * scene.picture[0] / scene.focal_length + 0.05  # half the width of the view over depth
    depth = rng.uniform(near, far, n)
    side = rng.uniform(-1.0, 1.0, n) * view * depth
    heading = rng.choice([0.0, np.pi], n) + scene.spread * _standard_headings(scene, n, rng)
    mean_speed, phase, label = rng.uniform(*scene.speeds, n), rng.uniform(0, 2 * np.pi, n), np.arange(1, n + 1)
    speed = mean_speed.copy()
    walks = Walks(*(np.empty((n_frames, n)) for _ in range(3)), np.empty((n_frames, n), dtype=int))
    for frame in range(n_frames):
        heading = heading + 0.3 * np.sqrt(dt) * rng.normal(size=n)
        speed = speed + (mean_speed - speed) * dt / 2.0 + 0.3 * mean_speed * np.sqrt(dt) * rng.normal(size=n)
        side, depth = side + dt * speed * np.cos(heading), depth + dt * speed * np.sin(heading)
        turns = ((depth < near) & (np.sin(heading) < 0)) | ((depth > far) & (np.sin(heading) > 0))
        heading = np.where(turns, -heading, heading)
        leaves = (np.abs(side) > view * depth) & (side * np.cos(heading) > 0)
        heading = np.where(leaves, np.pi - heading, heading)
        depth = np.where(leaves, rng.uniform(near, far, n), np.clip(depth, near, far))
        side = np.where(leaves, np.sign(side) * view * depth, side)
        label = np.where(leaves, label.max() + 1 + np.arange(n), label)
        phase = phase + 2 * np.pi * dt * speed / 1.4
        for column, values in zip(walks, (side, depth, phase, label), strict=True):
            column[frame] = values
    return walks


def _standard_headings(scene: Scene, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return deviations of headings (count,): uniform over the circle if the spread is pi."""
    return rng.uniform(-1.0, 1.0, count) if scene.spread >= np.pi else rng.normal(size=count)


def _project_people(scene: Scene, walks: Walks, rng: np.random.Generator) -> np.ndarray:
    """Return boxes (T, P, 4)."""
    heights = _PERSON_HEIGHT * (1.0 + 0.05 * rng.normal(size=scene.n_people))
    scale = scene.focal_length / walks.depths
    height = scale * heights
    width = height * _ASPECT * (1.0 + 0.25 * np.sin(walks.phases))
    foot = 0.35 * scene.picture[1] + scale * scene.camera_height
    center = scene.picture[0] / 2.0 + scale * walks.sides
    return np.stack([center - width / 2, foot - height, width, height], axis=2)


def _visible_parts(scene: Scene, boxes: np.ndarray, depths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the visible fraction (P,) of each box, and the box (P, 4) around its visible points."""
    points = boxes[:, None, None, :2] + boxes[:, None, None, 2:] * np.stack(np.meshgrid(_GRID, _GRID), axis=-1)
    points = points.reshape(len(boxes), -1, 2)
    is_seen = ((points >= 0) & (points <= np.array(scene.picture))).all(axis=2)
    for person, depth in enumerate(depths):
        left_top, right_bottom = boxes[person, :2], boxes[person, :2] + boxes[person, 2:]
        is_covered = ((points >= left_top) & (points <= right_bottom)).all(axis=2)
        is_seen &= ~(is_covered & (depths > depth)[:, None])
    low = np.where(is_seen[:, :, None], points, np.inf).min(axis=1) - boxes[:, 2:] / (2 * len(_GRID))
    high = np.where(is_seen[:, :, None], points, -np.inf).max(axis=1) + boxes[:, 2:] / (2 * len(_GRID))
    visible = is_seen.mean(axis=1)
    return visible, np.where(visible[:, None] > 0, np.hstack([low, high - low]), boxes)


def _correlated_noise(shape: tuple[int, ...], correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Return standard normal noise (T, ...) with a correlation between consecutive frames."""
    noise = rng.normal(size=shape)
    for frame in range(1, len(noise)):
        noise[frame] = correlation * noise[frame - 1] + np.sqrt(1.0 - correlation**2) * noise[frame]
    return noise


def _correlated_errors(
    n_frames: int, n_people: int, jitter: float, correlation: float, rng: np.random.Generator
) -> np.ndarray:
    """Return errors (T, P, 4) of left, top, right and bottom, as fractions of the height."""
    slow = _correlated_noise((n_frames, n_people, 4), correlation, rng)
    return jitter * np.sqrt(0.5) * (slow + rng.normal(size=slow.shape))


def _detect_people(
    detector: Detector,
    boxes: np.ndarray,
    shown: np.ndarray,
    visible: np.ndarray,
    errors: np.ndarray,
    luck: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return boxes and confidences (n, 5) of the people who are detected, with duplicates and merged boxes."""
    certainty = np.clip((visible - 0.15) / 0.45, 0.0, 1.0)
    is_found = luck < detector.probability * certainty
    reported = np.where(rng.random(len(boxes))[:, None] < 0.5, shown, boxes)
    reported = _merge_overlapping(detector, reported, is_found, rng)
    confidence = rng.beta(1.5 + 16 * certainty**2, 2.0)
    is_double = is_found & (rng.random(len(boxes)) < detector.duplicate_probability)
    twice = np.concatenate([np.flatnonzero(is_found), np.flatnonzero(is_double)])
    extra = np.concatenate([np.zeros(is_found.sum()), np.full(is_double.sum(), 0.08)])[:, None]
    noise = errors[twice] + extra * rng.normal(size=(len(twice), 4))
    corners = np.hstack([reported[twice, :2], reported[twice, :2] + reported[twice, 2:]])
    corners = corners + noise * boxes[twice, 3:]
    sizes = np.maximum(corners[:, 2:] - corners[:, :2], 2.0)
    return np.column_stack([corners[:, :2], sizes, confidence[twice] * np.where(extra[:, 0] > 0, 0.7, 1.0)])


def _merge_overlapping(
    detector: Detector, boxes: np.ndarray, is_found: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the boxes, some replaced by the box around two people, of whom the other is then not detected."""
    boxes = boxes.copy()
    for first in range(len(boxes)):
        for second in range(first + 1, len(boxes)):
            distance = abs(boxes[first, 0] - boxes[second, 0])
            is_close = is_found[first] and distance < 0.5 * boxes[first, 2]
            is_alike = 0.8 < boxes[first, 3] / boxes[second, 3] < 1.25
            if is_close and is_alike and is_found[second] and rng.random() < detector.merge_probability:
                low = np.minimum(boxes[first, :2], boxes[second, :2])
                high = np.maximum(boxes[first, :2] + boxes[first, 2:], boxes[second, :2] + boxes[second, 2:])
                boxes[first], is_found[second] = np.concatenate([low, high - low]), False
    return boxes


def _random_boxes(scene: Scene, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return boxes (count, 4) of the sizes of people at random places of the picture."""
    height = scene.focal_length * _PERSON_HEIGHT / rng.uniform(*scene.depths, count)
    width = height * _ASPECT * rng.uniform(0.7, 1.5, count)
    left_top = rng.random((count, 2)) * (np.array(scene.picture) - np.column_stack([width, height]) / 2)
    return np.column_stack([left_top, width, height])


def _detect_nothing(scene: Scene, detector: Detector, decoys: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return false boxes and their confidences (n, 5): at random places, and at those of decoys."""
    random = _random_boxes(scene, rng.poisson(detector.false_rate), rng)
    shown = decoys[rng.random(len(decoys)) < detector.decoy_probability]
    shown = shown + 0.03 * shown[:, 3:] * rng.normal(size=shown.shape)
    confidence = np.concatenate([rng.beta(2, 4, len(random)), rng.beta(4, 4, len(shown))])
    return np.column_stack([np.vstack([random, shown]), confidence])


def _suppress(detector: Detector, rows: np.ndarray) -> np.ndarray:
    """Return boxes and confidences (n, 5) without those that overlap a more confident one too much."""
    kept = rows[:0]
    for row in rows[np.argsort(-rows[:, 4])]:
        common = np.minimum(kept[:, :2] + kept[:, 2:4], row[:2] + row[2:4]) - np.maximum(kept[:, :2], row[:2])
        area = np.prod(np.maximum(common, 0.0), axis=1)
        overlap = area / (np.prod(kept[:, 2:4], axis=1) + row[2] * row[3] - area)
        if not (overlap > detector.max_overlap).any():
            kept = np.vstack([kept, row])
    return kept


def _clip(scene: Scene, rows: np.ndarray) -> np.ndarray:
    """Return boxes and confidences (n, 5), cut at the borders of the picture; boxes outside of it are dropped."""
    low = np.clip(rows[:, :2], 0, scene.picture)
    high = np.clip(rows[:, :2] + rows[:, 2:4], 0, scene.picture)
    is_inside = (high - low > 2.0).all(axis=1)
    return np.column_stack([low, high - low, rows[:, 4]])[is_inside]
