"""The trace plot omits poor first iterations and says so."""

from dataclasses import replace

import numpy as np
import pytest

from gaussmix import Fit, Selection, plots
from gaussmix.core.outcome import IterationTrace
from tests.plots.conftest import read_text


def make_fit(search: Selection, log_likelihoods: list[float], final_log_likelihood: float | None = None) -> Fit:
    array = np.array(log_likelihoods, dtype=float)
    fit = search.best.fit
    assert fit is not None
    if final_log_likelihood is None:
        final_log_likelihood = float(array[-1])
    return replace(fit, trace=IterationTrace(array, np.arange(len(array)) * 1.0), log_likelihood=final_log_likelihood)


def test_every_iteration_is_drawn_and_the_final_value_is_named(search: Selection) -> None:
    ax = plots.log_likelihood_trace(make_fit(search, [-103.0, -102.0, -101.5, -101.4], -101.35))
    line = ax.lines[1]
    assert np.array_equal(np.asarray(line.get_xydata()), [[1, -103], [2, -102], [3, -101.5], [4, -101.4]])
    assert "\N{MINUS SIGN}101.350" in read_text(ax)
    low, high = ax.get_ylim()
    assert low < -103.0
    assert high > -101.35
    assert "axis cut" not in read_text(ax)


@pytest.mark.parametrize("first_value", [-1e4, -1e9, -np.inf])
def test_poor_first_iterations_are_omitted_and_a_text_says_so(first_value: float, search: Selection) -> None:
    values = [first_value, -200.0, *(-110.0 + 10.0 * (1 - 0.5 ** np.arange(8))).tolist()]
    ax = plots.log_likelihood_trace(make_fit(search, values))
    assert ax.get_ylim()[0] > -130.0
    assert "axis cut: iterations 1 to 2 lie below it" in read_text(ax)


def test_a_gradual_rise_is_not_cut(search: Selection) -> None:
    values = np.linspace(-200, -100, 40).tolist()
    assert "axis cut" not in read_text(plots.log_likelihood_trace(make_fit(search, values)))


@pytest.mark.parametrize("values", [[-5.0], [-5.0, -5.0], [-5.0, -4.0], [-5.0] * 30, (-1e9 + np.arange(5.0)).tolist()])
def test_short_and_flat_traces(values: list[float], search: Selection) -> None:
    ax = plots.log_likelihood_trace(make_fit(search, values))
    low, high = ax.get_ylim()
    assert low < min(ax.lines[1].get_ydata())
    assert high > max(ax.lines[1].get_ydata())
    read_text(plots.log_likelihood_trace(make_fit(search, values)))


def test_no_iterations(search: Selection) -> None:
    assert "no iterations" in read_text(plots.log_likelihood_trace(make_fit(search, [], -7.0)))


@pytest.mark.parametrize("final", [-2850937.0, -3.2e303, -1130.0])
def test_numbers_along_the_axis_are_plain(final: float, search: Selection) -> None:
    ax = plots.log_likelihood_trace(make_fit(search, [final * (1 + 1e-10), final * (1 + 1e-11), final]))
    text = read_text(ax)
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert "minus that of the returned parameters" in text
    assert all(len(label.get_text()) < 10 for label in ax.get_yticklabels())


def test_a_large_rise_keeps_its_values(search: Selection) -> None:
    ax = plots.log_likelihood_trace(make_fit(search, [-2850937.0, -2650937.0, -2450937.0]))
    assert ax.get_ylabel() == "log-likelihood"
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert np.array_equal(ax.lines[1].get_ydata(), [-2850937.0, -2650937.0, -2450937.0])
