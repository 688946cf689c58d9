"""The socket for fused runs of EM: a fast path of the EM solver that some engines offer."""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from gaussmix.core.fused_em import FusedRunInput, FusedRunResult


class AbstractFusedRunner(ABC):
    """Runs many iterations of EM over few rows in one call.

    Each iteration equals an E-step and the M-step of `covariance`. The runner stops before any step that needs
    more, such as an active variance floor; the solver's loop continues from there.
    """

    @abstractmethod
    def should_run(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Return whether a run of this size is worth its preparation, compared with single passes."""

    @abstractmethod
    def run(self, run_input: FusedRunInput) -> FusedRunResult | None:
        """Return the parameters after the last complete iteration; None if the runner cannot run at all."""


@runtime_checkable
class SupportsFusedRuns(Protocol):
    """An engine that offers fused runs of EM."""

    @property
    def fused_runner(self) -> AbstractFusedRunner:
        """The object that runs whole EM fits for this engine."""
        ...
