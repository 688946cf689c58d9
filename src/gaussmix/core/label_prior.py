"""What is known of the components of rows before a model scores them: labels, allowed components or probabilities."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gaussmix.types import NK, BoolNK, IntN

if TYPE_CHECKING:
    from gaussmix.core.batch import Batch


class LabelPrior(ABC):
    """What is known of the component of each row; it travels with the rows in a `Batch`."""

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

    def log_prior(self, n_components: int) -> NK:
        """Return the log probabilities, (n, K)."""
        return np.asarray(self.values, dtype=np.float64)

    def select_rows(self, rows: slice | IntN) -> "LogProbabilities":
        """Return the label prior of some rows, by slice or by row numbers."""
        return LogProbabilities(self.values[rows])
