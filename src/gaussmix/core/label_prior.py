"""What is known of the components of rows before a model scores them: labels, allowed components or probabilities."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaussmix.core.input_labels import parse_label_integers
from gaussmix.errors import LabelError, ParameterError
from gaussmix.types import NK, AnyArray, ArrayLike, BoolNK, IntN

if TYPE_CHECKING:
    from gaussmix.core.batch import Batch


class LabelPrior(ABC):
    """What is known of the component of each row; it travels with the rows in a `Batch`."""

    @property
    def n_rows(self) -> int | None:
        """Number of rows n that the prior describes; None if it describes any number, as by default."""
        return None

    @abstractmethod
    def log_prior(self, n_components: int) -> NK:
        """Return the log prior (n, K) that is added to the scores; minus infinity excludes a component from a row."""

    @abstractmethod
    def select_rows(self, rows: slice | IntN) -> "LabelPrior":
        """Return the prior of some of the rows, by slice or by row numbers."""

    def resolve(self, batch: "Batch") -> "LabelPrior | None":
        """Return the label prior to use for a batch: this one, unless a subclass computes it from the rows."""
        return self


@dataclass(frozen=True)
class KnownComponents(LabelPrior):
    """The component of each row: ``labels`` (n,) are component numbers from 0, -1 where nothing is known."""

    labels: IntN

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", parse_label_integers(self.labels))

    @property
    def n_rows(self) -> int:
        """Number of labels n."""
        return len(self.labels)

    def require_components(self, n_rows: int, n_components: int, first_row: int) -> None:
        """Raise a LabelError unless there are ``n_rows`` labels from -1 to ``n_components`` - 1.

        ``first_row`` is the position of the first of these rows in the whole data; the error names the position.
        """
        if self.labels.shape != (n_rows,):
            raise LabelError.wrong_shape(self.labels.shape, n_rows)
        if n_rows and (self.labels.min() < -1 or self.labels.max() >= n_components):
            row = int(np.argmax((self.labels < -1) | (self.labels >= n_components)))
            raise LabelError.invalid_label(int(self.labels[row]), first_row + row, n_components)

    def log_prior(self, n_components: int) -> NK:
        """Return 0 for the known component of a row and minus infinity for others, (n, K); 0 if it is unknown."""
        known = self.labels[:, None]
        return np.where((known < 0) | (known == np.arange(n_components)), 0.0, -np.inf)

    def select_rows(self, rows: slice | IntN) -> "KnownComponents":
        """Return the label prior of some rows, by slice or by row numbers."""
        return KnownComponents(self.labels[rows])


@dataclass(frozen=True)
class AllowedComponents(LabelPrior):
    """The components that each row may belong to: ``mask`` (n, K) is True where a component is allowed."""

    mask: BoolNK

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", _parse_table("mask", self.mask, "b", "booleans"))

    @property
    def n_rows(self) -> int:
        """Number of rows n of the mask."""
        return len(self.mask)

    def log_prior(self, n_components: int) -> NK:
        """Return 0 where a component is allowed for a row, minus infinity elsewhere, (n, K)."""
        return np.where(self.mask, 0.0, -np.inf)

    def select_rows(self, rows: slice | IntN) -> "AllowedComponents":
        """Return the label prior of some rows, by slice or by row numbers."""
        return AllowedComponents(self.mask[rows])


@dataclass(frozen=True)
class LogProbabilities(LabelPrior):
    """The logarithm of each component's prior probability for each row, ``values`` (n, K), up to a row constant."""

    values: NK

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _parse_table("values", self.values, "fiu", "numbers"))

    @property
    def n_rows(self) -> int:
        """Number of rows n of the table."""
        return len(self.values)

    def log_prior(self, n_components: int) -> NK:
        """Return the log probabilities, (n, K)."""
        return np.asarray(self.values, dtype=np.float64)

    def select_rows(self, rows: slice | IntN) -> "LogProbabilities":
        """Return the label prior of some rows, by slice or by row numbers."""
        return LogProbabilities(self.values[rows])


def _parse_table(name: str, values: ArrayLike, dtype_kinds: str, content: str) -> AnyArray:
    """Return values as an array (n, K) whose type is of one of NumPy's kinds; raise a LabelError if it is none."""
    try:
        table = np.asarray(values)
    except ValueError:  # rows of different lengths
        table = np.empty(0, dtype=object)
    if table.ndim != 2 or table.dtype.kind not in dtype_kinds:
        raise LabelError.not_a_table(name, content, table.shape, table.dtype)
    return table


def require_label_prior_of_rows(label_prior: object, n_rows: int | None) -> None:
    """Raise an error unless a value is None, or a label prior of ``n_rows`` rows, if that number is known.

    Raises
    ------
    ParameterError
        If it is no label prior.
    LabelError
        If it describes another number of rows.
    """
    if label_prior is None:
        return
    if not isinstance(label_prior, LabelPrior):
        allowed = "None, KnownComponents(labels), AllowedComponents(mask) or LogProbabilities(values)"
        raise ParameterError.wrong_type("label_prior", label_prior, allowed)
    if None not in (n_rows, label_prior.n_rows) and label_prior.n_rows != n_rows:
        raise LabelError.wrong_n_rows(type(label_prior).__name__, label_prior.n_rows, n_rows)


def require_log_prior_of_rows(log_prior: NK, n_rows: int, n_components: int, first_row: int) -> None:
    """Raise a LabelError unless a log prior has the shape (n_rows, n_components) and allows a component in each row."""
    if log_prior.shape != (n_rows, n_components):
        raise LabelError.wrong_prior_shape(log_prior.shape, (n_rows, n_components))
    is_usable = np.isfinite(log_prior.max(axis=1))  # NaN and infinity propagate
    if not is_usable.all():
        raise LabelError.no_allowed_component(first_row + int(np.argmin(is_usable)))
