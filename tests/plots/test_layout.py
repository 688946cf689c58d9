"""Axis limits contain rows and means, and labels do not overlap."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaussmix.plots._layout import compute_axis_limits, separate_points

ROWS = np.array([0.0, 1.0])
NUMBERS = arrays(float, st.integers(1, 8), elements=st.floats(-1e6, 1e6))


@given(NUMBERS, NUMBERS, NUMBERS)
def test_axis_shows_rows_and_means(values: np.ndarray, centers: np.ndarray, outlines: np.ndarray) -> None:
    low, high = compute_axis_limits(values, centers, outlines[None], np.ones(1))
    inner_values = np.concatenate([values, centers])
    assert low < high
    assert low <= inner_values.min()
    assert high >= inner_values.max()


def test_a_wide_ellipse_does_not_flatten_the_rows() -> None:
    low, high = compute_axis_limits(
        ROWS, np.array([0.5, 0.5]), np.array([[-100.0, 100.0], [0.0, 1.0]]), np.array([0.001, 0.999])
    )
    assert high - low < 2.0
    assert compute_axis_limits(ROWS, np.array([0.5]), np.array([[-0.2, 1.2]]), np.ones(1))[0] < -0.2


def test_one_value_is_shown_with_its_ellipse() -> None:
    low, high = compute_axis_limits(np.full(3, 5.0), np.array([5.0]), np.array([[4.0, 6.0]]), np.ones(1))
    assert low < 4.0
    assert high > 6.0


def test_rows_narrower_than_the_model_do_not_clip_it() -> None:
    low, high = compute_axis_limits(
        ROWS, np.array([0.0, 50.0]), np.array([[-20.0, 20.0], [30.0, 70.0]]), np.array([0.5, 0.5])
    )
    assert low < -20.0
    assert high > 70.0


@given(arrays(float, (6, 2), elements=st.floats(0, 100)), st.floats(1, 20))
def test_separated_points_have_the_minimum_distance(points: np.ndarray, min_distance: float) -> None:
    separated = separate_points(points, min_distance)
    distance = np.hypot(*np.moveaxis(separated[:, None] - separated[None], 2, 0)) + 1e9 * np.eye(6)
    assert distance.min() > 0.95 * min_distance


@given(arrays(float, (12, 2), elements=st.floats(-50, 150)))
def test_separated_points_stay_within_limits(points: np.ndarray) -> None:
    limits = np.array([[0.0, 10.0], [100.0, 90.0]])
    separated = separate_points(points, 15.0, limits)
    assert (limits[0] <= separated).all()
    assert (separated <= limits[1]).all()


def test_points_in_a_corner_are_separated_within_limits() -> None:
    separated = separate_points(np.zeros((12, 2)), 15.0, np.array([[0.0, 0.0], [80.0, 60.0]]))
    distance = np.hypot(*np.moveaxis(separated[:, None] - separated[None], 2, 0)) + 1e9 * np.eye(12)
    assert distance.min() > 14.0


def test_distant_points_do_not_move() -> None:
    points = np.array([[0.0, 0.0], [50.0, 0.0]])
    assert np.array_equal(separate_points(points, 10.0), points)


def test_equal_points_are_separated() -> None:
    separated = separate_points(np.zeros((20, 2)), 10.0)
    distance = np.hypot(*np.moveaxis(separated[:, None] - separated[None], 2, 0)) + 1e9 * np.eye(20)
    assert distance.min() > 9.5
