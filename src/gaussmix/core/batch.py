"""``Batch``: all an engine sees of the data at one time."""

from dataclasses import dataclass

import numpy as np

from gaussmix.core.frame import Frame
from gaussmix.core.label_prior import KnownComponents, LabelPrior, require_log_prior_of_rows
from gaussmix.types import ND, NK, AnyArray, IntN, IntNC, N


@dataclass(frozen=True)
class Batch:
    """Consecutive rows as they are stored, and the frame that takes them to working coordinates.

    Attributes
    ----------
    raw_rows : ndarray of shape (n, D)
        The continuous columns, of any float type, byte order and layout, in the data's units. Without a ``frame``
        they are in working coordinates already.
    weights : ndarray of shape (n,) or None
        How often each row counts; None counts each once.
    label_prior : LabelPrior or None
        What is known of each row's component.
    first_row : int
        Number of rows in the batches before this one. A source must set it: predictions and label priors find their
        rows by it.
    frame : Frame or None
        The map to working coordinates.
    codes : ndarray of int64 of shape (n, C) or None
        Levels of the categorical columns from 0, -1 where missing.
    """

    raw_rows: AnyArray
    weights: N | None = None
    label_prior: LabelPrior | None = None
    first_row: int = 0
    frame: Frame | None = None
    codes: IntNC | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows n."""
        return len(self.raw_rows)

    @property
    def row_slice(self) -> slice:
        """The slice at which the rows of this batch stand in an array over all rows of the data."""
        return slice(self.first_row, self.first_row + self.n_rows)

    @property
    def rows(self) -> ND:
        """Rows (n, D) in working coordinates, float64, read-only, with zeros for rows of weight zero; computed once.

        The zeros are the frame's center. Without them a row of weight zero could overflow.
        """
        rows: ND | None = self.__dict__.get("_rows")
        if rows is None:  # functools.cached_property makes all threads wait for one another before Python 3.12
            rows = self.__dict__["_rows"] = self._compute_rows()
        return rows

    def __getstate__(self) -> dict[str, object]:
        """Return the fields alone, without what was computed from them."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    @property
    def positive_weight_rows(self) -> ND:
        """The rows of positive weight in working coordinates, (number of such rows, D)."""
        return self.rows if self.weights is None else self.rows[self.weights > 0]

    def _compute_rows(self) -> ND:
        """Return the rows (n, D) in working coordinates, read-only, with zeros for rows of weight zero."""
        if self.weights is None:
            rows = self._transform_raw_rows()
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                rows = self._transform_raw_rows()
            has_zero_weight = self.weights == 0
            if has_zero_weight.any():
                rows = np.where(has_zero_weight[:, None], 0.0, rows)
        rows.flags.writeable = False
        return rows

    def _transform_raw_rows(self) -> ND:
        """Return all rows (n, D) in working coordinates, as float64."""
        if self.frame is None or self.frame.is_identity:
            return np.ascontiguousarray(self.raw_rows, dtype=np.float64).view()
        return self.frame.transform_rows(self.raw_rows)

    def sub_batch(self, start: int, stop: int) -> "Batch":
        """Return the batch of rows ``start`` to ``stop`` - 1 of this one, counted from its first row."""
        if start == 0 and stop >= self.n_rows:
            return self
        part = Batch(
            self.raw_rows[start:stop],
            None if self.weights is None else self.weights[start:stop],
            None if self.label_prior is None else self.label_prior.select_rows(slice(start, stop)),
            self.first_row + start,
            self.frame,
            None if self.codes is None else self.codes[start:stop],
        )
        rows: ND | None = self.__dict__.get("_rows")
        if rows is not None:
            part.__dict__["_rows"] = rows[start:stop]
        return part

    @property
    def resolved_label_prior(self) -> LabelPrior | None:
        """The label prior of these rows, None without one; a prior that depends on the rows is computed once."""
        if self.label_prior is None:
            return None
        if "_label_prior" not in self.__dict__:
            self.__dict__["_label_prior"] = self.label_prior.resolve(self)
        resolved: LabelPrior | None = self.__dict__["_label_prior"]
        return resolved

    def known_labels(self, n_components: int) -> IntN | None:
        """Return the known component (n,) of each row, -1 where unknown; None if the label prior is of another kind.

        Raises
        ------
        LabelError
            If there is not one label per row, or a label is not from -1 to ``n_components`` - 1.
        """
        prior = self.resolved_label_prior
        if not isinstance(prior, KnownComponents):
            return None
        prior.require_components(self.n_rows, n_components, self.first_row)
        return prior.labels

    def label_log_prior(self, n_components: int) -> NK | None:
        """Return the log prior (n, K) that is added to the scores of these rows; None without a label prior.

        Raises
        ------
        LabelError
            If the prior has another shape, a label that is no component, or a row without an allowed component.
        """
        prior = self.resolved_label_prior
        if prior is None:
            return None
        self.known_labels(n_components)
        log_prior = np.asarray(prior.log_prior(n_components))
        require_log_prior_of_rows(log_prior, self.n_rows, n_components, self.first_row)
        return log_prior
