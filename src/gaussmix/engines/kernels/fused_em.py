"""Whole runs over few rows: what compiled code is given, and what is made of the arrays it leaves."""

from functools import lru_cache

import numpy as np

from gaussmix.core.fused_em import FusedResult, FusedRun, PriorStatistics
from gaussmix.core.jacobi_pairs import disjoint_pair_rounds
from gaussmix.engines.kernels.argument_tuples import FusedState
from gaussmix.engines.kernels.codegen.compiled_functions import run_fused_em
from gaussmix.engines.kernels.codegen.packed_arguments import pack_arguments
from gaussmix.types import Array, IntD

_CONVERGED_CODE, _N_END_CODES = 0, 4
_VOLUME_CODES, _SHAPE_AND_ORIENTATION_CODES = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}
_EMPTY, _EMPTY_INTEGERS = np.empty(0), np.empty(0, dtype=np.int64)


def run_fused(fused_run: FusedRun) -> FusedResult:
    """As far as compiled code goes: to the end, or to where something is unusual."""
    volume, shape, orientation = list(fused_run.structure_name)
    fit = _make_fused_state(fused_run)
    found = run_fused_em(
        pack_arguments(fit),
        _VOLUME_CODES[volume],
        _SHAPE_AND_ORIENTATION_CODES[shape],
        _SHAPE_AND_ORIENTATION_CODES[orientation],
        float(fused_run.tolerance),
        fused_run.is_tolerance_relative,
        float(fused_run.previous_log_likelihood),
        fused_run.max_iter,
    )
    n_passes, end = divmod(found, _N_END_CODES)
    share = float(fit.noise[0]) if len(fit.noise) else 0.0
    parts = (fit.component_weights, share, fit.center, fit.axis_variances, fit.axes, fit.covariance_factor)
    return FusedResult(*parts, fit.log_likelihoods[:n_passes], end == _CONVERGED_CODE)


def _make_fused_state(fused_run: FusedRun) -> FusedState:
    """Copies of what is written to, and room to work in."""
    n_components, n = fused_run.centers.shape
    belief, location, believed = _prior_arrays(fused_run.prior_statistics)
    cube = (n_components, n, n)
    return FusedState(
        rows=fused_run.rows,
        row_weights=_EMPTY if fused_run.row_weights is None else fused_run.row_weights,
        known_components=_EMPTY_INTEGERS if fused_run.known_labels is None else fused_run.known_labels,
        component_weights=_writable_copy(fused_run.component_weights),
        noise=_EMPTY
        if fused_run.noise_weight_and_log_density is None
        else np.array([*fused_run.noise_weight_and_log_density, 0.0]),
        center=_writable_copy(fused_run.centers),
        axis_variances=_writable_copy(fused_run.axis_variances),
        axes=_writable_copy(fused_run.axes),
        covariance_factor=_zeros(*cube),
        precision_root=_zeros(*cube),
        covariance=_writable_copy(fused_run.covariances),
        log_determinant=_zeros(n_components),
        mass=_zeros(n_components),
        first_moments=_zeros(n_components, n),
        scatter=_zeros(*cube),
        prior_strength=belief,
        prior_location=location,
        prior_scatter=believed,
        next_axis_variances=_zeros(n_components, n),
        next_axes=_zeros(*cube),
        next_covariance_factor=_zeros(*cube),
        next_precision_root=_zeros(*cube),
        axis_pairs=_jacobi_axis_pairs(n),
        min_variances=_writable_copy(fused_run.variance_floor),
        log_likelihoods=_zeros(fused_run.max_iter),
        score_offset=_zeros(n_components),
        component_buffer=_zeros(n_components),
        feature_buffer=_zeros(n),
        difference_buffer=_zeros(n_components, n),
        axis_scatter=_zeros(n_components, n),
        matrix_buffer=_zeros(n, n),
        rotated_scatter=_zeros(*cube),
    )


def _zeros(*shape: int) -> Array:
    return np.zeros(shape)


def _writable_copy(values: Array) -> Array:
    """A copy that compiled code may write to."""
    return np.array(values, dtype=np.float64, order="C")


def _prior_arrays(prior_statistics: PriorStatistics | None) -> tuple[Array, Array, Array]:
    if prior_statistics is None:
        return _EMPTY, _EMPTY, np.empty((0, 0))
    return (
        np.array([prior_statistics.shrinkage, prior_statistics.mass]),
        _writable_copy(prior_statistics.location),
        _writable_copy(prior_statistics.scatter),
    )


@lru_cache(maxsize=64)
def _jacobi_axis_pairs(n_features: int) -> IntD:
    """Pairs of axes in the order in which `rounds` has them."""
    found = [pair for i, j in disjoint_pair_rounds(n_features) for pair in zip(i.tolist(), j.tolist(), strict=True)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)
