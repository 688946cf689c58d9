"""A pass over a block of rows, tile after tile, that computes every pair of row and component."""

from gaussmix.engines.kernels.compiled.adding import add_up
from gaussmix.engines.kernels.compiled.decorator import entry, kernel
from gaussmix.engines.kernels.compiled.loading import load_rows, place_rows, weigh_rows, whiten_tile
from gaussmix.engines.kernels.compiled.measuring import add_hints, measure_all
from gaussmix.engines.kernels.compiled.nearest import add_nearest, find_nearest
from gaussmix.engines.kernels.compiled.sharing import (
    answer,
    best_of_group,
    give_scores,
    share_out,
    share_out_hard,
)
from gaussmix.engines.kernels.compiled.values import MANY, MASS, NOTHING, SPHERICAL
from gaussmix.engines.kernels.machine import WIDTH


@kernel
def share_and_answer(rows, tile, n_groups, hard, least, answers, totals):
    """Scores of the tile become shares, and what was asked of each row is written down;
    gives which slots hold shares.
    """
    if hard:
        share_out_hard(tile, n_groups, totals)
        held = MANY
    else:
        if answers.label.shape[0] > 0:
            for group in range(n_groups):
                best_of_group(tile, group)
        plain = rows.weights.shape[0] == 0 and answers.log_density.shape[0] == 0
        held = share_out(tile, n_groups, least, plain, totals)
    answer(answers, tile, n_groups)
    return held


@entry
def full_pass(rows, begin, end, model, tile, kind, hard, least, sums, answers):
    """Every pair of the rows ``begin`` to ``end``; shares below exp(least) of a row's largest are taken for 0."""
    n_components, n_groups = tile.slots.shape
    is_plain = hard and kind == MASS and model.form == SPHERICAL
    is_plain = is_plain and rows.labels.shape[0] == 0 and rows.log_hints.shape[0] == 0
    for start in range(begin, end, n_groups * WIDTH):
        size = min(n_groups * WIDTH, end - start)
        used = place_rows(tile, start, size)
        load_rows(rows, tile, used)
        weigh_rows(rows, tile, used)
        if model.whitening.shape[0] > 0:
            whiten_tile(tile, model.whitening, used)
        if is_plain:
            find_nearest(model, tile, used)
            add_nearest(model, tile, used, True, sums)
            sums.totals[2] += size * n_components
            continue
        measure_all(model, tile, used)
        if rows.labels.shape[0] > 0 or rows.log_hints.shape[0] > 0:
            add_hints(rows, tile, used, n_components)
        if answers.scores.shape[0] > 0:
            give_scores(answers, tile, used, n_components)
            continue
        if hard and kind == MASS:
            add_nearest(model, tile, used, False, sums)
            sums.totals[2] += size * n_components
            continue
        held = share_and_answer(rows, tile, used, hard, least, answers, sums.totals)
        sums.totals[2] += size * n_components
        if kind != NOTHING:
            for k in range(n_components):
                add_up(model, k, kind, held, tile, tile.groups, tile.slots[k], 0, used, sums)
