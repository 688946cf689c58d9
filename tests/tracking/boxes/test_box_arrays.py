"""Overlaps of boxes, duplicates, occlusion, and the filter of boxes."""

import numpy as np
import pytest

from gaussmix.tracking.boxes.box_arrays import cover_fractions, find_overlapping_pairs, to_centers, to_corners
from gaussmix.tracking.boxes.box_detections import BoxDetections, remove_duplicates
from gaussmix.tracking.boxes.box_filter import make_motion, predict_boxes, start_boxes
from gaussmix.tracking.boxes.options import BoxOptions
from gaussmix.tracking.boxes.pmb_steps import make_target_model


def random_boxes(seed: int, count: int = 60) -> np.ndarray:
    """Return boxes (count, 4) of center, width and height."""
    rng = np.random.default_rng(seed)
    return np.hstack([rng.uniform(0, 100, (count, 2)), rng.uniform(5, 60, (count, 2))])


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    low = np.maximum(first[:2] - first[2:] / 2, second[:2] - second[2:] / 2)
    high = np.minimum(first[:2] + first[2:] / 2, second[:2] + second[2:] / 2)
    sides = np.maximum(high - low, 0.0)
    common = sides[0] * sides[1]
    return float(common / (first[2] * first[3] + second[2] * second[3] - common))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limit", [0.05, 0.3, 0.7])
def test_overlapping_pairs_equal_brute_force(seed: int, limit: float) -> None:
    boxes = random_boxes(seed)
    expected = [[i, j] for i in range(60) for j in range(i + 1, 60) if overlap(boxes[i], boxes[j]) > limit]
    assert find_overlapping_pairs(boxes, limit).tolist() == expected


def test_corners_and_centers_are_inverse() -> None:
    boxes = random_boxes(0)
    np.testing.assert_allclose(to_centers(to_corners(boxes)), boxes, rtol=1e-13)


def test_a_chain_of_duplicates_keeps_its_ends() -> None:
    """The second box goes because of the first one, so the third one stays."""
    boxes = np.array([[0.0, 0.0, 10.0, 10.0], [2.0, 0.0, 10.0, 10.0], [4.0, 0.0, 10.0, 10.0]])
    kept = remove_duplicates(BoxDetections(boxes, np.array([0.9, 0.8, 0.7])), 0.6)
    assert kept.boxes[:, 0].tolist() == [0.0, 4.0]


def test_nearer_boxes_cover_those_behind() -> None:
    behind = np.array([[0.0, 0.0, 10.0, 20.0]])
    nearer = np.array([[5.0, 4.0, 10.0, 20.0]])
    np.testing.assert_allclose(cover_fractions(behind, nearer, 0.7), [0.5 * 0.8])
    assert cover_fractions(nearer, behind, 0.7).tolist() == [0.0]
    assert cover_fractions(behind, behind + np.array([0, 0.1, 0, 0]), 0.7).tolist() == [0.0]
    assert cover_fractions(behind, np.zeros((0, 4)), 0.7).tolist() == [0.0]


def test_hidden_boxes_are_detected_less_often() -> None:
    model = make_target_model(BoxOptions(), 100.0)
    sensor = type(model.sensor)(1.0, model.sensor.clutter, occluders=np.array([[0.0, 10.0, 100.0, 110.0]]))  # type: ignore[call-arg]
    states = np.array([[0.0, 0, 0, 0, 30.0, 90.0], [200.0, 0, 0, 0, 30.0, 90.0]])
    hidden, free = sensor.detection_probabilities(states, model.motion.layout)
    assert hidden == 0.05
    assert free == 0.9


@pytest.mark.parametrize("height", [10.0, 300.0])
def test_noise_is_proportional_to_the_height(height: float) -> None:
    """The filter in units of the box equals the filter with all noise times the height."""
    options = BoxOptions()
    states = start_boxes(options, np.array([[3.0, 5.0, 20.0, height]]))
    predicted = predict_boxes(options, states, 2.0)
    motion, seconds = make_motion(options, height), 2.0 / options.frame_rate
    transition = motion.transition(seconds)
    np.testing.assert_allclose(predicted.means[0], transition @ states.means[0])
    expected = transition @ states.covariances[0] @ transition.T + motion.noise(seconds)
    np.testing.assert_allclose(predicted.covariances[0], expected, rtol=1e-9, atol=1e-12 * height**2)
