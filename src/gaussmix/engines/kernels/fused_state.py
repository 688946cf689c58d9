"""The arrays of a fused EM run, packed for compiled code; those that runs share are packed once."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from weakref import ref

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.jacobi_pairs import disjoint_axis_pair_rounds
from gaussmix.engines.kernels.argument_tuples import (
    FusedBuffers,
    FusedConstants,
    FusedParameters,
    FusedRows,
    FusedState,
    FusedWorkspace,
)
from gaussmix.engines.kernels.codegen.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.engines.kernels.machine_constants import (
    FUSED_GROUPS_PER_BLOCK,
    FUSED_GROUPS_TOGETHER,
    FUSED_TILE_COLUMNS,
    N_CHUNK_TOTALS,
    SIMD_WIDTH,
)
from gaussmix.types import ND, AnyArray, Array, IntArray, IntN, N

_EMPTY, _EMPTY_GROUPS = np.empty(0), np.empty((0, SIMD_WIDTH))

# Numbers of ``control`` (fused/chunks.py).
_N_CONTROL_NUMBERS = 32

# Values of rows that are put into groups together.
_ROW_BLOCK_VALUES = 1 << 14

# Workspaces that a thread keeps, and the sums of the largest one.
_MAX_WORKSPACES, _MAX_KEPT_SUMS = 32, 50_000


class RunSize(NamedTuple):
    """The sizes of the arrays of a run."""

    n_components: int
    n_features: int
    is_axis_aligned: bool
    n_chunks: int = 1

    @property
    def n_products(self) -> int:
        """Number of sums of products of one component, with space for every layout."""
        n = self.n_features
        return n if self.is_axis_aligned else n * (n + n % FUSED_TILE_COLUMNS)

    @property
    def n_sums(self) -> int:
        """Number of sums of one chunk."""
        return N_CHUNK_TOTALS + self.n_components * (1 + self.n_features + self.n_products)

    @property
    def should_keep(self) -> bool:
        """Whether arrays of this size are small enough to be kept for the next run."""
        return self.n_chunks * self.n_sums <= _MAX_KEPT_SUMS


class Workspace(NamedTuple):
    """The arrays of a workspace, and the same packed."""

    arrays: FusedWorkspace
    packed: PackedArguments


def _make_workspace(size: RunSize) -> Workspace:
    """Return a new workspace."""
    n_components, n_features, is_axis_aligned, n_chunks = size
    per_column, matrices = (n_components, n_features), _matrix_shape(n_components, n_features, is_axis_aligned)
    roots = (n_components, 1, n_features) if is_axis_aligned else matrices
    arrays = FusedWorkspace(
        precision_root=np.zeros(roots),
        log_determinant=np.zeros(n_components),
        mass=np.zeros(n_components),
        first_moments=np.zeros(per_column),
        scatter=np.zeros(roots),
        chunk_sums=np.zeros((n_chunks, size.n_sums)),
        control=np.zeros(_N_CONTROL_NUMBERS, dtype=np.int64),
        next_axis_variances=np.zeros(per_column),
        next_axes=np.zeros(matrices),
        next_covariance_factor=np.zeros(matrices),
        next_precision_root=np.zeros(matrices),
        score_offset=np.zeros(n_components),
        component_buffer=np.zeros(n_components),
        feature_buffer=np.zeros(n_features),
        axis_scatter=np.zeros(per_column),
        matrix_buffer=np.zeros(matrices[1:]),
        rotated_scatter=np.zeros(matrices),
    )
    return Workspace(arrays, pack_arguments(tuple(arrays[:])))


def _make_buffers(size: RunSize) -> PackedArguments:
    """Return new buffers of one thread."""
    n_components, n_features, is_axis_aligned, _ = size
    n_even_features = n_features + n_features % FUSED_TILE_COLUMNS
    block_columns = (0 if is_axis_aligned else FUSED_GROUPS_PER_BLOCK, n_even_features, SIMD_WIDTH)
    buffers = FusedBuffers(
        lane_sums=np.zeros((n_components, 1 + n_features + size.n_products, SIMD_WIDTH)),
        responsibilities=np.zeros((FUSED_GROUPS_PER_BLOCK, n_components, SIMD_WIDTH)),
        best_scores=np.zeros((FUSED_GROUPS_PER_BLOCK, SIMD_WIDTH)),
        difference_buffer=np.zeros((n_features, FUSED_GROUPS_TOGETHER, SIMD_WIDTH)),
        group_differences=np.zeros(block_columns),
        group_weighted_differences=np.zeros(block_columns),
    )
    return pack_arguments(tuple(buffers[:]))


class _ThreadCaches(threading.local):
    """What a thread keeps for its next runs, because making it takes longer than some iterations.

    ``packed_rows`` maps the identity of rows to a weak reference to them, the other arguments, and the packed rows. An
    entry lives as long as its rows.
    """

    def __init__(self) -> None:
        self.get_workspace = lru_cache(maxsize=_MAX_WORKSPACES)(_make_workspace)
        self.get_buffers = lru_cache(maxsize=_MAX_WORKSPACES)(_make_buffers)
        self.packed_rows: dict[int, tuple[ref[ND], N | None, IntN | None, PackedArguments]] = {}


_thread_caches = _ThreadCaches()


def thread_workspace(size: RunSize) -> Workspace:
    """Return the workspace of this thread for a run of this size; its contents are arbitrary."""
    return _thread_caches.get_workspace(size) if size.should_keep else _make_workspace(size)


def thread_buffers(size: RunSize) -> PackedArguments:
    """Return the buffers of this thread for a run of this size, packed; their contents are arbitrary."""
    return _thread_caches.get_buffers(size) if size.should_keep else _make_buffers(size)


def _matrix_shape(n_components: int, n_features: int, is_axis_aligned: bool) -> tuple[int, int, int]:
    """Return the shape of one matrix per component; axis-aligned structures have none."""
    return (n_components, 0, 0) if is_axis_aligned else (n_components, n_features, n_features)


def pack_rows(rows: ND, row_weights: N | None, known_labels: IntN | None) -> PackedArguments:
    """Return rows (n, D), their weights (n,) and known labels (n,) in packed groups.

    The same objects are packed once, so that nobody may change them.
    """
    cache = _thread_caches.packed_rows
    entry = cache.get(id(rows))
    if entry is not None and entry[0]() is rows and entry[1] is row_weights and entry[2] is known_labels:
        return entry[3]
    weights = np.ones(len(rows)) if row_weights is None else row_weights
    packed = pack_arguments(
        (
            _fill_row_groups(rows, row_weights),
            _fill_groups(weights, 0.0),
            _EMPTY_GROUPS if known_labels is None else _fill_groups(known_labels, -1.0),
        )
    )
    key = id(rows)
    cache[key] = ref(rows, lambda _: cache.pop(key, None)), row_weights, known_labels, packed
    return packed


@lru_cache(maxsize=64)
def pack_no_rows(n_features: int) -> PackedArguments:
    """Return the packed rows of a run without rows."""
    return pack_arguments(tuple(FusedRows(np.empty((0, n_features, SIMD_WIDTH)), _EMPTY_GROUPS, _EMPTY_GROUPS)[:]))


@lru_cache(maxsize=64)
def _pack_constants_without_prior(n_features: int) -> PackedArguments:
    """Return the packed constants of runs without a prior."""
    constants = FusedConstants(_jacobi_axis_pairs(n_features), _EMPTY, _EMPTY, np.empty((0, 0)))
    return pack_arguments(tuple(constants[:]))


def pack_constants(n_features: int, prior: PriorStatistics | None) -> PackedArguments:
    """Return the packed constants of runs of ``n_features`` columns."""
    if prior is None:
        return _pack_constants_without_prior(n_features)
    strength = np.array([prior.shrinkage, prior.mass])
    location, scatter = (np.array(array, dtype=np.float64, order="C") for array in (prior.location, prior.scatter))
    return pack_arguments(tuple(FusedConstants(_jacobi_axis_pairs(n_features), strength, location, scatter)[:]))


@dataclass(frozen=True)
class _ParameterLayout:
    """Where the arrays of `FusedParameters` lie in one buffer of doubles.

    ``words`` are the packed arguments of a buffer at address 0, with addresses at ``address_positions``; ``layout``
    are their types.
    """

    shapes: tuple[tuple[int, ...], ...]
    slices: tuple[slice, ...]
    n_doubles: int
    words: IntArray
    address_positions: IntArray
    layout: str


@lru_cache(maxsize=256)
def _parameter_layout(
    n_components: int, n_features: int, is_axis_aligned: bool, n_noise_numbers: int, max_iter: int
) -> _ParameterLayout:
    """Return the layout of the parameters of a run."""
    per_column, matrices = (n_components, n_features), _matrix_shape(n_components, n_features, is_axis_aligned)
    shapes = FusedParameters(
        component_weights=(n_components,),
        noise=(n_noise_numbers,),
        center=per_column,
        axis_variances=per_column,
        axes=matrices,
        covariance=matrices,
        covariance_factor=matrices,
        min_variances=(n_features,),
        log_likelihoods=(max_iter,),
        totals=(3,),
    )
    words: list[int] = []
    address_positions, slices, start = [], [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        address_positions.append(len(words))
        slices.append(slice(start, start + size))
        words += [8 * start, *shape]
        start += size
    layout = " ".join(f"d{len(shape)}" for shape in shapes)
    return _ParameterLayout(
        tuple(shapes), tuple(slices), start, np.array(words), np.array(address_positions, dtype=np.int64), layout
    )


class ParameterBuffer(NamedTuple):
    """The parameters of a run, and the same packed."""

    arrays: FusedParameters
    packed: PackedArguments


def make_parameter_buffer(
    n_components: int, n_features: int, is_axis_aligned: bool, n_noise_numbers: int, max_iter: int
) -> ParameterBuffer:
    """Return arrays of arbitrary contents for the parameters of a run."""
    layout = _parameter_layout(n_components, n_features, is_axis_aligned, n_noise_numbers, max_iter)
    buffer = np.empty(layout.n_doubles)
    arrays = FusedParameters(
        *[buffer[part].reshape(shape) for part, shape in zip(layout.slices, layout.shapes, strict=True)]
    )
    words = layout.words.copy()
    words[layout.address_positions] += buffer.__array_interface__["data"][0]
    return ParameterBuffer(arrays, PackedArguments(words.tobytes(), layout.layout, buffer))


def join_state(
    rows: PackedArguments,
    constants: PackedArguments,
    parameters: PackedArguments,
    workspace: PackedArguments,
    buffers: PackedArguments,
) -> PackedArguments:
    """Return all arrays of a run as one packed tuple for the thread that owns the buffers."""
    return join_packed_arguments(FusedState, rows, constants, parameters, workspace, buffers)


def _fill_row_groups(rows: ND, row_weights: N | None) -> Array:
    """Return rows in groups (n_groups, D, SIMD_WIDTH), filled up with zeros; rows of weight 0 are zeros, too.

    Products of an infinite value and weight 0 would not be numbers.
    """
    n_rows, n_features = rows.shape
    groups = np.zeros((_n_groups(n_rows), n_features, SIMD_WIDTH))
    rows_per_block = max(1, _ROW_BLOCK_VALUES // n_features // SIMD_WIDTH) * SIMD_WIDTH
    for start in range(0, n_rows, rows_per_block):  # a block stays in the cache
        block = rows[start : start + rows_per_block]
        if row_weights is not None:
            block = np.where(row_weights[start : start + rows_per_block, None] > 0.0, block, 0.0)
        n_whole, first = len(block) // SIMD_WIDTH, start // SIMD_WIDTH
        whole = block[: n_whole * SIMD_WIDTH].reshape(n_whole, SIMD_WIDTH, n_features)
        groups[first : first + n_whole] = whole.swapaxes(1, 2)
        rest = block[n_whole * SIMD_WIDTH :]
        if len(rest):
            groups[first + n_whole, :, : len(rest)] = rest.T
    return groups


def _n_groups(n_rows: int) -> int:
    """Return the number of groups of rows, a multiple of FUSED_GROUPS_TOGETHER."""
    return -(-n_rows // (SIMD_WIDTH * FUSED_GROUPS_TOGETHER)) * FUSED_GROUPS_TOGETHER


def _fill_groups(values: AnyArray, filler: float) -> Array:
    """Return values of rows (n,) in groups (n_groups, SIMD_WIDTH); the last groups are filled up."""
    filled = np.full((_n_groups(len(values)), SIMD_WIDTH), filler)
    filled.ravel()[: len(values)] = values
    return filled


@lru_cache(maxsize=64)
def _jacobi_axis_pairs(n_features: int) -> IntArray:
    """Return all pairs of axes (n_pairs, 2) in the order of `disjoint_axis_pair_rounds`."""
    pairs = [
        pair for i, j in disjoint_axis_pair_rounds(n_features) for pair in zip(i.tolist(), j.tolist(), strict=True)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
