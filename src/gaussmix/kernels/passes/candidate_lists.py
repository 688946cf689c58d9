"""Build the lists of components for every candidate, for models with very many components."""

from gaussmix.kernels.codegen.decorators import entry_point

# Components per side of a square of pairs, so that both halves of ``scores`` stay in cache.
COMPONENTS_PER_SQUARE = 32


@entry_point
def mark_open_pairs(products, squares, scores, offset, max_distance, tolerance, open_pairs, begin, end):
    """Set open_pairs[b, k] to whether a row within ``max_distance`` of b can be open to k, for begin <= b < end.

    ``products`` holds m_b^T m_k, ``squares`` |m_k|^2 and ``scores`` -1/2 (m_b - m_k)^T S_k (m_b - m_k). Along
    the direction m_b - m_k, the separation is |m_b - m_k|^2 and the variance of component k is -2 scores[b, k].
    The gap is separation - max_distance sqrt(-2 scores[k, b]). Component k is not open if the gap is
    positive and gap^2 is at least that variance times the squared distance beyond which k is negligible.
    """
    n = products.shape[0]
    for first_candidate in range(begin, end, COMPONENTS_PER_SQUARE):
        for first_component in range(0, n, COMPONENTS_PER_SQUARE):
            for b in range(first_candidate, min(first_candidate + COMPONENTS_PER_SQUARE, end)):
                max_score_distance = max_distance * max_distance + 2.0 * (tolerance - offset[b])
                for k in range(first_component, min(first_component + COMPONENTS_PER_SQUARE, n)):
                    separation = squares[b] + squares[k] - 2.0 * products[b, k]
                    gap = separation - max_distance * (-2.0 * scores[k, b]) ** 0.5
                    is_closed = (gap > 0.0) & (
                        gap * gap >= -2.0 * scores[b, k] * (max_score_distance + 2.0 * offset[k])
                    )
                    open_pairs[b, k] = not is_closed


@entry_point
def fill_candidate_lists(
    open_pairs,
    center,
    scores,
    offset,
    list_start,
    listed_component,
    directions,
    direction_shift,
    bound_offset,
    begin,
    end,
):
    """Write the open components of the candidates b, begin <= b < end, and the data of their bounds.

    The direction of (b, k) is m_b - m_k in units of k's deviation along it. Unused list entries keep an
    infinite ``bound_offset`` and so are never open.
    """
    n_components, depth = center.shape
    for b in range(begin, end):
        entry, list_length, direction_start = 0, list_start[b + 1] - list_start[b], list_start[b] * depth
        for k in range(n_components):
            if open_pairs[b, k]:
                position, deviation, total = list_start[b] + entry, (-2.0 * scores[b, k]) ** 0.5, 0.0
                for j in range(depth):
                    direction = (center[b, j] - center[k, j]) / deviation
                    directions[direction_start + j * list_length + entry] = direction
                    total += direction * center[k, j]
                listed_component[position], direction_shift[position], bound_offset[position] = (
                    k,
                    -total,
                    -2.0 * offset[k],
                )
                entry += 1
