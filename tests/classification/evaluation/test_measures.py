"""Measures are scikit-learn's; their standard errors are those of the jackknife, of DeLong and of simulations."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from gaussmix.classification import compare_measures, compute_measures
from gaussmix.classification.evaluation.influence import MEASURES, auc_with_influence, average_precision_with_influence
from gaussmix.classification.evaluation.outcomes import BinaryOutcomes, parse_outcomes
from tests.classification.evaluation.outcome_samples import draw_sample

KEYS = list(MEASURES)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_distinct", [None, 10])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_values_are_those_of_scikit_learn(seed, n_distinct, is_weighted):
    y, p, weights = draw_sample(seed, n_distinct=n_distinct)
    used = weights if is_weighted else None
    found = compute_measures(y, p, used)
    assert found.auc == pytest.approx(roc_auc_score(y, p, sample_weight=used), rel=1e-12)
    assert found.average_precision == pytest.approx(average_precision_score(y, p, sample_weight=used), rel=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(y, p, sample_weight=used), rel=1e-12)
    assert found.log_loss == pytest.approx(log_loss(y, p, sample_weight=used), rel=1e-12)
    assert found.rate == pytest.approx(np.average(y, weights=used), rel=1e-12)
    assert found.mean_probability == pytest.approx(np.average(p, weights=used), rel=1e-12)
    assert found.n_rows == 200


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_distinct", [None, 10])
def test_the_standard_error_of_the_auc_is_delongs(seed, n_distinct):
    """The definition, with all pairs of rows."""
    y, p, _ = draw_sample(seed, n_distinct=n_distinct)
    pairs = np.sign(p[y][:, None] - p[~y][None]) / 2.0 + 0.5
    variance = pairs.mean(axis=1).var(ddof=1) / y.sum() + pairs.mean(axis=0).var(ddof=1) / (~y).sum()
    assert pairs.mean() == pytest.approx(compute_measures(y, p).auc, rel=1e-12)
    assert np.sqrt(variance) == pytest.approx(compute_measures(y, p).auc_standard_error, rel=1e-10)


@pytest.mark.parametrize("n_distinct", [None, 8])
@pytest.mark.parametrize("key", KEYS)
def test_influences_are_derivatives_by_the_weights(key, n_distinct):
    """The measures are smooth in the weights; a factor n / (n - 1) makes variances unbiased, per class for the AUC."""
    outcomes = parse_outcomes(*draw_sample(5, 60, n_distinct))
    found, step, y = MEASURES[key](outcomes), 1e-4, outcomes.is_positive
    assert abs((outcomes.weights * found.influence).sum()) < 1e-9
    for i in range(0, 60, 4):
        ends = []
        for sign in (-1.0, 1.0):
            weights = outcomes.weights.copy()
            weights[i] += sign * step
            ends.append(MEASURES[key](BinaryOutcomes(y, outcomes.probabilities, weights)).value)
        derivative = (ends[1] - ends[0]) / (2.0 * step) * outcomes.total_weight
        n_rows = (y == y[i]).sum() if key == "auc" else 60
        expected = derivative * np.sqrt(n_rows / (n_rows - 1.0))
        assert found.influence[i] == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("key", KEYS)
def test_standard_errors_are_near_those_of_the_jackknife(seed, key):
    outcomes = parse_outcomes(*draw_sample(seed, 70)[:2])
    without = [MEASURES[key](outcomes.select_rows(np.arange(70) != i)).value for i in range(70)]
    tolerance = 0.15 if key == "average_precision" else 0.05  # it jumps where the highest rows change
    standard_error = MEASURES[key](outcomes).standard_error(outcomes.weights)
    assert standard_error == pytest.approx(np.std(without) * np.sqrt(69), rel=tolerance)


@pytest.mark.parametrize("measure", [auc_with_influence, average_precision_with_influence])
def test_intervals_cover_in_simulations(measure):
    """Normal scores, whose area under the curve is known; the average precision is that of 200 000 rows."""
    rng = np.random.default_rng(0)

    def draw(n_rows):
        y = rng.uniform(size=n_rows) < 0.3
        return parse_outcomes(y, stats.norm.cdf(rng.normal(size=n_rows) + 1.2 * y))

    truth = measure(draw(200_000)).value
    z = []
    for _ in range(150):
        outcomes = draw(200)
        found = measure(outcomes)
        z.append((found.value - truth) / found.standard_error(outcomes.weights))
    assert 0.89 <= np.mean(np.abs(z) < 1.96) <= 0.985
    if measure is auc_with_influence:
        assert truth == pytest.approx(stats.norm.cdf(1.2 / np.sqrt(2.0)), abs=0.004)


@pytest.mark.parametrize("seed", range(3))
def test_order_scale_of_weights_and_absent_rows_do_not_matter(seed):
    y, p, weights = draw_sample(seed, n_distinct=30)
    order = np.random.default_rng(seed).permutation(len(y))
    first = compute_measures(y, p, weights)
    absent = np.append(weights, np.zeros(20))
    for other in (
        compute_measures(y[order], p[order], weights[order]),
        compute_measures(y, p, 1e30 * weights),
        compute_measures(np.append(y, y[:20]), np.append(p, 1.0 - p[:20]), absent),
    ):
        for name, value in vars(first).items():
            assert getattr(other, name) == pytest.approx(value, rel=1e-10), name


def test_weights_count_rows_in_values():
    y, p, _ = draw_sample(1, 80)
    counts = np.random.default_rng(1).integers(0, 4, 80)
    weighted, repeated = compute_measures(y, p, counts), compute_measures(np.repeat(y, counts), np.repeat(p, counts))
    for name in ("auc", "average_precision", "brier", "log_loss", "rate", "calibration_error"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-10)
    assert weighted.auc_standard_error > repeated.auc_standard_error, "weights are not independent rows"


@pytest.mark.parametrize("seed", range(3))
def test_ranking_does_not_depend_on_monotone_changes_and_losses_do(seed):
    y, p, _ = draw_sample(seed)
    first, second = compute_measures(y, p), compute_measures(y, p**3)
    for key in ("auc", "average_precision"):
        assert getattr(first, key) == pytest.approx(getattr(second, key), rel=1e-12)
        error = f"{key}_standard_error"
        assert getattr(first, error) == pytest.approx(getattr(second, error), rel=1e-9)
    assert first.brier < second.brier
    assert first.log_loss < second.log_loss
    reverse = compute_measures(y, 1.0 - p)
    assert reverse.auc == pytest.approx(1.0 - first.auc, rel=1e-12)
    assert reverse.auc_standard_error == pytest.approx(first.auc_standard_error, rel=1e-9)


def test_certain_and_wrong_probabilities_stay_finite():
    found = compute_measures([0, 0, 1, 1], [0.0, 1.0, 0.0, 1.0])
    assert np.isfinite(list(vars(found).values())).all()
    assert found.log_loss > 15.0
    perfect = compute_measures([0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0])
    assert (perfect.auc, perfect.brier, perfect.auc_standard_error, perfect.calibration_error) == (1.0, 0.0, 0.0, 0.0)


def test_table_and_text_show_every_measure():
    y, p, _ = draw_sample(0)
    found = compute_measures(y, p)
    rows = {row["measure"]: row for row in found.table()}
    assert list(rows) == ["AUC", "average precision", "Brier score", "log-loss", "calibration error"]
    assert rows["AUC"] == {"measure": "AUC", "value": found.auc, "standard_error": found.auc_standard_error}
    assert rows["calibration error"]["standard_error"] is None
    assert f"{found.auc:.4f} ± {found.auc_standard_error:.4f}" in str(found)
    assert "200 rows" in str(found)


def test_differences_have_the_standard_error_of_the_paired_jackknife():
    y, p, _ = draw_sample(0, 70)
    other = np.clip(p + 0.1 * np.random.default_rng(0).normal(size=70), 0.01, 0.99)
    first, second = parse_outcomes(y, p), parse_outcomes(y, other)
    for key, found in zip(KEYS, compare_measures(y, p, other), strict=True):
        measure = MEASURES[key]
        assert found.first == measure(first).value
        assert found.difference == pytest.approx(measure(first).value - measure(second).value, abs=1e-15)
        assert found.standard_error < measure(first).standard_error(first.weights), "the same rows vary together"
        if key != "average_precision":
            rows = [np.arange(70) != i for i in range(70)]
            without = [measure(first.select_rows(r)).value - measure(second.select_rows(r)).value for r in rows]
            assert found.standard_error == pytest.approx(np.std(without) * np.sqrt(69), rel=0.06)


def test_differences_vary_as_their_standard_errors_say():
    found = []
    for seed in range(40):
        y, p, _ = draw_sample(seed, 300)
        other = np.clip(p + 0.1 * np.random.default_rng(seed).normal(size=300), 0.01, 0.99)
        found.append([(one.difference, one.standard_error) for one in compare_measures(y, p, other)])
    differences, errors = np.moveaxis(np.array(found), -1, 0)
    np.testing.assert_allclose(differences.std(axis=0), np.sqrt((errors**2).mean(axis=0)), rtol=0.3)


def test_differences_of_equal_probabilities_are_zero_and_of_exchanged_ones_negative():
    y, p, weights = draw_sample(2)
    other = draw_sample(3).p
    for found in compare_measures(y, p, p):
        assert (found.difference, found.standard_error) == (0.0, 0.0)
    for found, reverse in zip(
        compare_measures(y, p, other, weights), compare_measures(y, other, p, weights), strict=True
    ):
        assert found.difference == -reverse.difference
        assert found.standard_error == pytest.approx(reverse.standard_error, rel=1e-12)
    assert compare_measures(y, p, other)[0].difference != compare_measures(y, p, other, weights)[0].difference


@pytest.mark.parametrize("seed", range(3))
def test_weights_of_very_different_sizes_give_finite_measures(seed):
    y, p, _ = draw_sample(seed, 30)
    weights = 10.0 ** np.random.default_rng(seed).uniform(-60.0, 10.0, 30)
    weights[~y] *= 1e-30
    values = list(vars(compute_measures(y, p, weights)).values())
    assert np.isfinite(values).all()
