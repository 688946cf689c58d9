"""P-values of simulated normal rows: uniform, valid, and near uniform under a corrected shift."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.anomaly import AnomalyDetector
from gaussmix.anomaly.calibration import CalibrationScores

FAST = {"n_components": 1, "n_repeats": 1, "shrinkage": 0.1}


def draw(rng, n_rows):
    """Rows of two groups with a rare binary column, which is constant in many halves."""
    rows = rng.normal(size=(n_rows, 3))
    rows[rng.random(n_rows) < 0.3] += 4.0
    rows[:, 2] = rng.random(n_rows) < 0.03
    return rows


@pytest.fixture(scope="module")
def fresh_p_values():
    """P-values of one fresh normal row a run, with random ties and without, by detectors of 40 rows."""
    values = []
    for run in range(250):
        rng = np.random.default_rng(run)
        detector = AnomalyDetector(training="clean", random_state=run, **FAST).fit(draw(rng, 60))
        row = draw(rng, 1)
        values.append([detector.p_values(row, randomize_ties=True)[0], detector.p_values(row)[0]])
    return np.array(values)


def test_p_values_of_normal_rows_are_uniform_with_random_ties(fresh_p_values):
    assert stats.kstest(fresh_p_values[:, 0], "uniform").pvalue > 0.01


def test_p_values_of_normal_rows_are_valid(fresh_p_values):
    exact = fresh_p_values[:, 1]
    assert exact.min() >= 1.0 / 31
    for level in (1.0 / 31, 0.1, 0.2, 0.5):
        assert (exact <= level).mean() <= level + 2.6 * np.sqrt(level * (1.0 - level) / len(exact))


@pytest.mark.parametrize("training", ["clean", "contaminated"])
def test_the_rate_of_false_alarms_is_the_nominal_one(training):
    """Within three standard errors of 1000 calibration rows and 4000 new ones."""
    rng = np.random.default_rng(0)
    rows, new = rng.normal(size=(2000, 2)), rng.normal(size=(4000, 2))
    for fpr in (0.01, 0.1):
        detector = AnomalyDetector(training=training, fpr=fpr, random_state=0, **FAST).fit(rows)
        assert (detector.predict(new) == -1).mean() == pytest.approx(fpr, abs=3.0 * np.sqrt(fpr / 800))


def test_density_ratios_make_p_values_of_shifted_normal_rows_nearly_uniform():
    rng = np.random.default_rng(1)
    rows, normal, new = rng.normal(size=(400, 2)), rng.normal(size=(3000, 2)), rng.normal(size=(1000, 2))
    new[:, 0] = 0.8 + new[:, 0]
    detector = AnomalyDetector(training="clean", random_state=0, **FAST).fit(rows, X_calibration=normal)

    def ratio(points):
        return stats.norm.pdf(points[:, 0], 0.8) / stats.norm.pdf(points[:, 0])

    options = {"density_ratio": ratio(new), "calibration_density_ratio": ratio(normal)}
    plain = stats.kstest(detector.p_values(new), "uniform").statistic
    corrected = stats.kstest(detector.p_values(new, **options), "uniform").statistic
    assert plain > 0.12
    assert corrected < 0.06


def test_equal_density_ratios_change_nothing_and_rows_outside_have_finite_p_values():
    rng = np.random.default_rng(2)
    rows, new = rng.normal(size=(80, 2)), rng.normal(size=(20, 2))
    detector = AnomalyDetector(training="clean", calibration="cross", random_state=0, **FAST).fit(rows)
    same = detector.p_values(new, density_ratio=np.full(20, 2.0), calibration_density_ratio=np.full(80, 2.0))
    np.testing.assert_allclose(same, detector.p_values(new), rtol=1e-12)
    with np.errstate(all="raise"):
        zero = detector.p_values(new, density_ratio=np.eye(20)[0], calibration_density_ratio=np.ones(80))
    assert np.isfinite(zero).all()
    with pytest.raises(ValueError, match="density_ratio"):
        detector.p_values(new, density_ratio=np.ones(20), calibration_density_ratio=np.ones(3))
    with pytest.raises(ValueError, match="calibration_density_ratio, too"):
        detector.p_values(new, density_ratio=np.ones(20))


def test_contaminated_calibration_refuses_density_ratios_and_does_not_let_anomalies_vouch():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(1000, 2))
    rows[:50] = rng.uniform(-30.0, 30.0, (50, 2))
    new = np.array([[9.0, -9.0]])
    contaminated, clean = (
        AnomalyDetector(training=training, random_state=0, **(FAST | {"n_components": 8})).fit(rows)
        for training in ("contaminated", "clean")
    )
    assert contaminated.p_values(new)[0] < 1e-3 < clean.p_values(new)[0]
    with pytest.raises(ValueError, match="training='clean'"):
        contaminated.p_values(rows, density_ratio=np.ones(1000), calibration_density_ratio=np.ones(1000))


def test_the_total_weight_is_that_of_the_rows():
    halves = np.full((3, 1), -1)
    assert CalibrationScores.from_scores(np.arange(3.0), None, halves, True, False).total_weight == 3.0
    weights = np.array([1.0, 2.5, 0.5])
    assert CalibrationScores.from_scores(np.arange(3.0), weights, halves, True, False).total_weight == 4.0
