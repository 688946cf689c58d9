"""Scores into shares: softmax or the best, group by group, with log-likelihood and entropy."""

import numpy as np

from gaussmix.engines.kernels.argument_tuples import ALL_SLOTS, FEW_LANES, MANY_LANES
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import (
    add,
    bits_above,
    bits_equal,
    bits_greater,
    count_bits,
    divide,
    exp_and_moment,
    fma,
    get_item,
    keep_lanes,
    load,
    log,
    maximum,
    multiply,
    request_full_width,
    select_greater,
    set_item,
    splat,
    store,
    subtract,
    sum_lanes,
)
from gaussmix.engines.kernels.machine_constants import MAX_FEW_COLUMNS, MIN_EXPONENT, SIMD_WIDTH

GROUPS_PER_LOGARITHM = 8
"""Groups whose sums of powers, each at most K, are multiplied before the logarithm."""


@kernel
def find_best_of_group(tile, group):
    """The best score of each row of a group and its component; the first of equals."""
    request_full_width()
    top, label = splat(-np.inf), splat(-1.0)
    if tile.component_slots.shape[0] > 0:  # every component, in order
        for slot in range(tile.first_slot[group], tile.stop_slot[group]):
            score = load(tile.scores, slot * SIMD_WIDTH)
            label = select_greater(score, top, splat(float(slot - tile.first_slot[group])), label)
            top = maximum(score, top)
        store(tile.labels, group * SIMD_WIDTH, label)
        store(tile.best_scores, group * SIMD_WIDTH, top)
        return
    for slot in range(tile.first_slot[group], tile.stop_slot[group]):
        score, number = load(tile.scores, slot * SIMD_WIDTH), splat(float(tile.slot_component[slot]))
        lower = select_greater(label, number, number, label)
        label = select_greater(score, top, number, select_greater(top, score, label, lower))
        top = maximum(score, top)
    store(tile.labels, group * SIMD_WIDTH, label)
    store(tile.best_scores, group * SIMD_WIDTH, top)


@kernel
def compute_hard_responsibilities(tile, n_groups, totals):
    """Scores become shares: the whole weight of a row to its best component, to which alone it is active."""
    request_full_width()
    nothing, one, likelihood = splat(0.0), splat(1.0), splat(0.0)
    for group in range(n_groups):
        begin, end = tile.first_slot[group], tile.stop_slot[group]
        find_best_of_group(tile, group)
        label, count = load(tile.labels, group * SIMD_WIDTH), load(tile.row_weights, group * SIMD_WIDTH)
        for slot in range(begin, end):
            bits = bits_equal(label, splat(float(get_item(tile.slot_component, slot))))
            set_item(tile.active_rows, slot, bits)
            store(tile.scores, slot * SIMD_WIDTH, keep_lanes(bits, one))
        store(tile.group_factors, group * SIMD_WIDTH, count)
        set_item(tile.weighted_rows, group, bits_above(count, 0.0))
        likelihood = add(
            likelihood,
            select_greater(count, nothing, multiply(count, load(tile.best_scores, group * SIMD_WIDTH)), nothing),
        )
    totals[0] += sum_lanes(likelihood)


@kernel
def mark_active_slots(tile, begin, end, row_maximum, log_cutoff):
    """Which slots of a group have a score above ``limit`` once ``safe`` is subtracted, to ``chosen_slots``.

    Gives how many slots and how many lanes of them. Powers are computed of these slots alone. Without a branch, since
    nobody can foresee which they are.
    """
    request_full_width()
    count, n_lanes = 0, 0
    for slot in range(begin, end):
        bits = bits_greater(subtract(load(tile.scores, slot * SIMD_WIDTH), row_maximum), log_cutoff)
        set_item(tile.active_rows, slot, bits)
        set_item(tile.selected_slots, count, slot)
        count += bits != 0
        n_lanes += count_bits(bits)
    return count, n_lanes


@kernel
def compute_responsibilities(tile, n_groups, log_cutoff, can_multiply_sums, totals):
    """Scores become shares by their softmax; those ``-least`` or more below a row's best become 0.

    Adds up log-likelihood and entropy; the density of each row stays in ``densities`` unless
    rows are ``plain``, unweighted and asked for nothing: then sums of powers are multiplied, and a
    logarithm is taken for several groups at once. Gives which slots hold shares: EVERY, MANY
    or FEW, where less than half of the lanes of the active slots are active themselves.
    """
    request_full_width()
    few = (
        log_cutoff > MIN_EXPONENT and tile.group_stride >= MAX_FEW_COLUMNS * SIMD_WIDTH
    )  # with few columns, one component is hardly ever alone
    lowest, nothing, one, limit = splat(-1e300), splat(0.0), splat(1.0), splat(log_cutoff)
    likelihood, entropy, product, spare = splat(0.0), splat(0.0), splat(1.0), 0
    for group in range(n_groups):
        begin, end = tile.first_slot[group], tile.stop_slot[group]
        top = splat(-np.inf)
        for slot in range(begin, end):
            top = maximum(load(tile.scores, slot * SIMD_WIDTH), top)
        # A row that is infinitely far from everything has no finite maximum to subtract.
        safe = select_greater(top, lowest, top, nothing)
        power_sum, moment = nothing, nothing
        if few:
            n_active, n_lanes = mark_active_slots(tile, begin, end, safe, limit)
            spare += n_active * SIMD_WIDTH - 2 * n_lanes
            for place in range(n_active):
                at = get_item(tile.selected_slots, place) * SIMD_WIDTH
                value, moment, _ = exp_and_moment(subtract(load(tile.scores, at), safe), limit, moment)
                power_sum = add(power_sum, value)
                store(tile.scores, at, value)
        else:
            for slot in range(begin, end):
                less = subtract(load(tile.scores, slot * SIMD_WIDTH), safe)
                value, moment, bits = exp_and_moment(less, limit, moment)
                set_item(tile.active_rows, slot, bits)
                power_sum = add(power_sum, value)
                store(tile.scores, slot * SIMD_WIDTH, value)
        count = load(tile.row_weights, group * SIMD_WIDTH)
        inverse = select_greater(power_sum, nothing, divide(one, power_sum), nothing)
        store(tile.group_factors, group * SIMD_WIDTH, multiply(count, inverse))
        set_item(tile.weighted_rows, group, bits_above(count, 0.0))
        # -sum r log r = log sum - sum r (score - top)
        entropy = subtract(entropy, multiply(count, multiply(moment, inverse)))
        if can_multiply_sums:
            product = multiply(product, select_greater(count, nothing, power_sum, one))
            likelihood = fma(count, safe, likelihood)
            if group % GROUPS_PER_LOGARITHM == GROUPS_PER_LOGARITHM - 1 or group == n_groups - 1:
                logarithm = select_greater(product, nothing, log(product), splat(-np.inf))
                likelihood, product = add(likelihood, logarithm), one
                entropy = add(entropy, select_greater(logarithm, lowest, logarithm, nothing))
        else:
            logarithm = select_greater(power_sum, nothing, log(power_sum), splat(-np.inf))
            density = add(safe, logarithm)
            store(tile.log_densities, group * SIMD_WIDTH, density)
            likelihood = add(likelihood, select_greater(count, nothing, multiply(count, density), nothing))
            entropy = fma(count, select_greater(power_sum, nothing, logarithm, nothing), entropy)
    totals[0] += sum_lanes(likelihood)
    totals[1] += sum_lanes(entropy)
    if not few:
        return ALL_SLOTS
    return FEW_LANES if spare > 0 else MANY_LANES


@kernel
def write_row_results(row_results, tile, n_groups):
    """Write what was found of each row to where it stands among all rows."""
    for place in range(n_groups * SIMD_WIDTH):
        if tile.is_real[place]:
            row = tile.row_numbers[place]
            if row_results.labels.shape[0] > 0:
                row_results.labels[row] = int(tile.labels[place])
            if row_results.best_scores.shape[0] > 0:
                row_results.best_scores[row] = tile.best_scores[place]
            if row_results.log_densities.shape[0] > 0:
                row_results.log_densities[row] = tile.log_densities[place]


@kernel
def write_scores(row_results, tile, n_groups, n_components):
    """Write the scores of every pair to (n, K)."""
    for place in range(n_groups * SIMD_WIDTH):
        if tile.is_real[place]:
            row, group, lane = tile.row_numbers[place], place // SIMD_WIDTH, place % SIMD_WIDTH
            for k in range(n_components):
                row_results.scores[row, k] = tile.scores[(tile.first_slot[group] + k) * SIMD_WIDTH + lane]
