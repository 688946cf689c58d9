"""``Batch``: all an engine sees of the data at one time."""

from dataclasses import dataclass

import numpy as np

from gaussmix.types import ND, NK, IntN, N


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows in working coordinates.

    ``weights`` (n,) count each row as that many; None counts each once. ``hints`` say what is
    known of a row's component: integers (n,), -1 where nothing is known, or log prior
    probabilities (n, K). ``first_row`` is the position of the first row in the whole data.
    """

    rows: ND
    weights: N | None = None
    hints: IntN | NK | None = None
    first_row: int = 0

    @property
    def n_rows(self) -> int:
        return len(self.rows)

    @property
    def slice(self) -> slice:
        """Where the rows of this batch stand in an array over all rows."""
        return slice(self.first_row, self.first_row + self.n_rows)

    def hint_scores(self, n_components: int) -> NK | None:
        """What the hints add to the scores (n, K): minus infinity closes a component to a row."""
        if self.hints is None:
            return None
        if self.hints.ndim == 2:
            return np.asarray(self.hints, dtype=np.float64)
        known = self.hints[:, None]
        return np.where((known < 0) | (known == np.arange(n_components)), 0.0, -np.inf)
