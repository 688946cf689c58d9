"""M-steps of EVE and VVE: axes that all components share, rotated plane by plane (as in covariance/iterative.py)."""

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.simd import scalar_exp, scalar_log
from gaussmix.kernels.fused.small_matrices import compose_from_eigen, rotate_into_axes

# Rotations stop if the objective per unit of mass and column falls by no more, and no sine exceeds this.
TOLERANCE = 1e-13

# What `fit_common_axes` returns instead of its objective if a component has no scatter along an axis.
FAILED = 1e300


@kernel
def fit_equal_volumes(state, total_mass):
    """Fit variances of EVI, or of EVE along given axes: separate shapes, one volume. Return whether it succeeded."""
    squares, values = state.axis_scatter, state.next_axis_variances
    n_components, n = values.shape
    volume = 0.0
    for k in range(n_components):
        mean = 0.0
        for j in range(n):
            if not squares[k, j] > 0.0:
                return False
            mean += scalar_log(squares[k, j])
        state.component_buffer[k] = scalar_exp(mean / n)
        volume += state.component_buffer[k]
    for k in range(n_components):
        for j in range(n):
            values[k, j] = volume / total_mass * squares[k, j] / state.component_buffer[k]
    return True


@kernel
def fit_common_axes(state, volume_code, total_mass, max_sweeps):
    """Fit EVE or VVE: variances along common axes and rotations of the axes ``axes[0]`` in turn.

    Return the minimised objective (covariance/iterative.py), FAILED if that is impossible.
    """
    n_components, n = state.axis_variances.shape
    for i in range(n):
        for j in range(n):
            state.next_axes[0, i, j] = state.axes[0, i, j]
    for k in range(n_components):
        rotate_into_axes(state.scatter, k, state.next_axes, 0, state.matrix_buffer, state.rotated_scatter)
    previous_value, largest_sine = 1e300, 1e300
    value = 0.0
    for sweep in range(max_sweeps):
        value = 0.0
        for k in range(n_components):
            for j in range(n):
                state.axis_scatter[k, j] = state.rotated_scatter[k, j, j]
                if not state.axis_scatter[k, j] > 1e-30:
                    return FAILED
                state.next_axis_variances[k, j] = state.axis_scatter[k, j] / state.mass[k]
        if volume_code == 0 and not fit_equal_volumes(state, total_mass):
            return FAILED
        for k in range(n_components):
            for j in range(n):
                value += (
                    state.mass[k] * scalar_log(state.next_axis_variances[k, j])
                    + state.axis_scatter[k, j] / state.next_axis_variances[k, j]
                )
        if (
            previous_value - value <= TOLERANCE * total_mass * n and largest_sine <= TOLERANCE
        ) or sweep == max_sweeps - 1:
            break
        previous_value, largest_sine = value, _rotate_axes(state)
    for k in range(n_components):
        for i in range(n):
            for j in range(n):
                state.next_axes[k, i, j] = state.next_axes[0, i, j]
        compose_from_eigen(state.next_axes, 0, state.next_axis_variances, k, state.covariance)
    return value


@kernel
def _rotate_axes(state):
    """Rotate each pair of axes to minimize sum_k tr(Sigma_k^-1 W_k); return the largest sine of an angle."""
    n_components, n = state.axis_variances.shape
    largest_sine = 0.0
    for pair in range(state.axis_pairs.shape[0]):
        i, j = state.axis_pairs[pair, 0], state.axis_pairs[pair, 1]
        cosine_term, sine_term = 0.0, 0.0
        for k in range(n_components):
            precision_difference = 1.0 / state.next_axis_variances[k, i] - 1.0 / state.next_axis_variances[k, j]
            cosine_term += (
                0.5 * precision_difference * (state.rotated_scatter[k, i, i] - state.rotated_scatter[k, j, j])
            )
            sine_term += precision_difference * state.rotated_scatter[k, i, j]
        norm = (cosine_term * cosine_term + sine_term * sine_term) ** 0.5
        if not norm + cosine_term > 1e-16 * abs(cosine_term):
            continue
        # cos 2t = -cosine_term / norm and sin 2t = -sine_term / norm for the angle t, |t| <= pi / 2.
        cosine = (0.5 * max(0.0, 1.0 - cosine_term / norm)) ** 0.5
        sine = -0.5 * sine_term / norm / cosine if cosine > 1e-8 else 1.0
        largest_sine = max(largest_sine, abs(sine))
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
    return largest_sine
