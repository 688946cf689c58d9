"""Every plot draws every kind of mixture and rows without a warning."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gaussmix import GaussianMixture, Mixture, plots
from tests.exhaustive import parametrize_product
from tests.plots.conftest import draw_figure, make_mixture

PLOTS: dict[str, Callable[[Mixture, Any], Any]] = {
    "scatter": plots.scatter,
    "rings": lambda mixture, X: plots.scatter(mixture, X, assignment="hard", threshold=0.1),
    "assignment": plots.assignment_comparison,
    "pairs": lambda mixture, X: plots.pairs(mixture, X, max_columns=3),
    "density": plots.density,
    "densities": lambda mixture, X: plots.densities(mixture, X, max_columns=4),
}
NOISE = np.random.default_rng(0).normal(size=(60, 2))
UNUSUAL_DATA = {
    "constant column": np.column_stack([NOISE[:, 0], np.full(60, 3.0)]),
    "constant column of zeros": np.column_stack([NOISE[:, 0], np.zeros(60)]),
    "constant column far away": np.column_stack([NOISE[:, 0], np.full(60, 1e8)]),
    "all rows equal": np.full((10, 2), 5.0),
    "two rows": np.array([[0.0, 0.0], [1.0, 1.0]]),
    "two rows, one column": np.array([[0.0], [1.0]]),
    "rows that repeat": np.repeat(NOISE[:5], 6, axis=0),
    "rows on a line": NOISE[:, [0, 0]],
    "an outlier": np.vstack([NOISE, [[1e12, -1e12]]]),
    "booleans": np.random.default_rng(1).integers(0, 2, (40, 3)).astype(float),
}


def fit_mixture(X: Any, n_components: int) -> Mixture:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GaussianMixture(n_components, random_state=0).fit(X).model_


@parametrize_product({"name": PLOTS, "n_features": [1, 2, 30], "n_components": [1, 20]}, strength=2)
def test_any_size(name: str, n_components: int, n_features: int) -> None:
    mixture = make_mixture(n_components, n_features)
    draw_figure(PLOTS[name](mixture, mixture.sample(60, 0)[0]))


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("n_rows", [1, 2])
def test_one_or_two_rows(name: str, n_rows: int) -> None:
    mixture = make_mixture(3, 2)
    draw_figure(PLOTS[name](mixture, mixture.sample(n_rows, 0)[0]))


@parametrize_product({"name": PLOTS, "data": UNUSUAL_DATA})
def test_unusual_rows(name: str, data: str) -> None:
    X = UNUSUAL_DATA[data]
    draw_figure(PLOTS[name](fit_mixture(X, 2 if data != "all rows equal" else 1), X))


@parametrize_product(
    {"name": PLOTS, "scale, shift": [(1e-150, 0.0), (1e-290, 0.0), (1e150, 0.0), (1.0, 1e8), (1e-150, 1e8)]}
)
def test_any_units(name: str, scale: float, shift: float) -> None:
    X = (NOISE + shift) * scale
    draw_figure(PLOTS[name](fit_mixture(X, 2), X))


def test_a_component_of_weight_zero() -> None:
    mixture = Mixture.from_parameters([1.0, 0.0], [[0.0, 0.0], [3.0, 3.0]], [np.eye(2), np.eye(2)])
    for plot in PLOTS.values():
        draw_figure(plot(mixture, NOISE))


def test_very_many_components() -> None:
    mixture = make_mixture(100, 2)
    for name in ("scatter", "densities"):
        draw_figure(PLOTS[name](mixture, mixture.sample(200, 0)[0]))
