"""The socket for engines, and what every engine does once it has the scores."""

from abc import ABC, abstractmethod
from enum import Enum

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.moments import MomentKind
from gaussmix.core.quadratics import Quadratics
from gaussmix.types import NK, N


class Assign(Enum):
    """How a row is shared out: by its probabilities, or wholly to the most probable component."""

    SOFT = "soft"
    HARD = "hard"


class AbstractEngine(ABC):
    """One pass over a batch, in two questions: what are the scores, and what do they add up to?"""

    @abstractmethod
    def score(self, quadratics: Quadratics, batch: Batch) -> NK:
        """offset_k - |R_k^T (x_n - center_k)|^2 / 2, plus what the hints say, (n, K)."""

    @abstractmethod
    def expect(
        self, quadratics: Quadratics, batch: Batch, kind: MomentKind, assign: Assign = Assign.SOFT
    ) -> Expectation:
        """Moments of the batch under the responsibilities, with log-likelihood and entropy."""


def log_sum_exp(scores: NK) -> tuple[N, NK]:
    """log sum_k exp(score) per row, and exp(score - maximum), safe where scores are -inf."""
    top = scores.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    powers = np.exp(scores - safe[:, None])
    with np.errstate(divide="ignore"):
        return safe + np.log(powers.sum(axis=1)), powers


def add_hints(scores: NK, batch: Batch) -> NK:
    """Scores with what is known of the rows' components."""
    hints = batch.hint_scores(scores.shape[1])
    return scores if hints is None else scores + hints


def share_out(scores: NK, batch: Batch, assign: Assign) -> tuple[NK, float, float]:
    """Weighted responsibilities (n, K), log-likelihood and entropy of a batch."""
    density, powers = log_sum_exp(scores)
    if assign is Assign.HARD:
        density = scores.max(axis=1)
        responsibilities = np.zeros_like(scores)
        responsibilities[np.arange(len(scores)), scores.argmax(axis=1)] = 1.0
    else:
        responsibilities = powers / powers.sum(axis=1)[:, None]
    logs = np.log(np.where(responsibilities > 0, responsibilities, 1.0))
    entropy = -(responsibilities * logs).sum(axis=1)
    if batch.weights is None:
        return responsibilities, float(density.sum()), float(entropy.sum())
    counted = batch.weights > 0  # a row of weight zero is absent, however far away it lies
    total = float(batch.weights[counted] @ density[counted])
    responsibilities = responsibilities * batch.weights[:, None]
    return responsibilities, total, float(batch.weights @ entropy)
