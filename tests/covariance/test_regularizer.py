"""The variance floor and the ridge."""

import numpy as np
import pytest

from gaussmix import CollapseError
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import MCLUST_NAMES, FloorRegularizer, RidgeRegularizer, Structure, make_covariance_estimator
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.covariance.regularizer import NoRegularizer

EQUAL_EXPONENTS = np.zeros(3, dtype=np.int64)


def test_floor_is_a_fraction_of_each_column_variance_or_of_their_mean() -> None:
    overall = np.array([1.0, 4.0, 0.25])
    np.testing.assert_array_equal(
        FloorRegularizer.from_overall_variances(overall, EQUAL_EXPONENTS, scale_per_column=True).min_variances,
        RELATIVE_FLOOR * overall,
    )
    np.testing.assert_allclose(
        FloorRegularizer.from_overall_variances(overall, EQUAL_EXPONENTS, scale_per_column=False).min_variances,
        RELATIVE_FLOOR * 1.75,
    )


def test_floor_of_a_constant_column_is_that_of_the_mean_of_the_others() -> None:
    overall = np.array([1.0, 0.0, 3.0])
    floor = FloorRegularizer.from_overall_variances(overall, EQUAL_EXPONENTS, scale_per_column=True).min_variances
    np.testing.assert_allclose(floor, RELATIVE_FLOOR * np.array([1.0, 2.0, 3.0]))
    # The third column is in units 8 times smaller: its variance counts 64 times less.
    floor = FloorRegularizer.from_overall_variances(overall, np.array([0, 0, 3]), scale_per_column=True).min_variances
    np.testing.assert_allclose(floor[1], RELATIVE_FLOOR * (1.0 + 3.0 / 64.0) / 2.0)


@pytest.mark.parametrize("per_column", [True, False])
def test_floor_of_equal_rows_is_that_of_variance_one(per_column: bool) -> None:
    np.testing.assert_array_equal(
        FloorRegularizer.from_overall_variances(np.zeros(3), EQUAL_EXPONENTS, per_column).min_variances,
        np.full(3, RELATIVE_FLOOR),
    )


def test_only_the_floor_regularizer_has_a_floor() -> None:
    assert NoRegularizer().floor is None
    assert RidgeRegularizer(np.ones(2), np.zeros(2)).floor is None
    np.testing.assert_array_equal(np.asarray(FloorRegularizer(np.ones(2)).floor), np.ones(2))


@pytest.mark.parametrize("kind", [kind for kind in MomentKind if kind is not MomentKind.NONE])
def test_ridge_adds_to_the_scatter_in_proportion_to_the_mass(kind: MomentKind) -> None:
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(2, 3, 3))
    full = Moments(np.array([2.0, 5.0]), np.zeros((2, 3)), factors @ np.swapaxes(factors, 1, 2), MomentKind.FULL)
    amounts = np.array([0.5, 1.0, 2.0])
    added = Moments(full.mass, full.mean, full.mass[:, None, None] * np.diag(amounts), MomentKind.FULL).to_kind(kind)
    regularized = RidgeRegularizer(amounts, np.zeros(3)).regularize_moments(full.to_kind(kind))
    np.testing.assert_allclose(regularized.scatter, full.to_kind(kind).scatter + added.scatter, rtol=1e-14)


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_singular_component_without_regularizer_raises_collapse_error(name: str) -> None:
    estimator = make_covariance_estimator(Structure.from_name(name), NoRegularizer())
    zero_moments = Moments(np.array([3.0, 3.0]), np.zeros((2, 2)), np.zeros((2, 2, 2)), MomentKind.FULL)
    with pytest.raises(CollapseError, match="reg_covar=None keeps every covariance usable"):
        estimator.estimate(zero_moments.to_kind(estimator.moment_kind))
