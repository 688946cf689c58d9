"""For very many components: which others a candidate's list has to hold, and the lists."""

from gaussmix.engines.kernels.codegen.decorators import entry_point

COMPONENTS_PER_SQUARE = 32


@entry_point
def mark_open_pairs(products, squares, scores, offset, max_distance, tolerance, open_pairs, begin, end):
    """marks[b, k] = whether a row within ``reach`` of b can be open to k, for the candidates ``begin`` to ``end``.

    ``products`` holds m_b^T m_k and ``squares`` |m_k|^2; ``scores`` is -1/2 (m_b - m_k)^T S_k (m_b - m_k), called
    ``along`` without its factor. The separation along the direction m_b - m_k is ``apart`` = |m_b - m_k|^2 and the
    deviation of k there sqrt(along[b, k]), so k is closed if ``gap = apart - reach sqrt(along[k, b]) > 0`` and
    gap^2 is at least along[b, k] times the squared distance beyond which k's score does not count. Square by
    square, so that both halves of ``scores`` stay in cache.
    """
    n = products.shape[0]
    for first in range(begin, end, COMPONENTS_PER_SQUARE):
        for other in range(0, n, COMPONENTS_PER_SQUARE):
            for b in range(first, min(first + COMPONENTS_PER_SQUARE, end)):
                most = max_distance * max_distance + 2.0 * (tolerance - offset[b])
                for k in range(other, min(other + COMPONENTS_PER_SQUARE, n)):
                    apart = squares[b] + squares[k] - 2.0 * products[b, k]
                    gap = apart - max_distance * (-2.0 * scores[k, b]) ** 0.5
                    closed = (gap > 0.0) & (gap * gap >= -2.0 * scores[b, k] * (most + 2.0 * offset[k]))
                    open_pairs[b, k] = not closed


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
    """The marked components of the candidates ``begin`` to ``end``, one after the other, with what bounds their scores.

    The direction for b and k is m_b - m_k in units of k's deviation along it; list entries left over keep
    an infinite ``extra`` and so are never open.
    """
    n_components, depth = center.shape
    for b in range(begin, end):
        entry, width, at = 0, list_start[b + 1] - list_start[b], list_start[b] * depth
        for k in range(n_components):
            if open_pairs[b, k]:
                place, deviation, total = list_start[b] + entry, (-2.0 * scores[b, k]) ** 0.5, 0.0
                for j in range(depth):
                    direction = (center[b, j] - center[k, j]) / deviation
                    directions[at + j * width + entry] = direction
                    total += direction * center[k, j]
                listed_component[place], direction_shift[place], bound_offset[place] = k, -total, -2.0 * offset[k]
                entry += 1
