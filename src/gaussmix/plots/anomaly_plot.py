"""Plot anomalies among the groups of normal rows, in the columns in which they deviate most."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix.anomaly.detector import AnomalyDetector
from gaussmix.anomaly.explanation import Explanations, explain_rows
from gaussmix.anomaly.judgement import Judgement, judge_rows
from gaussmix.errors import ParameterError
from gaussmix.model import Mixture
from gaussmix.plots import _legend, canvas
from gaussmix.plots._anomaly_marks import (
    MAX_NUMBERED_ANOMALIES,
    NORMAL_COLOUR,
    MarkedPoints,
    anomaly_entries,
    draw_anomalies,
    extend_axis_limits,
    move_into_axes,
    normal_row_entry,
)
from gaussmix.plots._panel_1d import (
    MIXTURE_LINE_STYLE,
    compute_density_curves_on_grid,
    compute_density_limits,
    draw_density_curves,
    label_density_axes,
)
from gaussmix.plots._panel_2d import (
    MAX_NUMBERED_COMPONENTS,
    MAX_VECTOR_POINTS,
    compute_ellipse_outlines,
    compute_scatter_limits,
    draw_component_numbers,
    draw_ellipse_outlines,
)
from gaussmix.plots.plot_data import (
    MAX_ROWS,
    AxisUnits,
    column_name,
    resolve_columns,
    sample_row_indices,
    select_separating_columns,
)
from gaussmix.plots.style import INK, OKABE_ITO_COLOURS, Style, hex_to_rgb
from gaussmix.plots.validation import check_detector
from gaussmix.types import ND, AnyArray, Array, ArrayLike, N

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MAX_EXPLAINED_ROWS = 300  # anomalies that decide which columns are drawn
_STRIP_HEIGHTS = (-0.22, -0.05)  # of the rows below a density of one column, in units of its height
_GOLDEN_RATIO = 0.5 * (5.0**0.5 - 1.0)
_GROUP_COLOUR = hex_to_rgb(OKABE_ITO_COLOURS[0])


def anomalies(
    detector: AnomalyDetector,
    X: ArrayLike,
    columns: Sequence[int | str] | None = None,
    ax: "Axes | None" = None,
    *,
    p_values: ArrayLike | None = None,
    is_anomaly: ArrayLike | None = None,
    threshold: tuple[str, float] | None = None,
    max_rows: int = MAX_ROWS,
    random_state: int = 0,
    numbered: ArrayLike | None = None,
    legend: bool = True,
) -> "Axes":
    """Plot rows in two columns with the ellipses of the groups of normal rows; anomalies are numbered crosses.

    One column is drawn as a density over a strip of rows. Anomalies far outside lie at the edge as hollow crosses, so
    that the other rows remain visible.

    Parameters
    ----------
    detector : fitted AnomalyDetector
    X : array-like of shape (n, D)
        Rows in the data's units.
    columns : sequence of one or two column numbers or names, optional
        Default: the two columns in which the anomalies deviate most, or without anomalies those that separate the
        groups best.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    p_values, is_anomaly, threshold
        See `gaussmix.anomaly.judge_rows`.
    max_rows : int, default=5000
        Draw at most this many normal rows, a random subset, and this many anomalies, the most unusual ones.
    random_state : int, default=0
        Seed of the subset.
    numbered : array-like of int of shape (k,), optional
        Which anomalies have their number beside them, counted from 0 for the most unusual one. Default: the first 20.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError, ParameterError
        If the rows or a parameter are invalid.
    MissingPackageError
        If matplotlib is not installed.
    """
    groups = check_detector(detector).model_.groups
    judgement = judge_rows(detector, X, p_values=p_values, is_anomaly=is_anomaly, threshold=threshold)
    indices = select_deviating_columns(detector, judgement) if columns is None else resolve_columns(groups, columns)
    if len(indices) > 2:
        raise ParameterError.invalid_value("columns", columns, "one or two columns")
    normal = np.flatnonzero(~judgement.is_anomaly)
    normal = normal[sample_row_indices(len(normal), max_rows, random_state)]
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.6, 4.6)
    draw = _draw_one_column if len(indices) == 1 else _draw_two_columns
    unusual = judgement.rows[judgement.ranked_anomalies[:max_rows]]
    marked = draw(ax, groups, judgement.rows[normal], unusual, indices)
    shown = np.arange(MAX_NUMBERED_ANOMALIES) if numbered is None else np.asarray(numbered, dtype=np.int64)
    draw_anomalies(ax, marked, shown[shown < len(unusual)], is_rasterized=len(unusual) > MAX_VECTOR_POINTS)
    if legend:
        is_automatic = columns is None
        canvas.draw_legend(
            ax, _legend_entries(groups, judgement, len(normal), marked, indices, is_automatic), is_own_axes
        )
    return ax


def select_deviating_columns(detector: AnomalyDetector, judgement: Judgement) -> list[int]:
    """Return the numbers of at most two columns in which the anomalies deviate most, in the order of the data."""
    groups, grids = detector.model_.groups, detector.model_.grids
    n_drawn = min(2, groups.n_independent_features)
    ranked = judgement.ranked_anomalies[:_MAX_EXPLAINED_ROWS]
    if not len(ranked) or n_drawn == groups.n_independent_features:
        return select_separating_columns(groups, judgement.rows, n_drawn)
    importance = _column_importance(explain_rows(groups, judgement.rows[ranked], is_anomaly=True, grids=grids))
    order = np.argsort(-importance, kind="stable")[:n_drawn]
    return sorted(int(j) for j in np.arange(groups.n_features)[groups.independent_columns][order])


def _column_importance(explanations: Explanations) -> N:
    """Return a number for each column (d,): the sum over the rows of logarithms of its deviations.

    Columns that a sentence names count in full, the others a hundredth.
    """
    sizes = np.log1p(np.abs(explanations.conditional_z))
    is_named = np.zeros(sizes.shape, dtype=bool)
    for positions in (explanations.deviating_columns, explanations.pair_columns):
        rows, places = np.nonzero(positions >= 0)
        is_named[rows, positions[rows, places]] = True
    return np.asarray(np.where(is_named, sizes, 0.01 * sizes).sum(axis=0).round(9))


def _draw_two_columns(ax: "Axes", groups: Mixture, normal: ND, unusual: ND, columns: list[int]) -> MarkedPoints:
    """Draw normal rows (m, D), ellipses in two columns; return where anomalies (k, D) are to be drawn."""
    shown = normal if len(normal) else _select_central_rows(unusual)
    inner = compute_scatter_limits([groups], shown[:, columns], columns).tolist()
    limits = [extend_axis_limits((low, high), unusual[:, j]) for (low, high), j in zip(inner, columns, strict=True)]
    units = [AxisUnits.from_limits(low, high) for low, high in limits]

    def to_axis_units(points: AnyArray) -> Array:
        return np.stack([unit.to_axis_units(points[..., i]) for i, unit in enumerate(units)], axis=-1)

    low, high = to_axis_units(np.array(limits).T)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    _draw_normal_rows(ax, to_axis_units(normal[:, columns]))
    marginal = groups.marginal(columns)
    outlines = to_axis_units(compute_ellipse_outlines(marginal))
    draw_ellipse_outlines(ax, outlines, [Style(_GROUP_COLOUR, _GROUP_COLOUR, "o", "-")] * marginal.n_components)
    if 1 < marginal.n_components <= MAX_NUMBERED_COMPONENTS:
        draw_component_numbers(ax, to_axis_units(marginal.medians), outlines, is_small=False)
    marked = move_into_axes(ax, to_axis_units(unusual[:, columns]))
    names = [canvas.truncate_name(column_name(groups, j)) for j in columns]
    canvas.label_axes(ax, *(unit.format_label(name) for unit, name in zip(units, names, strict=True)))
    canvas.hide_top_right_spines(ax)
    return marked


def _select_central_rows(rows: ND) -> ND:
    """Return rows (m, D) with each value moved between the quantiles of 5 % and 95 % of its column."""
    low, high = np.quantile(rows, [0.05, 0.95], axis=0, method="nearest")
    return np.clip(rows, low, high)


def _draw_normal_rows(ax: "Axes", points: ND) -> None:
    """Draw normal rows as grey dots at points (m, 2)."""
    options: dict[str, Any] = {"color": NORMAL_COLOUR, "linewidths": 0.0, "rasterized": len(points) > MAX_VECTOR_POINTS}
    size = float(np.clip(9000 / max(len(points), 1), 5, 18))
    ax.scatter(points[:, 0], points[:, 1], s=size, alpha=0.6, zorder=1.5, **options)


def _draw_one_column(ax: "Axes", groups: Mixture, normal: ND, unusual: ND, columns: list[int]) -> MarkedPoints:
    """Draw the density of one column over a strip of normal rows (m, D); return where anomalies (k, D) are drawn."""
    (column,) = columns
    shown = normal if len(normal) else _select_central_rows(unusual)
    limits = extend_axis_limits(compute_density_limits([groups], shown[:, column], column), unusual[:, column])
    curves = compute_density_curves_on_grid(groups, column, limits)
    draw_density_curves(ax, curves)
    label_density_axes(ax, groups, curves.units, column, is_small=False)
    top = ax.get_ylim()[1]
    low, high = (fraction * top for fraction in _STRIP_HEIGHTS)
    ax.set_ylim(1.35 * low, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0.0 <= tick <= top])
    ax.axhline(0.0, color=INK, linewidth=0.8)
    strips = [_spread_in_strip(curves.units.to_axis_units(rows[:, column]), low, high) for rows in (normal, unusual)]
    _draw_normal_rows(ax, strips[0])
    return move_into_axes(ax, strips[1])


def _spread_in_strip(x: N, low: float, high: float) -> ND:
    """Return points (m, 2) at x (m,), with heights that fill a strip evenly."""
    return np.column_stack([x, low + (high - low) * (_GOLDEN_RATIO * np.arange(1, len(x) + 1) % 1.0)])


def _legend_entries(
    groups: Mixture, judgement: Judgement, n_drawn: int, marked: MarkedPoints, columns: list[int], is_automatic: bool
) -> "list[Artist]":
    """Return the entries of the legend."""
    n_normal = len(judgement) - judgement.n_anomalies
    entries = [normal_row_entry(n_normal), *anomaly_entries(judgement.n_anomalies, int(marked.is_beyond.sum()))]
    if len(columns) == 2:
        entries += [_ellipse_entry(), *_group_number_entries(groups.n_components)]
    else:
        entries.append(_density_entry())
    n_hidden = n_normal - n_drawn + judgement.n_anomalies - len(marked.points)
    if n_hidden:
        drawn = canvas.format_number(len(judgement) - n_hidden, 0)
        entries.append(_legend.text_entry(f"{drawn} of {canvas.format_count(len(judgement), 'row')} drawn"))
    if is_automatic and judgement.n_anomalies and len(columns) < groups.n_independent_features:
        text = f"{len(columns)} of {groups.n_features} columns: those in\nwhich anomalies deviate most"
        entries.append(_legend.text_entry(text))
    return entries


def _ellipse_entry() -> "Artist":
    """Return the entry that says how much of a group of normal rows its two ellipses hold."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=_GROUP_COLOUR, linewidth=1.1, label="normal groups:\nellipses hold 50% and 95%")


def _density_entry() -> "Artist":
    """Return the entry of the density of the normal rows, over that of each of their groups."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **MIXTURE_LINE_STYLE, label="density of normal rows,\nof each group in colour")


def _group_number_entries(n_groups: int) -> "list[Artist]":
    """Return the entry of circled numbers, if there is more than one group."""
    if not 1 < n_groups <= MAX_NUMBERED_COMPONENTS:
        return []
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"marker": "o", "markersize": 9.0, "markerfacecolor": "white", "markeredgecolor": INK}
    return [Line2D([], [], linestyle="none", markeredgewidth=0.6, label="number of a normal group", **style)]
