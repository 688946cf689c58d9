"""For very many components: which pairs of them a candidate's list has to hold."""

from gaussmix.engines.kernels.compiled.decorator import entry

SQUARE = 32


@entry
def mark_open(products, squares, scores, offset, reach, allowed, marks):
    """marks[b, k] = whether a row within ``reach`` of b can be open to k.

    ``products`` holds m_b^T m_k and ``squares`` |m_k|^2; ``scores`` is -1/2 (m_b - m_k)^T S_k (m_b - m_k), called
    ``along`` without its factor. The separation along the direction m_b - m_k is ``apart`` = |m_b - m_k|^2 and the
    deviation of k there sqrt(along[b, k]), so k is closed if ``gap = apart - reach sqrt(along[k, b]) > 0`` and
    gap^2 is at least along[b, k] times the squared distance beyond which k's score does not count. Square by
    square, so that both halves of ``scores`` stay in cache.
    """
    n = products.shape[0]
    for first in range(0, n, SQUARE):
        for other in range(0, n, SQUARE):
            for b in range(first, min(first + SQUARE, n)):
                most = reach * reach + 2.0 * (allowed - offset[b])
                for k in range(other, min(other + SQUARE, n)):
                    apart = squares[b] + squares[k] - 2.0 * products[b, k]
                    gap = apart - reach * (-2.0 * scores[k, b]) ** 0.5
                    closed = gap > 0.0 and gap * gap >= -2.0 * scores[b, k] * (most + 2.0 * offset[k])
                    marks[b, k] = not closed
