"""The socket for fused runs of EM: a fast path of the EM solver that some engines offer."""

from abc import ABC, abstractmethod

from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult


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

    @abstractmethod
    def fit_first_covariances(self, m_step_input: FirstMStepInput) -> FusedCovariances | None:
        """Return the covariances of an M-step without previous ones; None if the M-step of `covariance` must do it."""


class SupportsFusedRuns(ABC):
    """An engine that offers fused runs of EM."""

    @property
    @abstractmethod
    def fused_runner(self) -> AbstractFusedRunner:
        """The object that runs whole EM fits for this engine."""
