"""Two columns drawn: rows in the colours of their membership, ellipses, and the components' numbers."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Gaussian, Mixture
from gaussmix.plots import _canvas
from gaussmix.plots._columns import Cloud, Units, column_name
from gaussmix.plots._layout import reach, spread_apart
from gaussmix.plots._line import draw_rings
from gaussmix.plots._style import INK, Style, blend, palette, styles
from gaussmix.types import KD, ND, AnyArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES = (0.5, 0.95)
"""How much of a component its two ellipses hold."""

RASTER = 800
"""Points beyond which a vector file holds a picture of the points instead."""

_LAYOUT_SHRINKS = 0.75  # axes become about this much narrower when legends find their place


def draw_plane(
    ax: "Axes", mixture: Mixture, cloud: Cloud, columns: list[int], colours: ND, doubtful: AnyArray | None, small: bool
) -> None:
    """Rows, ellipses and component numbers in two columns; ``doubtful`` rows are ringed."""
    part = mixture.marginal(columns)
    units = [Units.of(cloud.rows[:, j]) for j in columns]

    def shown(points: ND) -> ND:
        return np.column_stack([unit.show(points[:, i]) for i, unit in enumerate(units)])

    rows, centers = shown(cloud.rows[:, columns]), shown(part.means)
    outlines = [[shown(outline(part, k, share)) for share in SHARES] for k in range(part.n_components)]
    _draw_rows(ax, rows, cloud, colours, doubtful, small)
    _draw_outlines(ax, outlines, styles(part.n_components))
    widest = np.concatenate([pair[-1] for pair in outlines])
    ax.set_xlim(reach(rows[:, 0], centers[:, 0], widest[:, 0]))
    ax.set_ylim(reach(rows[:, 1], centers[:, 1], widest[:, 1]))
    _draw_numbers(ax, centers, small)
    longest, separator = (18, "\n") if small else (40, " ")
    names = [_canvas.shortened(column_name(mixture, j), longest) for j in columns]
    _canvas.name_axis(ax, *(unit.label(name, separator) for unit, name in zip(units, names, strict=True)))
    _canvas.tidy(ax)


def colours_of(cloud: Cloud, assign: str) -> ND:
    """A colour (n, 3) per drawn row: blended by responsibility, or that of the most probable component."""
    return blend(cloud.soft) if assign == "soft" else palette(cloud.soft.shape[1])[cloud.labels]


def outline(part: Mixture, k: int, share: float) -> ND:
    """The ellipse of a component of a mixture of two columns, computed where nothing overflows."""
    bell = Gaussian(part.centers[k], part.covariance.matrices()[k])
    return part.frame.restore_points(bell.ellipse(share))


def _draw_rows(ax: "Axes", rows: ND, cloud: Cloud, colours: ND, doubtful: AnyArray | None, small: bool) -> None:
    """One call per component, since a call draws one marker."""
    size = float(np.clip(9000 / len(rows), 6, 30)) * (0.4 if small else 1.0)
    raster = len(rows) > RASTER
    for k, style in enumerate(styles(cloud.soft.shape[1])):
        mine = cloud.labels == k
        look: dict[str, Any] = {"marker": style.marker, "alpha": 0.85, "linewidths": 0.0, "rasterized": raster}
        ax.scatter(rows[mine, 0], rows[mine, 1], s=size, c=colours[mine], zorder=2, **look)
    if doubtful is not None:
        draw_rings(ax, rows[doubtful], 3.5 * size, raster)


def _draw_outlines(ax: "Axes", outlines: list[list[ND]], looks: list[Style]) -> None:
    for pair, style in zip(outlines, looks, strict=True):
        for points, width in zip(pair, (2.0, 1.1), strict=True):
            ax.plot(points[:, 0], points[:, 1], color=style.line, linestyle=style.dash, linewidth=width, zorder=4)


def _draw_numbers(ax: "Axes", centers: KD, small: bool) -> None:
    """The number of each component at its mean, with a line to it where it had to give way."""
    box, font = ax.get_window_extent(), 6.5 if small else 9.0 if len(centers) <= 8 else 7.5
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    per_point = ax.figure.dpi / 72.0
    points = (centers - low) / (high - low) * [box.width, box.height] / per_point * _LAYOUT_SHRINKS
    offsets = spread_apart(points, 2.1 * font) - points
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
