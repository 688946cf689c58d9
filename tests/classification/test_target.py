"""Targets of all types are read as classes; what is no target is refused with a sentence."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.class_weight import compute_class_weight

from gaussmix.classification.target import parse_target, weight_target
from gaussmix.errors import ClassifierParameterError, DataWarning, ParameterError, TargetError

LABELS = ["no", "yes", "yes", "no", "yes"]
FLAGS = [0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("target", "classes"),
    [
        (LABELS, ["no", "yes"]),
        (np.array(LABELS), ["no", "yes"]),
        (np.array(LABELS, dtype=object), ["no", "yes"]),
        (pd.Series(LABELS), ["no", "yes"]),
        (pd.Series(LABELS, dtype="string"), ["no", "yes"]),
        (pd.Categorical(LABELS, categories=["yes", "no", "never"]), ["no", "yes"]),
        (pl.Series(LABELS), ["no", "yes"]),
        (FLAGS, [0, 1]),
        (np.array(FLAGS, dtype=bool), [False, True]),
        (np.array(FLAGS, dtype=float), [0.0, 1.0]),
        (np.array(FLAGS, dtype=object), [0, 1]),
        (pd.Series(FLAGS, dtype="Int64"), [0, 1]),
        (pd.Series(FLAGS, dtype="boolean"), [False, True]),
        (pl.Series(FLAGS), [0, 1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_of_all_types_are_read(target: object, classes: list[object]) -> None:
    parsed = parse_target(target, 5)
    np.testing.assert_array_equal(parsed.codes, FLAGS)
    assert parsed.classes.tolist() == classes
    assert parsed.codes.dtype == np.int64
    is_text = isinstance(classes[0], str)
    assert (parsed.classes.dtype.kind in "OUT") == is_text, "numbers and bools have a type of NumPy"


def test_a_column_is_read_with_scikit_learns_warning() -> None:
    with pytest.warns(DataConversionWarning):
        parsed = parse_target(np.array(FLAGS)[:, None], 5)
    np.testing.assert_array_equal(parsed.codes, FLAGS)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (["yes"] * 5, "the target has one class only, 'yes'; a classifier needs rows of at least two classes"),
        ([1, 1, 1, 1, 1], "one class only, 1;"),
        (["yes", None, "no", None, "no"], "the target is missing in 2 rows, first in row 1; drop these rows"),
        (["yes", np.nan, "no", "no", "no"], "missing in 1 row, first in row 1"),
        (["yes", "  ", "no", "no", "no"], "missing in 1 row, first in row 1"),
        ([0.0, np.nan, 1.0, 1.0, 0.0], "missing in 1 row, first in row 1"),
        (pd.Series([0, 1, None, 1, 1], dtype="Int64"), "missing in 1 row, first in row 2"),
        (pd.Series(["a", "b", None, "b", "b"], dtype="string"), "missing in 1 row, first in row 2"),
        (pl.Series([0, 1, None, 1, 1]), "missing in 1 row, first in row 2"),
        (np.array(["2020-01-01", "NaT"] * 2 + ["2020-01-01"], dtype="M8[D]"), "missing in 2 rows, first in row 1"),
        ([0.5, 1.0, 0.0, 1.0, 0.0], r"Unknown label type: the target holds 0.5 in row 0, a number that is not whole"),
        ([0.0, np.inf, 0.0, 1.0, 0.0], r"holds inf in row 1, a number that is not whole"),
        (np.array(["a", 1, "a", 1, 1], dtype=object), "mixes values of the types number and str; convert all"),
        (np.array([True, 1, 1, 0, 1], dtype=object), "mixes values of the types bool and number"),
        ([b"a", b"b", b"a", b"a", b"a"], "holds b'a' of the type bytes in row 0; pass text, numbers or bools"),
        ([1j, 0, 0, 0, 0], "of the type complex in row 0"),
        (np.array([{"a"}, "b", "b", "b", "b"], dtype=object), r"holds \{'a'\} of the type set in row 0"),
        (np.zeros((5, 2)), r"y should be a 1d array, got an array of shape \(5, 2\) instead"),
        (np.array(1.0), "y should be a 1d array"),
        ([0, 1, 0], "y has 3 labels and X has 5 rows; pass one label for each row"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_target_is_refused(target: object, message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TargetError, match=message):
            parse_target(target, 5)


def test_many_classes_need_rows() -> None:
    assert len(parse_target(np.arange(20), 20).classes) == 20
    assert len(parse_target((np.arange(210) % 21).astype(str), 210).classes) == 21
    message = "the target has 21 different values in 209 rows; pass a column of few classes, or divide its values"
    with pytest.raises(TargetError, match=message):
        parse_target(np.arange(209) % 21, 209)


@pytest.mark.parametrize("dtype", [int, float, object, "Int64"])
def test_numbers_that_look_like_amounts_are_told(dtype: object) -> None:
    amounts = pd.Series(np.arange(300) % 25 + 3).astype(dtype)
    with pytest.warns(DataWarning, match="the target has 25 different numbers from 3.* to 27.*, and each counts as a"):
        assert len(parse_target(amounts, 300).classes) == 25
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse_target(amounts % 20, 300)


# -- weights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", [None, "balanced", {"no": 3.0, "yes": 0.5}, {"no": 2, "yes": 1, "never": 7}])
def test_class_weights_are_those_of_scikit_learn(class_weight: object) -> None:
    target, weights = parse_target(LABELS, 5), np.array([1.0, 2.0, 0.0, 1.5, 4.0])
    weighted = weight_target(target, weights, class_weight)
    by_class = compute_class_weight(class_weight, classes=target.classes, y=np.array(LABELS), sample_weight=weights)
    np.testing.assert_allclose(weighted.weights, weights * by_class[FLAGS])
    np.testing.assert_array_equal(weighted.codes, [0, 1, -1, 0, 1])
    assert weighted.classes.tolist() == ["no", "yes"]


def test_classes_without_weight_are_dropped() -> None:
    target = parse_target(["a", "b", "c", "b"], 4)
    for weights, class_weight in (([0.0, 1.0, 1.0, 1.0], "balanced"), ([1.0, 1.0, 1.0, 1.0], {"a": 0, "b": 1, "c": 1})):
        weighted = weight_target(target, np.array(weights), class_weight)
        assert weighted.classes.tolist() == ["b", "c"]
        np.testing.assert_array_equal(weighted.codes, [-1, 0, 1, 0])
        assert weighted.weights[0] == 0.0
    with pytest.raises(TargetError, match=r"one class only, 'b'; .*with weights above 0"):
        weight_target(target, np.array([0.0, 1.0, 0.0, 0.0]), None)
    with pytest.raises(TargetError, match="one class only, 'c'"):
        weight_target(target, np.ones(4), {"a": 0, "b": 0})


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balance", "class_weight must be None, 'balanced' or a mapping from classes to weights, but is 'balance'"),
        ([1, 2], "class_weight must be"),
        ({"no": -1}, "a weight of class_weight must be a finite number of at least 0, but is -1"),
        ({"no": np.inf}, "but is inf"),
        ({"no": "much"}, "but is 'much'"),
        ({"No": 2}, "class_weight names 'No', which the target does not have; its classes are 'no' and 'yes'"),
    ],
)
def test_wrong_class_weights_are_refused(class_weight: object, message: str) -> None:
    with pytest.raises((ParameterError, ClassifierParameterError), match=message):
        weight_target(parse_target(LABELS, 5), np.ones(5), class_weight)


def test_weights_that_add_up_to_nearly_nothing_are_told() -> None:
    target = parse_target(LABELS, 5)
    with pytest.warns(DataWarning, match=r"the weights add up to 1 rows; a weight counts rows"):
        weight_target(target, np.full(5, 0.2), None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weight_target(target, np.full(5, 0.4), None)
