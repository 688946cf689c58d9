"""Two columns drawn: rows in the colours of their membership, ellipses, and the components' numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Gaussian, Mixture
from gaussmix.plots import canvas
from gaussmix.plots._layout import MAX_EXTENSION, compute_axis_limits, separate_points
from gaussmix.plots._panel_1d import draw_rings
from gaussmix.plots.plot_data import AxisUnits, PlotSample, column_name
from gaussmix.plots.style import INK, Style, blend_colours, component_colours, component_styles, distinct_styles
from gaussmix.types import KD, ND, AnyArray, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ELLIPSE_COVERAGES = (0.5, 0.95)
"""How much of a component its two ellipses hold."""

MAX_VECTOR_POINTS = 800
"""Points of one panel beyond which a vector file holds a picture of the points instead."""

_MAX_NUMBERED_COMPONENTS = 60  # more could not be read
_LAYOUT_SHRINK_FACTOR = 0.75  # axes become about this much narrower when legends find their place


def draw_scatter_panel(
    ax: "Axes",
    mixture: Mixture,
    sample: PlotSample,
    columns: list[int],
    row_colours: ND,
    is_ringed: AnyArray | None,
    is_small: bool,
    ellipse_mixtures: Sequence[Mixture] | None = None,
    axis_limits: ND | None = None,
    max_name_length: int = 40,
) -> None:
    """Rows, ellipses and component numbers in two columns; ``doubtful`` rows are ringed.

    The axes lie between ``ends`` (2, 2), or reach as far as the mixture, whichever ellipses are drawn: its own, or
    those of ``bells``.
    """
    rows = sample.rows[:, columns]
    axis_limits = compute_scatter_limits([mixture], rows, columns) if axis_limits is None else axis_limits
    units = [AxisUnits.from_limits(low, high) for low, high in axis_limits.tolist()]

    def shown(points: AnyArray) -> Array:
        return np.stack([unit.to_axis_units(points[..., i]) for i, unit in enumerate(units)], axis=-1)

    _draw_rows(ax, shown(rows), sample, row_colours, is_ringed, is_small)
    low, high = shown(axis_limits.T)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    for bell in [one.marginal(columns) for one in ([mixture] if ellipse_mixtures is None else ellipse_mixtures)]:
        drawn = _component_ellipses(bell)
        _draw_ellipses(ax, shown(drawn), distinct_styles(bell.n_components))
        if bell.n_components <= _MAX_NUMBERED_COMPONENTS:
            _draw_component_numbers(ax, shown(bell.means), shown(drawn), is_small)
    names = [canvas.truncate_name(column_name(mixture, j), 18 if is_small else max_name_length) for j in columns]
    separators = ["\n" if is_small or len(name) > canvas.LONG_NAME_LENGTH else " " for name in names]
    canvas.label_axes(ax, *(u.format_label(name, s) for u, name, s in zip(units, names, separators, strict=True)))
    canvas.hide_top_right_spines(ax)


def compute_scatter_limits(
    mixtures: Sequence[Mixture], rows: ND, columns: list[int], max_extension: float = MAX_EXTENSION
) -> ND:
    """Lower and upper ends (2, 2) of two axes for rows (n, 2) and the ellipses of every mixture."""
    parts = [mixture.marginal(columns) for mixture in mixtures]
    centers = np.concatenate([part.means for part in parts])
    outlines = np.concatenate([_component_ellipses(part) for part in parts])
    weights = np.concatenate([part.weights for part in parts]) / len(parts)
    drawn = [outlines[..., i].reshape(len(centers), -1) for i in (0, 1)]
    return np.array([compute_axis_limits(rows[:, i], centers[:, i], drawn[i], weights, max_extension) for i in (0, 1)])


def compute_row_colours(sample: PlotSample, assignment: str) -> ND:
    """A colour (n, 3) per drawn row: blended by responsibility, or that of the most probable component."""
    if assignment == "soft":
        return blend_colours(sample.responsibilities, sample.has_noise)
    return np.asarray(component_colours(sample.responsibilities.shape[1], sample.has_noise)[sample.labels])


def _component_ellipses(marginal: Mixture) -> Array:
    """The two ellipses of every component of a mixture of two columns, (K, 2, m, 2)."""
    return np.array(
        [[component_ellipse(marginal, k, share) for share in ELLIPSE_COVERAGES] for k in range(marginal.n_components)]
    )


def component_ellipse(marginal: Mixture, component: int, coverage: float) -> ND:
    """The ellipse of a component of a mixture of two columns, computed where nothing overflows."""
    bell = Gaussian(marginal.centers[component], marginal.covariance.matrices()[component])
    return marginal.frame.restore_means(bell.ellipse(coverage))


def _draw_rows(
    ax: "Axes", points: ND, sample: PlotSample, row_colours: ND, is_ringed: AnyArray | None, is_small: bool
) -> None:
    """One call per component, since a call draws one marker."""
    size = float(np.clip(9000 / len(points), 6, 30)) * (0.4 if is_small else 1.0)
    raster = len(points) * (4 if is_small else 1) > MAX_VECTOR_POINTS
    for k, style in enumerate(component_styles(sample.responsibilities.shape[1], sample.has_noise)):
        mine = sample.labels == k
        look: dict[str, Any] = {"marker": style.marker, "alpha": 0.85, "linewidths": 0.0, "rasterized": raster}
        ax.scatter(points[mine, 0], points[mine, 1], s=size, c=row_colours[mine], zorder=2, **look)
    if is_ringed is not None:
        draw_rings(ax, points[is_ringed], size, len(points), raster)


def _draw_ellipses(ax: "Axes", ellipses: Array, ellipse_styles: list[Style]) -> None:
    for pair, style in zip(ellipses, ellipse_styles, strict=True):
        for points, width in zip(pair, (2.0, 1.1), strict=True):
            ax.plot(
                points[:, 0],
                points[:, 1],
                color=style.line_colour,
                linestyle=style.line_style,
                linewidth=width,
                zorder=4,
            )


def _draw_component_numbers(ax: "Axes", centers: KD, ellipses: Array, is_small: bool) -> None:
    """The number of each component at its mean, with a line to it where it had to give way.

    It gives way to other numbers, and to a component that it would hide.
    """
    box, font = ax.get_window_extent(), 6.5 if is_small else 9.0 if len(centers) <= 8 else 7.5
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    per_point = ax.figure.dpi / 72.0
    scale = np.array([box.width, box.height]) / (high - low) / per_point * _LAYOUT_SHRINK_FACTOR
    points = (centers - low) * scale
    hidden = (np.ptp(ellipses[:, -1], axis=1) * scale).max(axis=1) < 1.6 * font
    inwards = 0.5 * (high - low) * scale - points
    aside = inwards / np.maximum(np.hypot(*inwards.T), 1e-9)[:, None] * np.where(hidden, 2.0 * font, 0.0)[:, None]
    offsets = separate_points(points + aside, 2.1 * font) - points
    circle = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": INK, "linewidth": 0.6, "alpha": 0.85}
    for k, (center, offset) in enumerate(zip(centers.tolist(), offsets.tolist(), strict=True)):
        moved = np.hypot(*offset) > 1.0
        ax.annotate(
            str(k),
            center,
            xytext=offset,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=font,
            color=INK,
            bbox=circle,
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.7} if moved else None,
            zorder=6,
        )
