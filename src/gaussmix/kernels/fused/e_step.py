"""Compiled E-step of a fused run: one register holds the same column of several rows (`machine_constants.SIMD_WIDTH`).

Rows come in groups, one register per column. A block of groups first gets its responsibilities. Then each component
adds its moments of the block, so that its sums stay in the cache. All sums have one lane per row of a group; the lanes
are added at the end of a chunk, and the sums of the chunks in their order. So the bits do not depend on which thread
made which chunk.
"""

from math import pi

from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    absolute,
    add,
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
    set_item,
    splat,
    store,
    subtract,
    sum_lanes,
)
from gaussmix.kernels.fused.few_columns import (
    MAX_UNROLLED_COLUMNS,
    add_diagonal_moments,
    add_few_column_moments,
    diagonal_distances,
    few_column_distances,
)
from gaussmix.kernels.fused.many_columns import add_many_column_moments, many_column_distances, product_position
from gaussmix.kernels.machine_constants import (
    FUSED_GROUPS_PER_BLOCK,
    FUSED_GROUPS_TOGETHER,
    N_CHUNK_TOTALS,
    SIMD_WIDTH,
)

# Score of a component that contradicts the row's known label.
IMPOSSIBLE_SCORE = -1e308

# Scores this far below a row's best are lost in rounding.
MIN_RELATIVE_SCORE = -40.0

# Indices of ``noise``.
NOISE_WEIGHT, NOISE_LOG_DENSITY, NOISE_MASS = 0, 1, 2

# Indices of ``totals``.
TOTAL_LOG_LIKELIHOOD, TOTAL_ENTROPY, TOTAL_LOG_MAX_RESPONSIBILITY = 0, 1, 2


@kernel
def prepare_e_step(state):
    """Compute the part of each component's score that is equal for all rows."""
    constant = state.axis_variances.shape[1] * scalar_log(2.0 * pi)
    for k in range(state.axis_variances.shape[0]):
        state.score_offset[k] = scalar_log(state.component_weights[k]) - 0.5 * (constant + state.log_determinant[k])


@kernel
def accumulate_chunk(state, chunk, is_diagonal):
    """Write the sums of a chunk of rows to ``chunk_sums``: four totals, and those of each component."""
    request_full_width()
    n_components, n_groups = state.axis_variances.shape[0], state.row_groups.shape[0]
    n_blocks = (n_groups + FUSED_GROUPS_PER_BLOCK - 1) // FUSED_GROUPS_PER_BLOCK
    n_chunks = state.chunk_sums.shape[0]
    begin = chunk * n_blocks // n_chunks * FUSED_GROUPS_PER_BLOCK
    end = min((chunk + 1) * n_blocks // n_chunks * FUSED_GROUPS_PER_BLOCK, n_groups)
    log_noise, zero = IMPOSSIBLE_SCORE, splat(0.0)
    if state.noise.shape[0] > 0:
        log_noise = scalar_log(state.noise[NOISE_WEIGHT]) + state.noise[NOISE_LOG_DENSITY]
    for start in range(0, state.lane_sums.size, SIMD_WIDTH):
        store(state.lane_sums, start, zero)
    log_likelihood, noise_mass, moment, log_sums = zero, zero, zero, zero
    for first in range(begin, end, FUSED_GROUPS_PER_BLOCK):
        stop = min(first + FUSED_GROUPS_PER_BLOCK, end)
        for group in range(first, stop, FUSED_GROUPS_TOGETHER):
            _compute_scores(state, group, group - first, is_diagonal)
        for group in range(first, stop):
            sums = _compute_responsibilities(state, group, group - first, log_noise)
            log_likelihood, noise_mass = add(log_likelihood, sums[0]), add(noise_mass, sums[1])
            moment, log_sums = add(moment, sums[2]), add(log_sums, sums[3])
        for k in range(n_components):
            if is_diagonal:
                add_diagonal_moments(state, k, first, stop)
            elif state.center.shape[1] <= MAX_UNROLLED_COLUMNS:
                add_few_column_moments(state, k, first, stop)
            else:
                add_many_column_moments(state, k, first, stop)
    state.chunk_sums[chunk, 0], state.chunk_sums[chunk, 1] = sum_lanes(log_likelihood), sum_lanes(noise_mass)
    state.chunk_sums[chunk, 2], state.chunk_sums[chunk, 3] = sum_lanes(moment), sum_lanes(log_sums)
    target = chunk * state.chunk_sums.shape[1] + N_CHUNK_TOTALS
    for index in range(state.lane_sums.size // SIMD_WIDTH):
        set_item(state.chunk_sums, target + index, sum_lanes(load(state.lane_sums, index * SIMD_WIDTH)))


@kernel
def finish_e_step(state, is_diagonal):
    """Add the sums of the chunks in order; set mass, first moments, scatter about the new means, and the totals.

    Return the log-likelihood.
    """
    sums = state.chunk_sums
    for chunk in range(1, sums.shape[0]):
        for index in range(sums.shape[1]):
            sums[0, index] += sums[chunk, index]
    if state.noise.shape[0] > 0:
        state.noise[NOISE_MASS] = sums[0, 1]
    for k in range(state.axis_variances.shape[0]):
        _set_moments(state, k, is_diagonal)
    state.totals[TOTAL_LOG_LIKELIHOOD] = sums[0, 0]
    state.totals[TOTAL_ENTROPY] = sums[0, 3] - sums[0, 2]
    state.totals[TOTAL_LOG_MAX_RESPONSIBILITY] = -sums[0, 3]
    return sums[0, 0]


@kernel
def _compute_scores(state, group, slot, is_diagonal):
    """Write the scores of FUSED_GROUPS_TOGETHER groups for all components, and the best of each row."""
    request_inlining()
    request_full_width()
    n_components, n, half = state.axis_variances.shape[0], state.center.shape[1], splat(-0.5)
    has_labels = state.known_components.size > 0
    first_best, second_best = splat(IMPOSSIBLE_SCORE), splat(IMPOSSIBLE_SCORE)
    start, row_start = slot * n_components * SIMD_WIDTH, group * n * SIMD_WIDTH
    for k in range(n_components):
        if is_diagonal:
            distances = diagonal_distances(state, row_start, k)
        elif n <= MAX_UNROLLED_COLUMNS:
            distances = few_column_distances(
                state.row_groups, row_start, state.center, k * n, state.precision_root, k * n * n, n
            )
        else:
            distances = many_column_distances(state, row_start, k)
        offset = splat(get_item(state.score_offset, k))
        first, second = fma(half, distances[0], offset), fma(half, distances[1], offset)
        if has_labels:
            first = _apply_label(state, group, k, first)
            second = _apply_label(state, group + 1, k, second)
        first_best, second_best = maximum(first, first_best), maximum(second, second_best)
        store(state.responsibilities, start + k * SIMD_WIDTH, first)
        store(state.responsibilities, start + (n_components + k) * SIMD_WIDTH, second)
    store(state.best_scores, slot * SIMD_WIDTH, first_best)
    store(state.best_scores, (slot + 1) * SIMD_WIDTH, second_best)


@kernel
def _apply_label(state, group, k, score):
    """Return the scores of component k, impossible in rows whose known label is another."""
    request_inlining()
    request_full_width()
    label = load(state.known_components, group * SIMD_WIDTH)
    distance = absolute(subtract(label, splat(float(k))))
    contradiction = select_greater(distance, splat(0.5), splat(IMPOSSIBLE_SCORE), score)
    return select_greater(label, splat(-0.5), contradiction, score)


@kernel
def _compute_responsibilities(state, group, slot, log_noise):
    """Turn the scores of a group into weighted responsibilities.

    Return weighted log densities, responsibilities of noise, sums of r (score - best), and logs of the sums of
    exp(score - best).
    """
    request_inlining()
    request_full_width()
    n_components, zero = state.axis_variances.shape[0], splat(0.0)
    weight, noise_score = load(state.row_weights, group * SIMD_WIDTH), splat(log_noise)
    if state.known_components.size > 0:
        label = load(state.known_components, group * SIMD_WIDTH)
        noise_score = select_greater(label, splat(-0.5), splat(IMPOSSIBLE_SCORE), noise_score)
    best, start = maximum(noise_score, load(state.best_scores, slot * SIMD_WIDTH)), slot * n_components * SIMD_WIDTH
    limit, noise_term, moment = splat(MIN_RELATIVE_SCORE), zero, zero
    if state.noise.shape[0] > 0:
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
def _set_moments(state, k, is_diagonal):
    """Set the moments of component k; products about the old mean become those about the new one."""
    n, sums, n_sums = state.center.shape[1], state.chunk_sums, state.lane_sums.shape[1]
    start = N_CHUNK_TOTALS + k * n_sums
    mass, products = sums[0, start], start + 1 + n
    state.mass[k] = mass
    for i in range(n):
        state.first_moments[k, i] = sums[0, start + 1 + i]
    scale = 1.0 / mass if mass > 0.0 else 0.0
    if is_diagonal:
        for i in range(n):
            square = sums[0, products + i]
            state.scatter[k, 0, i] = square - state.first_moments[k, i] * state.first_moments[k, i] * scale
        return
    for i in range(n):
        for j in range(i + 1):
            position = i * (i + 1) // 2 + j if n <= MAX_UNROLLED_COLUMNS else product_position(n, i, j)
            product = sums[0, products + position] - state.first_moments[k, i] * state.first_moments[k, j] * scale
            state.scatter[k, i, j] = product
            state.scatter[k, j, i] = product
