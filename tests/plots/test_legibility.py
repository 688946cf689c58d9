"""Legends, names, component numbers and tick labels do not overlap."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Annotation

from gaussmix import Mixture, Selection, plots
from gaussmix.plots.canvas import create_figure
from tests.plots.conftest import (
    draw_figure,
    keep_counts,
    make_comparison,
    make_comparison_with_labels,
    make_comparison_with_long_names,
    make_mixture,
    scale_weights,
    shorten_traces,
)
from tests.plots.test_anomaly_plots import fit as fit_detector
from tests.plots.test_classification_plots import make_action_plan, make_gain_table, make_reliability_table

MANY_COMPONENTS = make_mixture(12, 4)
ROWS = MANY_COMPONENTS.sample(300, 0)[0]
LONG_NAMES = make_mixture(3, 2, names=("a rather long name of a column", "another one of the same length"))
LONG_NAME_ROWS = LONG_NAMES.sample(100, 0)[0]
PLOTS: dict[str, Callable[[Selection], Any]] = {
    "scatter": lambda search: plots.scatter(MANY_COMPONENTS, ROWS, threshold=0.2),
    "assignment": lambda search: plots.assignment_comparison(MANY_COMPONENTS, ROWS),
    "pairs": lambda search: plots.pairs(MANY_COMPONENTS, ROWS),
    "pairs of two": lambda search: plots.pairs(make_mixture(14, 2), make_mixture(14, 2).sample(50, 0)[0]),
    "density": lambda search: plots.density(MANY_COMPONENTS, ROWS, 0),
    "densities": lambda search: plots.densities(MANY_COMPONENTS, ROWS),
    "densities of two": lambda search: plots.densities(make_mixture(14, 2), make_mixture(14, 2).sample(50, 0)[0]),
    "trace": lambda search: plots.log_likelihood_trace(search.best.fit),  # type: ignore[arg-type]
    "criterion": plots.criterion_curves,
    "criterion at its edge": lambda search: plots.criterion_curves(keep_counts(search, 2)),
    "solvers": lambda search: plots.solver_convergence(make_comparison()),
    "partitions": lambda search: plots.partitions(make_comparison()),
    "partitions without labels": lambda search: plots.partitions(make_comparison(labelled=False)),
    "partitions of one column": lambda search: plots.partitions(make_comparison(n_features=1)),
    "partitions in a tall figure": lambda search: plots.partitions(make_comparison(), figure=create_figure(6.0, 16.0)),
    "partitions of very many rows": lambda search: plots.partitions(scale_weights(make_comparison(), 1e6)),
    "partitions of many labels": lambda search: plots.partitions(make_comparison_with_labels(30)),
    "partitions of long names": lambda search: plots.partitions(make_comparison_with_long_names()),
    "solvers with equal ends": lambda search: plots.solver_convergence(shorten_traces(make_comparison())),
    "solvers in a tall figure": lambda search: plots.solver_convergence(
        shorten_traces(make_comparison()), create_figure(5.0, 8.0)
    ),
    "anomalies": lambda search: plots.anomalies(*fit_detector(5)),
    "anomalies in one column": lambda search: plots.anomalies(*fit_detector(1)),
    "p-values of anomalies": lambda search: plots.anomaly_p_values(*fit_detector(2)),
    "reliability": lambda search: plots.reliability_diagram(make_reliability_table()),
    "gain": lambda search: plots.gain_curve(make_gain_table()),
    "lift": lambda search: plots.lift_curve(make_gain_table()),
    "profit": lambda search: plots.profit_curve(make_action_plan()),
    "long names": lambda search: plots.pairs(LONG_NAMES, LONG_NAME_ROWS),
    "long names in a grid": lambda search: plots.densities(LONG_NAMES, LONG_NAME_ROWS),
}


@pytest.mark.parametrize("name", PLOTS)
def test_nothing_overlaps_and_nothing_is_cut(name: str, search: Selection) -> None:
    figure = draw_figure(PLOTS[name](search))
    check_that_the_legend_does_not_overlap_axes_and_is_not_cut(figure)
    check_that_axis_labels_do_not_overlap_and_are_not_cut(figure)
    check_that_tick_labels_do_not_overlap(figure)


def check_that_the_legend_does_not_overlap_axes_and_is_not_cut(figure: Any) -> None:
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    for legend in legends:
        box = legend.get_window_extent()
        calibration_axes = [
            ax for ax in figure.axes if ax.get_legend() is legend and ax.get_title().startswith("calibration")
        ]
        assert not any(box.overlaps(ax.get_window_extent()) for ax in figure.axes if ax not in calibration_axes)
        for ax in calibration_axes:  # the legend lies inside, above the data
            assert box.y0 > ax.transData.transform((0.0, 1.0))[1]
            assert box.y1 <= ax.get_window_extent().y1 + 1
            assert box.x1 <= ax.get_window_extent().x1 + 1
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y0 >= -1


def check_that_axis_labels_do_not_overlap_and_are_not_cut(figure: Any) -> None:
    boxes = []
    for ax in figure.axes:
        labels = [ax.xaxis.label, ax.yaxis.label, ax.title, ax._left_title]
        boxes += [label.get_window_extent() for label in labels if label.get_text() and label.get_visible()]
    for box in boxes:
        assert min(box.x0, box.y0) >= -1
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y1 <= figure.bbox.y1 + 1
        assert not any(box.overlaps(ax.get_window_extent()) for ax in figure.axes)
    assert not any(box.overlaps(other) for box, other in combinations(boxes, 2))


def check_that_tick_labels_do_not_overlap(figure: Any) -> None:
    for ax in figure.axes:
        for i, axis in enumerate((ax.xaxis, ax.yaxis)):
            low, high = sorted(axis.get_view_interval())
            inside = [label for label in axis.get_ticklabels() if low <= label.get_position()[i] <= high]
            label_boxes = [label.get_window_extent() for label in inside if label.get_text() and label.get_visible()]
            assert not any(box.overlaps(other) for box, other in combinations(label_boxes, 2))


@pytest.mark.parametrize("n_components", [5, 12, 20])
def test_component_numbers_do_not_overlap(n_components: int) -> None:
    mixture = make_mixture(n_components, 2)
    figure = draw_figure(plots.scatter(mixture, mixture.sample(50, 0)[0]))
    numbers = [text for text in figure.axes[0].texts if isinstance(text, Annotation)]
    assert sorted(int(text.get_text()) for text in numbers) == list(range(n_components))
    centers = np.array([text.get_window_extent().get_points().mean(axis=0) for text in numbers])
    height = numbers[0].get_window_extent().height
    distance = np.hypot(*np.moveaxis(centers[:, None] - centers[None], 2, 0)) + 1e9 * np.eye(n_components)
    assert distance.min() > 1.1 * height


@pytest.mark.parametrize("n_components", [9, 40])
def test_component_numbers_stay_within_their_panel(n_components: int) -> None:
    """Flags have their means at few places. Panels without room for all numbers have none."""
    flags = np.random.default_rng(0).integers(0, 2, (n_components, 4)).astype(float)
    mixture = Mixture.from_parameters(np.full(n_components, 1 / n_components), flags, [0.01 * np.eye(4)] * n_components)
    figure = draw_figure(plots.pairs(mixture, mixture.sample(200, 0)[0]))
    panels = [(ax, [text for text in ax.texts if isinstance(text, Annotation)]) for ax in figure.axes]
    assert {len(numbers) for _, numbers in panels if numbers} == ({n_components} if n_components < 40 else set())
    for ax, numbers in panels:
        box = ax.get_window_extent().padded(2)
        assert all(box.contains(*number.get_window_extent().get_points().mean(axis=0)) for number in numbers)


def test_a_small_component_is_not_hidden_by_its_number() -> None:
    mixture = Mixture.from_parameters([0.5, 0.5], [[0.0, 0.0], [9.0, 9.0]], [np.eye(2), 1e-4 * np.eye(2)])
    figure = draw_figure(plots.scatter(mixture, mixture.sample(50, 0)[0]))
    ax = figure.axes[0]
    number = next(text for text in ax.texts if text.get_text() == "1")
    assert not number.get_window_extent().contains(*ax.transData.transform((9.0, 9.0)))
