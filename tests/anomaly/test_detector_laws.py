"""What must not change a detector: order, units, offsets, threads, the type of the rows, weights for repetitions."""

import numpy as np
import pytest
from scipy import stats

from gaussmix.anomaly import AnomalyDetector, select_by_fdr
from gaussmix.core.threads import threads

CALIBRATIONS = ["split", "cross", "jackknife+"]
FAST = {"n_components": (2, 4), "n_repeats": 1, "random_state": 0}


def make_rows(n_rows=150, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, 3))
    rows[: n_rows // 3] += [4.0, 0.0, 0.0]
    rows[:, 2] += 0.5 * rows[:, 0]
    return rows


NEW = np.concatenate([make_rows(30, seed=1), 3.0 * make_rows(10, seed=2)])


def fit(rows, weights=None, **parameters):
    return AnomalyDetector(**(FAST | {"fpr": 0.1} | parameters)).fit(rows, sample_weight=weights)


def assert_same(first, second, rows, other_rows, tolerance):
    np.testing.assert_allclose(
        first.score_samples(rows), second.score_samples(other_rows), rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(first.p_values(rows), second.p_values(other_rows), rtol=tolerance)
    assert first.offset_ == pytest.approx(second.offset_, rel=tolerance)
    assert (first.predict(rows) == second.predict(other_rows)).all()


@pytest.mark.parametrize("training", ["clean", "contaminated"])
@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_the_order_of_the_rows_does_not_matter(training, calibration):
    rows, options = make_rows(), {"training": training, "calibration": calibration}
    order = np.random.default_rng(3).permutation(len(rows))
    first, second = fit(rows, **options), fit(rows[order], **options)
    assert_same(first, second, NEW, NEW, 1e-6)
    np.testing.assert_allclose(first.training_p_values_[order], second.training_p_values_, rtol=1e-6)


@pytest.mark.parametrize("training", ["clean", "contaminated"])
@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("rate", ["contamination", "fpr", "fdr"])
def test_weights_are_repetitions(training, calibration, rate):
    rows, counts = make_rows(100), np.random.default_rng(4).integers(0, 4, 100)
    options = {"training": training, "calibration": calibration, "fpr": None} | {rate: 0.1}
    weighted = fit(rows, counts.astype(float), **options)
    repeated = fit(np.repeat(rows, counts, axis=0), **options)
    assert_same(weighted, repeated, NEW, NEW, 1e-5)


def test_weights_are_repetitions_in_the_default():
    rows, counts = make_rows(100), np.random.default_rng(4).integers(0, 4, 100)
    weighted = AnomalyDetector(random_state=0).fit(rows, sample_weight=counts.astype(float))
    repeated = AnomalyDetector(random_state=0).fit(np.repeat(rows, counts, axis=0))
    assert weighted.shrinkage_ == repeated.shrinkage_
    assert_same(weighted, repeated, NEW, NEW, 1e-5)


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize(("unit", "offset"), [(1024.0, 0.0), (1e-60, 0.0), (1e60, 0.0), (3.0, -1e5)])
def test_units_and_offsets_of_columns_do_not_matter(calibration, unit, offset):
    rows, options = make_rows(), {"training": "clean", "calibration": calibration}
    units, offsets = np.array([unit, 1.0, 1.0 / unit]), np.array([offset, 0.0, 2.0 * offset / 3.0])
    first, second = fit(rows, **options), fit(units * rows + offsets, **options)
    assert_same(first, second, NEW, units * NEW + offsets, 1e-4)


def test_threads_and_the_size_of_a_batch_change_no_bit():
    rows, new = make_rows(600), make_rows(3000, seed=5)
    results = []
    for n_threads in (1, 3):
        with threads(n_threads):
            detector = fit(rows, training="clean")
            results.append(np.stack([detector.score_samples(new), detector.p_values(new)]))
    assert (results[0] == results[1]).all()
    assert (detector.p_values(new[:40]) == results[0][1, :40]).all()
    single = [detector.p_values(row[None])[0] for row in new[:10]]
    assert single == results[0][1, :10].tolist()


@pytest.mark.parametrize("n_values", [2, 5])
def test_ties_are_ties_whichever_rows_are_scored_together(n_values):
    """Discrete rows: a rounding error that breaks a tie would change p-values by the mass of the tie."""
    rows = np.random.default_rng(6).integers(0, n_values, (3000, 3)).astype(float)
    detector = fit(rows, training="clean", calibration="cross")
    p_values = detector.p_values(rows)
    assert [detector.p_values(row[None])[0] for row in rows[:20]] == p_values[:20].tolist()
    assert ((detector.predict(rows) == -1) == (p_values <= 0.1)).all()


def test_float32_rows_and_lists_are_the_same_rows():
    rows = make_rows().astype(np.float32)
    first, second = fit(rows), fit(rows.astype(np.float64))
    assert_same(first, second, NEW.astype(np.float32), NEW.astype(np.float32).astype(float), 1e-4)
    assert (fit(rows.tolist()).score_samples(NEW.tolist()) == second.score_samples(NEW)).all()
    assert (fit(np.asfortranarray(rows)).predict(NEW) == first.predict(NEW)).all()


def test_training_rows_that_contain_the_test_rows_are_judged_as_new_ones():
    rows = np.concatenate([make_rows(), [[30.0, 30.0, -30.0]]])
    detector = fit(rows, fpr=None, fdr=0.05)
    assert detector.predict(rows)[-1] == -1
    assert (detector.predict(rows)[:-1] == 1).mean() > 0.95
    assert (detector.predict(rows[-1:]) == detector.predict(rows)[-1:]).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_densities_of_the_members_rank_rows_as_the_true_density_does(seed):
    rows = make_rows(1500, seed)
    points = np.random.default_rng(seed).uniform(-4.0, 8.0, (300, 3))
    root = np.array([[1.0, 0, 0], [0, 1, 0], [0.5, 0, 1]])
    density = sum(
        weight * stats.multivariate_normal.pdf(points, root @ np.array(mean), root @ root.T)
        for weight, mean in ((1 / 3, [4.0, 0, 0]), (2 / 3, [0.0, 0, 0]))
    )
    detector = AnomalyDetector(training="clean", n_components=2, random_state=seed).fit(rows)
    assert stats.spearmanr(detector.score_samples(points), np.log(density)).statistic > 0.97


@pytest.mark.parametrize("value", [100.0, 1e3, 1e6, 1e20])
@pytest.mark.parametrize("n_columns", [2, 5])
def test_an_absurd_value_hides_no_unusual_one_of_its_column(n_columns, value):
    rows = np.random.default_rng(n_columns).normal(size=(300, n_columns))
    rows[0, 0], rows[1, 0] = value, 8.0
    detector = AnomalyDetector(random_state=0).fit(rows)
    assert select_by_fdr(detector.training_p_values_, 0.05)[:2].all()
    assert detector.predict(rows[:2]).tolist() == [-1, -1]


def test_the_order_of_rounded_rows_changes_no_bit():
    rng = np.random.default_rng(5)
    rows = np.round(rng.normal([50.0, 1e6, 0.3], [9.0, 40.0, 0.1], (300, 3)), 1)
    scores = AnomalyDetector(random_state=3).fit(rows).score_samples(rows)
    for _ in range(3):
        other = AnomalyDetector(random_state=3).fit(rng.permutation(rows))
        np.testing.assert_array_equal(other.score_samples(rows), scores)


@pytest.mark.parametrize("kind", ["one count", "two counts", "answers"])
def test_a_split_keeps_its_rate_among_rows_that_repeat(kind):
    draw = {
        "one count": lambda rng, n: rng.poisson(1.0, (n, 1)),
        "two counts": lambda rng, n: rng.poisson(1.0, (n, 2)),
        "answers": lambda rng, n: rng.integers(1, 6, (n, 2)),
    }[kind]
    rates = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        detector = fit(draw(rng, 600).astype(float), training="clean", fpr=0.05, random_state=seed)
        rates.append((detector.p_values(draw(rng, 2000).astype(float)) <= 0.05).mean())
    assert np.mean(rates) <= 0.05 + 2 * np.std(rates, ddof=1) / np.sqrt(len(rates))
