"""Conditionals, marginals by name, products and intensities of mixtures, against their definitions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from gaussmix import Gaussian, Mixture, ParameterError, UnrepresentableError
from gaussmix.core.frame import Frame
from gaussmix.model import Intensity
from gaussmix.model.mixture_parameters import change_frame
from gaussmix.model.noise import Box, Noise
from gaussmix.types import ND, Array

NAMES = ("length", "width", "height")


def random_mixture(seed: int, n_components: int = 3, n_features: int = 3, with_noise: bool = False) -> Mixture:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_components, n_features, n_features)) + 2.0 * np.eye(n_features)
    names = NAMES[:n_features]
    weights = rng.dirichlet(np.ones(n_components))
    mixture = Mixture.from_parameters(
        weights, rng.normal(size=(n_components, n_features)), factors @ np.swapaxes(factors, 1, 2), "VVV", names
    )
    if not with_noise:
        return mixture
    box = Box(np.full(n_features, -6.0), np.arange(5.0, 5.0 + n_features))
    return replace(mixture, weights=0.75 * mixture.weights, noise=Noise(0.25, box))


def in_another_frame(mixture: Mixture) -> Mixture:
    shifts = np.arange(mixture.n_features, dtype=np.float64)
    return change_frame(mixture, Frame(np.zeros(len(shifts), dtype=np.int64), shifts, np.arange(len(shifts)) - 1))


def random_rows(n_features: int = 3, n_rows: int = 20) -> ND:
    return np.random.default_rng(99).normal(size=(n_rows, n_features))


@pytest.mark.parametrize("with_noise", [False, True])
@pytest.mark.parametrize("frame", ["identity", "other"])
def test_joint_is_marginal_times_conditional(with_noise: bool, frame: str) -> None:
    mixture = random_mixture(0, with_noise=with_noise)
    mixture = in_another_frame(mixture) if frame == "other" else mixture
    for row in random_rows():
        conditional = mixture.conditional([2, 0], row[[2, 0]])
        assert conditional.feature_names == ("width",)
        expected = mixture.logpdf(row[None])[0] - mixture.marginal([2, 0]).logpdf(row[None, [2, 0]])[0]
        assert conditional.logpdf(row[None, [1]])[0] == pytest.approx(expected, abs=1e-12)


def test_columns_may_be_named() -> None:
    mixture, values = random_mixture(1), [0.3, -0.2]
    by_name, by_position = mixture.conditional(["height", "length"], values), mixture.conditional([2, 0], values)
    np.testing.assert_array_equal(by_name.means, by_position.means)
    np.testing.assert_array_equal(mixture.marginal(["width", "length"]).means, mixture.means[:, [1, 0]])
    assert mixture.marginal(["width", -1]).feature_names == ("width", "height")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ParameterError, match="columns must be one of length, width, height, but is 'depth'"):
        random_mixture(0).marginal(["depth"])
    with pytest.raises(ParameterError, match="no feature names"):
        replace(random_mixture(0), feature_names=None).marginal(["length"])
    with pytest.raises(ParameterError, match="known_columns must be fewer than all columns"):
        random_mixture(0).conditional(list(NAMES), [0.0, 0.0, 0.0])


def test_conditional_keeps_tiny_variances() -> None:
    axis = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2.0)
    covariance = axis @ np.diag([1.0, 1e-14]) @ axis.T
    mixture = Mixture.from_parameters([1.0], [[0.0, 0.0]], [covariance + covariance.T], "VVV")
    exact = 1.0 / np.linalg.inv(mixture.covariances[0])[1, 1]
    assert mixture.conditional([0], [2.0]).covariances[0, 0, 0] == pytest.approx(exact, rel=1e-2)


@pytest.mark.parametrize("noise", [(False, False), (True, False), (False, True), (True, True)])
def test_product_is_the_product_of_the_densities(noise: tuple[bool, bool]) -> None:
    first, second = (random_mixture(seed, 2 + seed, with_noise=has) for seed, has in enumerate(noise))
    product, log_integral = in_another_frame(first).product(second)
    expected = first.logpdf(random_rows()) + second.logpdf(random_rows())
    np.testing.assert_allclose(product.logpdf(random_rows()) + log_integral, expected, atol=1e-11)
    assert product.weights.sum() + (0.0 if product.noise is None else product.noise.weight) == pytest.approx(1.0)


def test_product_integrates_to_its_mass() -> None:
    first, second = (random_mixture(seed, 2, 1) for seed in (3, 4))
    integral = integrate.quad(lambda x: first.pdf([[x]])[0] * second.pdf([[x]])[0], -40.0, 40.0, epsabs=1e-13)[0]
    assert np.exp(first.product(second)[1]) == pytest.approx(integral, rel=1e-8)


def test_product_of_distant_mixtures_does_not_underflow() -> None:
    first, second = (Mixture.from_parameters([1.0], [[mean]], [[[1.0]]]) for mean in (0.0, 200.0))
    product, log_integral = first.product(second)
    assert product.means[0, 0] == pytest.approx(100.0)
    assert log_integral == pytest.approx(stats.norm(200.0, np.sqrt(2.0)).logpdf(0.0))


def test_product_of_gaussians() -> None:
    first, second = (random_mixture(seed, 1).components[0] for seed in (5, 6))
    product, log_integral = first.product(second)
    expected = first.logpdf(random_rows()) + second.logpdf(random_rows())
    np.testing.assert_allclose(product.logpdf(random_rows()) + log_integral, expected, atol=1e-11)
    with pytest.raises(ParameterError, match="product needs a distribution of 3 columns"):
        first.product(Gaussian(0.0, 1.0))


def test_mixtures_of_other_columns_have_no_product() -> None:
    with pytest.raises(ParameterError, match="product needs"):
        random_mixture(0).product(random_mixture(0, n_features=2))
    renamed = replace(random_mixture(0), feature_names=("a", "b", "c"))
    with pytest.raises(ParameterError, match="product needs equal feature_names"):
        random_mixture(0).product(renamed)


@pytest.mark.parametrize("with_noise", [False, True])
def test_cdf_of_several_columns_is_a_fraction_of_samples(with_noise: bool) -> None:
    mixture = random_mixture(7, n_features=2, with_noise=with_noise)
    rows, point = mixture.sample(200_000, 0)[0], np.array([[0.4, 1.0]])
    assert mixture.cdf(point)[0] == pytest.approx((rows <= point).all(axis=1).mean(), abs=5e-3)


def test_components_are_gaussians_in_the_units_of_the_data() -> None:
    mixture = in_another_frame(random_mixture(8))
    np.testing.assert_allclose([part.mean for part in mixture.components], mixture.means)
    np.testing.assert_allclose([part.covariance for part in mixture.components], mixture.covariances)


@pytest.mark.parametrize("noise", [(False, False), (True, False), (True, True)])
def test_intensities_add_and_multiply_pointwise(noise: tuple[bool, bool]) -> None:
    first, second = (
        Intensity(random_mixture(seed, with_noise=has), 1.0 - seed) for seed, has in zip((1, 2), noise, strict=True)
    )
    values: list[Array] = [first.evaluate(random_rows()), second.evaluate(random_rows())]
    np.testing.assert_allclose((first + second).evaluate(random_rows()), values[0] + values[1], rtol=1e-10)
    assert (first + second).mass == pytest.approx(first.mass + second.mass)
    np.testing.assert_allclose(first.product(second).evaluate(random_rows()), values[0] * values[1], rtol=1e-10)
    np.testing.assert_allclose(first.scale(3.0).evaluate(random_rows()), 3.0 * values[0])
    np.testing.assert_allclose(first.weights, first.mass * first.mixture.weights)


def test_intensities_are_checked() -> None:
    with pytest.raises(ParameterError, match="weights must be numbers of at least 0, not all 0"):
        Intensity.from_parameters([0.0, 0.0], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    with pytest.raises(ParameterError, match="factor must be a finite number above 0"):
        Intensity(random_mixture(0)).scale(-1.0)


@pytest.mark.parametrize("operation", ["product", "__add__"])
def test_intensities_of_other_columns_are_neither_added_nor_multiplied(operation: str) -> None:
    first = Intensity(random_mixture(0))
    reordered = Intensity(first.mixture.marginal(["width", "length", "height"]))
    with pytest.raises(ParameterError, match=r"needs equal feature_names.* length, width, height .*marginal\(\['len"):
        getattr(first, operation)(reordered)
    with pytest.raises(ParameterError, match="needs a distribution of 3 columns, but this one has 2"):
        getattr(first, operation)(Intensity(random_mixture(0, n_features=2)))
    unnamed = Intensity(replace(first.mixture, feature_names=None))
    assert getattr(first, operation)(unnamed).mixture.n_features == 3
    in_order = Intensity(reordered.mixture.marginal(["length", "width", "height"]))
    assert getattr(first, operation)(in_order).mixture.feature_names == NAMES


@pytest.mark.parametrize("distance", [1e20, 1e100, 1e150])
def test_the_weights_of_a_far_product_add_up_to_one(distance: float) -> None:
    near = Mixture.from_parameters([0.4, 0.4, 0.2], [[0.0], [0.0], [-1e20]], [[[1.0]]] * 3)
    product, log_integral = near.product(Mixture.from_parameters([1.0], [[distance]], [[[1.0]]]))
    assert product.weights[0] == product.weights[1]
    assert product.weights.sum() == pytest.approx(1.0)
    assert log_integral == pytest.approx(-(distance**2) / 4.0)


@pytest.mark.parametrize("distance", [1e155, 1e160, 1e300, -1.7e308])
def test_a_product_without_a_representable_integral_is_refused(distance: float) -> None:
    first = Mixture.from_parameters([0.5, 0.5], [[0.0], [1.0]], [[[1.0]]] * 2)
    with np.errstate(all="raise"):
        with pytest.raises(UnrepresentableError, match=r"so far apart .* check their units"):
            first.product(Mixture.from_parameters([1.0], [[distance]], [[[1.0]]]))
        with pytest.raises(UnrepresentableError, match="so far apart"):
            Gaussian(0.0, 1.0).product(Gaussian(distance, 1.0))


def test_a_far_component_beside_a_near_one_has_weight_zero_in_the_product() -> None:
    far = Mixture.from_parameters([0.5, 0.5], [[1e160], [1.0]], [[[1.0]]] * 2)
    product, log_integral = Mixture.from_parameters([1.0], [[0.0]], [[[1.0]]]).product(far)
    assert product.weights.tolist() == [0.0, 1.0]
    assert np.isfinite(product.means).all()
    assert log_integral == pytest.approx(np.log(0.5) + stats.norm(1.0, np.sqrt(2.0)).logpdf(0.0))


def test_an_overflowing_density_names_its_logarithm() -> None:
    with pytest.raises(UnrepresentableError, match=r"use log_evaluate, their logarithm$"):
        Intensity(random_mixture(0), 2000.0).evaluate(random_rows())
    with pytest.raises(UnrepresentableError, match=r"use logpdf, their logarithm$"):
        Mixture.from_parameters([1.0], np.zeros((1, 3)), [1e-250 * np.eye(3)]).pdf(np.zeros((1, 3)))
