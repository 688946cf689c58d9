"""``FeatureLayout``: the features of a row in which the score of every component is linear.

Within a component numeric columns are Gaussian and categorical columns are multinomial. The log density is then linear
in few features of the row: its values, their squares and products, and an indicator of each level. A missing cell
has features of zero, so it drops out of all sums. Columns outside the correlated block are independent within
a component, so every cell of theirs can be missing alone; the block needs one set of coefficients for each pattern
of missing cells.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix.types import IntD


@dataclass(frozen=True)
class FeatureLayout:
    """Positions of the P features of a row.

    Attributes
    ----------
    n_numeric : int
        Number of numeric columns D.
    block : tuple of int
        Positions of the b numeric columns that have a full covariance, ascending.
    n_levels : tuple of int
        Number of levels of each of the C categorical columns.
    """

    n_numeric: int
    block: tuple[int, ...]
    n_levels: tuple[int, ...]

    @cached_property
    def block_columns(self) -> IntD:
        """Positions of the block's columns (b,)."""
        return np.array(self.block, dtype=np.int64)

    @cached_property
    def independent_columns(self) -> IntD:
        """Positions of the other numeric columns (D - b,), which are independent within a component."""
        return np.setdiff1d(np.arange(self.n_numeric), self.block_columns)

    @cached_property
    def block_pairs(self) -> tuple[IntD, IntD]:
        """Both columns of each product in the block, counted within the block; the first is not the larger."""
        first, second = np.triu_indices(len(self.block))
        return first.astype(np.int64), second.astype(np.int64)

    @cached_property
    def _boundaries(self) -> IntD:
        """First position of each kind of features, in the order of the properties below."""
        n_independent, n_block = len(self.independent_columns), len(self.block)
        sizes = [1, n_independent, n_independent, n_independent, n_block, len(self.block_pairs[0]), *self.n_levels]
        return np.cumsum([0, *sizes])

    def _kind(self, index: int) -> slice:
        """Return the positions of one kind of features."""
        return slice(int(self._boundaries[index]), int(self._boundaries[index + 1]))

    @cached_property
    def n_features(self) -> int:
        """Number of features P."""
        return int(self._boundaries[-1])

    @property
    def constant(self) -> int:
        """Position of the feature that is always 1."""
        return 0

    @cached_property
    def present(self) -> slice:
        """Whether each independent column is present."""
        return self._kind(1)

    @cached_property
    def values(self) -> slice:
        """Values of the independent columns."""
        return self._kind(2)

    @cached_property
    def squares(self) -> slice:
        """Squares of the independent columns."""
        return self._kind(3)

    @cached_property
    def block_values(self) -> slice:
        """Values of the block's columns."""
        return self._kind(4)

    @cached_property
    def block_products(self) -> slice:
        """Products of the block's columns, one for each pair of `block_pairs`."""
        return self._kind(5)

    @cached_property
    def levels(self) -> tuple[slice, ...]:
        """Indicators of the levels of each categorical column."""
        return tuple(self._kind(6 + c) for c in range(len(self.n_levels)))
