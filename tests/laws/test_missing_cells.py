"""Laws of fits to rows that lack cells."""

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.exceptions import ConvergenceWarning

from gaussmix import (
    BayesianGaussianMixture,
    Constraints,
    GaussianMixture,
    bootstrap_test,
    cross_validate_components,
    select,
)
from gaussmix.covariance import MCLUST_NAMES
from gaussmix.model import Mixture
from gaussmix.solvers.initialization.completion import complete_rows
from gaussmix.types import Array

COVARIANCE = np.array([[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 0.5]])
MEANS = np.array([[0.0, 0.0, 0.0], [6.0, 1.0, -3.0], [1.0, 7.0, 4.0]])
TRUTH = Mixture.from_parameters([0.3, 0.3, 0.4], MEANS, [COVARIANCE, 0.5 * COVARIANCE, np.eye(3)])
EXACT: dict[str, Any] = {"tol": 1e-9, "max_iter": 20_000}


def draw_rows(seed: int, n_rows: int = 200, missing: float = 0.3) -> Array:
    rng, rows = np.random.default_rng(seed), TRUTH.sample(n_rows, seed)[0]
    rows[rng.random(rows.shape) < missing] = np.nan
    return rows


def observed_log_likelihood(mixture: Mixture, rows: Array) -> Array:
    """The log density of the observed cells of each row by SciPy, (n,)."""
    result = np.zeros(len(rows))
    for n, row in enumerate(rows):
        seen = ~np.isnan(row)
        if seen.any():
            parts = [
                np.log(weight) + stats.multivariate_normal(mean[seen], covariance[np.ix_(seen, seen)]).logpdf(row[seen])
                for weight, mean, covariance in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
            ]
            result[n] = np.logaddexp.reduce(parts)
    return result


@pytest.mark.parametrize("structure", [*MCLUST_NAMES, "UUU", "CCC"])
def test_the_likelihood_never_falls_reaches_that_of_the_truth_and_is_that_of_the_marginals(structure: str) -> None:
    options: dict[str, Any] = {"covariance_type": structure, "n_factors": 1, "tol": 1e-7, "max_iter": 20_000}
    mixture = GaussianMixture(3, random_state=0, **options).fit(TRUTH.sample(3000, 7)[0]).model_
    for seed, missing in ((0, 0.1), (1, 0.4)):
        rng, rows = np.random.default_rng(seed), mixture.sample(160, seed)[0]
        rows[rng.random(rows.shape) < missing] = np.nan
        estimator = GaussianMixture(3, n_init=2, random_state=0, **options).fit(rows)
        assert np.diff(estimator.lower_bounds_).min() > -1e-10
        reached = observed_log_likelihood(estimator.model_, rows)
        np.testing.assert_allclose(estimator.score_samples(rows), reached, rtol=1e-10, atol=1e-10)
        assert estimator.fit_.log_likelihood == pytest.approx(reached.sum(), rel=1e-10)
        n_rows_with_cells = (~np.isnan(rows).all(axis=1)).sum()
        assert estimator.lower_bound_ == pytest.approx(reached.sum() / n_rows_with_cells, rel=1e-6)
        assert reached.sum() > observed_log_likelihood(mixture, rows).sum() - 1e-6


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gradient_vanishes_at_the_optimum(seed: int) -> None:
    rows = draw_rows(seed)
    mixture = GaussianMixture(3, random_state=0, tol=1e-12, max_iter=20_000).fit(rows).model_

    def log_likelihood(parameters: Array) -> float:
        logits, means, roots = np.split(parameters, [3, 12])
        factors = roots.reshape(3, 3, 3)
        weights = np.exp(logits) / np.exp(logits).sum()
        other = Mixture.from_parameters(weights, means.reshape(3, 3), factors @ np.swapaxes(factors, 1, 2))
        return float(observed_log_likelihood(other, rows).sum())

    start = np.concatenate(
        [np.log(mixture.weights), mixture.means.ravel(), np.linalg.cholesky(mixture.covariances).ravel()]
    )
    gradient = optimize.approx_fprime(start, log_likelihood, 1e-6)
    assert np.abs(gradient).max() < 2e-2  # that of the start is in the hundreds


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_numerical_maximum_is_no_higher(seed: int) -> None:
    """Two components of two columns, found by a general optimizer from the truth."""
    pair = Mixture.from_parameters([0.4, 0.6], MEANS[:2, :2], [COVARIANCE[:2, :2], np.eye(2)])
    rng, rows = np.random.default_rng(seed), pair.sample(80, seed)[0]
    rows[rng.random(rows.shape) < 0.3] = np.nan

    def unpack(parameters: Array) -> Mixture:
        weight, means, roots = 1.0 / (1.0 + np.exp(-parameters[0])), parameters[1:5], parameters[5:]
        factors = np.zeros((2, 2, 2))
        factors[:, [0, 1, 1], [0, 0, 1]] = roots.reshape(2, 3)
        covariances = factors @ np.swapaxes(factors, 1, 2) + 1e-9 * np.eye(2)
        return Mixture.from_parameters([weight, 1.0 - weight], means.reshape(2, 2), covariances)

    start = np.concatenate(
        [[0.0], MEANS[:2, :2].ravel(), *np.linalg.cholesky(pair.covariances)[:, [0, 1, 1], [0, 0, 1]]]
    )
    best = optimize.minimize(lambda p: -unpack(p).logpdf(rows).sum(), start, method="BFGS", options={"gtol": 1e-5})
    fitted = GaussianMixture(2, n_init=4, random_state=0, **EXACT).fit(rows)
    assert fitted.fit_.log_likelihood > -best.fun - 1e-5


@pytest.mark.parametrize("structure", ["VVV", "VEE", "EEI"])
def test_weights_are_repeated_rows(structure: str) -> None:
    rows = draw_rows(4, 120)
    weights = np.random.default_rng(1).integers(0, 4, len(rows))
    options: dict[str, Any] = {"covariance_type": structure, "random_state": 0, "tol": 1e-10, "max_iter": 5000}
    weighted = GaussianMixture(3, **options).fit(rows, sample_weight=weights)
    repeated = GaussianMixture(3, **options).fit(np.repeat(rows, weights, axis=0))
    assert weighted.fit_.log_likelihood == pytest.approx(repeated.fit_.log_likelihood, rel=1e-11)
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-6, atol=1e-6)


def test_one_pass_with_weights_is_one_with_repeated_rows() -> None:
    rows = draw_rows(5, 150)
    weights = np.random.default_rng(2).integers(0, 4, len(rows))
    start = {"weights_init": TRUTH.weights, "means_init": TRUTH.means, "precisions_init": TRUTH.precisions}
    once: dict[str, Any] = {**start, "max_iter": 1, "tol": 0.0}
    with pytest.warns(ConvergenceWarning):
        weighted = GaussianMixture(3, **once).fit(rows, sample_weight=weights)
    with pytest.warns(ConvergenceWarning):
        repeated = GaussianMixture(3, **once).fit(np.repeat(rows, weights, axis=0))
    np.testing.assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("change", ["order", "units", "offset"])
def test_order_units_and_offsets_do_not_matter(change: str) -> None:
    rows = draw_rows(6)
    plain = GaussianMixture(3, random_state=0, **EXACT).fit(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    changed = {"order": rows[order], "units": 1024.0 * rows, "offset": rows + 2.0**20}[change]
    other = GaussianMixture(3, random_state=0, **EXACT).fit(changed)
    scale, shift = {"order": (1.0, 0.0), "units": (1024.0, 0.0), "offset": (1.0, 2.0**20)}[change]
    np.testing.assert_allclose((other.means_ - shift) / scale, plain.means_, rtol=1e-4, atol=1e-5)
    n_observed = (~np.isnan(rows)).sum()
    assert other.fit_.log_likelihood + n_observed * np.log(scale) == pytest.approx(plain.fit_.log_likelihood, rel=1e-9)


def test_a_row_without_cells_has_log_density_zero_and_the_weights_and_changes_no_fit() -> None:
    rows = np.vstack([draw_rows(7), np.full((2, 3), np.nan)])
    estimator = GaussianMixture(3, random_state=0).fit(rows)
    np.testing.assert_allclose(estimator.means_, GaussianMixture(3, random_state=0).fit(rows[:-2]).means_, rtol=1e-9)
    np.testing.assert_allclose(estimator.score_samples(rows)[-2:], 0.0, atol=1e-12)
    np.testing.assert_allclose(estimator.predict_proba(rows)[-2:], np.tile(estimator.weights_, (2, 1)), rtol=1e-12)


def test_a_pattern_that_training_never_had_is_scored() -> None:
    rows = TRUTH.sample(200, 0)[0]
    rows[::3, 0] = np.nan
    estimator = GaussianMixture(3, random_state=0).fit(rows)
    probe = np.array([[np.nan, np.nan, 4.0], [0.5, np.nan, np.nan]])
    expected = observed_log_likelihood(estimator.model_, probe)
    np.testing.assert_allclose(estimator.score_samples(probe), expected, rtol=1e-10)


FITS: dict[str, Any] = {
    "noise": lambda rows: GaussianMixture(3, noise=True, random_state=0, **EXACT).fit(rows),
    "prior": lambda rows: GaussianMixture(3, prior="default", random_state=0, **EXACT).fit(rows),
    "labels": lambda rows: GaussianMixture(3, random_state=0, **EXACT).fit(rows, labels=known_labels(len(rows))),
    "constraints": lambda rows: GaussianMixture(
        3, constraints=Constraints(equal_weights=True), random_state=0, **EXACT
    ).fit(rows),
    "ridge": lambda rows: GaussianMixture(3, reg_covar=1e-3, random_state=0, **EXACT).fit(rows),
    "split and merge": lambda rows: GaussianMixture(3, n_split_merge=2, random_state=0, **EXACT).fit(rows),
    "yeo-johnson": lambda rows: GaussianMixture(3, column_transform="yeo-johnson", random_state=0).fit(rows),
    **{
        solver: lambda rows, solver=solver: GaussianMixture(
            3, solver=solver, random_state=0, tol=1e-7, max_iter=2000
        ).fit(rows)
        for solver in ("squarem", "anderson", "auto", "natural", "lbfgs")
    },
}


def known_labels(n_rows: int) -> Array:
    labels = np.full(n_rows, -1)
    labels[TRUTH.sample(n_rows, 3)[1] == 1] = 1
    return np.where(np.arange(n_rows) % 4 == 0, labels, -1)


@pytest.mark.parametrize("name", FITS)
def test_every_option_and_solver_raises_the_likelihood_of_the_observed_cells(name: str) -> None:
    rows = draw_rows(3)
    estimator = FITS[name](rows)
    assert np.isfinite(estimator.lower_bounds_).all()
    plain = GaussianMixture(3, random_state=0, **EXACT).fit(rows)
    if name in ("squarem", "anderson", "auto", "natural", "lbfgs"):
        assert estimator.fit_.log_likelihood == pytest.approx(plain.fit_.log_likelihood, abs=1e-2)
    elif name in ("constraints", "ridge", "split and merge"):
        assert estimator.fit_.log_likelihood == pytest.approx(plain.fit_.log_likelihood, abs=6.0)
    scores = estimator.score_samples(rows)
    if name != "labels":  # a labelled row counts with the density of its component alone
        assert estimator.fit_.log_likelihood == pytest.approx(scores.sum(), rel=1e-9)
    np.testing.assert_allclose(estimator.predict_proba(rows).sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "sgd", "cem", "sem", "annealing"])
def test_other_solvers_fit_rows_that_lack_cells(solver: str) -> None:
    rows = draw_rows(3, missing=0.15)
    fitted = GaussianMixture(3, solver=solver, random_state=0, max_iter=200).fit(rows)
    assert fitted.fit_.log_likelihood > observed_log_likelihood(TRUTH, rows).sum() - 60.0


def test_the_lower_bound_of_variational_bayes_never_falls() -> None:
    for structure in ("full", "diag", "spherical"):  # scikit-learn's step for a tied covariance is no maximiser
        estimator = BayesianGaussianMixture(3, covariance_type=structure, random_state=0, tol=1e-8, max_iter=2000)
        estimator.fit(draw_rows(8))
        assert np.diff(estimator.lower_bounds_).min() > -1e-9


def test_a_search_finds_the_structure_of_complete_rows() -> None:
    rows = TRUTH.sample(400, 11)[0]
    complete = select(rows, range(1, 5), structures=["EEE", "VVV", "VVI"])
    rows[np.random.default_rng(0).random(rows.shape) < 0.1] = np.nan
    assert select(rows, range(1, 5), structures=["EEE", "VVV", "VVI"]).best.name == complete.best.name


def test_cross_validation_scores_the_observed_cells() -> None:
    rows = draw_rows(12, 300, 0.15)
    result = cross_validate_components(rows, range(1, 5), structures="VVV", n_folds=3, random_state=0)
    assert result.best.n_components == 3
    complete = cross_validate_components(TRUTH.sample(300, 12)[0], 3, structures="VVV", n_folds=3, random_state=0)
    share = np.mean(~np.isnan(rows))
    assert result.best.mean_log_likelihood == pytest.approx(share * complete.best.mean_log_likelihood, rel=0.15)


def test_the_bootstrap_test_finds_the_number_of_components() -> None:
    rows = draw_rows(13, 150, 0.15)
    result = bootstrap_test(rows, "VVV", n_bootstrap=19, random_state=0)
    assert [step.p_value <= 0.05 for step in result.steps] == [True, True, False]
    null = GaussianMixture(1, random_state=0).fit(rows)
    assert result.steps[0].log_likelihood == pytest.approx(null.fit_.log_likelihood, rel=1e-4)
    complete = bootstrap_test(TRUTH.sample(150, 13)[0], "VVV", 1, n_bootstrap=19, random_state=0).steps[0]
    assert not np.isclose(np.median(result.steps[0].bootstrap_statistics), np.median(complete.bootstrap_statistics))


def test_completed_rows_keep_their_cells_and_the_correlations() -> None:
    """Means in place of missing cells would shrink variances by half, and so would conditional means by less."""
    truth = np.array([[1.0, 0.8], [0.8, 1.0]])
    rows = np.random.default_rng(0).multivariate_normal([5.0, 5.0], truth, 4000)
    gaps = rows.copy()
    gaps[np.random.default_rng(1).random(rows.shape) < 0.5] = np.nan
    gaps = gaps[~np.isnan(gaps).all(axis=1)]
    completed = complete_rows(gaps, None)
    np.testing.assert_array_equal(completed[~np.isnan(gaps)], gaps[~np.isnan(gaps)])
    np.testing.assert_allclose(np.cov(completed.T), truth, atol=0.08)
    order = np.random.default_rng(2).permutation(len(gaps))
    np.testing.assert_allclose(complete_rows(gaps[order], None), completed[order], atol=1e-6)
