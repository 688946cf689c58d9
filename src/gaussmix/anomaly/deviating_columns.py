"""``DeviatingColumns``: the fewest columns of each row whose replacement makes the rest of the row normal.

Leaving out columns S makes the squared distance that of the residual of R^T r after a regression on the rows S of R. So
the search is forward selection: one column after the other leaves, always the one that fits least, until the tail
probability of the rest is ordinary.
"""

from dataclasses import dataclass

import numpy as np

from gaussmix.anomaly.deviations import Deviations, chi_square_tails
from gaussmix.core.linalg import inverses
from gaussmix.types import DD, ND, AnyArray, Array, BoolN, IntArray, IntN

# A column that the columns left out determine up to this fraction of its variance has no value of its own.
_MIN_FREE_FRACTION = 1e-8


@dataclass(frozen=True)
class DeviatingColumns:
    """The columns that deviate, of n rows, and by how much.

    Attributes
    ----------
    columns : ndarray of int of shape (n, m)
        Positions, the column that deviates most first, then -1.
    z : ndarray of shape (n, m)
        How many standard deviations the value lies from its mean, given the columns that do not deviate; 0 at -1.
    expected, deviations : ndarray of shape (n, m)
        That mean and the standard deviation, in working coordinates; 0 at -1.
    partial_correlations : ndarray of shape (n, d)
        Of each column that does not deviate with that deviating column to which it is closest in this sense.
    is_rest_normal : ndarray of bool of shape (n,)
        Whether the other columns have an ordinary distance.
    """

    columns: IntArray
    z: Array
    expected: Array
    deviations: Array
    partial_correlations: ND
    is_rest_normal: BoolN

    @property
    def counts(self) -> IntN:
        """Number of deviating columns of each row, (n,)."""
        return np.asarray((self.columns >= 0).sum(axis=1))


@dataclass
class _Search:
    """State of a forward selection for n rows of one group: residuals, and what is left of each direction."""

    directions: DD
    scaled_differences: ND
    residuals: ND
    bases: list[ND]
    free_fractions: ND
    is_out: AnyArray

    @classmethod
    def begin(cls, directions: DD, scaled_differences: ND, whitened_rows: ND) -> "_Search":
        """Return the state in which no column is left out; differences (n, d) are in conditional deviations."""
        ones = np.ones(whitened_rows.shape)
        is_out = np.zeros(ones.shape, dtype=bool)
        return cls(directions, scaled_differences, whitened_rows.copy(), [], ones, is_out)

    def find_next_columns(self) -> IntN:
        """Return for each row the column that fits least among those that are left."""
        z = np.abs(self.residuals @ self.directions.T) / np.sqrt(np.maximum(self.free_fractions, _MIN_FREE_FRACTION))
        can_leave = ~self.is_out & (self.free_fractions > _MIN_FREE_FRACTION)
        return np.asarray(np.where(can_leave, z, -1.0).argmax(axis=1))

    def leave_out(self, columns: IntN, is_active: BoolN) -> None:
        """Leave out one column of each active row: project its direction out of the residual.

        Its value does not matter, so it moves to the center: the digits of a huge one would hide the other columns.
        """
        axes = self.directions[columns]
        for _ in range(2):  # a second pass restores what rounding took from orthogonality
            for basis in self.bases:
                axes = axes - np.einsum("nd,nd->n", basis, axes)[:, None] * basis
        axes = axes / np.sqrt(np.square(axes).sum(axis=1))[:, None] * is_active[:, None]
        self.bases.append(axes)
        self.free_fractions = self.free_fractions - np.square(axes @ self.directions.T)
        self.is_out[np.arange(len(columns))[is_active], columns[is_active]] = True
        self.residuals = np.where(self.is_out, 0.0, self.scaled_differences) @ self.directions
        for basis in self.bases:
            self.residuals -= np.einsum("nd,nd->n", basis, self.residuals)[:, None] * basis


def find_deviating_columns(
    deviations: Deviations, is_anomaly: BoolN, level: float, max_columns: int
) -> DeviatingColumns:
    """Return the deviating columns of each row marked in ``is_anomaly`` (n,); other rows have none.

    Parameters
    ----------
    deviations : Deviations
    is_anomaly : ndarray of bool of shape (n,)
        Each of these rows has at least one deviating column.
    level : float
        The rest of a row is normal if its tail probability is at least this.
    max_columns : int
        At most this many columns of a row leave, and one stays.
    """
    n_rows, n_features = deviations.differences.shape
    width = max(1, min(max_columns, n_features - 1))
    found = DeviatingColumns(
        np.full((n_rows, width), -1, dtype=np.int64),
        np.zeros((n_rows, width)),
        np.zeros((n_rows, width)),
        np.zeros((n_rows, width)),
        np.zeros((n_rows, n_features)),
        np.ones(n_rows, dtype=bool),
    )
    for k in np.unique(deviations.groups[is_anomaly]):
        rows = np.flatnonzero(is_anomaly & (deviations.groups == k))
        found.columns[rows], found.is_rest_normal[rows] = _select_columns(
            deviations.shapes.directions[k],
            deviations.differences[rows] / deviations.shapes.conditional_deviations[k],
            deviations.whitened_rows[rows],
            level,
            width,
        )
        for count in range(1, width + 1):
            _compare_rows_with_rest(found, deviations, rows[found.counts[rows] == count], count)
    return found


def _compare_rows_with_rest(found: DeviatingColumns, deviations: Deviations, rows: IntN, count: int) -> None:
    """Fill in what the rest of each row says, for the rows of one group of which ``count`` columns deviate."""
    if not len(rows):
        return
    k, chosen = deviations.groups[rows[0]], found.columns[rows, :count]
    shapes, index = deviations.shapes, np.arange(len(rows))[:, None]
    blocks, found.partial_correlations[rows] = _relate_to_rest(shapes.scaled_precisions[k], chosen)
    units = shapes.conditional_deviations[k][chosen]
    own_deviations = units * np.sqrt(np.einsum("nss->ns", blocks))
    z = units * np.einsum("nst,nt->ns", blocks, deviations.conditional_z[rows[:, None], chosen]) / own_deviations
    scaled = deviations.differences[rows] / shapes.conditional_deviations[k]
    scaled[index, chosen] = 0.0  # the mean does not depend on these values, and huge ones would hide it
    forces = (scaled @ shapes.directions[k] @ shapes.directions[k].T)[index, chosen]
    expected = shapes.centers[k][chosen] - units * np.einsum("nst,nt->ns", blocks, forces)
    order = np.argsort(-np.abs(z), axis=1, kind="stable")
    for array, values in (
        (found.columns, chosen),
        (found.z, z),
        (found.expected, expected),
        (found.deviations, own_deviations),
    ):
        array[rows, :count] = np.take_along_axis(values, order, axis=1)


def _select_columns(
    directions: DD, scaled_differences: ND, whitened_rows: ND, level: float, width: int
) -> tuple[IntArray, BoolN]:
    """Return the columns (n, width) that leave each row, -1 where none does, and whether the rest is normal."""
    n_rows, n_features = whitened_rows.shape
    columns = np.full((n_rows, width), -1, dtype=np.int64)
    search, is_active = _Search.begin(directions, scaled_differences, whitened_rows), np.ones(n_rows, dtype=bool)
    for step in range(width):
        chosen = search.find_next_columns()
        columns[is_active, step] = chosen[is_active]
        search.leave_out(chosen, is_active)
        rest = np.square(search.residuals).sum(axis=1)
        is_active = is_active & (chi_square_tails(rest, n_features - step - 1) < level)
        if not is_active.any():
            break
    return columns, ~is_active


def _relate_to_rest(scaled: DD, columns: IntArray) -> tuple[Array, ND]:
    """Return covariances (n, s, s) of s columns given the others, and partial correlations (n, d) with these.

    ``scaled`` (d, d) is the scaled precision of the group. Covariances are in conditional standard deviations.
    """
    rows = np.arange(len(columns))[:, None]
    couplings = scaled[columns]
    blocks = inverses(scaled[columns[:, :, None], columns[:, None, :]])
    variances = np.einsum("nss->ns", blocks)
    links = np.einsum("nst,ntd->nsd", blocks, couplings)  # regression coefficients, sign changed
    squares = np.square(links) / variances[:, :, None]
    free = 1.0 - np.einsum("nsd,nsd->nd", links, couplings)
    free = np.maximum(free, _MIN_FREE_FRACTION)
    partial = -np.sign(links) * np.sqrt(squares / (free[:, None, :] + squares))
    strongest = np.take_along_axis(partial, np.abs(partial).argmax(axis=1)[:, None, :], axis=1)[:, 0]
    strongest[rows, columns] = 0.0
    return blocks, strongest
