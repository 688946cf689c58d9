"""A whole run of EM over few rows: passes and steps in turn, without Python in between.

What it does is what `solvers/run.py` does with `engines/blocked.py` and the M-steps; where anything is unusual (a
floor in the way, a component without rows, a number that is not finite) it stops before the step, and Python goes on.
"""

from math import exp, log

from gaussmix.engines.kernels.compiled.decorator import entry, kernel
from gaussmix.engines.kernels.compiled.estimating import along_columns, with_axes
from gaussmix.engines.kernels.compiled.matrices import cholesky, invert_lower

CONVERGED, USED_UP, UNUSUAL = 0, 1, 2

CLOSED = -1e308
"""The score of a component that a row is known not to belong to."""

LOST = -40.0
"""Scores that lie further below a row's best are lost in rounding."""

FEWEST = 1e-6
"""A component of less mass is not ours to fit."""

SHRINKAGE, GAINED = 0, 1
"""What a prior counts for in means, and the mass that it adds."""

WEIGHT, LOG_DENSITY, MASS = 0, 1, 2
"""What is kept of noise, if there is any."""

CLEAR = 0.5
"""A precision of so small a trace, in units of the floor, is far from it (`covariance/eigen.py`)."""


@entry
def whole_run(fit, volume, shape, orientation, tolerance, is_relative, last, passes):
    """Passes done, times four, and why no more: `CONVERGED`, `USED_UP` or `UNUSUAL`."""
    if not _prepared(fit, orientation):
        return UNUSUAL
    for number in range(passes):
        value = _share_out(fit, orientation)
        if not abs(value) < 1e300:
            return 4 * number + UNUSUAL
        for k in range(fit.mass.shape[0]):
            if not fit.mass[k] > FEWEST:
                return 4 * number + UNUSUAL
        if fit.belief.shape[0] > 0:
            value += _log_belief(fit, orientation)
            _inform(fit)
        if fit.noise.shape[0] > 0 and not fit.noise[MASS] > FEWEST:
            return 4 * number + UNUSUAL
        done = along_columns(fit, volume, shape) if orientation == 0 else with_axes(fit, volume, shape, orientation)
        if not done or not _is_clear(fit, orientation):
            return 4 * number + UNUSUAL
        total = _step(fit, orientation)
        fit.trace[number] = value
        if abs(value - last) < tolerance * (max(abs(value), total) if is_relative else total):
            return 4 * (number + 1) + CONVERGED
        last = value
    return 4 * passes + USED_UP


@kernel
def _prepared(fit, orientation):
    """Roots and offsets of the state at the beginning."""
    n_components, n = fit.values.shape
    for k in range(n_components):
        fit.log_determinant[k] = 0.0
        if orientation == 0:
            for j in range(n):
                fit.root[k, j, j] = fit.values[k, j] ** -0.5
                fit.log_determinant[k] += log(fit.values[k, j])
        else:
            if not cholesky(fit.covariance, k, fit.factor):
                return False
            invert_lower(fit.factor, k, fit.root)
            for j in range(n):
                fit.log_determinant[k] += 2.0 * log(fit.factor[k, j, j])
    return True


@kernel
def _share_out(fit, orientation):
    """Mass and centred scatter of every component about its new mean, which ``first`` leads to; the log-likelihood."""
    n_components, n = fit.values.shape
    n_rows, is_weighted, value = fit.rows.shape[0], fit.weights.shape[0] > 0, 0.0
    constant, is_noisy, noise, noise_mass = n * log(2.0 * 3.141592653589793), fit.noise.shape[0] > 0, CLOSED, 0.0
    if is_noisy:
        noise = log(fit.noise[WEIGHT]) + fit.noise[LOG_DENSITY]
    for k in range(n_components):
        fit.mass[k] = 0.0
        fit.offset[k] = log(fit.weight[k]) - 0.5 * (constant + fit.log_determinant[k])
        for i in range(n):
            fit.first[k, i] = 0.0
            for j in range(n):
                fit.scatter[k, i, j] = 0.0
    for row in range(n_rows):
        count = fit.weights[row] if is_weighted else 1.0
        if count == 0.0:
            continue
        known = fit.known[row] if fit.known.shape[0] > 0 else -1
        open_noise = noise if known < 0 else CLOSED
        top = open_noise
        for k in range(n_components):
            score = CLOSED if known >= 0 and known != k else fit.offset[k] - 0.5 * _distance(fit, row, k, orientation)
            fit.numbers[k] = score
            top = max(top, score)
        total = exp(open_noise - top) if open_noise - top > LOST else 0.0
        even = total
        for k in range(n_components):
            below = fit.numbers[k] - top
            fit.numbers[k] = exp(below) if below > LOST else 0.0
            total += fit.numbers[k]
        value += count * (top + log(total))
        noise_mass += count * even / total
        for k in range(n_components):
            share = count * fit.numbers[k] / total
            if share > 0.0:
                _add(fit, k, share, orientation)
    if is_noisy:
        fit.noise[MASS] = noise_mass
    for k in range(n_components):
        for i in range(n):
            for j in range(i + 1):
                if fit.mass[k] > 0.0 and (orientation > 0 or i == j):
                    fit.scatter[k, i, j] -= fit.first[k, i] * fit.first[k, j] / fit.mass[k]
                fit.scatter[k, j, i] = fit.scatter[k, i, j]
    return value


@kernel
def _distance(fit, row, k, orientation):
    """The squared distance of a row from a centre, in units of the component."""
    n, total = fit.rows.shape[1], 0.0
    for i in range(n):
        fit.apart[k, i] = fit.rows[row, i] - fit.center[k, i]
    if orientation == 0:
        for i in range(n):
            white = fit.apart[k, i] * fit.root[k, i, i]
            total += white * white
        return total
    for i in range(n):
        white = 0.0
        for j in range(i + 1):
            white += fit.root[k, i, j] * fit.apart[k, j]
        total += white * white
    return total


@kernel
def _add(fit, k, share, orientation):
    n = fit.center.shape[1]
    fit.mass[k] += share
    for i in range(n):
        part = share * fit.apart[k, i]
        fit.first[k, i] += part
        if orientation == 0:
            fit.scatter[k, i, i] += part * fit.apart[k, i]
        else:
            for j in range(i + 1):
                fit.scatter[k, i, j] += part * fit.apart[k, j]


@kernel
def _log_belief(fit, orientation):
    """Log density of the prior at the state of the pass, up to a constant (`covariance/prior.py`)."""
    n_components, n = fit.values.shape
    total = 0.0
    for k in range(n_components):
        total += fit.belief[GAINED] * fit.log_determinant[k]
        for i in range(n):
            white, first = 0.0, i if orientation == 0 else 0
            for j in range(first, i + 1):
                white += fit.root[k, i, j] * (fit.center[k, j] - fit.location[j])
                for m in range(first, i + 1):
                    total += fit.root[k, i, j] * fit.believed[j, m] * fit.root[k, i, m]
            total += fit.belief[SHRINKAGE] * white * white
    return -0.5 * total


@kernel
def _inform(fit):
    """Means drawn towards the location, and the scatter and mass that a prior adds."""
    n_components, n = fit.values.shape
    weight = fit.belief[SHRINKAGE]
    for k in range(n_components):
        mass = fit.mass[k]
        share = weight / (mass + weight)
        for i in range(n):
            fit.line[i] = fit.location[i] - fit.center[k, i] - fit.first[k, i] / mass
        fit.mass[k] = mass + fit.belief[GAINED]
        for i in range(n):
            fit.first[k, i] = fit.mass[k] * (fit.first[k, i] / mass + share * fit.line[i])
            for j in range(n):
                fit.scatter[k, i, j] += fit.believed[i, j] + mass * share * fit.line[i] * fit.line[j]


@kernel
def _is_clear(fit, orientation):
    """Whether the floor is far from all covariances; factors and roots of the next state on the way."""
    n_components, n = fit.values.shape
    for k in range(n_components):
        if orientation == 0:
            for j in range(n):
                if not CLEAR * fit.next_values[k, j] > fit.floor[j]:
                    return False
            continue
        if not cholesky(fit.covariance, k, fit.next_factor):
            return False
        invert_lower(fit.next_factor, k, fit.next_root)
        trace = 0.0
        for i in range(n):
            for j in range(i + 1):
                trace += fit.next_root[k, i, j] * fit.next_root[k, i, j] * fit.floor[j]
        if not trace < CLEAR:
            return False
    return True


@kernel
def _step(fit, orientation):
    """The next state in the place of this one; gives the total weight."""
    n_components, n = fit.values.shape
    is_noisy, believed = fit.noise.shape[0] > 0, fit.belief[GAINED] if fit.belief.shape[0] > 0 else 0.0
    total = fit.noise[MASS] if is_noisy else 0.0
    for k in range(n_components):
        total += fit.mass[k] - believed
    if is_noisy:
        fit.noise[WEIGHT] = fit.noise[MASS] / total
    for k in range(n_components):
        fit.weight[k] = (fit.mass[k] - believed) / total
        fit.log_determinant[k] = 0.0
        for i in range(n):
            fit.center[k, i] += fit.first[k, i] / fit.mass[k]
            fit.values[k, i] = fit.next_values[k, i]
            if orientation == 0:
                fit.root[k, i, i] = fit.values[k, i] ** -0.5
                fit.log_determinant[k] += log(fit.values[k, i])
            else:
                fit.log_determinant[k] += 2.0 * log(fit.next_factor[k, i, i])
                for j in range(n):
                    fit.factor[k, i, j] = fit.next_factor[k, i, j]
                    fit.root[k, i, j] = fit.next_root[k, i, j]
                    fit.axes[k, i, j] = fit.next_axes[k, i, j]
    return total
