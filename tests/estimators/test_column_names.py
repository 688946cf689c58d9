"""Errors name the columns of data frames: unknown, missing, in another order, or with one name twice."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture as SklearnMixture
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency

from gaussmix import (
    BayesianGaussianMixture,
    DataError,
    GaussianMixture,
    KMeans,
    bootstrap_test,
    compare,
    cross_validate_components,
    select,
)

X = np.random.default_rng(0).normal(size=(60, 3))
ESTIMATORS = [GaussianMixture(2, random_state=0), BayesianGaussianMixture(random_state=0), KMeans(2, random_state=0)]
NAMES = [
    ["a", "B", "c"],
    ["b", "a", "c"],
    ["a", "b", "c", "d"],
    ["a", "b"],
    ["x", "y", "z"],
    [f"column {i}" for i in range(9)],
]


def frame(names: list[str], library: str = "pandas") -> Any:
    rows = np.random.default_rng(1).normal(size=(20, len(names)))
    return pytest.importorskip(library).DataFrame({name: rows[:, i] for i, name in enumerate(names)})


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("names", NAMES, ids=" ".join)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_messages_are_scikit_learns(estimator: Any, names: list[str], library: str) -> None:
    messages = []
    for each in (estimator, SklearnMixture(2)):
        with pytest.raises(ValueError, match="feature names should match") as caught:
            each.fit(frame(["a", "b", "c"], library)).predict(frame(names, library))
        messages.append(str(caught.value))
    assert messages[0] == messages[1].rstrip()
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_scikit_learns_check_of_names(estimator: Any) -> None:
    check_dataframe_column_names_consistency(type(estimator).__name__, estimator)


@pytest.mark.parametrize(
    "use",
    [
        *(estimator.fit for estimator in ESTIMATORS),
        GaussianMixture(2, random_state=0).partial_fit,
        select,
        compare,
        bootstrap_test,
        cross_validate_components,
        GaussianMixture(1).fit(X).model_.logpdf,
        GaussianMixture(1).fit(X).predict,
    ],
)
@pytest.mark.parametrize(
    ("names", "subject"),
    [
        (["a", "a", "b"], "'a' occurs"),
        (["b", "a", "b"], "'b' occurs"),
        (["a", "b", "a", "b"], "'a' and 'b' occur"),
        (["", "", "c"], "'' occurs"),
    ],
)
def test_a_name_that_occurs_twice_is_named(use: Callable[[Any], object], names: list[str], subject: str) -> None:
    rows = pytest.importorskip("pandas").DataFrame(np.resize(X, (60, len(names))), columns=names)
    with pytest.raises(DataError, match=f"^column names must differ, but {subject} more than once; rename the columns"):
        use(rows)


def test_the_array_that_a_message_prints_is_left_out() -> None:
    for rows in (X[0], X + 1j * X):
        with pytest.raises(ValueError) as caught:
            GaussianMixture(2).fit(rows)
        assert "\n" not in str(caught.value)
        assert "[" not in str(caught.value)
