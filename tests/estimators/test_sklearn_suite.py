"""scikit-learn's own tests of its GaussianMixture, run against ours.

The two modules are imported with our class in the place of theirs. Left out: tests of private
functions, two of array libraries other than NumPy, and one that expects a sentence in which
minimum and maximum are swapped.
"""

import numpy as np
import pytest
import sklearn.mixture

from gaussmix import GaussianMixture
from tests.estimators.sklearn_suites import import_with_own_classes

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("single_blas_thread")]

LEFT_OUT = {
    # of private functions
    "test_suffstat_sk_full",
    "test_suffstat_sk_tied",
    "test_suffstat_sk_diag",
    "test_gaussian_suffstat_sk_spherical",
    "test_compute_log_det_cholesky",
    "test_gaussian_mixture_log_probabilities",
    "test_gaussian_mixture_precisions_init",
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters",
    # of array libraries
    "test_gaussian_mixture_array_api_compliance",
    "test_gaussian_mixture_raises_where_array_api_not_implemented",
    # says "max value" and prints the minimum
    "test_check_weights",
}


_MODULES = [
    import_with_own_classes(f"sklearn.mixture.tests.{name}", sklearn.mixture, GaussianMixture)
    for name in ("test_gaussian_mixture", "test_mixture")
]
for _module in _MODULES:
    for _name, _test in vars(_module).items():
        if _name.startswith("test_") and _name not in LEFT_OUT:
            globals()[_name] = _test


def test_it_is_our_class_that_is_tested():
    assert all(module.GaussianMixture is GaussianMixture for module in _MODULES)


def test_what_is_left_out_exists_and_nothing_else_is_missing():
    theirs = {name for module in _MODULES for name in vars(module) if name.startswith("test_")}
    assert theirs >= LEFT_OUT
    assert theirs - LEFT_OUT <= set(globals())


def test_weights_sentence_names_minimum_and_maximum_the_right_way_round():
    """What is left of scikit-learn's test_check_weights."""
    X = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(ValueError, match=r"'weights' should have the shape of \(2,\), but got \(2, 1\)"):
        GaussianMixture(2, weights_init=np.full((2, 1), 0.5)).fit(X)
    with pytest.raises(ValueError, match=r"range \[0, 1\], but got max value 1\.80000, min value 1\.20000"):
        GaussianMixture(2, weights_init=[1.2, 1.8]).fit(X)
    with pytest.raises(ValueError, match=r"normalized, but got sum\(weights\) = 0\.70000"):
        GaussianMixture(2, weights_init=[0.3, 0.4]).fit(X)
    mixture = GaussianMixture(2, weights_init=[0.3, 0.7]).fit(X)
    assert mixture.weights_init == [0.3, 0.7]
