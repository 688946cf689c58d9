"""Scores into shares: softmax or the best, group by group, with log-likelihood and entropy."""

import numpy as np

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.values import EVERY, FEW, MANY
from gaussmix.engines.kernels.compiled.vectors import (
    add,
    bits_above,
    bits_where_above,
    bits_where_equal,
    choose,
    choose_lanes,
    count_bits,
    divide,
    fma,
    item,
    larger,
    load,
    log,
    multiply,
    power,
    put,
    splat,
    store,
    subtract,
    total,
    wide,
)
from gaussmix.engines.kernels.machine import SMALL, SMALLEST, WIDTH

TOGETHER = 8
"""Groups whose sums of powers, each at most K, are multiplied before the logarithm."""


@kernel
def best_of_group(tile, group):
    """The best score of each row of a group and its component; the first of equals."""
    wide()
    top, label = splat(-np.inf), splat(-1.0)
    if tile.slots.shape[0] > 0:  # every component, in order
        for slot in range(tile.first_slot[group], tile.stop_slot[group]):
            score = load(tile.scores, slot * WIDTH)
            label = choose(score, top, splat(float(slot - tile.first_slot[group])), label)
            top = larger(score, top)
        store(tile.labels, group * WIDTH, label)
        store(tile.tops, group * WIDTH, top)
        return
    for slot in range(tile.first_slot[group], tile.stop_slot[group]):
        score, number = load(tile.scores, slot * WIDTH), splat(float(tile.component[slot]))
        lower = choose(label, number, number, label)
        label = choose(score, top, number, choose(top, score, label, lower))
        top = larger(score, top)
    store(tile.labels, group * WIDTH, label)
    store(tile.tops, group * WIDTH, top)


@kernel
def share_out_hard(tile, n_groups, totals):
    """Scores become shares: the whole weight of a row to its best component, to which alone it is active."""
    wide()
    nothing, one, likelihood = splat(0.0), splat(1.0), splat(0.0)
    for group in range(n_groups):
        begin, end = tile.first_slot[group], tile.stop_slot[group]
        best_of_group(tile, group)
        label, count = load(tile.labels, group * WIDTH), load(tile.counts, group * WIDTH)
        for slot in range(begin, end):
            bits = bits_where_equal(label, splat(float(item(tile.component, slot))))
            put(tile.active, slot, bits)
            store(tile.scores, slot * WIDTH, choose_lanes(bits, one))
        store(tile.factors, group * WIDTH, count)
        put(tile.present, group, bits_above(count, 0.0))
        likelihood = add(likelihood, choose(count, nothing, multiply(count, load(tile.tops, group * WIDTH)), nothing))
    totals[0] += total(likelihood)


@kernel
def mark_active(tile, begin, end, safe, limit):
    """Which slots of a group have a score above ``limit`` once ``safe`` is subtracted, to ``chosen_slots``.

    Gives how many slots and how many lanes of them. Powers are computed of these slots alone. Without a branch, since
    nobody can foresee which they are.
    """
    wide()
    count, n_lanes = 0, 0
    for slot in range(begin, end):
        bits = bits_where_above(subtract(load(tile.scores, slot * WIDTH), safe), limit)
        put(tile.active, slot, bits)
        put(tile.chosen_slots, count, slot)
        count += bits != 0
        n_lanes += count_bits(bits)
    return count, n_lanes


@kernel
def share_out(tile, n_groups, least, plain, totals):
    """Scores become shares by their softmax; those ``-least`` or more below a row's best become 0.

    Adds up log-likelihood and entropy; the density of each row stays in ``densities`` unless
    rows are ``plain``, unweighted and asked for nothing: then sums of powers are multiplied, and a
    logarithm is taken for several groups at once. Gives which slots hold shares: EVERY, MANY
    or FEW, where less than half of the lanes of the active slots are active themselves.
    """
    wide()
    few = least > SMALLEST and tile.stride >= SMALL * WIDTH  # with few columns, one component is hardly ever alone
    lowest, nothing, one, limit = splat(-1e300), splat(0.0), splat(1.0), splat(least)
    likelihood, entropy, product, spare = splat(0.0), splat(0.0), splat(1.0), 0
    for group in range(n_groups):
        begin, end = tile.first_slot[group], tile.stop_slot[group]
        top = splat(-np.inf)
        for slot in range(begin, end):
            top = larger(load(tile.scores, slot * WIDTH), top)
        # A row that is infinitely far from everything has no finite maximum to subtract.
        safe = choose(top, lowest, top, nothing)
        power_sum, moment = nothing, nothing
        if few:
            n_active, n_lanes = mark_active(tile, begin, end, safe, limit)
            spare += n_active * WIDTH - 2 * n_lanes
            for place in range(n_active):
                at = item(tile.chosen_slots, place) * WIDTH
                value, moment, _ = power(subtract(load(tile.scores, at), safe), limit, moment)
                power_sum = add(power_sum, value)
                store(tile.scores, at, value)
        else:
            for slot in range(begin, end):
                less = subtract(load(tile.scores, slot * WIDTH), safe)
                value, moment, bits = power(less, limit, moment)
                put(tile.active, slot, bits)
                power_sum = add(power_sum, value)
                store(tile.scores, slot * WIDTH, value)
        count = load(tile.counts, group * WIDTH)
        inverse = choose(power_sum, nothing, divide(one, power_sum), nothing)
        store(tile.factors, group * WIDTH, multiply(count, inverse))
        put(tile.present, group, bits_above(count, 0.0))
        # -sum r log r = log sum - sum r (score - top)
        entropy = subtract(entropy, multiply(count, multiply(moment, inverse)))
        if plain:
            product = multiply(product, choose(count, nothing, power_sum, one))
            likelihood = fma(count, safe, likelihood)
            if group % TOGETHER == TOGETHER - 1 or group == n_groups - 1:
                logarithm = choose(product, nothing, log(product), splat(-np.inf))
                likelihood, product = add(likelihood, logarithm), one
                entropy = add(entropy, choose(logarithm, lowest, logarithm, nothing))
        else:
            logarithm = choose(power_sum, nothing, log(power_sum), splat(-np.inf))
            density = add(safe, logarithm)
            store(tile.densities, group * WIDTH, density)
            likelihood = add(likelihood, choose(count, nothing, multiply(count, density), nothing))
            entropy = fma(count, choose(power_sum, nothing, logarithm, nothing), entropy)
    totals[0] += total(likelihood)
    totals[1] += total(entropy)
    if not few:
        return EVERY
    return FEW if spare > 0 else MANY


@kernel
def answer(answers, tile, n_groups):
    """Write what was found of each row to where it stands among all rows."""
    for place in range(n_groups * WIDTH):
        if tile.real[place]:
            row = tile.positions[place]
            if answers.label.shape[0] > 0:
                answers.label[row] = int(tile.labels[place])
            if answers.top.shape[0] > 0:
                answers.top[row] = tile.tops[place]
            if answers.log_density.shape[0] > 0:
                answers.log_density[row] = tile.densities[place]


@kernel
def give_scores(answers, tile, n_groups, n_components):
    """Write the scores of every pair to (n, K)."""
    for place in range(n_groups * WIDTH):
        if tile.real[place]:
            row, group, lane = tile.positions[place], place // WIDTH, place % WIDTH
            for k in range(n_components):
                answers.scores[row, k] = tile.scores[(tile.first_slot[group] + k) * WIDTH + lane]
