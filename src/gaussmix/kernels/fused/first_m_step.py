"""Compiled M-step without previous covariances: that of a start (see covariance/iterative.py)."""

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.fused.common_axes import FAILED, fit_common_axes
from gaussmix.kernels.fused.em_loop import MIN_MASS, is_above_floor, set_axes_to_columns
from gaussmix.kernels.fused.m_steps import m_step_full

# Sweeps of EVE and VVE from each of several axes, and from the best of them.
SWEEPS_PER_TRIAL, MAX_SWEEPS_COLD = 3, 10

# Trials that differ by less, per unit of mass and column, count as equal, and the first is chosen.
TRIAL_TIE_TOLERANCE = 1e-6


@entry_point
def run_first_m_step(state, axes_to_try, objectives, volume_code, shape_code, orientation_code):
    """Fit the next parameters to mass and scatter; return 1, or 0 if the M-step of `covariance` must do it."""
    total = 0.0
    for k in range(state.mass.shape[0]):
        if not state.mass[k] > MIN_MASS:
            return 0
        total += state.mass[k]
        state.log_determinant[k] = 0.0
        for j in range(state.axis_variances.shape[1]):
            state.axis_variances[k, j] = 0.0
    if orientation_code == 1 and shape_code == 2:
        if not _fit_from_best_axes(state, axes_to_try, objectives, volume_code, total):
            return 0
    else:
        set_axes_to_columns(state)
        if not m_step_full(state, volume_code, shape_code, orientation_code):
            return 0
    return 1 if is_above_floor(state, orientation_code) else 0


@kernel
def _fit_from_best_axes(state, axes_to_try, objectives, volume_code, total_mass):
    """Fit EVE or VVE from the axes with the lowest objective after a few sweeps; return whether it succeeded.

    ``axes_to_try`` and ``objectives`` are overwritten.
    """
    n, lowest = state.axis_variances.shape[1], FAILED
    for trial in range(axes_to_try.shape[0]):
        _set_first_axes(state, axes_to_try, trial)
        objectives[trial] = fit_common_axes(state, volume_code, total_mass, SWEEPS_PER_TRIAL)
        if not objectives[trial] < FAILED:
            return False
        lowest = min(lowest, objectives[trial])
        for i in range(n):
            for j in range(n):
                axes_to_try[trial, i, j] = state.next_axes[0, i, j]
    best = 0
    while objectives[best] > lowest + TRIAL_TIE_TOLERANCE * total_mass * n:
        best += 1
    _set_first_axes(state, axes_to_try, best)
    return fit_common_axes(state, volume_code, total_mass, MAX_SWEEPS_COLD) < FAILED


@kernel
def _set_first_axes(state, axes, position):
    """Copy the axes at a position to those that a fit of common axes starts from."""
    n = state.axis_variances.shape[1]
    for i in range(n):
        for j in range(n):
            state.axes[0, i, j] = axes[position, i, j]
