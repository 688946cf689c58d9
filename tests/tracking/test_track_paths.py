"""Paths of objects agree with the estimates that they are collected from."""

import numpy as np
import pytest

from gaussmix import Intensity
from gaussmix.tracking import GMCPHD, GMPHD, LMB, PMB, PMBM, collect_paths, position_intensity
from gaussmix.tracking.tracker import AbstractTracker
from tests.tracking.recordings import make_model, run_recording, simulate_scans


def test_every_estimate_is_on_one_path() -> None:
    _, estimates = run_recording()
    paths = collect_paths(estimates)
    assert [path.label for path in paths] == sorted({label for each in estimates for label in each.labels.tolist()})
    assert sum(len(path) for path in paths) == sum(len(each) for each in estimates)
    for path in paths:
        for k, scan in enumerate(path.scans.tolist()):
            row = estimates[scan].labels.tolist().index(path.label)
            np.testing.assert_array_equal(path.positions[k], estimates[scan].positions[row])
            assert path.existence[k] == estimates[scan].existence[row]
            assert path.detections[k] == estimates[scan].detections[row]
            assert path.times[k] == estimates[scan].time


def test_numbers_of_a_path() -> None:
    _, estimates = run_recording()
    longest = max(collect_paths(estimates), key=len)
    assert longest.duration == longest.times[-1] - longest.times[0]
    assert longest.n_detections == (longest.detections >= 0).sum()
    assert longest.mean_speed == pytest.approx(np.hypot(*longest.velocities.T).mean())
    assert longest.mean_speed == pytest.approx(2.06, abs=0.5)


def test_no_objects_have_no_paths() -> None:
    empty = PMB(make_model()).run([np.zeros((0, 2))] * 3)
    assert collect_paths(empty) == []
    assert collect_paths([]) == []


@pytest.mark.parametrize("tracker_class", [PMB, PMBM, LMB, GMPHD, GMCPHD])
def test_the_intensity_has_a_mass_near_each_object(tracker_class: type[AbstractTracker]) -> None:
    tracker = tracker_class(make_model())  # type: ignore[call-arg]
    assert position_intensity(tracker) is None
    estimates = tracker.run(simulate_scans(1))
    intensity = position_intensity(tracker)
    assert isinstance(intensity, Intensity)
    assert intensity.mixture.n_features == 2
    assert intensity.mass == pytest.approx(estimates[-1].expected_number, abs=0.2)
    for position in estimates[-1].positions:
        assert intensity.evaluate([position])[0] > 100 * intensity.evaluate([[50.0, 5.0]])[0]
