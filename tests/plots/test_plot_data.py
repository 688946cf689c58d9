"""Selection of columns and rows for plots, and units of axes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix import DataError, Mixture, ParameterError
from gaussmix.plots.plot_data import AxisUnits, PlotSample, resolve_columns, select_separating_columns
from tests.plots.conftest import make_mixture

SCALES = st.floats(-150, 150).map(lambda power: 10.0**power)


@given(
    low=st.floats(-1e3, 1e3), length=st.floats(1e-3, 1e3), size=SCALES, offset=st.sampled_from([0.0, 1.0, -1e8, 1e8])
)
def test_axis_numbers_are_short_and_keep_their_order(low: float, length: float, size: float, offset: float) -> None:
    low = (low + offset * length) * size
    high = low + length * size
    axis_values = AxisUnits.from_limits(low, high).to_axis_units(np.linspace(low, high, 11))
    assert np.all(np.diff(axis_values) > 0)
    assert np.abs(axis_values).max() < 1e6
    assert np.abs(axis_values).max() > 0.999e-3


@given(value=st.floats(-1e300, 1e300))
def test_units_convert_back_to_the_data(value: float) -> None:
    units = AxisUnits.from_limits(value - 1.0, value + 1.0)
    axis_value = float(units.to_axis_units(np.array(value)))
    assert axis_value * 10.0**units.exponent + units.offset == pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "label"),
    [
        (0.0, 10.0, "x"),
        (1990.0, 2025.0, "x"),
        (0.0, 5e6, "x (in units of 1e6)"),
        (0.0, 2e-150, "x (in units of 1e-150)"),
        (1e8 - 3.0, 1e8 + 3.0, "x - 100000000"),
        (-5e8 - 3.0, -5e8 + 3.0, "x + 500000000"),
    ],
)
def test_label_contains_the_units(low: float, high: float, label: str) -> None:
    assert AxisUnits.from_limits(low, high).format_label("x") == label


def test_separating_columns_have_different_means() -> None:
    means = np.zeros((2, 6))
    means[1, [2, 4]] = 4.0, 6.0
    mixture = Mixture.from_parameters([0.5, 0.5], means, [np.eye(6), np.eye(6)])
    X = mixture.sample(300, 0)[0]
    assert select_separating_columns(mixture, X, 2) == [2, 4]
    assert select_separating_columns(mixture, X, 1) == [4]
    assert select_separating_columns(mixture, X, 6) == list(range(6))


def test_a_column_separates_by_its_variance_too() -> None:
    second_covariance = np.eye(3)
    second_covariance[1, 1] = 100.0
    mixture = Mixture.from_parameters([0.5, 0.5], np.zeros((2, 3)), [np.eye(3), second_covariance])
    assert select_separating_columns(mixture, mixture.sample(300, 0)[0], 1) == [1]


def test_columns_by_number_and_name(two_components: tuple[Mixture, Any]) -> None:
    mixture, _ = two_components
    assert resolve_columns(mixture, ["b", 0]) == [1, 0]
    assert resolve_columns(mixture, [-1]) == [1]
    with pytest.raises(DataError, match="no column named 'c'; the columns are a, b"):
        resolve_columns(mixture, ["c"])
    for invalid_columns in ([2], [-3], [0, 0], []):
        with pytest.raises(ParameterError, match="distinct columns from 0 to 1"):
            resolve_columns(mixture, invalid_columns)


def test_plot_sample_is_a_seeded_subset_with_a_note(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    all_rows_sample = PlotSample.from_rows(mixture, X)
    assert all_rows_sample.subset_note is None
    assert np.array_equal(all_rows_sample.rows, X)
    subset = PlotSample.from_rows(mixture, X, max_rows=50)
    assert subset.subset_note == "50 of 200 rows drawn"
    large_subset = PlotSample.from_rows(mixture, mixture.sample(12_000, 0)[0], max_rows=1_500)
    assert large_subset.subset_note == "1\u202f500 of 12\u202f000 rows drawn"
    assert np.array_equal(subset.rows, X[subset.row_indices])
    assert np.array_equal(subset.all_uncertainties, all_rows_sample.all_uncertainties), (
        "uncertain rows are counted over all rows"
    )
    assert np.array_equal(subset.row_indices, PlotSample.from_rows(mixture, X, max_rows=50).row_indices)
    assert not np.array_equal(
        subset.row_indices, PlotSample.from_rows(mixture, X, max_rows=50, random_state=1).row_indices
    )
    with pytest.raises(ParameterError, match="max_rows"):
        PlotSample.from_rows(mixture, X, max_rows=0)


def test_plot_sample_reads_data_frames_by_name(two_components: tuple[Mixture, Any]) -> None:
    pandas = pytest.importorskip("pandas")
    mixture, X = two_components
    frame = pandas.DataFrame({"b": X[:, 1], "other": 0.0, "a": X[:, 0]})
    assert np.array_equal(PlotSample.from_rows(mixture, frame).rows, X)


def test_many_columns_are_preselected() -> None:
    mixture = make_mixture(2, 120)
    assert len(select_separating_columns(mixture, mixture.sample(50, 0)[0], 60)) == 60


def test_a_sample_represents_small_components_and_uncertain_rows() -> None:
    mixture = Mixture.from_parameters([0.998, 0.001, 0.001], [[0.0], [50.0], [53.0]], [[[1.0]]] * 3)
    rows = mixture.sample(40_000, 0)[0]
    sample = PlotSample.from_rows(mixture, rows, max_rows=1000)
    assert len(sample.row_indices) == 1000
    assert (np.bincount(sample.labels, minlength=3) >= 20).all()
    is_uncertain = sample.all_uncertainties > 0.2
    assert 0 < is_uncertain.sum() <= is_uncertain[sample.row_indices].sum()
    assert (np.bincount(sample.labels)[0] / 1000) > 0.9
