"""The socket for fused runs of EM: a fast path of the EM solver that some engines offer, and when it is fastest."""

from abc import ABC, abstractmethod

from gaussmix.core.fused_em import FirstMStepInput, FusedCovariances, FusedRunInput, FusedRunResult

# Longest estimated iteration in one thread, in nanoseconds, up to which a fused run is always the fastest way: passes
# need more time between iterations. Longer runs are fused if few pairs could be skipped and their copy of the rows is
# not too large.
MAX_SHORT_NANOSECONDS, MAX_FUSED_NANOSECONDS, MAX_FUSED_VALUES = 4e6, 1e8, 1_000_000

# Columns or components up to which a long fused run is faster than passes, which skip pairs that cannot matter.
MAX_LONG_FUSED_FEATURES, MAX_LONG_FUSED_COMPONENTS = 4, 12

# Most columns of full covariances, whose M-step needs LAPACK above.
MAX_FULL_FUSED_FEATURES = 64


def is_fused_run_fastest(n_rows: int, n_components: int, n_features: int, is_axis_aligned: bool) -> bool:
    """Return whether a fused run is faster than passes; it depends on counts only, so that bits do not change."""
    has_fast_m_step = is_axis_aligned or n_features <= MAX_FULL_FUSED_FEATURES
    nanoseconds = estimate_fused_nanoseconds(n_rows, n_components, n_features, is_axis_aligned)
    has_few_pairs = n_features <= MAX_LONG_FUSED_FEATURES or n_components <= MAX_LONG_FUSED_COMPONENTS
    is_long_but_fast = (
        has_few_pairs and nanoseconds <= MAX_FUSED_NANOSECONDS and n_rows * n_features <= MAX_FUSED_VALUES
    )
    return has_fast_m_step and (nanoseconds <= MAX_SHORT_NANOSECONDS or is_long_but_fast)


def estimate_fused_nanoseconds(n_rows: int, n_components: int, n_features: int, is_axis_aligned: bool) -> float:
    """Return an estimate of the time of an iteration of a fused run in one thread, in nanoseconds."""
    per_pair = 3.0 + 0.4 * n_features if is_axis_aligned else 3.0 + 0.7 * n_features + 0.07 * n_features**2
    return n_rows * n_components * per_pair


class AbstractFusedRunner(ABC):
    """Runs many iterations of EM in one call.

    Each iteration equals an E-step and the M-step of `covariance`. The runner stops before any step that needs
    more, such as an active variance floor; the solver's loop continues from there.
    """

    def should_run(self, n_rows: int, n_components: int, n_features: int, is_axis_aligned: bool) -> bool:
        """Return whether a run of this size is faster than single passes."""
        return is_fused_run_fastest(n_rows, n_components, n_features, is_axis_aligned)

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
