"""Mixtures that all classes share: class probabilities of components, laws, parameters and bad input."""

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from gaussmix.classification import MixtureClassifier
from gaussmix.classification.families.members import MixtureSpec
from gaussmix.classification.families.parameter_count import count_parameters
from gaussmix.classification.families.shared_mixture import SharedFits, allocate_components
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.errors import ClassifierParameterError
from tests.classification.families.labelled_rows import draw_levels, make_training_rows, remove_cells

CLASS_FRACTIONS = np.array([0.9, 0.5, 0.1])


def draw_shared_groups(seed, n=600):
    """Return rows (n, 2) of three groups that both classes share, the classes (n,) and the groups (n,)."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(3, size=n)
    rows = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])[groups] + rng.normal(size=(n, 2))
    return rows, (rng.random(n) < CLASS_FRACTIONS[groups]).astype(np.int64), groups


def make_shared(**parameters):
    """Return a shared mixture as EM finds it."""
    defaults = {"method": "generative", "calibration": None, "random_state": 0, "column_transform": None}
    return MixtureClassifier(family="shared", **(defaults | parameters))


@pytest.mark.parametrize("seed", range(3))
def test_groups_and_their_class_probabilities_are_found(seed):
    rows, classes, groups = draw_shared_groups(seed)
    classifier = make_shared(n_components=3).fit(rows, classes)
    expected = [np.mean(classes[groups == group]) for group in range(3)]
    for member in classifier.model_.members:
        fractions = np.exp(member.class_log_probabilities[:, 1])
        np.testing.assert_allclose(np.sort(fractions), np.sort(expected), atol=0.03)
        np.testing.assert_allclose(np.exp(member.class_log_probabilities).sum(axis=1), 1.0)
    np.testing.assert_allclose(classifier.predict_proba([[0, 0], [6, 0], [0, 6]])[:, 1], expected, atol=0.04)


def test_the_number_of_components_follows_the_log_loss():
    rows, classes, _ = draw_shared_groups(3)
    classifier = make_shared(max_components=6, n_starts=1).fit(rows, classes)
    assert classifier.n_components_[0] >= 3
    losses = {each.n_components: each.log_loss for each in classifier.candidates_}
    assert losses[(1,)] == pytest.approx(-np.mean(np.log([0.5, 0.5])), abs=0.03)
    assert min(losses, key=losses.get) == classifier.n_components_


def test_every_class_is_possible_in_every_component():
    rows, classes, groups = draw_shared_groups(4)
    classes = (groups == 0).astype(np.int64)  # pure groups
    member = SharedFits(make_training_rows(rows / 3.0, classes)).fit_generative(MixtureSpec((4,), ("VVV",)), 0)
    assert np.isfinite(member.class_log_probabilities).all()
    assert not member.has_class_components


def test_class_probabilities_have_the_prior_of_the_classes():
    """One component: (counts + 3 fractions) / (n + 3), the fractions of the classes."""
    rows, classes, _ = draw_shared_groups(5)
    member = SharedFits(make_training_rows(rows, classes)).fit_generative(MixtureSpec((1,), ("VVV",)), 0)
    np.testing.assert_allclose(np.exp(member.class_log_probabilities[0]), np.bincount(classes) / len(classes))


def test_one_component_predicts_the_frequencies_of_the_classes():
    rows, classes, _ = draw_shared_groups(6)
    probabilities = make_shared(n_components=1).fit(rows, classes).predict_proba(rows)
    np.testing.assert_allclose(probabilities, np.tile(np.bincount(classes) / len(classes), (len(rows), 1)), rtol=1e-9)


def test_as_many_components_as_classes_are_those_of_separate_classes(iris):
    X, y = iris
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(make_shared(n_components=3, n_starts=1), X, y, cv=folds)
    assert np.mean(predicted != y) <= 0.05


def test_components_start_within_the_classes():
    rows, classes, _ = draw_shared_groups(14)
    partition = SharedFits(make_training_rows(rows / 3.0, classes))._partition_classes(6, 0)
    assert len(np.unique(partition)) == 6
    assert all(len(np.unique(classes[partition == group])) == 1 for group in range(6))


def test_refinement_lowers_the_log_loss_of_the_rows():
    rows, classes, _ = draw_shared_groups(7)
    losses = [
        log_loss(
            classes, make_shared(method=method, n_components=4, penalty=2.0).fit(rows, classes).predict_proba(rows)
        )
        for method in ("generative", "refined")
    ]
    assert losses[1] < losses[0]


def test_order_repetition_and_units_do_not_matter():
    rows, classes, _ = draw_shared_groups(8, n=200)
    rng = np.random.default_rng(8)
    weights = rng.integers(1, 4, size=len(rows))
    repeated = rng.permutation(np.repeat(np.arange(len(rows)), weights))
    units = np.array([1000.0, 0.01])
    first = make_shared(n_components=3).fit(rows, classes, sample_weight=weights)
    second = make_shared(n_components=3).fit(rows[repeated] * units, classes[repeated])
    np.testing.assert_allclose(second.predict_proba(rows * units), first.predict_proba(rows), rtol=1e-6, atol=1e-9)


def test_gaps_and_levels_take_part():
    rows, classes, groups = draw_shared_groups(9)
    gaps, levels = remove_cells(rows, 9), draw_levels(groups, 9)[:, 0]
    table = {"a": gaps[:, 0], "b": gaps[:, 1], "c": [None if level < 0 else f"L{level}" for level in levels]}
    classifier = make_shared(n_components=3, calibration="floor").fit(table, classes)
    probabilities = classifier.predict_proba({"a": [np.nan] * 3, "b": [np.nan] * 3, "c": ["L0", "L1", "L2"]})[:, 1]
    assert probabilities[0] > probabilities[1] > probabilities[2]
    np.testing.assert_allclose(probabilities[1], 0.5, atol=0.1)


# -- parameters ------------------------------------------------------------------------------------


def test_an_int_is_the_total_number():
    rows, classes, _ = draw_shared_groups(10)
    classifier = make_shared(n_components=5).fit(rows, classes)
    assert classifier.n_components_ == (5,)
    assert classifier.model_.members[0].n_components == 5
    assert "Number of components of all classes together: 5." in classifier.notes_
    assert classifier.n_iter_ > 1


def test_max_components_bounds_the_total():
    rows, classes, _ = draw_shared_groups(11, n=200)
    classifier = make_shared(max_components=2, n_starts=1).fit(rows, classes)
    assert {each.n_components for each in classifier.candidates_} == {(1,), (2,)}


@pytest.mark.parametrize("n_components", [(2, 2), {0: 1, 1: 2}, 0, 1.5, "many"])
def test_numbers_for_each_class_are_an_error(n_components):
    rows, classes, _ = draw_shared_groups(12, n=60)
    with pytest.raises(ClassifierParameterError, match=r"n_components must be 'auto' or a whole number.*share"):
        make_shared(n_components=n_components).fit(rows, classes)


def test_more_components_than_rows_are_an_error():
    rows, classes, _ = draw_shared_groups(13, n=30)
    with pytest.raises(ClassifierParameterError, match="31 components of a table that has 30 distinct rows"):
        make_shared(n_components=31).fit(rows, classes)


@pytest.mark.parametrize("n_components", range(3, 12))
def test_components_are_allocated_in_proportion(n_components):
    weights = np.array([10.0, 30.0, 60.0])
    counts = allocate_components(weights, n_components)
    assert sum(counts) == n_components
    assert min(counts) >= 1
    assert list(counts) == sorted(counts)
    if n_components == 10:
        assert counts == (1, 3, 6)


# -- parameter counts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "spec", "expected"),
    [
        ((), MixtureSpec((2, 3), ("VVV", "VVV")), 4 + 5 * (3 + 3 + 3)),  # 3 variances for each component
        ((0, 2), MixtureSpec((2, 3), ("VVV", "VVV")), 4 + 5 * (3 + 3 + 1 + 3)),
        ((0, 1, 2), MixtureSpec((1, 1), ("EEE",)), 1 + 2 * (3 + 3) + 6),  # both classes share the covariance
        ((0, 1, 2), MixtureSpec((2, 1), ("EEE", "EEE")), 2 + 3 * (3 + 3) + 6 + 6),  # each class has its own
        ((), MixtureSpec((1, 1), ("EEI",)), 1 + 2 * (3 + 3) + 3),
        ((), MixtureSpec((4,), ("VVV",)), 3 + 4 * (3 + 3 + 1 + 3)),  # a class probability for each component
    ],
)
def test_parameters_are_counted(block, spec, expected):
    assert count_parameters(FeatureLayout(3, block, (2, 3)), spec, 2) == expected
