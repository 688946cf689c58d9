"""The frame loses no bit on the way in, and names what the way out cannot hold."""

import math
from fractions import Fraction

import numpy as np
import pytest

from gaussmix import UnrepresentableError
from gaussmix.core.frame import ColumnRange, Frame, frame_from_mean_and_deviation
from gaussmix.types import ND


def fit_frame(rows: ND, per_column: bool = True) -> Frame:
    first = ColumnRange(rows.min(axis=0), rows.max(axis=0)).bounding_frame(per_column)
    working = first.transform_rows(rows)
    return frame_from_mean_and_deviation(first, working.mean(axis=0), working.std(axis=0), per_column)


def draw_rows(scale: float, offset: float, seed: int = 0) -> ND:
    return np.asarray(scale * (np.random.default_rng(seed).normal(size=(50, 3)) + offset))


UNITS = [(1.0, 0.0), (1.0, 1e8), (1e-150, 0.0), (1e150, 1e3), (3e-160, 1e6), (1e300, 0.0), (1e-300, 1e2)]


@pytest.mark.parametrize("per_column", [True, False])
@pytest.mark.parametrize(("scale", "offset"), UNITS)
def test_working_rows_are_near_one_and_exact(scale: float, offset: float, per_column: bool) -> None:
    rows = draw_rows(scale, offset)
    frame = fit_frame(rows, per_column)
    working = frame.transform_rows(rows)
    assert 0.2 < working.std() < 5.0
    assert np.abs(working.mean(axis=0)).max() < 2.0**-10
    for j in range(3):
        power = Fraction(2) ** int(frame.scale_exponent[j])
        shrink = Fraction(2) ** int(frame.shrink_exponent[j])
        for value, found in zip(rows[:5, j].tolist(), working[:5, j].tolist(), strict=True):
            exact = (Fraction(value) * shrink - Fraction(float(frame.center[j]))) * power
            if offset:
                assert Fraction(found) == exact
            else:  # the centre may be finer than a number of its own size: one rounding
                assert abs(Fraction(found) - exact) <= abs(exact) * Fraction(2) ** -52 + Fraction(2) ** -52


@pytest.mark.parametrize(("scale", "offset"), UNITS)
def test_restore_means_inverts_transform_rows(scale: float, offset: float) -> None:
    rows = draw_rows(scale, offset)
    frame = fit_frame(rows)
    spread = scale * 1e-15 * (1.0 + offset)
    np.testing.assert_allclose(frame.restore_means(frame.transform_rows(rows)), rows, rtol=4e-16, atol=spread)


def test_matrices_are_scaled_by_powers_of_two() -> None:
    frame = Frame(np.array([0, 3]), np.array([1.0, 2.0]), np.array([-2, 1]))
    scale = np.array([0.25, 16.0])
    matrix = np.array([[[2.0, 0.5], [0.5, 1.0]]])
    np.testing.assert_array_equal(frame.transform_covariances(matrix), matrix * np.outer(scale, scale))
    np.testing.assert_array_equal(frame.restore_covariances(frame.transform_covariances(matrix)), matrix)
    np.testing.assert_array_equal(frame.restore_precisions(matrix), matrix * np.outer(scale, scale))
    np.testing.assert_array_equal(frame.restore_precision_roots(matrix), matrix * scale[:, None])
    np.testing.assert_array_equal(frame.restore_variances(np.array([[1.0, 1.0]])), [1.0 / scale**2])
    assert frame.log_abs_det_jacobian == pytest.approx(math.log(0.25 * 16.0))
    np.testing.assert_array_equal(frame.total_exponent, [-2, 4])
    np.testing.assert_array_equal(frame.transform_rows(np.array([[4.0, 1.0]])), [[0.75, 12.0]])


def test_identity_frame_changes_nothing() -> None:
    rows = draw_rows(1.0, 5.0)
    frame = Frame.identity(3)
    np.testing.assert_array_equal(frame.transform_rows(rows), rows)
    assert frame.log_abs_det_jacobian == 0.0


def test_select_columns() -> None:
    frame = Frame(np.array([0, 3]), np.array([1.0, 2.0]), np.array([-2, 1])).select_columns(np.array([1]))
    assert (frame.shrink_exponent.tolist(), frame.center.tolist(), frame.scale_exponent.tolist()) == ([3], [2.0], [1])


def test_common_frame_has_the_scale_of_the_widest_column() -> None:
    rows = draw_rows(1.0, 0.0) * np.array([1.0, 1e-6, 1e6])
    common = fit_frame(rows).with_common_scale()
    assert len(set(common.total_exponent.tolist())) == 1
    working = common.transform_rows(rows)
    assert 0.2 < working[:, 2].std() < 5.0
    np.testing.assert_allclose(working.std(axis=0) / working[:, 2].std(), rows.std(axis=0) / rows[:, 2].std())


@pytest.mark.parametrize("value", [0.0, 7.3, -1e200, 1e-200])
def test_constant_column_becomes_zero_and_takes_the_widest_scale(value: float) -> None:
    rows = np.column_stack([draw_rows(1.0, 0.0)[:, :2] * [1.0, 2.0**20], np.full(50, value)])
    frame = fit_frame(rows)
    assert (frame.transform_rows(rows)[:, 2] == 0).all()
    assert frame.total_exponent[2] == frame.total_exponent[1] == frame.total_exponent.min()
    np.testing.assert_array_equal(frame.restore_means(frame.transform_rows(rows))[:, 2], rows[:, 2])


def test_rows_that_are_all_equal_have_a_frame() -> None:
    rows = np.full((4, 2), 1e9)
    frame = fit_frame(rows)
    assert (frame.transform_rows(rows) == 0).all()


def test_column_ranges_add() -> None:
    total = ColumnRange(np.array([0.0, 5.0]), np.array([1.0, 6.0])) + ColumnRange(
        np.array([-1.0, 5.5]), np.array([0.5, 9.0])
    )
    np.testing.assert_array_equal(total.minimum, [-1.0, 5.0])
    np.testing.assert_array_equal(total.maximum, [1.0, 9.0])


@pytest.mark.parametrize(("power", "how"), [(600, "overflow"), (-600, "underflow")])
def test_overflow_and_underflow_raise_unrepresentable_error(power: int, how: str) -> None:
    frame = Frame(np.array([0]), np.array([0.0]), np.array([-power]))
    one = np.array([[[1.0]]])
    with pytest.raises(UnrepresentableError, match=f"covariances {how} double precision in the data's units; rescale"):
        frame.restore_covariances(one)
    with pytest.raises(UnrepresentableError, match=f"variances {how}"):
        frame.restore_variances(one[0])
    other = "underflow" if how == "overflow" else "overflow"
    with pytest.raises(UnrepresentableError, match=f"precisions {other}"):
        frame.restore_precisions(one)


def test_means_that_overflow_raise_unrepresentable_error() -> None:
    with pytest.raises(UnrepresentableError, match="means overflow"):
        Frame(np.array([-1000]), np.array([0.0]), np.array([0])).restore_means(np.array([[1e10]]))


def test_exact_zeros_do_not_count_as_underflow() -> None:
    frame = Frame(np.array([0]), np.array([0.0]), np.array([600]))
    assert frame.restore_covariances(np.zeros((1, 1, 1))) == 0.0


def test_only_the_identity_frame_is_identity() -> None:
    assert Frame.identity(2).is_identity
    nothing = np.zeros(2, dtype=np.int64)
    for frame in (
        Frame(np.array([0, 1]), np.zeros(2), nothing),
        Frame(nothing, np.array([0.0, 1e-300]), nothing),
        Frame(nothing, np.zeros(2), np.array([-1, 0])),
    ):
        assert not frame.is_identity


@pytest.mark.parametrize("n_rows", [0, 1, 31, 32, 33, 100])
def test_column_range_is_minimum_and_maximum_of_each_column(n_rows):
    rows = np.random.default_rng(n_rows).normal(size=(n_rows, 3))
    found = ColumnRange.from_rows(rows)
    np.testing.assert_array_equal(found.minimum, rows.min(axis=0, initial=np.inf))
    np.testing.assert_array_equal(found.maximum, rows.max(axis=0, initial=-np.inf))
