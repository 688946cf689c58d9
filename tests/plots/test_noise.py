"""Plots and reports of a mixture with noise: noise rows are grey dots, and legend and report mention the noise."""

from pathlib import Path

import numpy as np

from gaussmix import GaussianMixture, plots, report
from gaussmix.plots.plot_data import PlotSample
from gaussmix.plots.style import NOISE_STYLE
from tests.plots.conftest import read_text


def test_noise_rows_are_grey_and_the_legend_names_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(200, 2)) + 8.0 * rng.integers(0, 2, (200, 1))
    rows = np.concatenate([groups, rng.uniform(-30, 30, (60, 2))])
    estimator = GaussianMixture(2, noise=True, random_state=0).fit(rows)
    ax = plots.scatter(estimator, rows, assignment="hard")
    assert "noise, " in read_text(ax)
    n_noise = int((PlotSample.from_rows(estimator.model_, rows).labels == 2).sum())
    assert n_noise == (estimator.predict(rows) == -1).sum() > 20
    noise_points = [
        points
        for points in ax.collections
        if np.allclose(np.asarray(points.get_facecolor())[:, :3], NOISE_STYLE.fill_colour)
    ]
    assert sum(len(np.asarray(points.get_offsets())) for points in noise_points) == n_noise
    plots.pairs(estimator, rows)
    assert "noise, " in read_text(plots.density(estimator, rows))
    assert "The noise component has a weight of" in report.describe_mixture(estimator, rows)
    assert len(report.component_table(estimator, rows)) == 2
    assert {
        component
        for row in report.uncertain_rows(estimator, rows)
        for component in (row.first_component, row.second_component)
    } <= {-1, 0, 1}
    report.write_report(tmp_path / "noise.html", estimator, rows, fit=estimator)
    assert "noise" in (tmp_path / "noise.html").read_text().lower()
