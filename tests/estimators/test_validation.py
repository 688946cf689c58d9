"""Rows are not copied, and valid arrays skip scikit-learn's checks."""

import numpy as np
import pandas as pd
import pytest

from gaussmix import DataError, GaussianMixture
from gaussmix.estimators import _validation
from tests.estimators.conftest import draw_overlapping_rows

X = draw_overlapping_rows(1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("fitting", [True, False])
def test_arrays_of_floats_are_not_copied(dtype, order, fitting):
    rows = np.asarray(X, dtype=dtype, order=order)
    estimator = GaussianMixture(3).fit(rows)
    checked = _validation.validate_rows(estimator, rows, fitting)
    assert checked.dtype == dtype
    assert np.shares_memory(checked, rows)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (X[:0], "0 sample"),
        (X[:2, :2], "X has 2 features, but GaussianMixture is expecting 3"),
        (X[0], "Expected 2D array, got 1D array"),
        (X[:2] * 1j, "Complex data not supported"),
        (np.where(X > 1, np.inf, X), "infinity"),
    ],
    ids=["no rows", "columns", "one dimension", "complex", "infinity"],
)
def test_invalid_arrays_are_refused(rows, sentence):
    estimator = GaussianMixture(3, random_state=0).fit(X)
    with pytest.raises(DataError, match=sentence):
        estimator.predict(rows)


def test_rows_without_names_give_a_warning_after_a_fit_with_names():
    estimator = GaussianMixture(3, random_state=0).fit(pd.DataFrame(X, columns=["a", "b", "c"]))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        estimator.predict(X)


def test_a_mixture_reads_float32_as_the_numbers_it_holds():
    mixture = GaussianMixture(3, random_state=0).fit(X).model_
    single = X.astype(np.float32)
    double = single.astype(np.float64)
    np.testing.assert_array_equal(mixture.logpdf(single), mixture.logpdf(double))
    np.testing.assert_array_equal(mixture.predict_proba(single), mixture.predict_proba(double))
