"""Innovations: right for the right model, and revealing for wrong ones."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.tracking import PMB, check_innovations
from tests.tracking.recordings import make_model, run_recording, simulate_scans

N_SCANS = 60


def check(seed: int, noise_std: float = 0.5, acceleration_std: float = 0.05, units: float = 1.0):  # type: ignore[no-untyped-def]
    scans = simulate_scans(seed, N_SCANS)
    model = make_model(noise_std, acceleration_std)
    return check_innovations(model, PMB(model).run(scans), scans, np.ones(N_SCANS))


@pytest.mark.parametrize("seed", range(4))
def test_the_right_model_passes(seed: int) -> None:
    test = check(seed)
    assert test.n_measured == 2
    assert test.n_innovations > 1.6 * N_SCANS
    assert test.p_value > 1e-3
    assert test.ratio == pytest.approx(1.0, abs=0.3)
    assert test.tail_fraction < 0.04


@pytest.mark.parametrize("seed", range(2))
def test_wrong_noise_is_found(seed: int) -> None:
    too_small, too_large = check(seed, noise_std=0.3, acceleration_std=0.02), check(seed, noise_std=1.0)
    assert too_small.ratio > 1.4
    assert too_large.ratio < 0.6
    assert max(too_small.p_value, too_large.p_value) < 1e-3


def test_the_p_value_is_that_of_chi_square() -> None:
    test = check(0)
    total, freedom = test.mean * test.n_innovations, 2 * test.n_innovations
    one_sided = min(stats.chi2.cdf(total, freedom), stats.chi2.sf(total, freedom))
    assert test.p_value == pytest.approx(2 * one_sided)


def test_without_tracks_there_is_nothing_to_test() -> None:
    model = make_model()
    empty = [np.zeros((0, 2))] * 3
    test = check_innovations(model, PMB(model).run(empty), empty, np.ones(3))
    assert test.n_innovations == 0
    assert np.isnan([test.mean, test.p_value, test.tail_fraction]).all()


def test_order_of_detections_does_not_matter() -> None:
    scans, _ = run_recording()
    model = make_model()
    reversed_scans = [scan[::-1] for scan in scans]
    tests = [
        check_innovations(model, PMB(model).run(each), each, np.ones(len(each))) for each in (scans, reversed_scans)
    ]
    assert tests[0].mean == pytest.approx(tests[1].mean, rel=1e-6)
