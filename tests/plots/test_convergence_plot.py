"""The convergence plot has a line and an end marker per solver and marks other objectives."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaussmix import ParameterError, plots
from gaussmix.plots._log_axis import compute_log_limits, compute_log_ticks
from gaussmix.plots.canvas import create_figure
from gaussmix.solvers.solver_table import SUMMED_TRACE
from tests.plots.conftest import draw_figure, make_comparison, read_text, shorten_traces


def find_solver_lines(ax: Any) -> list[Any]:
    """Return the lines of the solvers without end markers and without the band of small gaps."""
    return [line for line in ax.lines if line.get_linestyle() != "None" and len(line.get_xdata()) > 2]


def find_end_markers(ax: Any) -> list[Any]:
    return [line for line in ax.lines if line.get_linestyle() == "None" and len(line.get_xdata()) == 1]


def test_each_likelihood_solver_has_a_line_and_every_solver_an_end_marker() -> None:
    comparison = make_comparison()
    by_pass, by_second = draw_figure(plots.solver_convergence(comparison)).axes
    likelihood_results = [result for result in comparison.solver_results if result.solver != "cem"]
    for ax, seconds in ((by_pass, False), (by_second, True)):
        assert len(find_solver_lines(ax)) == len(likelihood_results)
        assert len(find_end_markers(ax)) == len(comparison.solver_results)
        for line, result in zip(find_solver_lines(ax), likelihood_results, strict=True):
            x_values = result.seconds_trace if seconds else np.arange(1, result.n_iter + 1)
            assert np.asarray(line.get_xdata()) == pytest.approx(np.maximum(x_values, 1e-6))
    assert "passes" in by_pass.get_xlabel()
    assert "seconds" in by_second.get_xlabel()
    assert by_pass.get_xscale() == by_pass.get_yscale() == "log"


def test_the_gap_to_the_best_is_drawn() -> None:
    comparison = make_comparison()
    best = max(result.log_likelihood for result in comparison.solver_results)
    em = find_solver_lines(plots.solver_convergence(comparison).axes[0])[0]
    expected_gaps = np.maximum((best - comparison.solver_results[0].log_likelihood_trace) / 150, 1e-9)
    assert np.asarray(em.get_ydata()) == pytest.approx(expected_gaps)


def test_the_legend_explains_the_styles() -> None:
    results = tuple(
        replace(result, has_converged=result.solver != "sgd") for result in make_comparison().solver_results
    )
    text = read_text(plots.solver_convergence(replace(make_comparison(), solver_results=results)))
    assert f"em, near at pass {make_comparison().solver_results[0].n_iter_to_best}" in text
    assert "cem, never near" in text
    assert "dotted: mini-batch" in text
    assert "hollow: max_iter reached" in text
    em_only = replace(make_comparison(), solver_results=make_comparison().solver_results[:1])
    assert "dotted" not in read_text(plots.solver_convergence(em_only))
    assert "hollow" not in read_text(plots.solver_convergence(em_only))


def count_labelled_ticks(axis: Any) -> int:
    """Return the number of labelled ticks within the limits."""
    low, high = axis.get_view_interval()
    ticks = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
    return sum(low <= place <= high and bool(label.get_text()) for place, label in ticks)


@pytest.mark.parametrize("n_passes", [1, 2, 3, 9, 60])
def test_axes_of_short_runs_have_labelled_ticks(n_passes: int) -> None:
    for ax in draw_figure(plots.solver_convergence(shorten_traces(make_comparison(), n_passes))).axes:
        assert count_labelled_ticks(ax.xaxis) >= 3
        assert count_labelled_ticks(ax.yaxis) >= 3


@given(st.floats(1e-6, 1e4), st.floats(1.0, 1e6))
def test_logarithmic_axes_have_three_to_six_ticks(low: float, factor: float) -> None:
    limits = compute_log_limits(np.array([low, low * factor]))
    assert limits[0] < low <= low * factor < limits[1]
    assert 3 <= len(compute_log_ticks(*limits)) <= 6


def test_end_markers_at_one_place_are_stacked() -> None:
    figure = draw_figure(plots.solver_convergence(shorten_traces(make_comparison())))
    assert "stacked: ends at one place" in read_text(figure)
    marker_positions = [
        line.get_transform().transform(line.get_xydata())[0] for line in find_end_markers(figure.axes[0])
    ]
    distances = np.diff([y for _, y in marker_positions])
    assert np.ptp([x for x, _ in marker_positions]) < 1.0
    assert (distances > 5.0).all()
    em_only = replace(make_comparison(), solver_results=make_comparison().solver_results[:1])
    assert "stacked" not in read_text(plots.solver_convergence(em_only))


def test_limits_contain_all_values() -> None:
    comparison = make_comparison()
    annealed_trace = comparison.solver_results[0].log_likelihood_trace.copy()
    annealed_trace[:2] += [900.0, -900.0]  # an annealed sum may lie above the best, then far below
    annealed_result = replace(
        comparison.solver_results[0], trace_kind=SUMMED_TRACE, log_likelihood_trace=annealed_trace
    )
    for ax in plots.solver_convergence(
        replace(comparison, solver_results=(annealed_result, *comparison.solver_results[1:]))
    ).axes:
        for line in ax.lines:
            x, y = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
            assert ax.get_xlim()[0] < x.min() <= x.max() < ax.get_xlim()[1]
            assert ax.get_ylim()[0] < np.nanmin(y) <= np.nanmax(y) < ax.get_ylim()[1]


def test_line_styles_show_only_the_kind_of_trace() -> None:
    comparison = make_comparison()
    eleven_results = tuple(replace(comparison.solver_results[0], solver=f"solver {i}") for i in range(11))
    figure = plots.solver_convergence(replace(comparison, solver_results=eleven_results))
    assert {line.get_linestyle() for line in find_solver_lines(figure.axes[0])} == {"-"}
    bands = [patch for patch in figure.axes[0].patches if patch.get_label() != "_nolegend_"]
    assert bands[0].get_extents().y1 == pytest.approx(figure.axes[0].transData.transform((1.0, 1e-6))[1])
    assert "near: gap of at most 1e-6" in read_text(figure)


def test_panels_are_stacked_in_a_tall_figure() -> None:
    figure = plots.solver_convergence(make_comparison(), create_figure(5.0, 8.0))
    assert figure.get_figwidth() == 5.0
    first, second = (ax.get_position() for ax in draw_figure(figure).axes)
    assert first.y0 > second.y1


def test_other_arguments_than_comparisons_are_rejected() -> None:
    with pytest.raises(ParameterError, match=r"comparison must be a Comparison, as gaussmix\.compare returns it"):
        plots.solver_convergence("em")  # type: ignore[arg-type]
