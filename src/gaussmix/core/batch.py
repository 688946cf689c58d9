"""``Batch``: all an engine sees of the data at one time."""

from dataclasses import dataclass, replace

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.types import ND, NK, AnyArray, IntN, N


@dataclass(frozen=True)
class Batch:
    """Consecutive rows as they are stored, and the frame that takes them to working coordinates.

    ``stored`` (n, D) has any float type, byte order and layout, in the data's units; ``rows`` are
    the same in working coordinates. ``weights`` (n,) count each row as that many; None counts each
    once. ``hints`` say what is known of a row's component: integers (n,), -1 where nothing is
    known, or log prior probabilities (n, K). ``first_row`` is the position of the first row in the
    whole data. Without a ``frame`` the stored rows are in working coordinates already.
    """

    raw_rows: AnyArray
    weights: N | None = None
    label_prior: IntN | NK | None = None
    first_row: int = 0
    frame: Frame | None = None

    @property
    def n_rows(self) -> int:
        return len(self.raw_rows)

    @property
    def row_slice(self) -> slice:
        """Where the rows of this batch stand in an array over all rows."""
        return slice(self.first_row, self.first_row + self.n_rows)

    @property
    def rows(self) -> ND:
        """Rows (n, D) in working coordinates, float64, read-only; made once.

        One of weight zero is absent and stands at the frame's centre, so that it cannot overflow.
        """
        found: ND | None = self.__dict__.get("_rows")
        if found is None:  # functools.cached_property makes all threads wait for one another before Python 3.12
            found = self.__dict__["_rows"] = self._compute_rows()
        return found

    @property
    def positive_weight_rows(self) -> ND:
        """The rows that weigh something, in working coordinates."""
        return self.rows if self.weights is None else self.rows[self.weights > 0]

    def _compute_rows(self) -> ND:
        if self.weights is None:
            rows = self._transform_raw_rows()
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                rows = self._transform_raw_rows()
            absent = self.weights == 0
            if absent.any():
                rows = np.where(absent[:, None], 0.0, rows)
        rows.flags.writeable = False
        return rows

    def _transform_raw_rows(self) -> ND:
        if self.frame is None or self.frame.is_identity:
            return np.ascontiguousarray(self.raw_rows, dtype=np.float64).view()
        return self.frame.transform_rows(self.raw_rows)

    def sub_batch(self, start: int, stop: int) -> "Batch":
        """The batch of the rows from ``start`` up to ``stop`` of this one."""
        if start == 0 and stop >= self.n_rows:
            return self
        return replace(
            self,
            raw_rows=self.raw_rows[start:stop],
            weights=None if self.weights is None else self.weights[start:stop],
            label_prior=None if self.label_prior is None else self.label_prior[start:stop],
            first_row=self.first_row + start,
        )

    def label_log_prior(self, n_components: int) -> NK | None:
        """What the hints add to the scores (n, K): minus infinity closes a component to a row."""
        if self.label_prior is None:
            return None
        if self.label_prior.ndim == 2:
            return np.asarray(self.label_prior, dtype=np.float64)
        known = self.label_prior[:, None]
        return np.where((known < 0) | (known == np.arange(n_components)), 0.0, -np.inf)
