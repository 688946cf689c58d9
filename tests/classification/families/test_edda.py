"""EDDA: published figures, other libraries' discriminant analyses, laws of the structures, gaps and small classes."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB

from gaussmix.classification import MixtureClassifier
from gaussmix.classification.families.edda import Edda, EddaFits
from gaussmix.covariance import MCLUST_NAMES, CovarianceEstimator, Structure
from gaussmix.errors import ClassifierParameterError, ParameterError
from tests.classification.families.labelled_rows import draw_classes, draw_levels, make_training_rows, remove_cells

EQUIVARIANT_NAMES = [name for name in MCLUST_NAMES if Structure.from_name(name).is_column_scale_equivariant]
DIAGONAL_NAMES = [name for name in MCLUST_NAMES if Structure.from_name(name).is_axis_aligned]

# -BIC of MclustDA(iris[, 1:4], iris$Species, modelType = "EDDA") in mclust 6.0.0, which does not count the weights.
MCLUST_BIC = {
    "EII": 894.5342,
    "VII": 860.1564,
    "EEI": 809.2049,
    "VEI": 771.8635,
    "EVI": 796.1814,
    "VVI": 738.9808,
    "EEE": 623.5263,
    "VEE": 597.0446,
    "EVE": 611.3988,
    "VVE": 581.0077,
    "EEV": 600.6481,
    "VEV": 555.8024,
    "EVV": 619.3350,
    "VVV": 576.2884,
}


def make_edda(structure=None, **parameters):
    """Return EDDA by maximum likelihood, as it is published."""
    defaults = {"method": "generative", "calibration": None, "random_state": 0}
    return MixtureClassifier(family="edda", structure=structure, **(defaults | parameters))


# -- published figures -----------------------------------------------------------------------------


def test_iris_has_the_figures_of_mclust(iris):
    classifier = make_edda().fit(*iris)
    assert classifier.structures_ == ("VEV",)
    assert classifier.n_components_ == (1, 1, 1)
    assert classifier.log_likelihood_ == pytest.approx(-187.7097, abs=1e-4)
    assert classifier.n_parameters_ == 38
    assert classifier.bic_ == pytest.approx(565.8236, abs=1e-4)
    assert 1.0 - classifier.score(*iris) == pytest.approx(0.02)


def test_every_structure_has_the_bic_of_mclust(iris):
    bic = {candidate.structure: candidate.bic for candidate in make_edda().fit(*iris).candidates_}
    assert set(bic) == set(MCLUST_NAMES)
    for name, expected in MCLUST_BIC.items():
        tolerance = 1.0 if name in {"EVE", "VVE"} else 2e-3  # mclust's M-steps of these two stop early
        assert bic[name] == pytest.approx(expected + 2.0 * np.log(150), abs=tolerance), name


def test_iris_has_few_errors_in_ten_folds(iris):
    X, y = iris
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    assert np.mean(cross_val_predict(make_edda(), X, y, cv=folds) != y) <= 0.03


# -- other libraries -------------------------------------------------------------------------------


def test_vvv_is_quadratic_discriminant_analysis(iris):
    X, y = iris
    reference = QuadraticDiscriminantAnalysis(store_covariance=True).fit(X, y)
    densities = []
    for k, (prior, mean) in enumerate(zip(reference.priors_, reference.means_, strict=True)):
        covariance = np.cov(
            X[y == k].T, bias=True
        )  # of maximum likelihood; that of scikit-learn may be the unbiased one
        np.testing.assert_allclose(reference.covariance_[k], covariance, rtol=0.021)
        densities.append(prior * multivariate_normal(mean, covariance).pdf(X))
    densities = np.column_stack(densities)
    expected = densities / densities.sum(axis=1, keepdims=True)
    classifier = make_edda("VVV").fit(X, y)
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(classifier.score_samples(X), np.log(densities.sum(axis=1)), rtol=1e-9)


def test_eee_is_linear_discriminant_analysis(iris):
    X, y = iris
    expected = LinearDiscriminantAnalysis(solver="lsqr").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(make_edda("EEE").fit(X, y).predict_proba(X), expected, rtol=1e-8, atol=1e-12)


def test_vvi_is_naive_bayes(iris):
    X, y = iris
    expected = GaussianNB(var_smoothing=0.0).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(make_edda("VVI").fit(X, y).predict_proba(X), expected, rtol=1e-8, atol=1e-12)


# -- laws ------------------------------------------------------------------------------------------


def predict_from(structure, rows, classes, new_rows, **parameters):
    """Return probabilities of new rows by EDDA of one structure."""
    return make_edda(structure, **parameters).fit(rows, classes).predict_proba(new_rows)


@pytest.mark.parametrize("structure", MCLUST_NAMES)
def test_offsets_and_a_common_unit_do_not_matter(structure):
    rows, classes = draw_classes(1)
    gaps = remove_cells(rows, 1)
    offset = np.array([5.0, -70.0, 900.0])
    first = make_edda(structure).fit(gaps, classes)
    second = make_edda(structure).fit(1000.0 * (gaps + offset), classes)
    np.testing.assert_allclose(
        second.predict_proba(1000.0 * (rows + offset)), first.predict_proba(rows), rtol=1e-7, atol=1e-10
    )
    n_cells = np.count_nonzero(~np.isnan(gaps))
    assert second.log_likelihood_ == pytest.approx(first.log_likelihood_ - n_cells * np.log(1000.0), abs=1e-6)


@pytest.mark.parametrize("structure", EQUIVARIANT_NAMES)
def test_units_of_single_columns_do_not_matter_where_the_structure_allows(structure):
    rows, classes = draw_classes(2)
    units = np.array([1e-3, 1.0, 1e4])
    first = predict_from(structure, rows, classes, rows)
    np.testing.assert_allclose(
        predict_from(structure, rows * units, classes, rows * units), first, rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("structure", sorted(set(MCLUST_NAMES) - set(EQUIVARIANT_NAMES)))
def test_other_structures_are_those_of_the_units(structure):
    rows, classes = draw_classes(2)
    units = np.array([1.0, 1.0, 20.0])
    first = predict_from(structure, rows, classes, rows)
    assert np.abs(predict_from(structure, rows * units, classes, rows * units) - first).max() > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_order_and_repetition_of_rows_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    rows, classes = draw_classes(seed)
    gaps = remove_cells(rows, seed)
    weights = rng.integers(1, 4, size=len(rows))
    repeated = rng.permutation(np.repeat(np.arange(len(rows)), weights))
    weighted = make_edda().fit(gaps, classes, sample_weight=weights)
    copied = make_edda().fit(gaps[repeated], classes[repeated])
    assert weighted.structures_ == copied.structures_
    assert weighted.bic_ == pytest.approx(copied.bic_, abs=1e-6)
    np.testing.assert_allclose(weighted.predict_proba(rows), copied.predict_proba(rows), rtol=1e-7, atol=1e-10)


def test_rows_of_weight_zero_are_no_rows():
    rows, classes = draw_classes(3)
    weights = np.r_[np.zeros(5), np.ones(len(rows) - 5)]
    np.testing.assert_allclose(
        make_edda("VVV").fit(rows, classes, sample_weight=weights).predict_proba(rows),
        predict_from("VVV", rows[5:], classes[5:], rows),
        rtol=1e-9,
    )


@pytest.mark.parametrize("has_prior", [False, True])
@pytest.mark.parametrize(
    ("structure", "has_block"), [*((name, True) for name in MCLUST_NAMES), *((name, False) for name in DIAGONAL_NAMES)]
)
def test_em_never_lowers_the_objective(structure, has_block, has_prior):
    for seed in range(2):
        rows, classes = draw_classes(seed, n=90)
        units = np.array([1.0, 3.0, 0.2])
        training = make_training_rows(
            remove_cells(rows / rows.std(axis=0), seed, 0.3),
            classes,
            draw_levels(classes, seed),
            has_block,
            units=units,
        )
        result = EddaFits(training).fit_structure(structure, has_prior)
        assert len(result.trace) > 3
        assert np.diff(result.trace).min() > -1e-9
        assert np.isfinite(result.log_likelihood)


def test_m_steps_begin_at_the_previous_covariances(monkeypatch):
    given = []
    estimate = CovarianceEstimator.estimate
    monkeypatch.setattr(
        CovarianceEstimator,
        "estimate",
        lambda self, moments, previous=None: given.append(previous) or estimate(self, moments, previous),
    )
    rows, classes = draw_classes(4)
    fits = EddaFits(make_training_rows(remove_cells(rows / rows.std(axis=0), 4), classes))
    result = fits.fit_structure("EVE")
    assert given[-len(result.trace)] is None
    assert all(previous is not None for previous in given[1 - len(result.trace) :])


@pytest.mark.parametrize("structure", DIAGONAL_NAMES)
def test_independent_columns_equal_a_block_of_the_same_structure(structure):
    rows, classes = draw_classes(4)
    gaps = remove_cells(rows / rows.std(axis=0), 4)
    units = np.array([1.0, 3.0, 0.2])
    with_block, without = (
        EddaFits(make_training_rows(gaps, classes, has_block=has_block, units=units)).fit_structure(structure)
        for has_block in (True, False)
    )
    assert with_block.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-3)
    variances = np.einsum("kii->ki", with_block.mixture.covariances)
    np.testing.assert_allclose(without.mixture.variances, variances, rtol=2e-3)
    np.testing.assert_allclose(without.mixture.means, with_block.mixture.means, atol=2e-3)


def test_em_finds_the_closed_form_of_monotone_gaps():
    """Two columns, the second with gaps: the likelihood factorises (Anderson, JASA 52, 1957)."""
    rows, classes = draw_classes(5, n=80, n_columns=2, n_classes=2)
    has_gap = np.random.default_rng(5).random(len(rows)) < 0.4
    gaps = np.column_stack([rows[:, 0], np.where(has_gap, np.nan, rows[:, 1])])
    mixture = EddaFits(make_training_rows(gaps, classes)).fit_structure("VVV").mixture
    for k in range(2):
        first, both = rows[classes == k, 0], rows[(classes == k) & ~has_gap]
        slope, intercept = np.polyfit(both[:, 0], both[:, 1], 1)
        error = np.mean((both[:, 1] - intercept - slope * both[:, 0]) ** 2)
        variance = first.var()
        expected = [[variance, slope * variance], [slope * variance, error + slope**2 * variance]]
        np.testing.assert_allclose(mixture.means[k], [first.mean(), intercept + slope * first.mean()], atol=5e-3)
        np.testing.assert_allclose(mixture.covariances[k], expected, rtol=1e-2)


def test_parameters_are_counted_as_those_of_a_mixture(iris):
    for candidate in make_edda().fit(*iris).candidates_:
        assert candidate.n_parameters == Structure.from_name(candidate.structure).n_mixture_parameters(3, 4)


def test_levels_are_parameters_and_smoothed_frequencies():
    rows, classes = draw_classes(6)
    levels = draw_levels(classes, 6, gap_fraction=0.0)[:, 0]
    levels[classes == 0] = np.minimum(levels[classes == 0], 1)  # class 0 never has level 2
    table = {"a": rows[:, 0], "b": rows[:, 1], "level": levels.astype(str)}
    classifier = make_edda("EEE").fit(table, classes)
    assert classifier.n_parameters_ == 2 + 3 * 2 + 3 + 3 * 2
    probabilities = np.exp(classifier.model_.members[0].tables[0])
    counts = np.array([np.bincount(levels[classes == k], minlength=3) for k in range(3)])
    np.testing.assert_allclose(
        probabilities, counts / counts.sum(axis=1, keepdims=True), atol=1.5 / counts.sum(1).min()
    )
    assert 1e-3 < probabilities[0, 2] < 1.0 / counts[0].sum()  # of one pseudo-row at the frequencies of all rows


def test_log_likelihood_is_that_of_the_weighted_rows():
    rows, classes = draw_classes(7)
    gaps, weights = remove_cells(rows, 7), np.random.default_rng(7).integers(1, 4, size=len(rows))
    classifier = make_edda().fit(gaps, classes, sample_weight=weights)
    assert classifier.log_likelihood_ == pytest.approx(weights @ classifier.score_samples(gaps), rel=1e-12)
    expected = -2.0 * classifier.log_likelihood_ + classifier.n_parameters_ * np.log(weights.sum())
    assert classifier.bic_ == pytest.approx(expected)
    assert classifier.bic_ == pytest.approx(classifier.candidates_[0].bic)


# -- parameters ------------------------------------------------------------------------------------


def test_structures_differ_and_have_aliases(iris):
    X, y = iris
    classifiers = {name: make_edda(name).fit(X, y) for name in ("VVV", "full", "EEE", "VII")}
    assert {name: classifier.structures_ for name, classifier in classifiers.items()} == {
        "VVV": ("VVV",),
        "full": ("VVV",),
        "EEE": ("EEE",),
        "VII": ("VII",),
    }
    assert len({classifier.log_likelihood_ for classifier in classifiers.values()}) == 3
    assert [len(classifier.candidates_) for classifier in classifiers.values()] == [1, 1, 1, 1]


def test_refinement_and_calibration_have_no_likelihood(iris):
    X, y = iris
    refined = make_edda(method="refined").fit(X, y)
    assert refined.structures_ == ("VEV",)
    assert (refined.log_likelihood_, refined.n_parameters_, refined.bic_) == (None, None, None)
    assert np.abs(refined.predict_proba(X) - make_edda().fit(X, y).predict_proba(X)).max() > 1e-3
    calibrated = make_edda(calibration="floor").fit(X, y)
    assert calibrated.log_likelihood_ == pytest.approx(-187.7097, abs=1e-4)
    assert calibrated.predict_proba(X).min() > make_edda().fit(X, y).predict_proba(X).min()


def test_weights_of_classes_move_the_prior(iris):
    X, y = iris
    doubled = make_edda("VVV", class_weight={0: 1, 1: 1, 2: 4}).fit(X, y).predict_proba(X)
    plain = make_edda("VVV").fit(X, y).predict_proba(X)
    np.testing.assert_allclose(doubled[:, 2] / doubled[:, 1], 4.0 * plain[:, 2] / plain[:, 1], rtol=1e-6)


@pytest.mark.parametrize("n_components", ["auto", 1, (1, 1, 1), {0: 1, 1: 1, 2: 1}])
def test_one_component_may_be_asked_for(iris, n_components):
    assert make_edda(n_components=n_components).fit(*iris).n_components_ == (1, 1, 1)


@pytest.mark.parametrize("n_components", [2, (1, 2, 1)])
def test_several_components_are_an_error(iris, n_components):
    with pytest.raises(ClassifierParameterError, match=r"one component for each class.*asks for 2.*mclustda"):
        make_edda(n_components=n_components).fit(*iris)


@pytest.mark.parametrize("family", ["class-mixtures", "shared"])
def test_other_families_have_no_structure_to_choose(iris, family):
    with pytest.raises(ClassifierParameterError, match=f"structure='VVV' needs family='edda'.*{family}"):
        MixtureClassifier(family=family, structure="VVV").fit(*iris)


@pytest.mark.parametrize("structure", ["VVX", "diagonal", 3])
def test_unknown_structures_are_named(iris, structure):
    with pytest.raises(ParameterError, match=r"structure must be one of.*VVV.*but is"):
        make_edda(structure).fit(*iris)


@pytest.mark.parametrize("max_components", [0, 2.5, "many"])
def test_wrong_max_components_is_an_error(iris, max_components):
    with pytest.raises(ParameterError, match="max_components"):
        make_edda(max_components=max_components).fit(*iris)


def test_columns_are_not_transformed_by_default():
    rng = np.random.default_rng(8)
    rows, classes = np.exp(rng.normal(size=(200, 2))), rng.integers(2, size=200)
    rows[classes == 1] *= 4.0
    assert all(column.transform is None for column in make_edda().fit(rows, classes).schema_.numeric)
    asked = make_edda(column_transform="log1p").fit(rows, classes)
    assert all(column.transform is not None for column in asked.schema_.numeric)
    assert asked.log_likelihood_ == pytest.approx(asked.score_samples(rows).sum())
    assert not Edda.has_transforms


# -- tables ----------------------------------------------------------------------------------------


def test_a_table_of_levels_alone_is_classified():
    _, classes = draw_classes(9, n=300)
    levels = np.char.add("level ", draw_levels(classes, 9, gap_fraction=0.0).astype(str))
    classifier = make_edda().fit({"level": levels[:, 0]}, classes)
    counts = np.array([np.bincount(np.unique(levels, return_inverse=True)[1].ravel()[classes == k]) for k in range(3)])
    expected = counts / counts.sum(axis=0)
    order = [f"level {level}" for level in range(3)]
    np.testing.assert_allclose(classifier.predict_proba({"level": order}).T, expected, atol=0.02)
    assert classifier.n_parameters_ == 2 + 3 * 2


@pytest.mark.parametrize("method", ["generative", "refined"])
def test_gaps_levels_and_weights_together(method):
    rows, classes = draw_classes(10, n=150)
    gaps, levels = remove_cells(rows, 10), draw_levels(classes, 10)[:, 0]
    table = {"a": gaps[:, 0], "b": gaps[:, 1], "c": gaps[:, 2], "level": [None if v < 0 else f"L{v}" for v in levels]}
    labels = np.array(["low", "middle", "high"])[classes]
    weights = np.random.default_rng(10).integers(1, 3, size=len(rows))
    classifier = make_edda(method=method, calibration="floor").fit(table, labels, sample_weight=weights)
    assert classifier.score(table, labels) > 0.7
    unknown = classifier.predict_proba({"a": [np.nan], "b": [np.nan], "c": [np.nan], "level": [None]})
    assert np.isfinite(unknown).all()
    assert any("Structure of the covariances" in note for note in classifier.notes_)


def test_one_column_has_two_structures():
    rows, classes = draw_classes(11, n_columns=1)
    classifier = make_edda().fit(rows, classes)
    assert {candidate.structure for candidate in classifier.candidates_} == {"EII", "VII"}


def test_many_patterns_of_gaps_leave_diagonal_structures():
    rng = np.random.default_rng(12)
    classes = rng.integers(2, size=1500)
    rows = rng.normal(size=(1500, 9)) + classes[:, None]
    rows[rng.random(rows.shape) < 0.5] = np.nan
    classifier = make_edda().fit(rows, classes)
    assert {candidate.structure for candidate in classifier.candidates_} == set(DIAGONAL_NAMES)
    assert any("more than 256 patterns of missing cells" in note for note in classifier.notes_)
    assert classifier.score(rows, classes) > 0.8
    with pytest.raises(ClassifierParameterError, match=r"structure='VVV' has correlations.*256 patterns.*EII"):
        make_edda("VVV").fit(rows, classes)


# -- small classes ---------------------------------------------------------------------------------


def few_of_class_two(iris, n_rows):
    """Return iris with few rows of class 2."""
    X, y = iris
    return X[: 100 + n_rows], y[: 100 + n_rows]


def test_structures_that_a_small_class_cannot_have_are_left_out(iris):
    X, y = few_of_class_two(iris, 3)
    classifier = make_edda().fit(X, y)
    assert not classifier.candidates_[0].is_degenerate
    unsound = {candidate.structure for candidate in classifier.candidates_ if candidate.is_degenerate}
    assert unsound == {"EVE", "VVE", "EEV", "VEV", "EVV", "VVV"}
    assert any(
        "rows of 2 are too few or too alike" in note and note.endswith("left out.") for note in classifier.notes_
    )
    assert classifier.score(*iris) > 0.9


@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_structure_that_is_given_gets_pseudo_rows(iris, n_rows):
    classifier = make_edda("VVV").fit(*few_of_class_two(iris, n_rows))
    assert any("covariance within all classes counts as 11 more rows" in note for note in classifier.notes_)
    X, y = iris
    assert classifier.score(X, y) > 0.75


def test_pseudo_rows_have_the_covariance_within_the_classes(iris):
    X, y = few_of_class_two(iris, 1)
    pooled = make_edda("EEE").fit(X, y).model_.members[0].covariances[0]
    covariances = make_edda("VVV").fit(X, y).model_.members[0].covariances
    np.testing.assert_allclose(covariances[2], pooled * 11.0 / 12.0, rtol=1e-6)


def test_equal_rows_are_no_support_for_a_covariance(iris):
    X, y = iris
    X, y = np.vstack([X[:100], np.repeat(X[100:102], 20, axis=0)]), np.r_[y[:100], np.full(40, 2)]
    classifier = make_edda().fit(X, y)
    assert not classifier.candidates_[0].is_degenerate
    assert any(candidate.is_degenerate for candidate in classifier.candidates_)
    assert np.linalg.eigvalsh(classifier.model_.members[0].covariances).min() > 1e-5
    assert np.isfinite(classifier.predict_log_proba(iris[0])).all()


def test_each_class_may_have_one_row():
    classifier = make_edda().fit(np.array([[0.0, 1.0], [2.0, 2.0], [2.0, 5.0]]), [0, 1, 2])
    assert np.array_equal(classifier.predict([[0.0, 1.0], [2.0, 2.0], [2.0, 5.0]]), [0, 1, 2])
