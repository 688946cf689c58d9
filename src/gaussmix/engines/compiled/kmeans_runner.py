"""k-means in compiled code: pack the arguments, unpack the result."""

from typing import NamedTuple

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.kmeans_run import LloydRunInput, LloydRunResult, NearestCenters
from gaussmix.engines.compiled.compiled_pass import pack_batch
from gaussmix.engines.compiled.row_cache import PackedRowCache
from gaussmix.engines.compiled.tile_workspaces import aligned_empty, aligned_zeros
from gaussmix.engines.kmeans_runner import AbstractKMeansRunner
from gaussmix.kernels.compiled_functions import (
    arrange_rows_in_groups,
    assign_rows_to_centers,
    draw_kmeans_seeds,
    measure_distances_to_centers,
    run_lloyd,
)
from gaussmix.kernels.kmeans_arguments import AssignmentWorkspace, KMeansState
from gaussmix.kernels.machine_constants import GROUPS_PER_CHUNK, ROWS_PER_CHUNK, SIMD_WIDTH, TILE_SIDE
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.types import KD, ND, NK, Array, IntK, K, N

_CONVERGED_CODE, _NEEDS_PYTHON_CODE, _N_END_CODES = 0, 2, 4

# A center so far away that its squared distances are infinite.
_FAR_AWAY = 1e200


class CompiledKMeansRunner(AbstractKMeansRunner):
    """Runs k-means in compiled functions."""

    def draw_seeds(self, rows: ND, row_weights: N, uniforms: Array, n_trials: int) -> IntK | None:
        """Return the positions (K,) of seeds; None if distances overflow."""
        centers = _make_centers(n_trials, rows.shape[1])
        contiguous = np.ascontiguousarray(rows)
        state = _join_state(contiguous, row_weights, centers, np.zeros(len(centers)), n_trials)
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
        rows, weights = np.ascontiguousarray(run_input.rows), run_input.row_weights
        result = run_lloyd(
            _join_state(rows, weights, centers, masses, n_clusters),
            objectives,
            float(len(rows) if weights is None else weights.sum()),
            float(run_input.squared_movement_tolerance),
            float(run_input.squared_rounding),
            run_input.relocates_empty,
            run_input.finds_nearest_centers,
            run_input.max_iter,
        )
        n_iter, end_code = divmod(result, _N_END_CODES)
        nearest = None
        if run_input.finds_nearest_centers and end_code != _NEEDS_PYTHON_CODE:
            nearest = _copy_nearest_centers(_pack_rows_once(rows, weights), len(rows))
        return LloydRunResult(
            centers[:n_clusters].copy(),
            masses[:n_clusters],
            objectives[:n_iter].copy(),
            end_code == _CONVERGED_CODE,
            nearest,
        )

    def find_nearest_centers(self, batch: Batch, centers: KD, out: NearestCenters) -> bool:
        """Write the nearest of the centers (K, D) for each row of a batch to ``out``; return True."""
        assign_rows_to_centers(pack_batch(batch, len(centers)), _pack_assignment_workspace(centers), *out)
        return True

    def measure_distances(self, batch: Batch, centers: KD, out: NK) -> bool:
        """Write the distances (n, K) of the rows of a batch to centers (K, D) to ``out``; return True."""
        measure_distances_to_centers(pack_batch(batch, len(centers)), _pack_assignment_workspace(centers), out)
        return True


class _RowArrays(NamedTuple):
    """The first fields of `KMeansState` after the rows."""

    row_groups: Array
    row_weights: N
    squares: N
    labels: N


_row_cache = PackedRowCache()


def _pack_rows_once(rows: ND, weights: N | None) -> PackedArguments:
    """Return the packed rows (n, D) and weights, the same for the same objects."""
    return _row_cache.get_or_pack(rows, (weights,), lambda: _pack_rows(rows, weights))


def _pack_rows(rows: ND, weights: N | None) -> PackedArguments:
    """Return rows (n, D) in two layouts and arrays for one number per row; of the rows it keeps the address alone."""
    n_rows, n_columns = rows.shape
    n_filled = -(-n_rows // ROWS_PER_CHUNK) * ROWS_PER_CHUNK
    groups = aligned_empty(n_filled * n_columns).reshape(-1, n_columns, SIMD_WIDTH)
    arrange_rows_in_groups(rows, groups)
    row_weights, squares, labels = (aligned_empty(n_filled) for _ in range(3))
    row_weights[:n_rows] = 1.0 if weights is None else weights
    row_weights[n_rows:] = 0.0
    arrays = _RowArrays(groups, row_weights, squares, labels)
    return pack_arguments((rows, *arrays))._replace(source_values=arrays)


def _copy_nearest_centers(packed_rows: PackedArguments, n_rows: int) -> NearestCenters:
    """Return the nearest centers of n rows that a run has found."""
    arrays: _RowArrays = packed_rows.source_values
    return NearestCenters(arrays.labels[:n_rows].astype(np.int64), arrays.squares[:n_rows].copy())


def _make_centers(n_clusters: int, n_columns: int) -> KD:
    """Return centers (K', D) that fill whole tiles, all of them far away."""
    return np.full((-(-n_clusters // TILE_SIDE) * TILE_SIDE, n_columns), _FAR_AWAY)


def _pack_assignment_workspace(centers: KD) -> PackedArguments:
    """Return packed centers (K, D) and arrays for a chunk of rows."""
    padded = _make_centers(*centers.shape)
    padded[: len(centers)] = centers
    workspace = AssignmentWorkspace(
        padded,
        np.empty((GROUPS_PER_CHUNK, centers.shape[1], SIMD_WIDTH)),
        np.empty(ROWS_PER_CHUNK, dtype=np.int64),
        np.empty(ROWS_PER_CHUNK),
        np.empty(TILE_SIDE * ROWS_PER_CHUNK),
    )
    return pack_arguments(workspace)


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
        _pack_rows_once(rows, weights),
        pack_arguments(buffers),
    )
