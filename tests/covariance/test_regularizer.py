"""The floor and the ridge."""

import numpy as np
import pytest

from gaussmix import CollapseError
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.covariance import MCLUST_NAMES, FloorRegularizer, RidgeRegularizer, Structure, make_covariance_estimator
from gaussmix.covariance.base import RELATIVE_FLOOR
from gaussmix.covariance.regularizer import NoRegularizer

SAME = np.zeros(3, dtype=np.int64)


def test_floor_is_a_share_of_each_columns_variance_or_of_their_mean() -> None:
    overall = np.array([1.0, 4.0, 0.25])
    np.testing.assert_array_equal(
        FloorRegularizer.from_overall_variances(overall, SAME, scale_per_column=True).min_variances,
        RELATIVE_FLOOR * overall,
    )
    np.testing.assert_allclose(
        FloorRegularizer.from_overall_variances(overall, SAME, scale_per_column=False).min_variances,
        RELATIVE_FLOOR * 1.75,
    )


def test_constant_column_borrows_the_mean_of_the_others() -> None:
    overall = np.array([1.0, 0.0, 3.0])
    floor = FloorRegularizer.from_overall_variances(overall, SAME, scale_per_column=True).min_variances
    np.testing.assert_allclose(floor, RELATIVE_FLOOR * np.array([1.0, 2.0, 3.0]))
    # The third column is held in units 8 times smaller: its variance counts 64 times less.
    floor = FloorRegularizer.from_overall_variances(overall, np.array([0, 0, 3]), scale_per_column=True).min_variances
    np.testing.assert_allclose(floor[1], RELATIVE_FLOOR * (1.0 + 3.0 / 64.0) / 2.0)


@pytest.mark.parametrize("per_column", [True, False])
def test_rows_that_are_all_equal_borrow_one(per_column: bool) -> None:
    np.testing.assert_array_equal(
        FloorRegularizer.from_overall_variances(np.zeros(3), SAME, per_column).min_variances, np.full(3, RELATIVE_FLOOR)
    )


def test_limits_say_whether_they_hold_a_floor() -> None:
    assert NoRegularizer().floor is None
    assert RidgeRegularizer(np.ones(2), np.zeros(2)).floor is None
    np.testing.assert_array_equal(np.asarray(FloorRegularizer(np.ones(2)).floor), np.ones(2))


@pytest.mark.parametrize("kind", [kind for kind in MomentKind if kind is not MomentKind.NONE])
def test_ridge_adds_to_the_scatter_in_proportion_to_the_mass(kind: MomentKind) -> None:
    rng = np.random.default_rng(0)
    half = rng.normal(size=(2, 3, 3))
    full = Moments(np.array([2.0, 5.0]), np.zeros((2, 3)), half @ np.swapaxes(half, 1, 2), MomentKind.FULL)
    amounts = np.array([0.5, 1.0, 2.0])
    added = Moments(full.mass, full.mean, full.mass[:, None, None] * np.diag(amounts), MomentKind.FULL).to_kind(kind)
    prepared = RidgeRegularizer(amounts, np.zeros(3)).regularize_moments(full.to_kind(kind))
    np.testing.assert_allclose(prepared.scatter, full.to_kind(kind).scatter + added.scatter, rtol=1e-14)


@pytest.mark.parametrize("name", MCLUST_NAMES)
def test_without_a_limit_a_singular_component_is_a_collapse(name: str) -> None:
    plug = make_covariance_estimator(Structure.from_name(name), NoRegularizer())
    nothing = Moments(np.array([3.0, 3.0]), np.zeros((2, 2)), np.zeros((2, 2, 2)), MomentKind.FULL)
    with pytest.raises(CollapseError, match="reg_covar=None keeps every covariance usable"):
        plug.estimate(nothing.to_kind(plug.moment_kind))
