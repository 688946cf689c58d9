"""A pass over a block of rows that computes only the pairs of row and component that can matter.

Rows are sorted by a candidate, the component that looks nearest in a few projections, and its score
is computed exactly. Every other component's score has an upper bound from one projection chosen for
the pair of components; where it lies ``tolerance`` below the candidate's for all rows of a group, the pair
is skipped. What is left is computed exactly and shared out as in a full pass.
"""

from gaussmix.engines.kernels.compiled.adding import add_up
from gaussmix.engines.kernels.compiled.decorator import entry, kernel
from gaussmix.engines.kernels.compiled.full import share_and_answer
from gaussmix.engines.kernels.compiled.loading import load_rows, weigh_rows, whiten_tile
from gaussmix.engines.kernels.compiled.measuring import measure
from gaussmix.engines.kernels.compiled.projecting import (
    nearest,
    nearest_in_cell,
    open_outputs_1,
    open_outputs_2,
    open_outputs_4,
    project,
)
from gaussmix.engines.kernels.compiled.values import NOTHING
from gaussmix.engines.kernels.compiled.vectors import (
    absolute,
    fma,
    load,
    multiply,
    smallest,
    splat,
    store,
    subtract,
    wide,
)
from gaussmix.engines.kernels.machine import ABREAST, WIDTH

LOWEST = -1e300

TOO_OPEN = 0.6
"""Share of all pairs that may be open before a block's remaining rows are computed in full."""


@kernel
def frame_row(rows, row, target, at):
    """A row in working coordinates; one of weight zero stands at the centre."""
    wide()
    if rows.weights.shape[0] > 0 and rows.weights[row] == 0.0:
        for j in range(rows.shrink.shape[0]):
            target[at + j] = 0.0
        return
    for j in range(rows.shrink.shape[0]):
        target[at + j] = (rows.stored[row, j] * rows.shrink[j] - rows.center[j]) * rows.scale[j]


@kernel
def find_candidates(rows, screen, sieve, start, size):
    """The candidate of each of ``size`` rows from ``start`` on, and its projections."""
    wide()
    n_features = rows.shrink.shape[0]
    depth, outputs = screen.depth, screen.constant.shape[0]
    projected_pitch = sieve.projected.shape[0] // sieve.candidate.shape[0]
    as_they_are = screen.projection.shape[0] == 0
    lowest = splat(LOWEST)
    for begin in range(0, size, ABREAST):
        for r in range(ABREAST):
            row = start + min(begin + r, size - 1)
            if as_they_are:
                frame_row(rows, row, sieve.projected, (begin + r) * projected_pitch)
            else:
                frame_row(rows, row, sieve.framed, r * n_features)
        at = begin * projected_pitch
        if not as_they_are:
            project(sieve.framed, 0, n_features, n_features, screen.projection, projected_pitch, sieve.projected, at)
        if screen.anchor_constant.shape[0] > 0:
            find_by_cells(screen, sieve, begin, at, projected_pitch)
        else:
            nearest(
                sieve.projected, at, projected_pitch, depth, screen.discriminant, screen.constant, screen.numbers,
                outputs, (lowest, lowest, lowest, lowest), sieve.candidate, begin,
            )  # fmt: skip


@kernel
def find_by_cells(screen, sieve, begin, at, pitch):
    """Candidates of ABREAST rows by the cells of their anchors; of a row that finds none near, among all."""
    wide()
    depth, lowest = screen.depth, splat(LOWEST)
    n_anchors = screen.anchor_constant.shape[0]
    size = screen.cell_constant.shape[0] // n_anchors
    nearest(
        sieve.projected, at, pitch, depth, screen.anchors, screen.anchor_constant, screen.anchor_numbers, n_anchors,
        (lowest, lowest, lowest, lowest), sieve.candidate, begin,
    )  # fmt: skip
    for r in range(ABREAST):
        cell, row = sieve.candidate[begin + r], at + r * pitch
        value = nearest_in_cell(
            sieve.projected, row, depth, screen.cells, cell * size * depth, screen.cell_constant, screen.cell_numbers,
            cell * size, size, lowest, sieve.candidate, begin + r,
        )  # fmt: skip
        distance = -2.0 * value
        for j in range(depth):
            distance += (sieve.projected[row + j] - screen.middle[j]) ** 2
        if not distance < screen.near:
            nearest_in_cell(
                sieve.projected, row, depth, screen.discriminant, 0, screen.constant, screen.numbers,
                0, screen.constant.shape[0], lowest, sieve.candidate, begin + r,
            )  # fmt: skip


@kernel
def sort_rows(tile, sieve, start, size, n_components):
    """Places for the rows, those of a candidate together, each candidate's filled up to whole groups."""
    first_group, filled = sieve.first_group, sieve.filled
    filled[:] = 0
    for row in range(size):
        filled[sieve.candidate[row]] += 1
    group = 0
    for b in range(n_components):
        first_group[b] = group
        group += (filled[b] + WIDTH - 1) // WIDTH
        filled[b] = first_group[b] * WIDTH
    first_group[n_components] = group
    for row in range(size):
        b = sieve.candidate[row]
        tile.positions[filled[b]], tile.real[filled[b]] = start + row, True
        filled[b] += 1
    for b in range(n_components):
        for place in range(filled[b], first_group[b + 1] * WIDTH):
            tile.positions[place], tile.real[place] = tile.positions[filled[b] - 1], False
    return group


@kernel
def add_pairs(bits, base, group, screen, sieve, n_pairs):
    """The pairs of a group with the list entries whose bits are set."""
    entry = base
    while bits != 0:
        if bits & 1:
            sieve.pair_group[n_pairs] = group
            sieve.pair_component[n_pairs] = screen.others[entry]
            n_pairs += 1
        bits >>= 1
        entry += 1
    return n_pairs


@kernel
def open_group(start, group, b, tile, screen, sieve, n_pairs):
    """Pairs of a group of candidate b with the components on b's list that are open to one of its rows."""
    wide()
    depth, begin = screen.depth, screen.first[b]
    width, matrix = screen.first[b + 1] - begin, begin * depth
    pitch = sieve.projected.shape[0] // sieve.candidate.shape[0]
    score = load(tile.tops, group * WIDTH)
    # The margins are for rounding in the bounds, which the tolerance does not know.
    limit = multiply(subtract(splat(screen.tolerance + 1e-6), score), splat(2.0))
    store(sieve.limits, 0, fma(absolute(score), splat(1e-9), limit))
    for lane in range(WIDTH):
        row = tile.positions[group * WIDTH + lane] - start
        for j in range(0, pitch, WIDTH):
            store(sieve.gathered, lane * pitch + j, load(sieve.projected, row * pitch + j))
    to = 0
    while to < width:
        bits = 0
        step = 4 * WIDTH if width - to >= 4 * WIDTH else 2 * WIDTH if width - to >= 2 * WIDTH else WIDTH
        for half in range(0, WIDTH, ABREAST):
            at = half * pitch
            if step == 4 * WIDTH:
                bits |= open_outputs_4(sieve.gathered, at, pitch, depth, screen.directions, matrix, to, width,
                                       screen.shift, screen.extra, begin, sieve.limits, half)  # fmt: skip
            elif step == 2 * WIDTH:
                bits |= open_outputs_2(sieve.gathered, at, pitch, depth, screen.directions, matrix, to, width,
                                       screen.shift, screen.extra, begin, sieve.limits, half)  # fmt: skip
            else:
                bits |= open_outputs_1(sieve.gathered, at, pitch, depth, screen.directions, matrix, to, width,
                                       screen.shift, screen.extra, begin, sieve.limits, half)  # fmt: skip
        if bits != 0:
            n_pairs = add_pairs(bits, begin + to, group, screen, sieve, n_pairs)
        to += step
    return n_pairs


@kernel
def find_pairs(start, n_groups, model, tile, screen, sieve):
    """Scores of all candidates and all open pairs besides; -1 where there are more than there is room for."""
    wide()
    n_components, room = model.center.shape[0], sieve.pair_group.shape[0]
    for b in range(n_components):
        measure(model, b, tile, tile.groups, tile.groups, sieve.first_group[b], sieve.first_group[b + 1])
    n_pairs = 0
    for b in range(n_components):
        for group in range(sieve.first_group[b], sieve.first_group[b + 1]):
            score = load(tile.scores, group * WIDTH)
            store(tile.tops, group * WIDTH, score)
            tile.first_slot[group] = group + n_pairs
            tile.component[group + n_pairs] = b
            if n_pairs + n_components > room:
                return -1
            before = n_pairs
            if 2.0 * (model.offset[b] - smallest(score)) > screen.reach[b]:
                for k in range(n_components):
                    if k != b:
                        sieve.pair_group[n_pairs], sieve.pair_component[n_pairs] = group, k
                        n_pairs += 1
            else:
                n_pairs = open_group(start, group, b, tile, screen, sieve, n_pairs)
            tile.stop_slot[group] = group + n_pairs + 1
            for pair in range(before, n_pairs):
                tile.component[pair + group + 1] = sieve.pair_component[pair]
    return n_pairs


@kernel
def list_pairs(n_pairs, n_components, sieve):
    """The list of every component: the groups whose candidate it is, then the others it is open to."""
    first, filled = sieve.first_listed, sieve.filled
    for k in range(n_components):
        filled[k] = sieve.first_group[k + 1] - sieve.first_group[k]
    for pair in range(n_pairs):
        filled[sieve.pair_component[pair]] += 1
    first[0] = 0
    for k in range(n_components):
        first[k + 1] = first[k] + filled[k]
        filled[k] = first[k] + sieve.first_group[k + 1] - sieve.first_group[k]
    for pair in range(n_pairs):
        k, group = sieve.pair_component[pair], sieve.pair_group[pair]
        sieve.list_groups[filled[k]], sieve.list_slots[filled[k]] = group, pair + group + 1
        filled[k] += 1


@kernel
def screened_tile(rows, start, size, model, tile, screen, sieve, kind, hard, sums, answers):
    """One tile; the number of open pairs of groups, -1 where it has to be computed in full."""
    wide()
    n_components = model.center.shape[0]
    find_candidates(rows, screen, sieve, start, size)
    n_groups = sort_rows(tile, sieve, start, size, n_components)
    load_rows(rows, tile, n_groups)
    weigh_rows(rows, tile, n_groups)
    if model.whitening.shape[0] > 0:
        whiten_tile(tile, model.whitening, n_groups)
    n_pairs = find_pairs(start, n_groups, model, tile, screen, sieve)
    if n_pairs < 0:
        return -1
    list_pairs(n_pairs, n_components, sieve)
    for k in range(n_components):
        begin = sieve.first_listed[k]
        for group in range(sieve.first_group[k], sieve.first_group[k + 1]):
            sieve.list_groups[begin], sieve.list_slots[begin] = group, tile.first_slot[group]
            begin += 1
        measure(model, k, tile, sieve.list_groups, sieve.list_slots, begin, sieve.first_listed[k + 1])
    for group in range(n_groups):
        store(tile.scores, tile.first_slot[group] * WIDTH, load(tile.tops, group * WIDTH))
    held = share_and_answer(rows, tile, n_groups, hard, -screen.tolerance, answers, sums.totals)
    if kind != NOTHING:
        for k in range(n_components):
            begin, end = sieve.first_listed[k], sieve.first_listed[k + 1]
            if end > begin:
                add_up(model, k, kind, held, tile, sieve.list_groups, sieve.list_slots, begin, end, sums)
    sums.totals[2] += (n_groups + n_pairs) * WIDTH
    return n_groups + n_pairs


@entry
def screened_pass(rows, n_rows, model, tile, screen, sieve, kind, hard, sums, answers):
    """The rows of a block up to the one that is given back: where tiles turn out too open, the rest is left undone."""
    n_components, room = model.center.shape[0], sieve.candidate.shape[0]
    start = 0
    while start < n_rows:
        size = min(room, n_rows - start)
        found = screened_tile(rows, start, size, model, tile, screen, sieve, kind, hard, sums, answers)
        if found < 0:
            return start
        start += size
        if found * WIDTH > size * n_components * TOO_OPEN:
            return start
    return start
