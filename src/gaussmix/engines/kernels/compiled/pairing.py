"""For very many components: which others a candidate's list has to hold, and the lists."""

from gaussmix.engines.kernels.compiled.decorator import entry

SQUARE = 32


@entry
def mark_open(products, squares, scores, offset, reach, allowed, marks, begin, end):
    """marks[b, k] = whether a row within ``reach`` of b can be open to k, for the candidates ``begin`` to ``end``.

    ``products`` holds m_b^T m_k and ``squares`` |m_k|^2; ``scores`` is -1/2 (m_b - m_k)^T S_k (m_b - m_k), called
    ``along`` without its factor. The separation along the direction m_b - m_k is ``apart`` = |m_b - m_k|^2 and the
    deviation of k there sqrt(along[b, k]), so k is closed if ``gap = apart - reach sqrt(along[k, b]) > 0`` and
    gap^2 is at least along[b, k] times the squared distance beyond which k's score does not count. Square by
    square, so that both halves of ``scores`` stay in cache.
    """
    n = products.shape[0]
    for first in range(begin, end, SQUARE):
        for other in range(0, n, SQUARE):
            for b in range(first, min(first + SQUARE, end)):
                most = reach * reach + 2.0 * (allowed - offset[b])
                for k in range(other, min(other + SQUARE, n)):
                    apart = squares[b] + squares[k] - 2.0 * products[b, k]
                    gap = apart - reach * (-2.0 * scores[k, b]) ** 0.5
                    closed = (gap > 0.0) & (gap * gap >= -2.0 * scores[b, k] * (most + 2.0 * offset[k]))
                    marks[b, k] = not closed


@entry
def fill_lists(marks, center, scores, offset, first, others, directions, shift, extra, begin, end):
    """The marked components of the candidates ``begin`` to ``end``, one after the other, with what bounds their scores.

    The direction for b and k is m_b - m_k in units of k's deviation along it; list entries left over keep
    an infinite ``extra`` and so are never open.
    """
    n_components, depth = center.shape
    for b in range(begin, end):
        entry, width, at = 0, first[b + 1] - first[b], first[b] * depth
        for k in range(n_components):
            if marks[b, k]:
                place, deviation, total = first[b] + entry, (-2.0 * scores[b, k]) ** 0.5, 0.0
                for j in range(depth):
                    direction = (center[b, j] - center[k, j]) / deviation
                    directions[at + j * width + entry] = direction
                    total += direction * center[k, j]
                others[place], shift[place], extra[place] = k, -total, -2.0 * offset[k]
                entry += 1
