"""A classifier beside its peers on rows that none of them has seen."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from gaussmix.classification import compare_with_peers, compute_measures
from gaussmix.classification.evaluation.measures import MeasureDifference
from gaussmix.classification.validation.comparison_sentences import describe_difference, format_difference
from gaussmix.classification.validation.labelled_table import LabelledTable
from gaussmix.classification.validation.out_of_fold import MIXTURE_NAME, predict_out_of_fold
from gaussmix.classification.validation.peer_models import PEER_MODELS
from gaussmix.classification.validation.splits import plan_stratified_folds
from gaussmix.errors import OutcomeError, ParameterError, ValidationError
from tests.classification.validation.customers import SchemaClassifier, simulate_customers

COLUMNS, IS_CHURNED = simulate_customers(0)
NAMES = [MIXTURE_NAME, *(peer.name for peer in PEER_MODELS)]


@pytest.fixture(scope="module")
def comparison():
    return compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED)


def test_probabilities_are_those_of_cross_validation(comparison):
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    frame = pd.DataFrame(COLUMNS)
    oracle = cross_val_predict(SchemaClassifier(), frame, IS_CHURNED, cv=folds, method="predict_proba")
    np.testing.assert_allclose(comparison.probabilities[MIXTURE_NAME], oracle[:, 1], rtol=1e-12)
    np.testing.assert_array_equal(comparison.rows, np.arange(len(IS_CHURNED)))
    assert list(comparison.probabilities) == NAMES


def test_measures_and_differences_are_of_the_same_rows(comparison):
    first = comparison.probabilities[MIXTURE_NAME]
    for row, (model, p) in zip(comparison.table(), comparison.probabilities.items(), strict=True):
        assert comparison.measures[model] == compute_measures(IS_CHURNED, p)
        assert row["auc"] == pytest.approx(roc_auc_score(IS_CHURNED, p))
        if model == MIXTURE_NAME:
            assert row["auc_difference"] is None
        else:
            assert row["auc_difference"] == pytest.approx(
                roc_auc_score(IS_CHURNED, first) - roc_auc_score(IS_CHURNED, p)
            )
            assert 0 < row["brier_difference_standard_error"] < row["brier_standard_error"]
        assert row["seconds"] > 0


def test_transformed_columns_help_logistic_regression(comparison):
    """Churn depends on the logarithm of one column."""
    plain, transformed = (comparison.measures[peer.name].log_loss for peer in PEER_MODELS[:2])
    assert transformed < plain


def test_every_kind_of_table_gives_the_same_answer():
    lists = {name: column.tolist() for name, column in COLUMNS.items()}
    tables = (COLUMNS, pd.DataFrame(COLUMNS, index=np.arange(400)[::-1]), pl.DataFrame(lists, strict=False))
    first, *others = (
        compare_with_peers(SchemaClassifier(), table, y, n_folds=2).probabilities
        for table, y in zip(tables, (IS_CHURNED, IS_CHURNED.astype(int), IS_CHURNED.tolist()), strict=True)
    )
    for other in others:
        for model, p in first.items():
            np.testing.assert_array_equal(other[model], p)


def test_folds_and_seed_are_used():
    first, *others = (
        compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED, **options).probabilities[MIXTURE_NAME]
        for options in ({"n_folds": 2}, {"n_folds": 3}, {"n_folds": 2, "random_state": 1})
    )
    assert not any(np.array_equal(first, other) for other in others)


def test_weights_count_and_rows_without_weight_are_absent():
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 3, 400).astype(float)
    kept = np.flatnonzero(weights)
    absent = {name: column[kept] for name, column in COLUMNS.items()}
    first = compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED, weights, n_folds=2)
    second = compare_with_peers(SchemaClassifier(), absent, IS_CHURNED[kept], weights[kept], n_folds=2)
    np.testing.assert_array_equal(first.rows, kept)
    for model in NAMES:
        np.testing.assert_allclose(first.probabilities[model], second.probabilities[model], rtol=1e-10)
        assert first.measures[model].auc == pytest.approx(second.measures[model].auc, rel=1e-12)
    unweighted = compare_with_peers(SchemaClassifier(), absent, IS_CHURNED[kept], n_folds=2)
    assert unweighted.measures[NAMES[1]].auc != first.measures[NAMES[1]].auc


def test_a_split_in_time_tests_later_rows():
    times = np.random.default_rng(0).permutation(400)
    weights = np.ones(400)
    weights[:100] = 0.0
    found = compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED, weights, time=times, test_fraction=0.25)
    assert len(found.rows) == 75
    later = np.setdiff1d(np.flatnonzero(weights), found.rows)
    assert times[found.rows].min() > times[later].max()
    assert found.plan.startswith("trained on the 225 rows up to")
    assert all(len(p) == 75 for p in found.probabilities.values())
    smaller = compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED, weights, time=times, test_fraction=0.2)
    assert len(smaller.rows) == 60


class Recorder(SchemaClassifier):
    """Remember the rows of every fit, and check that predicted rows are others."""

    fits: list = []  # noqa: RUF012 - shared by all clones

    def fit(self, X, y, sample_weight=None):
        self.rows_ = set(X["tenure"].tolist())
        self.fits.append(len(y))
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        assert not self.rows_ & set(X["tenure"].tolist())
        return super().predict_proba(X)


def test_no_model_predicts_its_training_rows():
    columns = {**COLUMNS, "tenure": np.arange(400.0) ** 1.5}
    classifier = Recorder()
    compare_with_peers(classifier, columns, IS_CHURNED, n_folds=2)
    assert Recorder.fits == [200, 200]
    assert not hasattr(classifier, "schema_")


def test_number_columns_are_categories_for_all_models_if_the_user_says_so():
    columns = {**COLUMNS, "region": np.arange(400) % 7}
    is_churned = (columns["region"] % 2 == 0) ^ (np.random.default_rng(0).random(400) < 0.1)
    first, second = (
        compare_with_peers(SchemaClassifier(categorical), columns, is_churned, n_folds=2).measures
        for categorical in (None, ["region"])
    )
    assert second["logistic regression"].log_loss < first["logistic regression"].log_loss - 0.1


def test_progress_is_called_before_each_split():
    calls = []
    plan = plan_stratified_folds(IS_CHURNED, 3)
    table = LabelledTable(COLUMNS, IS_CHURNED)
    alone = predict_out_of_fold(SchemaClassifier(), table, plan, progress_callback=lambda *call: calls.append(call))
    assert calls == [(0, 3, "split 1"), (1, 3, "split 2"), (2, 3, "split 3")]
    assert list(alone) == [MIXTURE_NAME]


def test_the_text_shows_every_model_and_a_sentence_for_each_peer(comparison):
    text = repr(comparison)
    assert text.startswith("5 stratified folds of 400 rows\n")
    assert all(name in text for name in NAMES)
    assert len(comparison.sentences) == len(PEER_MODELS) + 1
    assert "that of exactly right probabilities would be" in comparison.sentences[-1]


@pytest.mark.parametrize(
    ("auc", "brier", "words"),
    [
        (0.03, -0.03, "ranks better than boosting .* are more accurate"),
        (-0.03, 0.03, "ranks worse than boosting .* are less accurate"),
        (0.019, -0.019, "ranks as well as boosting .* are as accurate"),
        (0.0, 0.0, "ranks as well as boosting .* are as accurate"),
    ],
)
def test_sentences_tell_which_model_is_better(auc, brier, words):
    pairs = (("AUC", auc), ("Brier score", brier))
    differences = [MeasureDifference(name, 0.5, 0.5 - value, value, 0.01) for name, value in pairs]
    sentence = describe_difference("boosting", differences)
    assert re.search(words, sentence)


class NotFinite(SchemaClassifier):
    """Predict NaN for one row."""

    def predict_proba(self, X):
        p = super().predict_proba(X)
        p[0] = np.nan
        return p


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": IS_CHURNED[:-1]}, ValidationError, "one value for each of 400 rows of X, but has 399"),
        ({"y": np.where(IS_CHURNED, "Yes", "No")}, OutcomeError, "target == 'Yes'"),
        ({"y": np.arange(400) < 4}, ValidationError, "5 folds need at least 5 rows of each class"),
        ({"n_folds": 1}, ParameterError, "n_folds"),
        ({"random_state": 0.5}, ParameterError, "random_state"),
        ({"time": np.arange(3)}, ValidationError, "one value for each of 400 rows"),
        ({"progress": 3}, ParameterError, "progress"),
        ({"classifier": NotFinite()}, ValidationError, "mixture classifier predicts .* not finite for 1 test row;"),
    ],
)
def test_bad_input_is_named(change, error, message):
    options = {"classifier": SchemaClassifier(), "X": COLUMNS, "y": IS_CHURNED, **change}
    with pytest.raises(error, match=message):
        compare_with_peers(**options)


def test_classifiers_of_the_folds_are_kept_if_asked_for():
    weights = np.ones(400)
    weights[:40] = 0.0
    found = compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED, weights, n_folds=3, keep_classifiers=True)
    assert len(found.folds) == 3
    np.testing.assert_array_equal(np.sort(np.concatenate([fold.rows for fold in found.folds])), found.rows)
    p = dict(zip(found.rows.tolist(), found.probabilities[MIXTURE_NAME].tolist(), strict=True))
    for fold in found.folds:
        part = {name: values[fold.rows] for name, values in COLUMNS.items()}
        assert fold.classifier.predict_proba(part)[:, 1].tolist() == [p[row] for row in fold.rows.tolist()]
    assert compare_with_peers(SchemaClassifier(), COLUMNS, IS_CHURNED, n_folds=2).folds == ()
    assert "SchemaClassifier" not in repr(found)


@pytest.mark.parametrize(
    ("difference", "error", "text"),
    [
        (0.0183, 0.0041, "+0.0183 ± 0.0041"),
        (-0.0183, 0.0141, "\N{MINUS SIGN}0.0183 ± 0.0141"),
        (0.000312, 0.000154, "+0.00031 ± 0.00015"),
        (0.000327, 0.000164, "+0.000327 ± 0.000164"),  # less than two errors, but 0.00033 is more than 2 x 0.00016
        (0.000334, 0.0001665, "+0.0003340 ± 0.0001665"),
        (-1e-9, 0.00152, "+0.0000 ± 0.0015"),
        (0.0, 0.0, "+0.0000 ± 0.0000"),
        (-0.25, 3e-12, "\N{MINUS SIGN}0.25000000 ± 0.00000000"),
    ],
)
def test_differences_have_two_digits_of_their_error(difference, error, text):
    assert format_difference(MeasureDifference("AUC", 0.5 + difference, 0.5, difference, error)) == text
