"""What a probability distribution is: it integrates to one, factorises, and is what SciPy says it is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from gaussmix import Gaussian
from tests.laws.strategies import groups, in_other_units, random_gaussian, random_mixture, seeds, structures

dimensions = st.integers(1, 5)


@given(seeds, dimensions)
def test_gaussian_is_scipys(seed: int, n_features: int) -> None:
    bell, rows = random_gaussian(seed, n_features), 5 * groups(seed, 30, n_features)
    theirs = stats.multivariate_normal(bell.mean, bell.covariance)
    np.testing.assert_allclose(bell.logpdf(rows), theirs.logpdf(rows), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(bell.pdf(rows), theirs.pdf(rows), rtol=1e-7, atol=1e-300)


@given(seeds, st.integers(2, 5), st.data())
def test_joint_is_marginal_times_conditional(seed: int, n_features: int, data: st.DataObject) -> None:
    known = data.draw(st.lists(st.integers(0, n_features - 1), min_size=1, max_size=n_features - 1, unique=True))
    open_ = [j for j in range(n_features) if j not in known]
    bell = random_gaussian(seed, n_features)
    for row in groups(seed, 5, n_features):
        rest = bell.conditional(known, row[known]).logpdf(row[None, open_])
        product = bell.marginal(known).logpdf(row[None, known]) + rest
        np.testing.assert_allclose(bell.logpdf(row[None]), product, rtol=1e-10, atol=1e-10)


@given(seeds, st.integers(2, 4))
def test_marginal_of_a_mixture_is_the_mixture_of_marginals(seed: int, n_features: int) -> None:
    mixture = in_other_units(random_mixture(seed, "VVV", 3, n_features), seed)
    rows = mixture.sample(20, seed)[0][:, [n_features - 1, 0]]
    bells = [mixture.components[k].marginal([n_features - 1, 0]).pdf(rows) for k in range(3)]
    expected = np.column_stack(bells) @ mixture.weights
    np.testing.assert_allclose(mixture.marginal([-1, 0]).pdf(rows), expected, rtol=1e-8)


@given(seeds, dimensions)
def test_affine_image_has_the_density_of_a_change_of_variable(seed: int, n_features: int) -> None:
    rng = np.random.default_rng(seed)
    bell, rows = random_gaussian(seed, n_features), groups(seed, 10, n_features)
    matrix = np.linalg.qr(rng.normal(size=(n_features, n_features)))[0] * np.exp(rng.normal(size=n_features))
    shift = rng.normal(size=n_features)
    image = bell.affine_transform(matrix, shift).logpdf(rows @ matrix.T + shift)
    np.testing.assert_allclose(image + np.linalg.slogdet(matrix)[1], bell.logpdf(rows), rtol=1e-9, atol=1e-9)


@given(seeds, structures, st.integers(1, 3))
def test_mixture_is_the_weighted_sum_of_its_components(seed: int, structure: str, n_features: int) -> None:
    mixture = in_other_units(random_mixture(seed, structure, 3, n_features), seed)
    rows = mixture.sample(20, seed)[0]
    parts = np.column_stack([mixture.components[k].pdf(rows) for k in range(3)]) * mixture.weights
    np.testing.assert_allclose(mixture.pdf(rows), parts.sum(axis=1), rtol=1e-9)
    shares = mixture.predict_proba(rows)
    np.testing.assert_allclose(shares, parts / parts.sum(axis=1)[:, None], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-14)
    np.testing.assert_array_equal(mixture.predict(rows), shares.argmax(axis=1))
    np.testing.assert_allclose(mixture.uncertainty(rows), 1.0 - shares.max(axis=1), atol=1e-14)


@given(seeds, structures)
def test_density_integrates_to_one_and_cumulative_is_its_integral(seed: int, structure: str) -> None:
    mixture = random_mixture(seed, structure, 3, 1)
    spread = np.sqrt(mixture.covariances[:, 0, 0])
    low, high = float((mixture.means[:, 0] - 12 * spread).min()), float((mixture.means[:, 0] + 12 * spread).max())
    breaks = sorted({*mixture.means[:, 0], *(mixture.means[:, 0] + 4 * spread), *(mixture.means[:, 0] - 4 * spread)})

    def density(x: float) -> float:
        return float(mixture.pdf([[x]])[0])

    def mass(until: float) -> float:
        edges = [low, *(point for point in breaks if low < point < until), until]
        return sum(float(integrate.quad(density, a, b, epsabs=1e-12)[0]) for a, b in pairwise(edges))

    assert mass(high) == pytest.approx(1.0, abs=1e-8)
    middle = float(mixture.means[1, 0])
    assert float(mixture.cdf([[middle]])[0]) == pytest.approx(mass(middle), abs=1e-8)
    grid = np.linspace(low, high, 200)
    values = mixture.cdf(grid)
    assert (np.diff(values) >= 0).all()
    assert values[0] == pytest.approx(0.0, abs=1e-12)
    assert values[-1] == pytest.approx(1.0, abs=1e-12)


@given(seeds, structures)
def test_cumulative_does_not_depend_on_the_frame(seed: int, structure: str) -> None:
    plain = random_mixture(seed, structure, 3, 1)
    moved = in_other_units(plain, seed)
    points = plain.centers[:, 0]
    there = moved.frame.restore_means(points[:, None])[:, 0]
    np.testing.assert_allclose(moved.cdf(there), plain.cdf(points), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("structure", ["VVV", "EEE", "VVI", "EII", "EEV"])
def test_sampled_rows_have_the_moments_of_the_mixture(structure: str, seed: int) -> None:
    """Counts, means and covariances of 40,000 rows, each within five standard errors."""
    mixture = in_other_units(random_mixture(seed, structure, 3, 2), seed)
    n_rows = 40_000
    rows, labels = mixture.sample(n_rows, seed)
    assert rows.shape == (n_rows, 2)
    assert (np.diff(labels) >= 0).all()
    for k in range(3):
        chosen = rows[labels == k]
        count, weight = len(chosen), mixture.weights[k]
        assert abs(count - n_rows * weight) < 5 * np.sqrt(n_rows * weight)
        covariance = mixture.covariances[k]
        deviation = np.sqrt(np.diag(covariance))
        assert (np.abs(chosen.mean(axis=0) - mixture.means[k]) < 5 * deviation / np.sqrt(count)).all()
        error = np.abs(np.cov(chosen.T) - covariance) / (deviation[:, None] * deviation)
        assert error.max() < 5 * np.sqrt(2.0 / count)


@given(seeds, dimensions)
def test_gaussian_from_data_is_the_sample_mean_and_covariance(seed: int, n_features: int) -> None:
    rows = groups(seed, 40, n_features)
    weights = np.random.default_rng(seed).integers(0, 3, 40).astype(float)
    bell = Gaussian.from_data(rows, weights)
    np.testing.assert_allclose(bell.mean, np.average(rows, axis=0, weights=weights), rtol=1e-10, atol=1e-12)
    expected = np.atleast_2d(np.cov(rows.T, aweights=weights, bias=True))
    np.testing.assert_allclose(bell.covariance, expected, rtol=1e-9, atol=1e-11)
