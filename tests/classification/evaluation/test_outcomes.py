"""Outcomes, probabilities and weights are checked once: each wrong input has its sentence."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gaussmix.classification import compute_measures, gain_table, reliability_table
from gaussmix.classification.evaluation.outcomes import parse_outcomes
from gaussmix.errors import OutcomeError, ParameterError, WeightError
from tests.classification.evaluation.outcome_samples import draw_sample

Y, P = [0, 1, 1, 0], [0.1, 0.9, 0.4, 0.3]


@pytest.mark.parametrize(
    "y",
    [
        np.array(Y),
        np.array(Y, dtype=bool),
        np.array(Y, dtype=float),
        np.array([False, True, 1, 0.0], dtype=object),
        pd.Series(Y),
        pd.Series([False, True, True, False], dtype="boolean"),
        pl.Series(Y),
        [np.bool_(value) for value in Y],
    ],
)
def test_all_kinds_of_zeros_and_ones_are_the_same_outcomes(y):
    outcomes = parse_outcomes(y, pd.Series(P))
    assert outcomes.is_positive.tolist() == [False, True, True, False]
    assert outcomes.probabilities.tolist() == P
    assert outcomes.rate == 0.5


@pytest.mark.parametrize(
    ("y", "value"),
    [
        (["No", "Yes", "Yes", "No"], "'No'"),
        ([0, 1, 2, 0], "2"),
        ([0, 1, -1, 0], "-1"),
        ([0.0, np.nan, 1.0, 0.0], "nan"),
        (pd.Series([True, None, True, False], dtype="boolean"), "<NA>"),
        ([0, 0.5, 1, 0], "0.5"),
        (np.ma.array(Y, mask=[0, 0, 1, 0]), "nan"),
    ],
)
def test_other_outcomes_are_refused_by_row_and_value(y, value):
    with pytest.raises(OutcomeError, match=f"but y of row [0-3] is {value}; compare the target"):
        parse_outcomes(y, P)


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan, np.inf, -np.inf])
def test_numbers_that_are_no_probabilities_are_refused(value):
    with pytest.raises(OutcomeError, match="p must be numbers from 0 to 1, but p of row 2 is"):
        parse_outcomes(Y, [0.1, 0.2, value, 0.3])


def test_rounding_beyond_zero_and_one_is_cut_off():
    assert parse_outcomes(Y, [-1e-12, 1.0 + 1e-12, 0.5, 0.5]).probabilities.tolist() == [0.0, 1.0, 0.5, 0.5]


def test_shapes_are_checked():
    with pytest.raises(OutcomeError, match=r"pass one column, as in predict_proba\(X\)\[:, 1\]"):
        parse_outcomes(Y, np.ones((4, 2)) / 2)
    with pytest.raises(OutcomeError, match="p must have one value for each of 4 rows"):
        parse_outcomes(Y, P[:3])
    with pytest.raises(OutcomeError, match="y must have one value for each row"):
        parse_outcomes([Y], P)
    with pytest.raises(OutcomeError, match="no row to evaluate"):
        parse_outcomes([], [])
    with pytest.raises(OutcomeError, match="p must be numbers from 0 to 1"):
        parse_outcomes(Y, ["a", "b", "c", "d"])
    with pytest.raises(WeightError, match="sample_weight"):
        parse_outcomes(Y, P, [1.0, -1.0, 1.0, 1.0])


@pytest.mark.parametrize("y", [[1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]])
def test_measures_need_two_rows_of_each_class(y):
    with pytest.raises(OutcomeError, match="measures need at least 2 of each class"):
        compute_measures(y, P)
    with pytest.raises(OutcomeError, match="0 positive and 2 negative rows"):
        compute_measures(Y, P, [1.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize("function", [compute_measures, reliability_table])
@pytest.mark.parametrize("n_bins", [0, 2.5, True, "ten"])
def test_the_number_of_bins_is_a_whole_number(function, n_bins):
    with pytest.raises(ParameterError, match="n_bins must be a whole number of at least 1"):
        function(Y, P, n_bins=n_bins)


@pytest.mark.parametrize("function", [gain_table, reliability_table])
@pytest.mark.parametrize("level", [0.0, 1.0, 95, None, np.nan])
def test_the_level_lies_between_zero_and_one(function, level):
    with pytest.raises(ParameterError, match="level must be a confidence level"):
        function(*draw_sample(0)[:2], level=level)
