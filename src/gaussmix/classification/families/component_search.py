"""Choose the number of components of each class by the cross-validated log-loss after refinement.

Information criteria describe the rows, and refined mixtures separate classes: on customers whose churn one component
per class predicts best, BIC asks for a dozen. Equal numbers are tried first, from one component upwards, and then one
more and one fewer for each class. Candidates are judged by the average over all starts, like the fit that follows: one
start of many components says little.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gaussmix.types import NK, IntN, N

_LADDER = (1, 2, 3, 4, 6, 8, 12, 16)
_MAX_STEPS_WITHOUT_GAIN = 2

Counts = tuple[int, ...]


@dataclass(frozen=True)
class ComponentCandidate:
    """Numbers of components, and the log-loss of rows that the fits did not see.

    Attributes
    ----------
    n_components : tuple of int
        One number for each class, or one for all.
    log_loss : float
        Mean negative log probability of the true class, in nats per row.
    standard_error : float
        Standard error of the difference of the log-loss from that of the best candidate.
    """

    n_components: Counts
    log_loss: float
    standard_error: float = 0.0


@dataclass(frozen=True, eq=False)
class ComponentSearch:
    """The losses of all candidates, by row.

    Attributes
    ----------
    compute_losses : callable
        Returns the loss (m,) of each held-out row for numbers of components.
    weights : ndarray of shape (m,)
    max_components : tuple of int
        Largest numbers.
    start : tuple of int or None
        Numbers near which the search stays; None tries equal numbers first.
    """

    compute_losses: Callable[[Counts], N]
    weights: N
    max_components: Counts
    start: Counts | None = None
    _losses: dict[Counts, N] = field(default_factory=dict)

    def run(self) -> tuple[ComponentCandidate, ...]:
        """Return all candidates, the best one first; one component for each class is always among them."""
        best = self._climb()
        for position in range(len(self.max_components)):
            for step in (-1, 1):
                best = self._walk(best, position, step)
        order = sorted(self._losses, key=lambda counts: (self._mean_loss(counts), counts))
        return tuple(self._describe(counts, order[0]) for counts in order)

    def _climb(self) -> Counts:
        """Return the best of equal numbers of components, as far as the classes have rows for them."""
        best = tuple(1 for _ in self.max_components)
        self._evaluate(best, best)
        if self.start is not None:
            return self.start if self._evaluate(self.start, best) else best
        n_without_gain = 0
        for count in _LADDER[1:]:
            counts = tuple(min(count, maximum) for maximum in self.max_components)
            if counts in self._losses or n_without_gain == _MAX_STEPS_WITHOUT_GAIN:
                break
            n_without_gain += 1
            if self._evaluate(counts, best):
                best, n_without_gain = counts, 0
        return best

    def _walk(self, best: Counts, position: int, step: int) -> Counts:
        """Return the best numbers when one of them changes by steps as long as the loss falls."""
        while 1 <= best[position] + step <= self.max_components[position]:
            counts = tuple(count + step * (i == position) for i, count in enumerate(best))
            if not self._evaluate(counts, best):
                break
            best = counts
        return best

    def _evaluate(self, counts: Counts, best: Counts) -> bool:
        """Compute the losses of a candidate once, and return whether they are below those of the best one."""
        if counts not in self._losses:
            self._losses[counts] = self.compute_losses(counts)
        return self._mean_loss(counts) < self._mean_loss(best)

    def _mean(self, values: N) -> float:
        """Return the weighted mean over the rows."""
        return float(np.average(values, weights=self.weights))

    def _mean_loss(self, counts: Counts) -> float:
        """Return the mean loss of a candidate."""
        return self._mean(self._losses[counts])

    def _standard_error(self, values: N) -> float:
        """Return the standard error of a weighted mean over the rows."""
        deviations = self.weights * (values - self._mean(values))
        return float(np.sqrt((deviations**2).sum())) / float(self.weights.sum())

    def _describe(self, counts: Counts, best: Counts) -> ComponentCandidate:
        """Return a candidate with the standard error of its difference from the best one."""
        difference = self._losses[counts] - self._losses[best]
        return ComponentCandidate(counts, self._mean_loss(counts), self._standard_error(difference))


def log_losses(log_probabilities: NK, classes: IntN) -> N:
    """Return the negative log probability of the class of each row, (n,)."""
    return np.asarray(-log_probabilities[np.arange(len(classes)), classes])
