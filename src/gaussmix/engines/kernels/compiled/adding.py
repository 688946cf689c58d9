"""Shares into sums: mass, first moments, squares or products of columns about a component's centre."""

from gaussmix.engines.kernels.compiled.decorator import kernel
from gaussmix.engines.kernels.compiled.scatter import add_row_products, centre_rows
from gaussmix.engines.kernels.compiled.small import add_products_of_2, add_products_of_4, add_products_of_8
from gaussmix.engines.kernels.compiled.tiles import add_lane_sums, add_moments
from gaussmix.engines.kernels.compiled.values import EVERY, FEW, MASS, POOLED, PRODUCTS, SQUARES
from gaussmix.engines.kernels.compiled.vectors import (
    add,
    choose_lanes,
    count_bits,
    fma,
    item,
    load,
    multiply,
    put,
    splat,
    store,
    take_lanes,
    total,
    wide,
    zeros,
)
from gaussmix.engines.kernels.machine import BATCH, BLOCK, CAN_COMPRESS, NARROW, SMALL, WIDE_BATCH, WIDTH

TWICE = 2 * BLOCK


@kernel
def add_mass(k, tile, groups, slots, begin, end, sums):
    """The shares of component k added to its mass."""
    wide()
    mass = splat(0.0)
    for i in range(begin, end):
        slot, group = item(slots, i), item(groups, i)
        mass = fma(load(tile.scores, slot * WIDTH), load(tile.factors, group * WIDTH), mass)
    sums.mass[k] += total(mass)


@kernel
def add_first(model, k, tile, groups, slots, begin, end, sums):
    """share * x added up, x the distance from the component's centre."""
    wide()
    at, stride = k * model.origin.shape[1], tile.stride
    for column in range(0, stride // WIDTH, BLOCK):
        tile_sums = zeros(BLOCK)
        for i in range(begin, end):
            slot, group = item(slots, i), item(groups, i)
            share = multiply(load(tile.scores, slot * WIDTH), load(tile.factors, group * WIDTH))
            place = group * stride + column * WIDTH
            tile_sums = add_moments(tile_sums, tile.columns, place, model.origin, at + column, share)
        add_lane_sums(tile_sums, sums.first, at + column, 0)


@kernel
def add_squares(model, k, tile, groups, slots, begin, end, sums):
    """share * x and share * x^2 added up."""
    wide()
    at, stride = k * model.origin.shape[1], tile.stride
    for column in range(0, stride // WIDTH, BLOCK):
        tile_sums = zeros(TWICE)
        for i in range(begin, end):
            slot, group = item(slots, i), item(groups, i)
            share = multiply(load(tile.scores, slot * WIDTH), load(tile.factors, group * WIDTH))
            place = group * stride + column * WIDTH
            tile_sums = add_moments(tile_sums, tile.columns, place, model.origin, at + column, share)
        add_lane_sums(tile_sums, sums.first, at + column, 0)
        add_lane_sums(tile_sums, sums.scatter, at + column, BLOCK)


@kernel
def add_small_products(model, k, at, tile, groups, slots, begin, end, sums):
    """share * x and share * x x^T added up, for two, four or eight columns."""
    stride, column = tile.stride, k * model.origin.shape[1]
    n_columns = stride // WIDTH
    if n_columns == 2:
        mass = add_products_of_2(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.factors,
                          model.origin, column, tile.work,
                          sums.first, sums.scatter, at, model.origin.shape[1])  # fmt: skip
    elif n_columns == 4:
        mass = add_products_of_4(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.factors,
                          model.origin, column, tile.work,
                          sums.first, sums.scatter, at, model.origin.shape[1])  # fmt: skip
    else:
        mass = add_products_of_8(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.factors,
                          model.origin, column, tile.work,
                          sums.first, sums.scatter, at, model.origin.shape[1])  # fmt: skip
    sums.mass[k] += mass


if CAN_COMPRESS:

    @kernel
    def take_rows(tile, group, share, bits, count):
        """The rows of a group whose bits are set to ``members`` and ``shares`` from ``count`` on."""
        take_lanes(share, group * WIDTH, bits, tile.shares, tile.members, count)

else:

    @kernel
    def take_rows(tile, group, share, bits, count):
        """The rows of a group whose bits are set to ``members`` and ``shares`` from ``count`` on."""
        store(tile.work, 0, share)
        for lane in range(WIDTH):
            if bits & (1 << lane):
                tile.members[count], tile.shares[count] = group * WIDTH + lane, tile.work[lane]
                count += 1


@kernel
def choose_groups(tile, groups, slots, begin, end):
    """The groups with a row to which their slot is active, to ``chosen_groups`` and ``chosen_slots``; how many.

    Without a branch, since nobody can foresee which they are.
    """
    count = 0
    for i in range(begin, end):
        slot, group = item(slots, i), item(groups, i)
        put(tile.chosen_groups, count, group)
        put(tile.chosen_slots, count, slot)
        count += (item(tile.active, slot) & item(tile.present, group)) != 0
    return count


@kernel
def gather_rows(k, tile, groups, slots, begin, end, sums):
    """The active rows of a component and their shares, brought together and added to its mass; how many they are."""
    wide()
    count, mass = 0, splat(0.0)
    for i in range(begin, end):
        slot, group = item(slots, i), item(groups, i)
        bits = item(tile.active, slot) & item(tile.present, group)
        share = multiply(load(tile.scores, slot * WIDTH), load(tile.factors, group * WIDTH))
        take_rows(tile, group, share, bits, count)
        count += count_bits(bits)
        mass = add(mass, choose_lanes(bits, share))
    sums.mass[k] += total(mass)
    return count


@kernel
def add_products(model, k, at, tile, n_rows, sums):
    """share * x and share * x x^T added up, row by row, of the rows gathered."""
    width, pitch = model.origin.shape[1], tile.pitch
    batch = BATCH if width <= NARROW else WIDE_BATCH
    size = batch * pitch
    left, right = tile.work[:size], tile.work[size : 2 * size]
    for part in range(0, n_rows, batch):
        count = min(batch, n_rows - part)
        centre_rows(tile.flat, tile.members, tile.shares, part, count, pitch, model.origin, k * width, width,
                    left, right, sums.first)  # fmt: skip
        add_row_products(left, right, count, pitch, sums.scatter, at, width)


@kernel
def add_up(model, k, kind, held, tile, groups, slots, begin, end, sums):
    """Add the shares of component k in the groups ``groups[begin:end]`` to the sums about its centre.

    ``held`` tells which slots hold shares. Products of many columns, or where few rows of a group are active, are added
    up row by row.
    """
    n_columns, width = tile.stride // WIDTH, model.origin.shape[1]
    at = 0 if kind == POOLED else k * width * width
    by_row = kind in (PRODUCTS, POOLED) and n_columns >= SMALL and (n_columns > SMALL or held == FEW)
    if held != EVERY and not by_row:
        end = choose_groups(tile, groups, slots, begin, end)
        groups, slots, begin = tile.chosen_groups, tile.chosen_slots, 0
    if kind == MASS:
        add_mass(k, tile, groups, slots, begin, end, sums)
        add_first(model, k, tile, groups, slots, begin, end, sums)
    elif kind == SQUARES:
        add_mass(k, tile, groups, slots, begin, end, sums)
        add_squares(model, k, tile, groups, slots, begin, end, sums)
    elif by_row:
        add_products(model, k, at, tile, gather_rows(k, tile, groups, slots, begin, end, sums), sums)
    else:
        add_small_products(model, k, at, tile, groups, slots, begin, end, sums)
