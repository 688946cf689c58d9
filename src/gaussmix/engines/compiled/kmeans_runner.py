"""k-means in compiled code: pack the arguments, unpack the result."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.kmeans_run import LloydRunInput, LloydRunResult
from gaussmix.engines.compiled.row_cache import PackedRowCache
from gaussmix.engines.compiled.tile_workspaces import aligned_zeros
from gaussmix.engines.kmeans_runner import AbstractKMeansRunner
from gaussmix.kernels.compiled_functions import draw_kmeans_seeds, run_lloyd
from gaussmix.kernels.kmeans_arguments import KMeansState
from gaussmix.kernels.machine_constants import ROWS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.types import KD, ND, Array, IntK, K, N

_CONVERGED_CODE, _N_END_CODES = 0, 4

# A center so far away that its squared distances are infinite.
_FAR_AWAY = 1e200


class CompiledKMeansRunner(AbstractKMeansRunner):
    """Runs k-means in compiled functions."""

    def draw_seeds(self, rows: ND, row_weights: N, uniforms: Array, n_trials: int) -> IntK | None:
        """Return the positions (K,) of seeds; None if distances overflow."""
        centers = _make_centers(n_trials, rows.shape[1])
        state = _join_state(rows, row_weights, centers, np.zeros(len(centers)), n_trials)
        seeds = np.empty((len(uniforms) - 1) // n_trials + 1, dtype=np.int64)
        n_groups = -(-len(rows) // ROWS_PER_CHUNK) * ROWS_PER_CHUNK // SIMD_WIDTH
        is_complete = draw_kmeans_seeds(state, uniforms, np.empty(n_groups), seeds)
        return seeds if is_complete else None

    def run_lloyd(self, run_input: LloydRunInput) -> LloydRunResult:
        """Run Lloyd's algorithm until it ends or meets a case that only the solver's loop handles."""
        n_clusters, n_columns = run_input.centers.shape
        centers, objectives = _make_centers(n_clusters, n_columns), np.empty(run_input.max_iter)
        masses = np.zeros(len(centers))
        centers[:n_clusters] = run_input.centers
        weights = run_input.row_weights
        result = run_lloyd(
            _join_state(run_input.rows, weights, centers, masses, n_clusters),
            objectives,
            float(len(run_input.rows) if weights is None else weights.sum()),
            float(run_input.squared_movement_tolerance),
            float(run_input.squared_rounding),
            run_input.relocates_empty,
            run_input.max_iter,
        )
        n_iter, end_code = divmod(result, _N_END_CODES)
        return LloydRunResult(
            centers[:n_clusters].copy(), masses[:n_clusters], objectives[:n_iter].copy(), end_code == _CONVERGED_CODE
        )


class _RowArrays(NamedTuple):
    """The first fields of `KMeansState`."""

    rows: ND
    row_groups: Array
    row_weights: N
    squares: N
    labels: N


_row_cache = PackedRowCache()


def _pack_rows(rows: ND, weights: N | None) -> PackedArguments:
    """Return rows (n, D) in two layouts and arrays for one number per row."""
    n_rows, n_columns = rows.shape
    n_filled = -(-n_rows // ROWS_PER_CHUNK) * ROWS_PER_CHUNK
    filled = np.zeros((n_filled, n_columns))
    filled[:n_rows] = rows
    groups = aligned_zeros(filled.size).reshape(-1, n_columns, SIMD_WIDTH)
    groups[:] = filled.reshape(-1, SIMD_WIDTH, n_columns).swapaxes(1, 2)
    row_weights = aligned_zeros(n_filled)
    row_weights[:n_rows] = 1.0 if weights is None else weights
    arrays = _RowArrays(filled[:n_rows], groups, row_weights, aligned_zeros(n_filled), aligned_zeros(n_filled))
    return pack_arguments(tuple(arrays))


def _make_centers(n_clusters: int, n_columns: int) -> KD:
    """Return centers (K', D) that fill whole tiles, all of them far away."""
    return np.full((-(-n_clusters // TILE_SIDE) * TILE_SIDE, n_columns), _FAR_AWAY)


def _join_state(rows: ND, weights: N | None, centers: KD, masses: K, n_clusters: int) -> PackedArguments:
    """Return the packed state of a run on rows (n, D) with centers (K', D) and masses (K',), which it overwrites."""
    n_centers, n_columns = centers.shape
    buffers = (
        centers,
        masses,
        np.zeros((n_centers, -(-n_columns // SIMD_WIDTH) * SIMD_WIDTH)),
        np.zeros(n_centers, dtype=np.int64),
        aligned_zeros(TILE_SIDE * SIMD_WIDTH),
        n_clusters,
    )
    return join_packed_arguments(
        KMeansState,
        _row_cache.get_or_pack(rows, (weights,), lambda: _pack_rows(rows, weights)),
        pack_arguments(buffers),
    )
