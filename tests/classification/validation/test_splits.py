"""Folds and splits in time: who trains and who tests."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from gaussmix.classification.validation.splits import parse_times, plan_split_in_time, plan_stratified_folds
from gaussmix.errors import ParameterError, ValidationError


def _outcomes(seed, n=200, rate=0.3):
    return np.random.default_rng(seed).random(n) < rate


@pytest.mark.parametrize(("n_folds", "random_state"), [(2, 0), (5, 0), (10, 3)])
def test_folds_are_those_of_scikit_learn(n_folds, random_state):
    y = _outcomes(0)
    plan = plan_stratified_folds(y, n_folds, random_state)
    oracle = StratifiedKFold(n_folds, shuffle=True, random_state=random_state).split(y[:, None], y)
    for split, (train, test) in zip(plan.splits, oracle, strict=True):
        np.testing.assert_array_equal(split.train, train)
        np.testing.assert_array_equal(split.test, test)
    np.testing.assert_array_equal(plan.test_rows, np.arange(len(y)))
    assert plan.description == f"{n_folds} stratified folds of 200 rows"


def test_the_seed_changes_the_folds():
    y = _outcomes(0)
    first, second = (plan_stratified_folds(y, 5, seed).splits[0].test for seed in (0, 1))
    assert set(first.tolist()) != set(second.tolist())


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), fraction=st.floats(0.1, 0.9), n_distinct=st.integers(5, 60))
def test_test_rows_are_later(seed, fraction, n_distinct):
    rng = np.random.default_rng(seed)
    times, y = rng.integers(0, n_distinct, 300).astype(float), _outcomes(seed, 300, 0.5)
    (split,) = plan_split_in_time(y, times, fraction).splits
    assert times[split.train].max() < times[split.test].min()
    assert len(split.train) + len(split.test) == 300
    counts = [(times > cut).sum() for cut in np.unique(times)[:-1]]
    assert abs(len(split.test) - 300 * fraction) == pytest.approx(min(abs(np.array(counts) - 300 * fraction)))
    order = rng.permutation(300)
    (shuffled,) = plan_split_in_time(y[order], times[order], fraction).splits
    assert set(order[shuffled.test].tolist()) == set(split.test.tolist())
    (rescaled,) = plan_split_in_time(y, 86400.0 * times - 1e6, fraction).splits
    np.testing.assert_array_equal(rescaled.test, split.test)


def test_dates_of_all_kinds_are_one_time():
    import pandas as pd
    import polars as pl

    days = np.arange(100) % 50
    dates = [datetime.date(2024, 1, 31) + datetime.timedelta(days=int(day)) for day in days]
    y = np.arange(100) % 3 == 0
    kinds = (
        dates,
        [str(date) for date in dates],
        np.array(dates, dtype="datetime64[D]"),
        pd.Series(pd.to_datetime(dates)),
        pl.Series(dates),
    )
    plans = [plan_split_in_time(y, kind) for kind in kinds]
    assert {plan.description for plan in plans} == {
        "trained on the 80 rows up to 2024-03-10, tested on the 20 later rows"
    }
    numbers = plan_split_in_time(y, [str(day) for day in days])
    np.testing.assert_array_equal(numbers.splits[0].test, plans[0].splits[0].test)
    assert numbers.description.startswith("trained on the 80 rows up to 39,")
    moments = [f"{date}T12:30:00" for date in dates]
    assert "up to 2024-03-10 12:30:00," in plan_split_in_time(y, moments).description


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, np.nan, 2.0, 3.0], "time is missing in 1 row, first in row 1"),
        ([datetime.date(2024, 1, 1), None, None, datetime.date(2024, 1, 2)], "time is missing in 2 rows, first in row"),
        (["2024-01-01", "soon", "2024-01-02", "2024-01-03"], "time of row 1 .* is 'soon'; convert it first"),
        ([7, 7, 7, 7], "time is 7 in all rows, so that no row is later"),
        ([1, 2, 3], "one value for each of 4 rows, but its shape is"),
        ([1, 2, 3, 4], "the earlier rows of a split after 3 are 1 positive and 2 negative ones"),
    ],
)
def test_unusable_times_are_named(times, message):
    with pytest.raises(ValidationError, match=message):
        plan_split_in_time(np.array([True, False, False, True]), times)


def test_missing_values_of_pandas_are_missing_times():
    import pandas as pd

    for column in (pd.Series([1, None], dtype="Int64"), pd.Series([pd.Timestamp("2024-01-01"), pd.NaT])):
        with pytest.raises(ValidationError, match="time is missing in 1 row, first in row 1"):
            parse_times(column, 2)


def test_parameters_are_checked():
    y = _outcomes(0, 20)
    with pytest.raises(ParameterError, match="n_folds"):
        plan_stratified_folds(y, 1)
    with pytest.raises(ParameterError, match="random_state"):
        plan_stratified_folds(y, 2, -1)
    with pytest.raises(
        ValidationError, match="5 folds need at least 5 rows of each class, but there are 3 positive rows"
    ):
        plan_stratified_folds(np.arange(20) < 3, 5)
    for fraction in (0.0, 1.0, "half"):
        with pytest.raises(ParameterError, match="test_fraction"):
            plan_split_in_time(y, np.arange(20), fraction)
