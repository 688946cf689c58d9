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
    shown = np.concatenate([values, centers])
    assert low < high
    assert low <= shown.min()
    assert high >= shown.max()


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
def test_labels_end_up_apart(points: np.ndarray, gap: float) -> None:
    moved = separate_points(points, gap)
    distance = np.hypot(*np.moveaxis(moved[:, None] - moved[None], 2, 0)) + 1e9 * np.eye(6)
    assert distance.min() > 0.95 * gap


def test_labels_with_room_stay_where_they_are() -> None:
    points = np.array([[0.0, 0.0], [50.0, 0.0]])
    assert np.array_equal(separate_points(points, 10.0), points)


def test_labels_of_equal_places_part() -> None:
    moved = separate_points(np.zeros((20, 2)), 10.0)
    distance = np.hypot(*np.moveaxis(moved[:, None] - moved[None], 2, 0)) + 1e9 * np.eye(20)
    assert distance.min() > 9.5
