"""What `MixtureClassifier` cannot use is refused with one clear sentence; what it can use gives a right answer."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

from gaussmix.classification import MixtureClassifier
from gaussmix.errors import (
    ClassifierParameterError,
    ColumnNameError,
    DataError,
    DataWarning,
    ParameterError,
    SparseDataError,
    TableColumnError,
    TableInputError,
    TargetError,
    TargetLeakError,
    WeightError,
)
from tests.classification.labelled_tables import make_table, select_rows

COLUMNS, CLASSES = make_table(120, 0)
FAST: dict[str, Any] = {"n_components": 1, "max_iter": 5, "random_state": 0}


def _fit(columns: Any = COLUMNS, classes: Any = CLASSES, weights: Any = None, **parameters: Any) -> MixtureClassifier:
    return MixtureClassifier(**{**FAST, **parameters}).fit(columns, classes, sample_weight=weights)


def _check(classifier: MixtureClassifier, columns: Any) -> np.ndarray:
    """Return the probabilities of rows; they and the densities are finite."""
    probabilities = classifier.predict_proba(columns)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert np.isfinite(classifier.score_samples(columns)).all()
    return probabilities


PARAMETERS: list[tuple[str, Any, str]] = [
    ("family", "gmm", r"family must be one of class-mixtures, .*, but is 'gmm'"),
    ("family", None, "but is None"),
    ("method", "discriminative", r"method must be one of refined, generative, but is 'discriminative'"),
    ("n_components", 0, r"n_components must be 'auto', a whole number of at least 1, or one such number for each"),
    ("n_components", 1.5, "but is 1.5"),
    ("n_components", True, "but is True"),
    ("n_components", "two", "but is 'two'"),
    ("n_components", [1, 2, 3], r"for each of the classes 'a' and 'b', but is \[1, 2, 3\]"),
    ("n_components", {"a": 1}, r"but is \{'a': 1\}"),
    ("n_components", {"a": 1, "b": 0}, "n_components must be"),
    ("n_components", {"a": 1, "z": 1}, "n_components must be"),
    ("n_components", 100, r"n_components asks for 100 components of a class that has \d+ distinct rows; choose fewer"),
    ("max_components", 0, "max_components must be a whole number of at least 1, but is 0"),
    ("structure", "VVV", "structure"),
    ("generative_weight", 1.5, "generative_weight must be a number from 0 to 1, but is 1.5"),
    ("generative_weight", "much", "but is 'much'"),
    ("generative_weight", np.nan, "but is nan"),
    ("penalty", -1, "penalty must be a finite number of at least 0 or 'auto', but is -1"),
    ("penalty", np.inf, "but is inf"),
    ("penalty", "large", "or 'auto', but is 'large'"),
    ("max_iter", 0, "max_iter must be a whole number of at least 1, but is 0"),
    ("max_iter", 2.5, "but is 2.5"),
    ("n_starts", None, "n_starts must be a whole number of at least 1, but is None"),
    (
        "calibration",
        "platt",
        r"calibration must be one of tails, floor, sigmoid, isotonic, temperature, None, but is 'platt'",
    ),
    ("n_folds", 1, "n_folds must be a whole number of at least 2, but is 1"),
    ("categorical", "all", "categorical must be 'auto', a list of names or positions of columns, or None"),
    ("categorical", ["colour"], "no column named 'colour'; the columns are age, income, spent, plan, online"),
    ("categorical", [9], "must be a name or a position up to 4, but is 9"),
    ("column_transform", "cube", "column_transform must be None, 'log1p', 'yeo-johnson', 'standardize', or a mapping"),
    ("column_transform", {"plan": "log1p"}, "column_transform names 'plan', but the numeric columns after merging are"),
    ("class_weight", "bal", "class_weight must be None, 'balanced' or a mapping"),
    ("class_weight", {"a": -1}, "a weight of class_weight must be a finite number of at least 0, but is -1"),
    ("costs", [[0, 1]], r"costs must be finite numbers of the shape \(2, 2\), .* but have the shape \(1, 2\)"),
    ("costs", [[0, np.nan], [1, 0]], "costs must be finite numbers"),
    ("costs", "high", "costs must be finite numbers"),
    ("random_state", -1, "random_state must be a whole number of at least 0"),
]


@pytest.mark.parametrize(("name", "value", "message"), PARAMETERS, ids=lambda value: str(value)[:30])
def test_a_wrong_parameter_is_named_with_what_is_allowed(name: str, value: Any, message: str) -> None:
    with pytest.raises((ParameterError, ColumnNameError, TableColumnError), match=message) as caught:
        _fit(**{name: value})
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).count("\n") == 0


def test_wrong_parameters_wait_for_the_fit_as_in_scikit_learn() -> None:
    assert MixtureClassifier(family="gmm").set_params(penalty=-3).get_params()["penalty"] == -3
    assert issubclass(ClassifierParameterError, ParameterError)


WEIGHTS: list[tuple[Any, str]] = [
    (np.ones(5), r"sample_weight must have the shape \(120,\), one number per row, but has \(5,\)"),
    (-np.ones(120), "sample_weight must be finite and not negative, but is -1.0 in row 0"),
    (np.full(120, np.nan), "but is nan in row 0"),
    (np.zeros(120), "sample_weight is zero in every row"),
    (["much"] * 120, "sample_weight must be numbers"),
]


@pytest.mark.parametrize(("weights", "message"), WEIGHTS, ids=lambda value: str(value)[:20])
def test_wrong_weights_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(WeightError, match=message):
        _fit(weights=weights)


INPUTS: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("one class", lambda: _fit(classes=np.full(120, "a")), TargetError, "the target has one class only, 'a'"),
    (
        "weights of one class",
        lambda: _fit(weights=(CLASSES == "a") * 1.0),
        TargetError,
        r"one class only, 'a'; .* with weights above 0",
    ),
    ("missing target", lambda: _fit(classes=[None, *CLASSES[1:]]), TargetError, "missing in 1 row, first in row 0"),
    ("numbers as target", lambda: _fit(classes=np.linspace(0, 1, 120)), TargetError, "Unknown label type"),
    ("too many classes", lambda: _fit(classes=np.arange(120) // 2), TargetError, "the target has 60 different values"),
    ("short target", lambda: _fit(classes=CLASSES[1:]), TargetError, "y has 119 labels and X has 120 rows"),
    ("a single row", lambda: _fit({"age": [1.0]}, ["a"]), TargetError, "one class only, 'a'"),
    ("no rows", lambda: _fit({"age": []}, []), DataError, "0 rows; pass at least one row"),
    (
        "no columns",
        lambda: _fit(np.empty((120, 0))),
        TableInputError,
        r"0 feature\(s\) \(shape=\(120, 0\)\) while a minimum of 1 is required; pass at least one column",
    ),
    ("one dimension", lambda: _fit(np.ones(120)), DataError, "must have 2 dimensions .* Reshape your data"),
    ("constant columns", lambda: _fit({"age": np.ones(120)}), TableColumnError, "'age' is 1 in every row"),
    ("empty columns", lambda: _fit({"age": np.full(120, np.nan)}), TableColumnError, "'age' has no values"),
    ("identifier", lambda: _fit({"id": np.arange(120)}), TableColumnError, "'id' identifies the rows"),
    ("sparse", lambda: _fit(scipy.sparse.eye(120).tocsr()), SparseDataError, "sparse"),
    ("text", lambda: _fit("customers.csv"), TableInputError, "but has the type str"),
    ("infinity", lambda: _fit({"age": np.r_[np.inf, np.ones(119)]}), TableColumnError, "holds infinity in row 0"),
    (
        "target in disguise",
        lambda: _fit({**COLUMNS, "left": np.where(CLASSES == "a", "stayed", "left")}),
        TargetLeakError,
        "column 'left' is the target in disguise",
    ),
    ("unfitted", lambda: MixtureClassifier().predict(COLUMNS), NotFittedError, "not fitted yet"),
    ("unfitted schema", lambda: MixtureClassifier().schema_, NotFittedError, "not fitted yet"),
    ("unfitted density", lambda: MixtureClassifier().score_samples(COLUMNS), NotFittedError, "not fitted yet"),
]


@pytest.mark.parametrize(("call", "error", "message"), [case[1:] for case in INPUTS], ids=[case[0] for case in INPUTS])
def test_what_cannot_be_fitted_is_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=message) as caught:
            call()
    assert isinstance(caught.value, ValueError)


def test_what_cannot_be_scored_is_refused() -> None:
    classifier, rows = _fit(), select_rows(COLUMNS, np.arange(4))
    wrong: list[tuple[Any, type[Exception], str]] = [
        ({"age": [1.0]}, TableInputError, "X has no column 'income', 'spent', 'plan' and 'online', which the fit used"),
        (rows | {"age": ["old"] * 4}, TableColumnError, "column 'age' was numeric in the fit, but now holds 'old'"),
        (rows | {"age": np.full(4, np.inf)}, TableColumnError, "holds infinity in row 0"),
        (rows | {"age": np.array(["2020-01-01"] * 4, dtype="M8[D]")}, TableColumnError, "dates"),
        (np.ones((4, 3)), ValueError, "X has 3 features, but MixtureClassifier is expecting 5 features as input"),
        (pd.DataFrame(rows).iloc[:0], DataError, "0 rows"),
        (rows["age"], DataError, "Reshape your data"),
    ]
    for table, error, message in wrong:
        with pytest.raises(error, match=message):
            classifier.predict_proba(table)


# -- unusual tables that have an answer ------------------------------------------------------------


@pytest.mark.parametrize("n_rare", [1, 2, 5])
@pytest.mark.parametrize("n_components", [1, "auto"])
def test_a_class_of_few_rows_is_rare_and_noted(n_rare: int, n_components: Any) -> None:
    classes = np.where(np.arange(120) < n_rare, "rare", "common")
    classifier = _fit(classes=classes, n_components=n_components, max_components=2)
    probabilities = _check(classifier, COLUMNS)
    assert probabilities[:, 1].mean() < 0.2
    rows = "1 row" if n_rare == 1 else f"{n_rare} rows"
    assert (
        f"Class 'rare' has only {rows}: its means and variances are drawn towards those of all rows (prior)."
        in classifier.notes_
    )
    is_told = "The probabilities are not calibrated: fewer than two classes have two rows." in classifier.notes_
    assert is_told == (n_rare == 1)
    assert (classifier.held_out_proba_ is None) == (n_rare == 1)


def test_a_class_of_one_row_among_others_is_in_all_fits() -> None:
    columns, classes = make_table(120, 1, 3)
    classes = np.where(classes == "c", "b", classes)
    classes[7] = "c"
    classifier = _fit(columns, classes)
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    _check(classifier, columns)
    np.testing.assert_array_equal(classifier.held_out_rows_, np.delete(np.arange(120), 7))


def test_a_class_with_fewer_rows_than_columns_is_fitted() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 25)) + rng.normal(size=(60, 1))
    classes = (np.arange(60) < 8).astype(int)
    rows[classes == 1] += 1.5
    classifier = _fit(rows, classes)
    probabilities = _check(classifier, rows)
    assert probabilities[classes == 1, 1].mean() > probabilities[classes == 0, 1].mean() + 0.1
    assert (
        "Class 1 has only 8 rows: its means and variances are drawn towards those of all rows (prior)."
        in classifier.notes_
    )


@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_a_few_rows_are_fitted_without_certainty(n_rows: int) -> None:
    rows = np.arange(float(n_rows))[:, None]
    probabilities = _check(_fit(rows, np.arange(n_rows) >= n_rows / 2, n_components="auto"), rows)
    assert (np.diff(probabilities[:, 1]) > 0).all()
    assert probabilities.max() < 0.999


def test_rows_without_any_cell_are_rows_of_their_class() -> None:
    columns = {name: cells.copy() for name, cells in COLUMNS.items()}
    for name, cells in columns.items():
        cells[:10] = np.nan if name in ("age", "income", "spent") else None
    classifier = _fit(columns, CLASSES, method="generative", calibration=None)
    probabilities = _check(classifier, columns)
    np.testing.assert_allclose(probabilities[:10, 1], (CLASSES == "b").mean(), rtol=1e-9)


@pytest.mark.parametrize("factor", [1e300, 1e-300, 1e150])
def test_huge_and_tiny_units_change_nothing(factor: float) -> None:
    rows = np.column_stack([COLUMNS["age"], COLUMNS["spent"]])
    scaled = rows * np.array([factor, 1.0])
    np.testing.assert_allclose(_check(_fit(scaled), scaled), _check(_fit(rows), rows), atol=1e-6)


def test_numbers_far_beyond_those_of_the_fit_count_as_missing_with_a_warning() -> None:
    classifier, rows = _fit(), select_rows(COLUMNS, np.arange(3))
    with pytest.warns(DataWarning, match="numbers far beyond those of the fit count as missing: column 'age' holds"):
        far = classifier.predict_proba(rows | {"age": [1e300, -1e300, 1e12]})
    np.testing.assert_array_equal(far, classifier.predict_proba(rows | {"age": np.full(3, np.nan)}))


def test_an_absurd_number_of_the_fit_is_noted_and_changes_little() -> None:
    columns = {name: cells.copy() for name, cells in COLUMNS.items()}
    columns["age"][5] = 1e12
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = _fit(columns)
    assert any("'age': 1 number beyond" in note for note in classifier.notes_)
    rows = select_rows(COLUMNS, np.arange(20, 120))
    assert np.abs(classifier.predict_proba(rows) - _fit().predict_proba(rows)).max() < 0.1


def test_a_category_seen_once_does_not_decide() -> None:
    columns = {**COLUMNS, "plan": np.r_[np.array(["once"], dtype=object), COLUMNS["plan"][1:]]}
    classifier = _fit(columns, method="generative", calibration=None)
    rows = select_rows(columns, np.arange(1, 120))
    once = classifier.predict_proba(rows | {"plan": np.full(119, "once", dtype=object)})
    without = classifier.predict_proba(rows | {"plan": np.full(119, None)})
    odds = once[:, 1] / once[:, 0] / (without[:, 1] / without[:, 0])
    assert (np.abs(np.log(odds)) < np.log(5.0)).all()  # about (1 + 1/2) / (1/2)
    assert "plan" in [column.name for column in classifier.schema_.categorical]


def test_columns_without_information_give_the_frequencies_of_the_classes() -> None:
    rng = np.random.default_rng(6)
    columns = {"letter": rng.choice(np.array(list("abcdefghijkl"), dtype=object), 300)}
    classes = np.where(rng.random(300) < 0.3, "yes", "no")
    for n_components in (1, 2, "auto"):
        classifier = _fit(columns, classes, n_components=n_components)
        probabilities = _check(classifier, columns)
        np.testing.assert_allclose(probabilities[:, 1], (classes == "yes").mean(), atol=0.03)
    note = "'letter' hardly tells the classes apart and is left out (Akaike information criterion)."
    assert note in classifier.notes_


def test_a_column_of_which_a_part_is_used_is_not_named_as_left_out() -> None:
    """Whether the amount is zero tells the classes apart; how large it is says nothing."""
    rng = np.random.default_rng(3)
    classes = rng.permutation(np.arange(600) % 3 == 0)
    amount = np.where(rng.random(600) < np.where(classes, 0.8, 0.3), 0.0, rng.gamma(3.0, 5.0, 600))
    columns = {"roaming": amount, "useless": rng.normal(size=600), "months": rng.normal(size=600) + classes}
    classifier = _fit(columns, np.where(classes, "yes", "no"))
    notes = [note for note in classifier.notes_ if "hardly" in note]
    assert notes == ["'useless' hardly tells the classes apart and is left out (Akaike information criterion)."]
    assert classifier.model_.unused_numbers.tolist() == [0, 1], "the size of the amount is left out"
