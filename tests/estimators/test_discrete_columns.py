"""Columns of few values: every structure fits them without a warning of NumPy, and with finite results.

All warnings are errors in these tests but those that gaussmix itself means for the user.
"""

from typing import Any

import numpy as np
import pytest

from gaussmix import (
    CollapseError,
    GaussianMixture,
    ParameterError,
    bootstrap_test,
    compare,
    cross_validate_components,
    select,
)
from gaussmix.core.linalg import norm_limited_least_squares
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.report import describe_mixture
from tests.exhaustive import interleave, parametrize_product

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::gaussmix.errors.GaussmixWarning"),
]

KINDS = ["flags", "dependent flags", "flags and a measurement", "flags in many units", "Likert", "many zeros"]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"init_params": "random_from_data", "n_split_merge": 1},
    {"init_params": "hierarchical"},
    {"reg_covar": 0.0},
    {"prior": "default"},
    {"solver": "anderson"},
]


def discrete_table(kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 100))
    flags = (rng.random((n, 4)) < [0.5, 0.3, 0.05, 0.9]).astype(float)
    return {
        "flags": flags,
        "dependent flags": np.column_stack([flags[:, :2], flags[:, 0], 1.0 - flags[:, 1]]),
        "flags and a measurement": np.column_stack([rng.normal(size=n), flags[:, :3]]),
        "flags in many units": flags[:, :3] * [1e-200, 1.0, 1e200],
        "Likert": rng.integers(1, 6, size=(n, 4)).astype(float),
        "many zeros": rng.poisson(0.3, size=(n, 3)).astype(float),
    }[kind]


@parametrize_product(
    {
        "structure": list(MCLUST_NAMES),
        "kind": KINDS,
        "n_components": interleave(list(range(1, 10)), 3),
        "seed": range(2),
    }
)
def test_every_structure_fits_without_a_warning(structure, kind, n_components, seed):
    for K in n_components:
        options = OPTIONS[(K + seed + KINDS.index(kind)) % len(OPTIONS)]
        rows = discrete_table(kind, K + 10 * seed)
        model = GaussianMixture(K, covariance_type=structure, random_state=seed, max_iter=40, **options)
        try:
            model.fit(rows)
        except CollapseError:
            assert options.get("reg_covar") == 0.0
        except ParameterError:
            assert (kind, "prior" in options) == ("flags in many units", True)
        else:
            assert np.isfinite(model.means_).all()
            assert np.isfinite(model.score_samples(rows)).all()
            assert str(model.fit_)


@pytest.mark.parametrize("seed", [0, 2])
def test_volumes_that_differ_without_limit(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 300))
    for rows in (
        (rng.random((n, 4)) < [0.5, 0.1, 0.02, 0.9]).astype(float),
        np.column_stack([rng.normal(size=n), rng.random((n, 3)) < 0.3]),
    ):
        for K in (3, 4):
            for options in OPTIONS[:3]:
                model = GaussianMixture(K, covariance_type="VEE", random_state=seed, max_iter=60, **options).fit(rows)
                assert np.isfinite(model.covariances_).all()


@pytest.mark.parametrize("kind", KINDS[:3])
def test_searches_tests_and_reports_give_no_warning(kind):
    rows = discrete_table(kind, 7)[:, :3]
    selection = select(rows, range(1, 4), n_starts=1)
    assert describe_mixture(selection.best.mixture, rows, fit=selection.best.fit, selection=selection)
    assert compare(rows, n_components=2, structures=["VEE", "EEE"], solvers=["em", "anderson"]).summary
    assert bootstrap_test(rows, "EII", 2, n_bootstrap=5).stop_reason
    assert cross_validate_components(rows, range(1, 3), ["EII", "EEI"], n_folds=2).best


@pytest.mark.parametrize("exponent", [0, -300, -530, 400])
def test_least_squares_of_limited_length_do_not_depend_on_units(exponent):
    rng = np.random.default_rng(0)
    columns, target = rng.normal(size=(6, 3)), rng.normal(size=6)
    plain = norm_limited_least_squares(columns, target, 0.5)
    scaled = norm_limited_least_squares(np.ldexp(columns, exponent), np.ldexp(target, exponent), 0.5)
    np.testing.assert_allclose(scaled, plain, rtol=1e-9)


def test_a_default_prior_and_a_ridge_that_overflow_are_errors():
    rows = discrete_table("flags in many units", 0)
    with pytest.raises(
        ParameterError, match=r"mean variance of the columns .* overflows .* DefaultPrior\(scale=\.\.\.\)"
    ):
        GaussianMixture(2, covariance_type="VVI", prior="default").fit(rows)
    with pytest.raises(ParameterError, match="reg_covar must be None, 0, or at most about 1e300 times the variance"):
        GaussianMixture(2, covariance_type="VVI", reg_covar=1.0).fit(rows)
