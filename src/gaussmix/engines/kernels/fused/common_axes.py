"""Axes that all components share, turned plane by plane: the M-steps of EVE and VVE (`covariance/iterative.py`)."""

from math import exp, log

from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.fused.small_matrices import compose_from_eigen, rotate_into_axes

TOLERANCE, MAX_ROTATION_SWEEPS = 1e-13, 5


@kernel
def fit_equal_volumes(state, total_mass):
    """Shapes of their own and one volume: EVI's, and EVE's along given axes, for sums of squares."""
    squares, values = state.axis_scatter, state.next_axis_variances
    n_components, n = values.shape
    volume = 0.0
    for k in range(n_components):
        mean = 0.0
        for j in range(n):
            if not squares[k, j] > 0.0:
                return False
            mean += log(squares[k, j])
        state.component_buffer[k] = exp(mean / n)
        volume += state.component_buffer[k]
    for k in range(n_components):
        for j in range(n):
            values[k, j] = volume / total_mass * squares[k, j] / state.component_buffer[k]
    return True


@kernel
def fit_common_axes(state, volume_code, total_mass):
    """EVE and VVE: variances along common axes, and the axes turned plane by plane, in turn."""
    n_components, n = state.axis_variances.shape
    for i in range(n):
        for j in range(n):
            state.next_axes[0, i, j] = state.axes[0, i, j]
    for k in range(n_components):
        rotate_into_axes(state.scatter, k, state.next_axes, 0, state.matrix_buffer, state.rotated_scatter)
    worst, angle = 1e300, 1e300
    for turn in range(MAX_ROTATION_SWEEPS):
        value = 0.0
        for k in range(n_components):
            for j in range(n):
                state.axis_scatter[k, j] = state.rotated_scatter[k, j, j]
                if not state.axis_scatter[k, j] > 1e-30:
                    return False
                state.next_axis_variances[k, j] = state.axis_scatter[k, j] / state.mass[k]
        if volume_code == 0 and not fit_equal_volumes(state, total_mass):
            return False
        for k in range(n_components):
            for j in range(n):
                value += (
                    state.mass[k] * log(state.next_axis_variances[k, j])
                    + state.axis_scatter[k, j] / state.next_axis_variances[k, j]
                )
        if (worst - value <= TOLERANCE * total_mass * n and angle <= TOLERANCE) or turn == MAX_ROTATION_SWEEPS - 1:
            break
        worst, angle = value, _rotate_axes(state)
    for k in range(n_components):
        for i in range(n):
            for j in range(n):
                state.next_axes[k, i, j] = state.next_axes[0, i, j]
        compose_from_eigen(state.next_axes, 0, state.next_axis_variances, k, state.covariance)
    return True


@kernel
def _rotate_axes(state):
    """Each pair of axes turned in its plane to where sum_k tr(Sigma_k^-1 W_k) is least; gives the largest sine."""
    n_components, n = state.axis_variances.shape
    largest = 0.0
    for pair in range(state.axis_pairs.shape[0]):
        i, j = state.axis_pairs[pair, 0], state.axis_pairs[pair, 1]
        p, q = 0.0, 0.0
        for k in range(n_components):
            gap = 1.0 / state.next_axis_variances[k, i] - 1.0 / state.next_axis_variances[k, j]
            p += 0.5 * gap * (state.rotated_scatter[k, i, i] - state.rotated_scatter[k, j, j])
            q += gap * state.rotated_scatter[k, i, j]
        size = (p * p + q * q) ** 0.5
        if not size + p > 1e-16 * abs(p):
            continue
        # cos 2t = -p / size and sin 2t = -q / size, and t lies within a right angle.
        cosine = (0.5 * max(0.0, 1.0 - p / size)) ** 0.5
        sine = -0.5 * q / size / cosine if cosine > 1e-8 else 1.0
        largest = max(largest, abs(sine))
        for k in range(n_components):
            for m in range(n):
                a, b = state.rotated_scatter[k, m, i], state.rotated_scatter[k, m, j]
                state.rotated_scatter[k, m, i], state.rotated_scatter[k, m, j] = (
                    cosine * a + sine * b,
                    cosine * b - sine * a,
                )
            for m in range(n):
                a, b = state.rotated_scatter[k, i, m], state.rotated_scatter[k, j, m]
                state.rotated_scatter[k, i, m], state.rotated_scatter[k, j, m] = (
                    cosine * a + sine * b,
                    cosine * b - sine * a,
                )
        for m in range(n):
            a, b = state.next_axes[0, m, i], state.next_axes[0, m, j]
            state.next_axes[0, m, i], state.next_axes[0, m, j] = cosine * a + sine * b, cosine * b - sine * a
    return largest
