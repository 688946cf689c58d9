"""Add a component's weighted rows to its sums: mass, first moments, squares or products about its centre."""

from gaussmix.kernels.argument_tuples import (
    ALL_SLOTS,
    FEW_LANES,
    SUM_FIRST_MOMENTS,
    SUM_POOLED_PRODUCTS,
    SUM_PRODUCTS,
    SUM_SQUARES,
)
from gaussmix.kernels.codegen.decorators import kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import (
    add,
    compress_lanes,
    count_bits,
    fma,
    get_item,
    keep_lanes,
    load,
    multiply,
    set_item,
    splat,
    store,
    sum_lanes,
    zero_registers,
)
from gaussmix.kernels.machine_constants import (
    CAN_COMPRESS_LANES,
    COLUMNS_PER_BLOCK,
    MAX_FEW_COLUMNS,
    MAX_NARROW_COLUMNS,
    NARROW_BATCH_ROWS,
    SIMD_WIDTH,
    WIDE_BATCH_ROWS,
)
from gaussmix.kernels.passes.few_columns import add_moments_2, add_moments_4, add_moments_8
from gaussmix.kernels.passes.register_tiles import add_lane_sums, add_weighted_moments
from gaussmix.kernels.passes.scatter import add_upper_products, center_rows

# Registers for the first moments and the squares of a block of columns.
TWO_BLOCKS = 2 * COLUMNS_PER_BLOCK


@kernel
def add_mass(k, tile, groups, slots, begin, end, sums):
    """Add the responsibilities of component k to its mass."""
    request_full_width()
    mass = splat(0.0)
    for i in range(begin, end):
        slot, group = get_item(slots, i), get_item(groups, i)
        mass = fma(load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH), mass)
    sums.mass[k] += sum_lanes(mass)


@kernel
def add_first_moments(model, k, tile, groups, slots, begin, end, sums):
    """Add r x of component k, with responsibility r and difference x from its centre."""
    request_full_width()
    center_start, stride = k * model.row_center.shape[1], tile.group_stride
    for column in range(0, stride // SIMD_WIDTH, COLUMNS_PER_BLOCK):
        tile_sums = zero_registers(COLUMNS_PER_BLOCK)
        for i in range(begin, end):
            slot, group = get_item(slots, i), get_item(groups, i)
            responsibility = multiply(
                load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH)
            )
            row_start = group * stride + column * SIMD_WIDTH
            tile_sums = add_weighted_moments(
                tile_sums, tile.columns, row_start, model.row_center, center_start + column, responsibility
            )
        add_lane_sums(tile_sums, sums.first_moments, center_start + column, 0)


@kernel
def add_diagonal_scatter(model, k, tile, groups, slots, begin, end, sums):
    """Add r x and r x^2 of component k."""
    request_full_width()
    center_start, stride = k * model.row_center.shape[1], tile.group_stride
    for column in range(0, stride // SIMD_WIDTH, COLUMNS_PER_BLOCK):
        tile_sums = zero_registers(TWO_BLOCKS)
        for i in range(begin, end):
            slot, group = get_item(slots, i), get_item(groups, i)
            responsibility = multiply(
                load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH)
            )
            row_start = group * stride + column * SIMD_WIDTH
            tile_sums = add_weighted_moments(
                tile_sums, tile.columns, row_start, model.row_center, center_start + column, responsibility
            )
        add_lane_sums(tile_sums, sums.first_moments, center_start + column, 0)
        add_lane_sums(tile_sums, sums.scatter, center_start + column, COLUMNS_PER_BLOCK)


@kernel
def add_scatter_of_few_columns(model, k, scatter_start, tile, groups, slots, begin, end, sums):
    """Add r x and r x x^T of component k for two, four or eight columns."""
    stride, center_start = tile.group_stride, k * model.row_center.shape[1]
    n_columns = stride // SIMD_WIDTH
    if n_columns == 2:
        mass = add_moments_2(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.group_factors,
                          model.row_center, center_start, tile.workspace,
                          sums.first_moments, sums.scatter, scatter_start, model.row_center.shape[1])  # fmt: skip
    elif n_columns == 4:
        mass = add_moments_4(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.group_factors,
                          model.row_center, center_start, tile.workspace,
                          sums.first_moments, sums.scatter, scatter_start, model.row_center.shape[1])  # fmt: skip
    else:
        mass = add_moments_8(tile.columns, stride, groups, slots, begin, end, tile.scores, tile.group_factors,
                          model.row_center, center_start, tile.workspace,
                          sums.first_moments, sums.scatter, scatter_start, model.row_center.shape[1])  # fmt: skip
    sums.mass[k] += mass


if CAN_COMPRESS_LANES:

    @kernel
    def collect_rows(tile, group, responsibilities, bits, count):
        """Append the rows of a group whose bits are set to ``member_places`` and ``member_responsibilities``."""
        compress_lanes(
            responsibilities, group * SIMD_WIDTH, bits, tile.member_responsibilities, tile.member_places, count
        )

else:

    @kernel
    def collect_rows(tile, group, responsibilities, bits, count):
        """Append the rows of a group whose bits are set to ``member_places`` and ``member_responsibilities``."""
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
    """Write the groups with an active row to ``selected_groups`` and ``selected_slots``; return their number.

    The loop has no branch, because it would be unpredictable.
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
    """Collect the active rows of a component, add their responsibilities to its mass, and return their number."""
    request_full_width()
    count, mass = 0, splat(0.0)
    for i in range(begin, end):
        slot, group = get_item(slots, i), get_item(groups, i)
        bits = get_item(tile.active_rows, slot) & get_item(tile.weighted_rows, group)
        responsibility = multiply(load(tile.scores, slot * SIMD_WIDTH), load(tile.group_factors, group * SIMD_WIDTH))
        collect_rows(tile, group, responsibility, bits, count)
        count += count_bits(bits)
        mass = add(mass, keep_lanes(bits, responsibility))
    sums.mass[k] += sum_lanes(mass)
    return count


@kernel
def add_scatter_row_by_row(model, k, scatter_start, tile, n_rows, sums):
    """Add r x and r x x^T of the collected rows, row by row."""
    row_length, row_stride = model.row_center.shape[1], tile.row_stride
    batch = NARROW_BATCH_ROWS if row_length <= MAX_NARROW_COLUMNS else WIDE_BATCH_ROWS
    size = batch * row_stride
    weighted_differences, differences = tile.workspace[:size], tile.workspace[size : 2 * size]
    for start in range(0, n_rows, batch):
        count = min(batch, n_rows - start)
        center_rows(
            tile.row_copies, tile.member_places, tile.member_responsibilities, start, count, row_stride,
            model.row_center, k * row_length, row_length, weighted_differences, differences, sums.first_moments,
        )  # fmt: skip
        add_upper_products(
            weighted_differences, differences, count, row_stride, sums.scatter, scatter_start, row_length
        )


@kernel
def accumulate_component(model, k, moment_code, slot_activity, tile, groups, slots, begin, end, sums):
    """Add component k's weighted rows of the groups ``groups[begin:end]`` to the sums about its centre.

    ``slot_activity`` tells which slots hold responsibilities. Products of many columns are added row by
    row, as are products of rows in mostly inactive groups.
    """
    n_columns, row_length = tile.group_stride // SIMD_WIDTH, model.row_center.shape[1]
    scatter_start = 0 if moment_code == SUM_POOLED_PRODUCTS else k * row_length * row_length
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
        add_scatter_row_by_row(
            model, k, scatter_start, tile, gather_active_rows(k, tile, groups, slots, begin, end, sums), sums
        )
    else:
        add_scatter_of_few_columns(model, k, scatter_start, tile, groups, slots, begin, end, sums)
