"""Estimates of a target model from a recording, against simulated truth."""

from itertools import pairwise

import numpy as np
import pytest

from gaussmix import ParameterError
from gaussmix.errors import TrackingDataError
from gaussmix.tracking import PMB, Birth, Clutter, ConstantVelocity, PositionSensor, TargetModelFit, fit_target_model
from gaussmix.tracking.kalman import predict_states, prepare_update, score_pairs, update_pairs
from gaussmix.tracking.model_fitting.initial_scales import guess_scales
from gaussmix.tracking.model_fitting.noise_fitting import _group_by_scan, _log_likelihoods
from gaussmix.tracking.model_fitting.rates import Estimate
from gaussmix.tracking.model_fitting.track_histories import TrackHistory
from tests.tracking.scenes import Array, simulate_scene


def simulate_traffic(seed: int, n_scans: int = 120, clutter_rate: float = 8.0) -> tuple[list[Array], list[Array]]:
    """Objects leave two gates with speed 2 to 4, accelerate by .1, and cross a region of 200 by 200."""
    rng = np.random.default_rng(seed)
    objects: list[Array] = []
    scans, truth = [], []
    for _ in range(n_scans):
        objects = [each for each in objects if np.abs(each[:2]).max() < 100.0]
        if rng.random() < 0.15:
            gate = np.array([[-90.0, 0.0], [0.0, -90.0]])[rng.integers(2)]
            objects.append(np.concatenate([gate + rng.normal(0, 2, 2), -gate / 90.0 * rng.uniform(2, 4)]))
        for each in objects:
            change = 0.1 * rng.normal(size=2)
            each[:2] += each[2:] + change / 2
            each[2:] += change
        positions = np.array([each[:2] for each in objects]).reshape(-1, 2)
        seen = positions[rng.random(len(positions)) < 0.9]
        clutter = rng.uniform(-100, 100, (rng.poisson(clutter_rate), 2))
        scans.append(rng.permutation(np.vstack([seen + rng.normal(size=seen.shape), clutter])))
        truth.append(positions)
    return scans, truth


def contains(estimate: Estimate, value: float, slack: float = 0.0) -> bool:
    return estimate.low * (1 - slack) <= value <= estimate.high * (1 + slack)


@pytest.fixture(scope="module", params=range(3))
def fitted(request: pytest.FixtureRequest) -> tuple[TargetModelFit, list[Array], list[Array]]:
    scans, truth = simulate_traffic(request.param)
    return fit_target_model(scans), scans, truth


def test_estimates_are_near_the_truth(fitted: tuple[TargetModelFit, list[Array], list[Array]]) -> None:
    fit, scans, _ = fitted
    assert fit.has_converged
    assert all(contains(each, 1.0, 0.1) for each in fit.noise_std)
    assert contains(fit.acceleration_std, 0.1, 0.3)
    assert contains(fit.rates.detection_probability, 0.9, 0.02)
    assert contains(fit.rates.clutter_rate, 8.0, 0.05)
    assert contains(fit.rates.birth_rate, 0.15, 0.1)
    assert 1.5 < max(fit.velocity_std) < 4.5
    assert fit.model.sensor.clutter.volume == pytest.approx(40_000.0, rel=0.1)
    assert len(scans) == 120


def test_births_are_found_at_the_gates(fitted: tuple[TargetModelFit, list[Array], list[Array]]) -> None:
    places = fitted[0].model.birth.places
    assert places is not None
    heavy = places.mixture.means[places.weights > 0.02][:, [0, 2]]
    assert all(np.linalg.norm(heavy - gate, axis=1).min() < 10.0 for gate in ([-90.0, 0.0], [0.0, -90.0]))


def test_a_filter_with_the_estimates_follows_the_objects(
    fitted: tuple[TargetModelFit, list[Array], list[Array]],
) -> None:
    fit, scans, truth = fitted
    n_found = n_true = n_reported = 0
    for estimate, positions in zip(PMB(fit.model).run(scans), truth, strict=True):
        distances = np.linalg.norm(estimate.positions[:, None] - positions, axis=2)
        n_true, n_reported = n_true + len(positions), n_reported + len(estimate)
        n_found += int((distances.min(axis=0, initial=np.inf) < 5.0).sum())
    assert n_found > 0.93 * n_true
    assert n_found > 0.93 * n_reported


def test_histories_name_their_detections(fitted: tuple[TargetModelFit, list[Array], list[Array]]) -> None:
    fit, scans, _ = fitted
    used = set()
    for history in fit.histories:
        assert (np.diff(history.scans) > 0).all()
        assert history.n_scans >= len(history.scans) >= 3
        for scan, detection, row in zip(history.scans, history.detections, history.measurements, strict=True):
            np.testing.assert_array_equal(scans[scan][detection], row)
            used.add((int(scan), int(detection)))
    assert len(used) == sum(len(history.scans) for history in fit.histories), "two tracks share a detection"


def test_units_of_length_and_time_do_not_matter() -> None:
    scans, _ = simulate_traffic(4, n_scans=60)
    plain, scaled = fit_target_model(scans), fit_target_model([1e-4 * scan + 3.0 for scan in scans], dt=10.0)
    assert len(plain.histories) == len(scaled.histories)
    for one, other in zip(plain.noise_std, scaled.noise_std, strict=True):
        assert other.value == pytest.approx(1e-4 * one.value, rel=0.02)
    assert scaled.acceleration_std.value == pytest.approx(1e-6 * plain.acceleration_std.value, rel=0.1)
    assert scaled.rates.birth_rate.value == pytest.approx(0.1 * plain.rates.birth_rate.value, rel=0.05)
    assert scaled.rates.clutter_rate.value == pytest.approx(plain.rates.clutter_rate.value, rel=0.02)


@pytest.mark.parametrize("n_axes", [1, 3])
def test_one_and_three_dimensions(n_axes: int) -> None:
    scans, _ = simulate_scene(2, n_scans=50, n_objects=2, clutter_rate=1.0, n_axes=n_axes, noise_std=0.5)
    fit = fit_target_model(scans)
    assert len(fit.noise_std) == n_axes
    assert all(contains(each, 0.5, 0.2) for each in fit.noise_std)
    assert len(fit.histories) in (2, 3)


def test_irregular_times_and_empty_scans() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 60))
    scans, _ = simulate_scene(3, times=times.tolist(), n_objects=3, clutter_rate=2.0)
    scans[10] = scans[10][:0]
    fit = fit_target_model(scans, dt=[1.0, *(b - a for a, b in pairwise(times))])
    assert all(contains(each, 1.0, 0.15) for each in fit.noise_std)


def test_guessed_scales_survive_clutter() -> None:
    for clutter in (0.0, 5.0, 40.0):
        scales = guess_scales(simulate_scene(5, n_scans=60, n_objects=5, clutter_rate=clutter)[0])
        assert 0.5 < scales.noise_std < 2.0
        assert 0.7 < scales.displacement < 4.0


def test_a_fit_prints_its_numbers_and_no_arrays() -> None:
    fit = fit_target_model(simulate_scene(0)[0])
    lines = repr(fit).splitlines()
    assert lines[0] == f"TargetModelFit of {len(fit.histories)} tracks, {fit.n_passes} passes, converged"
    assert len(lines) == 7
    assert f"detection probability: {fit.rates.detection_probability.value:.4g} (" in lines[3]


def test_a_constant_coordinate_is_named() -> None:
    scans = [[[float(k), 3.0]] for k in range(20)]
    with pytest.raises(TrackingDataError, match="coordinate 2 is the same"):
        fit_target_model(scans)


def test_a_slip_far_away_changes_no_estimate() -> None:
    scans, _ = simulate_scene(6, n_scans=40)
    plain = fit_target_model(scans)
    scans[7] = np.vstack([scans[7], [[1e12, 0.0]]])
    other = fit_target_model(scans)
    assert other.noise_std[0].value == pytest.approx(plain.noise_std[0].value, rel=1e-3)
    assert other.model.sensor.clutter.volume == pytest.approx(plain.model.sensor.clutter.volume, rel=1e-9)
    assert len(other.histories) == len(plain.histories)


@pytest.mark.parametrize("frames", [[], [[[0.0, 0.0]]] * 2, [[], [], [], []]], ids=["none", "two", "empty"])
def test_too_short_recordings_are_named(frames: list[object]) -> None:
    with pytest.raises(TrackingDataError, match="at least 3 scans"):
        fit_target_model(frames)  # type: ignore[arg-type]


def test_clutter_alone_is_named_or_has_no_object() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(TrackingDataError, match="can be followed"):
        fit_target_model([rng.uniform(0, 1000, (2, 2)) for _ in range(20)])


def test_scans_of_single_rows_are_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(TrackingDataError, match="need the same time, so round the times"):
        fit_target_model([rng.uniform(0, 1000, (1, 2)) for _ in range(30)])


def test_bad_time_steps_are_named() -> None:
    scans, _ = simulate_scene(0, n_scans=10)
    with pytest.raises(ParameterError, match="dt"):
        fit_target_model(scans, dt=-1.0)


def test_likelihood_of_histories_is_that_of_the_kalman_filter() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.5, 2.0, 12))
    histories = [
        TrackHistory(label, scans, np.zeros(len(scans), dtype=np.int64), rng.normal(0.0, 5.0, (len(scans), 2)))
        for label, scans in enumerate([np.arange(0, 12), np.array([2, 3, 6, 7, 11])])
    ]
    motion, velocity_std = ConstantVelocity(0.7), np.array([2.0, 3.0])
    sensor = PositionSensor([1.5, 0.5], Clutter(1.0, 1.0))
    expected = 0.0
    for history in histories:
        means, covariances = Birth(hidden_std=[1.0, 2.0, 1.0, 3.0]).locate(
            sensor, motion.layout, history.measurements[:1]
        )
        rows = dict(zip(history.scans.tolist(), history.measurements, strict=True))
        for scan in range(history.scans[0] + 1, history.scans[-1] + 1):
            means, covariances = predict_states(motion, means, covariances, times[scan] - times[scan - 1])
            if scan not in rows:
                continue
            update = prepare_update(sensor, motion.layout, means, covariances)
            pair = score_pairs(sensor, update, np.zeros(1, dtype=np.int64), rows[scan][None])
            expected += pair.log_densities[0]
            means = update_pairs(means, update, np.zeros(1, dtype=np.int64), pair.differences)
            covariances = update.covariances
    points = np.array([[1.5, 0.5, 0.7], [1.0, 1.0, 1.0]])
    found = _log_likelihoods(_group_by_scan(histories, times), 2, points, velocity_std)
    assert found[0] == pytest.approx(expected, rel=1e-10)
    assert found[1] != pytest.approx(expected, rel=1e-3)


def test_exact_positions_have_a_tiny_noise_and_are_followed() -> None:
    scans, truth = simulate_scene(3, n_scans=40, noise_std=0.0)
    fit = fit_target_model(scans)
    assert all(0.0 < each.value < 0.01 for each in fit.noise_std)
    assert len(fit.histories) == 3
    last = PMB(fit.model).run(scans)[-1]
    assert np.linalg.norm(last.positions[:, None] - truth[-1], axis=2).min(axis=0).max() < 0.1


def test_standing_objects_have_a_velocity_scale() -> None:
    places = np.array([[0.0, 0.0], [10.0, 5.0], [-20.0, 8.0]])
    fit = fit_target_model([places] * 20)
    assert len(fit.histories) == 3
    assert all(value > 0.0 for value in fit.velocity_std)


def test_recordings_without_time_or_with_bad_scans_are_named() -> None:
    scans, _ = simulate_scene(0, n_scans=10)
    with pytest.raises(TrackingDataError, match="same time"):
        fit_target_model(scans, dt=0.0)
    with pytest.raises(TrackingDataError, match=r"scan 4: .*NaN"):
        fit_target_model([*scans[:3], [[np.nan, 0.0]], *scans[3:]])
    with pytest.raises(ParameterError, match="2 time steps"):
        fit_target_model(scans, dt=[1.0, 1.0])


@pytest.mark.parametrize("power", [0.0, 2.0])
def test_acceleration_of_straight_tracks_has_an_upper_limit(power: float) -> None:
    scans, _ = simulate_scene(4, n_scans=60)
    estimate = fit_target_model([10.0**power * scan for scan in scans]).acceleration_std
    assert estimate.low == 0.0
    assert 0.0 < estimate.value == estimate.high < 0.1 * 10.0**power
