"""A whole run of EM over few rows: passes and steps in turn, without Python in between.

What it does is what `solvers/run.py` does with `engines/blocked.py` and the M-steps; where anything is unusual (a
floor in the way, a component without rows, a number that is not finite) it stops before the step, and Python goes on.
"""

from math import exp, log

from gaussmix.engines.kernels.codegen.decorators import entry_point, kernel
from gaussmix.engines.kernels.fused.m_steps import m_step_diagonal, m_step_full
from gaussmix.engines.kernels.fused.small_matrices import compute_cholesky, invert_lower

CONVERGED, MAX_ITER_REACHED, NEEDS_PYTHON = 0, 1, 2

IMPOSSIBLE_SCORE = -1e308
"""The score of a component that a row is known not to belong to."""

MIN_RELATIVE_SCORE = -40.0
"""Scores that lie further below a row's best are lost in rounding."""

MIN_MASS = 1e-6
"""A component of less mass is not ours to fit."""

PRIOR_SHRINKAGE, PRIOR_MASS = 0, 1
"""What a prior counts for in means, and the mass that it adds."""

NOISE_WEIGHT, NOISE_LOG_DENSITY, NOISE_MASS = 0, 1, 2
"""What is kept of noise, if there is any."""

MAX_FLOOR_TRACE = 0.5
"""A precision of so small a trace, in units of the floor, is far from it (`covariance/eigen.py`)."""


@entry_point
def run_fused_em(
    state, volume_code, shape_code, orientation_code, tolerance, is_relative, previous_log_likelihood, max_iter
):
    """Passes done, times four, and why no more: `CONVERGED`, `USED_UP` or `UNUSUAL`."""
    if not _initialize_roots(state, orientation_code):
        return NEEDS_PYTHON
    for number in range(max_iter):
        value = _e_step(state, orientation_code)
        if not abs(value) < 1e300:
            return 4 * number + NEEDS_PYTHON
        for k in range(state.mass.shape[0]):
            if not state.mass[k] > MIN_MASS:
                return 4 * number + NEEDS_PYTHON
        if state.prior_strength.shape[0] > 0:
            value += _log_prior_density(state, orientation_code)
            _apply_prior(state)
        if state.noise.shape[0] > 0 and not state.noise[NOISE_MASS] > MIN_MASS:
            return 4 * number + NEEDS_PYTHON
        done = (
            m_step_diagonal(state, volume_code, shape_code)
            if orientation_code == 0
            else m_step_full(state, volume_code, shape_code, orientation_code)
        )
        if not done or not _is_above_floor(state, orientation_code):
            return 4 * number + NEEDS_PYTHON
        total = _accept_next_state(state, orientation_code)
        state.log_likelihoods[number] = value
        if abs(value - previous_log_likelihood) < tolerance * (max(abs(value), total) if is_relative else total):
            return 4 * (number + 1) + CONVERGED
        previous_log_likelihood = value
    return 4 * max_iter + MAX_ITER_REACHED


@kernel
def _initialize_roots(state, orientation_code):
    """Roots and offsets of the state at the beginning."""
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
    """Mass and centred scatter of every component about its new mean, which ``first`` leads to; the log-likelihood."""
    n_components, n = state.axis_variances.shape
    n_rows, is_weighted, value = state.rows.shape[0], state.row_weights.shape[0] > 0, 0.0
    constant, is_noisy, noise, noise_mass = (
        n * log(2.0 * 3.141592653589793),
        state.noise.shape[0] > 0,
        IMPOSSIBLE_SCORE,
        0.0,
    )
    if is_noisy:
        noise = log(state.noise[NOISE_WEIGHT]) + state.noise[NOISE_LOG_DENSITY]
    for k in range(n_components):
        state.mass[k] = 0.0
        state.score_offset[k] = log(state.component_weights[k]) - 0.5 * (constant + state.log_determinant[k])
        for i in range(n):
            state.first_moments[k, i] = 0.0
            for j in range(n):
                state.scatter[k, i, j] = 0.0
    for row in range(n_rows):
        count = state.row_weights[row] if is_weighted else 1.0
        if count == 0.0:
            continue
        known = state.known_components[row] if state.known_components.shape[0] > 0 else -1
        open_noise = noise if known < 0 else IMPOSSIBLE_SCORE
        top = open_noise
        for k in range(n_components):
            score = (
                IMPOSSIBLE_SCORE
                if known >= 0 and known != k
                else state.score_offset[k] - 0.5 * _squared_distance(state, row, k, orientation_code)
            )
            state.component_buffer[k] = score
            top = max(top, score)
        total = exp(open_noise - top) if open_noise - top > MIN_RELATIVE_SCORE else 0.0
        even = total
        for k in range(n_components):
            below = state.component_buffer[k] - top
            state.component_buffer[k] = exp(below) if below > MIN_RELATIVE_SCORE else 0.0
            total += state.component_buffer[k]
        value += count * (top + log(total))
        noise_mass += count * even / total
        for k in range(n_components):
            share = count * state.component_buffer[k] / total
            if share > 0.0:
                _add_row(state, k, share, orientation_code)
    if is_noisy:
        state.noise[NOISE_MASS] = noise_mass
    for k in range(n_components):
        for i in range(n):
            for j in range(i + 1):
                if state.mass[k] > 0.0 and (orientation_code > 0 or i == j):
                    state.scatter[k, i, j] -= state.first_moments[k, i] * state.first_moments[k, j] / state.mass[k]
                state.scatter[k, j, i] = state.scatter[k, i, j]
    return value


@kernel
def _squared_distance(state, row, k, orientation_code):
    """The squared distance of a row from a centre, in units of the component."""
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
    n = state.center.shape[1]
    state.mass[k] += responsibility
    for i in range(n):
        part = responsibility * state.difference_buffer[k, i]
        state.first_moments[k, i] += part
        if orientation_code == 0:
            state.scatter[k, i, i] += part * state.difference_buffer[k, i]
        else:
            for j in range(i + 1):
                state.scatter[k, i, j] += part * state.difference_buffer[k, j]


@kernel
def _log_prior_density(state, orientation_code):
    """Log density of the prior at the state of the pass, up to a constant (`covariance/prior.py`)."""
    n_components, n = state.axis_variances.shape
    total = 0.0
    for k in range(n_components):
        total += state.prior_strength[PRIOR_MASS] * state.log_determinant[k]
        for i in range(n):
            white, first = 0.0, i if orientation_code == 0 else 0
            for j in range(first, i + 1):
                white += state.precision_root[k, i, j] * (state.center[k, j] - state.prior_location[j])
                for m in range(first, i + 1):
                    total += state.precision_root[k, i, j] * state.prior_scatter[j, m] * state.precision_root[k, i, m]
            total += state.prior_strength[PRIOR_SHRINKAGE] * white * white
    return -0.5 * total


@kernel
def _apply_prior(state):
    """Means drawn towards the location, and the scatter and mass that a prior adds."""
    n_components, n = state.axis_variances.shape
    weight = state.prior_strength[PRIOR_SHRINKAGE]
    for k in range(n_components):
        mass = state.mass[k]
        share = weight / (mass + weight)
        for i in range(n):
            state.feature_buffer[i] = state.prior_location[i] - state.center[k, i] - state.first_moments[k, i] / mass
        state.mass[k] = mass + state.prior_strength[PRIOR_MASS]
        for i in range(n):
            state.first_moments[k, i] = state.mass[k] * (
                state.first_moments[k, i] / mass + share * state.feature_buffer[i]
            )
            for j in range(n):
                state.scatter[k, i, j] += (
                    state.prior_scatter[i, j] + mass * share * state.feature_buffer[i] * state.feature_buffer[j]
                )


@kernel
def _is_above_floor(state, orientation_code):
    """Whether the floor is far from all covariances; factors and roots of the next state on the way."""
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
    """The next state in the place of this one; gives the total weight."""
    n_components, n = state.axis_variances.shape
    is_noisy, believed = (
        state.noise.shape[0] > 0,
        state.prior_strength[PRIOR_MASS] if state.prior_strength.shape[0] > 0 else 0.0,
    )
    total = state.noise[NOISE_MASS] if is_noisy else 0.0
    for k in range(n_components):
        total += state.mass[k] - believed
    if is_noisy:
        state.noise[NOISE_WEIGHT] = state.noise[NOISE_MASS] / total
    for k in range(n_components):
        state.component_weights[k] = (state.mass[k] - believed) / total
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
