"""Convert quadratics, rows and sums to the arrays that kernels read and write, and back."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind
from gaussmix.core.precision_roots import (
    AbstractPrecisionRoot,
    DensePrecisionRoot,
    DiagonalPrecisionRoot,
    LowRankPrecisionRoot,
    SharedPrecisionRoot,
    SphericalPrecisionRoot,
)
from gaussmix.core.quadratics import Quadratics
from gaussmix.kernels.argument_tuples import (
    DIAGONAL_DISTANCE,
    FULL_DISTANCE,
    SPHERICAL_DISTANCE,
    SUM_FIRST_MOMENTS,
    SUM_NOTHING,
    SUM_POOLED_PRODUCTS,
    SUM_PRODUCTS,
    SUM_SQUARES,
    ModelArrays,
    MomentSums,
    RowArrays,
    RowResults,
)
from gaussmix.kernels.machine_constants import COLUMNS_PER_BLOCK, MAX_FEW_COLUMNS, SIMD_WIDTH, TILE_SIDE
from gaussmix.types import KD, KDD, Array, IntArray, K

MOMENT_CODES = {
    MomentKind.FULL: SUM_PRODUCTS,
    MomentKind.DIAGONAL: SUM_SQUARES,
    MomentKind.TRACE: SUM_SQUARES,
    MomentKind.POOLED_DIAGONAL: SUM_SQUARES,
    MomentKind.POOLED_FULL: SUM_POOLED_PRODUCTS,
    MomentKind.NONE: SUM_FIRST_MOMENTS,
}

_EMPTY = np.empty(0)
_NO_LABELS = np.empty(0, dtype=np.int64)
_EMPTY_TABLE = np.empty((0, 0))
NO_ROW_RESULTS = RowResults(_NO_LABELS, _EMPTY, _EMPTY, _EMPTY_TABLE)

# Largest |log2| of a spherical scale for which unscaled sums of squares can neither overflow nor underflow.
_MAX_LOG2_SPHERICAL_SCALE = 64.0

# Largest entry of a shared precision root R for which rows are whitened once for all components.
# Above it, R^T x - R^T m would cancel.
_MAX_SHARED_PRECISION_ROOT = 1e3


@dataclass(frozen=True)
class PackedModel:
    """A model as arrays.

    ``n_padded_columns`` is the number of columns of a tile (a multiple of the block size), ``n_features``
    the number of columns of the rows.
    """

    arrays: ModelArrays
    n_padded_columns: int
    n_features: int

    @property
    def row_length(self) -> int:
        """Length of a padded centre or row copy: a multiple of the register width."""
        return int(self.arrays.row_center.shape[1])


def densify_low_rank_root(quadratics: Quadratics) -> Quadratics:
    """Return the quadratics with a low-rank root written as dense matrices, which kernels can read."""
    root = quadratics.precision_root
    if not isinstance(root, LowRankPrecisionRoot):
        return quadratics
    return replace(
        quadratics, precision_root=DensePrecisionRoot(root.to_dense(quadratics.n_components, quadratics.n_features))
    )


def pack_model(quadratics: Quadratics, moment_code: int) -> PackedModel:
    """Return the quadratics as arrays for a pass that accumulates ``moment_code``."""
    root, n_features = quadratics.precision_root, quadratics.n_features
    multiple = COLUMNS_PER_BLOCK if moment_code in (SUM_FIRST_MOMENTS, SUM_SQUARES) else TILE_SIDE
    n_columns = -(-n_features // multiple) * multiple
    if isinstance(root, SharedPrecisionRoot):
        upper = _to_upper_triangular_roots(root.root_matrix[None])
        if np.abs(upper).max(initial=0.0) <= _MAX_SHARED_PRECISION_ROOT:
            return PackedModel(_pack_whitened_model(quadratics, upper, n_columns), n_columns, n_features)
        root = DensePrecisionRoot(np.repeat(upper, quadratics.n_components, axis=0))
    allows_two_columns = moment_code in (SUM_NOTHING, SUM_PRODUCTS, SUM_POOLED_PRODUCTS)
    if isinstance(root, DensePrecisionRoot) and n_features <= 2 and allows_two_columns:
        n_columns = 2
    center = _zero_pad_columns(quadratics.center, _round_up_to_registers(n_columns))
    distance_code, packed_root = _pack_root(root, n_columns)
    model = ModelArrays(distance_code, np.ascontiguousarray(quadratics.offset), center, packed_root, center, _EMPTY)
    return PackedModel(model, n_columns, n_features)


def _pack_whitened_model(quadratics: Quadratics, shared_root: KDD, n_padded_columns: int) -> ModelArrays:
    """Return the model for rows that are whitened once, by the upper triangular ``shared_root`` (1, D, D)."""
    row_length = _round_up_to_registers(n_padded_columns)
    whitened_center = _zero_pad_columns(quadratics.center @ shared_root[0], row_length)
    whitening = pack_triangles(shared_root, n_padded_columns, has_few_columns=False)
    ones, center = np.ones(quadratics.n_components), _zero_pad_columns(quadratics.center, row_length)
    return ModelArrays(SPHERICAL_DISTANCE, quadratics.offset, whitened_center, ones, center, whitening)


class _PackedRoot(NamedTuple):
    """The code of how distances are computed, and the root's numbers in the order in which kernels read them."""

    distance_code: int
    numbers: Array


def _pack_root(root: AbstractPrecisionRoot, n_padded_columns: int) -> _PackedRoot:
    """Return the code of the distance and the root's numbers; TypeError for a root that kernels do not support."""
    if isinstance(root, DensePrecisionRoot):
        upper = _to_upper_triangular_roots(root.root_matrices)
        has_few_columns = n_padded_columns <= MAX_FEW_COLUMNS
        return _PackedRoot(FULL_DISTANCE, pack_triangles(upper, n_padded_columns, has_few_columns))
    if isinstance(root, DiagonalPrecisionRoot):
        return _PackedRoot(DIAGONAL_DISTANCE, _zero_pad_columns(root.inverse_deviations, n_padded_columns).ravel())
    if isinstance(root, SphericalPrecisionRoot) and _can_scale_sums_of_squares(root.inverse_deviations):
        return _PackedRoot(SPHERICAL_DISTANCE, np.ascontiguousarray(root.inverse_deviations))
    if isinstance(root, SphericalPrecisionRoot):
        return _PackedRoot(DIAGONAL_DISTANCE, np.repeat(root.inverse_deviations, n_padded_columns))
    raise TypeError(f"no kernel computes distances with a {type(root).__name__}")


def _can_scale_sums_of_squares(scales: K) -> bool:
    """Return whether sums of unscaled squares may be multiplied by ``scales`` without overflow or underflow."""
    return bool(
        (np.abs(np.log2(scales, where=scales > 0, out=np.full_like(scales, np.inf))) <= _MAX_LOG2_SPHERICAL_SCALE).all()
    )


def _round_up_to_registers(n_padded_columns: int) -> int:
    """Return the number of columns, rounded up to a multiple of the register width."""
    return -(-n_padded_columns // SIMD_WIDTH) * SIMD_WIDTH


def _zero_pad_columns(values: KD, n_padded_columns: int) -> KD:
    """Return values (K, D) as a contiguous (K, n_padded_columns) array; the added columns are zero."""
    if values.shape[1] == n_padded_columns:
        return np.ascontiguousarray(values)
    padded = np.zeros((len(values), n_padded_columns))
    padded[:, : values.shape[1]] = values
    return padded


def _to_upper_triangular_roots(roots: KDD) -> KDD:
    """Return upper triangular square roots (K, D, D) of the same precisions."""
    n_features = roots.shape[1]
    if n_features == 1 or not roots.reshape(len(roots), -1)[:, _positions_below_diagonal(n_features)].any():
        return roots
    return linalg.to_upper_triangular_roots(roots)


@lru_cache(maxsize=64)
def _positions_below_diagonal(n_features: int) -> IntArray:
    """Return the flat positions of the entries below the diagonal, row by row."""
    row, column = np.tril_indices(n_features, -1)
    return np.asarray(row * n_features + column)


def pack_triangles(upper: KDD, n_padded_columns: int, has_few_columns: bool) -> Array:
    """Return R^T of every component as one flat array, in the order of the kernel for few or for many columns."""
    n_components, n_features = upper.shape[:2]
    if n_features < n_padded_columns:
        padded = np.zeros((n_components, n_padded_columns, n_padded_columns))
        padded[:, :n_features, :n_features] = upper
        upper = padded
    order = (_triangle_positions_row_by_row if has_few_columns else _triangle_positions_panel_by_panel)(
        n_padded_columns
    )
    return np.ascontiguousarray(upper.reshape(n_components, -1)[:, order]).ravel()


@lru_cache(maxsize=64)
def _triangle_positions_row_by_row(n_padded_columns: int) -> IntArray:
    """Return the flat positions in R of the lower triangle of R^T, row by row."""
    row, column = np.tril_indices(n_padded_columns)
    return np.asarray(column * n_padded_columns + row)


@lru_cache(maxsize=64)
def _triangle_positions_panel_by_panel(n_padded_columns: int) -> IntArray:
    """Return the flat positions in R of R^T's panels: four rows each, column by column through the diagonal square."""
    panels = []
    for block in range(0, n_padded_columns, TILE_SIDE):
        column, row = np.meshgrid(np.arange(block + TILE_SIDE), np.arange(block, block + TILE_SIDE), indexing="ij")
        panels.append((column * n_padded_columns + row).ravel())
    return np.concatenate(panels)


def pack_rows(batch: Batch, n_components: int) -> RowArrays:
    """Return the batch as arrays; rows with a type or layout that kernels cannot read are converted first."""
    stored, frame = batch.raw_rows, batch.frame
    if stored.dtype not in (np.float64, np.float32) or not stored.flags.c_contiguous or not stored.dtype.isnative:
        stored, frame = batch.rows, None
    if frame is None:
        frame = Frame.identity(stored.shape[1])
    prescale, scale = frame.scale_factors
    weights = _EMPTY if batch.weights is None else np.ascontiguousarray(batch.weights, dtype=np.float64)
    labels, log_label_prior = _NO_LABELS, _EMPTY_TABLE
    # Both functions check the shape: kernels read these arrays without bounds.
    known_labels = batch.known_labels(n_components)
    log_prior = None if known_labels is not None else batch.label_log_prior(n_components)
    if known_labels is not None:
        labels = np.ascontiguousarray(known_labels, dtype=np.int64)
    elif log_prior is not None:
        log_label_prior = np.ascontiguousarray(log_prior, dtype=np.float64)
    center = np.asarray(frame.center, dtype=np.float64)
    return RowArrays(stored, stored.dtype == np.float32, prescale, center, scale, weights, labels, log_label_prior)


def make_zero_sums(packed_model: PackedModel, moment_code: int) -> MomentSums:
    """Return new sums of zero, flat and padded, for a pass that accumulates ``moment_code``."""
    n_components, row_length = len(packed_model.arrays.center), packed_model.row_length
    n_entries = row_length * row_length
    scatter_sizes = {
        SUM_PRODUCTS: n_components * n_entries,
        SUM_POOLED_PRODUCTS: n_entries,
        SUM_SQUARES: n_components * row_length,
        SUM_FIRST_MOMENTS: 0,
        SUM_NOTHING: 0,
    }
    first_moments = np.zeros(n_components * row_length)
    return MomentSums(np.zeros(n_components), first_moments, np.zeros(scatter_sizes[moment_code]), np.zeros(4))


def unpack_scatter_in_place(scatter: Array, packed_model: PackedModel, moment_code: int, n_features: int) -> Array:
    """Return squares (K, D), products (K, D, D) or pooled products (1, D, D), mirrored in place, as a view."""
    row_length = packed_model.row_length
    if moment_code == SUM_SQUARES:
        return scatter.reshape(-1, row_length)[:, :n_features]
    products = scatter.reshape(-1, row_length, row_length)[:, :n_features, :n_features]
    for begin in range(0, n_features, _COLUMNS_PER_MIRROR_BLOCK):
        end = min(begin + _COLUMNS_PER_MIRROR_BLOCK, n_features)
        products[:, end:, begin:end] = np.swapaxes(products[:, begin:end, end:], 1, 2)
        row, column = _row_and_column_above_diagonal(end - begin)
        products[:, begin + column, begin + row] = products[:, begin + row, begin + column]
    return products


# Columns mirrored at the diagonal together.
_COLUMNS_PER_MIRROR_BLOCK = 16


@lru_cache(maxsize=64)
def _row_and_column_above_diagonal(n_features: int) -> tuple[IntArray, IntArray]:
    """Return the row indices and the column indices of the entries above the diagonal."""
    return np.triu_indices(n_features, 1)
