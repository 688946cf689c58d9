"""Random mixtures and rows for tests: numbers with a correlated block, categories, gaps and weights."""

from typing import NamedTuple

import numpy as np
from scipy.stats import multivariate_normal

from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.log_probabilities import normalize_logits
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import MixedRows


class Cells(NamedTuple):
    """Numbers (n, D), NaN where missing, codes (n, C), -1 where missing, weights (n,) and classes (n,)."""

    numeric: np.ndarray
    codes: np.ndarray
    weights: np.ndarray
    classes: np.ndarray

    def to_rows(self, layout: FeatureLayout) -> MixedRows:
        """Return the features of the rows."""
        return MixedRows.from_cells(layout, self.numeric, self.codes, self.weights)


def make_layout(n_block: int, n_independent: int = 2, n_levels: tuple[int, ...] = (3, 2)) -> FeatureLayout:
    """Return a layout whose block is not the first columns."""
    n_numeric = n_block + n_independent
    return FeatureLayout(n_numeric, tuple(range(n_numeric - n_block, n_numeric)), n_levels)


def make_mixture(
    layout: FeatureLayout, n_components: int, n_classes: int, seed: int, has_class_components: bool = True
) -> MixedMixture:
    """Return a random mixture; components belong to one class each, or have a probability for every class."""
    rng = np.random.default_rng(seed)
    n_block = len(layout.block)
    roots = rng.normal(size=(n_components, n_block, n_block))
    if has_class_components:
        owners = np.arange(n_components) % n_classes
        class_log_probabilities = np.where(owners[:, None] == np.arange(n_classes), 0.0, -np.inf)
    else:
        class_log_probabilities = normalize_logits(rng.normal(size=(n_components, n_classes)))
    return MixedMixture(
        layout,
        normalize_logits(rng.normal(size=(1, n_components)))[0],
        class_log_probabilities,
        rng.normal(size=(n_components, layout.n_numeric)),
        rng.uniform(0.3, 2.0, (n_components, layout.n_numeric - n_block)),
        roots @ np.swapaxes(roots, 1, 2) + 0.3 * np.eye(n_block),
        tuple(normalize_logits(rng.normal(size=(n_components, n))) for n in layout.n_levels),
    )


def make_cells(layout: FeatureLayout, n_rows: int, seed: int, n_classes: int = 2, missing: float = 0.3) -> Cells:
    """Return random rows of which a fraction of the cells is missing."""
    rng = np.random.default_rng([seed, 1])
    classes = rng.integers(0, n_classes, n_rows)
    numeric = rng.normal(size=(n_rows, layout.n_numeric)) + 0.5 * classes[:, None]
    codes = rng.integers(0, layout.n_levels, (n_rows, len(layout.n_levels)))
    numeric[rng.random(numeric.shape) < missing] = np.nan
    codes[rng.random(codes.shape) < missing] = -1
    return Cells(numeric, codes, rng.uniform(0.5, 3.0, n_rows), classes)


def full_covariance(mixture: MixedMixture, component: int) -> np.ndarray:
    """Return the covariance (D, D) of all numeric columns of a component."""
    layout = mixture.layout
    covariance = np.zeros((layout.n_numeric, layout.n_numeric))
    independent, block = layout.independent_columns, layout.block_columns
    covariance[independent, independent] = mixture.variances[component]
    covariance[block[:, None], block] = mixture.covariances[component]
    return covariance


def slow_scores(mixture: MixedMixture, cells: Cells) -> np.ndarray:
    """Return the joint log density of each component and row (K, n), row by row with SciPy."""
    scores = np.empty((mixture.n_components, len(cells.numeric)))
    for k in range(mixture.n_components):
        covariance = full_covariance(mixture, k)
        for i, (numbers, codes) in enumerate(zip(cells.numeric, cells.codes, strict=True)):
            present = np.flatnonzero(~np.isnan(numbers))
            score = mixture.log_weights[k]
            if len(present):
                normal = multivariate_normal(mixture.means[k, present], covariance[np.ix_(present, present)])
                score += normal.logpdf(numbers[present])
            score += sum(table[k, code] for table, code in zip(mixture.tables, codes, strict=True) if code >= 0)
            scores[k, i] = score
    return scores
