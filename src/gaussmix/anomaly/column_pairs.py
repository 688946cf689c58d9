"""Pairs of columns that are ordinary alone and not together."""

import numpy as np

from gaussmix.anomaly.deviating_columns import DeviatingColumns
from gaussmix.anomaly.deviations import Deviations
from gaussmix.types import IntArray

_MAX_MARGINAL_Z = 3.9  # of a value that is ordinary alone: one of 10 000 is farther out
_MIN_PARTIAL_CORRELATION = 0.5
# Without its partner, the value is ordinary (two-sided tail probability 0.01), or deviates by at most this fraction.
_ORDINARY_Z = 2.6
_MAX_FRACTION_LEFT = 0.8
# The partner deviates by at least this fraction: either value could be the wrong one.
_MIN_FRACTION_OF_PARTNER = 0.5
# Leaving out any third column makes the value less surprising by at most this fraction of what the partner does.
_MAX_FRACTION_OF_THIRD = 0.75


def find_pairs(deviations: Deviations, found: DeviatingColumns) -> IntArray:
    """Return the pair (n, 2) of columns of each row that do not go together, -1 where there is none.

    The first column a is the one that deviates most. Without column b its conditional z is
    (z_a - C_ab z_b) / sqrt(1 - C_ab^2), where C is the scaled precision. The partner is the b without which it is
    smallest. They are a pair if both values are ordinary alone, if they are closely related given the other columns,
    more closely than any third column, and if no third column deviates.
    """
    n_rows, n_features = deviations.differences.shape
    pairs = np.full((n_rows, 2), -1, dtype=np.int64)
    rows = np.flatnonzero((found.counts > 0) & found.is_rest_normal)
    if n_features < 2 or not len(rows):
        return pairs
    first = found.columns[rows, 0]
    z, marginal_z = deviations.conditional_z[rows], np.abs(deviations.marginal_z[rows])
    links = deviations.shapes.scaled_precisions[deviations.groups[rows], first]
    index = np.arange(len(rows))
    own_z = z[index, first]
    remaining = np.abs(own_z[:, None] - links * z) / np.sqrt(np.maximum(1.0 - links**2, 1e-8))
    remaining[index, first] = np.inf
    partner = remaining.argmin(axis=1)
    gains = np.abs(own_z)[:, None] - np.where(np.isfinite(remaining), remaining, np.abs(own_z)[:, None])
    partner_gain = gains[index, partner]
    gains[index, partner] = 0.0
    is_other = (found.columns[rows] >= 0) & (found.columns[rows] != first[:, None])
    is_pair = (
        (np.abs(links[index, partner]) >= _MIN_PARTIAL_CORRELATION)
        & (remaining[index, partner] <= np.maximum(_MAX_FRACTION_LEFT * np.abs(own_z), _ORDINARY_Z))
        & (np.abs(z[index, partner]) >= _MIN_FRACTION_OF_PARTNER * np.abs(own_z))
        & (np.maximum(marginal_z[index, first], marginal_z[index, partner]) <= _MAX_MARGINAL_Z)
        & (gains.max(axis=1) <= _MAX_FRACTION_OF_THIRD * partner_gain)
        & ~(is_other & (found.columns[rows] != partner[:, None])).any(axis=1)
    )
    pairs[rows[is_pair]] = np.column_stack([first, partner])[is_pair]
    return pairs
