"""The leading eigenvectors of a scatter in units of some noise: exact where that is cheap, else better than before."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.core import linalg
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.types import DQ, KD, KDD, Array, D, K

_EXACT = 64
"""Columns up to which all eigenvectors are computed at every turn."""


@dataclass(frozen=True)
class Scatter:
    """Sums of squares W (G, D, D) of groups, one per component or one for all, and their masses m (G,); S = W / m."""

    mass: K
    sums: KDD

    @classmethod
    def of(cls, moments: Moments) -> "Scatter":
        """From full moments, or from pooled ones as one group."""
        if moments.kind is MomentKind.POOLED_FULL:
            return cls(np.array([moments.mass.sum()]), moments.scatter[None])
        return cls(moments.mass, moments.scatter)

    @cached_property
    def _divisor(self) -> K:
        return np.asarray(np.where(self.mass > 0, self.mass, 1.0))

    @cached_property
    def variances(self) -> KD:
        """The diagonal of each S."""
        return np.asarray(np.maximum(np.einsum("gii->gi", self.sums), 0.0) / self._divisor[:, None])

    def times(self, group: int, columns: Array) -> Array:
        """S columns, of one group."""
        return np.asarray(self.sums[group] @ columns / self._divisor[group])

    def scaled(self, group: int, scales: D) -> Array:
        """diag(scales) S diag(scales), of one group."""
        return np.asarray(self.sums[group] * (scales[:, None] * (scales / self._divisor[group])))


@dataclass(frozen=True)
class Leading:
    """Eigenvalues (q,), falling, and orthonormal vectors (D, q) of Psi^-1/2 S Psi^-1/2, and its products with these.

    Where they are not exact, they are those of the matrix seen from a subspace: all that is said of loadings and noise
    made of them holds of the subspace.
    """

    values: Array
    vectors: DQ
    pushed: DQ
    is_exact: bool

    def loadings(self, deviation: D) -> DQ:
        """The best loadings for noise of this standard deviation: U (L - 1)^1/2 in its units."""
        return np.asarray(deviation[:, None] * self.vectors * np.sqrt(np.maximum(self.values - 1.0, 0.0)))

    def crossed(self, deviation: D) -> DQ:
        """S Sigma^-1 Lambda for these loadings: the products with U (L - 1)^1/2 / L."""
        over = np.maximum(self.values, 1.0)
        return np.asarray(deviation[:, None] * self.pushed * (np.sqrt(over - 1.0) / over))


def leading(scatter: Scatter, group: int, inverse: D, loadings: DQ | None, count: int) -> Leading:
    """The ``count`` leading eigenvectors of a group's S, with rows and columns scaled by ``inverse``.

    With many columns, and loadings to begin with, they are sought in the space of these, and of their products with
    the matrix: a step of subspace iteration (Rutishauser, Numerische Mathematik 13, 1969) that keeps where it began,
    so that no eigenvalue can fall.
    """
    n_features = len(inverse)
    if loadings is None or n_features <= _EXACT or 2 * count >= n_features:
        values, vectors = linalg.leading_eigen(scatter.scaled(group, inverse), count)
        return Leading(values, vectors, vectors * values, True)
    unit = inverse[:, None]
    plain = loadings * unit
    basis = linalg.orthonormal(np.concatenate([plain, unit * scatter.times(group, unit * plain)], axis=1))
    pushed = unit * scatter.times(group, unit * basis)
    values, inner = linalg.leading_eigen(basis.T @ pushed, count)
    return Leading(values, basis @ inner, pushed @ inner, False)
