"""Stopping rules: when the last iteration has changed so little that a run has converged."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What two successive checks of convergence compare.

    Attributes
    ----------
    previous, current : float
        The objective of all rows together at the last check and now, in nats and in the frame.
    total_weight : float
        Sum of the row weights.
    movement : float, default=inf
        Squared movement of the parameters since the last iteration, for solvers that report it.
    """

    previous: float
    current: float
    total_weight: float
    movement: float = math.inf


class StoppingRule(ABC):
    """Decides from the progress of a run whether it has converged, and limits its iterations."""

    max_iter: int

    @property
    def tolerance_and_is_relative(self) -> tuple[float, bool] | None:
        """The tolerance, and whether it is relative to the objective; None for rules that no such pair describes."""
        return None

    @abstractmethod
    def is_met(self, progress: Progress) -> bool:
        """Return whether the progress is small enough to stop."""


@dataclass(frozen=True)
class MeanGainRule(StoppingRule):
    """scikit-learn's rule for mixtures: the mean log-likelihood per row changed by less than ``tolerance`` nats."""

    tolerance: float = 1e-3
    max_iter: int = 100

    @property
    def tolerance_and_is_relative(self) -> tuple[float, bool]:
        """The tolerance, which is absolute."""
        return self.tolerance, False

    def is_met(self, progress: Progress) -> bool:
        """Return whether the mean change per row is below the tolerance."""
        return abs(progress.current - progress.previous) < self.tolerance * progress.total_weight


@dataclass(frozen=True)
class TotalGainRule(StoppingRule):
    """scikit-learn's rule for variational bounds: the bound of all rows changed by less than ``tolerance`` nats."""

    tolerance: float = 1e-3
    max_iter: int = 100

    def is_met(self, progress: Progress) -> bool:
        """Return whether the total change is below the tolerance."""
        return abs(progress.current - progress.previous) < self.tolerance


@dataclass(frozen=True)
class RelativeGainRule(StoppingRule):
    """The log-likelihood changed by less than ``tolerance`` times its size, or times one nat per row if larger.

    Log-likelihoods are compared in the frame of the fit, so the rule does not depend on the units of the data.
    """

    tolerance: float = 1e-8
    max_iter: int = 10_000

    @property
    def tolerance_and_is_relative(self) -> tuple[float, bool]:
        """The tolerance, which is relative."""
        return self.tolerance, True

    def is_met(self, progress: Progress) -> bool:
        """Return whether the relative change is below the tolerance."""
        size = max(abs(progress.current), progress.total_weight)
        return abs(progress.current - progress.previous) < self.tolerance * size


@dataclass(frozen=True)
class MovementRule(StoppingRule):
    """scikit-learn's rule for k-means: the summed squared movement of the centers is at most ``tolerance``."""

    tolerance: float
    max_iter: int = 300

    def is_met(self, progress: Progress) -> bool:
        """Return whether the centers moved at most by the tolerance."""
        return progress.movement <= self.tolerance
