"""One column drawn: histogram, density of the mixture and its components, and a strip of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Mixture
from gaussmix.plots import canvas
from gaussmix.plots._layout import MAX_EXTENSION, compute_axis_limits
from gaussmix.plots.plot_data import AxisUnits, PlotSample, column_name
from gaussmix.plots.style import GREY, INK, PALE, component_styles
from gaussmix.types import ND, NK, AnyArray, Array, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_BINS = 60
_MAX_PEAK_TO_BAR_RATIO = 3.0  # a density may rise to this many times the highest bar before its peak is cut off
_MIN_VISIBLE_DENSITY_RATIO = 1e-4  # a component this far below the highest density is not drawn
_GOLDEN_RATIO = 0.5 * (5.0**0.5 - 1.0)
_MIN_RING_LIMIT, _MAX_RING_LIMIT = 20, 150  # rows: more rings are a crowd
_MAX_RINGED_FRACTION = 0.1  # of all rows drawn: more rings are a crowd
MIXTURE_LINE_STYLE: dict[str, Any] = {"color": INK, "linewidth": 1.2}
"""How the line of a whole mixture looks."""

_STRIP_HEIGHT_RANGE = (-0.22, -0.05)  # where the strip of rows lies, as shares of the height of the densities


@dataclass(frozen=True)
class DensityCurves:
    """A marginal on a grid, in the axis' units: places (G,), density (G,), weighted components (G, K)."""

    units: AxisUnits
    x_min: float
    x_max: float
    grid: Array
    mixture_density: Array
    component_densities: NK
    has_noise: bool = False


def compute_density_limits(
    mixtures: Sequence[Mixture], values: N, column: int, max_extension: float = MAX_EXTENSION
) -> tuple[float, float]:
    """Lower and upper end of one axis for the rows' ``values`` in a column and the components of every mixture."""
    parts = [mixture.marginal([column]) for mixture in mixtures]
    sides = np.concatenate([_points_around_means(part, np.array([-3.0, 3.0])) for part in parts])
    centers = np.concatenate([part.means[:, 0] for part in parts])
    weights = np.concatenate([part.weights for part in parts]) / len(parts)
    return compute_axis_limits(values, centers, sides, weights, max_extension)


def compute_density_curves(
    mixture: Mixture, values: N, column: int, axis_limits: tuple[float, float] | None = None
) -> DensityCurves:
    """The density of one column where rows or components are, or between ``ends``, fine enough to meet every peak."""
    part = mixture.marginal([column])
    peaks = _points_around_means(part, np.linspace(-4.0, 4.0, 41)).ravel()
    low, high = compute_density_limits([mixture], values, column) if axis_limits is None else axis_limits
    units = AxisUnits.from_limits(low, high)
    grid = np.unique(np.concatenate([np.linspace(low, high, 200), peaks[(peaks >= low) & (peaks <= high)]]))
    total = np.exp(part.logpdf(grid[:, None]) + units.exponent * np.log(10.0))
    shares = part.predict_proba(grid[:, None])
    sides = units.to_axis_units(np.array([low, high]))
    shown, parts = units.to_axis_units(grid), total[:, None] * shares
    return DensityCurves(units, float(sides[0]), float(sides[1]), shown, total, parts, part.noise is not None)


def _points_around_means(marginal: Mixture, offsets_in_sds: Array) -> Array:
    """Places (K, m) so many standard deviations (m,) from the means of a mixture of one column, in the data's units."""
    sizes = np.sqrt(marginal.covariance.matrices()[:, 0, 0])
    places = marginal.centers[:, 0, None] + sizes[:, None] * offsets_in_sds
    return np.asarray(marginal.frame.restore_means(places.reshape(-1, 1)).reshape(places.shape))


def histogram_edges(values: N, axis_length: float) -> Array:
    """Edges of a histogram: by Freedman & Diaconis' rule, but at least sqrt(n) bars, of whole numbers' width.

    One value only gets a bar a twentieth as wide as the ``axis``.
    """
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.array([low - 0.025 * axis_length, high + 0.025 * axis_length])
    quarter, three_quarters = np.quantile(values, [0.25, 0.75])
    width = 2.0 * (three_quarters - quarter) / len(values) ** (1.0 / 3.0)
    narrowest, widest = (high - low) / _MAX_BINS, (high - low) / min(max(6.0, len(values) ** 0.5), _MAX_BINS)
    width = float(np.clip(width, narrowest, widest))
    if high - low < 2**53 and np.array_equal(values, np.round(values)):
        # A bar that holds now two whole numbers, now three, would show steps that are not in the data.
        whole = max(1.0, np.round(width))
        return np.asarray(low - 0.5 + whole * np.arange(np.ceil((high - low + 1.0) / whole) + 1.0))
    return np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)


def draw_histogram(ax: "Axes", values: N, weights: N | None, axis_length: float) -> float:
    """Grey bars of total area 1 on an axis of a given length; the height of the tallest."""
    edges = histogram_edges(values, axis_length)
    heights, _ = np.histogram(values, edges, weights=weights)
    heights = heights / (heights.sum() * np.diff(edges))
    ax.stairs(heights, edges, fill=True, color=PALE, zorder=1)
    ax.stairs(heights, edges, color="white", linewidth=0.6, zorder=1)
    return float(heights.max())


def draw_density_curves(
    ax: "Axes",
    curves: DensityCurves,
    max_bar_height: float | None = None,
    mixture_line_style: dict[str, Any] = MIXTURE_LINE_STYLE,
) -> None:
    """The density, looking like ``total``, its weighted components beneath, and limits that a spike cannot spoil."""
    for k, style in enumerate(component_styles(curves.component_densities.shape[1], curves.has_noise)):
        visible = curves.component_densities[:, k] > _MIN_VISIBLE_DENSITY_RATIO * curves.mixture_density.max()
        places, heights = curves.grid[visible], curves.component_densities[visible, k]
        ax.fill_between(places, heights, color=style.fill_colour, alpha=0.12, linewidth=0, zorder=2)
        ax.plot(places, heights, color=style.line_colour, linestyle=style.line_style, linewidth=1.5, zorder=3)
    ax.plot(curves.grid, curves.mixture_density, **mixture_line_style, zorder=4)
    peak = float(curves.mixture_density.max())
    top = peak
    if max_bar_height is not None:
        top = max(max_bar_height, min(peak, _MAX_PEAK_TO_BAR_RATIO * max_bar_height))
    ceiling = 1.06 * top
    if ceiling < peak:
        ax.set_title("peak cut off", loc="right", fontsize="small", color=GREY)
    ax.set_xlim(curves.x_min, curves.x_max)
    ax.set_ylim(0.0, ceiling)


def draw_marginal(
    ax: "Axes",
    mixture: Mixture,
    values: N,
    column: int,
    with_histogram: bool = False,
    weights: N | None = None,
    is_small: bool = False,
) -> AxisUnits:
    """The densities of one column, over a histogram of its rows if wanted, with the axes named; the units of x."""
    drawn = compute_density_curves(mixture, values, column)
    shown = drawn.units.to_axis_units(values)
    tallest = draw_histogram(ax, shown, weights, drawn.x_max - drawn.x_min) if with_histogram else None
    draw_density_curves(ax, drawn, tallest)
    label_density_axes(ax, mixture, drawn.units, column, is_small)
    return drawn.units


def label_density_axes(ax: "Axes", mixture: Mixture, units: AxisUnits, column: int, is_small: bool) -> None:
    """The names of the axes of a density."""
    name = canvas.truncate_name(column_name(mixture, column), 24 if is_small else 32)
    canvas.label_axes(
        ax, units.format_label(name, "\n" if is_small or len(name) > canvas.LONG_NAME_LENGTH else " "), "density"
    )
    canvas.hide_top_right_spines(ax)


def draw_rings(ax: "Axes", points: ND, marker_area: float, n_rows: int, is_rasterized: bool) -> None:
    """Hollow circles around points (m, 2) of a ``size``, of ``n_rows`` drawn.

    Where there are many they are narrow, and lie beneath the rows, which they would hide.
    """
    crowded = len(points) > _MAX_RING_LIMIT or len(points) > max(_MIN_RING_LIMIT, _MAX_RINGED_FRACTION * n_rows)
    width, factor, order = (0.5, 2.4, 1.5) if crowded else (0.8, 3.5, 3.0)
    look: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": width, "zorder": order}
    ax.scatter(points[:, 0], points[:, 1], s=factor * marker_area, rasterized=is_rasterized, **look)


def draw_row_strip(
    ax: "Axes", values: N, sample: PlotSample, row_colours: ND, is_ringed: AnyArray | None, is_rasterized: bool
) -> None:
    """The rows, in the axis' units, as points in a band under the densities; their height there means nothing."""
    top = ax.get_ylim()[1]
    low, high = (share * top for share in _STRIP_HEIGHT_RANGE)
    # Multiples of the golden ratio spread over the band without clumps.
    heights = low + (high - low) * (_GOLDEN_RATIO * np.arange(len(values)) % 1.0)
    size = float(np.clip(9000 / len(values), 6, 24))
    for k, style in enumerate(component_styles(sample.responsibilities.shape[1], sample.has_noise)):
        mine = sample.labels == k
        look: dict[str, Any] = {"marker": style.marker, "linewidths": 0, "rasterized": is_rasterized, "zorder": 2}
        ax.scatter(values[mine], heights[mine], s=size, c=row_colours[mine], **look)
    if is_ringed is not None:
        draw_rings(ax, np.column_stack([values, heights])[is_ringed], size, len(values), is_rasterized)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    ax.set_ylim(1.35 * low, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0.0 <= tick <= top])
