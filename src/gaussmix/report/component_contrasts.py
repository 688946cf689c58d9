"""Describe components by the columns that set them apart from the other rows."""

import math
from typing import NamedTuple

import numpy as np

from gaussmix.errors.text import join_with_commas
from gaussmix.model import Mixture
from gaussmix.plots.canvas import truncate_name
from gaussmix.plots.plot_data import column_name
from gaussmix.plots.validation import MixtureLike, as_mixture
from gaussmix.report.formatting import format_mean, format_percent
from gaussmix.types import KD

_MAX_NAMED_COLUMNS = 3
_MIN_RELATIVE_SCORE = 0.25  # columns that set a component apart far less than its best one are not named
_MIN_NAMED_DISTANCE = 0.35  # in standard deviations of the column; nearer means are those of the overall mean
# Words for a mean below and above the overall mean, by the smallest distance in standard deviations of the column.
_WORDS = ((1.5, "very low", "very high"), (_MIN_NAMED_DISTANCE, "low", "high"))
# Shades of a table cell, by the smallest distance in standard deviations of the column.
_SHADES = ((1.5, 3), (0.75, 2), (_MIN_NAMED_DISTANCE, 1))


class ComponentContrasts(NamedTuple):
    """How far the mean of each component is from the overall mean, per column, (K, D) each.

    ``distances`` are in standard deviations of the column in the whole mixture. ``separations`` are from 0 to 1: twice
    the probability that a row of the component is beyond a row of the others, minus 1.
    """

    distances: KD
    separations: KD


def compute_contrasts(mixture: Mixture) -> ComponentContrasts:
    """Return the contrasts of all components; transformed columns are compared after their transforms."""
    weights = (mixture.weights / mixture.weights.sum())[:, None]
    deviations, means = mixture.standard_deviations, mixture.means
    scale = deviations.max(axis=0)  # squares of tiny or huge units would underflow or overflow
    scale = np.where(scale > 0.0, scale, 1.0)
    offsets = (means - means[:1]) / scale
    offsets = offsets - (weights * offsets).sum(axis=0)
    variances = (deviations / scale) ** 2
    second_moments = weights * (variances + offsets**2)
    total = second_moments.sum(axis=0)
    others = np.maximum(1.0 - weights, np.finfo(float).tiny)
    other_means = -weights * offsets / others
    other_variances = np.maximum((total - second_moments) / others - other_means**2, 0.0)
    spread = np.sqrt(variances + other_variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = np.where(total > 0.0, offsets / np.sqrt(total), 0.0)
        z = np.where(spread > 0.0, np.abs(offsets - other_means) / spread, 0.0)
    # 2 Phi(z) - 1 = erf(z / sqrt(2))
    return ComponentContrasts(distances, np.vectorize(math.erf, otypes=[float])(z / math.sqrt(2.0)))


def describe_components(mixture: MixtureLike) -> list[str]:
    """Return a sentence for each component of several: its weight and what sets it apart.

    'Component 0, 35.6 %: low eruptions (2.04), low waiting (54.5).' names at most three columns: those in which its
    mean is far from the overall mean and its rows are well separated from the others. Low and high mean at least 0.35,
    very low and very high at least 1.5 standard deviations of the column from the overall mean.

    Parameters
    ----------
    mixture : Mixture or fitted estimator

    Returns
    -------
    list of str
        In the order of the components, then one for the noise, if there is one. Empty for one component without noise.
    """
    mixture = as_mixture(mixture)
    noise = mixture.noise
    if mixture.n_components == 1 and noise is None:
        return []
    contrasts = compute_contrasts(mixture)
    sentences = [
        f"Component {k}, {format_percent(float(weight))}: {_describe_component(mixture, contrasts, k)}."
        for k, weight in enumerate(mixture.weights)
    ]
    if noise is not None:
        sentences.append(f"Noise, {format_percent(noise.weight)}: rows that fit no component.")
    return sentences


def _describe_component(mixture: Mixture, contrasts: ComponentContrasts, component: int) -> str:
    """Return what sets a component apart: 'low eruptions (2.04), low waiting (54.5)'."""
    distances = contrasts.distances[component]
    scores = np.abs(distances) * contrasts.separations[component]
    columns = mixture.independent_columns
    best = columns[np.argsort(-np.round(scores[columns], 9), kind="stable")][:_MAX_NAMED_COLUMNS].tolist()
    named = [j for j in best if _is_named(abs(distances[j]), scores[j], scores[best[0]])]
    if not named:
        return "near the overall mean in all columns"
    means, deviations = mixture.medians[component], mixture.half_widths[component]
    return join_with_commas(
        [
            f"{_distance_word(distances[j])} {truncate_name(column_name(mixture, j))} "
            f"({format_mean(means[j], deviations[j])})"
            for j in named
        ]
    )


def _is_named(distance: float, score: float, best_score: float) -> bool:
    """Return whether a column is worth naming: far from the overall mean, and nearly as telling as the best one."""
    return distance >= _MIN_NAMED_DISTANCE and score >= _MIN_RELATIVE_SCORE * best_score


def _distance_word(distance: float) -> str:
    """Return the word for a distance in standard deviations of the column: 'low', 'very high'."""
    low, high = next((low, high) for least, low, high in _WORDS if abs(distance) >= least)
    return low if distance < 0 else high


def shade_class(distance: float) -> str:
    """Return the CSS class of a table cell whose mean has a distance from the overall mean: 'below2', 'above1', ''."""
    strength = next((strength for least, strength in _SHADES if abs(distance) >= least), 0)
    return f"{'below' if distance < 0 else 'above'}{strength}" if strength else ""
