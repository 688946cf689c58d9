"""Run EM on few rows in compiled code: E-steps and M-steps in turn, without Python in between.

It does what `solvers/loop.py` does with the NumPy engine and the M-steps of `covariance`. In an
unusual case (an active variance floor, a component without rows, a non-finite number) it stops before
the M-step, and the Python loop continues.
"""

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.simd import scalar_log
from gaussmix.kernels.fused.e_step import NOISE_MASS, NOISE_WEIGHT, e_step
from gaussmix.kernels.fused.m_steps import m_step_diagonal, m_step_full
from gaussmix.kernels.fused.small_matrices import compute_cholesky, invert_lower

# Why a run ended.
CONVERGED, MAX_ITER_REACHED, NEEDS_PYTHON = 0, 1, 2

# A component of less mass is left to the Python loop.
MIN_MASS = 1e-6

# Indices of ``prior_strength``.
PRIOR_SHRINKAGE, PRIOR_MASS = 0, 1

# The floor is inactive if the trace of a precision, in units of the floor, is smaller (covariance/eigenvalue_floor.py).
MAX_FLOOR_TRACE = 0.5


@entry_point
def run_fused_em(
    state, volume_code, shape_code, orientation_code, tolerance, is_relative, previous_log_likelihood, max_iter
):
    """Run EM; return 4 * n_iter + the reason for the end: CONVERGED, MAX_ITER_REACHED or NEEDS_PYTHON.

    Unless Python continues, one more E-step fills mass, first moments and totals at the last parameters.
    """
    result = _iterate(
        state, volume_code, shape_code, orientation_code, tolerance, is_relative, previous_log_likelihood, max_iter
    )
    if result % 4 != NEEDS_PYTHON and not abs(e_step(state, orientation_code == 0)) < 1e300:
        return result - result % 4 + NEEDS_PYTHON
    return result


@kernel
def _iterate(
    state, volume_code, shape_code, orientation_code, tolerance, is_relative, previous_log_likelihood, max_iter
):
    """Iterate until convergence, ``max_iter``, or a step that only Python can make; return 4 * n_iter + the reason."""
    if shape_code == 1:
        set_axes_to_columns(state)
    if not _initialize_roots(state, orientation_code):
        return NEEDS_PYTHON
    for iteration in range(max_iter):
        value = e_step(state, orientation_code == 0)
        if not abs(value) < 1e300:
            return 4 * iteration + NEEDS_PYTHON
        for k in range(state.mass.shape[0]):
            if not state.mass[k] > MIN_MASS:
                return 4 * iteration + NEEDS_PYTHON
        if state.prior_strength.shape[0] > 0:
            value += _log_prior_density(state, orientation_code)
            _apply_prior(state)
        if state.noise.shape[0] > 0 and not state.noise[NOISE_MASS] > MIN_MASS:
            return 4 * iteration + NEEDS_PYTHON
        has_next = (
            m_step_diagonal(state, volume_code, shape_code)
            if orientation_code == 0
            else m_step_full(state, volume_code, shape_code, orientation_code)
        )
        if not has_next or not is_above_floor(state, orientation_code):
            return 4 * iteration + NEEDS_PYTHON
        total = _accept_next_state(state, orientation_code)
        state.log_likelihoods[iteration] = value
        if abs(value - previous_log_likelihood) < tolerance * (max(abs(value), total) if is_relative else total):
            return 4 * (iteration + 1) + CONVERGED
        previous_log_likelihood = value
    return 4 * max_iter + MAX_ITER_REACHED


@kernel
def set_axes_to_columns(state):
    """Set the axes to the columns: the given ones may be those of a triangular factor, which are not orthogonal."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components):
        for i in range(n):
            for j in range(n):
                state.axes[k, i, j] = 1.0 if i == j else 0.0


@kernel
def _initialize_roots(state, orientation_code):
    """Compute the precision roots and log determinants of the initial covariances; return whether they are valid."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components):
        state.log_determinant[k] = 0.0
        if orientation_code == 0:
            for j in range(n):
                state.precision_root[k, j, j] = 1.0 / state.axis_variances[k, j] ** 0.5
                state.log_determinant[k] += scalar_log(state.axis_variances[k, j])
        else:
            if not compute_cholesky(state.covariance, k, state.covariance_factor):
                return False
            invert_lower(state.covariance_factor, k, state.precision_root)
            for j in range(n):
                state.log_determinant[k] += 2.0 * scalar_log(state.covariance_factor[k, j, j])
    return True


@kernel
def _log_prior_density(state, orientation_code):
    """Return the log density of the prior at the current parameters, up to a constant (covariance/prior.py)."""
    n_components, n = state.axis_variances.shape
    total = 0.0
    for k in range(n_components):
        total += state.prior_strength[PRIOR_MASS] * state.log_determinant[k]
        for i in range(n):
            white, first_column = 0.0, i if orientation_code == 0 else 0
            for j in range(first_column, i + 1):
                white += state.precision_root[k, i, j] * (state.center[k, j] - state.prior_location[j])
                for m in range(first_column, i + 1):
                    total += state.precision_root[k, i, j] * state.prior_scatter[j, m] * state.precision_root[k, i, m]
            total += state.prior_strength[PRIOR_SHRINKAGE] * white * white
    return -0.5 * total


@kernel
def _apply_prior(state):
    """Shrink the new means towards the prior location and add the prior's scatter and mass."""
    n_components, n = state.axis_variances.shape
    shrinkage = state.prior_strength[PRIOR_SHRINKAGE]
    for k in range(n_components):
        mass = state.mass[k]
        fraction = shrinkage / (mass + shrinkage)
        for i in range(n):
            state.feature_buffer[i] = state.prior_location[i] - state.center[k, i] - state.first_moments[k, i] / mass
        state.mass[k] = mass + state.prior_strength[PRIOR_MASS]
        for i in range(n):
            state.first_moments[k, i] = state.mass[k] * (
                state.first_moments[k, i] / mass + fraction * state.feature_buffer[i]
            )
            for j in range(n):
                state.scatter[k, i, j] += (
                    state.prior_scatter[i, j] + mass * fraction * state.feature_buffer[i] * state.feature_buffer[j]
                )


@kernel
def is_above_floor(state, orientation_code):
    """Return whether all new covariances are clearly above the floor; compute their factors and roots."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components):
        if orientation_code == 0:
            for j in range(n):
                if not MAX_FLOOR_TRACE * state.next_axis_variances[k, j] > state.min_variances[j]:
                    return False
            continue
        if not compute_cholesky(state.covariance, k, state.next_covariance_factor):
            return False
        invert_lower(state.next_covariance_factor, k, state.next_precision_root)
        trace = 0.0
        for i in range(n):
            for j in range(i + 1):
                trace += (
                    state.next_precision_root[k, i, j] * state.next_precision_root[k, i, j] * state.min_variances[j]
                )
        if not trace < MAX_FLOOR_TRACE:
            return False
    return True


@kernel
def _accept_next_state(state, orientation_code):
    """Replace the parameters by the new ones; return the total weight."""
    n_components, n = state.axis_variances.shape
    is_noisy, prior_mass = (
        state.noise.shape[0] > 0,
        state.prior_strength[PRIOR_MASS] if state.prior_strength.shape[0] > 0 else 0.0,
    )
    total = state.noise[NOISE_MASS] if is_noisy else 0.0
    for k in range(n_components):
        total += state.mass[k] - prior_mass
    if is_noisy:
        state.noise[NOISE_WEIGHT] = state.noise[NOISE_MASS] / total
    for k in range(n_components):
        state.component_weights[k] = (state.mass[k] - prior_mass) / total
        state.log_determinant[k] = 0.0
        for i in range(n):
            state.center[k, i] += state.first_moments[k, i] / state.mass[k]
            state.axis_variances[k, i] = state.next_axis_variances[k, i]
            if orientation_code == 0:
                state.precision_root[k, i, i] = 1.0 / state.axis_variances[k, i] ** 0.5
                state.log_determinant[k] += scalar_log(state.axis_variances[k, i])
            else:
                state.log_determinant[k] += 2.0 * scalar_log(state.next_covariance_factor[k, i, i])
                for j in range(n):
                    state.covariance_factor[k, i, j] = state.next_covariance_factor[k, i, j]
                    state.precision_root[k, i, j] = state.next_precision_root[k, i, j]
                    state.axes[k, i, j] = state.next_axes[k, i, j]
    return total
