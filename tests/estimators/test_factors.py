"""Mixtures of factor analysers as estimators: fits, scores, files and errors."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score

from gaussmix import GaussianMixture, Mixture, ParameterError, plots
from gaussmix.core.frame import Frame
from gaussmix.covariance import FACTOR_STRUCTURE_NAMES
from gaussmix.model import serialization
from gaussmix.model.mixture_parameters import change_frame
from tests.exhaustive import parametrize_product

every_member = pytest.mark.parametrize("name", FACTOR_STRUCTURE_NAMES)


def draw_groups_with_labels(seed, n_rows=240, n_features=8, n_groups=3, n_factors=2):
    """Rows and labels of groups, each with loadings and noise of its own."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_rows) % n_groups
    loadings = rng.normal(size=(n_groups, n_features, n_factors))
    deviations = rng.uniform(0.5, 1.0, (n_groups, n_features))
    rows = np.einsum("nq,ndq->nd", rng.normal(size=(n_rows, n_factors)), loadings[labels])
    rows += rng.normal(size=rows.shape) * deviations[labels]
    return rows + 4.0 * rng.normal(size=(n_groups, n_features))[labels], labels


def fit(rows, name="UUU", n_factors=2, n_components=3, **options):
    settings = {"random_state": 0, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(n_components, covariance_type=name, n_factors=n_factors, **settings).fit(rows)


@parametrize_product({"name": FACTOR_STRUCTURE_NAMES, "options": [{}, {"reg_covar": 1e-3}, {"prior": "default"}]})
def test_likelihood_never_falls(name, options):
    for seed in range(3):
        given = {"tol": 0, "max_iter": 40, "init_params": "random_from_data", **options}
        bounds = np.array(fit(draw_groups_with_labels(seed)[0], name, **given).lower_bounds_)
        if "reg_covar" not in options:  # a ridge is no part of the likelihood
            assert (np.diff(bounds) >= -1e-11 * np.abs(bounds[:-1])).all()
        assert bounds[-1] > bounds[0]


@pytest.mark.parametrize("seed", range(3))
def test_one_component_reaches_sklearns_factor_analysis(seed):
    rows = draw_groups_with_labels(seed, n_groups=1)[0]
    theirs = FactorAnalysis(2, tol=1e-9, max_iter=20_000, svd_method="lapack").fit(rows)
    ours = fit(rows, "UUU", n_components=1, tol=1e-10, max_iter=2000)
    assert ours.score(rows) == pytest.approx(theirs.score(rows), rel=1e-5)
    same = [fit(rows, name, n_components=1).score(rows) for name in ("CCU", "CUU", "UCU", "UUU")]
    np.testing.assert_allclose(same, same[0], rtol=1e-5)


@pytest.mark.parametrize("name", ["CCC", "UCC", "UUC"])
@pytest.mark.parametrize("n_features", [8, 70])
def test_isotropic_noise_of_one_component_is_probabilistic_pca(name, n_features):
    rows = draw_groups_with_labels(1, n_features=n_features, n_groups=1)[0]
    values, vectors = np.linalg.eigh(np.cov(rows.T, bias=True))
    noise = values[:-2].mean()
    expected = (vectors[:, -2:] * (values[-2:] - noise)) @ vectors[:, -2:].T + noise * np.eye(n_features)
    found = fit(rows, name, n_components=1).covariances_[0]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())
    scaled = rows * np.sqrt((len(rows) - 1) / len(rows))  # PCA divides by n - 1
    np.testing.assert_allclose(found, PCA(2, svd_solver="full").fit(scaled).get_covariance(), atol=1e-7)


@pytest.mark.parametrize(("name", "n_factors"), [("UUC", 2), ("UUU", 1)])
def test_the_largest_number_of_factors_gives_a_free_covariance(name, n_factors):
    """Three columns: two factors and one noise, or one factor and three, have the parameters of a free covariance."""
    rows = draw_groups_with_labels(2, n_rows=600, n_features=3, n_groups=1, n_factors=1)[0]
    free = GaussianMixture(1).fit(rows)
    ours = fit(rows, name, n_factors, n_components=1, tol=1e-12, max_iter=500)
    assert ours.score(rows) == pytest.approx(free.score(rows), abs=1e-8)
    assert ours.model_.n_parameters == free.model_.n_parameters


@every_member
def test_groups_are_found(name):
    rows, labels = draw_groups_with_labels(0)
    assert adjusted_rand_score(labels, fit(rows, name).predict(rows)) > 0.95


def test_many_columns_are_fitted_with_few_rows():
    """More columns than rows in a group, past those whose eigenvectors are all computed."""
    for seed in range(3):
        rows, labels = draw_groups_with_labels(seed, n_rows=150, n_features=100)
        found = fit(rows, "UUU")
        assert adjusted_rand_score(labels, found.predict(rows)) > 0.95
        assert not found.fit_.is_degenerate
        assert "fewer" not in str(found.fit_)


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_a_component_needs_more_rows_than_factors():
    rows = np.vstack([draw_groups_with_labels(0, n_groups=1)[0], np.full((2, 8), 60.0) + np.eye(2, 8)])
    found = fit(rows, "UCC", n_components=2)
    assert "has fewer than the 3 rows that UCC needs in each component" in str(found.fit_)


@every_member
def test_order_of_rows_and_origin_do_not_matter(name):
    rows, _ = draw_groups_with_labels(4)
    plain = fit(rows, name)
    turned = fit(rows[::-1], name)
    moved = fit(rows + 1e6, name)
    np.testing.assert_allclose(turned.covariances_, plain.covariances_, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(moved.covariances_, plain.covariances_, rtol=1e-5, atol=1e-6)


@parametrize_product({"name": FACTOR_STRUCTURE_NAMES, "unit": [1e-150, 1.0, 1e6, 1e150]})
def test_units_do_not_matter(name, unit):
    rows, _ = draw_groups_with_labels(5)
    plain, scaled = fit(rows, name), fit(rows * unit, name)
    np.testing.assert_array_equal(plain.predict(rows), scaled.predict(rows * unit))
    np.testing.assert_allclose(scaled.model_.standard_deviations / unit, plain.model_.standard_deviations, rtol=1e-6)


def test_number_of_factors_changes_the_fit():
    rows, _ = draw_groups_with_labels(0)
    one, two = fit(rows, "UUU", 1), fit(rows, "UUU", 2)
    assert one.score(rows) < two.score(rows)
    assert one.model_.n_parameters < two.model_.n_parameters
    assert clone(two).n_factors == 2
    plain = GaussianMixture(3, random_state=0).fit(rows)
    np.testing.assert_array_equal(fit(rows, "full", 2).means_, plain.means_)


@every_member
def test_model_comes_back_from_its_file(name, tmp_path: Path):
    rows, _ = draw_groups_with_labels(0)
    found = fit(rows, name)
    found.model_.save(tmp_path / "model.safetensors")
    assert serialization.read_schema_version(tmp_path / "model.safetensors") == 2
    loaded = Mixture.load(tmp_path / "model.safetensors")
    assert loaded.structure == found.model_.structure
    assert repr(loaded) == f"Mixture(3 components, 8 features, {name}, 2 factors)"
    np.testing.assert_array_equal(loaded.logpdf(rows), found.model_.logpdf(rows))


@every_member
def test_methods_of_the_fitted_mixture(name):
    rows, _ = draw_groups_with_labels(0)
    found = fit(rows, name)
    assert found.covariances_.shape == found.precisions_.shape == (3, 8, 8)
    upper = found.precisions_cholesky_
    np.testing.assert_allclose(upper @ np.swapaxes(upper, 1, 2), found.precisions_, rtol=1e-8, atol=1e-10)
    drawn, labels = found.model_.sample(20_000, random_state=0)
    for k, expected in enumerate(found.covariances_):
        np.testing.assert_allclose(np.cov(drawn[labels == k].T), expected, atol=0.06 * np.abs(expected).max())
    assert found.model_.marginal([0, 3]).n_features == 2
    dense = Mixture.from_parameters(found.weights_, found.means_, found.covariances_)
    np.testing.assert_allclose(dense.logpdf(rows), found.score_samples(rows), rtol=1e-9)
    assert len(found.fit_.component_diagnostics) == 3
    assert "loadings" in found.model_.structure.description


def test_factor_mixtures_can_be_plotted():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows, _ = draw_groups_with_labels(0)
    plots.pairs(fit(rows).model_, rows, max_columns=3)
    plots.densities(fit(rows).model_, rows, max_columns=2)
    pyplot.close("all")


@every_member
def test_a_model_means_the_same_in_another_frame(name):
    rows, _ = draw_groups_with_labels(0)
    mixture = fit(rows, name).model_
    powers = np.arange(8) if mixture.structure.is_column_scale_equivariant else np.full(8, 3)
    other = Frame(np.zeros(8, dtype=np.int64), np.arange(8.0), powers)
    np.testing.assert_allclose(change_frame(mixture, other).logpdf(rows), mixture.logpdf(rows), rtol=1e-11)


def test_warm_start_goes_on_with_the_same_factors():
    rows, _ = draw_groups_with_labels(0)
    warm = GaussianMixture(3, covariance_type="UUU", n_factors=2, warm_start=True, random_state=0)
    first = warm.fit(rows).lower_bound_
    assert warm.fit(rows).lower_bound_ > first
    assert warm.set_params(n_factors=1).fit(rows).model_.structure.name_with_alias_or_n_factors == "UUU, 1 factor"


def test_starting_means_are_taken():
    rows, labels = draw_groups_with_labels(0)
    means = np.array([rows[labels == k].mean(axis=0) for k in range(3)])
    found = fit(rows, means_init=means[[2, 0, 1]])
    np.testing.assert_allclose(found.means_, means[[2, 0, 1]], atol=0.3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_factors": None}, "covariance_type='UUU' is a mixture of factor analysers; pass n_factors"),
        ({"n_factors": 0}, "n_factors must be a whole number of at least 1, but is 0"),
        ({"n_factors": 1.5}, "n_factors must be a whole number of at least 1, but is 1.5"),
        ({"n_factors": True}, "n_factors must be a whole number of at least 1, but is True"),
        ({"n_factors": 5}, "n_factors=5 is too large for UUU with 8 columns"),
        ({"n_factors": 5}, "use n_factors <= 4"),
        ({"name": "UUC", "n_factors": 8}, "n_factors=8 is too large for UUC with 8 columns"),
        ({"name": "UUX"}, "covariance_type must be one of full, tied, .*UUC, UUU, but is 'UUX'"),
        ({"precisions_init": np.repeat(np.eye(8)[None], 3, axis=0)}, "precisions_init is not supported for UUU"),
    ],
)
def test_invalid_factor_parameters_are_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        fit(draw_groups_with_labels(0)[0], **options)


def test_two_columns_allow_no_factors():
    with pytest.raises(ParameterError, match=re.escape("use a structure without factors")):
        fit(draw_groups_with_labels(0)[0][:, :2], "CCU", 1)


def test_parameters_and_structures_of_a_mixture_name_no_factors():
    with pytest.raises(ParameterError, match="structure must be one of"):
        Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)], structure="UUU")
