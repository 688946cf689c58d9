"""Mixtures of the classes: their priors and starts, what is fitted once, and held-out predictions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from gaussmix.classification.families.base import ChoiceRequest
from gaussmix.classification.families.class_fits import ClassFits, cluster_rows, join_classes, prior_at
from gaussmix.classification.families.class_mixtures import ClassMixtures
from gaussmix.classification.families.cross_validation import CrossValidation, divide_copies
from gaussmix.classification.families.member_average import average_log_densities, average_log_probabilities
from gaussmix.classification.families.members import MemberOptions, MixtureSpec
from gaussmix.classification.families.training_rows import TrainingRows
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.mixed_prior import PriorStrength
from gaussmix.classification.mixed.refinement import RefinementOptions
from gaussmix.errors import ClassifierParameterError
from gaussmix.types import IntN
from tests.classification.mixed.random_mixtures import make_cells, make_layout, make_mixture

LAYOUT = make_layout(2)
REFINED = MemberOptions((5, 6, 7), RefinementOptions(0.02, 2.0, 20))
GENERATIVE = MemberOptions((5, 6, 7), None)


def _make_rows(n_rows: int = 120, seed: int = 0, n_classes: int = 2, missing: float = 0.2) -> TrainingRows:
    cells = make_cells(LAYOUT, n_rows, seed, n_classes, missing)
    return TrainingRows(LAYOUT, cells.numeric, cells.codes, cells.classes, n_classes, cells.weights)


def _assign_folds(classes: IntN, n_folds: int, seed: int) -> IntN:
    """Return the fold (n,) of each row, of which there are no copies."""
    return divide_copies(classes, np.ones(len(classes), dtype=np.int64), n_folds, seed).folds


def _spec(*counts: int) -> MixtureSpec:
    return MixtureSpec(counts, ("VVV",) * len(counts))


@pytest.mark.parametrize("seed", range(3))
def test_one_gaussian_for_each_class_is_quadratic_discriminant_analysis(seed: int) -> None:
    layout = FeatureLayout(3, (0, 1, 2), ())
    cells = make_cells(layout, 150, seed, 3, missing=0.0)
    codes = np.empty((150, 0), dtype=np.int64)
    rows = TrainingRows(layout, cells.numeric, codes, cells.classes, 3)
    mixture = ClassFits(rows, PriorStrength(0.0, 0.0, 0.0)).fit_generative(_spec(1, 1, 1), 0)
    theirs = QuadraticDiscriminantAnalysis(store_covariance=True).fit(cells.numeric, cells.classes)
    divisors = np.diagonal(theirs.covariance_, axis1=1, axis2=2) / np.diagonal(mixture.covariances, axis1=1, axis2=2)
    corrected = replace(mixture, covariances=mixture.covariances * divisors[:, :1, None])  # n, or n - 1 before 1.9
    assert np.ptp(divisors, axis=1).max() < 1e-9
    ours = average_log_probabilities((corrected,), rows.mixed_rows)
    expected = theirs.predict_log_proba(cells.numeric)
    np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-9)


def test_classes_are_joined_with_their_weights() -> None:
    rows = _make_rows()
    mixture = ClassFits(rows).fit_generative(_spec(2, 3), 0)
    assert (mixture.n_components, mixture.n_classes) == (5, 2)
    np.testing.assert_array_equal(mixture.component_classes, [0, 0, 1, 1, 1])
    by_class = [np.exp(mixture.log_weights[mixture.component_classes == label]).sum() for label in range(2)]
    np.testing.assert_allclose(by_class, rows.class_weights / rows.class_weights.sum(), rtol=1e-10)
    parts = [make_mixture(LAYOUT, k, 1, k) for k in (1, 2)]
    joined = join_classes(parts, np.array([1.0, 3.0]))
    rows = _make_rows(missing=0.0).mixed_rows
    scores = joined.compute_class_scores(rows)
    for label, (part, weight) in enumerate(zip(parts, (0.25, 0.75), strict=True)):
        np.testing.assert_allclose(scores[label], part.compute_class_scores(rows)[0] + np.log(weight), rtol=1e-12)


def test_a_class_is_fitted_once_for_each_number_and_seed_and_one_component_needs_no_seed() -> None:
    fits = ClassFits(_make_rows())
    assert fits.fit_class(0, 1, 3) is fits.fit_class(0, 1, 4)
    assert fits.fit_class(0, 3, 3) is fits.fit_class(0, 3, 3)
    first, second = fits.fit_class(0, 3, 3).mixture, fits.fit_class(0, 3, 4).mixture
    assert not np.allclose(first.means, second.means)
    assert not fits.needs_starts(_spec(1, 1))
    assert fits.needs_starts(_spec(1, 2))
    assert len(fits.fit_members(_spec(1, 1), REFINED).mixtures) == 1
    assert len(fits.fit_members(_spec(1, 2), REFINED).mixtures) == 3
    assert fits.fit_members(_spec(1, 2), GENERATIVE).n_iter == max(
        len(fits.fit_class(0, 1, 5).trace), *(len(fits.fit_class(1, 2, seed).trace) for seed in (5, 6, 7))
    )
    assert fits.fit_members(_spec(1, 2), REFINED).n_iter == 20


def test_a_class_of_one_row_has_its_mean_and_the_spread_of_all_rows() -> None:
    rows = _make_rows(200, missing=0.0)
    tiny = rows.select_rows(np.r_[np.flatnonzero(rows.classes == 0), np.flatnonzero(rows.classes == 1)[:1]])
    tiny = replace(tiny, weights=None)
    fits = ClassFits(tiny)
    mixture, all_rows = fits.fit_class(1, 1, 0).mixture, fits.class_moments(-1)
    np.testing.assert_allclose(mixture.variances[0], all_rows.variances[0], rtol=0.3)
    np.testing.assert_allclose(mixture.means[0], tiny.numeric[-1], atol=0.02 * np.abs(tiny.numeric).max())
    strength = PriorStrength()
    for table, common, code in zip(mixture.tables, all_rows.tables, tiny.codes[-1], strict=True):
        counts = strength.count_levels(np.exp(common[0])) + (np.arange(len(common[0])) == code)
        np.testing.assert_allclose(np.exp(table[0]), counts / counts.sum(), rtol=1e-9)


def test_a_class_of_one_component_leans_on_the_covariance_within_the_classes() -> None:
    rng = np.random.default_rng(0)
    classes = np.r_[np.zeros(300, int), np.ones(3, int)]
    numeric = rng.normal(size=(303, 4)) + 40.0 * classes[:, None]  # far more scatter between the classes than within
    numeric /= numeric.std(axis=0)
    rows = TrainingRows(LAYOUT, numeric, np.zeros((303, 2), dtype=np.int64), classes, 2)
    mixture = ClassFits(rows).fit_generative(_spec(1, 1), 0)
    within = numeric[:300].var(axis=0)  # the prior of the mean adds a hundredth of a squared distance of 1600 to it
    np.testing.assert_allclose(mixture.variances[1], within[LAYOUT.independent_columns], rtol=2.5)
    np.testing.assert_allclose(np.diag(mixture.covariances[1]), within[LAYOUT.block_columns], rtol=2.5)


def test_the_start_divides_groups_and_uses_categories_and_gaps() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, 80)
    codes = np.column_stack([groups * 2, groups])
    numeric = rng.normal(size=(80, 4))
    numeric[:, 0] += 6.0 * groups
    numeric[rng.random((80, 4)) < 0.1] = np.nan
    rows = TrainingRows(LAYOUT, numeric, codes, np.zeros(80, dtype=np.int64), 1)
    prior = prior_at(ClassFits(rows).class_moments(0), PriorStrength(), 2)
    labels = rows.mixed_rows.to_original_order(cluster_rows(rows.mixed_rows, prior, 2, 0))
    assert (labels == groups).mean() in (0.0, 1.0)
    assert not cluster_rows(rows.mixed_rows, prior, 1, 0).any()


def test_more_components_than_distinct_points_and_no_columns_at_all_are_fitted() -> None:
    rows = TrainingRows(LAYOUT, np.ones((30, 4)), np.zeros((30, 2), dtype=np.int64), np.arange(30) % 2, 2)
    assert np.isfinite(ClassFits(rows).fit_generative(_spec(3, 3), 0).means).all()
    empty = FeatureLayout(0, (), ())
    rows = TrainingRows(empty, np.empty((30, 0)), np.empty((30, 0), dtype=np.int64), np.arange(30) % 3 // 2, 2)
    mixture = ClassFits(rows).fit_generative(_spec(2, 2), 0)
    probabilities = np.exp(average_log_probabilities((mixture,), rows.mixed_rows))
    np.testing.assert_allclose(probabilities, [[2 / 3, 1 / 3]] * 30, rtol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_members_are_averaged_as_probabilities(n_classes: int) -> None:
    rows = make_cells(LAYOUT, 25, 0).to_rows(LAYOUT)
    members = tuple(make_mixture(LAYOUT, 5, n_classes, seed) for seed in range(3))
    joint = np.array([member.compute_class_scores(rows) for member in members])
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True)).mean(axis=0)
    expected = rows.to_original_order(np.log(posterior)).T
    np.testing.assert_allclose(average_log_probabilities(members, rows), expected, rtol=1e-9, atol=1e-12)
    density = rows.to_original_order(np.log(np.exp(joint).sum(axis=1).mean(axis=0)))
    np.testing.assert_allclose(average_log_densities(members, rows), density, rtol=1e-10)


# -- folds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [2, 3, 10])
def test_folds_have_equal_fractions_of_each_class(n_folds: int) -> None:
    classes = np.random.default_rng(0).choice(4, 203, p=[0.6, 0.3, 0.08, 0.02])
    folds = _assign_folds(classes, n_folds, 3)
    for label in range(4):
        sizes = np.bincount(folds[classes == label], minlength=n_folds)
        assert np.ptp(sizes) <= 1
    assert np.ptp(np.bincount(folds)) <= 1
    np.testing.assert_array_equal(folds, _assign_folds(classes, n_folds, 3))
    assert (folds != _assign_folds(classes, n_folds, 4)).any()


def test_a_class_of_one_row_is_in_no_fold() -> None:
    folds = _assign_folds(np.r_[np.zeros(10, int), 1, 2, 2], 3, 0)
    assert folds[10] == -1
    assert (np.delete(folds, 10) >= 0).all()
    assert _assign_folds(np.zeros(4, int), 100, 0).max() == 3


@pytest.mark.parametrize("n_folds", [2, 3, 10])
@pytest.mark.parametrize("seed", range(3))
def test_copies_of_a_row_are_held_out_apart_from_each_other(n_folds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, copies = rng.integers(0, 3, 40), rng.choice([1, 1, 2, 7, 1000], 40)
    rows, folds, fractions = divide_copies(classes, copies, n_folds, seed)
    assert (np.diff(rows) >= 0).all()
    np.testing.assert_allclose(np.bincount(rows, fractions), 1.0, rtol=1e-12)
    counts = np.rint(fractions * copies[rows])
    np.testing.assert_allclose(counts, fractions * copies[rows], atol=1e-9)
    for label in range(3):
        is_label = classes[rows] == label
        assert np.ptp(np.bincount(folds[is_label], counts[is_label], minlength=n_folds)) <= 1
    heavy = np.flatnonzero(copies == 1000)
    n_other = np.array([copies[classes == classes[row]].sum() - 1000 for row in heavy])
    if (n_other > 500).all():
        in_first = np.array([counts[(rows == row) & (folds == 0)].sum() for row in heavy])
        assert (np.abs(in_first - 1000 / n_folds) < 5 * np.sqrt(1000 / n_folds)).all()
        assert (in_first != 1000 / n_folds).any(), "copies are drawn at random"
    single = divide_copies(classes, np.ones(40, dtype=np.int64), n_folds, seed)
    np.testing.assert_array_equal(single.rows, np.arange(40))


def test_the_only_row_of_a_class_is_in_folds_if_it_has_copies() -> None:
    rows, folds, fractions = divide_copies(np.array([0, 0, 1]), np.array([1, 1, 1]), 2, 0)
    assert folds[2] == -1
    rows, folds, fractions = divide_copies(np.array([0, 0, 1]), np.array([1, 1, 5]), 2, 0)
    np.testing.assert_allclose(np.sort(fractions[rows == 2]), [0.4, 0.6])
    assert set(folds[rows == 2]) == {0, 1}


@pytest.mark.parametrize("options", [REFINED, GENERATIVE], ids=["refined", "generative"])
def test_held_out_rows_are_predicted_by_fits_that_did_not_see_them(options: MemberOptions) -> None:
    rows = _make_rows(90)
    folds = _assign_folds(rows.classes, 3, 0)
    folds[:4] = -1
    validation = CrossValidation(rows, folds, ClassFits)
    predicted = validation.predict(_spec(1, 2), options)
    np.testing.assert_array_equal(validation.held_out, np.arange(4, 90))
    for fold in range(3):
        members = ClassFits(rows.select_rows(folds != fold)).fit_members(_spec(1, 2), options).mixtures
        expected = average_log_probabilities(members, rows.select_rows(folds == fold).mixed_rows)
        np.testing.assert_allclose(predicted[folds[4:] == fold], expected, rtol=1e-12, atol=1e-12)


# -- choice ----------------------------------------------------------------------------------------


def test_given_numbers_are_taken_and_too_many_are_refused() -> None:
    rows, family = _make_rows(40), ClassMixtures()
    choice = family.choose_spec(family.make_fits(rows), ChoiceRequest((2, 1), None, 8), None, GENERATIVE)
    assert choice.spec == _spec(2, 1)
    assert choice.candidates == ()
    assert family.choose_spec(family.make_fits(rows), ChoiceRequest(None, None, 8), None, GENERATIVE).spec == _spec(
        1, 1
    )
    n_rows = int((rows.classes == 1).sum())
    message = f"n_components asks for 60 components of a class that has {n_rows} distinct rows; choose fewer, or 'auto'"
    with pytest.raises(ClassifierParameterError, match=message):
        family.choose_spec(family.make_fits(rows), ChoiceRequest((1, 60), None, 8), None, GENERATIVE)


def test_the_number_of_components_of_two_groups_is_chosen_and_bounded_by_rows() -> None:
    rng = np.random.default_rng(1)
    classes = np.arange(300) % 2
    numeric = rng.normal(size=(300, 4)) + np.where(classes == 0, 0.0, rng.choice([-4.0, 4.0], 300))[:, None]
    rows = TrainingRows(LAYOUT, numeric, np.zeros((300, 2), dtype=np.int64), classes, 2)
    validation = CrossValidation(rows, _assign_folds(classes, 3, 0), ClassFits)
    choice = ClassMixtures().choose_spec(
        ClassMixtures().make_fits(rows), ChoiceRequest(None, None, 4), validation, GENERATIVE
    )
    assert choice.spec.n_components[1] >= 2
    assert choice.candidates[0].n_components == choice.spec.n_components
    assert choice.candidates[0].log_loss < next(c.log_loss for c in choice.candidates if c.n_components == (1, 1))
    light = replace(rows, weights=np.full(300, 0.1))  # 15 rows of each class
    bounded = ClassMixtures().choose_spec(
        ClassMixtures().make_fits(light), ChoiceRequest(None, None, 4), validation, GENERATIVE
    )
    assert bounded.spec.n_components == (1, 1)
