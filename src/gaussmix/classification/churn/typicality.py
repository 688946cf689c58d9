"""How typical rows are of the components of a mixture: their log density beside what it is on average.

Densities of rows with different missing cells do not compare. The typicality of a row in a component is the log density
of its present cells, less the mean of this log density over the component: plus their entropy. It is zero on average
for any set of cells, and highest at the center of the component.
"""

from typing import NamedTuple

import numpy as np

from gaussmix.classification.class_model import ClassModel
from gaussmix.classification.mixed.block_precisions import compute_block_precisions
from gaussmix.classification.mixed.mixed_mixture import MixedMixture
from gaussmix.classification.mixed.mixed_rows import MixedRows
from gaussmix.classification.table import EncodedRows
from gaussmix.types import KN, NK, Array, BoolGB, IntN, N

_MAX_BLOCK_ROWS = 20_000  # whose features are in memory at one time
_GAUSSIAN_ENTROPY = 0.5 * float(np.log(2.0 * np.pi * np.e))  # of a standard normal number, in nats


def compute_typicality(model: ClassModel, encoded: EncodedRows) -> NK:
    """Return the typicality (n, K) of encoded rows in each component of a model of one member."""
    starts = range(0, encoded.n_rows, _MAX_BLOCK_ROWS)
    blocks = [_compute_block(model, encoded.select_rows(slice(start, start + _MAX_BLOCK_ROWS))) for start in starts]
    return np.concatenate([np.empty((0, model.n_classes)), *blocks])


def _compute_block(model: ClassModel, encoded: EncodedRows) -> NK:
    """Return the typicality (n, K) of few rows."""
    rows = model.compute_features(encoded)
    mixture = model.members[0]
    scores = mixture.compute_scores(rows) - mixture.log_weights[:, None]
    return np.ascontiguousarray(rows.to_original_order(scores + _present_entropies(mixture, rows)).T)


class Prominence(NamedTuple):
    """The most probable component (n,) of each row, and how typical of it the row is (n,)."""

    components: IntN
    values: N


def compute_prominence(model: ClassModel, encoded: EncodedRows) -> Prominence:
    """Return the most probable component of each row, and log probability of it plus typicality in it.

    The sum is that of the logarithms of responsibility and density, up to a constant. The components of the model are
    its classes.
    """
    log_memberships = model.log_probabilities(encoded)
    components = log_memberships.argmax(axis=1)
    own = np.arange(len(components))
    return Prominence(
        components, log_memberships[own, components] + compute_typicality(model, encoded)[own, components]
    )


def _present_entropies(mixture: MixedMixture, rows: MixedRows) -> KN:
    """Return the entropy (K, n) of the present cells of sorted rows in each component."""
    layout = mixture.layout
    coefficients = np.zeros((mixture.n_components, layout.n_features))
    coefficients[:, layout.present] = 0.5 * np.log(mixture.variances) + _GAUSSIAN_ENTROPY
    for table, levels in zip(mixture.tables, layout.levels, strict=True):
        # A present level has one indicator, so the sum over the indicators is the entropy of the column.
        coefficients[:, levels] = -(np.exp(table) * table).sum(axis=1, keepdims=True)
    entropies = coefficients @ rows.features.T
    if layout.block:
        for block_entropies, chosen in zip(_block_entropies(mixture, rows.is_observed), rows.pattern_rows, strict=True):
            entropies[:, chosen] += block_entropies[:, None]
    return np.asarray(entropies)


def _block_entropies(mixture: MixedMixture, is_observed: BoolGB) -> Array:
    """Return the entropy (G, K) of the observed columns of the block for each pattern."""
    log_determinants = compute_block_precisions(mixture.covariances, is_observed).log_determinants
    return np.asarray(0.5 * log_determinants + is_observed.sum(axis=1)[:, None] * _GAUSSIAN_ENTROPY)
