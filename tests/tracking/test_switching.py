"""Switching motions: layouts, transitions in time, mixing of modes, and filters of many objects that follow them."""

from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm

from gaussmix import ParameterError
from gaussmix.errors.tracking_filters import MotionError
from gaussmix.tracking import (
    GMCPHD,
    GMPHD,
    LMB,
    PMB,
    PMBM,
    Birth,
    Clutter,
    ConstantVelocity,
    CoordinatedTurn,
    PositionSensor,
    RandomWalk,
    SwitchingMotion,
    TargetModel,
)
from gaussmix.tracking.components import Components, sum_in_groups
from gaussmix.tracking.prediction import predict_components
from gaussmix.tracking.state_layout import merge_layouts
from gaussmix.tracking.switching import power_of_transitions
from gaussmix.types import Array

TRACKERS = [PMB, LMB, PMBM, GMPHD, GMCPHD]
TRANSITIONS = [[0.9, 0.1], [0.3, 0.7]]
SLOW, FAST, TURN = ConstantVelocity(0.5), ConstantVelocity(5.0), CoordinatedTurn(0.5, 0.1)


def random_components(seed: int, n_components: int, n_states: int, n_groups: int = 3, n_modes: int = 2) -> Components:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, n_states, n_states)) + 2.0 * np.eye(n_states)
    return Components(
        np.sort(rng.integers(n_groups, size=n_components)),
        rng.exponential(size=n_components),
        rng.normal(size=(n_components, n_states)),
        factors @ np.swapaxes(factors, 1, 2),
        rng.integers(n_modes + 1, size=n_components),
    )


def test_layouts_merge_by_name() -> None:
    layout = merge_layouts([RandomWalk(1.0).layout, FAST.layout, TURN.layout])
    assert layout.names == ("x", "y", "vx", "vy", "turn_rate")
    assert (layout.positions, layout.velocities, layout.extents) == ((0, 1), (2, 3), ())
    boxes = merge_layouts([RandomWalk(1.0).layout, RandomWalk(1.0, 2, ("width", "height"), is_extent=True).layout])
    assert (boxes.names, boxes.extents) == (("x", "y", "width", "height"), (2, 3))


def test_one_motion_changes_nothing() -> None:
    components = random_components(0, 12, 4, n_modes=1)
    switching = SwitchingMotion((SLOW,), [[1.0]])
    moved, expected = (predict_components(motion, components, 0.7) for motion in (switching, SLOW))
    for field in ("groups", "weights", "means", "covariances", "modes"):
        np.testing.assert_array_equal(getattr(moved, field), getattr(expected, field))


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_filter_of_many_objects_with_one_motion_is_the_filter_of_that_motion(tracker: type[Any]) -> None:
    scans, region = [[[2.0 * k, 3.0 * k], [90.0, 10.0]] for k in range(8)], {"low": [0, 0], "high": [100, 100]}
    sensor = PositionSensor(1.0, Clutter.in_region(1.0, **region), 0.9)
    birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    plain, switching = (
        tracker(TargetModel(motion, sensor, birth)).run(scans) for motion in (SLOW, SwitchingMotion((SLOW,), [[1.0]]))
    )
    for first, second in zip(plain, switching, strict=True):
        np.testing.assert_array_equal(first.labels, second.labels)
        np.testing.assert_array_equal(first.states, second.states)
        np.testing.assert_array_equal(first.existence, second.existence)


@pytest.mark.parametrize("distance", [-1.0, 4.0, np.inf])
def test_groups_keep_weight_and_modes_follow_the_chain(distance: float) -> None:
    components = random_components(1, 30, 5)
    motion = SwitchingMotion((SLOW, TURN), TRANSITIONS, [0.2, 0.8])
    moved = predict_components(motion, components, 1.0, distance)
    assert (np.diff(moved.groups) >= 0).all()
    rows = np.array([np.array([0.2, 0.8]) @ TRANSITIONS, *TRANSITIONS])
    for group in range(3):
        is_before, is_after = components.groups == group, moved.groups == group
        expected = components.weights[is_before] @ rows[components.modes[is_before]]
        np.testing.assert_allclose(sum_in_groups(moved.modes[is_after] - 1, moved.weights[is_after], 2), expected)
    if distance == np.inf:
        assert len(moved) == 6
    if distance == -1.0:
        assert len(moved) == 60


def test_mixing_keeps_the_moments_of_each_mode() -> None:
    components = random_components(2, 20, 4, n_groups=1)
    motion = SwitchingMotion((SLOW, FAST), TRANSITIONS)
    apart, mixed = (predict_components(motion, components, 1.0, distance) for distance in (-1.0, np.inf))
    for mode in (1, 2):
        parts, whole = apart.select(apart.modes == mode), mixed.select(mixed.modes == mode)
        fractions = parts.weights / parts.weights.sum()
        mean = fractions @ parts.means
        centered = parts.means - mean
        covariance = np.einsum("k,kij->ij", fractions, parts.covariances) + (centered * fractions[:, None]).T @ centered
        np.testing.assert_allclose(whole.means[0], mean, rtol=1e-10, atol=1e-12)
        # Linear motions: noise is added once to the whole, and once to each part.
        np.testing.assert_allclose(whole.covariances[0], covariance, rtol=1e-10, atol=1e-12)


def test_columns_that_a_mode_lacks_become_their_prior() -> None:
    components = random_components(3, 10, 5)
    motion = SwitchingMotion((SLOW, TURN), TRANSITIONS, missing_std={"turn_rate": 0.4})
    moved = predict_components(motion, components, 1.0)
    straight = moved.select(moved.modes == 1)
    np.testing.assert_array_equal(straight.means[:, 4], 0.0)
    np.testing.assert_allclose(straight.covariances[:, 4, 4], 0.16)
    np.testing.assert_array_equal(straight.covariances[:, :4, 4], 0.0)
    turning = moved.select(moved.modes == 2)
    assert (turning.means[:, 4] != 0.0).all()


@pytest.mark.parametrize("missing_std", [0.4, [1.0, 1.0, 1.0, 1.0, 0.4], {"turn_rate": 0.4}])
def test_prior_deviations_are_given_in_three_ways(missing_std: Any) -> None:
    motion = SwitchingMotion((SLOW, TURN), TRANSITIONS, missing_std=missing_std)
    assert motion.modes[0].noise_covariance(np.zeros((1, 5)), 1.0)[4, 4] == pytest.approx(0.16)
    np.testing.assert_array_equal(
        motion.modes[1].noise_covariance(np.zeros((1, 5)), 1.0), TURN.noise_covariance(np.zeros((1, 5)), 1.0)
    )


def test_padded_jacobians_equal_differences() -> None:
    motion = SwitchingMotion((RandomWalk(1.0), TURN), TRANSITIONS)
    state = np.random.default_rng(0).normal(size=(1, 5))
    for mode in motion.modes:
        columns = [
            (mode.propagate(state + 1e-6 * axis, 1.3) - mode.propagate(state - 1e-6 * axis, 1.3))[0]
            for axis in np.eye(5)
        ]
        jacobian = np.broadcast_to(mode.jacobian(state, 1.3), (1, 5, 5))[0]
        np.testing.assert_allclose(jacobian, np.stack(columns, axis=1) / 2e-6, atol=1e-7)


@pytest.mark.parametrize("dt", [0.0, 1.0, 2.0, 7.0, 1000.0])
def test_whole_times_are_matrix_powers(dt: float) -> None:
    matrix = np.array([[0.2, 0.8, 0.0], [0.5, 0.3, 0.2], [0.0, 0.1, 0.9]])
    np.testing.assert_allclose(power_of_transitions(matrix, dt), np.linalg.matrix_power(matrix, int(dt)), atol=1e-12)


@pytest.mark.parametrize("dt", [0.01, 0.5, 0.99, 3.7])
def test_fractions_follow_the_chain_in_continuous_time(dt: float) -> None:
    rates = np.array([[-0.5, 0.4, 0.1], [0.2, -0.3, 0.1], [0.0, 0.6, -0.6]])
    np.testing.assert_allclose(power_of_transitions(expm(rates), dt), expm(rates * dt), atol=1e-12)


@pytest.mark.parametrize("matrix", [[[0.1, 0.9], [0.8, 0.2]], [[0.0, 1.0], [1.0, 0.0]], [[0.51, 0.49], [0.49, 0.51]]])
@pytest.mark.parametrize("dt", [0.3, 1.6])
def test_fractions_of_any_chain_are_probabilities(matrix: list[list[float]], dt: float) -> None:
    result = power_of_transitions(np.array(matrix), dt)
    np.testing.assert_allclose(result.sum(axis=1), 1.0, rtol=1e-12)
    assert (result >= 0.0).all()


def test_impossible_modes_have_no_components() -> None:
    components = random_components(4, 5, 4, n_modes=1)
    moved = predict_components(SwitchingMotion((SLOW, FAST), np.eye(2), [1.0, 0.0]), components, 1.0)
    assert set(moved.modes) == {1}
    empty = predict_components(SwitchingMotion((SLOW, FAST), TRANSITIONS), Components.empty(4), 1.0)
    assert len(empty) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((), [[1.0]]), ParameterError, "motions must be at least one motion model"),
        (((3.0,), [[1.0]]), ParameterError, "motions"),
        (((SwitchingMotion((SLOW,), [[1.0]]),), [[1.0]]), ParameterError, "that does not switch"),
        (((SLOW, FAST), [[1.0]]), MotionError, "must have the shape .2, 2., no negative entry"),
        (((SLOW, FAST), [[0.5, 0.6], [0.5, 0.5]]), MotionError, "rows that add up to 1"),
        (((SLOW, FAST), [[1.5, -0.5], [0.5, 0.5]]), MotionError, "no negative entry"),
        (((SLOW, FAST), [[np.nan, 1.0], [0.5, 0.5]]), ParameterError, "NaN or infinity in transition_matrix"),
        (((SLOW, FAST), TRANSITIONS, [0.5, 0.6]), ParameterError, "initial_probabilities"),
        (((SLOW, FAST), TRANSITIONS, [1.0]), ParameterError, "initial_probabilities"),
        (((SLOW, TURN), TRANSITIONS, None, 0.0), ParameterError, "missing_std must be numbers above 0"),
        (((SLOW, TURN), TRANSITIONS, None, [1.0, 2.0]), ParameterError, "missing_std"),
        (
            ((SLOW, TURN), TRANSITIONS, None, {"rate": 1.0}),
            MotionError,
            "names the column 'rate', but the columns are x",
        ),
        (((SLOW, RandomWalk(1.0, 3)), TRANSITIONS), ParameterError, "velocities"),
    ],
)
def test_bad_parameters_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SwitchingMotion(*arguments)


def test_states_without_modes_are_refused() -> None:
    motion = SwitchingMotion((SLOW, FAST), TRANSITIONS)
    for ask in (motion.propagate, motion.jacobian, motion.noise_covariance):
        with pytest.raises(MotionError, match="a SwitchingMotion has several modes"):
            ask(np.zeros((1, 4)), 1.0)


def simulate_turns(seed: int, n_scans: int = 40) -> tuple[list[Array], list[Array]]:
    """Return true positions and detections of three objects that fly straight and turn by turns, amid clutter."""
    rng, turn = np.random.default_rng(seed), CoordinatedTurn(1.0, 1.0)
    states = np.column_stack(
        [rng.uniform(-300, 300, 3), rng.normal(0, 15, 3), rng.uniform(-300, 300, 3), rng.normal(0, 15, 3), np.zeros(3)]
    )
    truth, scans = [], []
    for _ in range(n_scans):
        has_changed = rng.random(3) < 0.08
        new_rates = np.where(states[:, 4] == 0.0, rng.choice([-1.0, 1.0], 3) * rng.uniform(0.2, 0.5, 3), 0.0)
        states[:, 4] = np.where(has_changed, new_rates, states[:, 4])
        states = turn.propagate(states, 1.0)
        truth.append(states[:, [0, 2]])
        seen = truth[-1][rng.random(3) < 0.95]
        clutter = rng.uniform(-1000, 1000, (rng.poisson(5), 2))
        scans.append(np.vstack([seen + rng.normal(0.0, 8.0, seen.shape), clutter]))
    return truth, scans


def missed_distance(truth: list[Array], estimates: list[Any], cutoff: float = 50.0) -> float:
    """Return the mean distance of true positions from the nearest estimate, cut off."""
    distances = [
        np.linalg.norm(true[:, None] - estimate.positions, axis=2).min(axis=1, initial=cutoff)
        for true, estimate in zip(truth, estimates, strict=True)
    ]
    return float(np.minimum(np.concatenate(distances), cutoff).mean())


@pytest.mark.parametrize("tracker", TRACKERS)
def test_all_modes_of_an_object_are_reported_as_one(tracker: type[Any]) -> None:
    """Two modes that explain the detections equally well halve the weight of the object in each."""
    region = {"low": [0.0, 0.0], "high": [100.0, 100.0]}
    sensor = PositionSensor(1.0, Clutter.in_region(1.0, **region), 0.9)
    birth = Birth.anywhere(rate=0.1, hidden_std=3.0, initial_number=1.0, **region)
    motion = SwitchingMotion((ConstantVelocity(0.5), ConstantVelocity(0.5001)), [[0.5, 0.5], [0.5, 0.5]])
    scans = [[[2.0 * k, 3.0 * k], [90.0, 10.0 + k]] for k in range(12)]
    estimates = tracker(TargetModel(motion, sensor, birth)).run(scans)
    for k, estimate in list(enumerate(estimates))[4:]:
        assert len(estimate) == 2
        assert set(estimate.labels) == set(estimates[4].labels)
        nearest = np.abs(estimate.positions[:, None] - np.array(scans[k])).max(axis=2).min(axis=0)
        assert (nearest < 1.0).all()
        assert (estimate.existence > 0.8).all()


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_filter_of_many_objects_follows_turns_better_with_modes(tracker: type[Any]) -> None:
    region = {"low": [-1000.0, -1000.0], "high": [1000.0, 1000.0]}
    sensor = PositionSensor(8.0, Clutter.in_region(5.0, **region), 0.95)
    motions = {
        "calm": (ConstantVelocity(1.0), 15.0),
        "agile": (ConstantVelocity(8.0), 15.0),
        "switching": (
            SwitchingMotion(
                (ConstantVelocity(1.0), CoordinatedTurn(1.0, 0.05)),
                [[0.92, 0.08], [0.08, 0.92]],
                [0.7, 0.3],
                missing_std={"turn_rate": 0.35},
            ),
            [15.0, 15.0, 15.0, 15.0, 0.35],
        ),
    }
    errors = {}
    for name, (motion, hidden_std) in motions.items():
        birth = Birth.anywhere(rate=0.05, hidden_std=hidden_std, initial_number=3.0, **region)
        runs = [simulate_turns(seed) for seed in range(3)]
        model = TargetModel(motion, sensor, birth)
        errors[name] = np.mean([missed_distance(truth, tracker(model).run(scans)) for truth, scans in runs])
    assert errors["switching"] < 0.95 * min(errors["calm"], errors["agile"])
