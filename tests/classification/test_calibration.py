"""Calibrations recover a distorted truth, keep what they promise to keep, and stay finite on few or separated rows."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import expit, log_softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gaussmix.classification.calibration import CALIBRATIONS, SoftmaxCalibration, TailCalibration, fit_calibration
from gaussmix.classification.softmax_loss import SoftmaxLoss
from gaussmix.classification.tail_loss import TailLoss, shorten_tails
from tests.exhaustive import parametrize_product

KINDS = list(CALIBRATIONS)


def _distort(truth: np.ndarray, slope: float, intercepts: np.ndarray) -> np.ndarray:
    """Return log probabilities that the softmax of slope and intercepts turns back into the truth (n, Y)."""
    return log_softmax((np.log(truth) - intercepts) / slope, axis=1)


def _make_case(n_rows: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return true class probabilities (n, Y), and classes (n,) drawn from them."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(n_classes, 0.7), n_rows) * 0.999 + 0.001 / n_classes
    classes = (rng.random(n_rows)[:, None] > np.cumsum(truth, axis=1)[:, :-1]).sum(axis=1)
    return truth, classes


def _mean_loss(log_probabilities: np.ndarray, classes: np.ndarray) -> float:
    return float(-log_probabilities[np.arange(len(classes)), classes].mean())


@parametrize_product({"n_classes": [2, 4], "seed": range(2)})
def test_tails_that_are_too_long_are_shortened(n_classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_probabilities = log_softmax(6.0 * rng.normal(size=(40_000, n_classes)), axis=1)
    intercepts, scales = np.r_[0.0, np.linspace(-0.5, 0.5, n_classes - 1)], np.linspace(1.0, 4.0, n_classes)
    truth = TailCalibration(0.8, intercepts, scales, np.zeros(n_classes))
    p = np.exp(truth.apply(log_probabilities))
    classes = (rng.random(len(p))[:, None] > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    calibration = fit_calibration("tails", log_probabilities, classes, np.ones(len(p)))
    assert isinstance(calibration, TailCalibration)
    np.testing.assert_allclose(np.exp(calibration.apply(log_probabilities)), p, atol=0.02)
    np.testing.assert_allclose(calibration.scales, truth.scales, rtol=0.5)
    sigmoid = fit_calibration("sigmoid", log_probabilities, classes, np.ones(len(p))).apply(log_probabilities)
    assert _mean_loss(calibration.apply(log_probabilities), classes) < _mean_loss(sigmoid, classes) - 0.001


def test_short_scales_bend_probabilities_and_long_ones_leave_them() -> None:
    log_probabilities = np.log([[0.5, 0.1, 1e-6, 1e-12]]).T
    np.testing.assert_allclose(shorten_tails(log_probabilities, np.array([1e6])), log_probabilities, rtol=1e-9)
    expected = -2.0 * np.arcsinh(-log_probabilities / 2.0)
    np.testing.assert_allclose(shorten_tails(log_probabilities, np.array([2.0])), expected, rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_gradient_of_the_tail_loss_equals_finite_differences(n_classes: int) -> None:
    truth, classes = _make_case(60, n_classes)
    rng = np.random.default_rng(0)
    loss = TailLoss(3.0 * np.log(truth), classes, rng.random(60) + 0.1)
    for point in (loss.start(1.0) + 0.3 * rng.normal(size=2 * n_classes), loss.start(-1.0)):
        error = check_grad(lambda free: loss.evaluate(free)[0], lambda free: loss.evaluate(free)[1], point)
        assert error < 1e-6 * max(1.0, float(np.abs(loss.evaluate(point)[1]).max()))


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tails"])
def test_a_distorted_truth_is_recovered(kind: str, n_classes: int) -> None:
    truth, classes = _make_case(80_000 if kind == "floor" else 20_000, n_classes)  # floors have a prior of the slope
    intercepts = np.r_[0.0, np.linspace(-0.8, 0.9, n_classes - 1)] * (kind != "temperature")
    if kind == "isotonic" and n_classes > 2:
        intercepts[:] = 0.0  # one step function for each class undoes a slope only in part
    log_probabilities = _distort(truth, 0.4, intercepts)
    floors = np.zeros(n_classes)
    if kind == "floor":
        floors = np.linspace(0.02, 0.05, n_classes)
        noise = np.random.default_rng(5).random(len(classes))
        drawn = (noise[:, None] > np.cumsum(floors)).sum(axis=1)  # n_classes: the class itself
        classes = np.where(drawn < n_classes, drawn, classes)
        truth = floors + (1.0 - floors.sum()) * truth
    calibration = fit_calibration(kind, log_probabilities, classes, np.ones(len(classes)))
    calibrated = calibration.apply(log_probabilities)
    np.testing.assert_allclose(np.exp(calibrated).sum(axis=1), 1.0, rtol=1e-12)
    assert np.sqrt(np.mean((np.exp(calibrated) - truth) ** 2)) < (0.03 if kind == "isotonic" else 0.012)
    assert _mean_loss(calibrated, classes) < _mean_loss(log_probabilities, classes) - 0.02
    if isinstance(calibration, SoftmaxCalibration):
        assert calibration.slope == pytest.approx(0.4, rel=0.1)
        np.testing.assert_allclose(calibration.intercepts, intercepts, atol=0.08)
        np.testing.assert_allclose(calibration.floors, floors, atol=0.012)


def test_a_sigmoid_is_logistic_regression_on_the_log_odds() -> None:
    truth, classes = _make_case(20_000, 2)
    log_probabilities, weights = (
        _distort(truth, 0.5, np.array([0.0, 0.4])),
        np.random.default_rng(1).random(20_000) + 0.5,
    )
    calibration = fit_calibration("sigmoid", log_probabilities, classes, weights)
    assert isinstance(calibration, SoftmaxCalibration)
    log_odds = np.diff(log_probabilities, axis=1)
    regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds, classes, sample_weight=weights)
    assert calibration.slope == pytest.approx(regression.coef_[0, 0], rel=1e-3)
    assert calibration.intercepts[1] == pytest.approx(regression.intercept_[0], abs=1e-3)


def test_an_isotonic_calibration_is_scikit_learns_regression() -> None:
    truth, classes = _make_case(500, 2)
    log_probabilities = _distort(truth, 0.5, np.array([0.0, 0.4]))
    weights = np.random.default_rng(1).random(500) + 0.5
    calibrated = np.exp(fit_calibration("isotonic", log_probabilities, classes, weights).apply(log_probabilities))
    log_odds = np.diff(log_probabilities, axis=1)[:, 0]
    expected = IsotonicRegression(y_min=0, y_max=1).fit(log_odds, classes, sample_weight=weights).predict(log_odds)
    np.testing.assert_allclose(calibrated[:, 1], np.clip(expected, 1e-12, 1.0), rtol=1e-9, atol=1e-12)
    order = np.argsort(log_odds)
    assert (np.diff(calibrated[order, 1]) >= -1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_the_ranking_of_two_classes_is_kept(kind: str, seed: int) -> None:
    truth, classes = _make_case(800, 2, seed)
    log_probabilities = _distort(truth, 0.3, np.array([0.0, 1.0]))
    calibrated = fit_calibration(kind, log_probabilities, classes, np.ones(800)).apply(log_probabilities)
    before, after = np.diff(log_probabilities, axis=1)[:, 0], calibrated[:, 1]
    assert (np.diff(after[np.argsort(before)]) >= -1e-14).all()
    if kind != "isotonic":
        assert len(np.unique(after)) == len(np.unique(before))
        assert roc_auc_score(classes, after) == pytest.approx(roc_auc_score(classes, before), abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_temperature_keeps_the_most_probable_class(n_classes: int) -> None:
    truth, classes = _make_case(500, n_classes)
    log_probabilities = _distort(truth, 3.0, np.zeros(n_classes))
    calibration = fit_calibration("temperature", log_probabilities, classes, np.ones(500))
    assert isinstance(calibration, SoftmaxCalibration)
    assert abs(np.log(calibration.slope)) > 0.5
    assert not calibration.intercepts.any()
    assert not calibration.floors.any()
    calibrated = calibration.apply(log_probabilities)
    np.testing.assert_array_equal(np.argmax(calibrated, axis=1), np.argmax(log_probabilities, axis=1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_weights_count_like_copies_and_the_order_of_rows_does_not_matter(kind: str, n_classes: int) -> None:
    truth, classes = _make_case(150, n_classes)
    log_probabilities = _distort(truth, 0.5, np.zeros(n_classes))
    weights = np.random.default_rng(3).integers(1, 4, 150)
    copies = np.random.default_rng(4).permutation(np.repeat(np.arange(150), weights))
    weighted = fit_calibration(kind, log_probabilities, classes, weights.astype(float)).apply(log_probabilities)
    repeated = fit_calibration(kind, log_probabilities[copies], classes[copies], np.ones(len(copies)))
    np.testing.assert_allclose(repeated.apply(log_probabilities), weighted, atol=1e-6)
    plain = fit_calibration(kind, log_probabilities, classes, np.ones(150)).apply(log_probabilities)
    assert np.abs(plain - weighted).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_rows", [2, 3, 40])
def test_few_and_separated_rows_give_finite_probabilities(kind: str, n_rows: int) -> None:
    classes = np.arange(n_rows) % 2
    log_probabilities = np.where(classes[:, None] == [0, 1], 0.0, -700.0)
    calibration = fit_calibration(kind, log_probabilities, classes, np.ones(n_rows))
    new = log_softmax(np.array([[0.0, -np.inf], [-1e6, 0.0], [0.0, 0.0], [-0.1, -2.3]]), axis=1)
    calibrated = calibration.apply(new)
    assert np.isfinite(calibrated).all()
    np.testing.assert_allclose(np.exp(calibrated).sum(axis=1), 1.0, rtol=1e-12)
    if kind == "tails":
        least = np.exp(calibrated[:2]).min(axis=0)
        np.testing.assert_allclose(least, 0.5 / (n_rows + 1), rtol=0.01)  # half a row of each class
        assert (np.exp(calibrated[3, 1]) < 0.25).all(), "rows in the middle are not what these rows speak of"
    if kind == "floor":
        floors = np.exp(calibrated[:2]).min(axis=0)
        assert (floors > 0.4 / (n_rows + 22)).all()  # half a row of each class, beside 20 explained ones
        assert (floors < 0.5).all()


def test_rows_of_one_class_alone_are_calibrated_towards_it() -> None:
    log_probabilities = np.log(np.full((30, 2), 0.5))
    for kind in KINDS:
        calibrated = np.exp(
            fit_calibration(kind, log_probabilities, np.ones(30, dtype=int), np.ones(30)).apply(log_probabilities)
        )
        assert (calibrated[:, 1] >= 0.5 - 1e-12).all()
        assert kind == "temperature" or (calibrated[:, 1] > 0.6).all()


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(("has_intercepts", "has_floors"), [(False, False), (True, False), (True, True)])
def test_the_gradient_of_the_loss_equals_finite_differences(
    n_classes: int, has_intercepts: bool, has_floors: bool
) -> None:
    truth, classes = _make_case(60, n_classes)
    rng = np.random.default_rng(0)
    loss = SoftmaxLoss(np.log(truth), classes, rng.random(60) + 0.1, has_intercepts, has_floors)
    n_coefficients = 1 + (n_classes - 1) * has_intercepts
    point = np.r_[0.3 * rng.normal(size=n_coefficients), rng.uniform(0.05, 0.5, n_classes * has_floors)]
    assert len(point) == len(loss.start)
    error = check_grad(lambda free: loss.evaluate(free)[0], lambda free: loss.evaluate(free)[1], point)
    assert error < 1e-6 * max(1.0, float(np.abs(loss.evaluate(point)[1]).max()))


def test_two_classes_with_floors_are_the_published_formula() -> None:
    log_odds = np.linspace(-6.0, 6.0, 25)
    log_probabilities = np.log(np.column_stack([expit(-log_odds), expit(log_odds)]))
    calibration = SoftmaxCalibration(1.7, np.array([0.0, -0.4]), np.array([0.03, 0.08]))
    expected = 0.08 + (1.0 - 0.03 - 0.08) * expit(1.7 * log_odds - 0.4)
    np.testing.assert_allclose(np.exp(calibration.apply(log_probabilities))[:, 1], expected, rtol=1e-12)
