"""The M-steps of all structures, compiled, where no floor is in the way: `covariance/closed.py` and `iterative.py`.

Each fills ``values`` (variances along axes), and where covariances are full ``axes`` and ``covariance``, of the
next state from the mass and scatter of a pass; False where it cannot, and Python has to see to it. The turns
end by the same rules, so that both go the same way.
"""

from math import exp, log

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.matrices import cholesky, eigen, invert_lower, put_together
from gaussmix.engines.kernels.compiled.turning import common_axes, equal_volumes

STILL, MOST_TURNS = 1e-7, 500


@kernel
def along_columns(fit, volume, shape):
    """EII, VII, EEI, VEI, EVI, VVI from the diagonals of the scatter."""
    scatter, mass, values = fit.scatter, fit.mass, fit.next_values
    n_components, n = values.shape
    total = 0.0
    for k in range(n_components):
        total += mass[k]
    if shape == 0:
        pooled = 0.0
        for k in range(n_components):
            own = 0.0
            for j in range(n):
                own += scatter[k, j, j]
            pooled += own
            for j in range(n):
                values[k, j] = own / (mass[k] * n)
        if volume == 0:
            for k in range(n_components):
                for j in range(n):
                    values[k, j] = pooled / (total * n)
        return True
    for k in range(n_components):
        for j in range(n):
            fit.squares[k, j] = scatter[k, j, j]
    if volume == 0 and shape == 1:
        for j in range(n):
            pooled = 0.0
            for k in range(n_components):
                pooled += fit.squares[k, j]
            for k in range(n_components):
                values[k, j] = pooled / total
        return True
    if shape == 1:
        return _volumes_and_shape(fit, total)
    if volume == 0:
        return equal_volumes(fit, total)
    for k in range(n_components):
        for j in range(n):
            values[k, j] = fit.squares[k, j] / mass[k]
    return True


@kernel
def _volumes_and_shape(fit, total):
    """Volumes and one shape in turn, from the shape before: VEI's, and VEV's for eigenvalues."""
    squares, values, mass = fit.squares, fit.next_values, fit.mass
    n_components, n = values.shape
    for j in range(n):
        fit.line[j] = fit.values[0, j]
    for k in range(n_components):
        fit.numbers[k] = 1.0
    for _ in range(MOST_TURNS):
        still = True
        for k in range(n_components):
            volume = 0.0
            for j in range(n):
                volume += squares[k, j] / fit.line[j]
            volume /= n * mass[k]
            if not volume > 0.0:
                return False
            still &= abs(volume - fit.numbers[k]) <= STILL * volume
            fit.numbers[k] = volume
        for j in range(n):
            shape = 0.0
            for k in range(n_components):
                shape += squares[k, j] / fit.numbers[k]
            if not shape > 0.0:
                return False
            fit.line[j] = shape / total
        if still:
            break
    for k in range(n_components):
        for j in range(n):
            values[k, j] = fit.numbers[k] * fit.line[j]
    return True


@kernel
def with_axes(fit, volume, shape, orientation):
    """EEE, VEE, EVE, VVE, EEV, VEV, EVV, VVV from the whole scatter."""
    n_components, n = fit.values.shape
    total = 0.0
    for k in range(n_components):
        total += fit.mass[k]
    if orientation == 1:
        if shape == 2:
            return common_axes(fit, volume, total)
        return _volumes_and_matrix(fit, total) if volume == 1 else _pooled(fit, total)
    if shape == 1:
        return _own_axes(fit, volume, total)
    for k in range(n_components):
        scale = 1.0 / fit.mass[k]
        for i in range(n):
            for j in range(n):
                fit.covariance[k, i, j] = scale * fit.scatter[k, i, j]
    return True if volume == 1 else _of_equal_volume(fit, total)


@kernel
def _pooled(fit, total):
    for k in range(fit.values.shape[0]):
        fit.numbers[k] = 1.0
    _weighted(fit, total)
    _repeated(fit)
    return True


@kernel
def _of_equal_volume(fit, total):
    """EVV: W_k / |W_k|^(1/D), times the sum of |W_k|^(1/D) over n."""
    n_components, n = fit.values.shape
    volume = 0.0
    for k in range(n_components):
        if not cholesky(fit.scatter, k, fit.next_factor):
            return False
        mean = 0.0
        for j in range(n):
            mean += 2.0 * log(fit.next_factor[k, j, j])
        fit.numbers[k] = exp(mean / n)
        volume += fit.numbers[k]
    for k in range(n_components):
        scale = volume / total / fit.numbers[k]
        for i in range(n):
            for j in range(n):
                fit.covariance[k, i, j] = scale * fit.scatter[k, i, j]
    return True


@kernel
def _own_axes(fit, volume, total):
    """EEV and VEV: eigenvalues of each scatter, averaged, or with a volume of their own."""
    n_components, n = fit.values.shape
    for k in range(n_components):
        eigen(fit.scatter, k, fit.square, fit.squares, fit.next_axes)
        if not fit.squares[k, n - 1] > 1e-12 * fit.squares[k, 0]:
            return False  # axes of a null space are chosen by other means
    if volume == 1:
        if not _volumes_and_shape(fit, total):
            return False
    else:
        for j in range(n):
            pooled = 0.0
            for k in range(n_components):
                pooled += fit.squares[k, j]
            for k in range(n_components):
                fit.next_values[k, j] = pooled / total
    for k in range(n_components):
        put_together(fit.next_axes, k, fit.next_values, k, fit.covariance)
    return True


@kernel
def _volumes_and_matrix(fit, total):
    """VEE: volumes and one matrix in turn, from the volumes before."""
    n_components, n = fit.values.shape
    for k in range(n_components):
        fit.numbers[k] = exp((fit.log_determinant[k] - fit.log_determinant[0]) / n)
    for _ in range(MOST_TURNS):
        _weighted(fit, total)
        if not cholesky(fit.covariance, 0, fit.next_factor):
            return False
        invert_lower(fit.next_factor, 0, fit.next_root)
        still = True
        for k in range(n_components):
            volume = 0.0
            for i in range(n):
                for j in range(n):
                    inverse = 0.0
                    for m in range(max(i, j), n):
                        inverse += fit.next_root[0, m, i] * fit.next_root[0, m, j]
                    volume += inverse * fit.scatter[k, i, j]
            volume /= n * fit.mass[k]
            if not volume > 0.0:
                return False
            still &= abs(volume - fit.numbers[k]) <= STILL * volume
            fit.numbers[k] = volume
        if still:
            break
    _weighted(fit, total)
    eigen(fit.covariance, 0, fit.square, fit.squares, fit.next_axes)
    for k in range(n_components):
        for i in range(n):
            fit.next_values[k, i] = fit.numbers[k] * fit.squares[0, i]
            for j in range(n):
                fit.next_axes[k, i, j] = fit.next_axes[0, i, j]
    _repeated(fit)
    return True


@kernel
def _weighted(fit, total):
    """covariance[0] = sum_k W_k / volume_k / n."""
    n_components, n = fit.values.shape
    for i in range(n):
        for j in range(n):
            pooled = 0.0
            for k in range(n_components):
                pooled += fit.scatter[k, i, j] / fit.numbers[k]
            fit.covariance[0, i, j] = pooled / total


@kernel
def _repeated(fit):
    """covariance[k] = volume_k covariance[0]; the first comes last."""
    n_components, n = fit.values.shape
    for k in range(n_components - 1, -1, -1):
        for i in range(n):
            for j in range(n):
                fit.covariance[k, i, j] = fit.numbers[k] * fit.covariance[0, i, j]
