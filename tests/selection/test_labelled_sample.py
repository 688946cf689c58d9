"""Model search with known components of some rows, and the sample that it draws."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from gaussmix import DataError, GaussianMixture, SelectionError, select
from gaussmix.core.label_prior import KnownComponents
from gaussmix.covariance import Structure
from gaussmix.model import Problem
from gaussmix.selection.labelled_sample import draw_labelled_sample, restrict_to_sample
from gaussmix.sources import MemorySource

IRIS, SPECIES = load_iris(return_X_y=True)
NUMBERS = (SPECIES + 1) % 3
KNOWN_COMPONENTS = np.where(np.arange(150) % 9 == 0, NUMBERS, -1)
STRUCTURES = ["EII", "EEE", "VEV", "VVV"]


def make_labelled_rows(seed, n_rows=12_000):
    """Return rows of three groups, their true components, and known components (-1 for nearly all rows)."""
    rng = np.random.default_rng(seed)
    member = rng.integers(3, size=n_rows)
    rows = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])[member] + rng.normal(size=(n_rows, 2))
    return rows, 2 - member, np.where(rng.random(n_rows) < 0.002, 2 - member, -1)


def test_labels_change_the_chosen_mixture():
    plain = select(IRIS, [2, 3], STRUCTURES)
    selection = select(IRIS, [2, 3], STRUCTURES, labels=KNOWN_COMPONENTS)
    assert plain.best.n_components == 2
    assert selection.best.n_components == 3
    assert adjusted_rand_score(SPECIES, selection.best.mixture.predict(IRIS)) > 0.85
    assert np.mean(selection.best.mixture.predict(IRIS) == NUMBERS) > 0.95


def test_candidates_equal_the_estimator_with_labels():
    selection = select(IRIS, 3, STRUCTURES, labels=KNOWN_COMPONENTS)
    for candidate in selection.candidates:
        shape = str(candidate.structure)
        fit = GaussianMixture(3, covariance_type=shape, tol=1e-9, max_iter=2000, random_state=0).fit(
            IRIS, labels=KNOWN_COMPONENTS
        )
        assert candidate.fit.log_likelihood >= fit.fit_.log_likelihood - 1e-3
        expected = -2 * candidate.fit.log_likelihood + candidate.n_parameters * np.log(150)
        np.testing.assert_allclose(candidate.criteria["bic"], expected, rtol=1e-12)


def test_unknown_labels_change_nothing():
    one, other = (select(IRIS, [1, 2], STRUCTURES, labels=labels) for labels in (None, np.full(150, -1)))
    for mine, theirs in zip(one.candidates, other.candidates, strict=True):
        assert mine.name == theirs.name
        assert mine.criteria == theirs.criteria


def test_too_few_components_give_a_reason():
    selection = select(IRIS, [1, 2, 3], "VVV", labels=KNOWN_COMPONENTS)
    reasons = {candidate.n_components: candidate.rejection_reason for candidate in selection.candidates}
    assert reasons[1] == "label 2 is out of range for 1 component (0 to 0); increase n_components or correct the label"
    assert reasons[2] == "label 2 is out of range for 2 components (0 to 1); increase n_components or correct the label"
    assert selection.best.n_components == 3
    with pytest.raises(SelectionError, match="label 2 is out of range"):
        select(IRIS, 2, "VVV", labels=KNOWN_COMPONENTS)


def test_labelled_components_keep_their_numbers():
    selection = select(IRIS, 4, "VVI", labels=KNOWN_COMPONENTS).best.mixture
    numbers = selection.predict(IRIS)
    assert np.mean(numbers[KNOWN_COMPONENTS >= 0] == KNOWN_COMPONENTS[KNOWN_COMPONENTS >= 0]) > 0.7


@pytest.mark.parametrize("seed", range(2))
def test_large_data_with_labels(seed):
    rows, numbers, known = make_labelled_rows(seed)
    selection = select(rows, [2, 3], ["EII", "VVV"], labels=known)
    assert selection.best.name == "EII,3"
    assert np.mean(selection.best.mixture.predict(rows) == numbers) > 0.98
    fit = GaussianMixture(3, covariance_type="EII", tol=1e-9, max_iter=1000, random_state=0).fit(rows, labels=known)
    np.testing.assert_allclose(selection.best.fit.log_likelihood, fit.fit_.log_likelihood, rtol=1e-6)


@pytest.mark.parametrize("weights", [None, np.random.default_rng(0).integers(0, 4, 12_000).astype(float)])
def test_sample_represents_all_rows(weights):
    rows, _, known = make_labelled_rows(0)
    source = MemorySource.from_array(rows, weights).with_label_prior(KnownComponents(known))
    problem = Problem.from_source(source, Structure.from_name("EII"))
    some = draw_labelled_sample(problem, 2000, np.random.default_rng(0))
    few = restrict_to_sample(problem, some)
    counts = np.ones(12_000) if weights is None else weights
    assert 2000 <= few.source.n_rows <= 2200
    for label in (-1, 0, 1, 2):
        whole = counts[known == label].sum() / counts.sum()
        np.testing.assert_allclose(some[1][some[2] == label].sum() / some[1].sum(), whole, rtol=1e-9)
    np.testing.assert_allclose(few.total_weight, 2000 * counts.sum() / np.count_nonzero(counts), rtol=1e-9)
    pairs = {(*row, label) for row, label in zip(rows.tolist(), known.tolist(), strict=True)}
    near = [(*np.round(row, 9), label) for row, label in zip(some[0].tolist(), some[2].tolist(), strict=True)]
    assert set(near) <= {(*np.round(pair[:2], 9), pair[2]) for pair in pairs}
    order = np.random.default_rng(1).permutation(12_000)
    shuffled = MemorySource.from_array(rows[order], None if weights is None else weights[order])
    labelled = shuffled.with_label_prior(KnownComponents(known[order]))
    other = Problem.from_source(labelled, Structure.from_name("EII"))
    again = draw_labelled_sample(other, 2000, np.random.default_rng(0))
    np.testing.assert_allclose(again[0][np.lexsort(again[0].T)], some[0][np.lexsort(some[0].T)], atol=1e-9)


def test_n_jobs_and_invalid_labels():
    one, two = (select(IRIS, 3, STRUCTURES, labels=KNOWN_COMPONENTS, n_jobs=jobs) for jobs in (None, 2))
    assert [c.name for c in one.candidates] == [c.name for c in two.candidates]
    with pytest.raises(DataError, match="labels must be components from 0, or -1"):
        select(IRIS, 3, "VVV", labels=np.full(150, -2))
    with pytest.raises(DataError, match=r"labels must have the shape \(150,\)"):
        select(IRIS, 3, "VVV", labels=[0])
