"""Scatter plots: rows coloured by responsibility, ellipses of the components."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from gaussmix import Mixture, ParameterError, plots
from gaussmix.plots._panel_2d import ELLIPSE_COVERAGES, component_ellipse_outline
from gaussmix.plots.style import blend_colours, distinct_colours
from tests.plots.conftest import draw_figure, make_mixture, read_text


def read_points(ax: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (n, 2) and colours (n, 3) of the filled markers in drawing order."""
    filled = [c for c in ax.collections if isinstance(c, PathCollection) and len(c.get_facecolor())]
    positions = np.concatenate([np.asarray(c.get_offsets()) for c in filled])
    colours = np.concatenate([np.broadcast_to(c.get_facecolor(), (len(c.get_offsets()), 4)) for c in filled])
    return positions, colours[:, :3]


def find_marker_indices(positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return for each row the index of the marker at its position."""
    distance = np.abs(positions[None] - rows[:, None]).sum(axis=2)
    assert distance.min(axis=1).max() < 1e-12
    return distance.argmin(axis=1)


def test_rows_have_blended_colours(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    positions, colours = read_points(plots.scatter(mixture, X))
    order = find_marker_indices(positions, X)
    assert np.allclose(colours[order], blend_colours(mixture.predict_proba(X)))


def test_hard_assignment_has_one_colour_per_component(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    positions, colours = read_points(plots.scatter(mixture, X, assignment="hard"))
    order = find_marker_indices(positions, X)
    assert np.allclose(colours[order], distinct_colours(2)[mixture.predict(X)])


def test_markers_differ_between_components(two_components: tuple[Mixture, Any]) -> None:
    shapes = [c.get_paths()[0].vertices for c in plots.scatter(*two_components).collections]
    assert len({vertices.tobytes() for vertices in shapes}) == 2


def test_ellipses_are_those_of_the_components(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    lines = [np.asarray(line.get_xydata()) for line in plots.scatter(mixture, X, [1, 0]).lines]
    marginal = mixture.marginal([1, 0])
    expected = [marginal.components[k].ellipse(coverage) for k in range(2) for coverage in ELLIPSE_COVERAGES]
    assert all(np.allclose(line, outline) for line, outline in zip(lines, expected, strict=True))


@pytest.mark.parametrize("coverage", ELLIPSE_COVERAGES)
def test_ellipse_has_the_mahalanobis_distance_of_its_coverage(
    coverage: float, two_components: tuple[Mixture, Any]
) -> None:
    stats = pytest.importorskip("scipy.stats")
    mixture, _ = two_components
    distance = mixture.components[1].mahalanobis(component_ellipse_outline(mixture, 1, coverage))
    assert np.allclose(distance**2, stats.chi2.ppf(coverage, 2))


def test_columns_select_the_axes(two_components: tuple[Mixture, Any]) -> None:
    ax = plots.scatter(*two_components, columns=["b", "a"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("b", "a")


def test_threshold_rings_and_counts_uncertain_rows(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    uncertainties = mixture.uncertainty(X)
    assert "uncertain" not in read_text(plots.scatter(mixture, X))
    for threshold in (0.1, 0.3):
        ax = plots.scatter(mixture, X, threshold=threshold)
        count = int((uncertainties > threshold).sum())
        assert f"{count} of 200 rows" in read_text(ax)
        ringed = np.asarray(ax.collections[-1].get_offsets())
        assert np.allclose(ringed, X[uncertainties > threshold])


def test_legend_names_the_subset_of_rows(two_components: tuple[Mixture, Any]) -> None:
    ax = plots.scatter(*two_components, max_rows=20)
    assert "20 of 200 rows drawn" in read_text(ax)
    assert len(read_points(ax)[0]) == 20
    other_positions = read_points(plots.scatter(*two_components, max_rows=20, random_state=7))[0]
    assert not np.array_equal(read_points(ax)[0], other_positions)


def test_legend_has_numbers_and_weights(two_components: tuple[Mixture, Any]) -> None:
    text = read_text(plots.scatter(*two_components))
    assert "component 0, 30%" in text
    assert "component 1, 70%" in text
    assert plots.scatter(*two_components, legend=False).get_legend() is None


def test_one_column_is_a_density_over_a_strip() -> None:
    mixture = make_mixture(2, 1)
    ax = plots.scatter(mixture, mixture.sample(100, 0)[0])
    assert ax.get_ylabel() == "density"
    positions, _ = read_points(ax)
    assert len(positions) == 100
    assert positions[:, 1].max() < 0.0
    assert min(ax.get_yticks()) >= 0.0


def test_one_column_of_many_is_a_strip(two_components: tuple[Mixture, Any]) -> None:
    assert plots.scatter(*two_components, columns=["b"]).get_xlabel() == "b"


def test_assignment_comparison_has_a_hard_and_a_soft_panel(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    figure = draw_figure(plots.assignment_comparison(mixture, X))
    hard, soft = figure.axes
    assert "hard" in hard.get_title()
    assert "soft" in soft.get_title()
    assert hard.get_position().x1 <= soft.get_position().x0
    assert len({tuple(colour) for colour in read_points(hard)[1]}) == 2
    assert len({tuple(colour) for colour in read_points(soft)[1]}) > 2
    count = int((mixture.uncertainty(X) > 0.2).sum())
    assert read_text(figure).count(f"{count} of 200 rows") == 1


def test_assignment_comparison_is_stacked_in_a_tall_figure(two_components: tuple[Mixture, Any]) -> None:
    from matplotlib.figure import Figure

    hard, soft = draw_figure(plots.assignment_comparison(*two_components, figure=Figure(figsize=(5, 8)))).axes
    assert hard.get_position().y0 >= soft.get_position().y1


def test_assignment_comparison_accepts_columns_threshold_and_subset(two_components: tuple[Mixture, Any]) -> None:
    figure = plots.assignment_comparison(
        *two_components, columns=["b", "a"], threshold=0.4, max_rows=30, random_state=3
    )
    text = read_text(figure)
    assert "(> 40%)" in text
    assert "30 of 200 rows drawn" in text
    assert figure.axes[1].get_xlabel() == "b"
    other = plots.assignment_comparison(*two_components, columns=["b", "a"], max_rows=30, random_state=4)
    assert not np.array_equal(read_points(figure.axes[0])[0], read_points(other.axes[0])[0])


@pytest.mark.parametrize(
    ("invalid_parameters", "message"),
    [
        ({"assignment": "fuzzy"}, "assignment must be one of soft, hard"),
        ({"threshold": 1.0}, "threshold must be at least 0 and below 1"),
        ({"columns": [0, 1, 1]}, "distinct columns"),
        ({"columns": ["c"]}, "no column named .c."),
    ],
)
def test_invalid_parameters_are_rejected(
    invalid_parameters: dict[str, Any], message: str, two_components: tuple[Mixture, Any]
) -> None:
    with pytest.raises(ValueError, match=message):
        plots.scatter(*two_components, **invalid_parameters)


def test_more_than_two_columns_are_rejected() -> None:
    mixture = make_mixture(2, 3)
    with pytest.raises(ParameterError, match=r"use pairs\(\) for more"):
        plots.scatter(mixture, mixture.sample(10, 0)[0], columns=[0, 1, 2])


def test_invalid_rows_are_rejected(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    for invalid_rows, message in ((X[:, :1], "1 column,"), (X[:0], "0 rows"), (np.full((3, 2), np.inf), "infinity")):
        with pytest.raises(ValueError, match=message):
            plots.scatter(mixture, invalid_rows)
        with pytest.raises(ValueError, match=message):
            plots.density(mixture, invalid_rows, 0)


def test_one_row_does_not_clip_the_ellipses(two_components: tuple[Mixture, Any]) -> None:
    mixture, X = two_components
    ax = plots.scatter(mixture, X[:1])
    draw_figure(ax)
    outline_points = np.vstack([line.get_xydata() for line in ax.lines if len(line.get_xdata()) > 20])
    for i, (low, high) in enumerate((ax.get_xlim(), ax.get_ylim())):
        assert low < outline_points[:, i].min()
        assert high > outline_points[:, i].max()
