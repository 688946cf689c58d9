"""Draw a panel of one column: histogram, densities and a strip of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Mixture
from gaussmix.plots import canvas
from gaussmix.plots._layout import MAX_EXTENSION_RATIO, compute_axis_limits
from gaussmix.plots.plot_data import AxisUnits, PlotSample, column_name
from gaussmix.plots.style import GREY, INK, PALE, component_styles
from gaussmix.types import ND, NK, Array, BoolN, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_BINS = 60
_MIN_RESOLVED_FRACTION = 0.25  # of the axis: eight standard deviations of this length have enough points of the grid
_MAX_PEAK_TO_BAR_RATIO = 3.0  # the y axis ends at this multiple of the highest bar and cuts off higher peaks
_MIN_VISIBLE_DENSITY_RATIO = 1e-4  # smaller densities, relative to the highest one, are not drawn
_GOLDEN_RATIO = 0.5 * (5.0**0.5 - 1.0)
# Rings are narrow beyond this fraction of the drawn rows, which is limited to a range of row numbers.
_MAX_RINGED_FRACTION, _MIN_RING_LIMIT, _MAX_RING_LIMIT = 0.1, 20, 150
MIXTURE_LINE_STYLE: dict[str, Any] = {"color": INK, "linewidth": 1.2}
_STRIP_HEIGHT_RANGE = (-0.22, -0.05)  # ends of the strip of rows, in units of the height of the density axis


@dataclass(frozen=True)
class DensityCurves:
    """Densities of one column on a grid (G,), in the axis' units: of the mixture (G,) and of each component (G, K).

    The density of a component is multiplied by its weight; a noise component comes last. ``x_min`` and ``x_max`` are
    the ends of the axis, and ``units`` converts data to its units.
    """

    units: AxisUnits
    x_min: float
    x_max: float
    grid: Array
    mixture_density: Array
    component_densities: NK
    has_noise: bool = False


def compute_density_limits(
    mixtures: Sequence[Mixture], values: N, column: int, max_extension_ratio: float = MAX_EXTENSION_RATIO
) -> tuple[float, float]:
    """Return the ends (low, high) of an axis that shows the rows' ``values`` (n,) and all mixtures' components."""
    marginals = [mixture.marginal([column]) for mixture in mixtures]
    outlines = np.concatenate([_points_around_means(marginal, np.array([-3.0, 3.0])) for marginal in marginals])
    means = np.concatenate([marginal.medians[:, 0] for marginal in marginals])
    weights = np.concatenate([marginal.weights for marginal in marginals]) / len(marginals)
    return compute_axis_limits(values, means, outlines, weights, max_extension_ratio)


def compute_density_curves_on_grid(
    mixture: Mixture, column: int, axis_limits: tuple[float, float], n_points: int = 200
) -> DensityCurves:
    """Evaluate the densities of one column on a grid between axis limits that resolves the peak of every component.

    ``axis_limits`` (low, high) are in the data's units, the densities in those of the axis.
    """
    marginal = mixture.marginal([column])
    low, high = axis_limits
    peaks = _points_around_means(marginal, np.linspace(-4.0, 4.0, 41))
    is_narrow = np.ptp(peaks, axis=1) < _MIN_RESOLVED_FRACTION * (high - low)
    peaks = peaks[is_narrow].ravel()
    units = AxisUnits.from_limits(low, high)
    grid = np.unique(np.concatenate([np.linspace(low, high, n_points), peaks[(peaks >= low) & (peaks <= high)]]))
    density = np.exp(marginal.logpdf(grid[:, None]) + units.exponent * np.log(10.0))
    component_densities = np.zeros((len(grid), marginal.n_components + (marginal.noise is not None)))
    is_positive = density > 0.0  # a transform may not allow other values
    probabilities = marginal.predict_proba(grid[is_positive, None]) if is_positive.any() else 0.0
    component_densities[is_positive] = density[is_positive, None] * probabilities
    x_min, x_max = (float(end) for end in units.to_axis_units(np.array([low, high])))
    x, has_noise = units.to_axis_units(grid), marginal.noise is not None
    return DensityCurves(units, x_min, x_max, x, density, component_densities, has_noise)


def _points_around_means(column_marginal: Mixture, offsets_in_sds: Array) -> Array:
    """Return points (K, m) at offsets (m,) from the mean of each component of a mixture of one column.

    Offsets are in standard deviations of the component, points in the data's units.
    """
    sds = np.sqrt(column_marginal.covariance.matrices()[:, 0, 0])
    points = column_marginal.centers[:, 0, None] + sds[:, None] * offsets_in_sds
    return np.asarray(column_marginal.restore_points(points.reshape(-1, 1)).reshape(points.shape))


def compute_histogram_edges(values: N, axis_length: float) -> Array:
    """Return the edges (m + 1,) of a histogram by the rule of Freedman & Diaconis, with at least sqrt(n) bars.

    Bars of integer values have an integer width. If all values are equal, there is one bar of a twentieth of
    ``axis_length``, which has no other use.
    """
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.array([low - 0.025 * axis_length, high + 0.025 * axis_length])
    first_quartile, third_quartile = np.quantile(values, [0.25, 0.75])
    width = 2.0 * (third_quartile - first_quartile) / len(values) ** (1.0 / 3.0)
    min_width, max_width = (high - low) / _MAX_BINS, (high - low) / min(max(6.0, len(values) ** 0.5), _MAX_BINS)
    width = float(np.clip(width, min_width, max_width))
    if high - low < 2**53 and np.array_equal(values, np.round(values)):
        # Bars with varying numbers of integers would show steps that are not in the data.
        integer_width = max(1.0, np.round(width))
        return np.asarray(low - 0.5 + integer_width * np.arange(np.ceil((high - low + 1.0) / integer_width) + 1.0))
    return np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)


def draw_histogram_and_get_max_height(ax: "Axes", values: N, row_weights: N | None, axis_length: float) -> float:
    """Draw grey bars of all values but NaN, with a total area of 1; return the height of the highest bar."""
    is_present = ~np.isnan(values)
    values, row_weights = values[is_present], None if row_weights is None else row_weights[is_present]
    if not len(values):
        return 0.0
    edges = compute_histogram_edges(values, axis_length)
    heights, _ = np.histogram(values, edges, weights=row_weights)
    heights = heights / (heights.sum() * np.diff(edges))
    ax.stairs(heights, edges, fill=True, color=PALE, zorder=1)
    ax.stairs(heights, edges, color="white", linewidth=0.6, zorder=1)
    return float(heights.max())


def draw_density_curves(
    ax: "Axes",
    curves: DensityCurves,
    min_axis_height: float | None = None,
    mixture_line_style: dict[str, Any] = MIXTURE_LINE_STYLE,
) -> None:
    """Draw the density of the mixture over those of its weighted components, and set the limits of both axes.

    The y axis reaches at least ``min_axis_height``. It cuts off peaks above three times this height, and the title says
    so. By default no peak is cut off.
    """
    for k, style in enumerate(component_styles(curves.component_densities.shape[1], curves.has_noise)):
        is_visible = curves.component_densities[:, k] > _MIN_VISIBLE_DENSITY_RATIO * curves.mixture_density.max()
        x, y = curves.grid[is_visible], curves.component_densities[is_visible, k]
        outline = np.concatenate([x[:1], x, x[-1:]]), np.concatenate([0.0 * y[:1], y, 0.0 * y[-1:]])
        ax.fill(*outline, color=style.fill_colour, alpha=0.12, linewidth=0, zorder=2)
        ax.plot(x, y, color=style.line_colour, linestyle=style.line_style, linewidth=1.5, zorder=3)
    ax.plot(curves.grid, curves.mixture_density, **mixture_line_style, zorder=4)
    peak = float(curves.mixture_density.max())
    top = peak
    if min_axis_height is not None:
        top = max(min_axis_height, min(peak, _MAX_PEAK_TO_BAR_RATIO * min_axis_height))
    ceiling = 1.06 * top
    if ceiling < peak:
        ax.set_title("peak cut off", loc="right", fontsize="small", color=GREY)
    ax.set_xlim(curves.x_min, curves.x_max)
    ax.set_ylim(0.0, ceiling)


def draw_column_density(
    ax: "Axes",
    mixture: Mixture,
    values: N,
    column: int,
    with_histogram: bool = False,
    row_weights: N | None = None,
    is_small: bool = False,
) -> DensityCurves:
    """Draw the densities of one column, optionally over a histogram, and label the axes; return the curves drawn.

    The axes show the rows' ``values`` (n,) and all components. ``is_small`` shortens the labels.
    """
    limits = compute_density_limits([mixture], values, column)
    curves = compute_density_curves_on_grid(mixture, column, limits, 100 if is_small else 200)
    x = curves.units.to_axis_units(values)
    axis_length = curves.x_max - curves.x_min
    max_bar_height = draw_histogram_and_get_max_height(ax, x, row_weights, axis_length) if with_histogram else None
    draw_density_curves(ax, curves, max_bar_height)
    label_density_axes(ax, mixture, curves.units, column, is_small)
    return curves


def label_density_axes(ax: "Axes", mixture: Mixture, units: AxisUnits, column: int, is_small: bool) -> None:
    """Label x with the column's name and units and y with 'density', and hide the right and upper spine."""
    name = canvas.truncate_name(column_name(mixture, column), 24 if is_small else 32)
    separator = "\n" if is_small or len(name) > canvas.LONG_NAME_LENGTH else " "
    canvas.label_axes(ax, units.format_label(name, separator), "density")
    canvas.hide_top_right_spines(ax)


def draw_rings(ax: "Axes", points: ND, row_marker_area: float, n_drawn_rows: int, is_rasterized: bool) -> None:
    """Draw hollow circles around points (m, 2), some of the ``n_drawn_rows`` rows of a panel.

    ``row_marker_area`` is the area of the rows' markers, in square points. If there are many, the rings are narrow and
    lie beneath the rows, which they would otherwise hide.
    """
    is_crowded = len(points) > _MAX_RING_LIMIT or len(points) > max(
        _MIN_RING_LIMIT, _MAX_RINGED_FRACTION * n_drawn_rows
    )
    width, factor, order = (0.5, 2.4, 1.5) if is_crowded else (0.8, 3.5, 3.0)
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": width, "zorder": order}
    ax.scatter(points[:, 0], points[:, 1], s=factor * row_marker_area, rasterized=is_rasterized, **ring)


def draw_row_strip(
    ax: "Axes", x_values: N, sample: PlotSample, row_colours: ND, is_ringed: BoolN | None, is_rasterized: bool
) -> None:
    """Draw rows as points in a band below a density of 0, and extend the y axis to it.

    ``x_values`` (m,) are in the axis' units. The heights within the band are arbitrary. Rows with ``is_ringed`` get a
    ring.
    """
    top = ax.get_ylim()[1]
    low, high = (fraction * top for fraction in _STRIP_HEIGHT_RANGE)
    # Multiples of the golden ratio, modulo 1, fill the band evenly.
    heights = low + (high - low) * (_GOLDEN_RATIO * np.arange(len(x_values)) % 1.0)
    size = float(np.clip(9000 / len(x_values), 6, 24))
    for k, style in enumerate(component_styles(sample.responsibilities.shape[1], sample.has_noise)):
        is_drawn = sample.labels == k
        marker: dict[str, Any] = {"marker": style.marker, "linewidths": 0, "rasterized": is_rasterized, "zorder": 2}
        ax.scatter(x_values[is_drawn], heights[is_drawn], s=size, c=row_colours[is_drawn], **marker)
    if is_ringed is not None:
        draw_rings(ax, np.column_stack([x_values, heights])[is_ringed], size, len(x_values), is_rasterized)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    ax.set_ylim(1.35 * low, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0.0 <= tick <= top])
