"""The LMB filter: its first update in closed form, its labels, and what each part of the model changes."""

from dataclasses import replace

import numpy as np
import pytest

from gaussmix import Intensity
from gaussmix.tracking import LMB, PMB, Birth, Clutter, PositionSensor
from tests.tracking.brute_force import exact_marginals
from tests.tracking.scenes import REGION, make_model, simulate_scene

PLACES = Intensity.from_parameters(
    [0.2, 0.1], means=[np.zeros(4), [50.0, 0.0, 50.0, 0.0]], covariances=[np.eye(4), 4.0 * np.eye(4)]
)
DETECTIONS = np.array([[0.5, -0.5], [-1.0, 0.2], [52.0, 49.0], [-70.0, 10.0]])


def test_first_update_equals_all_associations():
    tracker = LMB(make_model(birth=Birth(PLACES), gate_probability=1.0 - 1e-12))
    estimates = tracker.step(DETECTIONS)
    clutter, masses, variances = 5.0 / 40_000.0, np.array([0.2, 0.1]), np.array([2.0, 5.0])
    squares = ((DETECTIONS[None] - np.array([[[0.0, 0.0]], [[50.0, 50.0]]])) ** 2).sum(axis=2)
    logs = np.log(0.95 * masses / (2 * np.pi * variances))[:, None] - 0.5 * squares / variances[:, None]
    logs[squares > 2000.0] = -np.inf
    exact = exact_marginals(logs, np.log(1 - 0.95 * masses), np.full(4, np.log(clutter)))
    missed = exact.missed * 0.05 * masses / (1 - 0.95 * masses)
    expected = missed + exact.edges.sum(axis=1)
    np.testing.assert_allclose(tracker.state.tracks.existence, expected, rtol=1e-9)
    assert estimates.expected_number == pytest.approx(expected.sum(), rel=1e-9)


def test_each_place_gives_a_label_in_each_scan():
    tracker = LMB(make_model(birth=Birth(PLACES), min_existence=0.0))
    tracker.run([[], [], []])
    assert tracker.state.tracks.labels.tolist() == [1, 2, 3, 4, 5, 6]
    number = 0.3 * 0.05 * (1 + 0.99 * 0.05 + (0.99 * 0.05) ** 2)
    assert tracker.state.tracks.existence.sum() == pytest.approx(number, rel=0.2)


def test_mass_of_births_grows_with_time_up_to_one():
    tracker = LMB(make_model(birth=Birth(PLACES)))
    for dt in (0.5, 2.0, 100.0):
        tracker.reset()
        existence = tracker.predict(tracker.state, dt).tracks.existence
        np.testing.assert_allclose(existence, np.minimum([0.2 * dt, 0.1 * dt], 1.0))


def test_births_anywhere_equal_those_of_pmb():
    scans, _ = simulate_scene(0)
    for one, other in zip(LMB(make_model()).run(scans), PMB(make_model()).run(scans), strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.states, other.states)


def test_follows_an_object_from_a_place_with_one_label():
    rng = np.random.default_rng(0)
    path = np.array([0.8, -0.5]) * np.arange(30)[:, None] + rng.normal(size=(30, 2))
    scans = [np.vstack([position, rng.uniform(-100, 100, (5, 2))]) for position in path]
    estimates = LMB(make_model(birth=Birth(PLACES))).run(scans)[5:]
    labels = {label for each in estimates for label in each.labels[np.abs(each.positions).max(axis=1) < 40].tolist()}
    assert len(labels) == 1
    assert np.mean([len(each) for each in estimates]) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize(
    "changes",
    [
        {"survival_probability": 0.8},
        {"min_existence": 0.02},
        {"birth": Birth(PLACES, rate=0.5, volume=40_000.0, hidden_std=2.0)},
        {"birth": Birth(PLACES, initial_number=3.0, volume=40_000.0)},
        {"sensor": PositionSensor(1.0, Clutter.in_region(50.0, **REGION), 0.95)},
    ],
)
def test_each_part_of_the_model_matters(changes):
    model = make_model(birth=Birth(PLACES))
    first, second = LMB(model), LMB(replace(model, **changes))
    numbers = [[each.expected_number for each in tracker.run([DETECTIONS] * 3)] for tracker in (first, second)]
    assert np.abs(np.subtract(*numbers)).max() > 1e-6
