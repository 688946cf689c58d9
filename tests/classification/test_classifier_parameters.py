"""Every parameter of `MixtureClassifier` changes something, and does what its name says."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix.classification import MixtureClassifier
from gaussmix.classification.calibration import IsotonicCalibration, SoftmaxCalibration, TailCalibration
from tests.classification.labelled_tables import make_table, select_rows

N_ROWS = 160
COLUMNS, CLASSES = make_table(N_ROWS, 0)
BASE: dict[str, Any] = {"n_components": 1, "max_iter": 15, "random_state": 0}


def _fit(classes: Any = CLASSES, **parameters: Any) -> MixtureClassifier:
    return MixtureClassifier(**{**BASE, **parameters}).fit(COLUMNS, classes)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"method": "refined"}, {"method": "generative"}),
        ({"n_components": 1}, {"n_components": 2}),
        ({"n_components": (1, 2)}, {"n_components": (2, 1)}),
        ({"generative_weight": 0.0}, {"generative_weight": 1.0}),
        ({"penalty": 0.0}, {"penalty": 20.0}),
        ({"max_iter": 1}, {"max_iter": 60}),
        ({"n_components": 3, "n_starts": 1}, {"n_components": 3, "n_starts": 3}),
        ({"calibration": "tails"}, {"calibration": "sigmoid"}),
        ({"calibration": "isotonic"}, {"calibration": "temperature"}),
        ({"calibration": "floor"}, {"calibration": None}),
        ({"n_folds": 3}, {"n_folds": 5}),
        ({"column_transform": None}, {"column_transform": {"spent": "log1p"}}),
        ({"class_weight": None}, {"class_weight": {"a": 3.0, "b": 1.0}}),
        ({"random_state": 0}, {"random_state": 1}),
    ],
    ids=str,
)
def test_a_parameter_changes_the_probabilities(first: dict[str, Any], second: dict[str, Any]) -> None:
    difference = _fit(**first).predict_proba(COLUMNS) - _fit(**second).predict_proba(COLUMNS)
    assert np.abs(difference).max() > 1e-4


def test_the_family_changes_the_probabilities() -> None:
    first, second = (_fit(family=family, n_components="auto") for family in ("class-mixtures", "edda"))
    assert np.abs(first.predict_proba(COLUMNS) - second.predict_proba(COLUMNS)).max() > 1e-3


def test_numbers_of_components_are_those_asked_for() -> None:
    quick = {"max_iter": 2, "n_folds": 2, "calibration": None}
    assert _fit(n_components=2, **quick).n_components_ == (2, 2)
    assert _fit(n_components=[1, 3], **quick).n_components_ == (1, 3)
    assert _fit(n_components=np.array([1, 3]), **quick).n_components_ == (1, 3)
    assert _fit(n_components={"b": 1, "a": 2}, **quick).n_components_ == (2, 1)
    assert len(_fit(n_components=2, n_starts=3, **quick).model_.members) == 3
    assert len(_fit(n_starts=3, **quick).model_.members) == 1


def test_the_number_of_components_is_chosen_up_to_the_largest_one() -> None:
    options = {"n_components": "auto", "n_starts": 1, "max_iter": 8, "method": "generative"}
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(240, 2))
    rows[::2] += 4.0 * rng.choice([-1.0, 1.0], (120, 1))
    classes = np.arange(240) % 2
    chosen = MixtureClassifier(random_state=0, **options).fit(rows, classes)
    assert chosen.n_components_[0] >= 2
    assert (1, 1) in [candidate.n_components for candidate in chosen.candidates_]
    assert chosen.candidates_[0].n_components == chosen.n_components_
    few = MixtureClassifier(random_state=0, max_components=1, **options).fit(rows, classes)
    assert few.n_components_ == (1, 1)
    assert len(few.candidates_) == 1
    assert _fit().candidates_ == ()


def test_a_larger_penalty_keeps_the_mixture_nearer_to_that_of_em() -> None:
    first = _fit(method="generative", calibration=None).model_.members[0]
    distances = []
    for penalty in (0.0, 10.0, 1e6):
        member = _fit(penalty=penalty, calibration=None).model_.members[0]
        distances.append(np.abs(member.means - first.means).max())
    assert distances[0] > 1.1 * distances[1] > 100.0 * distances[2]


def test_max_iter_limits_the_iterations() -> None:
    assert _fit(max_iter=3).n_iter_ == 3
    assert 3 < _fit(max_iter=1000).n_iter_ < 1000
    assert _fit(method="generative", n_components=2).n_iter_ > 2
    assert _fit(method="generative").n_iter_ >= 1


@pytest.mark.parametrize(
    ("calibration", "kind"),
    [
        ("tails", TailCalibration),
        ("floor", SoftmaxCalibration),
        ("sigmoid", SoftmaxCalibration),
        ("isotonic", IsotonicCalibration),
    ],
)
def test_the_calibration_is_the_one_asked_for(calibration: str, kind: type) -> None:
    classifier = _fit(calibration=calibration)
    assert isinstance(classifier.model_.calibration, kind)
    if isinstance(classifier.model_.calibration, SoftmaxCalibration):
        assert classifier.model_.calibration.floors.any() == (calibration == "floor")
        assert _fit(calibration="temperature").model_.calibration.intercepts.any() == 0
    loss = log_loss(CLASSES, classifier.held_out_proba_)
    assert loss < log_loss(CLASSES, np.full((N_ROWS, 2), 0.5))


def test_a_generative_fit_without_calibration_holds_nothing_out() -> None:
    classifier = _fit(calibration=None, method="generative")
    assert classifier.model_.calibration is None
    assert classifier.held_out_rows_ is None
    assert classifier.held_out_proba_ is None
    assert classifier.log_likelihood_ == pytest.approx(classifier.score_samples(COLUMNS).sum(), rel=1e-10)
    assert classifier.bic_ == pytest.approx(-2 * classifier.log_likelihood_ + classifier.n_parameters_ * np.log(N_ROWS))
    assert _fit().log_likelihood_ is None


def test_class_weights_are_row_weights() -> None:
    first = _fit(class_weight={"a": 1.0, "b": 2.5})
    weights = np.where(CLASSES == "b", 2.5, 1.0)
    second = MixtureClassifier(**BASE).fit(COLUMNS, CLASSES, sample_weight=weights)
    np.testing.assert_array_equal(first.predict_proba(COLUMNS), second.predict_proba(COLUMNS))
    rare = np.where(np.arange(N_ROWS) % 3 > 0, "a", CLASSES)
    plain, balanced = _fit(rare), _fit(rare, class_weight="balanced")
    assert plain.predict_proba(COLUMNS)[:, 1].mean() == pytest.approx((rare == "b").mean(), abs=0.05)
    assert balanced.predict_proba(COLUMNS)[:, 1].mean() > 0.35


def test_costs_move_the_threshold_to_the_ratio_of_costs_and_leave_the_probabilities() -> None:
    plain, costly = _fit(), _fit(costs=[[0.0, 1.0], [4.0, 0.0]])
    probabilities = costly.predict_proba(COLUMNS)
    np.testing.assert_array_equal(probabilities, plain.predict_proba(COLUMNS))
    np.testing.assert_array_equal(costly.predict(COLUMNS), np.where(probabilities[:, 1] > 0.2, "b", "a"))
    np.testing.assert_array_equal(plain.predict(COLUMNS), np.where(probabilities[:, 1] > 0.5, "b", "a"))
    assert (costly.predict(COLUMNS) != plain.predict(COLUMNS)).any()


def test_costs_of_three_classes_choose_the_least_expected_cost() -> None:
    columns, classes = make_table(200, 1, 3)
    costs = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [9.0, 2.0, 0.0]])
    classifier = MixtureClassifier(**BASE, costs=costs).fit(columns, classes)
    expected = classifier.predict_proba(columns) @ costs
    np.testing.assert_array_equal(classifier.predict(columns), classifier.classes_[np.argmin(expected, axis=1)])


@pytest.mark.parametrize(
    ("categorical", "n_categories"), [("auto", 3), (None, 2), (["level"], 3), ([3], 3), ((), 3)], ids=str
)
def test_categories_are_those_asked_for(categorical: Any, n_categories: int) -> None:
    level = np.random.default_rng(99).integers(0, 4, N_ROWS) + (CLASSES == "b")
    columns = {**select_rows(COLUMNS, np.arange(N_ROWS)), "level": level}
    columns = {name: columns[name] for name in ("age", "income", "spent", "level", "plan", "online")}
    classifier = MixtureClassifier(**BASE, categorical=categorical).fit(columns, CLASSES)
    assert len(classifier.schema_.categorical) == n_categories
    assert ("level" in [column.name for column in classifier.schema_.numeric]) == (n_categories == 2)


def test_transforms_are_those_asked_for_and_chosen_for_a_skewed_column() -> None:
    def names(**parameters: Any) -> dict[str, str | None]:
        schema = _fit(max_iter=1, calibration=None, **parameters).schema_
        return {c.name: None if c.transform is None else c.transform.description for c in schema.numeric}

    assert set(names(column_transform=None).values()) == {None}
    assert names(column_transform={"spent": "log1p"})["spent"] == "log1p"
    assert names(column_transform={"spent": "log1p"})["age"] is None
    assert names()["spent"] is not None
    assert names()["age"] is None
    assert set(names(family="edda", n_components="auto").values()) == {None}


def test_notes_say_what_was_done() -> None:
    columns = {**COLUMNS, "customer_id": np.arange(N_ROWS), "constant": np.ones(N_ROWS)}
    notes = " ".join(MixtureClassifier(**BASE).fit(columns, CLASSES).notes_)
    assert "'customer_id' identifies the rows and is left out." in notes
    assert "'constant' is 1 in every row and is left out." in notes
    assert "'age' and 'income' correlate within the classes; the model describes how (full covariances)." in notes
    assert "'spent' is transformed to a logarithmic scale (log1p, in units of " in notes
    assert "Number of components: 1 for a and 1 for b." in notes


def test_scikit_learns_tools_work_with_the_classifier() -> None:
    rows = np.column_stack([COLUMNS["age"], COLUMNS["income"], np.log(COLUMNS["spent"])])
    quick = BASE | {"calibration": None, "max_iter": 10, "n_starts": 1, "n_folds": 2}
    scores = cross_val_score(MixtureClassifier(**quick), rows, CLASSES, cv=3, scoring="neg_log_loss")
    assert scores.mean() > -0.69
    search = GridSearchCV(MixtureClassifier(**quick), {"n_components": [1, 2]}, cv=2)
    assert search.fit(rows, CLASSES).best_params_["n_components"] in (1, 2)
    pipeline = make_pipeline(StandardScaler(), MixtureClassifier(**quick))
    assert pipeline.fit(rows, CLASSES).score(rows, CLASSES) > 0.55
