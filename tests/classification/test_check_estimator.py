"""scikit-learn's conventions: every check passes, for the defaults and without refinement and calibration."""

import warnings
from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

from gaussmix.classification import MixtureClassifier
from tests.exhaustive import keep_first

# The quick options take the same steps as the defaults, with fewer starts, folds and iterations.
QUICK = {"n_starts": 1, "n_folds": 2, "max_iter": 15}
OPTIONS = [QUICK, {}, {"calibration": None, "method": "generative"}, {"family": "edda"}, {"family": "mclustda"}]


@pytest.mark.parametrize("options", keep_first(OPTIONS, 1), ids=str)
def test_scikit_learns_checks_find_nothing(options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(MixtureClassifier(**options), on_fail=None, on_skip=None)
    assert len(results) > 55
    problems = [(each["check_name"], each["exception"]) for each in results if each["status"] != "passed"]
    assert [name for name, _ in problems if name != "check_array_api_input"] == [], problems


def test_a_classifier_is_no_transformer() -> None:
    assert not hasattr(MixtureClassifier(), "transform")
