"""scikit-learn's own tests of its BayesianGaussianMixture, run against ours.

The modules are imported with our class in the place of theirs. Left out: tests of private functions, one that calls
private methods, and tests of GaussianMixture that the second module holds too.
"""

import numpy as np
import pytest
import sklearn.mixture

from gaussmix import BayesianGaussianMixture, GaussianMixture
from tests.estimators.sklearn_suites import import_with_own_classes

pytestmark = pytest.mark.filterwarnings("ignore")

LEFT_OUT = {
    # of private functions
    "test_log_dirichlet_norm",
    "test_log_wishart_norm",
    # calls _check_parameters and _initialize_parameters; test_bayesian.py says the same of ours
    "test_compare_covar_type",
}


_MODULES = [
    import_with_own_classes(f"sklearn.mixture.tests.{name}", sklearn.mixture, BayesianGaussianMixture, GaussianMixture)
    for name in ("test_bayesian_mixture", "test_mixture")
]
for _module in _MODULES:
    for _name, _test in vars(_module).items():
        if _name.startswith("test_") and _name not in LEFT_OUT:
            globals()[_name] = _test


def test_it_is_our_class_that_is_tested():
    assert all(module.BayesianGaussianMixture is BayesianGaussianMixture for module in _MODULES)


def test_what_is_left_out_exists_and_nothing_else_is_missing():
    theirs = {name for module in _MODULES for name in vars(module) if name.startswith("test_")}
    assert theirs >= LEFT_OUT
    assert theirs - LEFT_OUT <= set(globals())


def test_log_normalisers_are_theirs():
    """What is left of the tests of private functions: the same numbers from the values that have taken their place."""
    from sklearn.mixture._bayesian_mixture import _log_dirichlet_norm

    from gaussmix.model.weight_prior import DirichletDistribution

    learned = np.random.default_rng(0).uniform(size=5)
    assert DirichletDistribution(0.2).log_normalizing_factor(learned) == pytest.approx(
        _log_dirichlet_norm(learned), rel=1e-13
    )
