"""Run EM on few rows in one compiled call: pack the arguments, unpack the result."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gaussmix.core.fused_em import FusedRunInput, FusedRunResult, PriorStatistics
from gaussmix.core.jacobi_pairs import disjoint_axis_pair_rounds
from gaussmix.engines.fused_runner import AbstractFusedRunner
from gaussmix.engines.kernels.argument_tuples import FusedState
from gaussmix.engines.kernels.codegen.compiled_functions import run_fused_em
from gaussmix.engines.kernels.codegen.packed_arguments import pack_arguments
from gaussmix.engines.kernels.machine_constants import FUSED_GROUPS_PER_BLOCK, SIMD_WIDTH
from gaussmix.types import DD, Array, D, IntArray

_CONVERGED_CODE, _N_END_CODES = 0, 4
_VOLUME_CODES, _SHAPE_AND_ORIENTATION_CODES = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}
_EMPTY, _EMPTY_GROUPS = np.empty(0), np.empty((0, SIMD_WIDTH))


class CompiledFusedRunner(AbstractFusedRunner):
    """Runs EM in one compiled function."""

    def should_run(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Return True: compiled code handles any size."""
        return True

    def run(self, run_input: FusedRunInput) -> FusedRunResult:
        """Run EM until it converges, reaches ``max_iter`` or meets a case that only the Python loop handles."""
        volume, shape, orientation = list(run_input.structure_name)
        state = _make_fused_state(run_input)
        result = run_fused_em(
            pack_arguments(state),
            _VOLUME_CODES[volume],
            _SHAPE_AND_ORIENTATION_CODES[shape],
            _SHAPE_AND_ORIENTATION_CODES[orientation],
            float(run_input.tolerance),
            run_input.is_tolerance_relative,
            float(run_input.previous_log_likelihood),
            run_input.max_iter,
        )
        n_iter, end_code = divmod(result, _N_END_CODES)
        noise_weight = float(state.noise[0]) if len(state.noise) else 0.0
        parameters = (
            state.component_weights,
            noise_weight,
            state.center,
            state.axis_variances,
            state.axes,
            state.covariance_factor,
        )
        return FusedRunResult(*parameters, state.log_likelihoods[:n_iter], end_code == _CONVERGED_CODE)


def _make_fused_state(run_input: FusedRunInput) -> FusedState:
    """Return the arrays that the compiled run reads and writes; written ones are copies or zeros."""
    n_components, n_features = run_input.centers.shape
    prior_strength, prior_location, prior_scatter = _prior_arrays(run_input.prior_statistics)
    weights = np.ones(len(run_input.rows)) if run_input.row_weights is None else run_input.row_weights
    labels, n_products = run_input.known_labels, n_features * (n_features + 1) // 2
    matrix_shape = (n_components, n_features, n_features)
    return FusedState(
        row_groups=np.ascontiguousarray(_fill_groups(run_input.rows, 0.0).swapaxes(1, 2)),
        row_weights=_fill_groups(weights, 0.0),
        known_components=_EMPTY_GROUPS if labels is None else _fill_groups(labels, -1.0),
        component_weights=_writable_copy(run_input.component_weights),
        noise=_EMPTY
        if run_input.noise_weight_and_log_density is None
        else np.array([*run_input.noise_weight_and_log_density, 0.0]),
        center=_writable_copy(run_input.centers),
        axis_variances=_writable_copy(run_input.axis_variances),
        axes=_writable_copy(run_input.axes),
        covariance_factor=_zeros(*matrix_shape),
        precision_root=_zeros(*matrix_shape),
        covariance=_writable_copy(run_input.covariances),
        log_determinant=_zeros(n_components),
        mass=_zeros(n_components),
        first_moments=_zeros(n_components, n_features),
        scatter=_zeros(*matrix_shape),
        lane_sums=_zeros(n_components, 1 + n_features + n_products, SIMD_WIDTH),
        prior_strength=prior_strength,
        prior_location=prior_location,
        prior_scatter=prior_scatter,
        next_axis_variances=_zeros(n_components, n_features),
        next_axes=_zeros(*matrix_shape),
        next_covariance_factor=_zeros(*matrix_shape),
        next_precision_root=_zeros(*matrix_shape),
        axis_pairs=_jacobi_axis_pairs(n_features),
        min_variances=_writable_copy(run_input.variance_floor),
        log_likelihoods=_zeros(run_input.max_iter),
        score_offset=_zeros(n_components),
        responsibilities=_zeros(FUSED_GROUPS_PER_BLOCK, n_components, SIMD_WIDTH),
        component_buffer=_zeros(n_components),
        feature_buffer=_zeros(n_features),
        difference_buffer=_zeros(n_features, SIMD_WIDTH),
        axis_scatter=_zeros(n_components, n_features),
        matrix_buffer=_zeros(n_features, n_features),
        rotated_scatter=_zeros(*matrix_shape),
    )


def _fill_groups(values: Array, filler: float) -> Array:
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
