"""`ChurnModel` as a classifier of scikit-learn: checks, cross-validation and grids, without warnings."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from gaussmix.classification import ChurnModel, MixtureClassifier
from gaussmix.classification.churn import churn_input, segment_fitting

FAST = {"n_components": 1, "n_starts": 1}


@pytest.fixture(autouse=True)
def few_segments(monkeypatch):
    monkeypatch.setattr(segment_fitting, "MAX_SEGMENTS", 2)


@pytest.fixture
def customers():
    """A frame, and outcomes that the plan decides."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"months": rng.integers(1, 72, 240), "plan": rng.choice(["a", "b"], 240)})
    return table, pd.Series(np.where(rng.random(240) < np.where(table["plan"] == "a", 0.7, 0.1), "Yes", "No"))


def test_scikit_learns_checks_find_nothing(monkeypatch):
    """The checks have classes such as 0, 1 and 2, of which none is known to mean churn: the last one does here."""
    monkeypatch.setattr(churn_input, "find_positive_class", lambda classes, positive: classes.tolist()[-1])
    model = ChurnModel(MixtureClassifier(**FAST, method="generative", calibration=None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(model, on_fail=None, on_skip=None)
    assert len(results) > 55
    problems = [(each["check_name"], each["exception"]) for each in results if each["status"] != "passed"]
    assert [name for name, _ in problems if name != "check_array_api_input"] == [], problems


@pytest.mark.filterwarnings("error")
def test_scores_are_cross_validated(customers):
    table, y = customers
    model = ChurnModel(MixtureClassifier(**FAST), random_state=0)
    assert is_classifier(model)
    areas = cross_val_score(model, table, y, scoring="roc_auc", cv=3)
    assert (areas > 0.7).all()
    accuracies = cross_val_score(model, table, y, cv=3)
    assert (accuracies > 0.7).all()
    p = cross_val_predict(model, table, y, cv=3, method="predict_proba")
    assert p.shape == (240, 2)
    assert p[(table["plan"] == "a").to_numpy(), 1].mean() > 0.5 > p[(table["plan"] == "b").to_numpy(), 1].mean()


@pytest.mark.filterwarnings("error")
def test_parameters_of_the_classifier_are_searched(customers):
    table, y = customers
    model = ChurnModel(MixtureClassifier(**FAST), random_state=0)
    search = GridSearchCV(model, {"classifier__penalty": [2.0, 250.0]}, scoring="neg_log_loss", cv=3).fit(table, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    assert search.best_estimator_.classifier_.penalty_ == search.best_params_["classifier__penalty"]
    assert search.best_estimator_.feature_names_in_.tolist() == ["months", "plan"]


def test_columns_without_names_have_none(customers):
    table, y = customers
    model = ChurnModel(MixtureClassifier(**FAST), random_state=0).fit(table, y)
    assert model.feature_names_in_.tolist() == ["months", "plan"]
    assert model.score(table, y) == (model.predict(table) == y).mean()
    model.fit(np.column_stack([table["months"], table["plan"] == "a"]), y)
    assert not hasattr(model, "feature_names_in_")
