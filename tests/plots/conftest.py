"""Small mixtures, searches and comparisons for the tests of plots."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import gaussmix
from gaussmix import Comparison, Mixture, Selection


def make_mixture(n_components: int, n_features: int, seed: int = 0, names: tuple[str, ...] | None = None) -> Mixture:
    """Return a mixture of spherical components of different sizes with random means."""
    rng = np.random.default_rng(seed)
    means = 3.0 * rng.normal(size=(n_components, n_features))
    sizes = 0.3 + np.arange(n_components) / n_components
    weights = np.arange(1.0, n_components + 1.0)
    return Mixture.from_parameters(
        weights / weights.sum(), means, sizes[:, None, None] * np.eye(n_features), feature_names=names
    )


@pytest.fixture(scope="session")
def two_components() -> tuple[Mixture, Any]:
    """Return a mixture of two overlapping components in two named columns, and 200 rows."""
    covariances = [[[1.0, 0.6], [0.6, 1.0]], [[0.5, 0.0], [0.0, 2.0]]]
    mixture = Mixture.from_parameters([0.3, 0.7], [[0.0, 0.0], [2.5, 1.0]], covariances, feature_names=("a", "b"))
    return mixture, mixture.sample(200, 0)[0]


@pytest.fixture(scope="session")
def search(faithful: Any) -> Selection:
    """Return a search over three structures on Old Faithful."""
    return gaussmix.select(faithful, [1, 2, 3, 4], ["EII", "EEE", "VVV"], n_starts=2)


def keep_counts(search: Selection, max_components: int) -> Selection:
    """Return the search as if it had ended at ``max_components``."""
    return replace(search, candidates=tuple(c for c in search.candidates if c.n_components <= max_components))


@cache
def make_comparison(labelled: bool = True, n_features: int = 2) -> Comparison:
    """Return a comparison on 150 rows in two overlapping groups of different shapes, optionally with labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [100, 50])
    rows = rng.normal(size=(150, 3)) * np.where(labels[:, None] == 1, [0.5, 2.0, 1.0], 1.0) + 2.2 * labels[:, None]
    known_labels = np.array(["one", "another name"], dtype=object)[labels] if labelled else None
    names = ["first column", "second", "third"][:n_features]
    solvers = ["em", "squarem", "lbfgs", "sgd", "cem"]
    return gaussmix.compare(rows[:, :n_features], known_labels, 2, "VVV", solvers, max_iter=60, feature_names=names)


def shorten_traces(comparison: Comparison, n_iter: int = 2) -> Comparison:
    """Return the comparison with every solver at the best log-likelihood after ``n_iter`` iterations."""
    best = max(result.log_likelihood for result in comparison.solver_results)
    changes = {
        "n_iter": n_iter,
        "log_likelihood": best,
        "gap_per_row": 0.0,
        "log_likelihood_trace": np.full(n_iter, best),
        "seconds_trace": np.linspace(0.0011, 0.0012, n_iter),
    }
    results = tuple(replace(result, **changes) for result in comparison.solver_results)
    return replace(comparison, solver_results=results)


def scale_weights(comparison: Comparison, factor: float) -> Comparison:
    """Return the comparison with all row weights multiplied by ``factor``."""
    assignments = comparison.assignments
    changes = {
        "results": tuple(
            replace(result, differing_weight=factor * result.differing_weight) for result in assignments.results
        ),
        "uncertain_weight": factor * assignments.uncertain_weight,
        "weights": factor * assignments.weights,
    }
    return replace(comparison, assignments=replace(assignments, **changes))


@cache
def make_comparison_with_labels(n_labels: int, label_format: str = "label {}") -> Comparison:
    """Return a comparison of two groups with ``n_labels`` labels that are independent of the groups."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) + 5.0 * np.repeat([0, 1], 150)[:, None]
    known_labels = np.array([label_format.format(i) for i in range(n_labels)], dtype=object)[np.arange(300) % n_labels]
    return gaussmix.compare(rows, known_labels, 2, "VVV", ["em"], max_iter=20)


@cache
def make_comparison_with_long_names() -> Comparison:
    """Return a comparison of two groups in columns with long names."""
    rows = np.random.default_rng(0).normal(size=(100, 2)) + 5.0 * np.repeat([0, 1], 50)[:, None]
    names = [f"measurement number {i} of the long-named instrument" for i in range(2)]
    return gaussmix.compare(rows, np.repeat([0, 1], 50), 2, "VVV", ["em"], max_iter=20, feature_names=names)


def draw_figure(picture: Any) -> Any:
    """Return the figure of axes or a figure after drawing it once, which fixes the layout."""
    figure = getattr(picture, "figure", picture)
    figure.canvas.draw()
    return figure


def read_text(picture: Any) -> str:
    """Return all texts of a picture, joined by line breaks."""
    from matplotlib.text import Text

    figure = draw_figure(picture)
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible())
