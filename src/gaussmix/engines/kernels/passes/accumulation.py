"""Shares into sums: mass, first moments, squares or products of columns about a component's centre."""

from gaussmix.engines.kernels.argument_tuples import (
    ALL_SLOTS,
    FEW_LANES,
    SUM_FIRST_MOMENTS,
    SUM_POOLED_PRODUCTS,
    SUM_PRODUCTS,
    SUM_SQUARES,
)
from gaussmix.engines.kernels.codegen.decorators import kernel
from gaussmix.engines.kernels.codegen.simd import (
    add,
    compress_lanes,
    count_bits,
    fma,
    get_item,
    keep_lanes,
    load,
    multiply,
    request_full_width,
    set_item,
    splat,
    store,
    sum_lanes,
    zero_registers,
)
from gaussmix.engines.kernels.machine_constants import (
    CAN_COMPRESS_LANES,
    COLUMNS_PER_BLOCK,
    MAX_FEW_COLUMNS,
    MAX_NARROW_COLUMNS,
    NARROW_BATCH_ROWS,
    SIMD_WIDTH,
    WIDE_BATCH_ROWS,
)
from gaussmix.engines.kernels.passes.few_columns import add_moments_2, add_moments_4, add_moments_8
from gaussmix.engines.kernels.passes.register_tiles import add_lane_sums, add_weighted_moments
from gaussmix.engines.kernels.passes.scatter import add_upper_products, center_rows

TWO_BLOCKS = 2 * COLUMNS_PER_BLOCK


@kernel
def add_mass(k, tile, groups, slots, begin, end, sums):
    """The shares of component k added to its mass."""
    request_full_width()
    mass = splat(0.0)
    for i in range(begin, end):
        slot, group = get_item(slots, i), get_item(groups, i)
        mass = fma(load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH), mass)
    sums.mass[k] += sum_lanes(mass)


@kernel
def add_first_moments(model, k, tile, groups, slots, begin, end, sums):
    """share * x added up, x the distance from the component's centre."""
    request_full_width()
    at, stride = k * model.row_center.shape[1], tile.group_stride
    for column in range(0, stride // SIMD_WIDTH, COLUMNS_PER_BLOCK):
        tile_sums = zero_registers(COLUMNS_PER_BLOCK)
        for i in range(begin, end):
            slot, group = get_item(slots, i), get_item(groups, i)
            share = multiply(load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH))
            place = group * stride + column * SIMD_WIDTH
            tile_sums = add_weighted_moments(tile_sums, tile.columns, place, model.row_center, at + column, share)
        add_lane_sums(tile_sums, sums.first_moments, at + column, 0)


@kernel
def add_diagonal_scatter(model, k, tile, groups, slots, begin, end, sums):
    """share * x and share * x^2 added up."""
    request_full_width()
    at, stride = k * model.row_center.shape[1], tile.group_stride
    for column in range(0, stride // SIMD_WIDTH, COLUMNS_PER_BLOCK):
        tile_sums = zero_registers(TWO_BLOCKS)
        for i in range(begin, end):
            slot, group = get_item(slots, i), get_item(groups, i)
            share = multiply(load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH))
            place = group * stride + column * SIMD_WIDTH
            tile_sums = add_weighted_moments(tile_sums, tile.columns, place, model.row_center, at + column, share)
        add_lane_sums(tile_sums, sums.first_moments, at + column, 0)
        add_lane_sums(tile_sums, sums.scatter, at + column, COLUMNS_PER_BLOCK)


@kernel
def add_scatter_of_few_columns(model, k, scatter_start, tile, groups, slots, begin, end, sums):
    """share * x and share * x x^T added up, for two, four or eight columns."""
    stride, column = tile.group_stride, k * model.row_center.shape[1]
    n_columns = stride // SIMD_WIDTH
    if n_columns == 2:
        mass = add_moments_2(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.group_factors,
                          model.row_center, column, tile.workspace,
                          sums.first_moments, sums.scatter, scatter_start, model.row_center.shape[1])  # fmt: skip
    elif n_columns == 4:
        mass = add_moments_4(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.group_factors,
                          model.row_center, column, tile.workspace,
                          sums.first_moments, sums.scatter, scatter_start, model.row_center.shape[1])  # fmt: skip
    else:
        mass = add_moments_8(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.group_factors,
                          model.row_center, column, tile.workspace,
                          sums.first_moments, sums.scatter, scatter_start, model.row_center.shape[1])  # fmt: skip
    sums.mass[k] += mass


if CAN_COMPRESS_LANES:

    @kernel
    def collect_rows(tile, group, share, bits, count):
        """The rows of a group whose bits are set to ``members`` and ``shares`` from ``count`` on."""
        compress_lanes(share, group * SIMD_WIDTH, bits, tile.member_responsibilities, tile.member_places, count)

else:

    @kernel
    def collect_rows(tile, group, responsibilities, bits, count):
        """The rows of a group whose bits are set to ``members`` and ``shares`` from ``count`` on."""
        store(tile.workspace, 0, responsibilities)
        for lane in range(SIMD_WIDTH):
            if bits & (1 << lane):
                tile.member_places[count], tile.member_responsibilities[count] = (
                    group * SIMD_WIDTH + lane,
                    tile.workspace[lane],
                )
                count += 1


@kernel
def select_active_groups(tile, groups, slots, begin, end):
    """The groups with a row to which their slot is active, to ``chosen_groups`` and ``chosen_slots``; how many.

    Without a branch, since nobody can foresee which they are.
    """
    count = 0
    for i in range(begin, end):
        slot, group = get_item(slots, i), get_item(groups, i)
        set_item(tile.selected_groups, count, group)
        set_item(tile.selected_slots, count, slot)
        count += (get_item(tile.active_rows, slot) & get_item(tile.weighted_rows, group)) != 0
    return count


@kernel
def gather_active_rows(k, tile, groups, slots, begin, end, sums):
    """The active rows of a component and their shares, brought together and added to its mass; how many they are."""
    request_full_width()
    count, mass = 0, splat(0.0)
    for i in range(begin, end):
        slot, group = get_item(slots, i), get_item(groups, i)
        bits = get_item(tile.active_rows, slot) & get_item(tile.weighted_rows, group)
        share = multiply(load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH))
        collect_rows(tile, group, share, bits, count)
        count += count_bits(bits)
        mass = add(mass, keep_lanes(bits, share))
    sums.mass[k] += sum_lanes(mass)
    return count


@kernel
def add_scatter_row_by_row(model, k, scatter_start, tile, n_rows, sums):
    """share * x and share * x x^T added up, row by row, of the rows gathered."""
    width, pitch = model.row_center.shape[1], tile.row_stride
    batch = NARROW_BATCH_ROWS if width <= MAX_NARROW_COLUMNS else WIDE_BATCH_ROWS
    size = batch * pitch
    left, right = tile.workspace[:size], tile.workspace[size : 2 * size]
    for part in range(0, n_rows, batch):
        count = min(batch, n_rows - part)
        center_rows(
            tile.row_copies, tile.member_places, tile.member_responsibilities, part, count, pitch,
            model.row_center, k * width, width, left, right, sums.first_moments,
        )  # fmt: skip
        add_upper_products(left, right, count, pitch, sums.scatter, scatter_start, width)


@kernel
def accumulate_component(model, k, moment_code, slot_activity, tile, groups, slots, begin, end, sums):
    """Add the shares of component k in the groups ``groups[begin:end]`` to the sums about its centre.

    ``held`` tells which slots hold shares. Products of many columns, or where few rows of a group are active, are added
    up row by row.
    """
    n_columns, width = tile.group_stride // SIMD_WIDTH, model.row_center.shape[1]
    at = 0 if moment_code == SUM_POOLED_PRODUCTS else k * width * width
    by_row = (
        moment_code in (SUM_PRODUCTS, SUM_POOLED_PRODUCTS)
        and n_columns >= MAX_FEW_COLUMNS
        and (n_columns > MAX_FEW_COLUMNS or slot_activity == FEW_LANES)
    )
    if slot_activity != ALL_SLOTS and not by_row:
        end = select_active_groups(tile, groups, slots, begin, end)
        groups, slots, begin = tile.selected_groups, tile.selected_slots, 0
    if moment_code == SUM_FIRST_MOMENTS:
        add_mass(k, tile, groups, slots, begin, end, sums)
        add_first_moments(model, k, tile, groups, slots, begin, end, sums)
    elif moment_code == SUM_SQUARES:
        add_mass(k, tile, groups, slots, begin, end, sums)
        add_diagonal_scatter(model, k, tile, groups, slots, begin, end, sums)
    elif by_row:
        add_scatter_row_by_row(model, k, at, tile, gather_active_rows(k, tile, groups, slots, begin, end, sums), sums)
    else:
        add_scatter_of_few_columns(model, k, at, tile, groups, slots, begin, end, sums)
