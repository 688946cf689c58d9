"""The picture of solvers: a line and an end for each, in both panels, and nothing that is no likelihood unmarked."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaussmix import ParameterError, plots
from gaussmix.plots.canvas import new_figure
from tests.plots.conftest import compared, drawn, words_of


def lines_of(ax: Any) -> list[Any]:
    """The lines of solvers, without their ends and the mark of what counts as near."""
    return [line for line in ax.lines if line.get_linestyle() != "None" and len(line.get_xdata()) > 2]


def ends_of(ax: Any) -> list[Any]:
    return [line for line in ax.lines if line.get_linestyle() == "None"]


def test_a_line_for_each_solver_that_climbs_the_likelihood_and_an_end_for_all() -> None:
    found = compared()
    by_pass, by_second = drawn(plots.optimisers(found)).axes
    climbing = [one for one in found.optimisers if one.solver != "cem"]
    for ax, seconds in ((by_pass, False), (by_second, True)):
        assert len(lines_of(ax)) == len(climbing)
        assert len(ends_of(ax)) == len(found.optimisers)
        for line, one in zip(lines_of(ax), climbing, strict=True):
            places = one.times if seconds else np.arange(1, one.passes + 1)
            assert np.asarray(line.get_xdata()) == pytest.approx(np.maximum(places, 1e-6))
    assert "passes" in by_pass.get_xlabel()
    assert "seconds" in by_second.get_xlabel()
    assert by_pass.get_xscale() == by_pass.get_yscale() == "log"


def test_what_is_left_to_the_best_is_drawn() -> None:
    found = compared()
    best = max(one.log_likelihood for one in found.optimisers)
    em = lines_of(plots.optimisers(found).axes[0])[0]
    left = np.maximum((best - found.optimisers[0].values) / 150, 1e-9)
    assert np.asarray(em.get_ydata()) == pytest.approx(left)


def test_the_legend_says_what_differs() -> None:
    ends = tuple(replace(one, converged=one.solver != "sgd") for one in compared().optimisers)
    said = words_of(plots.optimisers(replace(compared(), optimisers=ends)))
    assert f"em, near after {compared().optimisers[0].near_passes}" in said
    assert "cem, never near" in said
    assert "dotted: at first over parts" in said
    assert "hollow: passes used up" in said
    plain = replace(compared(), optimisers=compared().optimisers[:1])
    assert "dotted" not in words_of(plots.optimisers(plain))
    assert "hollow" not in words_of(plots.optimisers(plain))


def test_panels_stand_above_one_another_in_a_tall_figure() -> None:
    figure = plots.optimisers(compared(), new_figure(5.0, 8.0))
    assert figure.get_figwidth() == 5.0
    first, second = (ax.get_position() for ax in drawn(figure).axes)
    assert first.y0 > second.y1


def test_what_is_no_comparison_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"comparison must be a Comparison, as gaussmix\.compare returns it"):
        plots.optimisers("em")  # type: ignore[arg-type]
