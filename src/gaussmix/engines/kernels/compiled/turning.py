"""Axes that all components share, turned plane by plane: the M-steps of EVE and VVE (`covariance/iterative.py`)."""

from math import exp, log

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.matrices import put_together, turn_into

SMALL, TURNS_OF_AXES = 1e-13, 5


@kernel
def equal_volumes(fit, total):
    """Shapes of their own and one volume: EVI's, and EVE's along given axes, for sums of squares."""
    squares, values = fit.squares, fit.next_values
    n_components, n = values.shape
    volume = 0.0
    for k in range(n_components):
        mean = 0.0
        for j in range(n):
            if not squares[k, j] > 0.0:
                return False
            mean += log(squares[k, j])
        fit.numbers[k] = exp(mean / n)
        volume += fit.numbers[k]
    for k in range(n_components):
        for j in range(n):
            values[k, j] = volume / total * squares[k, j] / fit.numbers[k]
    return True


@kernel
def common_axes(fit, volume, total):
    """EVE and VVE: variances along common axes, and the axes turned plane by plane, in turn."""
    n_components, n = fit.values.shape
    for i in range(n):
        for j in range(n):
            fit.next_axes[0, i, j] = fit.axes[0, i, j]
    for k in range(n_components):
        turn_into(fit.scatter, k, fit.next_axes, 0, fit.square, fit.along)
    worst, angle = 1e300, 1e300
    for turn in range(TURNS_OF_AXES):
        value = 0.0
        for k in range(n_components):
            for j in range(n):
                fit.squares[k, j] = fit.along[k, j, j]
                if not fit.squares[k, j] > 1e-30:
                    return False
                fit.next_values[k, j] = fit.squares[k, j] / fit.mass[k]
        if volume == 0 and not equal_volumes(fit, total):
            return False
        for k in range(n_components):
            for j in range(n):
                value += fit.mass[k] * log(fit.next_values[k, j]) + fit.squares[k, j] / fit.next_values[k, j]
        if (worst - value <= SMALL * total * n and angle <= SMALL) or turn == TURNS_OF_AXES - 1:
            break
        worst, angle = value, _turn_planes(fit)
    for k in range(n_components):
        for i in range(n):
            for j in range(n):
                fit.next_axes[k, i, j] = fit.next_axes[0, i, j]
        put_together(fit.next_axes, 0, fit.next_values, k, fit.covariance)
    return True


@kernel
def _turn_planes(fit):
    """Each pair of axes turned in its plane to where sum_k tr(Sigma_k^-1 W_k) is least; gives the largest sine."""
    n_components, n = fit.values.shape
    largest = 0.0
    for pair in range(fit.pairs.shape[0]):
        i, j = fit.pairs[pair, 0], fit.pairs[pair, 1]
        p, q = 0.0, 0.0
        for k in range(n_components):
            gap = 1.0 / fit.next_values[k, i] - 1.0 / fit.next_values[k, j]
            p += 0.5 * gap * (fit.along[k, i, i] - fit.along[k, j, j])
            q += gap * fit.along[k, i, j]
        size = (p * p + q * q) ** 0.5
        if not size + p > 1e-16 * abs(p):
            continue
        # cos 2t = -p / size and sin 2t = -q / size, and t lies within a right angle.
        cosine = (0.5 * max(0.0, 1.0 - p / size)) ** 0.5
        sine = -0.5 * q / size / cosine if cosine > 1e-8 else 1.0
        largest = max(largest, abs(sine))
        for k in range(n_components):
            for m in range(n):
                a, b = fit.along[k, m, i], fit.along[k, m, j]
                fit.along[k, m, i], fit.along[k, m, j] = cosine * a + sine * b, cosine * b - sine * a
            for m in range(n):
                a, b = fit.along[k, i, m], fit.along[k, j, m]
                fit.along[k, i, m], fit.along[k, j, m] = cosine * a + sine * b, cosine * b - sine * a
        for m in range(n):
            a, b = fit.next_axes[0, m, i], fit.next_axes[0, m, j]
            fit.next_axes[0, m, i], fit.next_axes[0, m, j] = cosine * a + sine * b, cosine * b - sine * a
    return largest
