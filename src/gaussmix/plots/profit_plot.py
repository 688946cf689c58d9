"""Plot the profit of a plan of action over the number of customers contacted, with its maximum."""

from typing import TYPE_CHECKING, Any

from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.plots import canvas
from gaussmix.plots.style import GREY, INK, OKABE_ITO_COLOURS
from gaussmix.plots.validation import check_result

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_EXPECTED_COLOUR, _OBSERVED_COLOUR = OKABE_ITO_COLOURS[0], OKABE_ITO_COLOURS[5]
_BAND: dict[str, Any] = {"linewidth": 0, "alpha": 0.18}


def profit_curve(plan: ActionPlan, ax: "Axes | None" = None, *, legend: bool = True) -> "Axes":
    """Plot expected and observed profit with their intervals over the number of customers contacted, best first.

    A line marks the number that the plan contacts, where the expected profit is highest.

    Parameters
    ----------
    plan : ActionPlan
        Result of `gaussmix.classification.plan_actions`.
    ax : matplotlib Axes, optional
        Axes to draw on. Default: axes of a new figure.
    legend : bool, default=True
        Whether to draw a legend: beside the axes of a new figure, inside axes of the caller.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If ``plan`` is no ActionPlan.
    MissingPackageError
        If matplotlib is not installed.
    """
    plan = check_result("plan", plan, ActionPlan, "plan_actions")
    is_own_axes, ax = ax is None, canvas.get_or_create_axes(ax, 7.6, 4.2)
    curve = plan.curve
    ax.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    ax.fill_between(curve.n_contacted, curve.low, curve.high, color=_EXPECTED_COLOUR, zorder=2, **_BAND)
    ax.plot(curve.n_contacted, curve.expected, color=_EXPECTED_COLOUR, linewidth=1.8, zorder=4)
    if curve.observed is not None and curve.observed_low is not None and curve.observed_high is not None:
        ax.fill_between(
            curve.n_contacted, curve.observed_low, curve.observed_high, color=_OBSERVED_COLOUR, zorder=2, **_BAND
        )
        ax.plot(curve.n_contacted, curve.observed, color=_OBSERVED_COLOUR, linewidth=1.4, linestyle="--", zorder=3)
    ax.axvline(plan.n_contacted, color=INK, linewidth=0.9, linestyle=":", zorder=1)
    ax.scatter([plan.n_contacted], [plan.expected_profit], s=34, color=_EXPECTED_COLOUR, zorder=5)
    ax.set_xlim(0.0, float(curve.n_contacted[-1]))
    _format_ticks(ax)
    canvas.label_axes(ax, "customers contacted, best first", "profit")
    canvas.hide_top_right_spines(ax)
    if legend:
        canvas.draw_legend(ax, _legend_entries(plan), is_own_axes)
    return ax


def _format_ticks(ax: "Axes") -> None:
    """Write amounts and counts with commas between thousands."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _format_amount(value)))


def _format_amount(value: float) -> str:
    """Return an amount as '21,340', without digits that only rounding made."""
    return f"{float(f'{value:.6g}'):,.10g}".replace("-", "\N{MINUS SIGN}")


def _legend_entries(plan: ActionPlan) -> "list[Artist]":
    """Return the entries of the legend: expected and observed profit, and the plan."""
    from matplotlib.lines import Line2D

    level = f"{100.0 * plan.curve.level:.3g}% interval"
    best = f"plan: {plan.n_contacted:,} of {len(plan.is_contacted):,} customers\n"
    entries: list[Artist] = [
        Line2D([], [], color=_EXPECTED_COLOUR, linewidth=1.8, label=f"expected, {level} if\nprobabilities are right"),
        Line2D(
            [],
            [],
            color=INK,
            linewidth=0.9,
            linestyle=":",
            label=f"{best}expected {_round_amount(plan.expected_profit)}",
        ),
    ]
    if plan.observed_profit is None:
        return entries
    observed = f"observed, {level}\n(plan: {_round_amount(plan.observed_profit)})"
    return [
        entries[0],
        Line2D([], [], color=_OBSERVED_COLOUR, linewidth=1.4, linestyle="--", label=observed),
        entries[1],
    ]


def _round_amount(value: float) -> str:
    """Return an amount with four significant digits."""
    return _format_amount(float(f"{value:.4g}"))
