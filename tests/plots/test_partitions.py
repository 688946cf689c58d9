"""The plot of partitions has a panel per method, common colours, and rings around differing rows."""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import Comparison, ParameterError, plots
from gaussmix.plots.canvas import create_figure
from gaussmix.plots.style import MARKERS, NOISE_STYLE, distinct_colours
from tests.exhaustive import parametrize_product
from tests.plots.conftest import draw_figure, make_comparison, make_comparison_with_labels, read_text, scale_weights


def count_rings(ax: Any) -> int:
    """Return the number of ringed rows."""
    hollow = [points for points in ax.collections if hasattr(points, "get_sizes") and not len(points.get_facecolors())]
    return sum(len(points.get_offsets()) for points in hollow)


def find_row_points(ax: Any) -> list[Any]:
    """Return the rows of each group and their colours."""
    filled = [points for points in ax.collections if hasattr(points, "get_sizes") and len(points.get_facecolors())]
    return [
        (np.asarray(points.get_offsets()), points.get_facecolors()) for points in filled if len(points.get_offsets())
    ]


def test_each_method_has_a_panel_with_differing_rows_ringed() -> None:
    comparison = make_comparison()
    labels, neighbors, kmeans, hard, soft, calibration = draw_figure(plots.partitions(comparison)).axes
    assignments = comparison.assignments
    assert assignments.known_component_labels is not None
    assert (
        count_rings(labels)
        == (assignments.known_component_labels != assignments["mixture, hard"].component_labels).sum()
        > 0
    )
    assert count_rings(neighbors) == assignments["k-nearest neighbours"].differing_weight > 0
    assert count_rings(kmeans) == assignments["k-means"].differing_weight > 0
    assert count_rings(hard) == 0
    assert count_rings(soft) == assignments.uncertain_weight > 0
    assert [ax.get_title().split("\n")[0] for ax in (labels, neighbors, kmeans, hard, soft)] == [
        "labels",
        "neighbours",
        "k-means",
        "mixture, hard",
        "mixture, soft",
    ]
    assert f"{assignments['k-means'].differing_weight:.0f} (" in kmeans.get_title()
    assert len(calibration.collections) == 4


def test_groups_have_the_colours_of_matching_components() -> None:
    comparison = make_comparison()
    names = ("k-nearest neighbours", "k-means", "mixture, hard")
    for ax, name in zip(plots.partitions(comparison).axes[1:4], names, strict=True):
        groups = comparison.assignments[name].component_labels
        for positions, colours in find_row_points(ax):
            row = int(np.argmin(np.hypot(*(comparison.assignments.rows - positions[0]).T)))
            assert colours[0][:3] == pytest.approx(distinct_colours(2)[groups[row]])


def test_soft_rows_are_blended() -> None:
    soft = plots.partitions(make_comparison()).axes[4]
    colours = np.vstack([row_colours for _, row_colours in find_row_points(soft)])[:, :3]
    assert len(np.unique(np.round(colours, 3), axis=0)) > 10


def test_without_labels_there_are_three_panels() -> None:
    figure = plots.partitions(make_comparison(labelled=False))
    assert len(figure.axes) == 3
    text = read_text(figure)
    assert "label" not in text
    assert "calibration" not in text
    text = read_text(plots.partitions(make_comparison()))
    assert "label another name" in text
    assert "mean error:" in text


@parametrize_product({"labelled": [True, False], "n_features": [1, 2, 3]})
def test_any_number_of_columns(n_features: int, labelled: bool) -> None:
    figure = draw_figure(plots.partitions(make_comparison(labelled, n_features)))
    assert figure.axes[0].get_ylabel() == {1: "density", 2: "second", 3: "third"}[n_features]


def test_columns_may_be_chosen() -> None:
    comparison = make_comparison(n_features=3)
    ax = plots.partitions(comparison, columns=["third", 0]).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("third", "first column")
    assert plots.partitions(comparison, columns=[1]).axes[0].get_ylabel() == "density"
    with pytest.raises(ParameterError, match="columns must be one or two columns"):
        plots.partitions(comparison, columns=[0, 1, 2])


def test_max_rows_draws_a_subset_that_depends_on_the_seed() -> None:
    comparison = make_comparison()
    subset_figure = plots.partitions(comparison, max_rows=40)
    assert sum(len(positions) for positions, _ in find_row_points(subset_figure.axes[3])) == 40
    assert "40 of 150 rows drawn" in read_text(subset_figure)
    other_figure = plots.partitions(comparison, max_rows=40, random_state=1)
    assert not np.array_equal(find_row_points(subset_figure.axes[3])[0][0], find_row_points(other_figure.axes[3])[0][0])


def test_panels_are_stacked_in_a_tall_figure() -> None:
    figure = plots.partitions(make_comparison(labelled=False), figure=create_figure(5.0, 12.0))
    first, second, third = (ax.get_position() for ax in draw_figure(figure).axes)
    assert first.y0 > second.y1 > second.y0 > third.y1


COMPARISON_FACTORIES = [
    lambda: make_comparison(),
    lambda: make_comparison(n_features=3),
    lambda: compare_unusual_rows("three rows"),
    lambda: compare_unusual_rows("stretched"),
    lambda: compare_unusual_rows("one group"),
    lambda: compare_unusual_rows("far"),
]


@pytest.mark.parametrize("make", COMPARISON_FACTORIES)
def test_axes_are_shared_and_hold_rows_and_ellipses(make: Callable[[], Comparison]) -> None:
    comparison = make()
    axes = [ax for ax in plots.partitions(comparison).axes if not ax.get_title().startswith("calibration")]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in axes}) == 1
    n_ellipses = 0
    for ax in axes:
        outlines = [line.get_xydata() for line in ax.lines]
        n_ellipses += len(outlines)
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        for points in [*outlines, *(positions for positions, _ in find_row_points(ax))]:
            assert left <= points[:, 0].min() < points[:, 0].max() <= right or len(points) == 1
            assert bottom <= points[:, 1].min() < points[:, 1].max() <= top or len(points) == 1
    assert n_ellipses == 3 * 2 * comparison.mixture.n_components


def test_densities_have_equal_axes_and_kmeans_has_a_style_of_its_own() -> None:
    figure = plots.partitions(make_comparison(n_features=1))
    axes = figure.axes[:5]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in axes}) == 1
    entries = {line.get_label(): line for line in figure.legends[0].legend_handles}
    line_styles = {name: (entries[name].get_color(), entries[name].get_linestyle()) for name in entries}
    kmeans, hard = axes[2], axes[3]
    assert line_styles["mixture"] not in [(line.get_color(), line.get_linestyle()) for line in kmeans.lines[:-1]]
    assert line_styles["mixture"] in [(line.get_color(), line.get_linestyle()) for line in hard.lines[:-1]]
    assert line_styles["k-means: sum of equal Gaussians"] in [
        (line.get_color(), line.get_linestyle()) for line in kmeans.lines
    ]
    for ax in axes:
        heights = np.concatenate([np.asarray(line.get_ydata()) for line in ax.lines[:-1]])
        assert heights.max() <= ax.get_ylim()[1]


def test_calibration_markers_differ_from_those_of_components() -> None:
    figure = plots.partitions(make_comparison_with_labels(9))
    calibration_legend = figure.axes[-1].get_legend()
    assert [text.get_text().rsplit(", ", 1)[0] for text in calibration_legend.get_texts()] == [
        "k-nearest neighbours",
        "k-means",
        "mixture, hard",
        "mixture, soft",
    ]
    markers = {line.get_marker() for line in calibration_legend.legend_handles}
    assert len(markers) == 4
    assert not markers & {*MARKERS, NOISE_STYLE.marker}
    assert len({line.get_color() for line in calibration_legend.legend_handles}) == 4
    assert figure.axes[-1].get_xlim()[0] < 0.0 < 1.0 < figure.axes[-1].get_xlim()[1]
    assert "k-nearest neighbours" not in "".join(text.get_text() for text in figure.legends[0].get_texts())


def test_long_labels_stay_distinct() -> None:
    figure = draw_figure(plots.partitions(make_comparison_with_labels(9, "a rather long class name {}")))
    label_texts = [text.get_text() for text in figure.legends[0].get_texts() if text.get_text().startswith("label ")]
    assert len(set(label_texts)) == len(label_texts) == 9
    assert max(map(len, label_texts)) <= 26


def test_many_rings_lie_beneath_the_rows() -> None:
    def find_z_orders(ax: Any) -> tuple[float, float]:
        """Return the z order of the rings and the lowest one of the rows."""
        hollow = [points for points in ax.collections if not len(points.get_facecolors())]
        return hollow[0].get_zorder(), min(points.get_zorder() for points in ax.collections if points not in hollow)

    rng = np.random.default_rng(0)
    comparison = gaussmix.compare(rng.uniform(size=(200, 2)), None, 3, "VVV", ["em"], max_iter=50)
    assert comparison.assignments.uncertain_weight > 30
    rings, rows = find_z_orders(plots.partitions(comparison).axes[2])
    assert rings < rows
    rings, rows = find_z_orders(plots.partitions(make_comparison()).axes[0])
    assert rings > rows


@pytest.mark.parametrize(
    ("is_standardized", "units"), [(True, "standard deviations of each column"), (False, "own units")]
)
def test_the_legend_explains_the_circles(is_standardized: bool, units: str) -> None:
    assignments = copy(make_comparison(labelled=False).assignments)
    object.__setattr__(assignments, "is_standardized", is_standardized)
    text = read_text(plots.partitions(replace(make_comparison(labelled=False), assignments=assignments)))
    assert "k-means: equal circles, measured in" in text
    assert units in text


def test_counts_and_percentages_have_one_format() -> None:
    text = read_text(plots.partitions(scale_weights(make_comparison(), 1000.0), max_rows=40))
    assert "\u202f000 (" in text
    assert not re.search(r"\d,\d{3}| %", text)


def compare_unusual_rows(name: str) -> Comparison:
    """Return a comparison on rows with the property that the name says."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(60, 2))
    two_groups = noise + np.repeat([0.0, 5.0], 30)[:, None]
    cases: dict[str, dict[str, Any]] = {
        "one group": {"X": noise, "n_components": 1, "labels": np.arange(60) % 2},
        "all rows equal": {"X": np.full((10, 2), 5.0), "n_components": 1, "structures": "EII"},
        "two rows": {"X": [[0.0, 0.0], [1.0, 1.0]], "n_components": 1, "structures": "EII"},
        "three rows": {"X": [[-1.7, 1.4], [-0.1, -0.6], [-0.9, -0.4]], "n_components": 1, "structures": "VVV"},
        "stretched": {"X": two_groups * [4.0, 1.0], "n_components": 2, "labels": np.arange(60) // 30},
        "tiny": {"X": 1e-290 * two_groups, "n_components": 2},
        "huge": {"X": 1e150 * two_groups, "n_components": 2, "standardize": False},
        "far": {"X": two_groups + 1e8, "n_components": 2},
        "more labels than components": {"X": two_groups, "n_components": 2, "labels": np.arange(60) // 5},
        "more components than labels": {"X": two_groups, "n_components": 4, "labels": np.arange(60) // 30},
        "few labels": {"X": two_groups, "n_components": 2, "labels": [None] * 25 + [0] * 5 + [1] * 5 + [None] * 25},
    }
    return gaussmix.compare(**({"structures": "VVV", "solvers": ["em", "adam"], "max_iter": 20} | cases[name]))


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
@pytest.mark.parametrize(
    "name",
    [
        "one group",
        "all rows equal",
        "two rows",
        "tiny",
        "huge",
        "far",
        "more labels than components",
        "more components than labels",
        "few labels",
    ],
)
def test_unusual_rows(name: str) -> None:
    comparison = compare_unusual_rows(name)
    assert comparison.summary in repr(comparison)
    draw_figure(plots.partitions(comparison))
    draw_figure(plots.solver_convergence(comparison))


def test_other_arguments_than_comparisons_are_rejected() -> None:
    with pytest.raises(ParameterError, match="comparison must be a Comparison"):
        plots.partitions(make_comparison().mixture)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::gaussmix.DegenerateFitWarning")
def test_titles_show_fractions_of_fractional_weights() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) * [1.0, 5.0] + 2.5])
    weights = np.full(120, 1 / 120)
    comparison = gaussmix.compare(rows, n_components=2, structures="VVV", solvers="em", sample_weight=weights)
    titles = [ax.get_title() for ax in plots.partitions(comparison).axes]
    assert all("of the weight" in title for title in (titles[0], titles[2]))
    assert not any(title.split("\n")[1].startswith("0 (") for title in (titles[0], titles[2]))
