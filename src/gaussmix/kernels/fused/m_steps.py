"""Compiled M-steps of all structures without an active variance floor (see covariance/closed_form, iterative).

Each fills ``next_axis_variances``, and for full covariances ``next_axes`` and ``covariance``, from mass and
scatter. It returns False if the Python loop must handle the case. Iterations stop by the
same rules as in Python, so that both give the same result.
"""

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.simd import scalar_exp, scalar_log
from gaussmix.kernels.fused.common_axes import FAILED, fit_common_axes, fit_equal_volumes
from gaussmix.kernels.fused.small_matrices import (
    compose_from_eigen,
    compute_cholesky,
    compute_eigen,
    invert_lower,
)

# Iterations stop if no volume changes by a larger fraction; see covariance/iterative.py.
RELATIVE_TOLERANCE, MAX_ITER = 1e-7, 500

# Sweeps of an M-step that starts from the previous common axes; see covariance/iterative.py.
MAX_ROTATION_SWEEPS = 5


@kernel
def m_step_diagonal(state, volume_code, shape_code):
    """Fit EII, VII, EEI, VEI, EVI or VVI from the diagonals of the scatter."""
    scatter, mass, values = state.scatter, state.mass, state.next_axis_variances
    n_components, n = values.shape
    total = 0.0
    for k in range(n_components):
        total += mass[k]
    if shape_code == 0:
        pooled = 0.0
        for k in range(n_components):
            component_scatter = 0.0
            for j in range(n):
                component_scatter += scatter[k, j, j]
            pooled += component_scatter
            for j in range(n):
                values[k, j] = component_scatter / (mass[k] * n)
        if volume_code == 0:
            for k in range(n_components):
                for j in range(n):
                    values[k, j] = pooled / (total * n)
        return True
    for k in range(n_components):
        for j in range(n):
            state.axis_scatter[k, j] = scatter[k, j, j]
    if volume_code == 0 and shape_code == 1:
        for j in range(n):
            pooled = 0.0
            for k in range(n_components):
                pooled += state.axis_scatter[k, j]
            for k in range(n_components):
                values[k, j] = pooled / total
        return True
    if shape_code == 1:
        return _fit_volumes_and_shape(state, total)
    if volume_code == 0:
        return fit_equal_volumes(state, total)
    for k in range(n_components):
        for j in range(n):
            values[k, j] = state.axis_scatter[k, j] / mass[k]
    return True


@kernel
def _fit_volumes_and_shape(state, total_mass):
    """Fit volumes and one shape in turn: VEI, and the eigenvalues of VEV.

    It starts from the previous shape, or without one (variances of zero) from that of the pooled scatter.
    """
    squares, values, mass = state.axis_scatter, state.next_axis_variances, state.mass
    n_components, n = values.shape
    for j in range(n):
        shape = state.axis_variances[0, j]
        if shape == 0.0:
            for k in range(n_components):
                shape += squares[k, j] / total_mass
            if not shape > 0.0:
                return False
        state.feature_buffer[j] = shape
    for k in range(n_components):
        state.component_buffer[k] = 1.0
    for _ in range(MAX_ITER):
        has_converged = True
        for k in range(n_components):
            volume = 0.0
            for j in range(n):
                volume += squares[k, j] / state.feature_buffer[j]
            volume /= n * mass[k]
            if not volume > 0.0:
                return False
            has_converged &= abs(volume - state.component_buffer[k]) <= RELATIVE_TOLERANCE * volume
            state.component_buffer[k] = volume
        for j in range(n):
            shape = 0.0
            for k in range(n_components):
                shape += squares[k, j] / state.component_buffer[k]
            if not shape > 0.0:
                return False
            state.feature_buffer[j] = shape / total_mass
        if has_converged:
            break
    for k in range(n_components):
        for j in range(n):
            values[k, j] = state.component_buffer[k] * state.feature_buffer[j]
    return True


@kernel
def m_step_full(state, volume_code, shape_code, orientation_code):
    """Fit EEE, VEE, EVE, VVE, EEV, VEV, EVV or VVV from the full scatter."""
    n_components, n = state.axis_variances.shape
    total = 0.0
    for k in range(n_components):
        total += state.mass[k]
    if orientation_code == 1:
        if shape_code == 2:
            return fit_common_axes(state, volume_code, total, MAX_ROTATION_SWEEPS) < FAILED
        return _fit_volumes_and_matrix(state, total) if volume_code == 1 else _fit_pooled_covariance(state, total)
    if shape_code == 1:
        return _fit_component_axes(state, volume_code, total)
    for k in range(n_components):
        scale = 1.0 / state.mass[k]
        for i in range(n):
            for j in range(n):
                state.covariance[k, i, j] = scale * state.scatter[k, i, j]
    return True if volume_code == 1 else _fit_equal_volume_covariances(state, total)


@kernel
def _fit_pooled_covariance(state, total_mass):
    """Fit EEE: the pooled covariance."""
    for k in range(state.axis_variances.shape[0]):
        state.component_buffer[k] = 1.0
    _sum_scaled_scatter(state, total_mass)
    _copy_scaled_covariance(state)
    return True


@kernel
def _fit_equal_volume_covariances(state, total_mass):
    """Fit EVV: W_k / |W_k|^(1/D), times the sum of |W_k|^(1/D) divided by n."""
    n_components, n = state.axis_variances.shape
    volume = 0.0
    for k in range(n_components):
        if not compute_cholesky(state.scatter, k, state.next_covariance_factor):
            return False
        mean = 0.0
        for j in range(n):
            mean += 2.0 * scalar_log(state.next_covariance_factor[k, j, j])
        state.component_buffer[k] = scalar_exp(mean / n)
        volume += state.component_buffer[k]
    for k in range(n_components):
        scale = volume / total_mass / state.component_buffer[k]
        for i in range(n):
            for j in range(n):
                state.covariance[k, i, j] = scale * state.scatter[k, i, j]
    return True


@kernel
def _fit_component_axes(state, volume_code, total_mass):
    """Fit EEV and VEV: eigenvalues of each scatter, averaged or with separate volumes."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components):
        compute_eigen(
            state.scatter,
            k,
            state.axes,
            state.matrix_buffer,
            state.rotated_scatter,
            state.axis_scatter,
            state.next_axes,
        )
        if not state.axis_scatter[k, n - 1] > 1e-12 * state.axis_scatter[k, 0]:
            return False  # covariance/closed_form.py chooses axes of a null space
    if volume_code == 1:
        if not _fit_volumes_and_shape(state, total_mass):
            return False
    else:
        for j in range(n):
            pooled = 0.0
            for k in range(n_components):
                pooled += state.axis_scatter[k, j]
            for k in range(n_components):
                state.next_axis_variances[k, j] = pooled / total_mass
    for k in range(n_components):
        compose_from_eigen(state.next_axes, k, state.next_axis_variances, k, state.covariance)
    return True


@kernel
def _fit_volumes_and_matrix(state, total_mass):
    """Fit VEE: volumes and one matrix in turn, starting from the previous volumes."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components):
        state.component_buffer[k] = scalar_exp((state.log_determinant[k] - state.log_determinant[0]) / n)
    for _ in range(MAX_ITER):
        _sum_scaled_scatter(state, total_mass)
        if not compute_cholesky(state.covariance, 0, state.next_covariance_factor):
            return False
        invert_lower(state.next_covariance_factor, 0, state.next_precision_root)
        has_converged = True
        for k in range(n_components):
            volume = 0.0
            for i in range(n):
                for j in range(n):
                    inverse = 0.0
                    for m in range(max(i, j), n):
                        inverse += state.next_precision_root[0, m, i] * state.next_precision_root[0, m, j]
                    volume += inverse * state.scatter[k, i, j]
            volume /= n * state.mass[k]
            if not volume > 0.0:
                return False
            has_converged &= abs(volume - state.component_buffer[k]) <= RELATIVE_TOLERANCE * volume
            state.component_buffer[k] = volume
        if has_converged:
            break
    _sum_scaled_scatter(state, total_mass)
    compute_eigen(
        state.covariance, 0, state.axes, state.matrix_buffer, state.rotated_scatter, state.axis_scatter, state.next_axes
    )
    if not state.axis_scatter[0, n - 1] > 1e-13 * state.axis_scatter[0, 0]:
        return False  # rounding decides smaller eigenvalues, as in covariance/iterative.py
    for k in range(n_components):
        for i in range(n):
            state.next_axis_variances[k, i] = state.component_buffer[k] * state.axis_scatter[0, i]
            for j in range(n):
                state.next_axes[k, i, j] = state.next_axes[0, i, j]
    _copy_scaled_covariance(state)
    return True


@kernel
def _sum_scaled_scatter(state, total_mass):
    """Compute covariance[0] = sum_k W_k / volume_k / n."""
    n_components, n = state.axis_variances.shape
    for i in range(n):
        for j in range(n):
            pooled = 0.0
            for k in range(n_components):
                pooled += state.scatter[k, i, j] / state.component_buffer[k]
            state.covariance[0, i, j] = pooled / total_mass


@kernel
def _copy_scaled_covariance(state):
    """Compute covariance[k] = volume_k covariance[0], the first one last."""
    n_components, n = state.axis_variances.shape
    for k in range(n_components - 1, -1, -1):
        for i in range(n):
            for j in range(n):
                state.covariance[k, i, j] = state.component_buffer[k] * state.covariance[0, i, j]
