"""What every filter of many objects keeps: it does not depend on units, offsets and order, and names bad input."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gaussmix import DataError, ParameterError
from gaussmix.tracking import GMCPHD, GMPHD, LMB, PMB, PMBM, Birth, Clutter, ConstantVelocity, Estimates, PositionSensor
from gaussmix.tracking.target_model import TargetModel
from gaussmix.tracking.tracker import AbstractTracker
from tests.tracking.scenes import REGION, make_model, simulate_scene

MakeTracker = Callable[[TargetModel], AbstractTracker]
TRACKERS: dict[str, MakeTracker] = {"pmb": PMB, "lmb": LMB, "pmbm": PMBM, "phd": GMPHD, "cphd": GMCPHD}


@pytest.fixture(params=TRACKERS)
def make_tracker(request: pytest.FixtureRequest) -> MakeTracker:
    return TRACKERS[request.param]


def assert_equal_estimates(first: list[Estimates], second: list[Estimates], tolerance: float = 1e-9) -> None:
    for one, other in zip(first, second, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.states, other.states, rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(one.existence, other.existence, rtol=tolerance)
        assert one.expected_number == pytest.approx(other.expected_number, rel=tolerance)


@pytest.mark.parametrize("seed", range(2))
def test_objects_are_followed(make_tracker: MakeTracker, seed: int) -> None:
    scans, truth = simulate_scene(seed)
    estimates = make_tracker(make_model()).run(scans)[8:]
    for estimate, positions in zip(estimates, truth[8:], strict=True):
        assert len(set(estimate.labels.tolist())) == len(estimate)
        distances = np.linalg.norm(estimate.positions[:, None] - positions, axis=2)
        assert (distances.min(axis=0, initial=np.inf) < 5.0).mean() > 0.5
    assert np.mean([each.expected_number for each in estimates]) == pytest.approx(3.0, abs=0.5)


def test_order_of_detections_does_not_matter(make_tracker: MakeTracker) -> None:
    scans, _ = simulate_scene(1, clutter_rate=8.0)
    rng = np.random.default_rng(1)
    shuffled = [scan[rng.permutation(len(scan))] for scan in scans]
    for one, other in zip(make_tracker(make_model()).run(scans), make_tracker(make_model()).run(shuffled), strict=True):
        order, other_order = np.argsort(one.positions[:, 0]), np.argsort(other.positions[:, 0])
        np.testing.assert_allclose(one.states[order], other.states[other_order], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(one.existence[order], other.existence[other_order], rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_do_not_matter(make_tracker: MakeTracker, unit: float) -> None:
    scans, _ = simulate_scene(4)
    region = {name: unit * np.array(corner) for name, corner in REGION.items()}
    scaled = make_model(
        motion=ConstantVelocity(0.3 * unit),
        sensor=PositionSensor(unit, Clutter.in_region(5.0, **region), 0.95),
        birth=Birth.anywhere(0.05, hidden_std=3.0 * unit, initial_number=3.0, **region),
    )
    plain = make_tracker(make_model()).run(scans)
    estimates = make_tracker(scaled).run([unit * scan for scan in scans])
    assert_equal_estimates(plain, [replace(each, states=each.states / unit) for each in estimates], 1e-5)


def test_an_offset_does_not_matter(make_tracker: MakeTracker) -> None:
    scans, _ = simulate_scene(5)
    estimates = make_tracker(make_model()).run([scan + 1e6 for scan in scans])
    moved = [replace(each, states=each.states - [1e6, 0.0, 1e6, 0.0]) for each in estimates]
    assert_equal_estimates(make_tracker(make_model()).run(scans), moved, 1e-6)


def test_estimates_name_their_detection(make_tracker: MakeTracker) -> None:
    scans, _ = simulate_scene(7, clutter_rate=1.0)
    estimates = make_tracker(make_model()).run(scans)
    is_near = [
        np.linalg.norm(scan[j] - position) < 6.0
        for scan, each in zip(scans, estimates, strict=True)
        for j, position in zip(each.detections, each.positions, strict=True)
        if j >= 0
    ]
    assert len(is_near) > 50
    assert np.mean(is_near) > 0.97


@pytest.mark.parametrize(
    ("detection", "clutter", "survival"), [(1.0, 0.0, 1.0), (1.0, 5.0, 0.99), (0.0, 5.0, 0.99), (0.9, 0.0, 0.0)]
)
def test_probabilities_of_zero_and_one_give_finite_answers(
    make_tracker: MakeTracker, detection: float, clutter: float, survival: float
) -> None:
    scans, _ = simulate_scene(10, n_scans=10, clutter_rate=clutter)
    sensor = PositionSensor(1.0, Clutter.in_region(clutter, **REGION), detection)
    tracker = make_tracker(make_model(sensor=sensor, survival_probability=survival))
    for each in tracker.run([*scans, [], *scans]):
        assert np.isfinite(each.states).all()
        assert np.isfinite(each.covariances).all()
        assert ((each.existence >= 0) & (each.existence <= 1 + 1e-9)).all()
        assert np.isfinite(each.expected_number)


def test_run_equals_steps_and_reset_forgets(make_tracker: MakeTracker) -> None:
    scans, _ = simulate_scene(11, n_scans=8)
    tracker, steps = make_tracker(make_model()), [1.0, 0.0, 2.0, 1.0] * 2
    estimates = [tracker.step(scan, dt) for scan, dt in zip(scans, steps, strict=True)]
    tracker.reset()
    assert tracker.time == 0.0
    assert_equal_estimates(estimates, tracker.run(scans, dt=steps))
    assert estimates[-1].time == 8.0


def test_steps_leave_old_states_as_they_are(make_tracker: MakeTracker) -> None:
    scans, _ = simulate_scene(12, n_scans=6)
    tracker = make_tracker(make_model())
    tracker.run(scans[:5])
    state = tracker.state
    first = tracker.update(tracker.predict(state, 1.0), scans[5])
    second = tracker.update(tracker.predict(state, 1.0), scans[5])
    assert_equal_estimates([tracker.estimate(first, 6.0)], [tracker.estimate(second, 6.0)], 1e-12)


def test_progress_is_told_for_each_scan(make_tracker: MakeTracker) -> None:
    seen: list[tuple[int, int, str]] = []
    make_tracker(make_model()).run([[], [], []], progress=lambda *values: seen.append(values))
    assert seen == [(0, 3, "scan 1"), (1, 3, "scan 2"), (2, 3, "scan 3")]


def test_thousands_of_detections_in_one_scan(make_tracker: MakeTracker) -> None:
    tracker = make_tracker(make_model())
    detections = np.random.default_rng(0).uniform(-100, 100, (2000, 2))
    assert np.isfinite(tracker.step(detections).expected_number)
    assert np.isfinite(tracker.step([]).expected_number)
    assert np.isfinite(tracker.step(detections[::2]).expected_number)


@pytest.mark.parametrize(
    ("detections", "text"),
    [
        ([[1.0, np.nan]], "NaN"),
        ([[1.0, np.inf]], "infinity|finite"),
        ([[1.0, 2.0, 3.0]], "3"),
        ([["a", "b"]], "a"),
        (np.zeros((2, 2, 2)), "3"),
    ],
)
def test_bad_detections_are_named(make_tracker: MakeTracker, detections: object, text: str) -> None:
    tracker = make_tracker(make_model())
    with pytest.raises(DataError, match=text):
        tracker.step(detections)  # type: ignore[arg-type]
    assert len(tracker.step([[1.0, 2.0]])) in (0, 1), "the filter goes on after a bad scan"


@pytest.mark.parametrize("dt", [-1.0, np.nan, np.inf])
def test_bad_time_steps_are_named(make_tracker: MakeTracker, dt: float) -> None:
    with pytest.raises(ParameterError, match="dt"):
        make_tracker(make_model()).step([], dt)


def test_bad_scans_of_a_recording_are_named(make_tracker: MakeTracker) -> None:
    with pytest.raises(DataError, match=r"scan 2: .*NaN"):
        make_tracker(make_model()).run([[[1.0, 2.0]], [[np.nan, 2.0]]])
    with pytest.raises(DataError, match="scan 1: detections have 3 columns, but the sensor measures 2"):
        make_tracker(make_model()).run([[[1.0, 2.0, 3.0]]])
    with pytest.raises(ParameterError, match="2 time steps"):
        make_tracker(make_model()).run([[], [], []], dt=[1.0, 1.0])
