"""The criterion plot has a line per structure, marks the selected model and counts omitted candidates."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import ParameterError, Selection, plots
from tests.plots.conftest import draw_figure, read_text


def find_lines(ax: Any) -> list[Any]:
    return [
        np.asarray(line.get_xydata()) for line in ax.lines if line.get_linestyle() != "None" and len(line.get_xdata())
    ]


def test_a_line_per_structure_with_its_criteria(search: Selection) -> None:
    lines = find_lines(plots.criterion_curves(search))
    assert len(lines) == 3
    values = {c.n_components: c.criteria["bic"] for c in search.candidates if str(c.structure) == "EEE"}
    assert any(np.array_equal(line, sorted(values.items())) for line in lines)


def test_the_selected_model_is_marked(search: Selection) -> None:
    ax = plots.criterion_curves(search)
    assert "selected: EEE (tied), 3" in read_text(ax)
    ring = next(line for line in ax.lines if line.get_markersize() > 10)
    assert np.array_equal(ring.get_xydata(), [[3.0, search.best.criteria["bic"]]])


@pytest.mark.parametrize(("counts", "is_at_edge"), [([1, 2], True), ([1, 2, 3, 4], False), ([2], False)])
def test_a_best_candidate_at_the_largest_count_is_said(counts: list[int], is_at_edge: bool, search: Selection) -> None:
    candidates = tuple(c for c in search.candidates if c.n_components in counts)
    chosen = Selection("bic", candidates, 0.0)
    assert chosen.is_best_at_largest_count == is_at_edge
    for ax in (plots.criterion_curves(chosen), plots.criterion_curves(chosen, criterion="icl")):
        text = f"The largest number tried for {chosen.best.structure} is the best:\nmore components may lower the BIC"
        assert (text in read_text(ax)) == is_at_edge


def test_another_criterion_can_be_drawn(search: Selection) -> None:
    assert "BIC" in plots.criterion_curves(search).get_ylabel()
    assert "ICL" in plots.criterion_curves(search, criterion="icl").get_ylabel()
    assert not np.array_equal(
        find_lines(plots.criterion_curves(search))[0], find_lines(plots.criterion_curves(search, criterion="icl"))[0]
    )
    with pytest.raises(ParameterError, match="criterion must be one of bic, icl, aic"):
        plots.criterion_curves(search, criterion="dic")


def test_candidates_outside_the_axis_are_counted(search: Selection) -> None:
    ax = plots.criterion_curves(search)
    low, high = ax.get_ylim()
    values = [c.criteria["bic"] for c in search.candidates]
    n_outside = sum(not low <= value <= high for value in values)
    assert n_outside > 0
    assert f"{n_outside} outside the axis" in read_text(ax)
    assert low < min(values)


def test_structures_of_one_column_share_lines(faithful: Any) -> None:
    ax = plots.criterion_curves(
        gaussmix.select(faithful[:, :1], [1, 2], ["EII", "EEI", "EVI", "VII", "VVV"], n_starts=1)
    )
    assert len(find_lines(ax)) == 2
    assert "EII\n= EEI\n= EVI" in read_text(ax)


def test_one_number_of_components_is_drawn_by_structure(faithful: Any) -> None:
    ax = plots.criterion_curves(gaussmix.select(faithful, 3, ["EEE", "VVV"], n_starts=1))
    draw_figure(ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["EEE (tied)", "VVV (full)"]
    assert "3 components" in ax.get_xlabel()


def test_degenerate_and_failed_candidates_are_distinguished() -> None:
    rows = np.repeat(np.random.default_rng(0).normal(size=(5, 2)), 2, axis=0)
    search = gaussmix.select(rows, [1, 2, 3, 11], ["EII", "VVV"], n_starts=1)
    assert any(not c.is_eligible and c.fit is not None for c in search.candidates)
    ax = plots.criterion_curves(search)
    text = read_text(ax)
    assert "degenerate" in text
    assert "2 could not be fitted" in text
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "none" and line.get_markersize() < 10]
    assert sum(len(line.get_xdata()) for line in hollow) == sum(
        not c.is_eligible and c.fit is not None for c in search.candidates
    )


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_degenerate_candidates_alone_are_drawn() -> None:
    search = gaussmix.select(np.array([[0.0, 1.0], [1.0, 0.0]]), [1, 2], "VVV", n_starts=1)
    assert not search.best.is_eligible
    assert "selected" in read_text(plots.criterion_curves(search))


@pytest.mark.parametrize(("factor", "shift"), [(1.0, -2.85e7), (1e300, 0.0), (1e-3, 3e9)])
def test_numbers_along_the_axis_are_plain(factor: float, shift: float, search: Selection) -> None:
    changed_candidates = tuple(
        replace(c, criteria={name: value * factor + shift for name, value in c.criteria.items()})
        for c in search.candidates
    )
    ax = plots.criterion_curves(Selection("bic", changed_candidates, 0.0))
    draw_figure(ax)
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert all(len(label.get_text()) < 12 for label in ax.get_yticklabels())
    text = ax.get_ylabel()
    assert ("minus that of the selected model" in text) == bool(shift)
    assert ("in units of 1e" in text) == (factor > 1)


def test_the_best_four_structures_have_colours_and_the_others_one_grey(faithful: Any) -> None:
    search = gaussmix.select(faithful, [1, 2, 3], ["EII", "VII", "EEE", "VVV", "VVI", "EEI"], n_starts=1)
    ax = plots.criterion_curves(search)
    colours = [line.get_color() for line in ax.lines if line.get_linestyle() != "None" and len(line.get_xdata())]
    assert len(colours) == 6
    assert len(set(colours[:4])) == 4
    assert colours[4] == colours[5]
    assert colours[4] not in colours[:4]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sum("more structures" in text for text in legend) == 1
    assert "2 more structures" in legend
    assert search.best.structure.name_with_alias_or_n_factors == legend[0]


def test_a_line_marks_the_edge_of_the_search(search: Selection) -> None:
    at_edge = Selection("bic", tuple(c for c in search.candidates if c.n_components <= 2), 0.0)
    for chosen, n_lines in ((at_edge, 1), (search, 0)):
        assert len(plots.criterion_curves(chosen).collections) == n_lines
