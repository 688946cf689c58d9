"""Run EM on few rows in one compiled call, and the M-step of a start: pack the arguments, unpack the result."""

import threading
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult, PriorStatistics
from gaussmix.core.jacobi_pairs import disjoint_axis_pair_rounds
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.statistics import Statistics
from gaussmix.engines.fused_runner import AbstractFusedRunner
from gaussmix.engines.kernels.argument_tuples import FusedArguments, FusedState, FusedWorkspace
from gaussmix.engines.kernels.codegen.compiled_functions import run_first_m_step, run_fused_em
from gaussmix.engines.kernels.codegen.packed_arguments import PackedArguments, join_packed_arguments, pack_arguments
from gaussmix.engines.kernels.machine_constants import FUSED_GROUPS_PER_BLOCK, SIMD_WIDTH
from gaussmix.types import DD, AnyArray, Array, D, IntArray

_CONVERGED_CODE, _NEEDS_PYTHON_CODE, _N_END_CODES = 0, 2, 4
_VOLUME_CODES, _SHAPE_AND_ORIENTATION_CODES = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}
_EMPTY, _EMPTY_GROUPS = np.empty(0), np.empty((0, SIMD_WIDTH))

# Workspaces that a thread keeps, by numbers of components and columns.
_MAX_WORKSPACES = 32


class CompiledFusedRunner(AbstractFusedRunner):
    """Runs EM in one compiled function."""

    def should_run(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Return True: compiled code handles any size."""
        return True

    def run(self, run_input: FusedRunInput) -> FusedRunResult:
        """Run EM until it converges, reaches ``max_iter`` or meets a case that only the Python loop handles."""
        arguments = _make_run_arguments(run_input)
        result = run_fused_em(
            _pack_state(arguments),
            *_structure_codes(run_input.structure_name),
            float(run_input.tolerance),
            run_input.is_tolerance_relative,
            float(run_input.previous_log_likelihood),
            run_input.max_iter,
        )
        n_iter, end_code = divmod(result, _N_END_CODES)
        parameters = (
            arguments.component_weights,
            float(arguments.noise[0]) if len(arguments.noise) else 0.0,
            arguments.center,
            arguments.axis_variances,
            arguments.axes,
            arguments.covariance_factor,
        )
        expectation = None if end_code == _NEEDS_PYTHON_CODE else _make_expectation(arguments, len(run_input.rows))
        return FusedRunResult(*parameters, arguments.log_likelihoods[:n_iter], end_code == _CONVERGED_CODE, expectation)

    def fit_first_covariances(self, m_step_input: FirstMStepInput) -> FusedCovariances | None:
        """Fit covariances to mass and scatter; return None at the variance floor and for components without rows."""
        n_components, n_features = len(m_step_input.mass), len(m_step_input.variance_floor)
        workspace = _thread_workspace(n_components, n_features)
        workspace.arrays.mass[:], workspace.arrays.scatter[:] = m_step_input.mass, m_step_input.scatter
        trials = _writable_copy(m_step_input.axes_to_try), _zeros(len(m_step_input.axes_to_try))
        arguments = _make_m_step_arguments(n_components, m_step_input.variance_floor)
        has_succeeded = run_first_m_step(
            _pack_state(arguments),
            *(pack_arguments((array,)) for array in trials),
            *_structure_codes(m_step_input.structure_name),
        )
        if not has_succeeded:
            return None
        arrays = (
            workspace.arrays.next_axis_variances,
            workspace.arrays.next_axes,
            workspace.arrays.next_covariance_factor,
        )
        return FusedCovariances(*map(np.copy, arrays))


def _structure_codes(structure_name: str) -> tuple[int, int, int]:
    """Return the codes of volume, shape and orientation of a structure."""
    volume, shape, orientation = list(structure_name)
    return (
        _VOLUME_CODES[volume],
        _SHAPE_AND_ORIENTATION_CODES[shape],
        _SHAPE_AND_ORIENTATION_CODES[orientation],
    )


def _make_run_arguments(run_input: FusedRunInput) -> FusedArguments:
    """Return the arrays that a run reads, and copies of the parameters, which it overwrites."""
    weights = np.ones(len(run_input.rows)) if run_input.row_weights is None else run_input.row_weights
    labels, noise = run_input.known_labels, run_input.noise_weight_and_log_density
    prior_strength, prior_location, prior_scatter = _prior_arrays(run_input.prior_statistics)
    return FusedArguments(
        row_groups=np.ascontiguousarray(_fill_groups(run_input.rows, 0.0).swapaxes(1, 2)),
        row_weights=_fill_groups(weights, 0.0),
        known_components=_EMPTY_GROUPS if labels is None else _fill_groups(labels, -1.0),
        component_weights=_writable_copy(run_input.component_weights),
        noise=_EMPTY if noise is None else np.array([*noise, 0.0]),
        center=_writable_copy(run_input.centers),
        axis_variances=_writable_copy(run_input.axis_variances),
        axes=_writable_copy(run_input.axes),
        covariance=_writable_copy(run_input.covariances),
        covariance_factor=_zeros(*run_input.axes.shape),
        prior_strength=prior_strength,
        prior_location=prior_location,
        prior_scatter=prior_scatter,
        axis_pairs=_jacobi_axis_pairs(run_input.centers.shape[1]),
        min_variances=_writable_copy(run_input.variance_floor),
        log_likelihoods=_zeros(run_input.max_iter),
        totals=_zeros(3),
    )


def _make_m_step_arguments(n_components: int, variance_floor: D) -> FusedArguments:
    """Return the arrays of an M-step without rows and previous parameters."""
    n_features = len(variance_floor)
    prior_strength, prior_location, prior_scatter = _prior_arrays(None)
    return FusedArguments(
        row_groups=np.empty((0, n_features, SIMD_WIDTH)),
        row_weights=_EMPTY_GROUPS,
        known_components=_EMPTY_GROUPS,
        component_weights=_EMPTY,
        noise=_EMPTY,
        center=np.empty((0, n_features)),
        axis_variances=_zeros(n_components, n_features),
        axes=_zeros(n_components, n_features, n_features),
        covariance=_zeros(n_components, n_features, n_features),
        covariance_factor=np.empty((0, n_features, n_features)),
        prior_strength=prior_strength,
        prior_location=prior_location,
        prior_scatter=prior_scatter,
        axis_pairs=_jacobi_axis_pairs(n_features),
        min_variances=_writable_copy(variance_floor),
        log_likelihoods=_EMPTY,
        totals=_EMPTY,
    )


def _make_expectation(arguments: FusedArguments, n_rows: int) -> Expectation | None:
    """Return the expectation of the last E-step of a run in this thread; None with noise, whose moments it lacks."""
    if len(arguments.noise):
        return None
    sums = _thread_workspace(*arguments.center.shape).arrays
    no_scatter = np.zeros((len(sums.mass), 0))
    moments = Moments.from_centered_sums(
        sums.mass.copy(), arguments.center, sums.first_moments, no_scatter, MomentKind.NONE
    )
    log_likelihood, entropy, total_log_max = arguments.totals.tolist()
    n_distances = n_rows * len(sums.mass)
    return Expectation(Statistics(moments), log_likelihood, entropy, total_log_max, n_rows, n_distances)


class _Workspace(NamedTuple):
    """The arrays of a workspace, and the same packed."""

    arrays: FusedWorkspace
    packed: PackedArguments


def _make_workspace(n_components: int, n_features: int) -> _Workspace:
    """Return a new workspace."""
    per_column, matrices = (n_components, n_features), (n_components, n_features, n_features)
    arrays = FusedWorkspace(
        precision_root=_zeros(*matrices),
        log_determinant=_zeros(n_components),
        mass=_zeros(n_components),
        first_moments=_zeros(*per_column),
        scatter=_zeros(*matrices),
        lane_sums=_zeros(n_components, 1 + n_features + n_features * (n_features + 1) // 2, SIMD_WIDTH),
        next_axis_variances=_zeros(*per_column),
        next_axes=_zeros(*matrices),
        next_covariance_factor=_zeros(*matrices),
        next_precision_root=_zeros(*matrices),
        score_offset=_zeros(n_components),
        responsibilities=_zeros(FUSED_GROUPS_PER_BLOCK, n_components, SIMD_WIDTH),
        component_buffer=_zeros(n_components),
        feature_buffer=_zeros(n_features),
        difference_buffer=_zeros(n_features, SIMD_WIDTH),
        axis_scatter=_zeros(*per_column),
        matrix_buffer=_zeros(n_features, n_features),
        rotated_scatter=_zeros(*matrices),
    )
    return _Workspace(arrays, pack_arguments(tuple(arrays[:])))


class _WorkspacesOfThread(threading.local):
    """The workspaces of a thread: making one takes longer than some iterations."""

    def __init__(self) -> None:
        self.get_workspace = lru_cache(maxsize=_MAX_WORKSPACES)(_make_workspace)


_workspaces_of_thread = _WorkspacesOfThread()


def _thread_workspace(n_components: int, n_features: int) -> _Workspace:
    """Return the workspace of this thread for these numbers; its contents are arbitrary."""
    return _workspaces_of_thread.get_workspace(n_components, n_features)


def _pack_state(arguments: FusedArguments) -> PackedArguments:
    """Return the arguments and this thread's workspace as one packed tuple."""
    n_components, n_features = arguments.axis_variances.shape
    workspace = _thread_workspace(n_components, n_features).packed
    return join_packed_arguments(FusedState, pack_arguments(tuple(arguments[:])), workspace)


def _fill_groups(values: AnyArray, filler: float) -> Array:
    """Return values of rows (n, ...) in groups (n_groups, SIMD_WIDTH, ...); the last group is filled up."""
    n_groups = -(-len(values) // SIMD_WIDTH)
    filled = np.full((n_groups * SIMD_WIDTH, *values.shape[1:]), filler)
    filled[: len(values)] = values
    return filled.reshape(n_groups, SIMD_WIDTH, *values.shape[1:])


def _zeros(*shape: int) -> Array:
    """Return an array of zeros for compiled code to write to."""
    return np.zeros(shape)


def _writable_copy(values: Array) -> Array:
    """Return a contiguous copy that compiled code may write to."""
    return np.array(values, dtype=np.float64, order="C")


class _PriorArrays(NamedTuple):
    """Shrinkage and mass of a prior (2,), its location (D,) and scatter (D, D); empty without a prior."""

    shrinkage_and_mass: Array
    location: D
    scatter: DD


def _prior_arrays(prior_statistics: PriorStatistics | None) -> _PriorArrays:
    """Return (shrinkage, mass), location (D,) and scatter (D, D) of the prior; empty arrays without a prior."""
    if prior_statistics is None:
        return _PriorArrays(_EMPTY, _EMPTY, np.empty((0, 0)))
    return _PriorArrays(
        np.array([prior_statistics.shrinkage, prior_statistics.mass]),
        _writable_copy(prior_statistics.location),
        _writable_copy(prior_statistics.scatter),
    )


@lru_cache(maxsize=64)
def _jacobi_axis_pairs(n_features: int) -> IntArray:
    """Return all pairs of axes (n_pairs, 2) in the order of `disjoint_axis_pair_rounds`."""
    pairs = [
        pair for i, j in disjoint_axis_pair_rounds(n_features) for pair in zip(i.tolist(), j.tolist(), strict=True)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
