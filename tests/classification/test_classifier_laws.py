"""Laws of `MixtureClassifier`: what must not change its probabilities, and that they are exact with missing cells."""

import copy
import pickle
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from threadpoolctl import threadpool_limits

from gaussmix.classification import MixtureClassifier
from gaussmix.core.threads import threads
from tests.classification.labelled_tables import Columns, make_table, select_rows
from tests.exhaustive import parametrize_product

GENERATIVE = {"method": "generative", "calibration": None, "n_components": (1, 2), "n_starts": 1, "random_state": 0}
FIXED = {"n_components": 1, "random_state": 0}
DEFAULT = {"max_components": 2, "n_starts": 1, "max_iter": 12, "random_state": 0}
OPTIONS = [GENERATIVE, FIXED, DEFAULT]
OPTION_NAMES = ["generative", "one component", "default"]
TOLERANCES = dict(zip(OPTION_NAMES, [1e-9, 1e-6, 1e-5], strict=True))  # of probabilities


def _fit(columns: object, classes: object, options: dict, **weights: object) -> MixtureClassifier:
    return MixtureClassifier(**options).fit(columns, classes, **weights)


def _largest_difference(
    first: MixtureClassifier, second: MixtureClassifier, table: Columns, other: object = None
) -> float:
    return float(np.abs(first.predict_proba(table) - second.predict_proba(table if other is None else other)).max())


@pytest.mark.parametrize(
    ("name", "seed", "missing"),
    [("generative", 0, 0.0), ("generative", 1, 0.1), ("one component", 1, 0.1), ("default", 0, 0.1)],
)
def test_the_order_of_rows_does_not_matter_and_copies_are_weights(name: str, seed: int, missing: float) -> None:
    options = OPTIONS[OPTION_NAMES.index(name)]
    columns, classes = make_table(160, seed, missing=missing)
    weights = np.random.default_rng(seed).integers(0, 4, 160)
    copies = np.random.default_rng(seed + 1).permutation(np.repeat(np.arange(160), weights))
    weighted = _fit(columns, classes, options, sample_weight=weights)
    repeated = _fit(select_rows(columns, copies), classes[copies], options)
    assert weighted.n_components_ == repeated.n_components_
    assert _largest_difference(weighted, repeated, columns) < TOLERANCES[name]
    plain = _fit(columns, classes, options)
    assert _largest_difference(weighted, plain, columns) > 1e-3


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_rows_of_weight_zero_are_no_rows(name: str) -> None:
    options = OPTIONS[OPTION_NAMES.index(name)]
    options = options | {"n_components": 1} if name == "generative" else options
    columns, classes = make_table(160, 2, 3)
    kept = (classes != "b") & (np.arange(160) % 5 > 0)
    columns["plan"][0] = "never again"  # a level of rows without weight
    weighted = _fit(columns, classes, options, sample_weight=2.0 * kept)
    removed = _fit(select_rows(columns, kept), classes[kept], options, sample_weight=np.full(kept.sum(), 2.0))
    assert weighted.classes_.tolist() == ["a", "c"]
    assert _largest_difference(weighted, removed, select_rows(columns, kept)) < TOLERANCES[name]
    if weighted.held_out_rows_ is not None:
        np.testing.assert_array_equal(weighted.held_out_rows_, np.flatnonzero(kept)[removed.held_out_rows_])
        np.testing.assert_allclose(weighted.held_out_proba_, removed.held_out_proba_, atol=TOLERANCES[name])


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_units_of_columns_do_not_matter(name: str) -> None:
    options = OPTIONS[OPTION_NAMES.index(name)]
    columns, classes = make_table(200, 3, missing=0.1)
    units = {"age": 365.25, "income": 1e-3, "spent": 1e6}
    scaled = {key: cells * units.get(key, 1) if key in units else cells for key, cells in columns.items()}
    first, second = _fit(columns, classes, options), _fit(scaled, classes, options)
    assert _largest_difference(first, second, columns, scaled) < TOLERANCES[name]
    log_units = sum(np.log(unit) * ~np.isnan(columns[key]) for key, unit in units.items())
    if name == "generative":
        shift = first.score_samples(columns) - second.score_samples(scaled)
        np.testing.assert_allclose(shift, log_units, atol=1e-7)


@pytest.mark.parametrize("name", OPTION_NAMES[:2])
def test_offsets_of_columns_do_not_matter_without_transforms(name: str) -> None:
    options = {**OPTIONS[OPTION_NAMES.index(name)], "column_transform": None}
    columns, classes = make_table(200, 3)
    moved = {key: cells + 1e6 if cells.dtype.kind == "f" else cells for key, cells in columns.items()}
    first, second = _fit(columns, classes, options), _fit(moved, classes, options)
    assert _largest_difference(first, second, columns, moved) < 10.0 * TOLERANCES[name]


@pytest.mark.parametrize("name", OPTION_NAMES[:2])
def test_names_of_classes_levels_and_columns_do_not_matter(name: str) -> None:
    options = OPTIONS[OPTION_NAMES.index(name)] | {"n_components": 1}
    columns, classes = make_table(200, 4, 3, missing=0.1)
    first = _fit(columns, classes, options)
    new_names = {"a": "x", "b": "y", "c": "z"}
    renamed = _fit(columns, np.vectorize(new_names.get)(classes), options)
    assert renamed.classes_.tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(renamed.predict_proba(columns), first.predict_proba(columns))
    other = {f"the {key}": cells for key, cells in columns.items()}
    other["the plan"] = np.array([None if value is None else f"1 {value}" for value in columns["plan"]], dtype=object)
    same = _fit(other, classes, options)
    np.testing.assert_array_equal(same.predict_proba(other), first.predict_proba(columns))


def test_the_order_of_classes_does_not_matter_to_a_generative_fit() -> None:
    columns, classes = make_table(200, 5, 3)
    first = _fit(columns, classes, GENERATIVE | {"n_components": 1})
    second = _fit(columns, np.vectorize({"a": "z", "b": "y", "c": "x"}.get)(classes), GENERATIVE | {"n_components": 1})
    np.testing.assert_allclose(second.predict_proba(columns)[:, ::-1], first.predict_proba(columns), atol=1e-12)


def test_columns_are_found_by_name_in_any_order_and_others_are_ignored() -> None:
    columns, classes = make_table(150, 6)
    classifier = _fit(columns, classes, FIXED)
    shuffled = {"other": np.zeros(150), **dict(reversed(list(columns.items())))}
    np.testing.assert_array_equal(classifier.predict_proba(shuffled), classifier.predict_proba(columns))


def test_tables_of_all_libraries_give_equal_classifiers() -> None:
    arrow = pytest.importorskip("pyarrow")
    columns, classes = make_table(150, 7, missing=0.1)
    expected = _fit(columns, classes, FIXED).predict_proba(columns)
    lists = {key: [None if cell != cell else cell for cell in cells.tolist()] for key, cells in columns.items()}
    for table, target in (
        (pd.DataFrame(columns), pd.Series(classes)),
        (pd.DataFrame(columns).convert_dtypes(), pd.Series(classes, dtype="category")),
        (pl.DataFrame(lists), pl.Series(classes)),
        (arrow.table(lists), classes.tolist()),
    ):
        classifier = _fit(table, target, FIXED)
        np.testing.assert_array_equal(classifier.predict_proba(table), expected)
        assert classifier.feature_names_in_.tolist() == list(columns)
        assert classifier.n_features_in_ == 5
        assert (classifier.predict(table) == np.where(expected[:, 1] > 0.5, "b", "a")).all()


def test_arrays_lists_and_frames_without_names_give_equal_classifiers() -> None:
    columns, classes = make_table(150, 8)
    rows = np.column_stack([columns["age"], columns["income"], columns["spent"]])
    expected = _fit(rows, classes, FIXED).predict_proba(rows)
    for table in (rows.tolist(), np.asfortranarray(rows), pd.DataFrame(rows), rows.astype(object)):
        classifier = _fit(table, classes, FIXED)
        np.testing.assert_array_equal(classifier.predict_proba(table), expected)
        assert not hasattr(classifier, "feature_names_in_")
    named = MixtureClassifier(**FIXED).fit(pd.DataFrame(columns), classes)
    assert hasattr(named, "feature_names_in_")
    assert not hasattr(named.fit(rows, classes), "feature_names_in_")


# -- missing cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_components", [1, 2])
def test_a_probability_without_a_category_is_the_mean_over_its_levels(n_components: int) -> None:
    columns, classes = make_table(300, 9)
    classifier = _fit(columns, classes, GENERATIVE | {"n_components": n_components})
    rows = select_rows(columns, np.arange(12))
    without = rows | {"plan": np.full(12, None), "online": np.full(12, None)}
    joint = np.zeros((12, 2))
    for plan, online in product(["basic", "plus", "pro"], ["no", "yes"]):
        complete = rows | {"plan": np.full(12, plan, dtype=object), "online": np.full(12, online, dtype=object)}
        joint += np.exp(classifier.score_samples(complete))[:, None] * classifier.predict_proba(complete)
    np.testing.assert_allclose(np.log(joint.sum(axis=1)), classifier.score_samples(without), rtol=1e-9)
    np.testing.assert_allclose(joint / joint.sum(axis=1, keepdims=True), classifier.predict_proba(without), rtol=1e-9)


def test_a_probability_without_a_number_is_the_integral_over_it() -> None:
    columns, classes = make_table(300, 10)
    classifier = _fit(columns, classes, GENERATIVE | {"column_transform": {"spent": "log1p"}, "n_components": 2})
    row = select_rows(columns, np.arange(1))
    for name, grid in (("income", np.linspace(-100.0, 300.0, 4001)), ("spent", np.linspace(-0.99, 4000.0, 400_001))):
        complete = {key: np.repeat(cells, len(grid)) for key, cells in row.items()} | {name: grid}
        density = np.exp(classifier.score_samples(complete))[:, None] * classifier.predict_proba(complete)
        joint = np.trapezoid(density, grid, axis=0)
        without = row | {name: np.array([np.nan])}
        np.testing.assert_allclose(np.log(joint.sum()), classifier.score_samples(without)[0], atol=1e-3)
        np.testing.assert_allclose(joint / joint.sum(), classifier.predict_proba(without)[0], atol=1e-3)


def test_a_row_without_any_cell_has_the_frequencies_of_the_classes() -> None:
    columns, classes = make_table(200, 11, 3)
    classifier = _fit(columns, classes, GENERATIVE | {"n_components": 2})
    empty = {key: [np.nan if cells.dtype.kind == "f" else None] for key, cells in columns.items()}
    frequencies = [np.mean(classes == label) for label in "abc"]
    np.testing.assert_allclose(classifier.predict_proba(empty)[0], frequencies, rtol=1e-10)
    assert classifier.score_samples(empty)[0] == pytest.approx(0.0, abs=1e-12)


def test_an_unknown_level_is_a_missing_cell() -> None:
    columns, classes = make_table(200, 12)
    classifier = _fit(columns, classes, FIXED)
    rows = select_rows(columns, np.arange(5))
    with pytest.warns(UserWarning, match="categories that the fit has not seen count as missing"):
        unknown = classifier.predict_proba(rows | {"plan": np.full(5, "unheard of")})
    np.testing.assert_array_equal(unknown, classifier.predict_proba(rows | {"plan": np.full(5, None)}))


# -- peers -----------------------------------------------------------------------------------------


def test_probabilities_are_near_those_of_quadratic_discriminant_analysis_on_many_rows() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 6000)
    root = np.eye(3) + 0.4 * rng.normal(size=(3, 3, 3))
    rows = np.einsum("nij,nj->ni", root[classes], rng.normal(size=(6000, 3))) + classes[:, None]
    ours = _fit(rows, classes, GENERATIVE | {"n_components": 1, "column_transform": None}).predict_proba(rows)
    theirs = QuadraticDiscriminantAnalysis().fit(rows, classes).predict_proba(rows)
    assert np.abs(ours - theirs).max() < 0.02
    assert np.abs(ours - theirs).mean() < 1e-3


def test_refinement_and_calibration_lower_the_loss_of_new_rows_where_the_mixture_is_wrong() -> None:
    def make_rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        scale = rng.standard_t(2.5, size=(3000, 1))
        rows = np.arctan(rng.normal(size=(3000, 4)) * scale)
        return rows, (rows[:, 0] + rows[:, 1] * np.abs(rows[:, 2]) + 0.3 * rng.normal(size=3000) > 0.3).astype(int)

    rows, classes = make_rows(0)
    new_rows, new_classes = make_rows(1)
    losses = []
    for options in ({"method": "generative", "calibration": None}, {"calibration": None}, {}):
        classifier = _fit(rows, classes, {"n_components": 1, "random_state": 0, **options})
        log_probabilities = classifier.predict_log_proba(new_rows)
        losses.append(-log_probabilities[np.arange(3000), new_classes].mean())
    assert losses[1] < losses[0] - 0.02
    assert losses[2] < losses[0] - 0.02


@pytest.mark.parametrize("family", ["class-mixtures", "edda"])
def test_equal_rows_of_several_classes_are_calibrated_by_their_frequencies(family: str) -> None:
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 2, (800, 2))
    rates = np.array([[0.05, 0.4], [0.6, 0.95]])
    classes = (rng.random(800) < rates[cells[:, 0], cells[:, 1]]).astype(int)
    classifier = MixtureClassifier(family=family, random_state=0).fit(cells.astype(float), classes)
    for first, second in product((0, 1), (0, 1)):
        is_cell = (cells == (first, second)).all(axis=1)
        frequency = classes[is_cell].mean()
        assert classifier.predict_proba([[first, second]])[0, 1] == pytest.approx(frequency, abs=0.08)
        np.testing.assert_allclose(classifier.held_out_proba_[is_cell, 1], frequency, atol=0.08)


# -- the same result again -------------------------------------------------------------------------


def test_a_seed_gives_the_same_bits_and_another_seed_other_ones() -> None:
    columns, classes = make_table(200, 13)
    options = {"n_components": 2, "n_starts": 1, "max_iter": 10}
    first, second = (_fit(columns, classes, options | {"random_state": 5}) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(columns), second.predict_proba(columns))
    np.testing.assert_array_equal(first.held_out_proba_, second.held_out_proba_)
    other = _fit(columns, classes, options | {"random_state": 6})
    assert _largest_difference(first, other, columns) > 1e-6
    for state in (np.random.RandomState(3), np.random.default_rng(3), None):
        assert np.isfinite(_fit(columns, classes, options | {"random_state": state}).predict_proba(columns)).all()


def test_threads_do_not_change_a_bit() -> None:
    columns, classes = make_table(200, 14, missing=0.1)
    probabilities = []
    for n_threads in (1, 3):
        with threadpool_limits(n_threads), threads(n_threads):
            classifier = _fit(columns, classes, DEFAULT | {"n_starts": 2})
            probabilities.append((classifier.predict_proba(columns), classifier.held_out_proba_))
    np.testing.assert_array_equal(probabilities[0][0], probabilities[1][0])
    np.testing.assert_array_equal(probabilities[0][1], probabilities[1][1])


def test_copies_and_pickles_predict_the_same_and_clones_are_unfitted() -> None:
    columns, classes = make_table(150, 15)
    classifier = _fit(columns, classes, FIXED | {"costs": [[0, 1], [5, 0]]})
    expected = classifier.predict_proba(columns)
    for other in (copy.deepcopy(classifier), pickle.loads(pickle.dumps(classifier))):
        np.testing.assert_array_equal(other.predict_proba(columns), expected)
        np.testing.assert_array_equal(other.predict(columns), classifier.predict(columns))
        np.testing.assert_array_equal(other.score_samples(columns), classifier.score_samples(columns))
        assert other.notes_ == classifier.notes_
    unfitted = clone(classifier)
    assert not hasattr(unfitted, "model_")
    np.testing.assert_array_equal(unfitted.fit(columns, classes).predict_proba(columns), expected)


def test_a_fit_changes_neither_its_input_nor_depends_on_the_fit_before() -> None:
    columns, classes = make_table(150, 16, missing=0.1)
    before = copy.deepcopy(columns)
    classifier = _fit(columns, classes, FIXED)
    for name, cells in columns.items():
        pd.testing.assert_series_equal(pd.Series(cells), pd.Series(before[name]))
    expected = classifier.predict_proba(columns)
    other, other_classes = make_table(100, 17, 3)
    classifier.fit(other, other_classes)
    np.testing.assert_array_equal(classifier.fit(columns, classes).predict_proba(columns), expected)
    assert classifier.classes_.tolist() == ["a", "b"]


# -- predictions agree with each other -------------------------------------------------------------


@parametrize_product(
    {"calibration": ["tails", "floor", "sigmoid", "isotonic", "temperature", None], "n_classes": [2, 4]}
)
def test_predictions_agree(calibration: str | None, n_classes: int) -> None:
    columns, classes = make_table(240, 18, n_classes, missing=0.05)
    classifier = _fit(columns, classes, FIXED | {"calibration": calibration})
    probabilities = classifier.predict_proba(columns)
    assert probabilities.shape == (240, n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-13)
    np.testing.assert_allclose(np.exp(classifier.predict_log_proba(columns)), probabilities, rtol=1e-9)
    np.testing.assert_array_equal(classifier.predict(columns), classifier.classes_[np.argmax(probabilities, axis=1)])
    assert classifier.score(columns, classes) > 1.2 / n_classes
    if calibration is None:
        assert classifier.held_out_proba_ is None
    else:
        np.testing.assert_array_equal(classifier.held_out_rows_, np.arange(240))
        assert np.abs(classifier.held_out_proba_ - probabilities).max() > 1e-3
        frequencies = [np.mean(classes == label) for label in classifier.classes_]
        tolerance = 0.08 if calibration == "temperature" else 0.04
        np.testing.assert_allclose(classifier.held_out_proba_.mean(axis=0), frequencies, atol=tolerance)
    one_by_one = np.vstack([classifier.predict_proba(select_rows(columns, np.arange(i, i + 1))) for i in range(5)])
    np.testing.assert_allclose(one_by_one, probabilities[:5], rtol=1e-10)
