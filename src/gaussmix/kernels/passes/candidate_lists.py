"""Build the lists of components for every candidate, for models with very many components."""

from gaussmix.kernels.codegen.decorators import entry_point, kernel
from gaussmix.kernels.codegen.function_attributes import request_full_width
from gaussmix.kernels.codegen.simd import bits_greater, fma, get_item, load, multiply, set_item, splat, subtract
from gaussmix.kernels.machine_constants import ROWS_PER_PROJECTION, SIMD_WIDTH
from gaussmix.kernels.passes.projection import project_rows


@kernel
def select_components_within_reach(near, block, k, pairs):
    """Write the candidates of a block from which component k can be in reach to ``selected``; return their number.

    A direction's variances are at most the largest ones of both components, which gives a bound on the distance.
    """
    request_full_width()
    n_candidates, depth = near.spread.shape[0], near.center.shape[1]
    first, count = block * near.block_size, 0
    spread = splat(get_item(near.spread, k))
    for place in range(first, min(first + near.block_size, n_candidates), SIMD_WIDTH):
        squared_distance = splat(0.0)
        column = block * near.block_size * depth + place - first
        for j in range(depth):
            difference = subtract(load(near.block_columns, column + j * near.block_size), splat(near.center[k, j]))
            squared_distance = fma(difference, difference, squared_distance)
        reach = fma(spread, load(near.score_reach, place), load(near.row_reach, place))
        bits = bits_greater(multiply(reach, reach), squared_distance)
        for lane in range(SIMD_WIDTH):
            set_item(pairs.selected, count, place + lane)
            count += (bits >> lane) & 1
    return count


@kernel
def compute_quadratic_form(matrix, start, pitch, vector, vector_start, depth):
    """Return v^T M v for the symmetric matrix at ``start``."""
    total = 0.0
    for i in range(depth):
        product = 0.0
        for j in range(i):
            product += get_item(matrix, start + i * pitch + j) * get_item(vector, vector_start + j)
        value = get_item(vector, vector_start + i)
        total += value * (2.0 * product + get_item(matrix, start + i * pitch + i) * value)
    return total


@kernel
def append_if_open(near, b, k, difference_start, pairs, n_pairs):
    """Append the pair unless no row near candidate b can be open to component k; return the number of pairs.

    Along the direction m_b - m_k, the separation is |m_b - m_k|^2. The gap is the separation less ``max_distance``
    deviations of b. Component k is not open if the gap is positive and gap^2 is at least k's variance times the squared
    distance beyond which k is negligible.
    """
    depth = near.center.shape[1]
    pitch = near.covariance.shape[0] // (near.center.shape[0] * depth)
    separation, variance = 0.0, 0.0
    for j in range(depth):
        difference = get_item(pairs.differences, difference_start + j)
        separation += difference * difference
        variance += difference * get_item(pairs.products, difference_start + j)
    max_score_distance = near.max_distance**2 + 2.0 * (near.tolerance - near.offset[b] + near.offset[k])
    limit = variance * max_score_distance
    # The largest variance of b often decides; it spares a product.
    gap = separation - near.max_distance * near.spread[b] * separation**0.5
    if gap > 0.0 and gap * gap >= limit:
        return n_pairs
    own_variance = compute_quadratic_form(
        near.covariance, b * depth * pitch, pitch, pairs.differences, difference_start, depth
    )
    gap = separation - near.max_distance * own_variance**0.5
    if gap > 0.0 and gap * gap >= limit:
        return n_pairs
    pairs.candidate[n_pairs], pairs.component[n_pairs], pairs.variance[n_pairs] = b, k, variance
    return n_pairs + 1


@entry_point
def list_open_pairs(near, pairs, first_block, stop_block):
    """Append the pairs (b, k) of which component k can be open to rows near candidate b, for blocks of candidates.

    Return the number of pairs, or -1 if there is not enough space for all of them.
    """
    n_components, depth = near.center.shape
    pitch = near.covariance.shape[0] // (n_components * depth)
    max_pairs, n_pairs = pairs.candidate.shape[0] - near.block_size, 0
    for block in range(first_block, stop_block):
        for k in range(n_components):
            if not near.is_possible[k]:
                continue
            n_selected = select_components_within_reach(near, block, k, pairs)
            if n_pairs > max_pairs:
                return -1
            for first in range(0, n_selected, ROWS_PER_PROJECTION):
                for r in range(ROWS_PER_PROJECTION):
                    b = pairs.selected[min(first + r, n_selected - 1)]
                    for j in range(depth):
                        set_item(pairs.differences, r * pitch + j, near.center[b, j] - near.center[k, j])
                start = k * depth * pitch
                project_rows(
                    pairs.differences, 0, pitch, depth,
                    near.covariance[start : start + depth * pitch], pitch, pairs.products, 0,
                )  # fmt: skip
                for r in range(min(ROWS_PER_PROJECTION, n_selected - first)):
                    b = pairs.selected[first + r]
                    if b != k:
                        n_pairs = append_if_open(near, b, k, r * pitch, pairs, n_pairs)
    return n_pairs


@entry_point
def fill_candidate_lists(
    pairs, n_pairs, center, offset, list_start, n_filled, listed_component, directions, direction_shift, bound_offset
):
    """Write the listed pairs to the lists of their candidates, with the data of their bounds.

    The direction of (b, k) is m_b - m_k in units of k's deviation along it. Unused list entries keep an
    infinite ``bound_offset`` and so are never open.
    """
    depth = center.shape[1]
    for pair in range(n_pairs):
        b, k, deviation, total = pairs.candidate[pair], pairs.component[pair], pairs.variance[pair] ** 0.5, 0.0
        entry, list_length, direction_start = n_filled[b], list_start[b + 1] - list_start[b], list_start[b] * depth
        for j in range(depth):
            direction = (center[b, j] - center[k, j]) / deviation
            directions[direction_start + j * list_length + entry] = direction
            total += direction * center[k, j]
        position = list_start[b] + entry
        listed_component[position], direction_shift[position], bound_offset[position] = k, -total, -2.0 * offset[k]
        n_filled[b] += 1
