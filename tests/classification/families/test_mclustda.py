"""MclustDA: mclust's figures, the same choice with gaps and categories, laws and small classes."""

import csv
import io
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import gaussmix
from gaussmix.classification import MixtureClassifier
from gaussmix.classification.families.mclustda_fits import ClassSearch, MclustdaFits
from gaussmix.classification.families.structured_runs import StructuredRun, converge_contenders, lowest_criterion
from gaussmix.errors import ClassifierParameterError
from tests.classification.families.labelled_rows import draw_levels, make_training_rows, remove_cells


@pytest.fixture(scope="module")
def banknote():
    """Swiss banknotes (200, 6) in mm, and whether they are genuine or counterfeit, from R's mclust."""
    if shutil.which("Rscript") is None:
        pytest.skip("needs R with the package mclust, which brings the data (Debian's r-cran-mclust)")
    command = ["Rscript", "-e", "write.csv(mclust::banknote, stdout(), row.names = FALSE)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("needs R's package mclust, which brings the data (Debian's r-cran-mclust)")
    table = list(csv.reader(io.StringIO(done.stdout)))[1:]
    return np.array([row[1:] for row in table], dtype=float), np.array([row[0] for row in table])


def make_mclustda(**parameters):
    """Return MclustDA by maximum likelihood, as it is published."""
    defaults = {"method": "generative", "calibration": None, "random_state": 0}
    return MixtureClassifier(family="mclustda", **(defaults | parameters))


def draw_two_and_one(seed, n=150):
    """Return rows (n, 2) of a class of two groups and a class of one, the classes (n,) and the groups (n,)."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(3, size=n)
    means = np.array([[0.0, 0.0], [6.0, 1.0], [3.0, 3.5]])
    scales = np.array([[1.0, 0.5], [1.0, 0.5], [0.8, 1.2]])
    return means[groups] + scales[groups] * rng.normal(size=(n, 2)), np.minimum(groups, 2) // 2, groups


# -- published figures -----------------------------------------------------------------------------


def test_banknotes_have_the_figures_of_mclust(banknote):
    classifier = make_mclustda().fit(*banknote)
    assert classifier.classes_.tolist() == ["counterfeit", "genuine"]
    assert classifier.n_components_ == (2, 1)
    assert classifier.structures_[0] == "EVE"
    assert classifier.structures_[1] == "EEE"  # of one component: mclust's XXX
    assert classifier.log_likelihood_ == pytest.approx(-646.0801, abs=1e-3)
    assert classifier.n_parameters_ == 67
    assert classifier.bic_ == pytest.approx(1647.147, abs=2e-3)
    assert classifier.score(*banknote) == 1.0


def test_banknotes_have_few_errors_in_ten_folds(banknote):
    X, y = banknote
    classifier = make_mclustda(n_components=(2, 1), structure="EVE")  # fixed in the folds, as by cvMclustDA
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    assert np.mean(cross_val_predict(classifier, X, y, cv=folds) != y) <= 0.005


def test_iris_has_the_figures_of_mclust(iris):
    classifier = make_mclustda().fit(*iris)
    assert classifier.n_components_ == (2, 1, 1)
    assert classifier.structures_ == ("EEE", "EEE", "EEE")
    assert classifier.log_likelihood_ == pytest.approx(-172.8135, abs=1e-3)
    assert classifier.n_parameters_ == 49  # 47 in mclust 6.0, which does not count the weights of the classes
    sound = [each for each in classifier.candidates_ if not each.is_degenerate]
    best = [min(each.bic for each in sound if each.label == label) for label in range(3)]
    np.testing.assert_allclose(best, [-35.71910, 74.58694, 171.95027], atol=1e-3)


# -- other implementations -------------------------------------------------------------------------


def test_a_class_is_searched_as_by_select():
    rows, classes, _ = draw_two_and_one(0)
    classifier = make_mclustda().fit(rows, classes)
    for label in range(2):
        own = [each for each in classifier.candidates_ if each.label == label]
        selection = gaussmix.select(rows[classes == label], n_components=range(1, 6))
        assert own[0].bic == pytest.approx(selection.best.criteria["bic"], abs=1e-6)
        assert own[0].n_components == (selection.best.n_components,)
        assert len(own) == len([each for each in selection.candidates if each.fit is not None])


def test_em_agrees_with_the_search_of_complete_rows(monkeypatch):
    rows, classes, _ = draw_two_and_one(1)
    training = make_training_rows(rows, classes)
    search = ClassSearch(0, (1, 2), None, 0)
    of_numbers = {(each.structure, each.n_components): each for each in MclustdaFits(training).search(search)}
    monkeypatch.setattr(MclustdaFits, "_is_complete", lambda fits, label: False)
    by_em = MclustdaFits(training).search(search)
    best = by_em[0]
    assert best.n_components == (2,)
    assert best.bic == pytest.approx(min(each.bic for each in of_numbers.values() if not each.is_degenerate), abs=1e-3)
    assert best.n_parameters == of_numbers[best.structure, (2,)].n_parameters


def test_the_mixture_is_that_of_its_parameters():
    rows, classes, _ = draw_two_and_one(2)
    classifier = make_mclustda().fit(rows, classes)
    member, schema = classifier.model_.members[0], classifier.schema_
    scales = np.array([column.scale for column in schema.numeric])
    centers = np.array([column.center for column in schema.numeric])
    densities = [
        multivariate_normal(centers + scales * mean, covariance * scales[:, None] * scales).pdf(rows)
        for mean, covariance in zip(member.means, member.covariances, strict=True)
    ]
    expected = np.exp(member.log_weights) @ np.array(densities)
    np.testing.assert_allclose(np.exp(classifier.score_samples(rows)), expected, rtol=1e-8)
    np.testing.assert_allclose(np.exp(member.log_weights[-1]), np.mean(classes == 1))


# -- gaps and categories ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_groups_are_found_in_rows_with_gaps(seed):
    rows, classes, _ = draw_two_and_one(seed)
    gaps = remove_cells(rows, seed, 0.15)
    classifier = make_mclustda(max_components=2, n_starts=1).fit(gaps, classes)
    assert classifier.n_components_ == (2, 1)
    assert classifier.score(rows, classes) > 0.9
    assert classifier.log_likelihood_ == pytest.approx(classifier.score_samples(gaps).sum(), rel=1e-10)
    assert classifier.log_likelihood_ is not None


def test_groups_are_found_with_a_category():
    rows, classes, groups = draw_two_and_one(3)
    table = {"a": rows[:, 0], "b": rows[:, 1], "c": [f"L{level}" for level in draw_levels(groups, 3, 0.0)[:, 0]]}
    classifier = make_mclustda(max_components=2, n_starts=1).fit(table, classes)
    assert classifier.n_components_ == (2, 1)
    structures = zip(classifier.structures_, (2, 1), strict=True)
    n_covariances = sum(gaussmix.covariance.Structure.from_name(s).n_covariance_parameters(k, 2) for s, k in structures)
    assert classifier.n_parameters_ == 2 + 3 * (2 + 2) + n_covariances


def test_few_numbers_of_components_are_tried_without_gain():
    rng = np.random.default_rng(3)
    rows, classes = rng.normal(size=(120, 2)), np.repeat([0, 1], 60)
    found = MclustdaFits(make_training_rows(remove_cells(rows, 3), classes)).search(
        ClassSearch(0, (1, 2, 3, 4, 5), "VII", 0)
    )
    assert found[0].n_components == (1,)
    assert {each.n_components for each in found} == {(1,), (2,), (3,)}


def test_candidates_have_the_likelihood_of_their_class():
    rows, classes, _ = draw_two_and_one(4)
    rows = np.exp(0.3 * rows)
    classifier = make_mclustda(structure="VVV", max_components=2, column_transform="log1p").fit(rows, classes)
    assert all(column.transform is not None for column in classifier.schema_.numeric)
    joint = classifier.predict_log_proba(rows) + classifier.score_samples(rows)[:, None]
    for label in range(2):
        best = next(each for each in classifier.candidates_ if each.label == label)
        log_likelihood = (joint[classes == label, label] - np.log(np.mean(classes == label))).sum()
        assert best.log_likelihood == pytest.approx(log_likelihood, rel=1e-7)
        n_rows = np.count_nonzero(classes == label)
        assert best.bic == pytest.approx(-2.0 * log_likelihood + best.n_parameters * np.log(n_rows), rel=1e-7)


def test_classes_of_levels_alone_have_latent_groups():
    rng = np.random.default_rng(4)
    groups = rng.integers(3, size=900)
    likely = np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]])[groups]
    levels = np.where(rng.random(likely.shape) < 0.9, likely, 1 - likely)
    table = {f"c{j}": [f"L{level}" for level in column] for j, column in enumerate(levels.T)}
    classifier = make_mclustda(max_components=3, n_starts=1).fit(table, np.minimum(groups, 2) // 2)
    assert classifier.n_components_ == (2, 1)


def test_runs_stop_that_cannot_win(monkeypatch):
    n_iter = []
    converge = StructuredRun.converge
    monkeypatch.setattr(StructuredRun, "converge", lambda run: n_iter.append(run.candidate.structure) or converge(run))
    rows, classes, _ = draw_two_and_one(5)
    training = make_training_rows(remove_cells(rows, 5, 0.4), classes)
    found = MclustdaFits(training).search(ClassSearch(0, (3,), None, 0))
    assert 0 < len(n_iter) <= len(found) // 2
    assert len(set(n_iter)) == len(n_iter)


class FakeRun:
    """A run whose BIC after convergence is known; None is degenerate."""

    def __init__(self, bic, bic_after, is_complete=False):
        self.candidate = SimpleNamespace(bic=bic, is_degenerate=bic is None)
        self.bic_after, self.is_complete = bic_after, is_complete

    def can_reach(self, criterion):
        return not self.is_complete and self.candidate.bic - 5.0 <= criterion

    def converge(self):
        return FakeRun(self.bic_after, self.bic_after, is_complete=True)


def test_a_winner_that_becomes_degenerate_leaves_the_contest_to_the_others():
    runs = [FakeRun(0.0, None), FakeRun(20.0, 18.0), FakeRun(24.0, 17.0), FakeRun(40.0, 30.0)]
    decided = converge_contenders(runs, 100.0)
    assert [run.is_complete for run in decided] == [True, True, True, False]
    assert lowest_criterion(decided) == 17.0
    assert [run.is_complete for run in converge_contenders(runs, 16.0)] == [True, True, False, False]
    assert lowest_criterion([FakeRun(None, None)]) == np.inf


# -- laws and parameters ---------------------------------------------------------------------------


def test_order_repetition_and_units_do_not_matter():
    rows, classes, _ = draw_two_and_one(6, n=120)
    rng = np.random.default_rng(6)
    weights = rng.integers(1, 3, size=len(rows))
    repeated = rng.permutation(np.repeat(np.arange(len(rows)), weights))
    first = make_mclustda().fit(rows, classes, sample_weight=weights)
    second = make_mclustda().fit(100.0 * rows[repeated] + 7.0, classes[repeated])
    assert (first.n_components_, first.structures_) == (second.n_components_, second.structures_)
    np.testing.assert_allclose(
        second.predict_proba(100.0 * rows + 7.0), first.predict_proba(rows), rtol=1e-2, atol=1e-6
    )


def test_parameters_limit_the_search():
    rows, classes, _ = draw_two_and_one(7, n=60)
    assert make_mclustda(max_components=1).fit(rows, classes).n_components_ == (1, 1)
    given = make_mclustda(n_components=(1, 3)).fit(rows, classes)
    assert given.n_components_ == (1, 3)
    fixed = make_mclustda(structure="VII").fit(rows, classes)
    assert fixed.structures_ == ("VII", "VII")
    assert {each.structure for each in fixed.candidates_} == {"VII"}
    for max_components, largest in ((None, 5), (6, 6)):
        classifier = make_mclustda(max_components=max_components, structure="EII").fit(rows, classes)
        assert max(each.n_components[0] for each in classifier.candidates_) == largest


def test_refined_mixtures_have_no_likelihood():
    rows, classes, _ = draw_two_and_one(8)
    refined = make_mclustda(method="refined", n_components=(2, 1), structure="EII").fit(rows, classes)
    assert (refined.log_likelihood_, refined.n_parameters_, refined.bic_) == (None, None, None)
    assert refined.score(rows, classes) > 0.9


def test_more_components_than_rows_are_an_error():
    rows, classes, _ = draw_two_and_one(9, n=20)
    with pytest.raises(ClassifierParameterError, match="n_components asks for 50 components of a class"):
        make_mclustda(n_components=50).fit(rows, classes)


# -- small classes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [1, 2])
def test_a_class_without_a_covariance_of_its_own_gets_pseudo_rows(iris, n_rows):
    X, y = iris
    classifier = make_mclustda().fit(X[: 100 + n_rows], y[: 100 + n_rows])
    assert classifier.n_components_[2] == 1
    if n_rows == 1:
        assert any("The rows of 2 are too few or too alike for EEE" in note for note in classifier.notes_)
    assert np.isfinite(classifier.predict_log_proba(X)).all()
    assert classifier.predict(X[100:101])[0] == 2


def test_equal_rows_of_a_class_get_pseudo_rows(iris):
    X, y = iris
    X, y = np.vstack([X[:100], np.repeat(X[100:101], 30, axis=0)]), np.r_[y[:100], np.full(30, 2)]
    classifier = make_mclustda().fit(X, y)
    assert any("The rows of 2 are too few or too alike" in note for note in classifier.notes_)
    assert classifier.score(*iris) > 0.6


@pytest.mark.parametrize("seed", range(3))
def test_equal_values_do_not_lead_to_components_on_lines(seed):
    """Groups of whole numbers are on lines of equal values, whose likelihood is without limit: other structures win."""
    rng = np.random.default_rng(seed)
    classes = np.repeat([0, 1], 100)
    rows = np.round(rng.normal(size=(200, 2)) + 2.5 * classes[:, None])
    classifier = make_mclustda().fit(rows, classes)
    for candidate in classifier.candidates_:
        if not candidate.is_degenerate:
            assert candidate.log_likelihood < 0.0, "a density above one is that of a line"
    mixture = classifier.model_.members[0]
    conditions = [np.linalg.cond(covariance) for covariance in mixture.covariances]
    assert max(conditions) < 1e6
    assert classifier.score(rows, classes) > 0.9
