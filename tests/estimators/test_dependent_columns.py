"""Tables with dependent columns: the fit is that of the independent ones, and all columns come back."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from gaussmix import (
    DataWarning,
    DefaultPrior,
    DependenceError,
    GaussianMixture,
    Mixture,
    bootstrap_test,
    compare,
    cross_validate_components,
    select,
)
from gaussmix.types import ND

TYPES = ["full", "tied", "diag", "spherical", "VVE", "EVI"]
TABLES = ["copy", "shares", "total", "constant", "rounded"]


def make_table(name: str, seed: int = 6) -> tuple[ND, list[int], ND]:
    """Two groups of 50 rows, the independent columns, and the groups."""
    rng, z = np.random.default_rng(seed), np.repeat([0, 1], 50)
    x = np.where(z, 9.0, 0.0) + rng.normal(size=100)
    if name == "copy":
        return np.column_stack([x, x]), [0], z
    if name == "constant":
        return np.column_stack([np.ones(100), x]), [1], z
    parts = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 100) + np.where(z[:, None], [3, -3], [0, 0])
    if name in ("total", "rounded"):
        rows = np.column_stack([parts, parts.sum(axis=1)])
        return np.round(rows, 2) if name == "rounded" else rows, [0, 1], z
    return np.where(z[:, None], rng.dirichlet([20, 5, 5], 100), rng.dirichlet([5, 5, 20], 100)), [0, 1], z


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("name", TABLES)
def test_fit_is_that_of_the_independent_columns(name: str, covariance_type: str) -> None:
    rows, kept, groups = make_table(name)
    found = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(rows)
    alone = GaussianMixture(2, covariance_type=covariance_type, random_state=0).fit(rows[:, kept])
    assert adjusted_rand_score(groups, found.predict(rows)) == 1.0
    assert found.bic(rows) == alone.bic(rows[:, kept])
    assert found.score(rows) == alone.score(rows[:, kept])
    np.testing.assert_array_equal(found.predict_proba(rows), alone.predict_proba(rows[:, kept]))
    np.testing.assert_array_equal(found.means_[:, kept], alone.means_)
    shape = {"full": (2, 3, 3), "tied": (3, 3), "diag": (2, 3), "spherical": (2,), "VVE": (2, 3, 3), "EVI": (2, 3)}
    expected = tuple(rows.shape[1] if length == 3 else length for length in shape[covariance_type])
    for attribute in (found.covariances_, found.precisions_, found.precisions_cholesky_):
        assert attribute.shape == expected
    assert "the mixture is fitted without" in str(found.fit_)


@pytest.mark.parametrize("name", TABLES)
def test_parameters_and_samples_keep_the_relation(name: str) -> None:
    rows, _, groups = make_table(name)
    found = GaussianMixture(2, random_state=0).fit(rows)
    drawn, _ = found.sample(200)
    dependence = found.model_.dependence
    assert dependence is not None
    for points in (drawn, found.means_, found.model_.means):
        assert not dependence.broken_rows(points).any()
    for k in range(2):
        group = rows[groups == (k if found.means_[0, -1] < found.means_[1, -1] else 1 - k)]
        members = rows[found.predict(rows) == k]
        assert len(group) == len(members) == 50
        np.testing.assert_allclose(found.means_[k], members.mean(axis=0), atol=0.02)
        np.testing.assert_allclose(found.covariances_[k], np.cov(members.T, bias=True), atol=0.05, rtol=0.02)
        np.testing.assert_allclose(found.model_.standard_deviations[k] ** 2, np.diag(found.covariances_[k]), atol=1e-12)
        covariance, precision = found.covariances_[k], found.precisions_[k]
        np.testing.assert_allclose(covariance @ precision @ covariance, covariance, rtol=1e-8, atol=1e-10)
        root = found.precisions_cholesky_[k]
        np.testing.assert_allclose(root @ root.T, precision, rtol=1e-8, atol=1e-10)


def test_new_rows_that_break_the_relation_warn() -> None:
    rows, _, _ = make_table("total")
    found = GaussianMixture(2, random_state=0).fit(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found.predict(rows + np.array([1.0, 2.0, 3.0]))
    rows[[3, 8], 2] += 0.5
    text = r"2 of 100 rows \(the first is row 3, .*\) break the relation .* column 2 = column 0 \+ column 1"
    for method in (found.predict, found.score_samples, found.model_.predict_proba, found.bic):
        with pytest.warns(DataWarning, match=text):
            method(rows)


def test_files_keep_the_relation(tmp_path: Path) -> None:
    for covariance_type, n_factors in (("full", None), ("diag", None), ("UUU", 1)):
        rows, _, _ = make_table("shares" if n_factors is None else "total")
        if n_factors:
            rows = np.column_stack([rows, np.random.default_rng(0).normal(size=(100, 2))])
        found = GaussianMixture(2, covariance_type=covariance_type, n_factors=n_factors, random_state=0).fit(rows)
        found.save(tmp_path / "model.safetensors")
        loaded = GaussianMixture.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(loaded.predict_proba(rows), found.predict_proba(rows))
        np.testing.assert_array_equal(loaded.covariances_, found.covariances_)
        with pytest.warns(DataWarning, match="breaks"):
            loaded.predict(rows[:1] + np.arange(rows.shape[1]) ** 2)


def test_marginals() -> None:
    rows, _, _ = make_table("total")
    mixture = GaussianMixture(2, random_state=0).fit(rows).model_
    pair = mixture.marginal([2, 0])
    expected = Mixture.from_parameters(
        mixture.weights, mixture.means[:, [2, 0]], mixture.covariances[:, [[2], [0]], [2, 0]]
    )
    np.testing.assert_allclose(pair.logpdf(rows[:, [2, 0]]), expected.logpdf(rows[:, [2, 0]]), rtol=1e-9)
    with pytest.raises(DependenceError, match="column 2 = column 0 \\+ column 1; leave"):
        mixture.marginal([0, 1, 2])
    for call in (lambda: mixture.conditional([0], [1.0]), lambda: mixture.cdf(rows), lambda: mixture.product(mixture)):
        with pytest.raises(DependenceError, match="independent_part"):
            call()
    np.testing.assert_array_equal(mixture.independent_part.predict(rows[:, :2]), mixture.predict(rows))
    with pytest.raises(DependenceError, match="is constant"):
        GaussianMixture(2, random_state=0).fit(make_table("constant")[0]).model_.marginal([0])


def test_noise_in_a_plane() -> None:
    rng, (rows, _, _) = np.random.default_rng(0), make_table("total")
    outliers = rng.uniform(-20, 20, (15, 2))
    rows = np.vstack([rows, np.column_stack([outliers, outliers.sum(axis=1)])])
    found = GaussianMixture(2, noise=True, random_state=0).fit(rows)
    alone = GaussianMixture(2, noise=True, random_state=0).fit(rows[:, :2])
    np.testing.assert_array_equal(found.predict(rows), alone.predict(rows[:, :2]))
    drawn, _ = found.sample(300)
    np.testing.assert_allclose(drawn[:, 2], drawn[:, 0] + drawn[:, 1], atol=1e-9)
    limits = found.model_.marginal([2]).noise.box
    assert limits.minimum < limits.maximum


def test_warm_start_means_init_and_chunks() -> None:
    rows, _, groups = make_table("total")
    found = GaussianMixture(2, random_state=0, warm_start=True).fit(rows)
    assert found.fit(rows).n_iter_ <= 2
    start = np.array([rows[groups == k].mean(axis=0) for k in (1, 0)])
    np.testing.assert_allclose(GaussianMixture(2, means_init=start).fit(rows).means_, found.means_[::-1], atol=0.1)
    found.partial_fit(rows[::-1])
    assert found.means_.shape == (2, 3)
    assert "fitted without" in str(found.fit_)
    with pytest.warns(DataWarning):
        found.partial_fit(rows + np.array([0.0, 0.0, 1.0]))


def test_parameters_of_all_columns_keep_all_columns() -> None:
    """A ridge makes every covariance regular; precisions and prior parameters are given for all columns."""
    rows, _, _ = make_table("total")
    prior = DefaultPrior(location=np.zeros(3))
    for parameters in ({"reg_covar": 1e-6}, {"prior": prior}, {"precisions_init": np.stack([np.eye(3)] * 2)}):
        found = GaussianMixture(2, random_state=0, max_iter=0, **parameters).fit(rows)
        assert found.model_.dependence is None


@pytest.mark.parametrize("name", TABLES)
def test_select(name: str) -> None:
    rows, kept, groups = make_table(name)
    names = ["a", "b", "c"][: rows.shape[1]]
    found = select(rows, range(1, 4), ["EII", "EEE", "VVV"], feature_names=names)
    alone = select(rows[:, kept], range(1, 4), ["EII", "EEE", "VVV"])
    assert [c.name for c in found.candidates] == [c.name for c in alone.candidates]
    assert found.best.criteria == alone.best.criteria
    assert found.best.fit is not None
    assert "fitted without" in found.best.fit.notes[0]
    assert found.best.mixture is not None
    assert found.best.mixture.feature_names == tuple(names)
    if found.best.n_components == 2:
        assert adjusted_rand_score(groups, found.best.mixture.predict(rows)) == 1.0


def test_other_searches() -> None:
    rows, kept, _ = make_table("shares")
    tested, alone = (bootstrap_test(r, "EII", max_components=2, n_bootstrap=9) for r in (rows, rows[:, kept]))
    assert tested.table() == alone.table()
    assert tested.mixture.predict(rows).shape == (100,)
    crossed, alone_crossed = (cross_validate_components(r, [1, 2], n_folds=3) for r in (rows, rows[:, kept]))
    assert crossed.table() == alone_crossed.table()
    compared = compare(rows, n_components=2, structures="EEE", solvers=["em"])
    assert "column 2 = 1 - column 0 - column 1" in compared.summary


@pytest.mark.parametrize(
    ("constant", "subject"),
    [
        ([1], "Column 1 is constant: it separates no groups, and the mixture is fitted without it."),
        ([0, 2], "Columns 0 and 2 are constant: they separate no groups, and the mixture is fitted without them."),
        (
            [0, 1, 3],
            "Columns 0, 1 and 3 are constant: they separate no groups, and the mixture is fitted without them.",
        ),
    ],
)
def test_one_note_names_all_constant_columns(constant: list[int], subject: str) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4))
    rows[:, constant] = 3.0
    assert GaussianMixture(1).fit(rows).fit_.notes[0] == subject
    selection = select(rows, 1, "VVV", feature_names=["a", "b", "c", "d"])
    expected = subject
    for number, name in enumerate("abcd"):
        expected = expected.replace(str(number), repr(name))
    assert selection.best.fit is not None
    assert selection.best.fit.notes[0] == expected
