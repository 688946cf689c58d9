"""The parameter ``n_split_merge``."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gaussmix import Constraints, GaussianMixture, ParameterError

CENTERS = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
MEMBER = np.repeat(np.arange(4), 80)
X = CENTERS[MEMBER] + np.random.default_rng(0).normal(size=(320, 2))
POOR = np.array([[-0.5, 0.0], [0.5, 0.0], [9.0, 0.0], [4.5, 9.0]])  # two in one group, one between two others


def fit(n_split_merge=0, labels=None, rows=X, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        settings = {"tol": 1e-6, "max_iter": 500, "means_init": POOR, "random_state": 0, **options}
        return GaussianMixture(4, n_split_merge=n_split_merge, **settings).fit(rows, labels=labels)


@pytest.mark.parametrize("options", [{}, {"noise": True}, {"prior": "default"}, {"reg_covar": 1e-6}])
def test_moves_improve_a_poor_optimum(options):
    plain, better, best = fit(**options), fit(2, **options), fit(means_init=CENTERS, **options)
    assert better.fit_.log_likelihood > plain.fit_.log_likelihood + 50
    np.testing.assert_allclose(better.fit_.log_likelihood, best.fit_.log_likelihood, rtol=1e-5)
    assert "1 split-and-merge move raised the likelihood" in str(better.fit_)
    assert "split and merge" not in str(plain.fit_)
    assert better.n_iter_ == len(better.lower_bounds_)


def test_no_moves_change_nothing():
    good = {"means_init": None}
    plain, found = fit(**good), fit(5, **good)
    np.testing.assert_array_equal(plain.means_, found.means_)
    np.testing.assert_array_equal(fit(3, max_iter=0).means_, fit(max_iter=0).means_)


def test_order_of_rows_does_not_matter():
    order = np.random.default_rng(1).permutation(320)
    one, other = fit(2), fit(2, rows=X[order])
    np.testing.assert_allclose(one.means_, other.means_, atol=1e-6)
    np.testing.assert_allclose(one.fit_.log_likelihood, other.fit_.log_likelihood, rtol=1e-9)


def test_labelled_rows_stay_in_their_components():
    known = np.full(320, -1)
    known[[0, 100, 200]] = [1, 2, 3]  # component 0 is the one that nobody has named
    found = fit(2, known)
    assert found.fit_.log_likelihood > fit(0, known).fit_.log_likelihood + 50
    np.testing.assert_allclose(found.means_[1:], CENTERS[:3], atol=0.5)
    np.testing.assert_allclose(found.means_[0], CENTERS[3], atol=0.5)


def test_labelled_rows_stay_in_a_split_component():
    known = np.full(320, -1)
    known[[250, 251]] = 3
    found = fit(2, known)
    np.testing.assert_allclose(found.means_[3], CENTERS[3], atol=0.5)
    known[[250, 251]], known[[170, 171]] = -1, 3
    np.testing.assert_allclose(fit(2, known).means_[3], CENTERS[2], atol=0.5)


def test_fixed_components_are_not_moved():
    means = np.full((4, 2), np.nan)
    means[2] = [9.0, 0.25]
    found = fit(2, constraints=Constraints(means=means))
    np.testing.assert_allclose(found.means_[2], means[2], rtol=1e-12)
    assert found.fit_.log_likelihood > fit(0, constraints=Constraints(means=means)).fit_.log_likelihood + 50
    equal = fit(2, constraints=Constraints(equal_weights=True))
    np.testing.assert_allclose(equal.weights_, 0.25, rtol=1e-12)


@pytest.mark.parametrize("n_split_merge", [-1, 1.5, "many", None, True])
def test_bad_numbers_of_moves_are_refused(n_split_merge):
    with pytest.raises(ParameterError, match="n_split_merge must be a whole number of at least 0, but is"):
        GaussianMixture(2, n_split_merge=n_split_merge).fit(X)
