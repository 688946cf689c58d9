"""The arrays of a fused EM run, packed for compiled code; those that runs share are packed once."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.jacobi_pairs import disjoint_axis_pair_rounds
from gaussmix.kernels.fused_arguments import (
    FusedBuffers,
    FusedConstants,
    FusedParameters,
    FusedState,
    FusedWorkspace,
)
from gaussmix.kernels.machine_constants import (
    FUSED_GROUPS_PER_BLOCK,
    FUSED_GROUPS_TOGETHER,
    FUSED_TILE_COLUMNS,
    N_CHUNK_TOTALS,
    SIMD_WIDTH,
)
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.types import IntArray

_EMPTY = np.empty(0)

# Numbers of ``control`` (fused/chunks.py).
_N_CONTROL_NUMBERS = 32

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
    """What a thread keeps for its next runs, because making it takes longer than some iterations."""

    def __init__(self) -> None:
        self.get_workspace = lru_cache(maxsize=_MAX_WORKSPACES)(_make_workspace)
        self.get_buffers = lru_cache(maxsize=_MAX_WORKSPACES)(_make_buffers)


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


@lru_cache(maxsize=64)
def _jacobi_axis_pairs(n_features: int) -> IntArray:
    """Return all pairs of axes (n_pairs, 2) in the order of `disjoint_axis_pair_rounds`."""
    pairs = [
        pair for i, j in disjoint_axis_pair_rounds(n_features) for pair in zip(i.tolist(), j.tolist(), strict=True)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
