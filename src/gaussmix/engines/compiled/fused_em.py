"""Run EM in one compiled call, and the M-step of a start: pack the arguments, unpack the result."""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import numpy as np

from gaussmix.core.expectation import Expectation
from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.statistics import Statistics
from gaussmix.core.threads import available_n_threads, helper_threads
from gaussmix.engines.compiled.fused_rows import pack_no_rows, pack_rows
from gaussmix.engines.compiled.fused_state import (
    ParameterBuffer,
    RunSize,
    join_state,
    make_parameter_buffer,
    pack_constants,
    thread_buffers,
    thread_workspace,
)
from gaussmix.engines.fused_runner import AbstractFusedRunner, estimate_fused_nanoseconds
from gaussmix.kernels.compiled_functions import help_fused_run, run_first_m_step, run_fused_em
from gaussmix.kernels.packed_arguments import pack_arguments

# How a compiled call ends (fused/em_loop.py and fused/chunks.py).
_CONVERGED_CODE, _NEEDS_PYTHON_CODE, _PAUSED_CODE, _N_END_CODES = 0, 2, 3, 4
_IDLE = 1

# The index of the ticket in ``control``, and tickets without chunks (fused/chunks.py).
_TICKET, _NO_PASS_TICKET, _ENDED_TICKET = 0, 1 << 19, -1

# Estimated time of a chunk, from which sharing it repays; fewer rows than these would be lost in adding up lanes.
_NANOSECONDS_PER_CHUNK, _MIN_ROWS_PER_CHUNK, _MAX_CHUNKS = 1e5, 1024, 64

# Most sums of all chunks together.
_MAX_CHUNK_SUMS = 500_000

# Estimated time of a call, after which Python may handle an interrupt.
_NANOSECONDS_PER_CALL = 5e7

# Calls without a chunk after which a helper sleeps, and for how long.
_MAX_IDLE_CALLS, _IDLE_SECONDS = 50, 1e-4

_VOLUME_CODES, _SHAPE_AND_ORIENTATION_CODES = {"E": 0, "V": 1}, {"I": 0, "E": 1, "V": 2}


class CompiledFusedRunner(AbstractFusedRunner):
    """Runs EM in one compiled function."""

    def run(self, run_input: FusedRunInput) -> FusedRunResult:
        """Run EM until it converges, reaches ``max_iter`` or meets a case that only the Python loop handles."""
        run = _Run(run_input)
        n_iter, end_code = run.iterate_with_helpers(
            float(run_input.tolerance), run_input.is_tolerance_relative, float(run_input.previous_log_likelihood)
        )
        parameters = run.parameters
        return FusedRunResult(
            parameters.component_weights,
            float(parameters.noise[0]) if len(parameters.noise) else 0.0,
            parameters.center,
            parameters.axis_variances,
            parameters.axes,
            parameters.covariance_factor,
            parameters.log_likelihoods[:n_iter].copy(),
            end_code == _CONVERGED_CODE,
            None if end_code == _NEEDS_PYTHON_CODE else run.make_expectation(),
        )

    def fit_first_covariances(self, m_step_input: FirstMStepInput) -> FusedCovariances | None:
        """Fit covariances to mass and scatter; return None at the variance floor and for components without rows."""
        n_components, n_features = len(m_step_input.mass), len(m_step_input.variance_floor)
        codes = _StructureCodes.from_name(m_step_input.structure_name)
        size = RunSize(n_components, n_features, codes.is_axis_aligned)
        workspace = thread_workspace(size)
        arrays = workspace.arrays
        arrays.mass[:], arrays.scatter[:] = m_step_input.mass, m_step_input.scatter
        parameters, packed_parameters = make_parameter_buffer(n_components, n_features, codes.is_axis_aligned, 0, 0)
        parameters.min_variances[:] = m_step_input.variance_floor
        trials = np.array(m_step_input.axes_to_try, order="C"), np.zeros(len(m_step_input.axes_to_try))
        has_succeeded = run_first_m_step(
            join_state(
                pack_no_rows(n_features),
                pack_constants(n_features, None),
                packed_parameters,
                workspace.packed,
                thread_buffers(size),
            ),
            *(pack_arguments((array,)) for array in trials),
            *codes,
        )
        if not has_succeeded:
            return None
        return FusedCovariances(
            arrays.next_axis_variances.copy(), arrays.next_axes.copy(), arrays.next_covariance_factor.copy()
        )


class _StructureCodes(NamedTuple):
    """The codes of volume, shape and orientation of a structure."""

    volume: int
    shape: int
    orientation: int

    @classmethod
    def from_name(cls, structure_name: str) -> "_StructureCodes":
        """Return the codes of mclust's letters."""
        volume, shape, orientation = list(structure_name)
        return cls(
            _VOLUME_CODES[volume], _SHAPE_AND_ORIENTATION_CODES[shape], _SHAPE_AND_ORIENTATION_CODES[orientation]
        )

    @property
    def is_axis_aligned(self) -> bool:
        """Whether the axes of all components are the columns."""
        return self.orientation == _SHAPE_AND_ORIENTATION_CODES["I"]


class _Run:
    """The arrays of one run, in the thread that leads it."""

    def __init__(self, run_input: FusedRunInput) -> None:
        self._codes = _StructureCodes.from_name(run_input.structure_name)
        is_axis_aligned = self._codes.is_axis_aligned
        self._n_rows, self._max_iter = len(run_input.rows), run_input.max_iter
        n_components, n_features = run_input.centers.shape
        self._nanoseconds = estimate_fused_nanoseconds(self._n_rows, n_components, n_features, is_axis_aligned)
        size = RunSize(n_components, n_features, is_axis_aligned)
        self._size = size._replace(n_chunks=self._choose_n_chunks(size.n_sums))
        self._workspace = thread_workspace(self._size)
        self.parameters, packed_parameters = _copy_parameters(run_input, is_axis_aligned)
        self._shared_arrays = (
            pack_rows(run_input.rows, run_input.row_weights, run_input.known_labels),
            pack_constants(n_features, run_input.prior_statistics),
            packed_parameters,
            self._workspace.packed,
        )

    def _choose_n_chunks(self, n_sums: int) -> int:
        """Return the number of chunks of rows that threads share; it depends on counts only, so that bits do too."""
        n_chunks = min(self._nanoseconds / _NANOSECONDS_PER_CHUNK, self._n_rows / _MIN_ROWS_PER_CHUNK)
        return max(1, min(int(n_chunks), _MAX_CHUNKS, _MAX_CHUNK_SUMS // n_sums))

    def iterate_with_helpers(self, tolerance: float, is_relative: bool, previous: float) -> tuple[int, int]:
        """Run EM, with the help of other threads if the rows have several chunks; return n_iter and why it ended."""
        n_chunks = self._size.n_chunks
        n_helpers = min(available_n_threads(), n_chunks) - 1 if n_chunks > 1 else 0
        control = self._workspace.arrays.control
        control[:] = 0
        control[_TICKET] = _NO_PASS_TICKET
        with helper_threads(self._help, n_helpers) if n_helpers > 0 else nullcontext():
            try:
                return self._iterate(tolerance, is_relative, previous)
            finally:
                control[_TICKET] = _ENDED_TICKET

    def _iterate(self, tolerance: float, is_relative: bool, previous: float) -> tuple[int, int]:
        """Call compiled code until the run has ended; between calls it can be interrupted."""
        state = join_state(*self._shared_arrays, thread_buffers(self._size))
        n_iter, n_iter_per_call = 0, max(1, int(_NANOSECONDS_PER_CALL / self._nanoseconds))
        while True:
            last_value = float(self.parameters.log_likelihoods[n_iter - 1]) if n_iter else previous
            result = run_fused_em(
                state,
                *self._codes,
                tolerance,
                is_relative,
                last_value,
                n_iter,
                min(n_iter + n_iter_per_call, self._max_iter),
            )
            n_before, (n_iter, end_code) = n_iter, divmod(result, _N_END_CODES)
            if end_code != _PAUSED_CODE:
                return n_iter, end_code
            if n_iter == n_before:
                _yield_processor()  # a helper that holds a chunk has no processor

    def _help(self) -> None:
        """Sum chunks in another thread until the run has ended."""
        state, n_idle_calls = join_state(*self._shared_arrays, thread_buffers(self._size)), 0
        while help_fused_run(state, self._size.is_axis_aligned) == _IDLE:
            n_idle_calls += 1
            if n_idle_calls < _MAX_IDLE_CALLS:
                _yield_processor()
            else:
                time.sleep(_IDLE_SECONDS)

    def make_expectation(self) -> Expectation | None:
        """Return the expectation of the last E-step; None with noise, whose moments it lacks."""
        if len(self.parameters.noise):
            return None
        sums = self._workspace.arrays
        no_scatter = np.zeros((len(sums.mass), 0))
        moments = Moments.from_centered_sums(
            sums.mass.copy(), self.parameters.center, sums.first_moments, no_scatter, MomentKind.NONE
        )
        log_likelihood, entropy, total_log_max = self.parameters.totals.tolist()
        n_distances = self._n_rows * len(sums.mass)
        return Expectation(Statistics(moments), log_likelihood, entropy, total_log_max, self._n_rows, n_distances)


# Lets another thread have the processor, where the system offers that.
_yield_processor: Callable[[], object] = getattr(os, "sched_yield", partial(time.sleep, 0.0))


def _copy_parameters(run_input: FusedRunInput, is_axis_aligned: bool) -> ParameterBuffer:
    """Return copies of the initial parameters, which the run overwrites, and room for its results."""
    noise = run_input.noise_weight_and_log_density
    n_components, n_features = run_input.centers.shape
    buffer = make_parameter_buffer(
        n_components, n_features, is_axis_aligned, 0 if noise is None else 3, run_input.max_iter
    )
    parameters = buffer.arrays
    parameters.component_weights[:] = run_input.component_weights
    if noise is not None:
        parameters.noise[:] = *noise, 0.0
    parameters.center[:] = run_input.centers
    parameters.axis_variances[:] = run_input.axis_variances
    if not is_axis_aligned:
        parameters.axes[:] = run_input.axes
        parameters.covariance[:] = run_input.covariances
        parameters.covariance_factor[:] = 0.0
    parameters.min_variances[:] = run_input.variance_floor
    return buffer
