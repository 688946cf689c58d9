"""Plots draw on the caller's axes and change no global setting; names are shortened."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from gaussmix import MissingPackageError, Mixture, Selection, plots
from gaussmix.plots import canvas
from gaussmix.plots.canvas import truncate_names_distinctly
from tests.plots.conftest import draw_figure, make_mixture, read_text

AXES_PLOTS: dict[str, Callable[..., Any]] = {
    "scatter": lambda mixture, X, search, ax: plots.scatter(mixture, X, ax=ax),
    "density": lambda mixture, X, search, ax: plots.density(mixture, X, 0, ax),
    "trace": lambda mixture, X, search, ax: plots.log_likelihood_trace(search.best.fit, ax),
    "choice": lambda mixture, X, search, ax: plots.criterion_curves(search, ax),
}
FIGURE_PLOTS: dict[str, Callable[..., Any]] = {
    "assignment": lambda mixture, X, figure: plots.assignment_comparison(mixture, X, figure=figure),
    "pairs": lambda mixture, X, figure: plots.pairs(mixture, X, figure=figure),
    "densities": lambda mixture, X, figure: plots.densities(mixture, X, figure=figure),
}


@pytest.mark.parametrize("name", AXES_PLOTS)
def test_draws_on_the_axes_it_is_given(name: str, two_components: tuple[Mixture, Any], search: Selection) -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert AXES_PLOTS[name](*two_components, search, right) is right
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("name", AXES_PLOTS)
def test_creates_axes_by_default(name: str, two_components: tuple[Mixture, Any], search: Selection) -> None:
    assert draw_figure(AXES_PLOTS[name](*two_components, search, None)).axes


@pytest.mark.parametrize("name", FIGURE_PLOTS)
def test_draws_on_the_figure_it_is_given(name: str, two_components: tuple[Mixture, Any]) -> None:
    figure = Figure(figsize=(8, 6))
    assert FIGURE_PLOTS[name](*two_components, figure) is figure
    assert figure.axes
    assert tuple(figure.get_size_inches()) == (8, 6)


def test_layout_of_a_callers_figure_is_kept(two_components: tuple[Mixture, Any]) -> None:
    figure = Figure(figsize=(8, 6), layout="tight")
    engine = figure.get_layout_engine()
    plots.assignment_comparison(*two_components, figure=figure)
    assert figure.get_layout_engine() is engine


@pytest.mark.parametrize("name", [*AXES_PLOTS, *FIGURE_PLOTS])
def test_settings_of_matplotlib_are_unchanged(
    name: str, two_components: tuple[Mixture, Any], search: Selection
) -> None:
    settings_before = dict(matplotlib.rcParams)
    draw_figure(
        AXES_PLOTS[name](*two_components, search, None)
        if name in AXES_PLOTS
        else FIGURE_PLOTS[name](*two_components, None)
    )
    assert dict(matplotlib.rcParams) == settings_before


IMPORT_SCRIPT = """
import sys
import numpy as np
import gaussmix.plots, gaussmix.report
assert "matplotlib" not in sys.modules, "importing the plots must not import matplotlib"
assert "jinja2" not in sys.modules
mixture = gaussmix.Mixture.from_parameters([1.0], [[0.0, 0.0]], [np.eye(2)])
gaussmix.plots.scatter(mixture, [[0.0, 1.0], [1.0, 0.0]]).figure.canvas.draw()
assert "matplotlib.pyplot" not in sys.modules, "pyplot keeps every figure it makes"
"""


def test_matplotlib_is_imported_late_and_without_pyplot() -> None:
    process = subprocess.run([sys.executable, "-c", IMPORT_SCRIPT], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def test_missing_matplotlib_is_one_sentence(
    two_components: tuple[Mixture, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"plotting needs matplotlib.*pip install 'gaussmix\[plots\]'"):
        plots.scatter(*two_components)


def test_names_are_literal_text() -> None:
    mixture = make_mixture(2, 2, names=("$cost$ & {x}_1^2", "line\nbreak"))
    ax = plots.scatter(mixture, mixture.sample(30, 0)[0], columns=[0, 1])
    text = read_text(ax)
    assert "$cost$ & {x}_1^2" in text
    assert "line break" in text
    assert not ax.xaxis.label.get_parse_math()


def test_columns_without_names_have_numbers() -> None:
    mixture = make_mixture(2, 2)
    assert "column 1" in read_text(plots.scatter(mixture, mixture.sample(30, 0)[0]))


def test_long_names_are_truncated() -> None:
    mixture = make_mixture(2, 2, names=("x" * 500, "y"))
    assert "x" * 41 not in read_text(plots.scatter(mixture, mixture.sample(30, 0)[0]))


@pytest.mark.parametrize("name", ["scatter", "density", "choice"])
def test_a_legend_stays_inside_axes_of_the_caller(
    name: str, two_components: tuple[Mixture, Any], search: Selection
) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    ax = figure.subplots(1, 2)[0]
    AXES_PLOTS[name](*two_components, search, ax)
    draw_figure(figure)
    box, axes_box = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert axes_box.x0 <= box.x0 < box.x1 <= axes_box.x1
    assert axes_box.y0 <= box.y0 < box.y1 <= axes_box.y1
    assert ax.get_legend().get_frame().get_alpha() == 0.5
    new_axes = draw_figure(AXES_PLOTS[name](*two_components, search, None)).axes[0]
    assert new_axes.get_legend().get_window_extent().x0 >= new_axes.get_window_extent().x1


def test_a_legend_inside_names_a_few_components_only() -> None:
    mixture = make_mixture(12, 2)
    text = read_text(plots.scatter(mixture, mixture.sample(30, 0)[0], ax=Figure().subplots()))
    assert "component 5," in text
    assert "component 6," not in text
    assert "and 6 more components" in text


def test_short_names_are_unchanged() -> None:
    assert truncate_names_distinctly(["a", "bc"], 20) == ["a", "bc"]


@pytest.mark.parametrize(
    "names",
    [
        [f"a rather long class name {i}" for i in range(9)],
        [f"{i} is how a rather long name begins" for i in range(9)],
        [f"differing amid all of this {i} and going on for a while" for i in range(12)],
        [f"one {i} and two {j}, far from either end of the name" for i in range(3) for j in range(3)],
        ["the same", "the same", "the same but a great deal longer than this"],
    ],
)
def test_long_names_remain_distinct(names: list[str]) -> None:
    shortened = truncate_names_distinctly(names, 16)
    assert len(set(shortened)) == len(names)
    assert max(map(len, shortened)) <= 16 + len(" (10)")


@given(st.lists(st.text("ab\n", max_size=30), max_size=8))
def test_any_names_remain_distinct(names: list[str]) -> None:
    shortened = truncate_names_distinctly(names, 6)
    assert len(set(shortened)) == len(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12000", "12\u202f000"), ("−1234567.5", "−1\u202f234\u202f567.5"), ("0.12345", "0.12345"), ("1e-7", "1e-7")],
)
def test_thousands_are_separated_as_in_tables(text: str, expected: str) -> None:
    assert canvas.separate_thousands(text) == expected


def test_numbers_on_axes_are_written_as_in_tables() -> None:
    ax = canvas.create_figure(4, 3).add_subplot()
    ax.set(xlim=(0, 40_000), ylim=(-9000, 0))
    canvas.label_axes(ax, "x", "y")
    ax.figure.canvas.draw()
    assert "20\u202f000" in [label.get_text() for label in ax.get_xticklabels()]
    assert "−4\u202f000" in [label.get_text() for label in ax.get_yticklabels()]


def test_long_names_are_cut_in_the_middle() -> None:
    assert canvas.truncate_name("total alcohol in the first sample", 15) == "total a… sample"
