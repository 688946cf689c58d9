"""Density plots: areas of 1, sums of components, weighted histograms."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaussmix import Mixture, ParameterError, plots
from gaussmix.plots._panel_1d import compute_density_curves_on_grid, compute_density_limits, compute_histogram_edges
from tests.plots.conftest import make_mixture, read_text


def read_bars(ax: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the heights (m,) and the edges (m + 1,) of the histogram."""
    data = ax.patches[0].get_data()
    return np.asarray(data.values), np.asarray(data.edges)


@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e6])
def test_curves_are_the_density_in_the_units_of_the_axis(scale: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    mixture = Mixture.from_parameters([0.4, 0.6], [[0.0], [5.0 * scale]], [[[scale**2]], [[4.0 * scale**2]]])
    limits = compute_density_limits([mixture], np.linspace(-2.0, 9.0, 50) * scale, 0)
    curves = compute_density_curves_on_grid(mixture, 0, limits)
    unit = 10.0**curves.units.exponent
    expected_densities = [
        w * stats.norm.pdf(curves.grid, m * scale / unit, s * scale / unit)
        for w, m, s in ((0.4, 0.0, 1.0), (0.6, 5.0, 2.0))
    ]
    assert np.allclose(curves.component_densities, np.transpose(expected_densities), atol=1e-12 / scale * unit)
    assert np.allclose(curves.mixture_density, curves.component_densities.sum(axis=1))
    assert np.trapezoid(curves.mixture_density, curves.grid) == pytest.approx(1.0, abs=0.02)


@given(arrays(float, st.integers(1, 80), elements=st.floats(-1e3, 1e3)))
def test_bins_hold_every_value(values: np.ndarray) -> None:
    edges = compute_histogram_edges(values, 1.0)
    assert np.all(np.diff(edges) > 0)
    assert np.histogram(values, edges)[0].sum() == len(values)


@pytest.mark.parametrize("high", [1, 7, 40, 1000])
def test_bars_of_integers_have_integer_widths(high: int) -> None:
    edges = compute_histogram_edges(np.arange(high + 1.0), 1.0)
    assert np.allclose(np.diff(edges), np.round(np.diff(edges)))
    assert np.allclose(edges % 1.0, 0.5)


def test_histogram_has_area_one(two_components: tuple[Mixture, Any]) -> None:
    heights, edges = read_bars(plots.density(*two_components, 0))
    assert (heights * np.diff(edges)).sum() == pytest.approx(1.0)


def test_weight_two_is_the_row_twice(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    weights = np.where(X[:, 0] > 1.0, 2.0, 1.0)
    heights, edges = read_bars(plots.density(mixture, X, 0, sample_weight=weights))
    expected = np.histogram(np.repeat(X[:, 0], weights.astype(int)), edges, density=True)[0]
    assert np.allclose(heights, expected)
    assert not np.allclose(heights, read_bars(plots.density(mixture, X, 0))[0])
    figure = plots.densities(mixture, X, sample_weight=weights)
    assert np.allclose(read_bars(figure.axes[0])[0], expected)


def test_column_by_number_or_name(two_components: tuple[Mixture, Any]) -> None:
    assert plots.density(*two_components, "b").get_xlabel() == "b"
    assert plots.density(*two_components, -1).get_xlabel() == "b"
    assert plots.density(*two_components).get_xlabel() == "a"


def test_legend_is_optional(two_components: tuple[Mixture, Any]) -> None:
    assert "mixture" in read_text(plots.density(*two_components, 0))
    assert plots.density(*two_components, 0, legend=False).get_legend() is None


def test_a_high_peak_is_cut_off_and_the_title_says_so() -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0], [1.0]], [[[1.0]], [[1e-12]]])
    ax = plots.density(mixture, mixture.sample(100, 0)[0], 0)
    assert "peak cut off" in read_text(ax)
    assert ax.get_ylim()[1] < 50.0


def test_grid_shows_all_columns_or_the_most_separating() -> None:
    mixture = make_mixture(2, 18)
    X = mixture.sample(40, 0)[0]
    figure = plots.densities(mixture, X)
    assert len(figure.axes) == 16
    assert "16 of 18 columns" in read_text(figure)
    assert len(plots.densities(mixture, X, max_columns=4).axes) == 4
    selected_figure = plots.densities(mixture, X, columns=[3, 1])
    assert [ax.get_xlabel() for ax in selected_figure.axes] == ["column 3", "column 1"]
    with pytest.raises(ParameterError, match="max_columns"):
        plots.densities(mixture, X, max_columns=0)


def test_invalid_weights_are_rejected(two_components: tuple[Mixture, Any]) -> None:
    for invalid_weights in ([1.0], -np.ones(200), np.zeros(200)):
        with pytest.raises(ValueError, match="sample_weight"):
            plots.density(*two_components, 0, sample_weight=invalid_weights)


@pytest.mark.parametrize("factor", [1e90, 1e-90])
def test_the_size_of_weights_does_not_matter(factor: float, two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    weights = np.where(X[:, 0] > 1.0, 2.0, 1.0)
    heights, edges = read_bars(plots.density(mixture, X, 0, sample_weight=weights))
    rescaled_axes = plots.density(mixture, X, 0, sample_weight=weights * factor)
    read_text(rescaled_axes)
    assert np.allclose(read_bars(rescaled_axes)[0], heights)
    assert np.array_equal(read_bars(rescaled_axes)[1], edges)
