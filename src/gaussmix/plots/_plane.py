"""Two columns drawn: rows in the colours of their membership, ellipses, and the components' numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.model import Gaussian, Mixture
from gaussmix.plots import canvas
from gaussmix.plots._layout import BEYOND, reach, spread_apart
from gaussmix.plots._line import draw_rings
from gaussmix.plots.columns import Cloud, Units, column_name
from gaussmix.plots.style import INK, Style, blend, colours, looks, styles
from gaussmix.types import KD, ND, AnyArray, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES = (0.5, 0.95)
"""How much of a component its two ellipses hold."""

RASTER = 800
"""Points of one panel beyond which a vector file holds a picture of the points instead."""

_MOST_NUMBERS = 60  # more could not be read
_LAYOUT_SHRINKS = 0.75  # axes become about this much narrower when legends find their place


def draw_plane(
    ax: "Axes",
    mixture: Mixture,
    cloud: Cloud,
    columns: list[int],
    colours: ND,
    doubtful: AnyArray | None,
    small: bool,
    bells: Sequence[Mixture] | None = None,
    ends: ND | None = None,
    longest_name: int = 40,
) -> None:
    """Rows, ellipses and component numbers in two columns; ``doubtful`` rows are ringed.

    The axes lie between ``ends`` (2, 2), or reach as far as the mixture, whichever ellipses are drawn: its own, or
    those of ``bells``.
    """
    rows = cloud.rows[:, columns]
    ends = plane_ends([mixture], rows, columns) if ends is None else ends
    units = [Units.between(low, high) for low, high in ends.tolist()]

    def shown(points: AnyArray) -> Array:
        return np.stack([unit.show(points[..., i]) for i, unit in enumerate(units)], axis=-1)

    _draw_rows(ax, shown(rows), cloud, colours, doubtful, small)
    low, high = shown(ends.T)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    for bell in [one.marginal(columns) for one in ([mixture] if bells is None else bells)]:
        drawn = _outlines(bell)
        _draw_outlines(ax, shown(drawn), styles(bell.n_components))
        if bell.n_components <= _MOST_NUMBERS:
            _draw_numbers(ax, shown(bell.means), shown(drawn), small)
    names = [canvas.shortened(column_name(mixture, j), 18 if small else longest_name) for j in columns]
    separators = ["\n" if small or len(name) > canvas.LONG else " " for name in names]
    canvas.name_axis(ax, *(u.label(name, s) for u, name, s in zip(units, names, separators, strict=True)))
    canvas.tidy(ax)


def plane_ends(mixtures: Sequence[Mixture], rows: ND, columns: list[int], beyond: float = BEYOND) -> ND:
    """Lower and upper ends (2, 2) of two axes for rows (n, 2) and the ellipses of every mixture."""
    parts = [mixture.marginal(columns) for mixture in mixtures]
    centers = np.concatenate([part.means for part in parts])
    outlines = np.concatenate([_outlines(part) for part in parts])
    weights = np.concatenate([part.weights for part in parts]) / len(parts)
    drawn = [outlines[..., i].reshape(len(centers), -1) for i in (0, 1)]
    return np.array([reach(rows[:, i], centers[:, i], drawn[i], weights, beyond) for i in (0, 1)])


def colours_of(cloud: Cloud, assign: str) -> ND:
    """A colour (n, 3) per drawn row: blended by responsibility, or that of the most probable component."""
    if assign == "soft":
        return blend(cloud.soft, cloud.has_noise)
    return np.asarray(colours(cloud.soft.shape[1], cloud.has_noise)[cloud.labels])


def _outlines(part: Mixture) -> Array:
    """The two ellipses of every component of a mixture of two columns, (K, 2, m, 2)."""
    return np.array([[outline(part, k, share) for share in SHARES] for k in range(part.n_components)])


def outline(part: Mixture, k: int, share: float) -> ND:
    """The ellipse of a component of a mixture of two columns, computed where nothing overflows."""
    bell = Gaussian(part.centers[k], part.covariance.matrices()[k])
    return part.frame.restore_points(bell.ellipse(share))


def _draw_rows(ax: "Axes", rows: ND, cloud: Cloud, colours: ND, doubtful: AnyArray | None, small: bool) -> None:
    """One call per component, since a call draws one marker."""
    size = float(np.clip(9000 / len(rows), 6, 30)) * (0.4 if small else 1.0)
    raster = len(rows) * (4 if small else 1) > RASTER
    for k, style in enumerate(looks(cloud.soft.shape[1], cloud.has_noise)):
        mine = cloud.labels == k
        look: dict[str, Any] = {"marker": style.marker, "alpha": 0.85, "linewidths": 0.0, "rasterized": raster}
        ax.scatter(rows[mine, 0], rows[mine, 1], s=size, c=colours[mine], zorder=2, **look)
    if doubtful is not None:
        draw_rings(ax, rows[doubtful], size, len(rows), raster)


def _draw_outlines(ax: "Axes", outlines: Array, drawn: list[Style]) -> None:
    for pair, style in zip(outlines, drawn, strict=True):
        for points, width in zip(pair, (2.0, 1.1), strict=True):
            ax.plot(points[:, 0], points[:, 1], color=style.line, linestyle=style.dash, linewidth=width, zorder=4)


def _draw_numbers(ax: "Axes", centers: KD, outlines: Array, small: bool) -> None:
    """The number of each component at its mean, with a line to it where it had to give way.

    It gives way to other numbers, and to a component that it would hide.
    """
    box, font = ax.get_window_extent(), 6.5 if small else 9.0 if len(centers) <= 8 else 7.5
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    per_point = ax.figure.dpi / 72.0
    scale = np.array([box.width, box.height]) / (high - low) / per_point * _LAYOUT_SHRINKS
    points = (centers - low) * scale
    hidden = (np.ptp(outlines[:, -1], axis=1) * scale).max(axis=1) < 1.6 * font
    inwards = 0.5 * (high - low) * scale - points
    aside = inwards / np.maximum(np.hypot(*inwards.T), 1e-9)[:, None] * np.where(hidden, 2.0 * font, 0.0)[:, None]
    offsets = spread_apart(points + aside, 2.1 * font) - points
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
