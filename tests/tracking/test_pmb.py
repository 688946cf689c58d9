"""The PMB filter: laws of its probabilities, what it does not depend on, and bad input."""

from dataclasses import replace

import numpy as np
import pytest

import gaussmix.model.component_reduction as component_reduction
import gaussmix.tracking.marginals as marginals
from gaussmix import Intensity, ParameterError
from gaussmix.tracking import PMB, Birth, Clutter, ConstantVelocity, Estimates, PositionSensor, ReductionLimits
from tests.tracking.scenes import REGION, Array, make_model, simulate_scene

ONE_PLACE = Birth(Intensity.from_parameters([0.2], means=[[0.0, 0.0, 0.0, 0.0]], covariances=[np.eye(4)]))


def assert_equal_estimates(first: list[Estimates], second: list[Estimates], tolerance: float = 1e-9) -> None:
    for one, other in zip(first, second, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.states, other.states, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(one.existence, other.existence, rtol=tolerance)
        assert one.expected_number == pytest.approx(other.expected_number, rel=tolerance)


def test_a_first_detection_competes_with_clutter() -> None:
    model = make_model(birth=ONE_PLACE)
    tracker = PMB(model)
    tracker.step([[0.5, -0.5]])
    variance = 1.0 + 1.0
    density = np.exp(-0.25 / variance) / (2 * np.pi * variance)
    born, clutter = 0.95 * 0.2 * density, 5.0 / 40_000.0
    assert tracker.state.tracks.existence[0] == pytest.approx(born / (born + clutter), rel=1e-9)
    assert tracker.state.undetected.weights.sum() == pytest.approx(0.2 * 0.05, rel=1e-9)


def test_a_first_detection_anywhere_competes_with_clutter() -> None:
    tracker = PMB(make_model())
    tracker.step([[30.0, 40.0]], dt=2.0)
    undetected = 3.0 * 0.99**2 + 0.05 * 2.0
    born = 0.95 * undetected / 40_000.0
    assert tracker.state.tracks.existence[0] == pytest.approx(born / (born + 5.0 / 40_000.0), rel=1e-9)
    assert tracker.state.n_anywhere == pytest.approx(0.05 * undetected, rel=1e-9)


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.98])
def test_a_missed_track_exists_with_the_bayes_probability(probability: float) -> None:
    model = make_model()
    tracker = PMB(model)
    tracker.run([[[10.0, 10.0]]] * 4)
    before = tracker.state.tracks.existence[0] * 0.99
    tracker.model = replace(model, sensor=replace(model.sensor, detection_probability=probability))
    tracker.step([])
    expected = before * (1 - probability) / (1 - before * probability)
    assert tracker.state.tracks.existence[0] == pytest.approx(expected, rel=1e-9)


def test_expected_number_follows_the_model_without_detections() -> None:
    model = make_model()
    tracker = PMB(model)
    number = 3.0
    for dt in (1.0, 0.5, 2.0):
        number = (number * 0.99**dt + 0.05 * dt) * 0.05
        assert tracker.step([], dt).expected_number == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_all_objects_are_followed_with_one_label_each(seed: int) -> None:
    scans, truth = simulate_scene(seed)
    estimates = PMB(make_model()).run(scans)
    labels = set()
    for estimate, positions in zip(estimates[8:], truth[8:], strict=True):
        distances = np.linalg.norm(estimate.positions[:, None] - positions, axis=2)
        assert distances.min(axis=0).max() < 4.0, "an object is lost"
        labels |= set(estimate.labels[distances.argmin(axis=0)].tolist())
    assert len(labels) <= 4, "identities switch"


def test_compiled_code_equals_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    scans, _ = simulate_scene(6, n_objects=6, clutter_rate=30.0)
    compiled = PMB(make_model()).run(scans)
    for module in (component_reduction, marginals):
        monkeypatch.setattr(module, "call_compiled_function", lambda *arguments: None)
    assert_equal_estimates(compiled, PMB(make_model()).run(scans), 1e-6)


def _run_first(**changes: object) -> list[Array]:
    scans, _ = simulate_scene(8, n_scans=12, detection_probability=0.8)
    tracker = PMB(make_model(**changes))
    numbers = np.array([each.expected_number for each in tracker.run(scans)])
    return [numbers, np.sort(tracker.state.tracks.components.means[:, 0])]


@pytest.mark.parametrize(
    "changes",
    [
        {"survival_probability": 0.8},
        {"gate_probability": 0.5},
        {"limits": ReductionLimits(max_components=1)},
        {"limits": ReductionLimits(merge_distance=0.01)},
        {"limits": ReductionLimits(min_weight=0.2)},
        {"birth": replace(ONE_PLACE, rate=0.05, volume=40_000.0)},
        {"birth": Birth.anywhere(0.05, hidden_std=1.0, initial_number=3.0, **REGION)},
        {"min_existence": 0.05},
        {"motion": ConstantVelocity(3.0)},
    ],
    ids=str,
)
def test_every_parameter_changes_something(changes: dict[str, object]) -> None:
    plain, changed = _run_first(), _run_first(**changes)
    assert any(one.shape != two.shape or not np.allclose(one, two) for one, two in zip(plain, changed, strict=True))


def test_the_limit_of_undetected_objects_changes_something() -> None:
    spread = np.diag([10.0, 1.0, 10.0, 1.0])
    means = np.array([[20.0 * i, 0.0, 0.0, 0.0] for i in range(4)])
    birth = Birth(Intensity.from_parameters([0.1] * 4, means=means, covariances=np.stack([spread] * 4)))
    sizes = []
    for limits in (ReductionLimits(max_components=100), ReductionLimits(max_components=2)):
        tracker = PMB(make_model(birth=birth, undetected_limits=limits))
        tracker.step([])
        sizes.append(len(tracker.state.undetected))
    assert sizes == [4, 2]


def test_report_threshold_decides_what_is_listed() -> None:
    scans, _ = simulate_scene(9)
    counts = [
        sum(len(each) for each in PMB(make_model(report_threshold=threshold)).run(scans)) for threshold in (0.1, 0.9)
    ]
    assert counts[0] > counts[1] > 0


def test_without_clutter_a_first_detection_is_an_object() -> None:
    sensor = PositionSensor(1.0, Clutter(0.0, 1.0), 0.9)
    assert PMB(make_model(sensor=sensor)).step([[0.0, 0.0]]).existence == pytest.approx([1.0])


def test_detections_far_outside_the_scene_are_followed_or_ignored() -> None:
    estimates = PMB(make_model()).run([[[1e9 + k, -1e9]] for k in range(6)])
    assert len(estimates[-1]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"survival_probability": 1.5},
        {"gate_probability": 1.0},
        {"min_existence": -0.1},
        {"report_threshold": 2.0},
        {"motion": "straight"},
        {"sensor": None},
        {"birth": 0.3},
    ],
    ids=str,
)
def test_bad_parameters_are_named(changes: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(changes))):
        make_model(**changes)


@pytest.mark.parametrize("values", [{"min_weight": -1.0}, {"merge_distance": -1.0}, {"max_components": 0}], ids=str)
def test_bad_limits_are_named(values: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(values))):
        ReductionLimits(**values)  # type: ignore[arg-type]
