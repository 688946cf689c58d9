"""``MixedMixture``: components that are Gaussian in numeric and multinomial in categorical columns.

Every component has a probability for each class. A mixture per class is the case in which these are 0 and 1; in a
mixture that all classes share (Hastie & Tibshirani, "Discriminant analysis by Gaussian mixtures", JRSS B 58, 1996)
they lie between. Missing cells are marginalised exactly: a component scores a row by the cells that are present.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.classification.mixed.block_precisions import BlockPrecisions, compute_block_precisions
from gaussmix.classification.mixed.feature_layout import FeatureLayout
from gaussmix.classification.mixed.log_probabilities import log_sum_exp
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.types import KD, KDD, KN, YN, Array, BoolGB, IntK, K

_LOG_TWO_PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True, eq=False)
class MixedMixture:
    """K components over D numeric and C categorical columns, and the class probabilities of each.

    Attributes
    ----------
    layout : FeatureLayout
    log_weights : ndarray of shape (K,)
        Logarithms of the weights; the weights of all components of all classes add up to 1.
    class_log_probabilities : ndarray of shape (K, Y)
        Log probability of each class in each component; minus infinity where a component belongs to other classes.
    means : ndarray of shape (K, D)
    variances : ndarray of shape (K, D - b)
        Variances of the independent columns.
    covariances : ndarray of shape (K, b, b)
        Covariances of the block's columns.
    tables : tuple of ndarray of shape (K, n_levels)
        For each categorical column the log probability of each level.
    """

    layout: FeatureLayout
    log_weights: K
    class_log_probabilities: Array
    means: KD
    variances: Array
    covariances: KDD
    tables: tuple[Array, ...]

    @property
    def n_components(self) -> int:
        """Number of components K."""
        return len(self.log_weights)

    @property
    def n_classes(self) -> int:
        """Number of classes Y."""
        return int(self.class_log_probabilities.shape[1])

    @cached_property
    def has_class_components(self) -> bool:
        """Whether every component belongs to one class alone."""
        return bool(np.isneginf(self.class_log_probabilities).sum() == self.n_components * (self.n_classes - 1))

    @cached_property
    def component_classes(self) -> IntK:
        """Most probable class of each component, (K,)."""
        return np.asarray(np.argmax(self.class_log_probabilities, axis=1), dtype=np.int64)

    @property
    def block_means(self) -> KD:
        """Means of the block's columns, (K, b)."""
        return np.asarray(self.means[:, self.layout.block_columns])

    def select_components(self, components: IntK) -> "MixedMixture":
        """Return the mixture of some components, with weights that add up to 1."""
        log_weights = self.log_weights[components]
        return MixedMixture(
            self.layout,
            log_weights - log_sum_exp(log_weights[:, None]),
            self.class_log_probabilities[components],
            self.means[components],
            self.variances[components],
            self.covariances[components],
            tuple(table[components] for table in self.tables),
        )

    @cached_property
    def _kept_precisions(self) -> list[tuple[BoolGB, BlockPrecisions]]:
        """The patterns and the precisions that `block_precisions` returned last."""
        return []

    def block_precisions(self, is_observed: BoolGB) -> BlockPrecisions:
        """Return the precisions of the block's columns that are observed in each pattern (G, b).

        Those of the last patterns are kept: the scores of rows and what follows from these need the same.
        """
        for patterns, precisions in tuple(self._kept_precisions):
            if patterns is is_observed:
                return precisions
        computed = compute_block_precisions(self.covariances, is_observed)
        self._kept_precisions[:] = [(is_observed, computed)]
        return computed

    def to_coefficients(self, is_observed: BoolGB) -> Array:
        """Return the coefficients (G, K, P) of the features, for patterns (G, b) of the block's observed columns.

        The product of a pattern's coefficients with features (P,) is the joint log density of row and component.
        """
        layout = self.layout
        coefficients = np.empty((len(is_observed), self.n_components, layout.n_features))
        means = self.means[:, layout.independent_columns]
        coefficients[..., layout.present] = -0.5 * (means**2 / self.variances + np.log(self.variances) + _LOG_TWO_PI)
        coefficients[..., layout.values] = means / self.variances
        coefficients[..., layout.squares] = -0.5 / self.variances
        for table, levels in zip(self.tables, layout.levels, strict=True):
            coefficients[..., levels] = table
        coefficients[..., layout.constant] = self.log_weights
        if layout.block:
            self._set_block_coefficients(coefficients, is_observed)
        return coefficients

    def _set_block_coefficients(self, coefficients: Array, is_observed: BoolGB) -> None:
        """Set the coefficients of the block's marginal Gaussians."""
        layout = self.layout
        precisions, log_determinants = self.block_precisions(is_observed)
        means = self.block_means
        slopes = np.einsum("gkij,kj->gki", precisions, means)
        log_normalizers = log_determinants + is_observed.sum(axis=1)[:, None] * _LOG_TWO_PI
        coefficients[..., layout.constant] -= 0.5 * ((means * slopes).sum(axis=2) + log_normalizers)
        coefficients[..., layout.block_values] = slopes
        first, second = layout.block_pairs
        coefficients[..., layout.block_products] = -precisions[..., first, second] * np.where(first == second, 0.5, 1.0)

    def compute_scores(self, rows: MixedRows) -> KN:
        """Return the joint log density of each component and sorted row, (K, n), without the classes."""
        scores = np.empty((self.n_components, rows.n_rows))
        for coefficients, chosen in zip(self.to_coefficients(rows.is_observed), rows.pattern_rows, strict=True):
            np.matmul(coefficients, rows.features[chosen].T, out=scores[:, chosen])
        return scores

    def compute_class_scores(self, rows: MixedRows) -> YN:
        """Return the joint log density of each class and sorted row, (Y, n)."""
        scores = self.compute_scores(rows)
        class_scores = np.empty((self.n_classes, rows.n_rows))
        for label, log_probabilities in enumerate(self.class_log_probabilities.T):
            owned = np.flatnonzero(np.isfinite(log_probabilities))
            class_scores[label] = log_sum_exp(scores[owned] + log_probabilities[owned, None])
        return class_scores
