"""Quadratics, rows and sums in the plain arrays that kernels read and write, and back."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.batch import Batch
from gaussmix.core.frame import Frame
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.roots import DenseRoot, DiagonalRoot, LowRankRoot, SharedRoot, SphericalRoot
from gaussmix.engines.kernels.compiled.values import (
    DIAGONAL,
    FULL,
    MASS,
    NOTHING,
    POOLED,
    PRODUCTS,
    SPHERICAL,
    SQUARES,
    Answers,
    Model,
    Rows,
    Sums,
)
from gaussmix.engines.kernels.machine import BLOCK, SMALL, TILE, WIDTH
from gaussmix.types import KD, KDD, Array, IntD, K

KINDS = {
    MomentKind.FULL: PRODUCTS,
    MomentKind.DIAGONAL: SQUARES,
    MomentKind.TRACE: SQUARES,
    MomentKind.POOLED_DIAGONAL: SQUARES,
    MomentKind.POOLED_FULL: POOLED,
    MomentKind.NOTHING: MASS,
}

_NONE = np.empty(0)
_NO_LABELS = np.empty(0, dtype=np.int64)
_NO_TABLE = np.empty((0, 0))
NO_ANSWERS = Answers(_NO_LABELS, _NONE, _NONE, _NO_TABLE)

_MODERATE = 64.0
"""Powers of two within which the scale of a round component leaves its sums of squares far from the limits."""

_SHARED_LIMIT = 1e3
"""Largest precision root for which rows are whitened once for all components: beyond, R^T x - R^T m would cancel."""


@dataclass(frozen=True)
class Packed:
    """A model in arrays, how many columns (rows of registers) its tiles have, and how many of them are the rows'."""

    model: Model
    n_columns: int
    n_features: int

    @property
    def width(self) -> int:
        """Columns of centres and of products row by row: a multiple of a register."""
        return int(self.model.origin.shape[1])


def written_out(quadratics: Quadratics) -> Quadratics:
    """The same quadratics with a root of low rank as matrices, which kernels can read."""
    root = quadratics.root
    if not isinstance(root, LowRankRoot):
        return quadratics
    return replace(quadratics, root=DenseRoot(root.dense(quadratics.n_components, quadratics.n_features)))


def pack(quadratics: Quadratics, kind: int) -> Packed:
    """Quadratics as a kernel wants them, for a pass that adds up ``kind``."""
    root, n_features = quadratics.root, quadratics.n_features
    unit = BLOCK if kind in (MASS, SQUARES) else TILE
    n_columns = -(-n_features // unit) * unit
    if isinstance(root, SharedRoot):
        shared = _upper(root.matrix[None])
        if np.abs(shared).max(initial=0.0) <= _SHARED_LIMIT:
            width = _width(n_columns)
            white = _padded(quadratics.center @ shared[0], width)
            whitening = pack_triangles(shared, n_columns, small=False)
            ones = np.ones(quadratics.n_components)
            model = Model(SPHERICAL, quadratics.offset, white, ones, _padded(quadratics.center, width), whitening)
            return Packed(model, n_columns, n_features)
        root = DenseRoot(np.repeat(shared, quadratics.n_components, axis=0))
    if isinstance(root, DenseRoot) and n_features <= 2 and kind in (NOTHING, PRODUCTS, POOLED):
        n_columns = 2
    center = _padded(quadratics.center, _width(n_columns))
    if isinstance(root, DenseRoot):
        form, packed = FULL, pack_triangles(_upper(root.matrices), n_columns, small=n_columns <= SMALL)
    elif isinstance(root, DiagonalRoot):
        form, packed = DIAGONAL, _padded(root.scales, n_columns).ravel()
    elif isinstance(root, SphericalRoot) and _are_moderate(root.scales):
        form, packed = SPHERICAL, np.ascontiguousarray(root.scales)
    elif isinstance(root, SphericalRoot):
        form, packed = DIAGONAL, np.repeat(root.scales, n_columns)
    else:
        raise TypeError(f"no kernel measures distances by a {type(root).__name__}")
    model = Model(form, np.ascontiguousarray(quadratics.offset), center, packed, center, _NONE)
    return Packed(model, n_columns, n_features)


def _are_moderate(scales: K) -> bool:
    """Whether sums of squares may be scaled when they are complete: none can overflow, or vanish, before."""
    return bool((np.abs(np.log2(scales, where=scales > 0, out=np.full_like(scales, np.inf))) <= _MODERATE).all())


def _width(n_columns: int) -> int:
    return -(-n_columns // WIDTH) * WIDTH


def _padded(numbers: KD, n_columns: int) -> KD:
    """(K, D) with columns of zeros up to ``n_columns``, contiguous."""
    if numbers.shape[1] == n_columns:
        return np.ascontiguousarray(numbers)
    padded = np.zeros((len(numbers), n_columns))
    padded[:, : numbers.shape[1]] = numbers
    return padded


def _upper(roots: KDD) -> KDD:
    """Upper triangular square roots of the same precisions."""
    n_features = roots.shape[1]
    if n_features == 1 or not roots.reshape(len(roots), -1)[:, _below(n_features)].any():
        return roots
    return linalg.triangular_roots(roots)


@lru_cache(maxsize=64)
def _below(n_features: int) -> IntD:
    """Positions of the entries below the diagonal, row by row."""
    row, column = np.tril_indices(n_features, -1)
    return np.asarray(row * n_features + column)


def pack_triangles(upper: KDD, n_columns: int, small: bool) -> Array:
    """R^T of every component, in the order in which a kernel reads it: see ``small`` and ``tiles``."""
    n_components, n_features = upper.shape[:2]
    if n_features < n_columns:
        padded = np.zeros((n_components, n_columns, n_columns))
        padded[:, :n_features, :n_features] = upper
        upper = padded
    order = (_rowwise if small else _panelwise)(n_columns)
    return np.ascontiguousarray(upper.reshape(n_components, -1)[:, order]).ravel()


@lru_cache(maxsize=64)
def _rowwise(n_columns: int) -> IntD:
    """Positions in R of R^T's lower triangle, row by row."""
    row, column = np.tril_indices(n_columns)
    return np.asarray(column * n_columns + row)


@lru_cache(maxsize=64)
def _panelwise(n_columns: int) -> IntD:
    """Positions in R of R^T's panels: four rows at a time, column by column up to the diagonal square's last."""
    parts = []
    for block in range(0, n_columns, TILE):
        column, row = np.meshgrid(np.arange(block + TILE), np.arange(block, block + TILE), indexing="ij")
        parts.append((column * n_columns + row).ravel())
    return np.concatenate(parts)


def rows_of(batch: Batch) -> Rows:
    """A batch in arrays; rows of a type or layout that kernels do not read are brought into working coordinates."""
    stored, frame = batch.stored, batch.frame
    if stored.dtype not in (np.float64, np.float32) or not stored.flags.c_contiguous or not stored.dtype.isnative:
        stored, frame = batch.rows, None
    if frame is None:
        frame = Frame.identity(stored.shape[1])
    shrink, scale = frame.factors
    weights = _NONE if batch.weights is None else np.ascontiguousarray(batch.weights, dtype=np.float64)
    labels, log_hints = _NO_LABELS, _NO_TABLE
    if batch.hints is not None and batch.hints.ndim == 2:
        log_hints = np.ascontiguousarray(batch.hints, dtype=np.float64)
    elif batch.hints is not None:
        labels = np.ascontiguousarray(batch.hints, dtype=np.int64)
    center = np.asarray(frame.center, dtype=np.float64)
    return Rows(stored, shrink, center, scale, weights, labels, log_hints)


def new_sums(packed: Packed, kind: int) -> Sums:
    """Sums of nothing, for one block."""
    n_components, width = len(packed.model.center), packed.width
    entries = width * width
    sizes = {PRODUCTS: n_components * entries, POOLED: entries, SQUARES: n_components * width, MASS: 0, NOTHING: 0}
    first = np.zeros(n_components * width)
    return Sums(np.zeros(n_components), first, np.zeros(sizes[kind]), np.zeros(3))


def unpack_scatter(scatter: Array, packed: Packed, kind: int, n_features: int) -> Array:
    """Sums of squares (K, D) or of products (K, D, D), or (1, D, D) pooled, in NumPy's order."""
    width = packed.width
    if kind == SQUARES:
        return scatter.reshape(-1, width)[:, :n_features]
    squares = scatter.reshape(-1, width, width)[:, :n_features, :n_features]
    for begin in range(0, n_features, _MIRRORED):
        end = min(begin + _MIRRORED, n_features)
        squares[:, end:, begin:end] = np.swapaxes(squares[:, begin:end, end:], 1, 2)
        row, column = _upper_entries(end - begin)
        squares[:, begin + column, begin + row] = squares[:, begin + row, begin + column]
    return squares


_MIRRORED = 16
"""Columns mirrored at the diagonal together."""


@lru_cache(maxsize=64)
def _upper_entries(n_features: int) -> tuple[IntD, IntD]:
    """Rows and columns above the diagonal."""
    return np.triu_indices(n_features, 1)
