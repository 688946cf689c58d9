"""A pass over a block of rows, tile after tile, that computes every pair of row and component."""

from gaussmix.kernels.argument_tuples import MANY_LANES, SPHERICAL_DISTANCE, SUM_FIRST_MOMENTS, SUM_NOTHING
from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.machine_constants import SIMD_WIDTH
from gaussmix.kernels.passes.accumulation import accumulate_component
from gaussmix.kernels.passes.nearest_center import accumulate_nearest, find_nearest_centers
from gaussmix.kernels.passes.responsibilities import (
    compute_hard_responsibilities,
    compute_responsibilities,
    find_best_of_group,
    write_row_results,
    write_scores,
)
from gaussmix.kernels.passes.row_loading import assign_row_positions, load_row_weights, load_rows, whiten_tile
from gaussmix.kernels.passes.scores import add_label_prior, compute_all_scores


@kernel
def compute_and_write_responsibilities(rows, tile, n_groups, is_hard, log_cutoff, row_results, totals):
    """Turn the scores of a tile into responsibilities and write the requested results per row.

    Return which slots hold responsibilities.
    """
    if is_hard:
        compute_hard_responsibilities(tile, n_groups, totals)
        slot_activity = MANY_LANES
    else:
        if row_results.labels.shape[0] > 0:
            for group in range(n_groups):
                find_best_of_group(tile, group)
        can_multiply_sums = rows.weights.shape[0] == 0 and row_results.log_densities.shape[0] == 0
        slot_activity = compute_responsibilities(tile, n_groups, log_cutoff, can_multiply_sums, totals)
    write_row_results(row_results, tile, n_groups)
    return slot_activity


@entry_point
def run_full_pass(rows, begin, end, model, tile, moment_code, is_hard, log_cutoff, sums, row_results):
    """Process the rows ``begin`` to ``end`` and compute every pair of row and component.

    Responsibilities below exp(log_cutoff) of a row's largest count as 0.
    """
    n_components, n_groups = tile.component_slots.shape
    is_nearest_only = is_hard and moment_code == SUM_FIRST_MOMENTS and model.distance_code == SPHERICAL_DISTANCE
    is_nearest_only = is_nearest_only and rows.labels.shape[0] == 0 and rows.log_label_prior.shape[0] == 0
    for start in range(begin, end, n_groups * SIMD_WIDTH):
        size = min(n_groups * SIMD_WIDTH, end - start)
        n_used_groups = assign_row_positions(tile, start, size)
        load_rows(rows, tile, n_used_groups)
        load_row_weights(rows, tile, n_used_groups)
        if model.whitening.shape[0] > 0:
            whiten_tile(tile, model.whitening, n_used_groups)
        if is_nearest_only:
            find_nearest_centers(model, tile, n_used_groups)
            accumulate_nearest(model, tile, n_used_groups, True, sums)
            sums.totals[2] += size * n_components
            continue
        compute_all_scores(model, tile, n_used_groups)
        if rows.labels.shape[0] > 0 or rows.log_label_prior.shape[0] > 0:
            add_label_prior(rows, tile, n_used_groups, n_components)
        if row_results.scores.shape[0] > 0:
            write_scores(row_results, tile, n_used_groups, n_components)
            continue
        if is_hard and moment_code == SUM_FIRST_MOMENTS:
            accumulate_nearest(model, tile, n_used_groups, False, sums)
            sums.totals[2] += size * n_components
            continue
        slot_activity = compute_and_write_responsibilities(
            rows, tile, n_used_groups, is_hard, log_cutoff, row_results, sums.totals
        )
        sums.totals[2] += size * n_components
        if moment_code != SUM_NOTHING:
            for k in range(n_components):
                accumulate_component(
                    model,
                    k,
                    moment_code,
                    slot_activity,
                    tile,
                    tile.groups,
                    tile.component_slots[k],
                    0,
                    n_used_groups,
                    sums,
                )
