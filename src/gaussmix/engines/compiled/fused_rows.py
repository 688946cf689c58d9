"""The rows of a fused EM run in groups of one register per column, packed once for all runs over the same rows."""

from functools import lru_cache

import numpy as np

from gaussmix.engines.compiled.row_cache import PackedRowCache
from gaussmix.kernels.compiled_functions import arrange_rows_in_groups
from gaussmix.kernels.fused_arguments import FusedRows
from gaussmix.kernels.machine_constants import FUSED_GROUPS_TOGETHER, SIMD_WIDTH
from gaussmix.kernels.packed_arguments import PackedArguments, pack_arguments
from gaussmix.types import ND, AnyArray, Array, IntN, N

_EMPTY_GROUPS = np.empty((0, SIMD_WIDTH))

_row_cache = PackedRowCache()


def pack_rows(rows: ND, row_weights: N | None, known_labels: IntN | None) -> PackedArguments:
    """Return rows (n, D), their weights (n,) and known labels (n,) in packed groups.

    The same objects are packed once, so that nobody may change them.
    """

    def pack() -> PackedArguments:
        weights = np.ones(len(rows)) if row_weights is None else row_weights
        return pack_arguments(
            (
                _fill_row_groups(rows, row_weights),
                _fill_groups(weights, 0.0),
                _EMPTY_GROUPS if known_labels is None else _fill_groups(known_labels, -1.0),
            )
        )

    return _row_cache.get_or_pack(rows, (row_weights, known_labels), pack)


@lru_cache(maxsize=64)
def pack_no_rows(n_features: int) -> PackedArguments:
    """Return the packed rows of a run without rows."""
    return pack_arguments(tuple(FusedRows(np.empty((0, n_features, SIMD_WIDTH)), _EMPTY_GROUPS, _EMPTY_GROUPS)[:]))


def _fill_row_groups(rows: ND, row_weights: N | None) -> Array:
    """Return rows in groups (n_groups, D, SIMD_WIDTH), filled up with zeros; rows of weight 0 are zeros, too.

    Products of an infinite value and weight 0 would not be numbers.
    """
    groups = np.empty((_n_groups(len(rows)), rows.shape[1], SIMD_WIDTH))
    arrange_rows_in_groups(np.ascontiguousarray(rows), groups)
    if row_weights is not None:
        unweighted = np.flatnonzero(~(row_weights > 0.0))
        groups[unweighted // SIMD_WIDTH, :, unweighted % SIMD_WIDTH] = 0.0
    return groups


def _n_groups(n_rows: int) -> int:
    """Return the number of groups of rows, a multiple of FUSED_GROUPS_TOGETHER."""
    return -(-n_rows // (SIMD_WIDTH * FUSED_GROUPS_TOGETHER)) * FUSED_GROUPS_TOGETHER


def _fill_groups(values: AnyArray, filler: float) -> Array:
    """Return values of rows (n,) in groups (n_groups, SIMD_WIDTH); the last groups are filled up."""
    filled = np.full((_n_groups(len(values)), SIMD_WIDTH), filler)
    filled.ravel()[: len(values)] = values
    return filled
