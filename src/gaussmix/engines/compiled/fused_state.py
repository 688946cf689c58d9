"""The arrays of a fused EM run, packed for compiled code; those that runs share are packed once."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from weakref import ref

import numpy as np

from gaussmix.core.fused_em import PriorStatistics
from gaussmix.core.jacobi_pairs import disjoint_axis_pair_rounds
from gaussmix.kernels.argument_tuples import (
    FusedConstants,
    FusedParameters,
    FusedRows,
    FusedState,
    FusedWorkspace,
)
from gaussmix.kernels.machine_constants import FUSED_GROUPS_PER_BLOCK, SIMD_WIDTH
from gaussmix.kernels.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.types import ND, AnyArray, Array, IntArray, IntN, N

_EMPTY, _EMPTY_GROUPS = np.empty(0), np.empty((0, SIMD_WIDTH))

# Workspaces and packed rows that a thread keeps.
_MAX_WORKSPACES, _MAX_PACKED_ROWS = 32, 32


class Workspace(NamedTuple):
    """The arrays of a workspace, and the same packed."""

    arrays: FusedWorkspace
    packed: PackedArguments


def _make_workspace(n_components: int, n_features: int) -> Workspace:
    """Return a new workspace."""
    per_column, matrices = (n_components, n_features), (n_components, n_features, n_features)
    arrays = FusedWorkspace(
        precision_root=np.zeros(matrices),
        log_determinant=np.zeros(n_components),
        mass=np.zeros(n_components),
        first_moments=np.zeros(per_column),
        scatter=np.zeros(matrices),
        lane_sums=np.zeros((n_components, 1 + n_features + n_features * (n_features + 1) // 2, SIMD_WIDTH)),
        next_axis_variances=np.zeros(per_column),
        next_axes=np.zeros(matrices),
        next_covariance_factor=np.zeros(matrices),
        next_precision_root=np.zeros(matrices),
        score_offset=np.zeros(n_components),
        responsibilities=np.zeros((FUSED_GROUPS_PER_BLOCK, n_components, SIMD_WIDTH)),
        component_buffer=np.zeros(n_components),
        feature_buffer=np.zeros(n_features),
        difference_buffer=np.zeros((n_features, SIMD_WIDTH)),
        axis_scatter=np.zeros(per_column),
        matrix_buffer=np.zeros((n_features, n_features)),
        rotated_scatter=np.zeros(matrices),
    )
    return Workspace(arrays, pack_arguments(tuple(arrays[:])))


class _ThreadCaches(threading.local):
    """What a thread keeps for its next runs, because making it takes longer than some iterations.

    ``packed_rows`` maps the identity of rows to a weak reference to them, the other arguments, and the packed rows.
    """

    def __init__(self) -> None:
        self.get_workspace = lru_cache(maxsize=_MAX_WORKSPACES)(_make_workspace)
        self.packed_rows: dict[int, tuple[ref[ND], N | None, IntN | None, PackedArguments]] = {}


_thread_caches = _ThreadCaches()


def thread_workspace(n_components: int, n_features: int) -> Workspace:
    """Return the workspace of this thread for these numbers; its contents are arbitrary."""
    return _thread_caches.get_workspace(n_components, n_features)


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
            np.ascontiguousarray(_fill_groups(rows, 0.0).swapaxes(1, 2)),
            _fill_groups(weights, 0.0),
            _EMPTY_GROUPS if known_labels is None else _fill_groups(known_labels, -1.0),
        )
    )
    if len(cache) >= _MAX_PACKED_ROWS:
        cache.clear()
    cache[id(rows)] = ref(rows), row_weights, known_labels, packed
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
def _parameter_layout(n_components: int, n_features: int, n_noise_numbers: int, max_iter: int) -> _ParameterLayout:
    """Return the layout of the parameters of a run."""
    per_column, matrices = (n_components, n_features), (n_components, n_features, n_features)
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


def make_parameter_buffer(n_components: int, n_features: int, n_noise_numbers: int, max_iter: int) -> ParameterBuffer:
    """Return arrays of arbitrary contents for the parameters of a run."""
    layout = _parameter_layout(n_components, n_features, n_noise_numbers, max_iter)
    buffer = np.empty(layout.n_doubles)
    arrays = FusedParameters(
        *[buffer[part].reshape(shape) for part, shape in zip(layout.slices, layout.shapes, strict=True)]
    )
    words = layout.words.copy()
    words[layout.address_positions] += buffer.__array_interface__["data"][0]
    return ParameterBuffer(arrays, PackedArguments(words.tobytes(), layout.layout, buffer))


def join_state(
    rows: PackedArguments, constants: PackedArguments, parameters: PackedArguments, workspace: PackedArguments
) -> PackedArguments:
    """Return all arrays of a run as one packed tuple."""
    return join_packed_arguments(FusedState, rows, constants, parameters, workspace)


def _fill_groups(values: AnyArray, filler: float) -> Array:
    """Return values of rows (n, ...) in groups (n_groups, SIMD_WIDTH, ...); the last group is filled up."""
    n_groups = -(-len(values) // SIMD_WIDTH)
    filled = np.full((n_groups * SIMD_WIDTH, *values.shape[1:]), filler)
    filled[: len(values)] = values
    return filled.reshape(n_groups, SIMD_WIDTH, *values.shape[1:])


@lru_cache(maxsize=64)
def _jacobi_axis_pairs(n_features: int) -> IntArray:
    """Return all pairs of axes (n_pairs, 2) in the order of `disjoint_axis_pair_rounds`."""
    pairs = [
        pair for i, j in disjoint_axis_pair_rounds(n_features) for pair in zip(i.tolist(), j.tolist(), strict=True)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
