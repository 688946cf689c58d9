"""The socket for passes over rows that lack cells: a fast path for patterns of few rows that some engines offer."""

from abc import ABC, abstractmethod

from gaussmix.core.pattern_pass import CenteredSums, PatternedRows
from gaussmix.core.quadratics import Quadratics
from gaussmix.types import NK


class AbstractPatternRunner(ABC):
    """Passes over all patterns of some rows in one call."""

    @abstractmethod
    def sum_rows(
        self, rows: PatternedRows, quadratics: Quadratics, is_hard: bool, adds_products: bool
    ) -> CenteredSums | None:
        """Return the sums of all rows about the centers, with products (K, D, D); None if the runner cannot run.

        Parameters
        ----------
        rows : PatternedRows
            Nobody may change them.
        quadratics : Quadratics
        is_hard : bool
            Whether a row belongs wholly to its best component.
        adds_products : bool
            Whether the second sums are needed; otherwise they are zeros.
        """

    @abstractmethod
    def compute_scores(self, rows: PatternedRows, quadratics: Quadratics) -> NK | None:
        """Return the scores (n, K) of all rows; None if the runner cannot run."""


class SupportsPatternPasses(ABC):
    """An engine that offers passes over all patterns at once."""

    @property
    @abstractmethod
    def pattern_runner(self) -> AbstractPatternRunner:
        """The object that passes over the patterns for this engine."""
