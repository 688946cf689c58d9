"""Labels of components, what is known of them, and the scenes of the benchmarks."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from benchmarks.tracking_scenarios import SCENARIOS, make_linear_scenario
from gaussmix.tracking.components import Components
from gaussmix.tracking.intensity_steps import ObjectIntensity, score_intensity
from gaussmix.tracking.label_existence import update_existence
from gaussmix.tracking.object_labels import (
    LabelMemory,
    Report,
    assign_labels,
    find_heaviest,
    find_labels,
    remember_labels,
)
from tests.tracking.intensity_scenes import make_place_model


def make_components(labels: list[int], weights: list[float]) -> Components:
    """Return components in one dimension."""
    n = len(labels)
    return Components(np.array(labels), np.array(weights), np.zeros((n, 1)), np.ones((n, 1, 1)), np.zeros(n, dtype=int))


def test_shown_components_get_labels_of_their_own() -> None:
    components = make_components([2, 0, 2, 5, 0, 2], [0.9, 0.8, 0.7, 0.6, 0.55, 0.1])
    labelled, next_label = assign_labels(components, np.arange(5), 6)
    assert labelled.groups.tolist() == [2, 6, 7, 5, 8, 2]
    assert next_label == 9
    assert components.groups.tolist() == [2, 0, 2, 5, 0, 2]


def test_memory_counts_hits_and_forgets_labels_without_components() -> None:
    components = make_components([4, 2, 0, 9], [0.9, 0.3, 0.2, 0.8])
    memory = LabelMemory(np.array([1, 2, 4]), np.array([7, 5, 2]), np.array([0.9, 0.8, 0.7]))
    report = Report(np.array([0, 3]), np.array([4, 9]), np.array([0.9, 0.8]))
    new = remember_labels(components, memory, report, np.array([True, True]), 10)
    assert new.labels.tolist() == [2, 4, 9]
    assert new.hits.tolist() == [5, 3, 1]
    np.testing.assert_allclose(new.existence, [0.8, 0.7, 0.8])
    assert new.next_label == 10
    without_hit = remember_labels(components, memory, report, np.array([False, True]), 10)
    assert without_hit.hits.tolist() == [5, 2, 1]


def test_labels_are_found() -> None:
    is_known, positions = find_labels(np.array([2, 4, 9]), np.array([9, 3, 2, 10]))
    assert is_known.tolist() == [True, False, True, False]
    assert positions.tolist() == [2, 0]
    assert find_labels(np.zeros(0, dtype=int), np.array([1]))[0].tolist() == [False]
    assert find_heaviest(make_components([2, 4, 2, 4], [0.1, 0.5, 0.3, 0.2]), np.array([2, 4])).tolist() == [2, 1]


def update_one_label(weight: float, existence: float, detections: np.ndarray) -> float:
    """Return the existence of an object at (50, 50) with a standard deviation of 2 after a scan of a PHD filter."""
    covariances = np.diag([4.0, 1.0, 4.0, 1.0])[None]
    component = Components(
        np.array([7]), np.array([weight]), np.array([[50.0, 0.0, 50.0, 0.0]]), covariances, np.zeros(1, int)
    )
    model = make_place_model(detection_probability=0.8)
    scored = score_intensity(model, ObjectIntensity(component, 0.0, np.array([-1])), detections)
    memory = LabelMemory(np.array([7]), np.array([3]), np.array([existence]))
    log_factors = -np.logaddexp(scored.log_detected, scored.log_clutter)
    return float(update_existence(scored, log_factors, memory).existence[0])


@pytest.mark.parametrize("weight", [1e-3, 0.3, 1.0])
@pytest.mark.parametrize("existence", [0.0, 0.3, 0.99, 1.0])
def test_existence_follows_integrated_data_association(weight: float, existence: float) -> None:
    detections = np.array([[51.0, 50.0], [47.0, 52.0], [10.0, 10.0]])
    densities = multivariate_normal([50.0, 50.0], 5.0 * np.eye(2)).pdf(detections[:2])
    ratio = 0.2 + 0.8 * densities.sum() / (2.0 / 1e4)  # whatever the weight in the intensity
    expected = existence * ratio / (1.0 - existence + existence * ratio)
    assert update_one_label(weight, existence, detections) == pytest.approx(expected, rel=1e-9)
    missed = existence * 0.2 / (1.0 - existence * 0.8)
    assert update_one_label(weight, existence, detections[2:]) == pytest.approx(missed, rel=1e-9)


def test_scenes_are_as_described() -> None:
    scenario = make_linear_scenario(clutter_rate=0.0)
    counts = [len(objects.labels) for objects in scenario.truth()]
    assert [counts[scan - 1] for scan in (1, 20, 40, 60, 70, 71, 80, 100)] == [3, 6, 8, 10, 10, 8, 10, 10]
    np.testing.assert_allclose(scenario.truth()[0].positions[0], [0.0, -10.0])
    n_seen = np.mean([sum(map(len, scenario.simulate(seed))) for seed in range(20)])
    np.testing.assert_allclose(n_seen, 0.98 * sum(counts), rtol=0.01)
    for make in SCENARIOS.values():
        scene = make()
        first, again, other = (scene.simulate(seed)[0] for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert np.abs(first).max() < 1.1 * scene.half_width
