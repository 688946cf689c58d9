"""Laws of prediction, update, filtering and smoothing of one object."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gaussmix import DataError, Gaussian, Intensity, Mixture, ParameterError
from gaussmix.errors.tracking_filters import BeliefError, FilterOverflowError
from gaussmix.model.noise import Box, Noise
from gaussmix.tracking import (
    ConstantAcceleration,
    ConstantVelocity,
    CoordinatedTurn,
    FunctionMotion,
    FunctionSensor,
    PositionSensor,
    RangeBearingSensor,
    StateLayout,
    SwitchingMotion,
    WhiteNoiseMotion,
    filter_measurements,
    predict,
    smooth,
    update,
)
from gaussmix.tracking.motion import LinearMotion
from gaussmix.transforms import ColumnTransforms
from gaussmix.types import ND, Array
from tests.tracking.single_object_scenes import CLUTTER, pendulum, random_gaussian, velocity_scene

TIMES = np.array([0.0, 0.4, 0.4, 1.7, 2.0, 5.0, 5.5, 8.0])


def joint_gaussian(
    motion: LinearMotion, sensor: PositionSensor, initial: Gaussian, times: Array
) -> tuple[Array, Array, Array, Array]:
    """Return mean and covariance of all states together, the matrix of all measurements, and their noise."""
    n_times, n = len(times), motion.n_states
    mean, covariance = np.zeros(n_times * n), np.zeros((n_times * n, n_times * n))
    previous_mean, previous, steps = initial.mean, initial.covariance, np.diff(times, prepend=times[0])
    for k, dt in enumerate(steps):
        transition, here = motion.transition(dt), slice(k * n, (k + 1) * n)
        previous_mean = transition @ previous_mean
        mean[here] = previous_mean
        if k:
            before = slice((k - 1) * n, k * n)
            covariance[here, : k * n] = transition @ covariance[before, : k * n]
            covariance[: k * n, here] = covariance[here, : k * n].T
        previous = transition @ previous @ transition.T + motion.noise(dt)
        covariance[here, here] = previous
    observe = np.kron(np.eye(n_times), sensor.jacobian(mean[None, :n], motion.layout))
    return mean, covariance, observe, np.kron(np.eye(n_times), sensor.noise_covariance)


MOTIONS: dict[str, LinearMotion] = {
    "constant velocity": ConstantVelocity(0.7),
    "constant acceleration": ConstantAcceleration(0.3),
    "white noise": WhiteNoiseMotion(0.5),
}


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("missing", [[], [1, 5], [0, 7]])
def test_filter_and_smoother_condition_the_joint_gaussian(name: str, seed: int, missing: list[int]) -> None:
    motion, sensor = MOTIONS[name], PositionSensor([0.5, 1.5], CLUTTER)
    initial = random_gaussian(seed, motion.n_states)
    measurements = np.random.default_rng(seed).normal(size=(len(TIMES), 2)) * 3.0
    measurements[missing] = np.nan
    states = filter_measurements(initial, motion, sensor, measurements, TIMES, start_time=0.0)
    smoothed = smooth(states)

    mean, covariance, observe, noise = joint_gaussian(motion, sensor, initial, TIMES)
    z, n = measurements.ravel(), motion.n_states
    for n_seen in range(1, len(TIMES) + 1):
        is_seen = ~np.isnan(z) & (np.arange(len(z)) < 2 * n_seen)
        h = observe[is_seen]
        innovation = h @ covariance @ h.T + noise[np.ix_(is_seen, is_seen)]
        gain = np.linalg.solve(innovation, h @ covariance).T if is_seen.any() else np.zeros((len(mean), 0))
        posterior_mean = mean + gain @ (z[is_seen] - h @ mean)
        posterior = covariance - gain @ innovation @ gain.T
        here = slice((n_seen - 1) * n, n_seen * n)
        np.testing.assert_allclose(states.means[n_seen - 1], posterior_mean[here], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(states.covariances[n_seen - 1], posterior[here, here], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(smoothed.means, posterior_mean.reshape(-1, n), rtol=1e-9, atol=1e-9)
    for k in range(len(TIMES)):
        here, after = slice(k * n, (k + 1) * n), slice((k + 1) * n, (k + 2) * n)
        np.testing.assert_allclose(smoothed.covariances[k], posterior[here, here], rtol=1e-9, atol=1e-9)
        if k + 1 < len(TIMES):
            lagged = smoothed.gains[k] @ smoothed.covariances[k + 1]
            np.testing.assert_allclose(lagged, posterior[here, after], rtol=1e-9, atol=1e-9)
    density = stats.multivariate_normal(h @ mean, innovation)
    assert states.log_likelihood == pytest.approx(density.logpdf(z[is_seen]), rel=1e-10)


def random_mixture(seed: int, n_components: int = 3) -> Mixture:
    parts = [random_gaussian(seed + k, 4) for k in range(n_components)]
    weights = np.random.default_rng(seed).dirichlet(np.ones(n_components))
    return Mixture.from_parameters(weights, [p.mean for p in parts], [p.covariance for p in parts])


def one_component(gaussian: Gaussian) -> Mixture:
    return Mixture.from_parameters([1.0], gaussian.mean[None], gaussian.covariance[None])


@pytest.mark.parametrize("make", [one_component, lambda g: Intensity(one_component(g), 2.0)])
def test_a_mixture_of_one_component_is_a_gaussian(make: Callable[[Gaussian], Any]) -> None:
    motion, sensor, gaussian, measurements = velocity_scene(1)
    belief = make(gaussian)
    for row in measurements[:4]:
        gaussian, belief = predict(gaussian, motion, 0.5), predict(belief, motion, 0.5)
        (gaussian, expected), (belief, log_likelihood) = (
            update(part, sensor, row, motion.layout) for part in (gaussian, belief)
        )
        assert log_likelihood == pytest.approx(expected, rel=1e-12)
        mixture = belief if isinstance(belief, Mixture) else belief.mixture
        np.testing.assert_allclose(mixture.means[0], gaussian.mean, rtol=1e-12)
        np.testing.assert_allclose(mixture.covariances[0], gaussian.covariance, rtol=1e-12)


def test_an_update_is_bayes_theorem() -> None:
    belief, sensor, layout = random_mixture(2), PositionSensor([0.5, 2.0], CLUTTER), ConstantVelocity(1.0).layout
    z = np.array([0.3, -0.4])
    posterior, log_likelihood = update(belief, sensor, z, layout)
    states = np.random.default_rng(0).normal(size=(20, 4))
    likelihood = stats.multivariate_normal(np.zeros(2), sensor.noise_covariance).logpdf(z - states[:, [0, 2]])
    expected = belief.logpdf(states) + likelihood
    np.testing.assert_allclose(posterior.logpdf(states) + log_likelihood, expected, rtol=1e-9)
    intensity = Intensity(belief, 1.5)
    product = update(intensity, sensor, z, layout).belief
    np.testing.assert_allclose(product.log_evaluate(states), expected + 1.5, rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_two_measurements_at_one_time_does_not_matter(seed: int) -> None:
    belief, layout = random_mixture(seed), ConstantVelocity(1.0).layout
    steps = [(PositionSensor(0.5, CLUTTER), [0.1, 0.2]), (PositionSensor([3.0, 0.2], CLUTTER), [-0.5, 0.8])]
    results = []
    for order in (steps, steps[::-1]):
        state, total = belief, 0.0
        for sensor, z in order:
            state, log_likelihood = update(state, sensor, z, layout)
            total += log_likelihood
        results.append((state, total))
    (first, first_total), (second, second_total) = results
    assert first_total == pytest.approx(second_total, rel=1e-12)
    np.testing.assert_allclose(first.weights, second.weights, rtol=1e-10)
    np.testing.assert_allclose(first.means, second.means, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(first.covariances, second.covariances, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("unit", [2.0**-30, 1e-9, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_units_and_offsets_change_nothing(unit: float, offset: float) -> None:
    motion, sensor, initial, measurements = velocity_scene(3)
    shift = np.array([offset, 0.0, offset, 0.0])
    expected = smooth(filter_measurements(initial, motion, sensor, measurements))
    states = filter_measurements(
        Gaussian(unit * (initial.mean + shift), unit**2 * initial.covariance),
        ConstantVelocity(unit * 0.4),
        PositionSensor(unit * np.array([0.5, 1.5]), CLUTTER),
        unit * (measurements + offset),
    )
    smoothed = smooth(states)
    np.testing.assert_allclose(smoothed.means / unit - shift, expected.means, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(smoothed.covariances / unit**2, expected.covariances, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("has_jacobian", [True, False])
def test_units_of_single_columns_change_nothing_in_nonlinear_filters(has_jacobian: bool) -> None:
    motion, sensor = pendulum(has_jacobian)
    initial, factors = random_gaussian(0, 2), np.array([1.0, 1e5])
    measurements = np.array([[0.1], [0.4], [-0.3]])
    expected = filter_measurements(initial, motion, sensor, measurements)
    scaled_motion = FunctionMotion(
        lambda x, dt: motion.propagate(x / factors, dt) * factors,
        motion.layout,
        np.asarray(motion.noise) * np.outer(factors, factors),
        (lambda x, dt: motion.jacobian(x / factors, dt) * factors[:, None] / factors) if has_jacobian else None,
    )
    scaled = Gaussian(initial.mean * factors, initial.covariance * np.outer(factors, factors))
    states = filter_measurements(scaled, scaled_motion, sensor, measurements)
    np.testing.assert_allclose(states.means / factors, expected.means, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(smooth(states).means / factors, smooth(expected).means, rtol=1e-8, atol=1e-8)


def test_nonlinear_filters_agree_where_functions_are_nearly_linear() -> None:
    (extended, extended_sensor), (unscented, unscented_sensor) = pendulum(True), pendulum(False)
    initial, measurements = Gaussian([0.2, 0.0], 1e-4 * np.eye(2)), 0.2 * np.ones((5, 1))
    times = 0.01 * np.arange(1.0, 6.0)
    first = filter_measurements(initial, extended, extended_sensor, measurements, times)
    second = filter_measurements(initial, unscented, unscented_sensor, measurements, times)
    np.testing.assert_allclose(first.means, second.means, atol=1e-4)
    np.testing.assert_allclose(smooth(first).means, smooth(second).means, atol=1e-4)
    assert np.abs(first.means - second.means).max() > 0.0


def test_angles_are_taken_around_the_circle() -> None:
    sensor, layout = RangeBearingSensor(0.1, 0.01, CLUTTER), ConstantVelocity(1.0).layout
    belief = Gaussian([-10.0, 0.0, 0.01, 0.0], 0.01 * np.eye(4))  # behind the sensor, where the bearing jumps
    near, far = (update(belief, sensor, [10.0, bearing], layout) for bearing in (-np.pi + 0.001, np.pi - 0.001))
    assert abs(near.belief.mean[2] - far.belief.mean[2]) < 0.05
    assert near.log_likelihood == pytest.approx(far.log_likelihood, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_updates_stay_positive_definite_at_condition_number_1e12(seed: int) -> None:
    """Joseph's form holds where the textbook form (I - K H) P fails, as the next test shows."""
    covariance, sensor, layout = ill_conditioned(seed)
    updated = update(Gaussian(np.zeros(4), covariance), sensor, [0.1, 0.2], layout).belief
    assert np.linalg.eigvalsh(updated.covariance).min() > 0.0


def test_the_textbook_form_fails_there() -> None:
    n_failed = 0
    for seed in range(200):
        covariance, sensor, layout = ill_conditioned(seed)
        h = sensor.jacobian(np.zeros((1, 4)), layout)
        gain = covariance @ h.T @ np.linalg.inv(h @ covariance @ h.T + sensor.noise_covariance)
        textbook = (np.eye(4) - gain @ h) @ covariance
        n_failed += np.linalg.eigvalsh(0.5 * (textbook + textbook.T)).min() <= 0.0
    assert n_failed > 0


def ill_conditioned(seed: int) -> tuple[Array, PositionSensor, StateLayout]:
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    covariance = axes @ np.diag(10.0 ** -np.linspace(0.0, 12.0, 4)) @ axes.T
    noise = 10.0 ** -rng.uniform(3.0, 6.0)
    return 0.5 * (covariance + covariance.T), PositionSensor(noise, CLUTTER), ConstantVelocity(1.0).layout


def test_time_steps_of_zero_change_nothing() -> None:
    motion, _, initial, _ = velocity_scene(0)
    moved = predict(initial, motion, 0.0)
    np.testing.assert_array_equal(moved.mean, initial.mean)
    np.testing.assert_allclose(moved.covariance, initial.covariance, rtol=1e-15)


def test_start_time_moves_the_belief_to_the_first_measurement() -> None:
    motion, sensor, initial, measurements = velocity_scene(0, 5)
    times = np.arange(3.0, 8.0)
    late = filter_measurements(initial, motion, sensor, measurements, times, start_time=2.0)
    default = filter_measurements(initial, motion, sensor, measurements)
    np.testing.assert_allclose(late.means, default.means, rtol=1e-13)
    other = filter_measurements(initial, motion, sensor, measurements, times)
    assert not np.allclose(other.means, default.means)
    np.testing.assert_array_equal(late.times, times)


def test_no_measurements_give_no_states() -> None:
    motion, sensor, initial, _ = velocity_scene(0)
    states = filter_measurements(initial, motion, sensor, [])
    assert (len(states), len(smooth(states)), states.log_likelihood) == (0, 0, 0.0)
    one = smooth(filter_measurements(initial, motion, sensor, [[1.0, 2.0]]))
    assert len(one) == 1
    assert one.gains.shape == (0, 4, 4)


def test_names_of_columns_stay() -> None:
    mixture = random_mixture(0)
    named = Mixture.from_parameters(mixture.weights, mixture.means, mixture.covariances, "VVV", ["x", "vx", "y", "vy"])
    assert predict(named, ConstantVelocity(1.0), 1.0).feature_names == ("x", "vx", "y", "vy")


Arguments = tuple[Any, ...]
SENSOR, MOTION = PositionSensor(1.0, CLUTTER), ConstantVelocity(1.0)
BELIEF = Gaussian(np.zeros(4), np.eye(4))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3.0, MOTION, 1.0), ParameterError, "a Gaussian, a Mixture or an Intensity"),
        ((Gaussian([0.0], [[1.0]]), MOTION, 1.0), BeliefError, "the belief has 1 column, but states have 4"),
        ((BELIEF, SENSOR, 1.0), ParameterError, "a motion model"),
        ((BELIEF, MOTION, -1.0), ParameterError, "dt must be a finite number of at least 0"),
        ((BELIEF, MOTION, np.nan), ParameterError, "dt"),
        ((BELIEF, MOTION, 1e200), FilterOverflowError, "after the prediction is not finite"),
        ((BELIEF, SwitchingMotion((MOTION,), [[1.0]]), 1.0), ParameterError, "several modes"),
    ],
)
def test_bad_predictions_are_refused(arguments: Arguments, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        predict(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((BELIEF, MOTION, [0.0, 0.0], MOTION.layout), ParameterError, "a sensor model"),
        ((BELIEF, SENSOR, [0.0], MOTION.layout), ParameterError, "measurement"),
        ((BELIEF, SENSOR, [0.0, np.nan], MOTION.layout), ParameterError, "NaN or infinity in measurement"),
        ((BELIEF, SENSOR, [0.0, 1.0], MOTION), ParameterError, "a StateLayout, such as motion.layout"),
        ((BELIEF, SENSOR, [0.0, 1e200], MOTION.layout), FilterOverflowError, "after the update is not finite"),
    ],
)
def test_bad_updates_are_refused(arguments: Arguments, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        update(*arguments)


@pytest.mark.parametrize(
    ("measurements", "options", "error", "message"),
    [
        ([[0.0, np.nan]], {}, DataError, "measurement 0 has both numbers and NaN"),
        ([[0.0, 1.0], [0.0]], {}, DataError, "measurement 1 has the shape .1,., but the sensor measures 2 columns"),
        ([[0.0, np.inf]], {}, DataError, "inf"),
        ([["a", "b"]], {}, ParameterError, "measurements"),
        ([[0.0, 1.0]] * 3, {"times": [1.0, 3.0, 2.0]}, DataError, "time 2 is 2.0 after 3.0"),
        ([[0.0, 1.0]] * 2, {"times": [1.0, np.nan]}, DataError, "time 1 is nan"),
        ([[0.0, 1.0]], {"times": [-1.0]}, DataError, "time 0 is -1.0 after 0.0"),
        ([[0.0, 1.0]], {"times": [1.0, 2.0]}, ParameterError, "times"),
        ([[0.0, 1.0]], {"start_time": np.inf}, ParameterError, "start_time"),
    ],
)
def test_bad_sequences_are_refused(
    measurements: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        filter_measurements(BELIEF, MOTION, SENSOR, measurements, **options)


def test_other_beliefs_are_refused() -> None:
    with pytest.raises(ParameterError, match="GaussianSumFilter begins with a mixture"):
        filter_measurements(random_mixture(0), MOTION, SENSOR, [[0.0, 0.0]])  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="the result of filter_measurements"):
        smooth([1.0])  # type: ignore[arg-type]


def test_smoothed_states_that_overflow_are_refused() -> None:
    states = filter_measurements(BELIEF, MOTION, SENSOR, [[0.0, 0.0]] * 2)
    huge = replace(states, means=np.full((2, 4), 1e308), predicted_means=np.full((2, 4), -1e308))
    with pytest.raises(FilterOverflowError, match="after the smoothing is not finite"):
        smooth(huge)


def test_lost_definiteness_is_told() -> None:
    constant = FunctionMotion(lambda x, dt: np.zeros_like(x), StateLayout(("x",), (0,)), [[0.0]])
    with pytest.raises(BeliefError, match="covariance after the prediction is not positive definite"):
        predict(Gaussian([1.0], [[1.0]]), constant)


def test_measurements_without_digits_are_refused() -> None:
    """Two columns that measure nearly the same, exactly: their covariance has no positive Cholesky factor."""
    matrix = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-12]])
    sensor = FunctionSensor(lambda x: x @ matrix.T, [1e-20, 1e-20], CLUTTER, jacobian_function=lambda _: matrix)
    with pytest.raises(BeliefError, match="after the prediction of the measurement is not positive definite"):
        update(Gaussian([0.0, 0.0], np.eye(2) / 3.0), sensor, [0.0, 0.0], StateLayout(("x", "y"), (0, 1)))


def test_noise_and_transforms_are_refused() -> None:
    mixture = random_mixture(0)
    noisy = replace(mixture, weights=0.5 * mixture.weights, noise=Noise(0.5, Box(-np.ones(4), np.ones(4))))
    transformed = replace(mixture, transforms=ColumnTransforms(("log", None, None, None)))
    for belief, part in ((noisy, "a noise component"), (transformed, "transforms"), (Intensity(noisy), "noise")):
        with pytest.raises(BeliefError, match=f"the belief has .*{part}"):
            predict(belief, MOTION)


@pytest.mark.parametrize("seed", range(3))
def test_smoothing_follows_a_turn_better_than_filtering(seed: int) -> None:
    rng = np.random.default_rng(seed)
    motion, sensor = CoordinatedTurn(0.05, 0.01), PositionSensor(1.0, CLUTTER)
    truth = [np.array([[0.0, 3.0, 0.0, 0.0, 0.1]])]
    for _ in range(60):
        truth.append(motion.propagate(truth[-1], 1.0))
    states: ND = np.concatenate(truth[1:])
    measurements = sensor.observe(states, motion.layout) + rng.normal(size=(60, 2))
    initial = Gaussian([0.0, 3.0, 0.0, 0.0, 0.0], np.diag([1.0, 1.0, 1.0, 1.0, 0.01]))
    filtered = filter_measurements(initial, motion, sensor, measurements)
    smoothed = smooth(filtered)
    errors = [np.sqrt(((s.means - states)[:, [0, 2]] ** 2).mean()) for s in (filtered, smoothed)]
    assert errors[1] < errors[0] < np.sqrt(((measurements - states[:, [0, 2]]) ** 2).mean())
    assert smoothed.means[30, 4] == pytest.approx(0.1, abs=0.03)
