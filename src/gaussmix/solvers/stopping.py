"""When to stop: rules that look at the gain of a pass and nothing else."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


class StoppingRule(ABC):
    """A rule over two successive log-likelihoods, and the most passes allowed."""

    max_iter: int

    @property
    def tolerance_and_is_relative(self) -> tuple[float, bool] | None:
        """The rule in two numbers: a tolerance, and whether it is relative to the log-likelihood; None for others."""
        return None

    @abstractmethod
    def is_met(self, previous: float, current: float, total_weight: float) -> bool:
        """Whether going from ``previous`` to ``current`` total log-likelihood is small enough to stop."""


@dataclass(frozen=True)
class MeanGainRule(StoppingRule):
    """scikit-learn's rule: the mean log-likelihood per row changed by less than ``tolerance`` nats."""

    tolerance: float = 1e-3
    max_iter: int = 100

    @property
    def tolerance_and_is_relative(self) -> tuple[float, bool]:
        return self.tolerance, False

    def is_met(self, previous: float, current: float, total_weight: float) -> bool:
        return abs(current - previous) < self.tolerance * total_weight


@dataclass(frozen=True)
class TotalGainRule(StoppingRule):
    """scikit-learn's rule for variational bounds: that of all rows together changed by less than ``tolerance`` nats."""

    tolerance: float = 1e-3
    max_iter: int = 100

    def is_met(self, previous: float, current: float, total_weight: float) -> bool:
        return abs(current - previous) < self.tolerance


@dataclass(frozen=True)
class RelativeGainRule(StoppingRule):
    """The log-likelihood changed by less than ``tolerance`` of its size, or of one nat per row if larger.

    Log-likelihoods are compared in the fit's own frame, so the rule does not depend on the data's units.
    """

    tolerance: float = 1e-8
    max_iter: int = 10_000

    @property
    def tolerance_and_is_relative(self) -> tuple[float, bool]:
        return self.tolerance, True

    def is_met(self, previous: float, current: float, total_weight: float) -> bool:
        return abs(current - previous) < self.tolerance * max(abs(current), total_weight)
