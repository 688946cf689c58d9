"""``Deviations``: how far rows lie from the group they belong to, column by column, without units.

Let r = x - mean, P the precision of the group and R a square root of it, P = R R^T. Column j contributes r_j (P r)_j to
the squared distance r^T P r. These are its Shapley values if a column left out has its mean (Mayrhofer & Filzmoser,
"Multivariate outlier explanations using Shapley values and Mahalanobis distances", Econometrics and Statistics, 2023).
The conditional z is z_j = (P r)_j / sqrt(P_jj): how many standard deviations x_j lies from its conditional mean, given
all other columns. Without column j the squared distance is smaller by z_j^2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from gaussmix.errors import RowTooFarError
from gaussmix.model import Mixture
from gaussmix.types import KD, KDD, ND, Array, D, IntN, K, N


@dataclass(frozen=True)
class GroupShapes:
    """The K groups of a mixture in working coordinates, with everything that distances and conditionals need.

    Attributes
    ----------
    centers : ndarray of shape (K, d)
    directions : ndarray of shape (K, d, d)
        Rows of R, divided by their lengths. Their products are the scaled precision C = P_ij / sqrt(P_ii P_jj).
    conditional_deviations : ndarray of shape (K, d)
        1 / sqrt(P_jj): the standard deviation of each column, given all others.
    marginal_deviations : ndarray of shape (K, d)
    log_constants : ndarray of shape (K,)
        Log weight - log |covariance| / 2; minus infinity closes a group.
    """

    centers: KD
    directions: KDD
    conditional_deviations: KD
    marginal_deviations: KD
    log_constants: K

    @classmethod
    def from_mixture(cls, mixture: Mixture) -> "GroupShapes":
        """Return the groups of a mixture; noise is none."""
        roots = mixture.covariance.precision_root.to_dense(*mixture.centers.shape)
        lengths = np.sqrt(np.square(roots).sum(axis=2))
        variances = np.diagonal(mixture.covariance.matrices(), axis1=1, axis2=2)
        with np.errstate(divide="ignore"):
            log_constants = np.log(mixture.weights) - 0.5 * mixture.covariance.log_determinants
        return cls(mixture.centers, roots / lengths[:, :, None], 1.0 / lengths, np.sqrt(variances), log_constants)

    @cached_property
    def scaled_precisions(self) -> KDD:
        """C_k (K, d, d), with ones on the diagonals; other entries are partial correlations with the sign changed."""
        return np.asarray(self.directions @ np.swapaxes(self.directions, 1, 2))

    def overall_deviations(self, weights: K) -> D:
        """Return the standard deviations (d,) of the columns in the whole mixture of weights (K,)."""
        shares = weights / weights.sum()
        spread = np.square(self.centers - shares @ self.centers)
        return np.asarray(np.sqrt(shares @ (np.square(self.marginal_deviations) + spread)))


@dataclass(frozen=True)
class Deviations:
    """Deviations of n rows from their groups, in d linearly independent columns.

    Attributes
    ----------
    shapes : GroupShapes
    groups : ndarray of int of shape (n,)
        The group each row is compared with.
    differences : ndarray of shape (n, d)
        Row minus center, in working coordinates.
    whitened_rows : ndarray of shape (n, d)
        R^T r, whose squared length is the squared distance.
    """

    shapes: GroupShapes
    groups: IntN
    differences: ND
    whitened_rows: ND

    @property
    def squared_distances(self) -> N:
        """Squared Mahalanobis distances from the groups, (n,)."""
        return np.asarray(np.square(self.whitened_rows).sum(axis=1))

    @cached_property
    def conditional_z(self) -> ND:
        """How many standard deviations each value lies from its mean given all other columns, (n, d)."""
        z = np.empty_like(self.whitened_rows)
        for k in np.unique(self.groups):
            z[self.groups == k] = self.whitened_rows[self.groups == k] @ self.shapes.directions[k].T
        return z

    @property
    def contributions(self) -> ND:
        """r_j (P r)_j, which add up to the squared distances, (n, d); some may be negative."""
        return np.asarray(self.differences / self.shapes.conditional_deviations[self.groups] * self.conditional_z)

    @property
    def marginal_z(self) -> ND:
        """How many standard deviations each value lies from the mean of its group, (n, d)."""
        return np.asarray(self.differences / self.shapes.marginal_deviations[self.groups])

    @property
    def conditional_means(self) -> ND:
        """Mean of each column given all other columns, (n, d), in working coordinates."""
        shifts = np.empty_like(self.differences)
        for k in np.unique(self.groups):
            couplings = self.shapes.scaled_precisions[k].copy()
            np.fill_diagonal(couplings, 0.0)
            units, of_group = self.shapes.conditional_deviations[k], self.groups == k
            shifts[of_group] = units * ((self.differences[of_group] / units) @ couplings)
        return np.asarray(self.shapes.centers[self.groups] - shifts)


def measure_deviations(mixture: Mixture, points: ND) -> Deviations:
    """Return the deviations of points (n, d), in working coordinates, from the group that each belongs to.

    That is the most probable group if the column that fits least may have any value: the k with the largest log weight
    - log |S_k| / 2 - (distance^2 - max_j z_j^2) / 2. One wrong value often moves a row close to another group, and the
    other columns still tell where it belongs.

    Raises
    ------
    RowTooFarError
        If a squared distance overflows.
    """
    shapes = GroupShapes.from_mixture(mixture)
    best_scores = np.full(len(points), -np.inf)
    groups = np.zeros(len(points), dtype=np.int64)
    differences, whitened_rows = np.zeros_like(points), np.full_like(points, np.inf)
    for k in np.flatnonzero(mixture.weights > 0):
        with np.errstate(over="ignore", invalid="ignore"):
            differences_from_group = points - shapes.centers[k]
            whitened = mixture.covariance.precision_root.whiten(differences_from_group, int(k))
            rest = _squared_distances_without_one_column(differences_from_group, whitened, shapes, int(k))
            scores = shapes.log_constants[k] - 0.5 * rest
            is_better = (scores > best_scores) & np.isfinite(np.square(whitened).sum(axis=1))
        best_scores[is_better], groups[is_better] = scores[is_better], k
        differences[is_better], whitened_rows[is_better] = differences_from_group[is_better], whitened[is_better]
    if np.isinf(whitened_rows).any():
        raise RowTooFarError.from_row(int(np.argmax(np.isinf(whitened_rows).any(axis=1))))
    return Deviations(shapes, groups, differences, whitened_rows)


def _squared_distances_without_one_column(differences: ND, whitened: ND, shapes: GroupShapes, group: int) -> N:
    """Return the smallest squared distance (n,) that leaving out one column gives.

    It is that of a residual. The difference of two squared distances would lose all digits of far rows. The value of
    the column does not matter, so it moves to the center: a huge one would hide the other columns.
    """
    z = whitened @ shapes.directions[group].T
    columns = np.abs(z).argmax(axis=1)
    scaled = differences / shapes.conditional_deviations[group]
    scaled[np.arange(len(z)), columns] = 0.0
    rest, axes = scaled @ shapes.directions[group], shapes.directions[group][columns]
    steps = np.einsum("nd,nd->n", rest, axes)
    return np.asarray(np.square(rest - steps[:, None] * axes).sum(axis=1))


def chi_square_tails(squared_distances: N, n_features: int | Array | D) -> N:
    """Return the probability that a row of the group has a larger squared distance; 1 for no columns."""
    n_columns = np.asarray(n_features)
    return np.where(n_columns > 0, special.chdtrc(np.maximum(n_columns, 1), squared_distances), 1.0)
