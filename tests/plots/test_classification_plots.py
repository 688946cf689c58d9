"""Pictures of probabilities: reliability, gain, lift and profit show the numbers of their tables."""

from typing import Any

import numpy as np
import pytest

from gaussmix import plots
from gaussmix.classification import ActionPlan, GainTable, ReliabilityTable, gain_table, plan_actions, reliability_table
from gaussmix.errors import ParameterError
from gaussmix.plots.canvas import create_figure
from tests.plots.conftest import draw_figure, read_text


def draw_rows(n_rows: int = 300) -> tuple[Any, Any]:
    """Return outcomes and their probabilities."""
    rng = np.random.default_rng(0)
    p = rng.beta(1.0, 2.0, n_rows)
    return rng.uniform(size=n_rows) < p, p


def make_reliability_table(n_rows: int = 300) -> ReliabilityTable:
    return reliability_table(*draw_rows(n_rows))


def make_gain_table(n_rows: int = 300) -> GainTable:
    return gain_table(*draw_rows(n_rows))


def make_action_plan(n_rows: int = 300, has_outcomes: bool = True, unit: float = 1.0) -> ActionPlan:
    y, p = draw_rows(n_rows)
    return plan_actions(p, 50.0 * unit, 500.0 * unit, 0.4, y=y if has_outcomes else None, n_bootstrap=30)


ALL = {
    "reliability": (plots.reliability_diagram, make_reliability_table),
    "gain": (plots.gain_curve, make_gain_table),
    "lift": (plots.lift_curve, make_gain_table),
    "profit": (plots.profit_curve, make_action_plan),
}


def test_the_reliability_diagram_shows_bins_and_histogram() -> None:
    table = make_reliability_table()
    ax = plots.reliability_diagram(table)
    points = np.asarray(ax.collections[1].get_offsets())
    np.testing.assert_allclose(points, [[one.mean_probability, one.rate] for one in table.bins])
    ends = np.array([path.vertices[:, 1] for path in ax.collections[0].get_paths()])
    np.testing.assert_allclose(ends, [one.rate_interval for one in table.bins])
    heights = np.array([bar.get_height() for bar in ax.patches])
    n_bins = len(table.histogram_positive)
    np.testing.assert_allclose(heights[:n_bins] / heights.sum(), table.histogram_positive / 300)
    np.testing.assert_allclose(heights[n_bins:] / heights.sum(), table.histogram_negative / 300)
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert max(tops) < 0.0, "the histogram lies below the diagram"
    text = read_text(ax)
    assert f"calibration error {table.calibration_error:.3f}" in text
    assert "95% interval" in text
    assert "80% interval" in read_text(plots.reliability_diagram(reliability_table(*draw_rows(), level=0.8)))


def test_gain_and_lift_are_those_of_the_table() -> None:
    table = make_gain_table()
    marked = table.rows[3]
    assert marked.fraction == 0.2
    gain, lift = plots.gain_curve(table), plots.lift_curve(table)
    np.testing.assert_array_equal(gain.lines[0].get_xydata()[:, 1], table.curve_gains)  # type: ignore[index]
    np.testing.assert_allclose(gain.collections[0].get_offsets(), [[0.2, marked.gain]])
    np.testing.assert_allclose(lift.collections[0].get_offsets(), [[0.2, marked.lift]])
    assert f"hold {marked.gain:.0%} of positive rows" in read_text(gain)
    assert f"have a lift of {marked.lift:.2g}" in read_text(lift)
    x, y = np.asarray(lift.lines[0].get_xydata()).T
    np.testing.assert_allclose(y, table.gain_at(x) / x)
    assert x[0] == pytest.approx(20 / 300)
    best = np.asarray(lift.lines[1].get_xydata())
    assert best[:, 1].max() == pytest.approx(1.0 / table.rate)
    assert (np.interp(x, best[:, 0], best[:, 1]) >= y - 1e-3).all()


def test_the_lift_of_few_rows_starts_before_its_mark() -> None:
    x = np.asarray(plots.lift_curve(make_gain_table(40)).lines[0].get_xdata())
    assert x[0] == pytest.approx(0.2)


def test_the_profit_curve_shows_plan_and_observed_profit() -> None:
    plan = make_action_plan()
    ax = plots.profit_curve(plan)
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), plan.curve.expected)
    np.testing.assert_array_equal(ax.lines[2].get_ydata(), plan.curve.observed)
    np.testing.assert_allclose(ax.collections[-1].get_offsets(), [[plan.n_contacted, plan.expected_profit]])
    assert ax.lines[3].get_xdata()[0] == plan.n_contacted  # type: ignore[index]
    text = read_text(ax)
    assert f"plan: {plan.n_contacted} of 300 customers" in text
    assert "observed, 95% interval" in text
    without = plots.profit_curve(make_action_plan(has_outcomes=False))
    assert "observed" not in read_text(without)
    assert len(without.lines) == len(ax.lines) - 1


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e9])
def test_ticks_are_readable_in_any_currency(unit: float) -> None:
    ax = plots.profit_curve(make_action_plan(unit=unit))
    draw_figure(ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert all(len(label) < 20 for label in labels)
    assert len(set(labels)) == len(labels)
    assert ax.yaxis.get_offset_text().get_text() == ""


@pytest.mark.parametrize("name", ALL)
def test_axes_of_the_caller_and_the_legend(name: str) -> None:
    draw, make = ALL[name]
    ax = create_figure(6, 4).add_subplot()
    assert draw(make(), ax, legend=False) is ax  # type: ignore[operator]
    assert ax.get_legend() is None
    assert draw(make(), create_figure(6, 4).add_subplot()).get_legend() is not None  # type: ignore[operator]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("n_rows", [4, 60, 5000])
def test_few_and_many_rows_are_drawn(name: str, n_rows: int) -> None:
    draw, make = ALL[name]
    draw_figure(draw(make(n_rows)))  # type: ignore[operator]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("value", [None, "a text", [0.1, 0.2]])
def test_other_arguments_are_refused_with_the_function_to_call(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=r"as gaussmix\.classification\.[a-z_]+ returns it"):
        ALL[name][0](value)  # type: ignore[operator]


def test_nothing_to_contact_and_a_single_customer_are_drawn() -> None:
    draw_figure(plots.profit_curve(plan_actions([0.1, 0.2], 10.0, 10.0, y=[0, 1])))
    draw_figure(plots.profit_curve(plan_actions([0.9], 0.0, 0.0)))
    draw_figure(plots.gain_curve(gain_table([1], [0.5])))
    draw_figure(plots.lift_curve(gain_table([1], [0.5])))
    draw_figure(plots.reliability_diagram(reliability_table([1], [0.5])))
