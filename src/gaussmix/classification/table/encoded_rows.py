"""``EncodedRows``: the rows of a table as standardised numbers and as codes of levels, with gaps."""

from dataclasses import dataclass

from gaussmix.types import ND, AnyArray, IntNC


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """Rows in the coordinates of a `TableSchema`.

    Attributes
    ----------
    numeric : ndarray of shape (n, D)
        Transformed and standardised numbers, NaN where missing.
    codes : ndarray of int64 of shape (n, C)
        Position of the level in each categorical column, -1 where it is missing or unknown.
    """

    numeric: ND
    codes: IntNC

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.numeric)

    def select_rows(self, rows: AnyArray | slice) -> "EncodedRows":
        """Return some of the rows: by positions, a mask (n,) or a slice."""
        return EncodedRows(self.numeric[rows], self.codes[rows])
