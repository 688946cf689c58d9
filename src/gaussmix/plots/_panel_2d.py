"""Draw a panel of two columns: coloured rows, ellipses and the numbers of the components."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Gaussian, Mixture
from gaussmix.plots import canvas
from gaussmix.plots._layout import MAX_EXTENSION_RATIO, compute_axis_limits, separate_points
from gaussmix.plots._panel_1d import draw_rings
from gaussmix.plots.plot_data import AxisUnits, PlotSample, column_name
from gaussmix.plots.style import INK, Style, blend_colours, component_colours, component_styles, distinct_styles
from gaussmix.types import KD, ND, AnyArray, Array, BoolN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ELLIPSE_COVERAGES = (0.5, 0.95)  # probability that the two ellipses of a component contain

_SMALL_OUTLINE_STEP = 3  # of the points on an ellipse, small panels draw one in three
MAX_VECTOR_POINTS = 800  # a vector file holds a bitmap of the points of a panel with more points

MAX_NUMBERED_COMPONENTS = 60  # more numbers would be illegible
_MAX_FRACTION_OF_NUMBERS = 0.7  # of a panel's area; numbers that take more of it overlap
_LAYOUT_SHRINK_FACTOR = 0.75  # estimated width of the axes after the layout of the legend


def draw_scatter_panel(
    ax: "Axes",
    mixture: Mixture,
    sample: PlotSample,
    columns: list[int],
    row_colours: ND,
    is_ringed: BoolN | None,
    is_small: bool,
    ellipse_mixtures: Sequence[Mixture] | None = None,
    axis_limits: ND | None = None,
    max_axis_name_length: int = 40,
) -> None:
    """Draw rows, ellipses and component numbers in two columns, with a ring around each row of ``is_ringed`` (m,).

    ``row_colours`` is (m, 3). ``axis_limits`` (2, 2), by default limits that show the rows and ``mixture``, has one row
    (low, high) per axis. ``ellipse_mixtures`` are the mixtures
    whose ellipses are drawn, by default ``mixture`` alone.
    """
    rows = sample.rows[:, columns]
    axis_limits = compute_scatter_limits([mixture], rows, columns) if axis_limits is None else axis_limits
    units = [AxisUnits.from_limits(low, high) for low, high in axis_limits.tolist()]

    def to_axis_units(points: AnyArray) -> Array:
        return np.stack([unit.to_axis_units(points[..., i]) for i, unit in enumerate(units)], axis=-1)

    _draw_rows(ax, to_axis_units(rows), sample, row_colours, is_ringed, is_small)
    low, high = to_axis_units(axis_limits.T)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    for ellipse_mixture in [mixture] if ellipse_mixtures is None else ellipse_mixtures:
        marginal = ellipse_mixture.marginal(columns)
        outlines = to_axis_units(compute_ellipse_outlines(marginal)[:, :, :: _SMALL_OUTLINE_STEP if is_small else 1])
        draw_ellipse_outlines(ax, outlines, distinct_styles(marginal.n_components))
        if marginal.n_components <= MAX_NUMBERED_COMPONENTS:
            draw_component_numbers(ax, to_axis_units(marginal.medians), outlines, is_small)
    names = [canvas.truncate_name(column_name(mixture, j), 18 if is_small else max_axis_name_length) for j in columns]
    separators = ["\n" if is_small or len(name) > canvas.LONG_NAME_LENGTH else " " for name in names]
    labels = [unit.format_label(name, end) for unit, name, end in zip(units, names, separators, strict=True)]
    canvas.label_axes(ax, *labels)
    canvas.hide_top_right_spines(ax)


def compute_scatter_limits(
    mixtures: Sequence[Mixture],
    points: ND,
    columns: list[int],
    max_extension_ratio: float = MAX_EXTENSION_RATIO,
) -> ND:
    """Return (low, high) of the x and the y axis, (2, 2), that show points (n, 2) and the mixtures' ellipses."""
    marginals = [mixture.marginal(columns) for mixture in mixtures]
    means = np.concatenate([marginal.medians for marginal in marginals])
    ellipses = np.concatenate([compute_ellipse_outlines(marginal) for marginal in marginals])
    weights = np.concatenate([marginal.weights for marginal in marginals]) / len(marginals)
    outlines = [ellipses[..., i].reshape(len(means), -1) for i in (0, 1)]
    return np.array(
        [compute_axis_limits(points[:, i], means[:, i], outlines[i], weights, max_extension_ratio) for i in (0, 1)]
    )


def compute_row_colours(sample: PlotSample, assignment: str) -> ND:
    """Return an RGB colour per drawn row, (m, 3): blended by responsibility, or if 'hard' its component's."""
    if assignment == "soft":
        return blend_colours(sample.responsibilities, sample.has_noise)
    return np.asarray(component_colours(sample.responsibilities.shape[1], sample.has_noise)[sample.labels])


def compute_ellipse_outlines(pair_marginal: Mixture) -> Array:
    """Return points on the 50 % and the 95 % ellipse of each component of a mixture of two columns, (K, 2, m, 2)."""
    return np.array(
        [
            [component_ellipse_outline(pair_marginal, k, coverage) for coverage in ELLIPSE_COVERAGES]
            for k in range(pair_marginal.n_components)
        ]
    )


def component_ellipse_outline(pair_marginal: Mixture, component: int, coverage: float) -> ND:
    """Return points (m, 2) on the ellipse that contains ``coverage`` of a component of a mixture of two columns.

    It is computed in the frame of the fit, where squares do not overflow.
    """
    gaussian = Gaussian(pair_marginal.centers[component], pair_marginal.covariance.matrices()[component])
    return pair_marginal.restore_points(gaussian.ellipse(coverage))


def _draw_rows(
    ax: "Axes", points: ND, sample: PlotSample, row_colours: ND, is_ringed: BoolN | None, is_small: bool
) -> None:
    """Draw rows at ``points`` (m, 2), each with its colour and the marker of its component, and their rings."""
    # A call of scatter draws one kind of marker.
    size = float(np.clip(9000 / len(points), 6, 30)) * (0.4 if is_small else 1.0)
    is_rasterized = len(points) * (8 if is_small else 1) > MAX_VECTOR_POINTS
    for k, style in enumerate(component_styles(sample.responsibilities.shape[1], sample.has_noise)):
        is_drawn = sample.labels == k
        options: dict[str, Any] = {"marker": style.marker, "linewidths": 0.0, "rasterized": is_rasterized}
        x, y = points[is_drawn].T
        ax.scatter(x, y, s=size, c=row_colours[is_drawn], alpha=0.85, zorder=2, **options)
    if is_ringed is not None:
        draw_rings(ax, points[is_ringed], size, len(points), is_rasterized)


def draw_ellipse_outlines(ax: "Axes", outlines: Array, styles: list[Style]) -> None:
    """Draw the outlines (K, 2, m, 2) of two ellipses per component, the inner one with a wider line."""
    for pair, style in zip(outlines, styles, strict=True):
        line: dict[str, Any] = {"color": style.line_colour, "linestyle": style.line_style, "zorder": 4}
        for points, width in zip(pair, (2.0, 1.1), strict=True):
            ax.plot(points[:, 0], points[:, 1], linewidth=width, **line)


def draw_component_numbers(ax: "Axes", centers: KD, outlines: Array, is_small: bool) -> None:
    """Write the number of each component at its mean, unless there is no room for all numbers.

    A number moves away from other numbers, from the edges, and from a component that it would hide. A line joins it to
    the mean then.
    """
    box, font = ax.get_window_extent(), 6.5 if is_small else 9.0 if len(centers) <= 8 else 7.5
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    per_point = ax.figure.dpi / 72.0
    scale = np.array([box.width, box.height]) / (high - low) / per_point * _LAYOUT_SHRINK_FACTOR
    points, size, spacing = (centers - low) * scale, (high - low) * scale, 2.1 * font
    if len(centers) * spacing**2 > _MAX_FRACTION_OF_NUMBERS * np.prod(size):
        return
    is_hidden = (np.ptp(outlines[:, -1], axis=1) * scale).max(axis=1) < 1.6 * font
    inwards = 0.5 * size - points
    shift = inwards / np.maximum(np.hypot(*inwards.T), 1e-9)[:, None] * np.where(is_hidden, 2.0 * font, 0.0)[:, None]
    limits = np.stack([np.full(2, 0.5 * spacing), size - 0.5 * spacing])
    offsets = separate_points(points + shift, spacing, limits) - points
    circle = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": INK, "linewidth": 0.6, "alpha": 0.85}
    for k, (center, offset) in enumerate(zip(centers.tolist(), offsets.tolist(), strict=True)):
        has_moved = np.hypot(*offset) > 1.0
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
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.7} if has_moved else None,
            zorder=6,
        )
