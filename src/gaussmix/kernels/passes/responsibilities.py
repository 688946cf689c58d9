"""Turn scores into responsibilities, by softmax or by the best component, with log-likelihood and entropy."""

import numpy as np

from gaussmix.kernels.argument_tuples import ALL_SLOTS, FEW_LANES, MANY_LANES
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
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
    select_greater,
    set_item,
    splat,
    store,
    subtract,
    sum_lanes,
)
from gaussmix.kernels.machine_constants import MAX_FEW_COLUMNS, MIN_EXPONENT, SIMD_WIDTH

# Groups whose sums of exponentials, each at most K, are multiplied before one logarithm.
GROUPS_PER_LOGARITHM = 8


@kernel
def find_best_of_group(tile, group):
    """Find the best score of each row of a group and its component; ties take the first."""
    request_full_width()
    best, label = splat(-np.inf), splat(-1.0)
    if tile.component_slots.shape[0] > 0:  # a full tile: slots in order of the components
        for slot in range(tile.first_slot[group], tile.stop_slot[group]):
            score = load(tile.scores, slot * SIMD_WIDTH)
            label = select_greater(score, best, splat(float(slot - tile.first_slot[group])), label)
            best = maximum(score, best)
        store(tile.labels, group * SIMD_WIDTH, label)
        store(tile.best_scores, group * SIMD_WIDTH, best)
        return
    for slot in range(tile.first_slot[group], tile.stop_slot[group]):
        score, number = load(tile.scores, slot * SIMD_WIDTH), splat(float(tile.slot_component[slot]))
        lower_label = select_greater(label, number, number, label)
        label = select_greater(score, best, number, select_greater(best, score, label, lower_label))
        best = maximum(score, best)
    store(tile.labels, group * SIMD_WIDTH, label)
    store(tile.best_scores, group * SIMD_WIDTH, best)


@kernel
def compute_hard_responsibilities(tile, n_groups, totals):
    """Assign the whole weight of each row to its best component, the only one whose slot is active."""
    request_full_width()
    zero, one, likelihood = splat(0.0), splat(1.0), splat(0.0)
    for group in range(n_groups):
        begin, end = tile.first_slot[group], tile.stop_slot[group]
        find_best_of_group(tile, group)
        label, weight = load(tile.labels, group * SIMD_WIDTH), load(tile.row_weights, group * SIMD_WIDTH)
        for slot in range(begin, end):
            bits = bits_equal(label, splat(float(get_item(tile.slot_component, slot))))
            set_item(tile.active_rows, slot, bits)
            store(tile.scores, slot * SIMD_WIDTH, keep_lanes(bits, one))
        store(tile.group_factors, group * SIMD_WIDTH, weight)
        set_item(tile.weighted_rows, group, bits_above(weight, 0.0))
        likelihood = add(
            likelihood,
            select_greater(weight, zero, multiply(weight, load(tile.best_scores, group * SIMD_WIDTH)), zero),
        )
    totals[0] += sum_lanes(likelihood)


@kernel
def mark_active_slots(tile, begin, end, row_maximum, log_cutoff):
    """Write the slots of a group with a score above row_maximum + log_cutoff to ``selected_slots``.

    Return the number of slots and of their active lanes. Exponentials are computed for these slots only. The loop
    has no branch, because it would be unpredictable.
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
    """Turn scores into responsibilities by softmax, and add up log-likelihood and entropy.

    The log of a row's largest responsibility, minus the logarithm of its sum of exponentials, is added up too. Scores
    more than -log_cutoff below a row's best become 0. Each row's log density is stored in
    ``log_densities``, unless ``can_multiply_sums``: for unweighted rows without requested results, the sums of
    several groups are multiplied before one logarithm. Return which slots hold responsibilities: ALL_SLOTS,
    MANY_LANES, or FEW_LANES if less than half of the lanes of active slots are active.
    """
    request_full_width()
    marks_active = (
        log_cutoff > MIN_EXPONENT and tile.group_stride >= MAX_FEW_COLUMNS * SIMD_WIDTH
    )  # with few columns, rows seldom have a single active component
    lowest, zero, one, limit = splat(-1e300), splat(0.0), splat(1.0), splat(log_cutoff)
    likelihood, entropy, log_sums, product, n_spare_lanes = splat(0.0), splat(0.0), splat(0.0), splat(1.0), 0
    for group in range(n_groups):
        begin, end = tile.first_slot[group], tile.stop_slot[group]
        best = splat(-np.inf)
        for slot in range(begin, end):
            best = maximum(load(tile.scores, slot * SIMD_WIDTH), best)
        # The maximum of a row that is infinitely far from all components is not finite.
        row_maximum = select_greater(best, lowest, best, zero)
        power_sum, moment = zero, zero
        if marks_active:
            n_active, n_lanes = mark_active_slots(tile, begin, end, row_maximum, limit)
            n_spare_lanes += n_active * SIMD_WIDTH - 2 * n_lanes
            for index in range(n_active):
                start = get_item(tile.selected_slots, index) * SIMD_WIDTH
                value, moment, _ = exp_and_moment(subtract(load(tile.scores, start), row_maximum), limit, moment)
                power_sum = add(power_sum, value)
                store(tile.scores, start, value)
        else:
            for slot in range(begin, end):
                difference = subtract(load(tile.scores, slot * SIMD_WIDTH), row_maximum)
                value, moment, bits = exp_and_moment(difference, limit, moment)
                set_item(tile.active_rows, slot, bits)
                power_sum = add(power_sum, value)
                store(tile.scores, slot * SIMD_WIDTH, value)
        weight = load(tile.row_weights, group * SIMD_WIDTH)
        inverse = select_greater(power_sum, zero, divide(one, power_sum), zero)
        store(tile.group_factors, group * SIMD_WIDTH, multiply(weight, inverse))
        set_item(tile.weighted_rows, group, bits_above(weight, 0.0))
        # -sum r log r = log sum - sum r (score - top)
        entropy = subtract(entropy, multiply(weight, multiply(moment, inverse)))
        if can_multiply_sums:
            product = multiply(product, select_greater(weight, zero, power_sum, one))
            likelihood = fma(weight, row_maximum, likelihood)
            if group % GROUPS_PER_LOGARITHM == GROUPS_PER_LOGARITHM - 1 or group == n_groups - 1:
                logarithm = select_greater(product, zero, log(product), splat(-np.inf))
                likelihood, product = add(likelihood, logarithm), one
                log_sums = add(log_sums, select_greater(logarithm, lowest, logarithm, zero))
        else:
            logarithm = select_greater(power_sum, zero, log(power_sum), splat(-np.inf))
            density = add(row_maximum, logarithm)
            store(tile.log_densities, group * SIMD_WIDTH, density)
            likelihood = add(likelihood, select_greater(weight, zero, multiply(weight, density), zero))
            log_sums = fma(weight, select_greater(power_sum, zero, logarithm, zero), log_sums)
    totals[0] += sum_lanes(likelihood)
    log_sum = sum_lanes(log_sums)
    totals[1] += sum_lanes(entropy) + log_sum
    totals[3] -= log_sum
    if not marks_active:
        return ALL_SLOTS
    return FEW_LANES if n_spare_lanes > 0 else MANY_LANES


@kernel
def write_row_results(row_results, tile, n_groups):
    """Write the requested results of the tile's rows to their positions in the batch."""
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
