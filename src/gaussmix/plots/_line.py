"""One column drawn: histogram, density of the mixture and its components, and a strip of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Mixture
from gaussmix.plots import canvas
from gaussmix.plots._layout import BEYOND, reach
from gaussmix.plots.columns import Cloud, Units, column_name
from gaussmix.plots.style import GREY, INK, PALE, looks
from gaussmix.types import ND, NK, AnyArray, Array, N

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BINS = 60
_TALLEST = 3.0  # a density may rise to this many times the highest bar before its peak is cut off
_INVISIBLE = 1e-4  # a component this far below the highest density is not drawn
_GOLDEN = 0.5 * (5.0**0.5 - 1.0)
_FEW_RINGS, _MOST_RINGS, _MOST_RINGED = 20, 150, 0.1  # rows, rows, and of all rows drawn: more rings are a crowd
WHOLE_MIXTURE: dict[str, Any] = {"color": INK, "linewidth": 1.2}
"""How the line of a whole mixture looks."""

_STRIP = (-0.22, -0.05)  # where the strip of rows lies, as shares of the height of the densities


@dataclass(frozen=True)
class Curves:
    """A marginal on a grid, in the axis' units: places (G,), density (G,), weighted components (G, K)."""

    units: Units
    low: float
    high: float
    places: Array
    density: Array
    components: NK
    has_noise: bool = False


def line_ends(
    mixtures: Sequence[Mixture], values: N, column: int, beyond: float = BEYOND
) -> tuple[float, float]:
    """Lower and upper end of one axis for the rows' ``values`` in a column and the components of every mixture."""
    parts = [mixture.marginal([column]) for mixture in mixtures]
    sides = np.concatenate([_around(part, np.array([-3.0, 3.0])) for part in parts])
    centers = np.concatenate([part.means[:, 0] for part in parts])
    weights = np.concatenate([part.weights for part in parts]) / len(parts)
    return reach(values, centers, sides, weights, beyond)


def curves(mixture: Mixture, values: N, column: int, ends: tuple[float, float] | None = None) -> Curves:
    """The density of one column where rows or components are, or between ``ends``, fine enough to meet every peak."""
    part = mixture.marginal([column])
    peaks = _around(part, np.linspace(-4.0, 4.0, 41)).ravel()
    low, high = line_ends([mixture], values, column) if ends is None else ends
    units = Units.between(low, high)
    grid = np.unique(np.concatenate([np.linspace(low, high, 200), peaks[(peaks >= low) & (peaks <= high)]]))
    total = np.exp(part.log_density(grid[:, None]) + units.exponent * np.log(10.0))
    shares = part.responsibilities(grid[:, None])
    sides = units.show(np.array([low, high]))
    shown, parts = units.show(grid), total[:, None] * shares
    return Curves(units, float(sides[0]), float(sides[1]), shown, total, parts, part.noise is not None)


def _around(part: Mixture, deviations: Array) -> Array:
    """Places (K, m) so many standard deviations (m,) from the means of a mixture of one column, in the data's units."""
    sizes = np.sqrt(part.covariance.matrices()[:, 0, 0])
    places = part.centers[:, 0, None] + sizes[:, None] * deviations
    return np.asarray(part.frame.restore_points(places.reshape(-1, 1)).reshape(places.shape))


def bins(values: N, axis: float) -> Array:
    """Edges of a histogram: by Freedman & Diaconis' rule, but at least sqrt(n) bars, of whole numbers' width.

    One value only gets a bar a twentieth as wide as the ``axis``.
    """
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.array([low - 0.025 * axis, high + 0.025 * axis])
    quarter, three_quarters = np.quantile(values, [0.25, 0.75])
    width = 2.0 * (three_quarters - quarter) / len(values) ** (1.0 / 3.0)
    narrowest, widest = (high - low) / _MOST_BINS, (high - low) / min(max(6.0, len(values) ** 0.5), _MOST_BINS)
    width = float(np.clip(width, narrowest, widest))
    if high - low < 2**53 and np.array_equal(values, np.round(values)):
        # A bar that holds now two whole numbers, now three, would show steps that are not in the data.
        whole = max(1.0, np.round(width))
        return np.asarray(low - 0.5 + whole * np.arange(np.ceil((high - low + 1.0) / whole) + 1.0))
    return np.linspace(low, high, int(np.ceil((high - low) / width)) + 1)


def draw_histogram(ax: "Axes", values: N, weights: N | None, axis: float) -> float:
    """Grey bars of total area 1 on an axis of a given length; the height of the tallest."""
    edges = bins(values, axis)
    heights, _ = np.histogram(values, edges, weights=weights)
    heights = heights / (heights.sum() * np.diff(edges))
    ax.stairs(heights, edges, fill=True, color=PALE, zorder=1)
    ax.stairs(heights, edges, color="white", linewidth=0.6, zorder=1)
    return float(heights.max())


def draw_curves(ax: "Axes", drawn: Curves, tallest: float | None = None, total: dict[str, Any] = WHOLE_MIXTURE) -> None:
    """The density, looking like ``total``, its weighted components beneath, and limits that a spike cannot spoil."""
    for k, style in enumerate(looks(drawn.components.shape[1], drawn.has_noise)):
        visible = drawn.components[:, k] > _INVISIBLE * drawn.density.max()
        places, heights = drawn.places[visible], drawn.components[visible, k]
        ax.fill_between(places, heights, color=style.fill, alpha=0.12, linewidth=0, zorder=2)
        ax.plot(places, heights, color=style.line, linestyle=style.dash, linewidth=1.5, zorder=3)
    ax.plot(drawn.places, drawn.density, **total, zorder=4)
    peak = float(drawn.density.max())
    ceiling = 1.06 * peak if tallest is None else 1.06 * max(tallest, min(peak, _TALLEST * tallest))
    if ceiling < peak:
        ax.set_title("peak cut off", loc="right", fontsize="small", color=GREY)
    ax.set_xlim(drawn.low, drawn.high)
    ax.set_ylim(0.0, ceiling)


def draw_marginal(
    ax: "Axes",
    mixture: Mixture,
    values: N,
    column: int,
    histogram: bool = False,
    weights: N | None = None,
    small: bool = False,
) -> Units:
    """The densities of one column, over a histogram of its rows if wanted, with the axes named; the units of x."""
    drawn = curves(mixture, values, column)
    shown = drawn.units.show(values)
    tallest = draw_histogram(ax, shown, weights, drawn.high - drawn.low) if histogram else None
    draw_curves(ax, drawn, tallest)
    name_density(ax, mixture, drawn.units, column, small)
    return drawn.units


def name_density(ax: "Axes", mixture: Mixture, units: Units, column: int, small: bool) -> None:
    """The names of the axes of a density."""
    name = canvas.shortened(column_name(mixture, column), 24 if small else 32)
    canvas.name_axis(ax, units.label(name, "\n" if small or len(name) > canvas.LONG else " "), "density")
    canvas.tidy(ax)


def draw_rings(ax: "Axes", points: ND, size: float, n_rows: int, raster: bool) -> None:
    """Hollow circles around points (m, 2) of a ``size``, of ``n_rows`` drawn.

    Where there are many they are narrow, and lie beneath the rows, which they would hide.
    """
    crowded = len(points) > _MOST_RINGS or len(points) > max(_FEW_RINGS, _MOST_RINGED * n_rows)
    width, factor, order = (0.5, 2.4, 1.5) if crowded else (0.8, 3.5, 3.0)
    look: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": width, "zorder": order}
    ax.scatter(points[:, 0], points[:, 1], s=factor * size, rasterized=raster, **look)


def draw_strip(ax: "Axes", values: N, cloud: Cloud, colours: ND, doubtful: AnyArray | None, raster: bool) -> None:
    """The rows, in the axis' units, as points in a band under the densities; their height there means nothing."""
    top = ax.get_ylim()[1]
    low, high = (share * top for share in _STRIP)
    # Multiples of the golden ratio spread over the band without clumps.
    heights = low + (high - low) * (_GOLDEN * np.arange(len(values)) % 1.0)
    size = float(np.clip(9000 / len(values), 6, 24))
    for k, style in enumerate(looks(cloud.soft.shape[1], cloud.has_noise)):
        mine = cloud.labels == k
        look: dict[str, Any] = {"marker": style.marker, "linewidths": 0, "rasterized": raster, "zorder": 2}
        ax.scatter(values[mine], heights[mine], s=size, c=colours[mine], **look)
    if doubtful is not None:
        draw_rings(ax, np.column_stack([values, heights])[doubtful], size, len(values), raster)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    ax.set_ylim(1.35 * low, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0.0 <= tick <= top])
