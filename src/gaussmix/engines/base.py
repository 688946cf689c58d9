"""The socket for engines, and what every engine does once it has the scores."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from gaussmix.core.batch import Batch
from gaussmix.core.expectation import Expectation
from gaussmix.core.fused_em import FusedResult, FusedRun
from gaussmix.core.moments import MomentKind, Moments
from gaussmix.core.quadratics import Quadratics
from gaussmix.core.reduce import Reduce
from gaussmix.types import NK, IntN, N

_SCORES_PER_TILE = 1 << 16  # scores (rows, K) held at one time: half a megabyte


class AssignmentKind(Enum):
    """How a row is shared out: by its probabilities, or wholly to the most probable component."""

    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class BestScores:
    """What the scores of each row come to, each (n,): its best component, that one's score, the log density.

    ``label`` is the first of the best; ``log_density`` is ``log sum_k exp(score)``.
    """

    labels: IntN
    best_scores: N
    log_densities: N

    @classmethod
    def from_scores(cls, scores: NK) -> "BestScores":
        """From all scores (n, K)."""
        label = scores.argmax(axis=1)
        return cls(label, scores.max(axis=1), log_sum_exp_with_terms(scores)[0])


class AbstractEngine(ABC):
    """Three questions to the rows: what are the scores, how does each row stand, and what do all add up to?"""

    @abstractmethod
    def e_step(
        self,
        reduce: Reduce,
        quadratics: Quadratics,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
        total_moments: Moments | None = None,
    ) -> Expectation:
        """Moments under the responsibilities, with log-likelihood and entropy, of all that ``reduce`` hands over.

        ``reduce`` is a source's: it may be called more than once, with a function whose values are
        the engine's own. ``total`` are the pooled full moments of all rows as one group, where
        somebody has them: an engine may take pooled scatter from them, or leave them alone.
        """

    @abstractmethod
    def compute_scores(self, quadratics: Quadratics, batch: Batch, out: NK | None = None) -> NK:
        """offset_k - |R_k^T (x_n - center_k)|^2 / 2, plus what the hints say, (n, K); written to ``out`` if given."""

    def can_run_fused(self, n_rows: int, n_components: int, n_features: int) -> bool:
        """Whether ``whole`` is worth asking for a run of this size."""
        return False

    def run_fused(self, fused_run: FusedRun) -> FusedResult | None:
        """Passes and steps of EM over few rows, one after the other; None where an engine cannot do that."""
        return None

    def e_step_on_batch(
        self,
        quadratics: Quadratics,
        batch: Batch,
        moment_kind: MomentKind,
        assignment: AssignmentKind = AssignmentKind.SOFT,
    ) -> Expectation:
        """A sweep over one batch."""
        return self.e_step(lambda function: function(batch), quadratics, moment_kind, assignment)

    def best_scores(self, quadratics: Quadratics, batch: Batch) -> BestScores:
        """The best component, its score and the log density of each row."""
        parts = [
            BestScores.from_scores(self.compute_scores(quadratics, batch.sub_batch(tile.start, tile.stop)))
            for tile in iterate_tiles(batch.n_rows, rows_per_tile(quadratics.n_components))
        ]
        if len(parts) == 1:
            return parts[0]
        return BestScores(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.best_scores for part in parts]),
            np.concatenate([part.log_densities for part in parts]),
        )


def rows_per_tile(n_components: int) -> int:
    """Rows whose scores (rows, K) stay in cache."""
    return max(16, _SCORES_PER_TILE // n_components)


def iterate_tiles(n_rows: int, n_tile_rows: int) -> Iterator[slice]:
    """Slices of ``step`` rows, one after the other; one empty slice where there is no row."""
    return (slice(start, min(start + n_tile_rows, n_rows)) for start in range(0, max(1, n_rows), n_tile_rows))


def log_sum_exp_with_terms(scores: NK) -> tuple[N, NK]:
    """log sum_k exp(score) per row, and exp(score - maximum), safe where scores are -inf."""
    top = scores.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    powers = np.exp(scores - safe[:, None])
    with np.errstate(divide="ignore"):
        return safe + np.log(powers.sum(axis=1)), powers


def add_label_prior(scores: NK, batch: Batch) -> NK:
    """Scores with what is known of the rows' components."""
    hints = batch.label_log_prior(scores.shape[1])
    return scores if hints is None else scores + hints


def compute_responsibilities(scores: NK, batch: Batch, assignment: AssignmentKind) -> tuple[NK, float, float]:
    """Weighted responsibilities (n, K), log-likelihood and entropy of a batch."""
    if assignment is AssignmentKind.HARD:
        density, entropy = scores.max(axis=1), np.zeros(len(scores))
        responsibilities = np.zeros_like(scores)
        responsibilities[np.arange(len(scores)), scores.argmax(axis=1)] = 1.0
    else:
        density, powers = log_sum_exp_with_terms(scores)
        responsibilities = powers / powers.sum(axis=1)[:, None]
        logs = np.log(np.where(responsibilities > 0, responsibilities, 1.0))
        entropy = -(responsibilities * logs).sum(axis=1)
    if batch.weights is None:
        return responsibilities, float(density.sum()), float(entropy.sum())
    counted = batch.weights > 0  # a row of weight zero is absent, however far away it lies
    total = float(batch.weights[counted] @ density[counted])
    responsibilities = responsibilities * batch.weights[:, None]
    return responsibilities, total, float(batch.weights @ entropy)
