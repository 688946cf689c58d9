"""An E-step over rows that lack cells, pattern by pattern, without Python in between.

A pattern first gets the roots of its observed columns. Its rows come in blocks of groups, one register per column: a
block gets its scores, then its responsibilities, then each component adds its products. At the end of a pattern the
sums of the observed columns become those of all columns, with expected values in place of missing cells.
"""

import numpy as np

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width, request_inlining
from gaussmix.kernels.codegen.simd import (
    add,
    bits_equal,
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
    splat,
    store,
    subtract,
    sum_lanes,
)
from gaussmix.kernels.machine_constants import MIN_EXPONENT, SIMD_WIDTH
from gaussmix.kernels.missing_cells.elimination import eliminate_missing_columns, predict_missing_columns


@entry_point
def run_pattern_pass(rows, model, workspace, sums, is_hard, adds_products):
    """Add the sums of all rows to ``sums``; without ``adds_products`` the second ones stay as they are."""
    request_full_width()
    n_block_groups = workspace.scores.shape[1] // SIMD_WIDTH
    for pattern in range(rows.n_missing.shape[0]):
        eliminate_missing_columns(rows, model, workspace, pattern)
        end = rows.first_group[pattern + 1]
        for first in range(rows.first_group[pattern], end, n_block_groups):
            stop = min(first + n_block_groups, end)
            for k in range(model.center.shape[0]):
                _compute_scores(rows, model, workspace, pattern, k, first, stop)
            for group in range(first, stop):
                if is_hard:
                    _assign_to_best(rows, workspace, sums.totals, group, group - first)
                else:
                    _assign_by_probability(rows, workspace, sums.totals, group, group - first)
            for k in range(model.center.shape[0]):
                _add_moments(rows, model, workspace, sums, pattern, k, first, stop, adds_products)
    return 0


@entry_point
def write_pattern_scores(rows, model, workspace, scores):
    """Write the scores (K, n_groups * SIMD_WIDTH) of all rows."""
    request_full_width()
    n_block_groups = workspace.scores.shape[1] // SIMD_WIDTH
    for pattern in range(rows.n_missing.shape[0]):
        eliminate_missing_columns(rows, model, workspace, pattern)
        end = rows.first_group[pattern + 1]
        for first in range(rows.first_group[pattern], end, n_block_groups):
            stop = min(first + n_block_groups, end)
            for k in range(model.center.shape[0]):
                _compute_scores(rows, model, workspace, pattern, k, first, stop)
                for slot in range(stop - first):
                    value = load(workspace.scores, (k * n_block_groups + slot) * SIMD_WIDTH)
                    store(scores, k * scores.shape[1] + (first + slot) * SIMD_WIDTH, value)
    return 0


@kernel
def _compute_differences(rows, model, workspace, pattern, k, first, stop):
    """Write the observed columns of a block minus the center of component k."""
    request_full_width()
    n_missing, n_features = rows.n_missing[pattern], model.center.shape[1]
    n_observed, stride = n_features - n_missing, workspace.differences.shape[1]
    start = rows.first_value[pattern] + (first - rows.first_group[pattern]) * n_observed * SIMD_WIDTH
    for c in range(n_observed):
        center = splat(model.center[k, rows.columns[pattern, n_missing + c]])
        for slot in range(stop - first):
            value = subtract(load(rows.values, start + (slot * n_observed + c) * SIMD_WIDTH), center)
            store(workspace.differences, c * stride + slot * SIMD_WIDTH, value)


@kernel
def _compute_scores(rows, model, workspace, pattern, k, first, stop):
    """Write the scores of component k for a block of rows."""
    request_full_width()
    _compute_differences(rows, model, workspace, pattern, k, first, stop)
    n_missing, n_features = rows.n_missing[pattern], model.center.shape[1]
    n_observed, stride = n_features - n_missing, workspace.differences.shape[1]
    target, offset, half = k * stride, splat(workspace.offset[k]), splat(-0.5)
    for slot in range(stop - first):
        total = splat(0.0)
        for i in range(n_missing, n_features):
            white, entry = splat(0.0), (k * n_features + i) * n_features + n_missing
            for c in range(n_observed):
                factor = splat(get_item(workspace.triangles, entry + c))
                white = fma(factor, load(workspace.differences, c * stride + slot * SIMD_WIDTH), white)
            total = fma(white, white, total)
        score = fma(half, total, offset)
        if rows.log_prior.shape[0] > 0:
            score = add(score, load(rows.log_prior, k * rows.log_prior.shape[1] + (first + slot) * SIMD_WIDTH))
        store(workspace.scores, target + slot * SIMD_WIDTH, score)


@kernel
def _assign_by_probability(rows, workspace, totals, group, slot):
    """Turn the scores of a group into responsibilities times row weights, and add to the totals."""
    request_inlining()
    request_full_width()
    n_components, stride = workspace.scores.shape
    lowest, zero, one, limit = splat(-1e300), splat(0.0), splat(1.0), splat(MIN_EXPONENT)
    best, start = splat(-np.inf), slot * SIMD_WIDTH
    for k in range(n_components):
        best = maximum(load(workspace.scores, k * stride + start), best)
    # The maximum of a row that is infinitely far from all components is not finite.
    row_maximum = select_greater(best, lowest, best, zero)
    power_sum, moment = zero, zero
    for k in range(n_components):
        difference = subtract(load(workspace.scores, k * stride + start), row_maximum)
        value, moment, _ = exp_and_moment(difference, limit, moment)
        power_sum = add(power_sum, value)
        store(workspace.scores, k * stride + start, value)
    weight = load(rows.weights, group * SIMD_WIDTH)
    inverse = select_greater(power_sum, zero, divide(one, power_sum), zero)
    factor = multiply(weight, inverse)
    for k in range(n_components):
        place = k * stride + start
        store(workspace.scores, place, multiply(factor, load(workspace.scores, place)))
    logarithm = select_greater(power_sum, zero, log(power_sum), splat(-np.inf))
    density = multiply(weight, add(row_maximum, logarithm))
    log_sum = sum_lanes(multiply(weight, select_greater(power_sum, zero, logarithm, zero)))
    totals[0] += sum_lanes(select_greater(weight, zero, density, zero))
    totals[1] += log_sum - sum_lanes(multiply(factor, moment))  # -sum r log r = log sum - sum r (score - top)
    totals[2] -= log_sum


@kernel
def _assign_to_best(rows, workspace, totals, group, slot):
    """Give the whole weight of each row of a group to its best component, the first of equals."""
    request_inlining()
    request_full_width()
    n_components, stride = workspace.scores.shape
    best, label, start, zero = splat(-np.inf), splat(-1.0), slot * SIMD_WIDTH, splat(0.0)
    for k in range(n_components):
        score = load(workspace.scores, k * stride + start)
        label = select_greater(score, best, splat(float(k)), label)
        best = maximum(score, best)
    weight = load(rows.weights, group * SIMD_WIDTH)
    for k in range(n_components):
        store(workspace.scores, k * stride + start, keep_lanes(bits_equal(label, splat(float(k))), weight))
    totals[0] += sum_lanes(select_greater(weight, zero, multiply(weight, best), zero))


@kernel
def _add_moments(rows, model, workspace, sums, pattern, k, first, stop, adds_products):
    """Add the moments of component k over a block of rows to the sums of all columns."""
    request_full_width()
    stride = workspace.scores.shape[1]
    mass = splat(0.0)
    for slot in range(stop - first):
        mass = add(mass, load(workspace.scores, k * stride + slot * SIMD_WIDTH))
    total_mass = sum_lanes(mass)
    if total_mass == 0.0:
        return
    sums.mass[k] += total_mass
    n_missing, n_observed = rows.n_missing[pattern], model.center.shape[1] - rows.n_missing[pattern]
    _compute_differences(rows, model, workspace, pattern, k, first, stop)
    for i in range(n_observed):
        total = splat(0.0)
        for slot in range(stop - first):
            weight = load(workspace.scores, k * stride + slot * SIMD_WIDTH)
            weighted = multiply(weight, load(workspace.differences, i * stride + slot * SIMD_WIDTH))
            total = add(total, weighted)
            store(workspace.weighted, slot * SIMD_WIDTH, weighted)
        workspace.first_moments[i] = sum_lanes(total)
        if adds_products:
            for j in range(i + 1):
                total = splat(0.0)
                for slot in range(stop - first):
                    value = load(workspace.differences, j * stride + slot * SIMD_WIDTH)
                    total = fma(load(workspace.weighted, slot * SIMD_WIDTH), value, total)
                product = sum_lanes(total)
                workspace.products[i, j], workspace.products[j, i] = product, product
    if n_missing > 0:
        predict_missing_columns(workspace.triangles, k, n_missing, workspace.predictions, workspace.inverse)
    _add_first_moments(rows, workspace, sums, pattern, k, n_missing, n_observed)
    if adds_products:
        _add_products(rows, workspace, sums, pattern, k, n_missing, n_observed, total_mass)


@kernel
def _add_first_moments(rows, workspace, sums, pattern, k, n_missing, n_observed):
    """Add first moments of the observed columns, and expected ones of the missing columns."""
    for c in range(n_observed):
        sums.first[k, rows.columns[pattern, n_missing + c]] += workspace.first_moments[c]
    for row in range(n_missing):
        total = 0.0
        for c in range(n_observed):
            total += workspace.predictions[row, n_missing + c] * workspace.first_moments[c]
        sums.first[k, rows.columns[pattern, row]] += total


@kernel
def _add_products(rows, workspace, sums, pattern, k, n_missing, n_observed, mass):
    """Add the products of the observed columns, and expected products with missing columns."""
    for i in range(n_observed):
        row = rows.columns[pattern, n_missing + i]
        for j in range(n_observed):
            sums.second[k, row, rows.columns[pattern, n_missing + j]] += workspace.products[i, j]
    for m in range(n_missing):
        row = rows.columns[pattern, m]
        for j in range(n_observed):
            total = 0.0
            for c in range(n_observed):
                total += workspace.predictions[m, n_missing + c] * workspace.products[c, j]
            workspace.buffer[j] = total
            column = rows.columns[pattern, n_missing + j]
            sums.second[k, row, column] += total
            sums.second[k, column, row] += total
        for other in range(m + 1):
            total = 0.0
            for j in range(n_observed):
                total += workspace.buffer[j] * workspace.predictions[other, n_missing + j]
            for c in range(n_missing):
                total += mass * workspace.inverse[m, c] * workspace.inverse[other, c]
            column = rows.columns[pattern, other]
            sums.second[k, row, column] += total
            if other < m:
                sums.second[k, column, row] += total
