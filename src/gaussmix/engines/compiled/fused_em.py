"""Run EM on few rows in one compiled call, and the M-step of a start: pack the arguments, unpack the result."""

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.statistics import Statistics
from gaussmix.engines.compiled.fused_state import (
    ParameterBuffer,
    join_state,
    make_parameter_buffer,
    pack_constants,
    pack_no_rows,
    pack_rows,
    thread_workspace,
)
from gaussmix.engines.fused_runner import AbstractFusedRunner
from gaussmix.kernels.argument_tuples import FusedParameters
from gaussmix.kernels.compiled_functions import run_first_m_step, run_fused_em
from gaussmix.kernels.packed_arguments import pack_arguments

_CONVERGED_CODE, _NEEDS_PYTHON_CODE, _N_END_CODES = 0, 2, 4
_VOLUME_CODES, _SHAPE_AND_ORIENTATION_CODES = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}


class CompiledFusedRunner(AbstractFusedRunner):
    """Runs EM in one compiled function."""

    def should_run(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Return True: compiled code handles any size."""
        return True

    def run(self, run_input: FusedRunInput) -> FusedRunResult:
        """Run EM until it converges, reaches ``max_iter`` or meets a case that only the Python loop handles."""
        parameters, packed_parameters = _copy_parameters(run_input)
        n_components, n_features = run_input.centers.shape
        state = join_state(
            pack_rows(run_input.rows, run_input.row_weights, run_input.known_labels),
            pack_constants(n_features, run_input.prior_statistics),
            packed_parameters,
            thread_workspace(n_components, n_features).packed,
        )
        result = run_fused_em(
            state,
            *_structure_codes(run_input.structure_name),
            float(run_input.tolerance),
            run_input.is_tolerance_relative,
            float(run_input.previous_log_likelihood),
            run_input.max_iter,
        )
        n_iter, end_code = divmod(result, _N_END_CODES)
        return FusedRunResult(
            parameters.component_weights,
            float(parameters.noise[0]) if len(parameters.noise) else 0.0,
            parameters.center,
            parameters.axis_variances,
            parameters.axes,
            parameters.covariance_factor,
            parameters.log_likelihoods[:n_iter].copy(),
            end_code == _CONVERGED_CODE,
            None if end_code == _NEEDS_PYTHON_CODE else _make_expectation(parameters, len(run_input.rows)),
        )

    def fit_first_covariances(self, m_step_input: FirstMStepInput) -> FusedCovariances | None:
        """Fit covariances to mass and scatter; return None at the variance floor and for components without rows."""
        n_components, n_features = len(m_step_input.mass), len(m_step_input.variance_floor)
        workspace = thread_workspace(n_components, n_features)
        arrays = workspace.arrays
        arrays.mass[:], arrays.scatter[:] = m_step_input.mass, m_step_input.scatter
        parameters, packed_parameters = make_parameter_buffer(n_components, n_features, 0, 0)
        parameters.min_variances[:] = m_step_input.variance_floor
        trials = np.array(m_step_input.axes_to_try, order="C"), np.zeros(len(m_step_input.axes_to_try))
        has_succeeded = run_first_m_step(
            join_state(pack_no_rows(n_features), pack_constants(n_features, None), packed_parameters, workspace.packed),
            *(pack_arguments((array,)) for array in trials),
            *_structure_codes(m_step_input.structure_name),
        )
        if not has_succeeded:
            return None
        return FusedCovariances(
            arrays.next_axis_variances.copy(), arrays.next_axes.copy(), arrays.next_covariance_factor.copy()
        )


def _structure_codes(structure_name: str) -> tuple[int, int, int]:
    """Return the codes of volume, shape and orientation of a structure."""
    volume, shape, orientation = list(structure_name)
    return (
        _VOLUME_CODES[volume],
        _SHAPE_AND_ORIENTATION_CODES[shape],
        _SHAPE_AND_ORIENTATION_CODES[orientation],
    )


def _copy_parameters(run_input: FusedRunInput) -> ParameterBuffer:
    """Return copies of the initial parameters, which the run overwrites, and room for its results."""
    noise = run_input.noise_weight_and_log_density
    n_components, n_features = run_input.centers.shape
    buffer = make_parameter_buffer(n_components, n_features, 0 if noise is None else 3, run_input.max_iter)
    parameters = buffer.arrays
    parameters.component_weights[:] = run_input.component_weights
    if noise is not None:
        parameters.noise[:] = *noise, 0.0
    parameters.center[:] = run_input.centers
    parameters.axis_variances[:] = run_input.axis_variances
    parameters.axes[:] = run_input.axes
    parameters.covariance[:] = run_input.covariances
    parameters.covariance_factor[:] = 0.0
    parameters.min_variances[:] = run_input.variance_floor
    return buffer


def _make_expectation(parameters: FusedParameters, n_rows: int) -> Expectation | None:
    """Return the expectation of the last E-step of a run in this thread; None with noise, whose moments it lacks."""
    if len(parameters.noise):
        return None
    sums = thread_workspace(*parameters.center.shape).arrays
    no_scatter = np.zeros((len(sums.mass), 0))
    moments = Moments.from_centered_sums(
        sums.mass.copy(), parameters.center, sums.first_moments, no_scatter, MomentKind.NONE
    )
    log_likelihood, entropy, total_log_max = parameters.totals.tolist()
    n_distances = n_rows * len(sums.mass)
    return Expectation(Statistics(moments), log_likelihood, entropy, total_log_max, n_rows, n_distances)
