"""Run EM on few rows in compiled code: E-steps and M-steps in turn, without Python in between.

It does what `solvers/loop.py` does with the NumPy engine and the M-steps of `covariance`. In an
unusual case (an active variance floor, a component without rows, a non-finite number) it stops before
the M-step, and the Python loop continues.
"""

from math import exp, log

from gaussmix.engines.kernels.codegen.decorators import entry_point, kernel
from gaussmix.engines.kernels.fused.m_steps import m_step_diagonal, m_step_full
from gaussmix.engines.kernels.fused.small_matrices import compute_cholesky, invert_lower

# Why a run ended.
CONVERGED, MAX_ITER_REACHED, NEEDS_PYTHON = 0, 1, 2

# Score of a component that contradicts the row's known label.
IMPOSSIBLE_SCORE = -1e308

# Scores this far below a row's best are lost in rounding.
MIN_RELATIVE_SCORE = -40.0

# A component of less mass is left to the Python loop.
MIN_MASS = 1e-6

# Indices of ``prior_strength``.
PRIOR_SHRINKAGE, PRIOR_MASS = 0, 1

# Indices of ``noise``.
NOISE_WEIGHT, NOISE_LOG_DENSITY, NOISE_MASS = 0, 1, 2

# The floor is inactive if the trace of a precision, in units of the floor, is smaller (covariance/eigenvalue_floor.py).
MAX_FLOOR_TRACE = 0.5


@entry_point
def run_fused_em(
    state, volume_code, shape_code, orientation_code, tolerance, is_relative, previous_log_likelihood, max_iter
):
    """Run EM; return 4 * n_iter + the reason for the end: CONVERGED, MAX_ITER_REACHED or NEEDS_PYTHON."""
    if not _initialize_roots(state, orientation_code):
        return NEEDS_PYTHON
    for iteration in range(max_iter):
        value = _e_step(state, orientation_code)
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
        if not has_next or not _is_above_floor(state, orientation_code):
            return 4 * iteration + NEEDS_PYTHON
        total = _accept_next_state(state, orientation_code)
        state.log_likelihoods[iteration] = value
        if abs(value - previous_log_likelihood) < tolerance * (max(abs(value), total) if is_relative else total):
            return 4 * (iteration + 1) + CONVERGED
        previous_log_likelihood = value
    return 4 * max_iter + MAX_ITER_REACHED


@kernel
def _initialize_roots(state, orientation_code):
    """Compute the precision roots and log determinants of the initial covariances; return whether they are valid."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components):
        state.log_determinant[k] = 0.0
        if orientation_code == 0:
            for j in range(n):
                state.precision_root[k, j, j] = state.axis_variances[k, j] ** -0.5
                state.log_determinant[k] += log(state.axis_variances[k, j])
        else:
            if not compute_cholesky(state.covariance, k, state.covariance_factor):
                return False
            invert_lower(state.covariance_factor, k, state.precision_root)
            for j in range(n):
                state.log_determinant[k] += 2.0 * log(state.covariance_factor[k, j, j])
    return True


@kernel
def _e_step(state, orientation_code):
    """Compute mass, first moments and scatter about the new means; return the log-likelihood."""
    n_components, n = state.axis_variances.shape
    n_rows, is_weighted, log_likelihood = state.rows.shape[0], state.row_weights.shape[0] > 0, 0.0
    constant, is_noisy, log_noise, noise_mass = (
        n * log(2.0 * 3.141592653589793),
        state.noise.shape[0] > 0,
        IMPOSSIBLE_SCORE,
        0.0,
    )
    if is_noisy:
        log_noise = log(state.noise[NOISE_WEIGHT]) + state.noise[NOISE_LOG_DENSITY]
    for k in range(n_components):
        state.mass[k] = 0.0
        state.score_offset[k] = log(state.component_weights[k]) - 0.5 * (constant + state.log_determinant[k])
        for i in range(n):
            state.first_moments[k, i] = 0.0
            for j in range(n):
                state.scatter[k, i, j] = 0.0
    for row in range(n_rows):
        weight = state.row_weights[row] if is_weighted else 1.0
        if weight == 0.0:
            continue
        known = state.known_components[row] if state.known_components.shape[0] > 0 else -1
        noise_score = log_noise if known < 0 else IMPOSSIBLE_SCORE
        best_score = noise_score
        for k in range(n_components):
            score = (
                IMPOSSIBLE_SCORE
                if known >= 0 and known != k
                else state.score_offset[k] - 0.5 * _squared_distance(state, row, k, orientation_code)
            )
            state.component_buffer[k] = score
            best_score = max(best_score, score)
        total = exp(noise_score - best_score) if noise_score - best_score > MIN_RELATIVE_SCORE else 0.0
        noise_term = total
        for k in range(n_components):
            difference = state.component_buffer[k] - best_score
            state.component_buffer[k] = exp(difference) if difference > MIN_RELATIVE_SCORE else 0.0
            total += state.component_buffer[k]
        log_likelihood += weight * (best_score + log(total))
        noise_mass += weight * noise_term / total
        for k in range(n_components):
            responsibility = weight * state.component_buffer[k] / total
            if responsibility > 0.0:
                _add_row(state, k, responsibility, orientation_code)
    if is_noisy:
        state.noise[NOISE_MASS] = noise_mass
    for k in range(n_components):
        for i in range(n):
            for j in range(i + 1):
                if state.mass[k] > 0.0 and (orientation_code > 0 or i == j):
                    state.scatter[k, i, j] -= state.first_moments[k, i] * state.first_moments[k, j] / state.mass[k]
                state.scatter[k, j, i] = state.scatter[k, i, j]
    return log_likelihood


@kernel
def _squared_distance(state, row, k, orientation_code):
    """Return the squared Mahalanobis distance of a row from a centre; store the difference."""
    n, total = state.rows.shape[1], 0.0
    for i in range(n):
        state.difference_buffer[k, i] = state.rows[row, i] - state.center[k, i]
    if orientation_code == 0:
        for i in range(n):
            white = state.difference_buffer[k, i] * state.precision_root[k, i, i]
            total += white * white
        return total
    for i in range(n):
        white = 0.0
        for j in range(i + 1):
            white += state.precision_root[k, i, j] * state.difference_buffer[k, j]
        total += white * white
    return total


@kernel
def _add_row(state, k, responsibility, orientation_code):
    """Add a weighted row to the sums of component k."""
    n = state.center.shape[1]
    state.mass[k] += responsibility
    for i in range(n):
        weighted = responsibility * state.difference_buffer[k, i]
        state.first_moments[k, i] += weighted
        if orientation_code == 0:
            state.scatter[k, i, i] += weighted * state.difference_buffer[k, i]
        else:
            for j in range(i + 1):
                state.scatter[k, i, j] += weighted * state.difference_buffer[k, j]


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
def _is_above_floor(state, orientation_code):
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
                state.precision_root[k, i, i] = state.axis_variances[k, i] ** -0.5
                state.log_determinant[k] += log(state.axis_variances[k, i])
            else:
                state.log_determinant[k] += 2.0 * log(state.next_covariance_factor[k, i, i])
                for j in range(n):
                    state.covariance_factor[k, i, j] = state.next_covariance_factor[k, i, j]
                    state.precision_root[k, i, j] = state.next_precision_root[k, i, j]
                    state.axes[k, i, j] = state.next_axes[k, i, j]
    return total
