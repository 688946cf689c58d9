"""Variational Bayes: the lower bound against exact evidence, enumeration and sampling, and properties of posteriors."""

import itertools

import numpy as np
import pytest
from scipy.special import betaln, gammaln, multigammaln
from scipy.stats import beta as beta_distribution
from scipy.stats import dirichlet, wishart

from gaussmix import BayesianGaussianMixture
from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind, Moments, compute_moments
from gaussmix.covariance import SKLEARN_TO_MCLUST, Structure, make_covariance_estimator
from gaussmix.covariance.regularizer import NoRegularizer
from gaussmix.errors import CollapseError
from gaussmix.model.variational import VariationalPrior
from gaussmix.model.weight_prior import WEIGHT_PRIORS, DirichletDistribution, DirichletProcess
from tests.exhaustive import parametrize_product

pytestmark = pytest.mark.usefixtures("single_blas_thread")

EXACT = {"reg_covar": 0.0, "tol": 1e-11, "max_iter": 5000, "random_state": 0}
KINDS = list(WEIGHT_PRIORS)


def make_rows(seed, n=40, d=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5.0 * rng.normal(size=d)


def log_evidence(X, mean, precision, degrees, scale):
    """Return the log evidence of Gaussian rows under a normal-Wishart prior (DeGroot 1970)."""
    n, d = X.shape
    if n == 0:
        return 0.0
    center = X.mean(axis=0)
    gap = center - mean
    after = scale + (X - center).T @ (X - center) + n * precision / (precision + n) * np.outer(gap, gap)
    value = -0.5 * n * d * np.log(np.pi) + multigammaln(0.5 * (degrees + n), d) - multigammaln(0.5 * degrees, d)
    value += 0.5 * degrees * np.linalg.slogdet(scale)[1] - 0.5 * (degrees + n) * np.linalg.slogdet(after)[1]
    return value + 0.5 * d * np.log(precision / (precision + n))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize(("unit", "offset"), [(1.0, 0.0), (1e3, 1e6), (1e-4, -2.0)])
def test_one_component_has_the_exact_log_evidence(kind, d, unit, offset):
    X = make_rows(d, d=d) * unit + offset
    prior = {"mean_precision_prior": 0.3, "degrees_of_freedom_prior": d + 1.7, "weight_concentration_prior": 0.4}
    mixture = BayesianGaussianMixture(1, weight_concentration_prior_type=kind, **prior, **EXACT).fit(X)
    scale = np.atleast_2d(np.cov(X.T))
    expected = log_evidence(X - offset, X.mean(axis=0) - offset, 0.3, d + 1.7, scale)
    if kind == "dirichlet_process":  # every row takes the first fraction
        expected += betaln(1 + len(X), 0.4) - betaln(1, 0.4)
    assert mixture.fit_.lower_bound == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_is_below_the_evidence_summed_over_all_assignments(seed):
    X = np.concatenate([make_rows(seed, 4, 2) - 8.0, make_rows(seed + 50, 4, 2) + 8.0])
    concentration, count = 0.7, 2
    mixture = BayesianGaussianMixture(
        count,
        weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=concentration,
        degrees_of_freedom_prior=4.0,
        **EXACT,
    ).fit(X)
    terms = []
    for labels in itertools.product(range(count), repeat=len(X)):
        masses = np.bincount(labels, minlength=count)
        weights = gammaln(count * concentration) - gammaln(count * concentration + len(X))
        term = weights + (gammaln(concentration + masses) - gammaln(concentration)).sum()
        for k in range(count):
            chosen = X[np.array(labels) == k]
            term += log_evidence(chosen, X.mean(axis=0), 1.0, 4.0, np.cov(X.T))
        terms.append(term)
    evidence = np.logaddexp.reduce(terms)
    assert mixture.fit_.lower_bound < evidence
    assert evidence - mixture.fit_.lower_bound < 3.0


def _wishart_logpdf(matrices, nu, scale):
    """Return the log densities of matrices (m, d, d): SciPy's of the first, and differences, since SciPy's are slow."""
    logdets, traces = np.linalg.slogdet(matrices)[1], np.einsum("ij,sji->s", np.linalg.inv(scale), matrices)
    relative = 0.5 * ((nu - len(scale) - 1) * logdets - traces)
    densities = relative - relative[0] + wishart.logpdf(matrices[0], nu, scale)
    np.testing.assert_allclose(densities[:20], wishart.logpdf(matrices[:20].T, nu, scale), rtol=1e-9, atol=1e-9)
    return densities


def _sample_bound_terms(posterior, X, shares, rng, count):
    """Return draws of log p(rows, components, parameters) - log q, whose mean is the lower bound."""
    prior, mixture, d = posterior.prior, posterior.mixture, X.shape[1]
    parameters = posterior.weight_concentration
    if isinstance(prior.weight_prior, DirichletProcess):
        sticks = rng.beta(parameters[0], parameters[1], size=(count, len(parameters[0])))
        left = np.cumprod(np.hstack([np.ones((count, 1)), 1.0 - sticks[:, :-1]]), axis=1)
        logs = np.log(sticks * left)
        before = beta_distribution.logpdf(sticks, 1.0, prior.weight_prior.concentration).sum(axis=1)
        after = beta_distribution.logpdf(sticks, *parameters).sum(axis=1)
    else:
        weights = rng.dirichlet(parameters, size=count)
        logs = np.log(weights)
        before = dirichlet.logpdf(weights.T, np.full(len(parameters), prior.weight_prior.concentration))
        after = dirichlet.logpdf(weights.T, parameters)
    total = before - after + logs @ shares.sum(axis=0)
    covariances = mixture.covariance.matrices()
    for k in range(mixture.n_components):
        nu, precision = posterior.degrees_of_freedom[k], posterior.mean_precision[k]
        scale = np.linalg.inv(covariances[k]) / nu
        drawn = wishart.rvs(nu, scale, size=count, random_state=rng).reshape(count, d, d)
        total += _wishart_logpdf(drawn, prior.degrees_of_freedom, np.linalg.inv(prior.inverse_scale_matrix))
        total -= _wishart_logpdf(drawn, nu, scale)
        roots = np.linalg.cholesky(drawn)
        noise = rng.normal(size=(count, d)) / np.sqrt(precision)
        means = mixture.centers[k] + np.linalg.solve(np.swapaxes(roots, 1, 2), noise[..., None])[..., 0]
        logdet = np.linalg.slogdet(drawn)[1]

        def log_normal(gap, times, drawn=drawn, logdet=logdet):
            square = np.einsum("si,sij,sj->s", gap, drawn, gap)
            return 0.5 * (d * np.log(times / (2 * np.pi)) + logdet - times * square)

        total += log_normal(means - prior.center, prior.mean_precision)
        total -= log_normal(means - mixture.centers[k], precision)
        # The rows enter through the sums of 1, x and xx^T that are weighted by their shares.
        mass, first, second = shares[:, k].sum(), shares[:, k] @ X, (shares[:, k] * X.T) @ X
        cross = np.einsum("i,sj->sij", first, means)
        scatter = second - cross - np.swapaxes(cross, 1, 2) + mass * np.einsum("si,sj->sij", means, means)
        total += 0.5 * (mass * (logdet - d * np.log(2 * np.pi)) - np.einsum("sij,sij->s", drawn, scatter))
    return total - np.sum(shares * np.log(np.where(shares > 0, shares, 1.0)))


@parametrize_product({"covariance_type": SKLEARN_TO_MCLUST, "kind": KINDS})
def test_the_bound_is_the_mean_of_draws_from_the_posterior(covariance_type, kind):
    X = np.concatenate([make_rows(1, 12, 2), make_rows(2, 12, 2)])
    mixture = BayesianGaussianMixture(
        2, covariance_type=covariance_type, weight_concentration_prior_type=kind, max_iter=3, tol=1e9, random_state=0
    ).fit(X)
    posterior = mixture._posterior
    frame = posterior.prior.frame
    rng = np.random.default_rng(0)
    terms = _sample_bound_terms(posterior, frame.transform_rows(X), mixture.predict_proba(X), rng, 20_000)
    error = terms.std() / np.sqrt(len(terms))
    assert error < 0.1
    expected = terms.mean() + len(X) * frame.log_abs_det_jacobian
    assert mixture.fit_.lower_bound == pytest.approx(expected, abs=4.5 * error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("covariance_type", SKLEARN_TO_MCLUST)
def test_both_bounds_differ_by_a_constant_after_convergence(covariance_type, kind):
    """The constant depends on the number of rows and on the prior only."""
    scale = {"full": np.eye(2), "tied": np.eye(2), "diag": np.ones(2), "spherical": 1.0}[covariance_type]
    prior = {"mean_prior": [0.0, 1.0], "covariance_prior": scale, "weight_concentration_prior_type": kind}
    gaps, bounds = [], []
    for seed in range(4):
        X = np.concatenate([make_rows(10 * seed + group, 15, 2) for group in range(4)])
        mixture = BayesianGaussianMixture(4, covariance_type=covariance_type, **prior, **EXACT).fit(X)
        gaps.append(mixture.fit_.lower_bound - mixture.lower_bound_)
        bounds.append(mixture.fit_.lower_bound)
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-8)
    assert max(bounds) - min(bounds) > 1.0


def _make_prior(structure="VVV", concentration=None, scale=None, ridge=0.0, d=2):
    return VariationalPrior(
        Structure.from_name(structure),
        concentration or DirichletDistribution(0.5),
        1.5,
        np.array([0.5, -0.25])[:d],
        d + 0.5,
        np.array([[2.0, 0.3], [0.3, 1.0]]) if scale is None else scale,
        np.full(d, ridge),
        Frame.identity(d),
    )


SCALES = {
    "VVV": np.array([[2.0, 0.3], [0.3, 1.0]]),
    "EEE": np.eye(2),
    "VVI": np.array([2.0, 0.5]),
    "VII": np.array(1.5),
}


@pytest.mark.parametrize("concentration", [DirichletDistribution(0.5), DirichletProcess(0.5)])
@pytest.mark.parametrize("structure", SCALES)
def test_components_without_rows_keep_the_prior(structure, concentration):
    prior = _make_prior(structure, concentration, SCALES[structure])
    kind = make_covariance_estimator(prior.structure, NoRegularizer()).moment_kind
    center = np.array([[3.0, 4.0], [5.0, 6.0]])
    scatter = kind.weighted_outer_products(center, np.zeros(2))
    posterior = prior.compute_posterior(Moments(np.zeros(2), center, scatter, kind))
    np.testing.assert_array_equal(posterior.mixture.centers, np.repeat(prior.center[None], 2, axis=0))
    expected = prior.inverse_scale_matrix / prior.degrees_of_freedom
    np.testing.assert_allclose(posterior.mixture.covariance.matrices()[0], expected, rtol=1e-14)
    np.testing.assert_array_equal(posterior.mean_precision, [1.5, 1.5])
    np.testing.assert_array_equal(posterior.degrees_of_freedom, [2.5, 2.5])
    assert posterior.kl_divergence_from_prior == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("structure", ["VVV", "EEE", "VVI"])
def test_marginal_of_the_posterior_is_the_posterior_of_the_marginal(structure):
    prior = _make_prior(structure, scale=SCALES[structure])
    kind = make_covariance_estimator(prior.structure, NoRegularizer()).moment_kind
    rows = make_rows(0, 40, 2)
    responsibilities = np.random.default_rng(1).dirichlet([1.0, 1.0, 1.0], size=40)
    views = (rows, rows[:, [1]])
    moments, part = (compute_moments(X, responsibilities, np.zeros((3, X.shape[1])), kind) for X in views)
    marginal = prior.compute_posterior(moments).marginal([1])
    expected = prior.marginal([1]).compute_posterior(part)
    np.testing.assert_allclose(marginal.mixture.covariance.matrices(), expected.mixture.covariance.matrices())
    np.testing.assert_allclose(marginal.mixture.centers, expected.mixture.centers)
    np.testing.assert_allclose(marginal.degrees_of_freedom, expected.degrees_of_freedom)
    np.testing.assert_allclose(marginal.to_quadratics().offset, expected.to_quadratics().offset)


def test_singular_prior_has_no_bound_and_gives_advice():
    scale = np.zeros((2, 2))
    moments = Moments(np.array([5.0]), np.array([[0.5, 0.5]]), np.array([np.eye(2)]), MomentKind.FULL)
    assert _make_prior(scale=scale).compute_posterior(moments).kl_divergence_from_prior == np.inf
    empty = Moments(np.array([0.0]), moments.mean, np.zeros((1, 2, 2)), moments.kind)
    with pytest.raises(CollapseError, match=r"component 0; a covariance_prior that is positive-definite keeps"):
        _make_prior(scale=scale).compute_posterior(empty)
    assert _make_prior(scale=scale, ridge=1e-6).compute_posterior(empty).mixture.covariance.log_determinants[0] < -60


@pytest.mark.parametrize("name", KINDS)
def test_expected_weights_and_logarithms_equal_means_of_draws(name):
    weight_prior = WEIGHT_PRIORS[name](0.8)
    parameters = weight_prior.posterior_concentration(np.array([5.0, 2.0, 0.0, 9.0]))
    rng = np.random.default_rng(0)
    if name == "dirichlet_process":
        np.testing.assert_array_equal(parameters, [[6, 3, 1, 10], [11.8, 9.8, 9.8, 0.8]])
        sticks = rng.beta(parameters[0], parameters[1], size=(200_000, 4))
        weights = sticks * np.cumprod(np.hstack([np.ones((200_000, 1)), 1 - sticks[:, :-1]]), axis=1)
    else:
        np.testing.assert_array_equal(parameters, [5.8, 2.8, 0.8, 9.8])
        weights = rng.dirichlet(parameters, size=200_000)
    expected = weights.mean(axis=0)
    np.testing.assert_allclose(weight_prior.expected_weights(parameters), expected / expected.sum(), rtol=0.02)
    np.testing.assert_allclose(weight_prior.expected_log_weights(parameters), np.log(weights).mean(axis=0), rtol=0.02)
    assert weight_prior.kl_divergence_from_prior(parameters) > 0
