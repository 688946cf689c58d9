"""Pictures of anomalies: what is drawn, what is numbered, and what the legend says."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from gaussmix import plots
from gaussmix.anomaly import AnomalyDetector
from gaussmix.errors import ParameterError
from gaussmix.plots.canvas import create_figure
from tests.plots.conftest import draw_figure, read_text

N_NORMAL = 150


@cache
def fit(n_features: int) -> tuple[AnomalyDetector, Any]:
    """Return a detector fitted to two groups, and its rows with three anomalies at the end, in the last column."""
    rng = np.random.default_rng(n_features)
    normal = rng.normal(size=(N_NORMAL, n_features)) + 7.0 * (np.arange(N_NORMAL) % 2)[:, None]
    unusual = rng.normal(size=(3, n_features))
    unusual[:, -1] += [25.0, -15.0, 30.0]
    detector = AnomalyDetector(n_components=2, n_repeats=1, training="clean", random_state=0).fit(normal)
    return detector, np.vstack([normal, unusual])


def flag_last(n_rows: int, count: int = 3) -> Any:
    return np.arange(n_rows) >= n_rows - count


def read_numbers(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_bbox_patch() is None]


@pytest.mark.parametrize("n_features", [1, 2, 5])
def test_anomalies_are_crosses_with_numbers(n_features: int) -> None:
    detector, rows = fit(n_features)
    ax = plots.anomalies(detector, rows, is_anomaly=flag_last(len(rows)))
    text = read_text(ax)
    assert read_numbers(ax) == ["1", "2", "3"]
    assert "anomalies: 3 rows, 1 = most unusual" in text
    assert f"normal: {N_NORMAL} rows" in text
    assert ("2 of 5 columns" in text) == (n_features == 5)
    assert f"column {n_features - 1}" in text, "the anomalies deviate in the last column"


def test_no_anomaly_and_nothing_but_anomalies() -> None:
    detector, rows = fit(2)
    ax = plots.anomalies(detector, rows, is_anomaly=False)
    assert "no anomalies at this rate" in read_text(ax)
    assert read_numbers(ax) == []
    ax = plots.anomalies(detector, rows, is_anomaly=True)
    assert "normal: 0 rows" in read_text(ax)
    assert "no anomalies at this rate" in read_text(plots.anomaly_p_values(detector, rows, is_anomaly=False))
    assert "normal: 0 rows" in read_text(plots.anomaly_p_values(detector, rows, is_anomaly=True))


@pytest.mark.parametrize("value", [1e9, -1e9, 1e120])
def test_a_huge_value_does_not_stretch_the_axes(value: float) -> None:
    detector, rows = fit(2)
    far = rows.copy()
    far[-1, 0] = value
    ax = plots.anomalies(detector, far, is_anomaly=flag_last(len(rows)))
    assert "beyond the axes: 1 row" in read_text(ax)
    low, high = ax.get_xlim()
    assert high - low < 100
    assert "beyond the axes" not in read_text(plots.anomalies(detector, rows, is_anomaly=flag_last(len(rows), 1)))


def test_columns_are_a_parameter() -> None:
    detector, rows = fit(5)
    assert plots.anomalies(detector, rows, [3, 1]).get_xlabel() == "column 3"
    assert plots.anomalies(detector, rows, ["column 2"]).get_ylabel() == "density"
    with pytest.raises(ParameterError, match="one or two columns"):
        plots.anomalies(detector, rows, [0, 1, 2])


def test_a_subset_of_many_rows_is_drawn_and_the_legend_says_so() -> None:
    detector, rows = fit(2)
    ax = plots.anomalies(detector, rows, max_rows=20, is_anomaly=flag_last(len(rows)))
    assert "23 of 153 rows drawn" in read_text(ax)
    others = plots.anomalies(detector, rows, max_rows=20, is_anomaly=flag_last(len(rows)), random_state=1)
    offsets = [np.asarray(each.collections[0].get_offsets()) for each in (ax, others)]
    assert offsets[0].shape == (20, 2)
    assert not np.array_equal(*offsets)


@pytest.mark.parametrize("draw", [plots.anomalies, plots.anomaly_p_values])
def test_axes_of_the_caller_and_the_legend(draw: Any) -> None:
    detector, rows = fit(2)
    ax = create_figure(6, 4).add_subplot()
    assert draw(detector, rows, ax=ax, legend=False) is ax
    assert ax.get_legend() is None
    assert draw(detector, rows, ax=create_figure(6, 4).add_subplot()).get_legend() is not None


@pytest.mark.parametrize("draw", [plots.anomalies, plots.anomaly_p_values])
@pytest.mark.parametrize("detector", [AnomalyDetector(), "a text", None])
def test_only_a_fitted_detector_is_accepted(draw: Any, detector: Any) -> None:
    with pytest.raises(ParameterError, match="a fitted AnomalyDetector; call fit first"):
        draw(detector, [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("threshold", "text"),
    [
        (("fdr", 0.1), "limit at a false discovery\nrate of 10%"),
        (("fpr", 0.025), "limit: a false positive\nrate of 2.5%"),
        (("contamination", 0.1), "limit: the 10% most\nunusual rows"),
    ],
)
def test_the_limit_is_drawn_where_it_separates(threshold: tuple[str, float], text: str) -> None:
    detector, rows = fit(2)
    p_values = np.linspace(0.001, 1.0, len(rows)) ** 2
    ax = plots.anomaly_p_values(detector, rows, p_values=p_values, threshold=threshold)
    assert text in read_text(ax)
    count = int(ax.collections[1].get_offsets().shape[0])
    limit = np.asarray(ax.lines[1].get_xydata())
    if threshold[0] == "contamination":
        assert limit[0, 0] == count + 0.5
    else:
        height = np.interp([count, count + 1], limit[:, 0], limit[:, 1])
        assert p_values[count - 1] <= height[0] or threshold[0] == "fdr"
        assert p_values[count] > height[1]


@pytest.mark.parametrize("n_rows", [1, 2, 4000])
def test_any_number_of_p_values(n_rows: int) -> None:
    detector, _ = fit(2)
    rows = np.random.default_rng(0).normal(size=(n_rows, 2))
    ax = plots.anomaly_p_values(detector, rows, p_values=np.linspace(0.0, 1.0, n_rows))
    draw_figure(ax)
    assert sum(len(collection.get_offsets()) for collection in ax.collections) <= 1500
    assert "beyond the axes: 1 row" in read_text(ax), "a p-value of 0 lies at the edge"


def test_numbers_do_not_overlap_much_and_stay_within_the_panel() -> None:
    detector, rows = fit(2)
    ax = plots.anomalies(detector, np.vstack([rows, np.tile([[20.0, 20.0]], (25, 1))]))
    draw_figure(ax)
    assert len(read_numbers(ax)) <= 20
    box = ax.get_window_extent().padded(12)
    assert all(box.contains(*text.get_window_extent().get_points().mean(axis=0)) for text in ax.texts)


def test_a_few_anomalies_are_numbered_and_equal_ones_once() -> None:
    detector, rows = fit(2)
    unusual = np.vstack([rows, [[9.0, 0.0], [9.0, 0.0], [0.0, 9.0]]])
    flags = flag_last(len(unusual), 3)
    p_values = np.where(flags, 1e-9, 0.5) * np.linspace(1.0, 0.5, len(unusual))
    options: dict[str, Any] = {"is_anomaly": flags, "p_values": p_values, "legend": False}
    assert set(read_numbers(plots.anomalies(detector, unusual, **options))) == {"1", "2"}
    assert read_numbers(plots.anomalies(detector, unusual, numbered=[2], **options)) == ["3"]
    assert read_numbers(plots.anomalies(detector, unusual, numbered=[], **options)) == []
    assert read_numbers(plots.anomalies(detector, unusual, numbered=[1, 99], **options)) == ["2"]


def test_axes_reach_anomalies_that_are_most_of_them() -> None:
    """A column that is nearly constant among normal rows has a short axis, beyond which all anomalies may lie."""
    detector, rows = fit(2)
    far = rows.copy()
    far[-3:, 0] = rows[:, 0].max() + 5.0 * np.ptp(rows[:-3, 0])
    ax = plots.anomalies(detector, far, is_anomaly=flag_last(len(rows), 3))
    assert ax.get_xlim()[1] > far[-1, 0]
    far[-2:, 0] = rows[0, 0]
    assert plots.anomalies(detector, far, is_anomaly=flag_last(len(rows), 3)).get_xlim()[1] < far[-3, 0]


@pytest.mark.parametrize("n_rows", [2, 50])
@pytest.mark.parametrize("threshold", [("fdr", 0.05), ("fpr", 0.001)])
def test_the_line_of_the_limit_is_within_the_axes(n_rows: int, threshold: tuple[str, float]) -> None:
    detector, _ = fit(2)
    ax = plots.anomaly_p_values(detector, np.zeros((n_rows, 2)), p_values=np.ones(n_rows), threshold=threshold)
    low, high = ax.get_ylim()
    assert low < float(ax.lines[1].get_ydata()[-1]) < high < 2.0
