"""For very many components: which pairs of them a candidate's list has to hold."""

from gaussmix.engines.kernels.compiled.decorator import kernel

SQUARE = 32


@kernel
def mark_open(apart, along, offset, reach, allowed, marks):
    """marks[b, k] = whether a row within ``reach`` of b can be open to k.

    ``apart`` holds |m_b - m_k|^2 and ``along`` (m_b - m_k)^T S_k (m_b - m_k): the separation along the direction
    m_b - m_k is ``apart`` and the deviation of k there sqrt(``along``), so k is closed if
    ``apart - reach sqrt(along[k, b]) > 0`` and its square is at least ``along[b, k]`` times the squared distance
    that k's score may not exceed. Square by square, so that both halves of ``along`` stay in cache.
    """
    n = apart.shape[0]
    for first in range(0, n, SQUARE):
        for other in range(0, n, SQUARE):
            for b in range(first, min(first + SQUARE, n)):
                most = reach * reach + 2.0 * (allowed - offset[b])
                for k in range(other, min(other + SQUARE, n)):
                    gap = apart[b, k] - reach * along[k, b] ** 0.5
                    closed = gap > 0.0 and gap * gap >= along[b, k] * (most + 2.0 * offset[k])
                    marks[b, k] = not closed
