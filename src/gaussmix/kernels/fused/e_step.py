"""Compiled E-step of a fused run: one register holds the same column of several rows (`machine_constants.SIMD_WIDTH`).

Rows come in groups, one register per column. A block of groups first gets its responsibilities. Then each component
adds its moments of the block, so that its sums stay in the cache. All sums have one lane per row of a group; the lanes
are added at the end.
"""

from math import pi

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    absolute,
    add,
    bits_above,
    divide,
    exp_and_moment,
    fma,
    get_item,
    load,
    log,
    maximum,
    multiply,
    scalar_log,
    select_greater,
    splat,
    store,
    subtract,
    sum_lanes,
)
from gaussmix.kernels.fused.few_columns import (
    MAX_UNROLLED_COLUMNS,
    add_few_column_moments,
    few_column_distances,
)
from gaussmix.kernels.machine_constants import FUSED_GROUPS_PER_BLOCK, SIMD_WIDTH

# Score of a component that contradicts the row's known label.
IMPOSSIBLE_SCORE = -1e308

# Scores this far below a row's best are lost in rounding.
MIN_RELATIVE_SCORE = -40.0

# Indices of ``noise``.
NOISE_WEIGHT, NOISE_LOG_DENSITY, NOISE_MASS = 0, 1, 2

# Indices of ``totals``.
TOTAL_LOG_LIKELIHOOD, TOTAL_ENTROPY, TOTAL_LOG_MAX_RESPONSIBILITY = 0, 1, 2


@kernel
def e_step(state, is_diagonal):
    """Compute mass, first moments, scatter about the new means, and the totals; return the log-likelihood."""
    request_full_width()
    n_components, n_groups = state.axis_variances.shape[0], state.row_groups.shape[0]
    _prepare_sums(state)
    log_noise = IMPOSSIBLE_SCORE
    if state.noise.shape[0] > 0:
        log_noise = scalar_log(state.noise[NOISE_WEIGHT]) + state.noise[NOISE_LOG_DENSITY]
    log_likelihood, noise_mass, moment, log_sums = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for first in range(0, n_groups, FUSED_GROUPS_PER_BLOCK):
        stop = min(first + FUSED_GROUPS_PER_BLOCK, n_groups)
        for group in range(first, stop):
            sums = _compute_responsibilities(state, group, group - first, is_diagonal, log_noise)
            log_likelihood, noise_mass = add(log_likelihood, sums[0]), add(noise_mass, sums[1])
            moment, log_sums = add(moment, sums[2]), add(log_sums, sums[3])
        for k in range(n_components):
            if state.center.shape[1] <= MAX_UNROLLED_COLUMNS:
                add_few_column_moments(state, k, first, stop, is_diagonal)
            else:
                _add_moments(state, k, first, stop, is_diagonal)
    if state.noise.shape[0] > 0:
        state.noise[NOISE_MASS] = sum_lanes(noise_mass)
    for k in range(n_components):
        _sum_moments(state, k, is_diagonal)
    total_log_sum, value = sum_lanes(log_sums), sum_lanes(log_likelihood)
    state.totals[TOTAL_LOG_LIKELIHOOD] = value
    state.totals[TOTAL_ENTROPY] = total_log_sum - sum_lanes(moment)
    state.totals[TOTAL_LOG_MAX_RESPONSIBILITY] = -total_log_sum
    return value


@kernel
def _prepare_sums(state):
    """Clear the sums, and compute the part of each component's score that is equal for all rows."""
    request_inlining()
    request_full_width()
    zero, constant = splat(0.0), state.axis_variances.shape[1] * scalar_log(2.0 * pi)
    for start in range(0, state.lane_sums.size, SIMD_WIDTH):
        store(state.lane_sums, start, zero)
    for k in range(state.axis_variances.shape[0]):
        state.score_offset[k] = scalar_log(state.component_weights[k]) - 0.5 * (constant + state.log_determinant[k])


@kernel
def _compute_responsibilities(state, group, slot, is_diagonal, log_noise):
    """Compute the weighted responsibilities of a group.

    Return weighted log densities, responsibilities of noise, sums of r (score - best), and logs of the sums of
    exp(score - best).
    """
    request_inlining()
    request_full_width()
    n_components, zero, has_labels = state.axis_variances.shape[0], splat(0.0), state.known_components.size > 0
    weight, impossible = load(state.row_weights, group * SIMD_WIDTH), splat(IMPOSSIBLE_SCORE)
    noise_score, label, unknown = splat(log_noise), splat(-1.0), splat(-0.5)
    if has_labels:
        label = load(state.known_components, group * SIMD_WIDTH)
        noise_score = select_greater(label, unknown, impossible, noise_score)
    best, start = noise_score, slot * n_components * SIMD_WIDTH
    for k in range(n_components):
        distance = _squared_distances(state, group, k, is_diagonal)
        score = fma(splat(-0.5), distance, splat(get_item(state.score_offset, k)))
        if has_labels:
            contradiction = select_greater(absolute(subtract(label, splat(float(k)))), splat(0.5), impossible, score)
            score = select_greater(label, unknown, contradiction, score)
        best = maximum(score, best)
        store(state.responsibilities, start + k * SIMD_WIDTH, score)
    limit = splat(MIN_RELATIVE_SCORE)
    noise_term, moment, _ = exp_and_moment(subtract(noise_score, best), limit, zero)
    power_sum = noise_term
    for k in range(n_components):
        difference = subtract(load(state.responsibilities, start + k * SIMD_WIDTH), best)
        term, moment, _ = exp_and_moment(difference, limit, moment)
        power_sum = add(power_sum, term)
        store(state.responsibilities, start + k * SIMD_WIDTH, term)
    factor = select_greater(weight, zero, divide(weight, power_sum), zero)
    for k in range(n_components):
        place = start + k * SIMD_WIDTH
        store(state.responsibilities, place, multiply(factor, load(state.responsibilities, place)))
    log_sum = select_greater(weight, zero, multiply(weight, log(power_sum)), zero)
    density = select_greater(weight, zero, fma(weight, best, log_sum), zero)
    return density, multiply(factor, noise_term), multiply(factor, moment), log_sum


@kernel
def _squared_distances(state, group, k, is_diagonal):
    """Return the squared Mahalanobis distances of the rows of a group from a centre."""
    request_inlining()
    request_full_width()
    n, total = state.center.shape[1], splat(0.0)
    row_start, matrix_start = group * n * SIMD_WIDTH, k * n * n
    if n <= MAX_UNROLLED_COLUMNS:
        return few_column_distances(
            state.row_groups, row_start, state.center, k * n, state.precision_root, matrix_start, n, is_diagonal
        )
    for i in range(n):
        white = splat(0.0)
        for j in range(i if is_diagonal else 0, i + 1):
            center = splat(get_item(state.center, k * n + j))
            difference = subtract(load(state.row_groups, row_start + j * SIMD_WIDTH), center)
            white = fma(splat(get_item(state.precision_root, matrix_start + i * n + j)), difference, white)
        total = fma(white, white, total)
    return total


@kernel
def _add_moments(state, k, first, stop, is_diagonal):
    """Add mass, first moments, and squares or products of a block of groups to the lane sums of component k."""
    request_inlining()
    request_full_width()
    n_components, n = state.center.shape
    sums, mass = k * state.lane_sums.shape[1] * SIMD_WIDTH, splat(0.0)
    products = sums + (1 + n) * SIMD_WIDTH
    for group in range(first, stop):
        responsibility = load(state.responsibilities, ((group - first) * n_components + k) * SIMD_WIDTH)
        if bits_above(responsibility, 0.0) == 0:
            continue
        mass, place = add(mass, responsibility), products
        for i in range(n):
            center = splat(get_item(state.center, k * n + i))
            difference = subtract(load(state.row_groups, (group * n + i) * SIMD_WIDTH), center)
            weighted, first_moment = multiply(responsibility, difference), sums + (1 + i) * SIMD_WIDTH
            store(state.lane_sums, first_moment, add(load(state.lane_sums, first_moment), weighted))
            if is_diagonal:
                store(state.lane_sums, place, fma(weighted, difference, load(state.lane_sums, place)))
                place += SIMD_WIDTH
                continue
            store(state.difference_buffer, i * SIMD_WIDTH, difference)
            for j in range(i + 1):
                other = load(state.difference_buffer, j * SIMD_WIDTH)
                store(state.lane_sums, place, fma(weighted, other, load(state.lane_sums, place)))
                place += SIMD_WIDTH
    store(state.lane_sums, sums, add(load(state.lane_sums, sums), mass))


@kernel
def _sum_moments(state, k, is_diagonal):
    """Add the lanes of the sums of component k; turn products about the old mean into those about the new one."""
    request_inlining()
    request_full_width()
    n, sums = state.center.shape[1], k * state.lane_sums.shape[1] * SIMD_WIDTH
    mass, place = sum_lanes(load(state.lane_sums, sums)), sums + SIMD_WIDTH
    state.mass[k] = mass
    for i in range(n):
        state.first_moments[k, i] = sum_lanes(load(state.lane_sums, place))
        place += SIMD_WIDTH
    for i in range(n):
        for j in range(i if is_diagonal else 0, i + 1):
            product = sum_lanes(load(state.lane_sums, place))
            place += SIMD_WIDTH
            if mass > 0.0:
                product -= state.first_moments[k, i] * state.first_moments[k, j] / mass
            state.scatter[k, i, j] = product
            state.scatter[k, j, i] = product
